//! `turnkey maze` through the real binary: what docs/temperature.md shows is what the command prints and draws, and the
//! learner's part runs.

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{run, run_well};

#[test]
fn the_page_shows_what_the_command_prints_and_draws() {
    let folder = tempfile::tempdir().unwrap();
    let said = run_well(folder.path(), "maze");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = fs::read_to_string(docs.join("temperature.md")).unwrap();
    let table: Vec<&str> = said.out.lines().filter(|line| !line.contains("maze.svg")).collect();
    assert_eq!(table.len(), 13, "{}", said.out);
    for line in table {
        assert!(page.contains(&format!("    {}\n", line.trim_end())), "docs/temperature.md hasn't the line {line:?}");
    }
    let drawn = fs::read_to_string(folder.path().join("maze.svg")).unwrap();
    assert!(drawn == fs::read_to_string(docs.join("images/maze.svg")).unwrap(), "docs/images/maze.svg is another one");
}

#[test]
fn a_greedy_policy_does_not_get_through_and_a_warm_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Value = serde_json::from_str(&run_well(folder.path(), "maze --json").out).unwrap();
    let at = |alpha: f64| rows.as_array().unwrap().iter().find(|row| row["alpha"] == alpha).unwrap();
    assert_eq!(at(0.0)["success_near_blocked"], 0.0);
    assert!(at(0.6)["success_near_blocked"].as_f64().unwrap() > 0.9, "{}", at(0.6));
    assert!(at(0.6)["far"].as_f64().unwrap() > 0.25, "{}", at(0.6));
}

#[test]
fn the_learner_runs_in_it_and_wrong_arguments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = run_well(folder.path(), "maze --train --seeds 0..1 --steps 1200 --json");
    let rows: Value = serde_json::from_str(&said.out).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 4, "a row for each temperature");
    for row in rows {
        for acts in ["deterministic", "sampled"] {
            let share = |key: &str| row[acts][key].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share("success")) && share("near") + share("far") <= 1.0, "{row}");
        }
    }
    assert!(!folder.path().join("maze.svg").exists(), "training draws nothing");
    let refused = run(folder.path(), "maze --out no/such/folder/maze.svg");
    assert!(refused.code != Some(0) && refused.err.contains("can't be written"), "{}", refused.err);
    for wrong in ["maze --train --seeds 3", "maze --train --steps 1000", "maze --steps 2000", "maze --out ."] {
        assert_ne!(run(folder.path(), wrong).code, Some(0), "{wrong}");
    }
}
