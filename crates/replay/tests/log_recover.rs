//! Every complete row of a log comes back, those that no checkpoint counts included; what was cut off in the middle
//! of being written does not, nor what a loss of power left out; and an altered row before whole ones is refused.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    num::NonZeroU64,
    path::Path,
};
use turnkey_core::{Action, Batch, End, Frame, FrameSize, Observation, PictureShape, Rng, Stamp, Transition};
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
fn a_page_that_a_loss_of_power_left_out_ends_the_log_where_it_begins() {
    let format = format(false).with_segment_rows(NonZeroU64::new(1000).unwrap());
    // From where the page begins, and from the end of a row in the middle of it, as far as an earlier write had come.
    for (page, written_before) in [(1, None), (1, Some(210)), (2, None), (0, Some(12))] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = ReplayLog::create(dir.path(), format).unwrap();
        (0..600).for_each(|row| log.append(&transition(row, false)).unwrap());
        log.sync().unwrap();
        let path = dir.path().join("000000000000.rows");
        let mut bytes = fs::read(&path).unwrap();
        let row = (bytes.len() - 48) / 600;
        let begin = written_before.map_or(page * 4096, |rows| 48 + rows * row);
        bytes[begin..(page + 1) * 4096].fill(0);
        fs::write(&path, &bytes).unwrap();
        let whole = (begin - 48) / row;
        let (mut log, replay) = ReplayLog::recover(dir.path(), format, 5, 1000).unwrap();
        assert_eq!(replay.pushed(), whole as u64, "{page}, {written_before:?}");
        log.append(&transition(whole as u64, false)).unwrap();
        assert_eq!(log.sync().unwrap(), whole as u64 + 1);
        let error = ReplayLog::recover(dir.path(), format, 550, 1000).unwrap_err();
        assert!(matches!(error, ReplayError::Missing { .. }), "what a checkpoint counts is missed: {error}");
    }
}

#[test]
fn an_altered_row_is_refused_and_so_is_a_log_shorter_than_its_checkpoint() {
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

/// The rewards, which are the numbers of the rows, that a replay gives in many samples.
fn sampled(replay: &Replay) -> BTreeSet<u64> {
    let mut batch = Batch::zeros(64, 1, 1);
    let mut rng = Rng::new(0, "samples");
    (0..200)
        .flat_map(|_| {
            replay.sample(&mut batch, &mut rng).unwrap();
            batch.rewards.clone()
        })
        .map(|reward| reward as u64)
        .collect()
}

#[test]
fn discarded_rows_are_never_sampled_nor_after_a_recovery_and_keep_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), false, 10, 20);
    let (mut log, mut replay) = recovered(folder.path(), false, 10).unwrap();
    for rows in [5..10, 15..20] {
        log.discard(rows.clone()).unwrap();
        replay.discard(rows);
    }
    let expected: BTreeSet<u64> = (0..5).chain(10..15).collect();
    assert_eq!(sampled(&replay), expected);
    for row in 20..25 {
        log.append(&transition(row, false)).unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let (log, replay) = recovered(folder.path(), false, 10).unwrap();
    assert_eq!((log.count(), replay.pushed(), replay.len()), (25, 25, 25));
    assert_eq!(sampled(&replay), expected.iter().copied().chain(20..25).collect());
    drop(log);

    // Rows that come in the place of some that were cut off are others.
    let (mut log, mut replay) = ReplayLog::resume(folder.path(), format(false), 17, CAPACITY).unwrap();
    assert_eq!(sampled(&replay), expected);
    for row in 17..20 {
        log.append(&transition(row, false)).unwrap();
        replay.push(&transition(row, false)).unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let as_it_is: BTreeSet<u64> = expected.iter().copied().chain(17..20).collect();
    assert_eq!(
        (sampled(&replay), sampled(&recovered(folder.path(), false, 17).unwrap().1)),
        (as_it_is.clone(), as_it_is)
    );
}

#[test]
fn a_range_that_was_cut_short_counts_as_not_written_and_an_altered_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), false, 10, 20);
    let (mut log, _) = recovered(folder.path(), false, 10).unwrap();
    log.discard(0..5).unwrap();
    log.discard(10..15).unwrap();
    drop(log);
    let path = folder.path().join("discarded");
    cut(&path, 1);
    let (_, replay) = recovered(folder.path(), false, 10).unwrap();
    assert_eq!(sampled(&replay), (5..20).collect());
    // What is written after it is whole.
    let (mut log, _) = recovered(folder.path(), false, 10).unwrap();
    log.discard(15..20).unwrap();
    drop(log);
    assert_eq!(sampled(&recovered(folder.path(), false, 10).unwrap().1), (5..15).collect());
    let mut bytes = fs::read(&path).unwrap();
    bytes[9] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = recovered(folder.path(), false, 10).unwrap_err().to_string();
    assert!(error.contains("discarded, range 0") && error.contains("nothing was changed"), "{error}");
    fs::write(&path, b"something else").unwrap();
    assert!(matches!(recovered(folder.path(), false, 10), Err(ReplayError::Foreign { what: "magic", .. })));
}

#[test]
fn a_replay_all_of_whose_rows_are_discarded_has_nothing_to_sample_until_another_comes() {
    let widths = Widths { observation: 1, action: 1, pictures: None };
    let mut replay = Replay::new(4, widths).unwrap();
    (0..6).for_each(|row| replay.push(&transition(row, false)).unwrap());
    replay.discard(0..6);
    assert!(!replay.can_be_sampled() && !replay.is_empty());
    assert!(matches!(replay.sample(&mut Batch::zeros(1, 1, 1), &mut Rng::new(0, "samples")), Err(ReplayError::Empty)));
    replay.push(&transition(6, false)).unwrap();
    assert_eq!(sampled(&replay), [6].into());
    (7..11).for_each(|row| replay.push(&transition(row, false)).unwrap());
    assert_eq!(sampled(&replay), (7..11).collect(), "what was discarded is written over");
}
