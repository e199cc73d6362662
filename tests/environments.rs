//! A run in several environments at once, through the real binary: what is stepped, kept, learned and when.

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{checkpoints, metrics, newest_checkpoint, run, run_well};

/// Of Walker2d.
const OBSERVATION: usize = 17;
const ACTION: usize = 6;

/// Neither the warm-up nor a period is a multiple of the four environments.
const TRAIN: &str = "train walker.toml --quiet --seed 4 --set run.steps=800 --set run.warmup_steps=61 \
                     --set run.evaluation_period=150 --set run.checkpoint_period=250";
const FOUR: &str = "--set run.environments=4 --set run.steps_per_update=3 --name four";

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("walker.toml"), support::walker()).unwrap();
    folder
}

/// A row of the replay's log, as its format is written down: numbers, how the episode ended, a checksum.
struct Row {
    observation: Vec<u8>,
    action: Vec<u8>,
    next: Vec<u8>,
    ended: bool,
}

fn rows(run: &Path) -> Vec<Row> {
    let bytes = fs::read(run.join("replay/000000000000.rows")).unwrap();
    let numbers = 2 * OBSERVATION + ACTION + 2;
    let row = |row: &[u8]| {
        let part = |from: usize, length: usize| row[4 * from..4 * (from + length)].to_vec();
        Row {
            observation: part(0, OBSERVATION),
            action: part(OBSERVATION, ACTION),
            next: part(OBSERVATION + ACTION + 2, OBSERVATION),
            ended: part(numbers, 1) != 0_u32.to_le_bytes(),
        }
    };
    bytes[48..].chunks_exact(4 * numbers + 8).map(row).collect()
}

/// Updates that the newest checkpoint's learner had made.
fn updates(run: &Path) -> u64 {
    let bytes = fs::read(newest_checkpoint(run).join("learner.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let state = header["__metadata__"]["turnkey.sac"].as_str().unwrap_or_else(|| panic!("{header}"));
    serde_json::from_str::<Value>(state).unwrap()["updates"].as_u64().unwrap()
}

#[test]
fn every_step_of_every_environment_is_kept_in_order_and_leads_on_in_its_own_episode() {
    let folder = workplace();
    run_well(folder.path(), &format!("{TRAIN} {FOUR}"));
    run_well(folder.path(), &format!("{TRAIN} --name one"));
    let (four, one) = (folder.path().join("runs/four"), folder.path().join("runs/one"));
    let all = rows(&four);
    assert_eq!(all.len(), 800);
    for (at, pair) in all.windows(5).enumerate() {
        let (row, next) = (&pair[0], &pair[4]);
        assert_eq!(row.next == next.observation, !row.ended, "row {at}, and the next of its environment");
        assert!(
            pair[1..4].iter().all(|other| other.observation != row.next),
            "row {at} leads into another environment"
        );
    }
    let ended = all.iter().filter(|row| row.ended).count();
    let episodes: Vec<_> = metrics(&four).into_iter().filter(|line| line["kind"] == "episode").collect();
    assert!(ended > 8 && episodes.len() == ended, "{ended} ends, {} episodes", episodes.len());
    let lengths: u64 = episodes.iter().map(|line| line["length"].as_u64().unwrap()).sum();
    assert!(lengths <= 800 && lengths > 800 - 4 * 100, "{lengths} steps in ended episodes");

    // The first environment goes through what a run in one goes through, for as long as its actions are random.
    let alone = rows(&one);
    for step in 0..=15 {
        let (a, b) = (&all[4 * step], &alone[step]);
        assert!(a.observation == b.observation && a.action == b.action && a.next == b.next, "step {step}");
    }
    assert_ne!(all[4 * 16].action, alone[16].action, "step 64 is past the warm-up");
    for (a, b) in [(0, 1), (0, 2), (1, 2), (2, 3)] {
        assert!(all[a].observation != all[b].observation && all[a].action != all[b].action, "{a} and {b} are the same");
    }
}

#[test]
fn updates_evaluations_and_checkpoints_follow_the_steps_of_all_environments() {
    let folder = workplace();
    run_well(folder.path(), &format!("{TRAIN} {FOUR} --set run.checkpoints_kept=9"));
    let four = folder.path().join("runs/four");
    assert_eq!(checkpoints(&four), [252, 500, 752, 800]);
    assert_eq!(updates(&four), (800 - 61) / 3);
    let lines = metrics(&four);
    let steps = |kind: &str| {
        let of_kind = lines.iter().filter(|line| line["kind"] == kind);
        of_kind.map(|line| line["step"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(steps("evaluation"), [152, 300, 452, 600, 752]);
    assert_eq!(steps("learning"), [664], "the first step by which 200 updates are asked for");

    run_well(folder.path(), &format!("{TRAIN} --name two --set run.environments=2 --set run.updates_per_step=2"));
    assert_eq!(updates(&folder.path().join("runs/two")), 2 * (800 - 61));
}

#[test]
fn a_benchmark_takes_several_environments_and_says_what_does_not_fit() {
    let folder = workplace();
    let hopper = "benchmark hopper --config walker.toml --seeds 0..1 --set run.steps_per_update=8 \
                  --set run.environments=8";
    run_well(folder.path(), &format!("{hopper} --steps 400 --threads 2"));
    let summary = support::json(&folder.path().join("runs/benchmarks/Hopper-v5-seed-0/summary.json"));
    assert_eq!(summary["steps"], 400);
    assert_eq!(updates(&folder.path().join("runs/benchmarks/Hopper-v5-seed-0")), (400 - 60) / 8);
    let refused = run(folder.path(), &format!("{hopper} --steps 404 --runs-dir other"));
    assert_ne!(refused.code, Some(0));
    assert!(refused.err.contains("a multiple of run.environments = 8"), "{}", refused.err);
    assert!(refused.err.contains("fix: --set run.steps=408"), "{}", refused.err);

    let changed = run(folder.path(), "train walker.toml --quiet --set run.environments=4 --name a --set run.steps=100");
    assert_eq!(changed.code, Some(0), "{}", changed.err);
    let changed =
        run(folder.path(), "train walker.toml --set run.environments=2 --name a --set run.steps=200 --resume");
    assert!(changed.code != Some(0) && changed.err.contains("run.environments"), "{}", changed.err);
}
