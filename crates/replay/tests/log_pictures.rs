//! The log of transitions with pictures against crashes and damage, as `log_crash.rs` does it without.

mod support;

use proptest::prelude::*;
use std::{
    fs::{self, OpenOptions},
    num::NonZeroU64,
    path::{Path, PathBuf},
};
use support::{Experience, contents, pictures, same};
use turnkey_core::{End, FrameSize, PictureShape, Transition};
use turnkey_replay::{Format, Replay, ReplayError, ReplayLog, Widths};

const WIDTHS: Widths = Widths { observation: 2, action: 1, pictures: Some(pictures(3)) };
const ROW_BYTES: u64 = 4 * (2 + 1 + 1 + 1 + 2) + 4 + 12 + 4;
const FRAME_BYTES: u64 = 3 * 2 * 3 + 4;
const HEADER_BYTES: u64 = 48;

fn format((rows, frames): (u64, u64)) -> Format {
    let [rows, frames] = [rows, frames].map(|count| NonZeroU64::new(count).unwrap());
    Format::new(WIDTHS).with_segment_rows(rows).with_segment_frames(frames)
}

/// What happens in every run here: episodes of some ten steps that end in all ways.
fn experience(rows: u64, seed: u64) -> Vec<Transition> {
    let mut experience = Experience::new(WIDTHS, seed, [5, 5, 5]);
    (0..rows).map(|_| experience.transition()).collect()
}

/// The replay of a run that never stopped.
fn uninterrupted(rows: &[Transition], capacity: usize) -> Replay {
    let mut replay = Replay::new(capacity, WIDTHS).unwrap();
    rows.iter().for_each(|row| replay.push(row).unwrap());
    replay
}

fn append(log: &mut ReplayLog, rows: &[Transition]) {
    rows.iter().for_each(|row| log.append(row).unwrap());
}

/// A folder with a synced log of `rows`.
fn written(rows: &[Transition], segments: (u64, u64)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut log = ReplayLog::create(dir.path(), format(segments)).unwrap();
    append(&mut log, rows);
    assert_eq!(log.sync().unwrap(), rows.len() as u64);
    dir
}

/// The log's files of one kind, oldest first.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let of_kind = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    contents(dir).into_iter().map(|(path, _)| path).filter(of_kind).collect()
}

