//! From a configuration to figures and pictures: training, evaluating, plotting, and what each leaves on disk.

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{SERVOS, checkpoints, json, metrics, newest_checkpoint, run_well, workplace};
use turnkey::config::Config;
use turnkey::setup::environment;
use turnkey_core::{Batch, Rng};
use turnkey_replay::{Format, ReplayLog, Widths};

const TRAIN: &str = "train small.toml --quiet --set run.steps=500 --set run.checkpoint_period=100 --seed 4";

fn count(lines: &[Value], kind: &str) -> usize {
    lines.iter().filter(|line| line["kind"] == kind).count()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_run_leaves_everything_that_there_is_to_know_about_it() {
    let folder = workplace();
    let said = run_well(folder.path(), TRAIN);
    assert!(
        said.out.contains("success") && said.out.contains("everything of this run is in runs/small"),
        "{}",
        said.out
    );
    let run = folder.path().join("runs/small");

    let config = Config::load(&run.join("config.toml"), &[]).unwrap();
    assert_eq!((config.seed, config.run.steps, config.sac.batch_size), (4, 500, 16));
    assert_eq!(config.sac.discount, 0.99, "defaults are written out");
    assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("discount"));
    let origin = json(&run.join("run.json"));
    assert!(origin["version"].is_string() && origin["commit"].is_string(), "{origin}");

    let lines = metrics(&run);
    assert_eq!(count(&lines, "episode"), 500 / 40);
    assert_eq!(count(&lines, "learning"), (500 - 60) / 200);
    assert_eq!(count(&lines, "evaluation"), 5);
    for line in &lines {
        match line["kind"].as_str().unwrap() {
            "episode" => assert!(line["length"] == 40 && number(&line["final_error"]) >= 0.0, "{line}"),
            "learning" => assert!(number(&line["temperature"]) > 0.0 && number(&line["gradient_steps_per_sec"]) > 0.0),
            _ => assert!(line["episodes"] == 2 && number(&line["minutes"]) > 0.0, "{line}"),
        }
    }
    assert_eq!(checkpoints(&run), [300, 400, 500], "the last three are kept");

    let summary = json(&run.join("summary.json"));
    assert_eq!((&summary["name"], &summary["seed"], &summary["steps"]), (&"small".into(), &4.into(), &500.into()));
    assert_eq!(summary["commit"], origin["commit"]);
    if cfg!(target_os = "linux") {
        assert!((20.0..20_000.0).contains(&number(&summary["peak_memory_mb"])), "{}", summary["peak_memory_mb"]);
    }
    assert_eq!(summary["final"], json(&run.join("evaluation.json")));
    assert_eq!(summary["final"]["episodes"], 3);
    let steps: Vec<_> = summary["evaluations"].as_array().unwrap().iter().map(|point| &point["step"]).collect();
    assert_eq!(steps, [100, 200, 300, 400, 500]);
    let written: toml::Table = toml::from_str(summary["config"].as_str().unwrap()).unwrap();
    assert_eq!(written["seed"].as_integer(), Some(4));
    assert_picture(&run.join("learning_curve.png"));
    if cfg!(feature = "view") {
        let recording = fs::read(run.join("recording.rrd")).unwrap();
        assert!(recording.starts_with(b"RRF") && recording.len() > 1000, "{} bytes", recording.len());
    }
}

