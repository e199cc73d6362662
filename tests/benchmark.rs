//! `turnkey benchmark` through the real binary: what is run, what is kept, what is refused.

mod support;

use std::fs;
use std::path::Path;
use support::{contents, json, metrics, run, run_well, signal, start, timeless, wait_for};

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
    let again = run_well(folder.path(), &format!("benchmark hopper Ant-v5 hopper {TINY}"));
    assert!(again.out.contains("0 of 4 runs to train"), "{}", again.out);
    let rows = |text: &str| text.lines().filter(|line| line.starts_with("Hopper-v5")).count();
    assert_eq!(rows(&again.out), 1, "named twice, shown once: {}", again.out);
    let other = run(folder.path(), &format!("benchmark hopper {TINY} --set sac.tau=0.01"));
    assert!(other.code != Some(0) && other.err.contains("made with another configuration: sac.tau"), "{}", other.err);
}

#[test]
fn a_benchmark_without_an_evaluation_on_the_way_has_a_table_and_no_curves() {
    let folder = workplace();
    let line = "benchmark hopper --config walker.toml --seeds 0..1 --steps 90 --set run.warmup_steps=100";
    let said = run_well(folder.path(), line);
    assert!(said.out.contains("Hopper-v5") && said.out.contains("there are no curves"), "{}", said.out);
    assert!(!folder.path().join("benchmarks.png").exists());
}

#[test]
fn a_stopped_benchmark_goes_on_and_a_run_that_fails_keeps_no_other_from_its_end() {
    let folder = workplace();
    let line = "benchmark hopper --config walker.toml --seeds 0..2 --jobs 2 --steps 1600 --set run.warmup_steps=100 \
                --set run.evaluation_period=800 --runs-dir";
    let seed = |runs: &str, seed: u32| folder.path().join(format!("{runs}/Hopper-v5-seed-{seed}"));
    run_well(folder.path(), &format!("{line} whole"));

    let mut benchmark = start(folder.path(), &format!("{line} stopped"));
    let begun = |at: u32| fs::metadata(seed("stopped", at).join("metrics.jsonl")).is_ok_and(|file| file.len() > 300);
    wait_for(&mut benchmark, "both run", || begun(0) && begun(1));
    signal(&benchmark, libc::SIGTERM);
    let said = support::said(benchmark.wait_with_output().unwrap());
    assert!(said.code != Some(0) && said.err.contains("the same command goes on"), "{}{}", said.out, said.err);
    assert!((0..2).any(|at| !seed("stopped", at).join("summary.json").exists()), "stopped before its end");
    assert!((0..2).all(|at| !support::checkpoints(&seed("stopped", at)).is_empty()), "each leaves a checkpoint");

    let (held, free) = (seed("stopped", 0), seed("stopped", 1));
    let _ = fs::remove_file(held.join("summary.json"));
    let lock = fs::File::open(&held).unwrap();
    lock.try_lock().expect("nobody trains it any more");
    let failed = run(folder.path(), &format!("{line} stopped"));
    assert!(failed.code != Some(0) && failed.err.contains("runs failed: Hopper-v5 seed 0"), "{}", failed.err);
    assert!(failed.out.contains("another process is training"), "{}", failed.out);
    assert!(free.join("summary.json").exists(), "the other has come to its end");
    drop(lock);
    run_well(folder.path(), &format!("{line} stopped"));
    for at in 0..2 {
        let weights = |runs: &str| {
            let newest = support::newest_checkpoint(&seed(runs, at));
            contents(&newest).remove(Path::new("learner.safetensors")).unwrap()
        };
        assert_eq!(weights("whole"), weights("stopped"), "seed {at}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_trained() {
    let folder = workplace();
    for (arguments, said) in [
        ("benchmark gopher", "expected one of Hopper-v5"),
        ("benchmark hopper --config gone.toml", "gone.toml can't be read"),
        ("benchmark hopper --config walker.toml --set task.name=turn_fixed", "expected none with [benchmark]"),
        ("benchmark hopper --config walker.toml --set run.mode=asynchronous", "run.mode: expected \"inline\""),
        ("benchmark hopper --config walker.toml --set benchmark.name=Ant-v5", "expected Hopper-v5 to stay Hopper-v5"),
        ("benchmark hopper --config walker.toml --out no/such/x.png", "expected a picture in a folder that is there"),
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
