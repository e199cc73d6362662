//! Every complete row of a log comes back, those that no checkpoint counts included; what was cut off in the middle
//! of being written does not; and a hole is refused.

use std::{
    fs::{self, OpenOptions},
    num::NonZeroU64,
    path::Path,
};
use turnkey_core::{Action, End, Frame, FrameSize, Observation, PictureShape, Stamp, Transition};
use turnkey_replay::{Format, Replay, ReplayError, ReplayLog, Widths};

const SIZE: FrameSize = FrameSize { width: 3, height: 2 };
const CAPACITY: usize = 100;
/// Rows of a segment, and frames of one.
const SEGMENT: NonZeroU64 = NonZeroU64::new(8).unwrap();
const EPISODE: u64 = 5;

fn format(pictures: bool) -> Format {
    let pictures = pictures.then_some(PictureShape { size: SIZE, stack: 2 });
    let format = Format::new(Widths { observation: 1, action: 1, pictures });
    format.with_segment_rows(SEGMENT).with_segment_frames(SEGMENT)
}

/// Transition number `row`: episodes of five steps.
fn transition(row: u64, pictures: bool) -> Transition {
    let (episode, at) = (row / EPISODE, row % EPISODE);
    let frame = |step: u64| {
        let value = (episode * (EPISODE + 1) + step) as u8;
        Frame::new(Stamp::default(), SIZE, vec![value; SIZE.bytes()]).unwrap()
    };
    let observed = |step: u64| Observation {
        numbers: vec![(row + step) as f32],
        pictures: if pictures { vec![frame(step.saturating_sub(1)), frame(step)] } else { Vec::new() },
    };
    let end = (at + 1 == EPISODE).then_some(End::Truncated);
    Transition { observation: observed(at), action: Action(vec![0.0]), reward: row as f32, next: observed(at + 1), end }
}

/// A log of `rows` handed to the system, whose first `synced` a checkpoint counts.
fn written(dir: &Path, pictures: bool, synced: u64, rows: u64) {
    let mut log = ReplayLog::create(dir, format(pictures)).unwrap();
    for row in 0..rows {
        log.append(&transition(row, pictures)).unwrap();
        if row + 1 == synced {
            assert_eq!(log.sync().unwrap(), synced);
        }
    }
    log.flush().unwrap();
    std::mem::forget(log); // as a killed process leaves it: nothing is written on the way out
}

fn recovered(dir: &Path, pictures: bool, count: u64) -> Result<(ReplayLog, Replay), ReplayError> {
    ReplayLog::recover(dir, format(pictures), count, CAPACITY)
}

fn cut(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
}

#[test]
fn rows_after_the_checkpoint_are_kept_and_what_follows_is_appended_after_them() {
    for pictures in [false, true] {
        for count in [0, 3, 8, 20] {
            let dir = tempfile::tempdir().unwrap();
            written(dir.path(), pictures, count, 20);
            let (mut log, replay) = recovered(dir.path(), pictures, count).unwrap();
            assert_eq!((replay.pushed(), replay.len(), log.count()), (20, 20, 20), "{count}");
            log.append(&transition(20, pictures)).unwrap();
            assert_eq!(log.sync().unwrap(), 21);
            assert_eq!(recovered(dir.path(), pictures, count).unwrap().1.pushed(), 21);
        }
    }
}

#[test]
fn a_row_that_was_cut_off_anywhere_is_left_out_and_all_before_it_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in 1..24 {
        let dir = dir.path().join(bytes.to_string());
        written(&dir, false, 4, 12);
        cut(&dir.join("000000000008.rows"), bytes);
        assert_eq!(recovered(&dir, false, 4).unwrap().1.pushed(), 11, "{bytes}");
    }
    let dir = dir.path().join("header");
    written(&dir, false, 4, 9);
    OpenOptions::new().write(true).open(dir.join("000000000008.rows")).unwrap().set_len(17).unwrap();
    assert_eq!(recovered(&dir, false, 4).unwrap().1.pushed(), 8);
}

#[test]
fn a_row_whose_newest_frame_is_not_whole_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), true, 4, 12); // frames 0 to 14
    cut(&dir.path().join("000000000008.frames"), 1);
    assert_eq!(recovered(dir.path(), true, 4).unwrap().1.pushed(), 11);
}

#[test]
fn a_hole_is_refused_and_so_is_a_log_shorter_than_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), false, 2, 7);
    let path = dir.path().join("000000000000.rows");
    let mut bytes = fs::read(&path).unwrap();
    let row = (bytes.len() - 48) / 7;
    bytes[48 + 4 * row + 3] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = recovered(dir.path(), false, 2).unwrap_err();
    assert!(matches!(error, ReplayError::Gap { expected: 4, found: 5, .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes, "it was changed");
    let error = recovered(dir.path(), false, 9).unwrap_err();
    assert!(matches!(error, ReplayError::Missing { .. }), "{error}");
}
