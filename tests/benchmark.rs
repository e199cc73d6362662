//! `turnkey benchmark` through the real binary: what is run, what is kept, what is refused.

mod support;

use std::fs;
use std::path::Path;
use support::{contents, json, metrics, run, run_well, timeless};

const TINY: &str = "--config walker.toml --seeds 0..2 --steps 200 --set run.warmup_steps=100 \
                    --set run.evaluation_period=100";

fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("walker.toml"), support::walker()).unwrap();
    fs::write(
        folder.path().join("others.jsonl"),
        "{\"label\":\"SBX's SAC\",\"environment\":\"Hopper-v5\",\"seed\":0,\"steps\":200,\"final\":{\"mean_return\":321.0},\
         \"evaluations\":[{\"step\":100,\"mean_return\":10.0},{\"step\":200,\"mean_return\":300.0}]}\n\
         {\"label\":\"published\",\"environment\":\"Hopper-v5\",\"seeds\":5,\"steps\":1000,\"final\":{\"mean_return\":3250},\
         \"evaluations\":[]}\n",
    )
    .unwrap();
    folder
}

#[test]
fn seed_for_seed_a_benchmark_repeats_to_the_bit_and_finished_runs_are_not_run_again() {
    let folder = workplace();
    let first = run_well(folder.path(), &format!("benchmark hopper Ant-v5 {TINY} --jobs 2 --beside others.jsonl"));
    assert!(first.out.contains("4 of 4 runs to train"), "{}", first.out);
    let row = |environment: &str, learner: &str| {
        first.out.lines().find(|line| line.starts_with(environment) && line.contains(learner)).map(str::to_owned)
    };
    assert!(row("Hopper-v5", "SBX's SAC").unwrap().contains("321"), "{}", first.out);
    let published = row("Hopper-v5", "published").unwrap();
    assert_eq!(published.split_whitespace().skip(2).collect::<Vec<_>>(), ["5", "1000", "3250"], "{}", first.out);
    assert!(row("Hopper-v5", "turnkey").is_some() && row("Ant-v5", "turnkey").is_some(), "{}", first.out);
    assert!(folder.path().join("benchmarks.png").exists());

    run_well(folder.path(), &format!("benchmark hopper {TINY} --runs-dir again --out again.png"));
    for seed in 0..2 {
        let name = format!("Hopper-v5-seed-{seed}");
        let (a, b) = (folder.path().join("runs/benchmarks").join(&name), folder.path().join("again").join(&name));
        let lines = |run: &Path| metrics(run).into_iter().map(timeless).collect::<Vec<_>>();
        assert_eq!(lines(&a), lines(&b), "{name}");
        let weights = |run: &Path| contents(&support::newest_checkpoint(run)).remove(Path::new("learner.safetensors"));
        assert_eq!(weights(&a), weights(&b), "{name}");
        assert!(weights(&a).is_some());
        let summary = json(&a.join("summary.json"));
        assert!(summary["final"]["success_rate"].is_null() && summary["final"]["mean_return"]["value"].is_number());
    }
    let again = run_well(folder.path(), &format!("benchmark hopper Ant-v5 {TINY}"));
    assert!(again.out.contains("0 of 4 runs to train"), "{}", again.out);
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_trained() {
    let folder = workplace();
    for (arguments, said) in [
        ("benchmark gopher", "expected one of Hopper-v5"),
        ("benchmark hopper --config gone.toml", "gone.toml can't be read"),
        ("benchmark hopper --config walker.toml --set task.name=turn_fixed", "expected none with [benchmark]"),
        ("benchmark hopper --config walker.toml --set run.mode=asynchronous", "run.mode: expected \"inline\""),
        ("benchmark hopper --config walker.toml --jobs 0", "--jobs: expected 1 or more"),
        ("benchmark hopper --config walker.toml --beside gone.jsonl", "cargo xtask bench walkers"),
        ("train walker.toml --plant rig", "expected the configuration of a claw"),
    ] {
        let refused = run(folder.path(), arguments);
        assert_ne!(refused.code, Some(0), "{arguments}");
        assert!(refused.err.contains(said), "{arguments}: {}", refused.err);
        assert!(!folder.path().join("runs").exists(), "{arguments}");
    }
}