#[test]
fn a_run_from_pictures_is_tested_for_its_robustness_and_leaves_a_page() {
    let folder = workplace();
    fs::write(folder.path().join("pixels.toml"), support::PIXELS).unwrap();
    run_well(folder.path(), "train pixels.toml --quiet --set run.steps=200");
    let test = "robustness runs/pixels --episodes 2 --families hand,frame_noise";
    let said = run_well(folder.path(), test);
    for expected in ["control", "hand", "frame_noise", "against control"] {
        assert!(said.out.contains(expected), "{expected} is missing:\n{}", said.out);
    }
    let out = folder.path().join("runs/pixels/robustness");
    let found = json(&out.join("robustness.json"));
    assert_eq!((found["episodes"].as_u64(), found["arms"].as_array().map(Vec::len)), (Some(2), Some(6)));
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for arm in found["arms"].as_array().unwrap() {
        let picture = arm["picture"].as_str().unwrap();
        assert!(page.contains(picture), "the page lacks {picture}");
        assert!(fs::read(out.join(picture)).unwrap().starts_with(b"\x89PNG"), "{picture} is no picture");
    }
    assert!(out.join("recording.rrd").exists() || !cfg!(feature = "view"));
    // The same command says the same.
    let again: Value = serde_json::from_str(&run_well(folder.path(), &format!("{test} --json -o again")).out).unwrap();
    assert_eq!(again, found);

    let unknown = support::run(folder.path(), "robustness runs/pixels --families fog");
    assert!(unknown.code != Some(0) && unknown.err.contains("light_direction"), "{}", unknown.err);
    run_well(folder.path(), "train small.toml --quiet --set run.steps=100");
    let blind = support::run(folder.path(), "robustness runs/small");
    assert!(blind.code != Some(0) && blind.err.contains("sees pictures"), "{}", blind.err);
}

#[test]
fn an_evaluation_gives_the_same_figures_each_time_and_those_the_run_ended_with() {
    let folder = workplace();
    run_well(folder.path(), TRAIN);
    let evaluate = |arguments: &str| -> Value {
        let said = run_well(folder.path(), &format!("evaluate runs/small --json {arguments}"));
        serde_json::from_str(&said.out).unwrap()
    };
    let first = evaluate("--episodes 3");
    assert_eq!(first, evaluate("--episodes 3"));
    assert_eq!(first[0]["evaluation"], json(&folder.path().join("runs/small/evaluation.json")));
    assert_eq!((&first[0]["run"], &first[0]["step"]), (&"small".into(), &500.into()));
    for figure in ["success_rate", "median_error", "median_rollout_error", "mean_return"] {
        let interval = &first[0]["evaluation"][figure];
        assert!(number(&interval["low"]) <= number(&interval["value"]), "{figure}: {interval}");
        assert!(number(&interval["value"]) <= number(&interval["high"]), "{figure}: {interval}");
    }
    let servos = evaluate("--episodes 3 --set twin.actuation=servo");
    assert_ne!(servos[0]["evaluation"], first[0]["evaluation"], "servos move the claw otherwise");

    let corners = evaluate("--episodes 1 --corners --set twin.randomisation.sliding_friction=[0.1,0.3]");
    let names: Vec<_> = corners.as_array().unwrap().iter().map(|row| row["dynamics"].as_str().unwrap()).collect();
    assert!(names.len() > 2 && names[0] == "as configured", "{names:?}");

    let table = run_well(folder.path(), "evaluate runs/small --episodes 3").out;
    assert!(table.contains("3 episodes, deterministic policy, 95% intervals"), "{table}");
    assert!(table.contains("median angular distance on the way"), "{table}");
}

#[test]
fn seeds_make_a_run_each_and_a_picture_of_them_all() {
    let folder = workplace();
    run_well(folder.path(), "train small.toml --quiet --name both --seeds 0..2");
    for seed in [0, 1] {
        let run = folder.path().join(format!("runs/both-seed-{seed}"));
        assert_eq!(Config::load(&run.join("config.toml"), &[]).unwrap().seed, seed);
        assert_eq!(json(&run.join("summary.json"))["seed"], seed);
    }
    assert!(!folder.path().join("runs/both-seed-2").exists());
    let said = run_well(folder.path(), "plot runs/both-seed-0 runs/both-seed-1 --out curves.png");
    assert_eq!(said.out.trim(), "curves.png");
    assert_picture(&folder.path().join("curves.png"));
    let one = run_well(folder.path(), "plot runs/both-seed-0 -o one.png");
    assert_eq!(one.out.trim(), "one.png");
    let picture = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(picture("curves.png") != picture("one.png"), "the second seed can't be seen");
}

/// A safetensors file without its header, which has what is not a tensor.
fn tensors(file: &[u8]) -> &[u8] {
    let (length, rest) = file.split_first_chunk().unwrap();
    &rest[u64::from_le_bytes(*length) as usize..]
}

