//! Training in real time, through the binary: every step once and in order, updates by the ratio, nothing lost by
//! SIGKILL, orders from another terminal.

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{
    LOG, checkpoints, json, metrics, row_count, rows, run, run_well, signal, start, turnkey, updates, wait_for,
};
use turnkey_core::{Batch, Rng};
use turnkey_replay::ReplayLog;

/// A hundred steps a second.
const FAST: &str = r#"
[run]
mode = "asynchronous"
steps = 400
warmup_steps = 60
updates_per_step = 2
evaluation_period = 150
evaluation_episodes = 1
final_episodes = 1
checkpoint_period = 100
lateness_limit_secs = 60.0

[task]
name = "turn_random"
period_secs = 0.01

[twin]
period_secs = 0.01

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fast.toml"), FAST).unwrap();
    folder
}

/// Checks that each row begins where the one before it ended, in every episode; gives the episodes that were broken off.
fn broken_off(rows: &[Vec<u8>]) -> usize {
    // Last come what was seen next, how the episode ended, and a checksum.
    let (seen, ends) = (4 * 22, LOG.row_bytes() - 8);
    let goes_on = |pair: &[Vec<u8>]| pair[0][ends - seen..ends] == pair[1][..seen];
    let ended = |row: &[u8]| row[ends..ends + 4] != [0; 4];
    rows.windows(2).filter(|pair| !ended(&pair[0]) && !goes_on(pair)).count()
}

#[test]
fn a_run_in_real_time_takes_every_step_once_and_learns_as_often_as_the_ratio_says() {
    let folder = folder();
    let said = run_well(folder.path(), "train fast.toml --quiet");
    let run = folder.path().join("runs/fast");
    let (lines, summary) = (metrics(&run), json(&run.join("summary.json")));
    let rows = rows(&run, &LOG);
    assert_eq!((rows.len(), broken_off(&rows)), (400, 0));
    assert_eq!(updates(&run), 2 * (400 - 60));
    assert_eq!(checkpoints(&run).last(), Some(&400));

    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert_eq!((of("episode").len(), of("learning").len(), of("evaluation").len()), (400 / 40, 680 / 200, 2));
    let timing = of("timing");
    let counted: u64 = timing.iter().map(|line| line["steps"].as_u64().unwrap()).sum();
    assert_eq!(counted, 400 + 3 * 40, "the lateness of every step, evaluations' included");
    for line in &timing {
        assert!(line["oldest_weights_steps"].as_u64().unwrap() < 300, "control never got new weights: {line}");
    }
    let last = timing.last().unwrap();
    assert_eq!((&last["updates_owed"], &last["waiting_to_be_learned"]), (&0.into(), &0.into()), "{last}");
    assert_eq!(summary["timing"]["steps"], 520);
    assert!(summary["timing"]["lateness_p99_ms"].as_f64().unwrap() >= 0.0);
    assert!(said.out.contains("lateness of 520 steps"), "{}", said.out);
    // Steps took their time: this can't be said of a run that doesn't keep to a clock.
    assert!(summary["minutes"].as_f64().unwrap() * 60.0 >= 520.0 * 0.01);
    run_well(folder.path(), "evaluate runs/fast --episodes 1");
}

/// A terminal of our own: the end that shows, and the one that a program writes to.
fn terminal() -> (File, File) {
    let (mut shows, mut takes) = (-1, -1);
    let null = std::ptr::null_mut();
    // SAFETY: both descriptors are written to, and neither a name, settings nor a size is given or asked for.
    assert_eq!(unsafe { libc::openpty(&raw mut shows, &raw mut takes, null, null.cast(), null.cast()) }, 0);
    // SAFETY: they were just opened, and these are their only owners.
    unsafe { (File::from_raw_fd(shows), File::from_raw_fd(takes)) }
}

/// Holds a terminal as Ctrl-S does, or lets it go on as Ctrl-Q.
fn hold(terminal: &File, hold: bool) {
    let action = if hold { libc::TCOOFF } else { libc::TCOON };
    // SAFETY: the descriptor is open, and a terminal's.
    assert_eq!(unsafe { libc::tcflow(terminal.as_raw_fd(), action) }, 0);
}

