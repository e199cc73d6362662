//! The log against crashes and damage: what was counted comes back exactly, or an error says what is
//! wrong with which row of which file.

use proptest::prelude::*;
use std::{
    fs::{self, OpenOptions},
    num::NonZeroU64,
    path::{Path, PathBuf},
};
use turnkey_core::{Action, Batch, End, Observation, Rng, Transition};
use turnkey_replay::{Format, Replay, ReplayError, ReplayLog, Widths};

const WIDTHS: Widths = Widths { observation: 3, action: 2, pictures: None };
const ROW_BYTES: u64 = 4 * (3 + 2 + 1 + 1 + 3) + 8;
const HEADER_BYTES: u64 = 48;

fn format(segment_rows: u64) -> Format {
    Format::new(WIDTHS).with_segment_rows(NonZeroU64::new(segment_rows).unwrap())
}

/// The transition that is number `row` of every run here.
fn transition(row: u64) -> Transition {
    let mut rng = Rng::new(row, "transition");
    let mut numbers = |count| (0..count).map(|_| rng.normal() as f32).collect::<Vec<_>>();
    let (observation, next) = (Observation::from(numbers(3)), Observation::from(numbers(3)));
    let end = [None, Some(End::Truncated), Some(End::Terminated)][(row % 3) as usize];
    Transition { observation, action: Action(numbers(2)), reward: row as f32, next, end }
}

fn append(log: &mut ReplayLog, rows: std::ops::Range<u64>) {
    rows.for_each(|row| log.append(&transition(row)).unwrap());
}

/// The replay of a run that never stopped.
fn uninterrupted(rows: u64, capacity: usize) -> Replay {
    let mut replay = Replay::new(capacity, WIDTHS).unwrap();
    (0..rows).for_each(|row| replay.push(&transition(row)).unwrap());
    replay
}

fn assert_same(a: &Replay, b: &Replay) {
    assert_eq!((a.len(), a.pushed(), a.capacity()), (b.len(), b.pushed(), b.capacity()));
    if !a.is_empty() {
        let sample = |replay: &Replay| {
            let mut batch = Batch::zeros(4 * replay.len(), 3, 2);
            replay.sample(&mut batch, &mut Rng::new(1, "sample")).unwrap();
            batch
        };
        assert_eq!(sample(a), sample(b));
    }
}

/// The log's files, oldest first.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// A folder with a synced log of `rows` rows.
fn written(rows: u64, segment_rows: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut log = ReplayLog::create(dir.path(), format(segment_rows)).unwrap();
    append(&mut log, 0..rows);
    assert_eq!(log.sync().unwrap(), rows);
    dir
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_run_killed_at_any_byte_after_a_sync_resumes_to_the_slot(
        count in 0_u64..40, uncounted in 0_u64..20, more in 0_u64..20,
        segment_rows in 1_u64..12, capacity in 1_usize..50, cut: prop::sample::Index,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = ReplayLog::create(dir.path(), format(segment_rows)).unwrap();
        append(&mut log, 0..count);
        prop_assert_eq!(log.sync().unwrap(), count);
        append(&mut log, count..count + uncounted);
        drop(log);
        // The kill: the newest file ends anywhere from the counted rows' end on.
        if let Some(newest) = files(dir.path()).pop() {
            let first: u64 = newest.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            let length = fs::metadata(&newest).unwrap().len();
            let counted = if count > first { HEADER_BYTES + (count - first) * ROW_BYTES } else { 0 };
            let kept = counted + cut.index((length - counted) as usize + 1) as u64;
            OpenOptions::new().write(true).open(&newest).unwrap().set_len(kept).unwrap();
        }
        let (mut log, mut replay) = ReplayLog::resume(dir.path(), format(segment_rows), count, capacity).unwrap();
        prop_assert_eq!(log.count(), count);
        assert_same(&replay, &uninterrupted(count, capacity));
        // And goes on as if nothing had happened.
        append(&mut log, count..count + more);
        (count..count + more).for_each(|row| replay.push(&transition(row)).unwrap());
        assert_same(&replay, &uninterrupted(count + more, capacity));
        prop_assert_eq!(log.sync().unwrap(), count + more);
        drop(log);
        let (_, replay) = ReplayLog::resume(dir.path(), format(segment_rows), count + more, capacity).unwrap();
        assert_same(&replay, &uninterrupted(count + more, capacity));
    }

    #[test]
    fn any_flipped_bit_of_a_counted_row_or_its_header_is_found_and_nothing_is_changed(
        count in 1_u64..30, segment_rows in 1_u64..12, file: prop::sample::Index, byte: prop::sample::Index, bit in 0_u32..8,
    ) {
        let dir = written(count, segment_rows);
        let path = file.get(&files(dir.path())).clone();
        let mut bytes = fs::read(&path).unwrap();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        let before = contents(dir.path());
        let error = ReplayLog::resume(dir.path(), format(segment_rows), count, 100).unwrap_err();
        match &error {
            ReplayError::Foreign { path: named, .. } => {
                prop_assert!(named == &path && (at as u64) < HEADER_BYTES);
            }
            ReplayError::Corrupt { path: named, index: row, .. } => {
                let first: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                prop_assert_eq!((named, *row), (&path, first + (at as u64 - HEADER_BYTES) / ROW_BYTES));
            }
            other => prop_assert!(false, "{other}"),
        }
        prop_assert_eq!(contents(dir.path()), before);
    }
}