#[test]
fn a_run_can_begin_with_the_learner_of_another() {
    let folder = workplace();
    run_well(folder.path(), TRAIN);
    let begin = "train small.toml --quiet --seed 9 --set run.steps=40 --name new --init-from runs/small";
    run_well(folder.path(), begin);
    let (old, new) = (folder.path().join("runs/small"), folder.path().join("runs/new"));
    assert_eq!(checkpoints(&new), [0, 40]);
    let learner = |checkpoint: &Path| fs::read(checkpoint.join("learner.safetensors")).unwrap();
    let began = learner(&new.join("checkpoints/step-000000000000"));
    let (of_old, at_end) = (learner(&newest_checkpoint(&old)), learner(&newest_checkpoint(&new)));
    assert!(tensors(&began) == tensors(&of_old), "it began with another learner");
    assert!(began != of_old, "it took the other run's noise over, which every seed would share");
    assert!(began == at_end, "something was learned in the warm-up");
    assert_eq!(json(&new.join("run.json"))["init_from"], "runs/small");
    assert!(json(&old.join("run.json")).get("init_from").is_none());
    // What it began with stays its own: the other run can go.
    fs::remove_dir_all(&old).unwrap();
    run_well(folder.path(), "train small.toml --quiet --seed 9 --set run.steps=80 --name new --resume");
    assert_eq!(json(&new.join("summary.json"))["steps"], 80);
}

#[test]
fn a_time_limit_truncates_and_never_terminates_and_no_step_leads_into_the_next_episode() {
    const STEPS: usize = 500;
    let folder = workplace();
    fs::write(folder.path().join("small.toml"), format!("{}{SERVOS}", support::SMALL)).unwrap();
    run_well(folder.path(), TRAIN);
    let run = folder.path().join("runs/small");
    let config = Config::load(&run.join("config.toml"), &[]).unwrap();
    let environment = environment(&config).unwrap();
    let spec = environment.spec();
    let (observation, action) = (spec.observation.len(), spec.action.len());
    let widths = Widths { observation, action, pictures: None };

    let (_, replay) = ReplayLog::resume(run.join("replay"), Format::new(widths), STEPS as u64, STEPS).unwrap();
    let mut batch = Batch::zeros(4096, observation, action);
    replay.sample(&mut batch, &mut Rng::new(0, "test")).unwrap();
    assert!(batch.continues.iter().all(|continues| *continues == 1.0), "a time limit stopped the bootstrap");

    // The log itself, as its format is written down: numbers, how the episode ended, a checksum.
    let bytes = fs::read(run.join("replay/000000000000.rows")).unwrap();
    let rows: Vec<&[u8]> = bytes[48..].chunks_exact(4 * widths.row() + 8).collect();
    assert_eq!(rows.len(), STEPS);
    let part = |row: &[u8], from: usize, length: usize| row[4 * from..4 * (from + length)].to_vec();
    let next = |row: &[u8]| part(row, observation + action + 2, observation);
    for (step, pair) in rows.windows(2).enumerate() {
        let last = (step + 1) % 40 == 0;
        let end = part(pair[0], widths.row(), 1);
        assert_eq!(end, if last { 2_u32 } else { 0 }.to_le_bytes(), "step {step}: 1 is terminated, 2 truncated");
        let follows = next(pair[0]) == part(pair[1], 0, observation);
        assert_eq!(follows, !last, "step {step}: what is seen next, and what the next step sees");
    }
}

#[test]
fn every_configuration_that_is_shipped_can_be_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut found = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let config = Config::load(&path, &[]).unwrap_or_else(|e| panic!("{e:#}"));
            environment(&config).unwrap_or_else(|e| panic!("{}: {e:#}", path.display()));
            found += 1;
        }
    }
    assert!(found >= 2, "configs holds {found} configurations");
}

/// A PNG of the size that learning curves have, with more in it than one colour.
fn assert_picture(path: &Path) {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{} is no PNG", path.display());
    let size = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1200, 1000));
    assert!(bytes.len() > 10_000, "{} holds {} bytes: is it empty?", path.display(), bytes.len());
}