#[test]
fn a_terminal_that_is_held_holds_neither_control_nor_learning_nor_the_end() {
    for let_go in [false, true] {
        let folder = folder();
        let run = folder.path().join("runs/fast");
        let (mut shows, terminal) = terminal();
        hold(&terminal, true);
        let mut command = turnkey(folder.path(), ["train", "fast.toml"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        drop(command); // its copy of the terminal
        let begun = Instant::now();
        if let_go {
            while row_count(&run, &LOG) < 200 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
            hold(&terminal, false);
            let shown = std::thread::spawn(move || {
                let mut all = Vec::new();
                let _ = shows.read_to_end(&mut all); // ends in an error once nobody has the other end
                String::from_utf8_lossy(&all).into_owned()
            });
            drop(terminal);
            assert!(child.wait().unwrap().success());
            let shown = shown.join().unwrap();
            assert!(shown.contains("evaluation at step 1") && shown.contains("400 of 400 steps"), "{shown}");
        } else {
            while child.try_wait().unwrap().is_none() {
                let held = begun.elapsed() > Duration::from_secs(120);
                if held {
                    child.kill().unwrap();
                }
                assert!(!held, "{} rows in two minutes", row_count(&run, &LOG));
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        assert_eq!((rows(&run, &LOG).len(), updates(&run)), (400, 2 * (400 - 60)));
    }
}

#[test]
fn a_terminal_that_goes_away_ends_no_run_that_was_told_to_outlive_it() {
    let folder = folder();
    let run = folder.path().join("runs/fast");
    let (mut shows, terminal) = terminal();
    let mut command = turnkey(folder.path(), ["train", "fast.toml"]);
    command.stdin(Stdio::null()).stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    drop(command); // its copies of the terminal
    let mut shown = [0; 4096];
    while row_count(&run, &LOG) < 100 {
        assert!(shows.read(&mut shown).unwrap() > 0); // a bar is there by then
    }
    drop(shows);
    assert!(child.wait().unwrap().success());
    assert!(run.join("summary.json").exists());
}

#[test]
fn a_stop_ends_what_the_learner_makes_up_for_at_the_end() {
    let folder = folder();
    let run = folder.path().join("runs/fast");
    // 40,000 updates, of which a few thousand come while it acts.
    let line = "train fast.toml --quiet --set run.steps=100 --set run.updates_per_step=1000";
    let mut child = start(folder.path(), line);
    wait_for(&mut child, "all steps are taken", || row_count(&run, &LOG) == 100 && run.join("config.toml").exists());
    run_well(folder.path(), "stop runs/fast");
    assert!(child.wait().unwrap().success());
    let made = updates(&run);
    assert!(made < 40_000, "the learner went on to the end");
    assert_eq!(checkpoints(&run).last(), Some(&100));
}

#[test]
fn a_killed_run_keeps_every_complete_row_and_goes_on_after_the_last() {
    let folder = folder();
    let run = folder.path().join("runs/fast");
    let mut kept: Vec<Vec<u8>> = Vec::new();
    // Before the first checkpoint, and between two.
    for (kill, rows_before) in [40, 170, 230].into_iter().enumerate() {
        let resume = if kill == 0 { "" } else { "--resume" };
        let mut child = start(folder.path(), &format!("train fast.toml --quiet {resume}"));
        wait_for(&mut child, "rows are added", || {
            row_count(&run, &LOG) > rows_before && run.join("config.toml").exists()
        });
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let now = rows(&run, &LOG);
        assert!(now.len() > kept.len() && now[..kept.len()] == kept, "rows went, or changed");
        kept = now;
    }
    let said = run_well(folder.path(), "train fast.toml --quiet --resume");
    assert!(said.err.contains(&format!("at step {}", kept.len())), "{} rows: {}", kept.len(), said.err);
    let all = rows(&run, &LOG);
    assert_eq!(all.len(), 400);
    assert!(all[..kept.len()] == kept, "rows of before the last kill went, or changed");
    assert!(broken_off(&all) <= 3, "more episodes were broken off than runs were killed");
    assert_eq!(updates(&run), 2 * (400 - 60), "what was not learned from before the kill was made up for");
}

#[test]
fn a_run_is_paused_resumed_and_stopped_from_another_terminal() {
    let folder = folder();
    let run_path = folder.path().join("runs/fast");
    let mut child = start(folder.path(), "train fast.toml --quiet --set run.steps=100000");
    let count = || row_count(&run_path, &LOG);
    wait_for(&mut child, "it takes steps and orders", || count() > 0 && run_path.join("orders.sock").exists());

    assert_eq!(run_well(folder.path(), "tell runs/fast pause").out.trim(), "ordered");
    let still = || {
        let before = count();
        std::thread::sleep(Duration::from_millis(700));
        before == count()
    };
    wait_for(&mut child, "it rests", still);
    assert_eq!(run_well(folder.path(), "tell runs/fast emergency").out.trim(), "released");
    let before = count();
    run_well(folder.path(), "tell runs/fast resume");
    wait_for(&mut child, "it goes on", || count() > before);

    assert_eq!(run_well(folder.path(), "stop runs/fast").out.trim(), "released");
    let said = support::said(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("--resume") && said.err.contains("emergency stop"), "{}{}", said.out, said.err);
    let rows = row_count(&run_path, &LOG) as u64;
    assert_eq!(checkpoints(&run_path).last(), Some(&rows), "it left with a checkpoint of its last step");

    let late = run(folder.path(), "stop runs/fast");
    assert!(late.code != Some(0) && late.err.contains("nobody takes orders"), "{}", late.err);
}

#[test]
fn a_signal_makes_a_run_leave_with_a_checkpoint_whatever_the_learner_still_owes() {
    let folder = folder();
    let run = folder.path().join("runs/fast");
    let mut child = start(folder.path(), "train fast.toml --quiet --set run.steps=100000");
    wait_for(&mut child, "rows are written", || row_count(&run, &LOG) > 80);
    signal(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let rows = row_count(&run, &LOG) as u64;
    assert_eq!(checkpoints(&run).last(), Some(&rows));

    // It also ends the learner's making up for what it owes, which here takes minutes.
    let much = "--set run.steps=100 --set run.updates_per_step=1000 --set sac.batch_size=256 --name much";
    let mut child = start(folder.path(), &format!("train fast.toml --quiet {much}"));
    let much = folder.path().join("runs/much");
    wait_for(&mut child, "all rows are written", || row_count(&much, &LOG) >= 100);
    signal(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(checkpoints(&much).last(), Some(&100));
    assert!(updates(&much) < 40_000, "it made up for everything first");
}

#[test]
fn a_run_in_real_time_begins_with_the_networks_of_an_inline_one() {
    let folder = folder();
    run_well(folder.path(), "train fast.toml --quiet --name first --set run.mode=inline");
    let before = updates(&folder.path().join("runs/first"));
    let train = "train fast.toml --quiet --set run.steps=100 --set run.warmup_steps=0 --name second";
    run_well(folder.path(), &format!("{train} --init-from runs/first"));
    let second = folder.path().join("runs/second");
    assert_eq!(updates(&second), before + 2 * 100);
    assert_eq!(json(&second.join("run.json"))["init_from"], "runs/first");
    let wrong = run(folder.path(), &format!("{train} --resume --set run.mode=inline"));
    assert!(wrong.code != Some(0) && wrong.err.contains("run.mode"), "{}", wrong.err);
}

#[test]
fn a_step_later_than_allowed_ends_the_run_and_says_why() {
    let folder = folder();
    let said = run(folder.path(), "train fast.toml --quiet --set run.lateness_limit_secs=0.000000001");
    assert_ne!(said.code, Some(0));
    assert!(said.err.contains("late") && said.err.contains("run.lateness_limit_secs"), "{}", said.err);
    assert!(said.err.contains("--resume goes on"), "{}", said.err);
}

#[test]
fn a_discarded_episode_is_not_learned_from_after_a_resume_either() {
    let folder = folder();
    let run = folder.path().join("runs/fast");
    // An episode of ten seconds: it is the one that goes on when the order comes.
    let train = "train fast.toml --quiet --set run.steps=100000 --set task.episode_steps=1000";
    let mut child = start(folder.path(), train);
    wait_for(&mut child, "it takes steps and orders", || {
        row_count(&run, &LOG) > 50 && run.join("orders.sock").exists()
    });
    run_well(folder.path(), "tell runs/fast discard");
    let before = row_count(&run, &LOG);
    wait_for(&mut child, "another episode", || row_count(&run, &LOG) > before + 50);
    run_well(folder.path(), "stop runs/fast");
    let said = support::said(child.wait_with_output().unwrap());
    let count = said.err.split("its ").nth(1).and_then(|rest| rest.split(' ').next()).expect("how many were discarded");
    let discarded: usize = count.parse().unwrap_or_else(|_| panic!("{}", said.err));
    assert!((50..=before + 20).contains(&discarded), "{discarded} of {before}: {}", said.err);

    let rows = rows(&run, &LOG);
    let reward = |row: &[u8]| f32::from_le_bytes(row[4 * (22 + 9)..][..4].try_into().unwrap()).to_bits();
    let rewards = |rows: &[Vec<u8>]| rows.iter().map(|row| reward(row)).collect::<BTreeSet<u32>>();
    let (gone, kept) = (rewards(&rows[..discarded]), rewards(&rows[discarded..]));
    assert!(gone.is_disjoint(&kept), "rewards tell rows apart");
    let (log, replay) = ReplayLog::recover(run.join("replay"), LOG, 0, 100_000).unwrap();
    assert_eq!(log.count() as usize, rows.len(), "steps stay counted");
    let mut batch = Batch::zeros(256, 22, 9);
    for seed in 0..20 {
        replay.sample(&mut batch, &mut Rng::new(seed, "samples")).unwrap();
        assert!(batch.rewards.iter().all(|reward| kept.contains(&reward.to_bits())));
    }
}