fn first_of(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// Ends the newest file of a kind somewhere after the bytes that hold `counted` records.
fn tear(dir: &Path, extension: &str, counted: u64, record: u64, at: prop::sample::Index) {
    if let Some(newest) = files(dir, extension).pop() {
        let (length, first) = (fs::metadata(&newest).unwrap().len(), first_of(&newest));
        let kept = if counted > first { HEADER_BYTES + (counted - first) * record } else { 0 };
        let kept = kept + at.index((length - kept) as usize + 1) as u64;
        OpenOptions::new().write(true).open(&newest).unwrap().set_len(kept).unwrap();
    }
}

/// How many frames `rows` have, each once: one a row, and one more where an episode begins.
fn frames_of(rows: &[Transition]) -> u64 {
    let goes_on = |pair: &[Transition]| pair[0].end.is_none() && pair[0].next == pair[1].observation;
    let begun = rows.len().min(1) + rows.windows(2).filter(|pair| !goes_on(pair)).count();
    (rows.len() + begun) as u64
}

/// Resuming is refused with these words and changes nothing.
fn refused(dir: &Path, format: Format, count: u64, words: &[&str]) -> ReplayError {
    let before = contents(dir);
    let error = ReplayLog::resume(dir, format, count, 100).unwrap_err();
    words.iter().for_each(|word| assert!(error.to_string().contains(word), "expected {word}: {error}"));
    assert_eq!(contents(dir), before);
    error
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_run_killed_at_any_byte_after_a_sync_resumes_to_the_slot_and_the_frame(
        (count, uncounted, more) in (0_usize..40, 0_usize..20, 0_usize..20),
        segments in (1_u64..12, 1_u64..12),
        capacity in 1_usize..50,
        torn in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        seed: u64,
    ) {
        let all = experience((count + uncounted + more) as u64, seed);
        let dir = tempfile::tempdir().unwrap();
        let mut log = ReplayLog::create(dir.path(), format(segments)).unwrap();
        append(&mut log, &all[..count]);
        prop_assert_eq!(log.sync().unwrap(), count as u64);
        append(&mut log, &all[count..count + uncounted]);
        drop(log);
        // The kill: the newest file of each kind ends anywhere from what is counted on.
        tear(dir.path(), "rows", count as u64, ROW_BYTES, torn.0);
        tear(dir.path(), "frames", frames_of(&all[..count]), FRAME_BYTES, torn.1);
        let (mut log, mut replay) = ReplayLog::resume(dir.path(), format(segments), count as u64, capacity).unwrap();
        prop_assert!(same(&replay, &uninterrupted(&all[..count], capacity)));
        // And goes on as if nothing had happened, in memory and on disk.
        let end = count + more;
        append(&mut log, &all[count..end]);
        all[count..end].iter().for_each(|row| replay.push(row).unwrap());
        prop_assert!(same(&replay, &uninterrupted(&all[..end], capacity)));
        prop_assert_eq!(log.sync().unwrap(), end as u64);
        let bytes = |dir: &Path| contents(dir).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        prop_assert_eq!(bytes(dir.path()), bytes(written(&all[..end], segments).path()));
    }

    #[test]
    fn any_flipped_bit_of_a_frame_or_a_row_or_a_header_is_found_and_nothing_is_changed(
        count in 1_u64..30, segments in (1_u64..12, 1_u64..12), seed: u64,
        (file, byte) in any::<(prop::sample::Index, prop::sample::Index)>(), bit in 0_u32..8,
    ) {
        let dir = written(&experience(count, seed), segments);
        let (path, mut bytes) = file.get(&contents(dir.path())).clone();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        match refused(dir.path(), format(segments), count, &[]) {
            ReplayError::Foreign { path: named, .. } => prop_assert!(named == path && (at as u64) < HEADER_BYTES),
            ReplayError::Corrupt { path: named, what, index, .. } => {
                let record = if what == "row" { ROW_BYTES } else { FRAME_BYTES };
                prop_assert_eq!(path.extension().unwrap().to_str().unwrap(), format!("{}s", what));
                prop_assert_eq!((named, index), (path.clone(), first_of(&path) + (at as u64 - HEADER_BYTES) / record));
            }
            other => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn what_is_forgotten_is_what_no_kept_checkpoint_needs(
        checkpoints in prop::collection::vec(0_u64..12, 1..4), capacity in 1_usize..20,
        segments in (3_u64..9, 2_u64..9), seed: u64,
    ) {
        let counts: Vec<u64> = checkpoints.iter().scan(25, |at, step| { *at += step; Some(*at) }).collect();
        let all = experience(*counts.last().unwrap(), seed);
        let dir = written(&all, segments);
        let (mut log, _) = ReplayLog::resume(dir.path(), format(segments), all.len() as u64, capacity).unwrap();
        let oldest = counts[0] - capacity as u64;
        log.forget_before(oldest).unwrap();
        // The oldest row's stack reaches back no further than this.
        let needed = frames_of(&all[..=oldest as usize]).saturating_sub(1 + 3);
        let first = first_of(&files(dir.path(), "frames")[0]);
        prop_assert!(first + segments.1 > needed, "frames are kept from {} on, needed from {} on", first, needed);
        for count in counts.iter().rev() {
            let copy = tempfile::tempdir().unwrap();
            contents(dir.path()).iter().for_each(|(path, bytes)| fs::write(copy.path().join(path.file_name().unwrap()), bytes).unwrap());
            let (_, replay) = ReplayLog::resume(copy.path(), format(segments), *count, capacity).unwrap();
            prop_assert!(same(&replay, &uninterrupted(&all[..*count as usize], capacity)));
        }
    }
}

#[test]
fn a_missing_frame_is_named_and_nothing_is_changed() {
    let dir = written(&experience(30, 1), (100, 8));
    let frames = files(dir.path(), "frames");
    let whole = fs::read(&frames[1]).unwrap();
    fs::write(&frames[1], &whole[..(HEADER_BYTES + 2 * FRAME_BYTES + 5) as usize]).unwrap();
    refused(dir.path(), format((100, 8)), 30, &["000000000008.frames ends before frame 10", "older checkpoint"]);
    fs::remove_file(&frames[1]).unwrap();
    refused(dir.path(), format((100, 8)), 30, &["000000000008.frames ends before frame 8", "found 0"]);
    // Frames of another place are other frames.
    fs::copy(&frames[0], &frames[1]).unwrap();
    refused(
        dir.path(),
        format((100, 8)),
        30,
        &["000000000008.frames is not of this log: expected first frame 8, found 0"],
    );
    fs::write(&frames[1], &whole).unwrap();
    let (_, replay) = ReplayLog::resume(dir.path(), format((100, 8)), 30, 100).unwrap();
    assert!(same(&replay, &uninterrupted(&experience(30, 1), 100)));
}

#[test]
fn a_log_of_other_pictures_is_refused_by_what_differs() {
    let dir = written(&experience(20, 1), (100, 8));
    let of = |pictures| {
        let [rows, frames] = [100, 8].map(|count| NonZeroU64::new(count).unwrap());
        Format::new(Widths { pictures, ..WIDTHS }).with_segment_rows(rows).with_segment_frames(frames)
    };
    refused(dir.path(), of(None), 20, &["rows is not of this log: expected pictures a stack 0, found 3"]);
    refused(dir.path(), of(Some(pictures(2))), 20, &["expected pictures a stack 2, found 3"]);
    let wider = Some(PictureShape { size: FrameSize { width: 4, height: 2 }, stack: 3 });
    refused(dir.path(), of(wider), 20, &["frames is not of this log: expected width 4, found 3"]);
    refused(dir.path(), format((100, 9)), 20, &["expected frames a segment 9, found 8"]);
    // Those of files that would be cut off are looked at as well.
    refused(dir.path(), format((100, 9)), 0, &["expected frames a segment 9, found 8"]);
    let none = Format::new(Widths { pictures: Some(pictures(0)), ..WIDTHS });
    assert!(matches!(ReplayLog::create(dir.path().join("new"), none), Err(ReplayError::NoPixels { .. })));
    assert!(matches!(ReplayLog::create(dir.path(), format((100, 8))), Err(ReplayError::Occupied { .. })));
}

#[test]
fn a_row_that_claims_impossible_frames_is_refused() {
    for (newest, reach) in [(0, 1), (u64::MAX, 1), (9, 0), (9, 4)] {
        let dir = written(&experience(6, 1), (100, 100));
        let path = files(dir.path(), "rows").pop().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let row = &mut bytes[(HEADER_BYTES + 5 * ROW_BYTES) as usize..][..ROW_BYTES as usize];
        let (body, crc) = row.split_at_mut(ROW_BYTES as usize - 4);
        let place = body.len() - 12;
        body[place..place + 8].copy_from_slice(&u64::to_le_bytes(newest));
        body[place + 8..].copy_from_slice(&u32::to_le_bytes(reach));
        crc.copy_from_slice(&crc32fast::hash(&[&5_u64.to_le_bytes(), &*body].concat()).to_le_bytes());
        fs::write(&path, bytes).unwrap();
        refused(dir.path(), format((100, 100)), 6, &["row 5: expected its frames to come after"]);
    }
}

#[test]
fn a_full_disk_breaks_the_log_and_what_was_counted_comes_back() {
    let all = experience(60, 1);
    let dir = written(&all[..20], (100, 30));
    let (mut log, _) = ReplayLog::resume(dir.path(), format((100, 30)), 20, 100).unwrap();
    // The next segment of frames goes to a disk that is full.
    let next = dir.path().join("000000000030.frames");
    std::os::unix::fs::symlink("/dev/full", &next).unwrap();
    let error = all[20..].iter().find_map(|row| log.append(row).err()).or_else(|| log.sync().err()).unwrap();
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(matches!(log.append(&all[20]), Err(ReplayError::Broken { .. })));
    assert!(matches!(log.sync(), Err(ReplayError::Broken { .. })));
    drop(log);
    fs::remove_file(next).unwrap();
    let (mut log, replay) = ReplayLog::resume(dir.path(), format((100, 30)), 20, 100).unwrap();
    assert!(same(&replay, &uninterrupted(&all[..20], 100)));
    append(&mut log, &all[20..]);
    assert_eq!(log.sync().unwrap(), 60);
}

#[test]
fn an_episode_that_begins_with_what_was_seen_last_has_frames_of_its_own_even_where_it_is_resumed() {
    let mut all = experience(8, 1);
    let still = all[0].observation.pictures.clone(); // copies of one frame
    for (number, row) in all.iter_mut().enumerate() {
        (row.observation.pictures, row.next.pictures) = (still.clone(), still.clone());
        row.end = (number == 3).then_some(End::Truncated);
    }
    let whole = written(&all, (100, 100));
    let frames = fs::metadata(&files(whole.path(), "frames")[0]).unwrap().len() - HEADER_BYTES;
    assert_eq!(frames, (5 + 5) * FRAME_BYTES, "two episodes of four steps");
    for count in [3, 4, 5] {
        let dir = written(&all[..count], (100, 100));
        let (mut log, _) = ReplayLog::resume(dir.path(), format((100, 100)), count as u64, 100).unwrap();
        append(&mut log, &all[count..]);
        log.sync().unwrap();
        let bytes = |dir: &Path| files(dir, "frames").into_iter().map(fs::read).map(Result::unwrap).collect::<Vec<_>>();
        assert!(bytes(dir.path()) == bytes(whole.path()), "resumed at {count}");
    }
}