#[test]
fn a_missing_counted_row_is_named_and_nothing_is_changed() {
    let dir = written(20, 8);
    let newest = files(dir.path()).pop().unwrap();
    OpenOptions::new().write(true).open(&newest).unwrap().set_len(HEADER_BYTES + 2 * ROW_BYTES + 5).unwrap();
    let before = contents(dir.path());
    let error = ReplayLog::resume(dir.path(), format(8), 20, 100).unwrap_err();
    assert!(matches!(&error, ReplayError::Missing { index: 18, .. }), "{error}");
    assert!(error.to_string().contains("resume from an older checkpoint"), "{error}");
    assert_eq!(contents(dir.path()), before);
    // An older checkpoint does resume.
    let (_, replay) = ReplayLog::resume(dir.path(), format(8), 18, 100).unwrap();
    assert_same(&replay, &uninterrupted(18, 100));
    // A whole segment gone is missing too, from its first row on.
    fs::remove_file(&files(dir.path())[1]).unwrap();
    let error = ReplayLog::resume(dir.path(), format(8), 18, 100).unwrap_err();
    assert!(matches!(&error, ReplayError::Missing { index: 8, found: 0, .. }), "{error}");
}

#[test]
fn a_log_of_other_sizes_is_refused_by_the_field_that_differs() {
    let dir = written(5, 8);
    let before = contents(dir.path());
    let wider = Format::new(Widths { observation: 4, action: 2, pictures: None })
        .with_segment_rows(NonZeroU64::new(8).unwrap());
    for (other, count, field) in
        [(wider, 5, "numbers an observation"), (wider, 0, "numbers an observation"), (format(16), 5, "rows a segment")]
    {
        let error = ReplayLog::resume(dir.path(), other, count, 100).unwrap_err();
        assert!(matches!(&error, ReplayError::Foreign { what, .. } if *what == field), "{error}");
    }
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn a_row_moved_to_another_place_is_found() {
    let dir = written(4, 8);
    let path = files(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let row = |i: usize| HEADER_BYTES as usize + i * ROW_BYTES as usize;
    bytes.copy_within(row(0)..row(1), row(2));
    fs::write(&path, bytes).unwrap();
    let error = ReplayLog::resume(dir.path(), format(8), 4, 100).unwrap_err();
    assert!(matches!(error, ReplayError::Corrupt { index: 2, .. }), "{error}");
}

#[test]
fn a_new_log_never_writes_over_an_old_one() {
    let dir = written(5, 8);
    let before = contents(dir.path());
    assert!(matches!(ReplayLog::create(dir.path(), format(8)), Err(ReplayError::Occupied { .. })));
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn forgotten_segments_are_those_that_no_kept_checkpoint_needs() {
    let dir = written(40, 8);
    let (mut log, _) = ReplayLog::resume(dir.path(), format(8), 40, 10).unwrap();
    // The oldest kept checkpoint has 30 rows and a capacity of 10.
    log.forget_before(30 - 10).unwrap();
    assert_eq!(files(dir.path()).len(), 3, "rows 16 to 39");
    for count in [30, 40] {
        let (_, replay) = ReplayLog::resume(dir.path(), format(8), count, 10).unwrap();
        assert_same(&replay, &uninterrupted(count, 10));
        // Resuming at 30 has cut rows 30 to 39 off: put them back.
        let (mut log, _) = ReplayLog::resume(dir.path(), format(8), count, 10).unwrap();
        append(&mut log, count..40);
        log.sync().unwrap();
    }
    let (mut log, _) = ReplayLog::resume(dir.path(), format(8), 40, 10).unwrap();
    log.forget_before(u64::MAX).unwrap();
    append(&mut log, 40..41);
    assert_eq!(log.sync().unwrap(), 41);
}

#[test]
fn a_poisoned_transition_never_reaches_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = ReplayLog::create(dir.path(), format(8)).unwrap();
    let mut bad = transition(0);
    bad.observation.numbers[1] = f32::NAN;
    assert!(matches!(log.append(&bad), Err(ReplayError::NotFinite { .. })));
    assert_eq!((log.sync().unwrap(), files(dir.path()).len()), (0, 0));
}

#[test]
fn a_log_that_failed_once_claims_no_further_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = ReplayLog::create(dir.path(), format(4)).unwrap();
    append(&mut log, 0..4);
    assert_eq!(log.sync().unwrap(), 4);
    // The next row needs a new file, which can't be made where a folder has its name.
    fs::create_dir(dir.path().join("000000000004.rows")).unwrap();
    assert!(matches!(log.append(&transition(4)), Err(ReplayError::Io { doing: "create", .. })));
    fs::remove_dir(dir.path().join("000000000004.rows")).unwrap();
    assert!(matches!(log.append(&transition(4)), Err(ReplayError::Broken { .. })));
    assert!(matches!(log.sync(), Err(ReplayError::Broken { .. })));
    // What was synced before is safe.
    let (mut log, replay) = ReplayLog::resume(dir.path(), format(4), 4, 100).unwrap();
    assert_same(&replay, &uninterrupted(4, 100));
    append(&mut log, 4..6);
    assert_eq!(log.sync().unwrap(), 6);
}
