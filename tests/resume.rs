//! A run that is stopped by whatever means, SIGKILL at random moments included, and resumed ends as if it had
//! never stopped: same weights, same experience, same figures, to the bit.
//!
//! `TURNKEY_KILLS=20 cargo test --release --workspace --test resume` kills more often than CI does.

mod support;

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use support::{
    SERVOS, TURNKEY, checkpoints, contents, json, metrics, newest_checkpoint, run_well, timeless, workplace,
};
use turnkey_core::Rng;

/// Environment steps from one kill to the next, about: seconds of work, ten checkpoints.
const STEPS_A_KILL: u64 = 500;

#[test]
fn a_run_killed_at_random_moments_ends_with_the_weights_of_one_that_was_not() {
    kill_and_compare("");
}

#[test]
fn a_killed_run_goes_on_with_the_goals_under_way_and_the_dynamics_its_episode_drew() {
    kill_and_compare(SERVOS);
}

#[test]
fn a_run_from_pictures_killed_at_random_moments_ends_with_the_weights_of_one_that_was_not() {
    kill_and_compare_run(support::PIXELS);
}

#[test]
fn a_benchmark_killed_at_random_moments_ends_with_the_weights_of_one_that_was_not() {
    kill_and_compare_run(&support::walker());
}

#[test]
fn a_run_in_several_environments_killed_at_random_moments_ends_with_the_weights_of_one_that_was_not() {
    kill_and_compare_run(&support::beside_each_other(&support::walker(), "environments = 4\nsteps_per_update = 3"));
    let claw = support::beside_each_other(support::SMALL, "environments = 4");
    kill_and_compare_run(&format!("{claw}\n{SERVOS}"));
}

fn kill_and_compare(twin: &str) {
    kill_and_compare_run(&format!("{}\n{twin}", support::SMALL));
}

fn kill_and_compare_run(config: &str) {
    let kills: u64 = std::env::var("TURNKEY_KILLS").map_or(3, |text| text.parse().expect("TURNKEY_KILLS is a number"));
    let steps = STEPS_A_KILL * (kills + 1);
    let folder = workplace();
    fs::write(folder.path().join("small.toml"), config).unwrap();
    let train = format!(
        "train small.toml --quiet --seed 5 --set run.steps={steps} --set run.checkpoint_period=50 \
         --set run.evaluation_period=400 --set exploration.correlation=0.5 --name"
    );
    let begin = Instant::now();
    run_well(folder.path(), &format!("{train} whole"));
    // A quarter of the way to the next kill at most, or a quick run would be at its end before the last.
    let longest = (begin.elapsed().as_secs_f64() / (kills + 1) as f64 / 4.0).min(0.15);
    let (whole, killed) = (folder.path().join("runs/whole"), folder.path().join("runs/killed"));

    let mut rng = Rng::new(SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into(), "kills");
    let mut moments = Vec::new();
    for kill in 0..kills {
        let resume = if kill == 0 { "" } else { " --resume" };
        let mut child = start(folder.path(), &format!("{train} killed{resume}"));
        let step = STEPS_A_KILL * kill + rng.below(STEPS_A_KILL as usize) as u64;
        wait_for(&mut child, || killed.join("config.toml").exists() && newest(&killed) + 50 > step);
        std::thread::sleep(Duration::from_secs_f64(rng.uniform(0.0, longest)));
        moments.push(newest(&killed));
        child.kill().unwrap(); // SIGKILL
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "kill {kill} of {kills} came after the end: {status}, at {moments:?}");
        assert!(newest(&killed) < steps, "kill {kill} came after the last step: {moments:?}");
    }
    run_well(folder.path(), &format!("{train} killed --resume"));
    assert_eq!(moments.len() as u64, kills);
    assert_same(&whole, &killed, &format!("killed after the checkpoints of steps {moments:?}"));
}

#[test]
fn sigterm_makes_a_run_leave_with_a_checkpoint_and_say_how_to_go_on() {
    let folder = workplace();
    // The only checkpoints are the one on leaving and the one at the end.
    let train = "train small.toml --quiet --seed 3 --set run.steps=900 --set run.checkpoint_period=100000 \
                 --set sac.critic_hidden=[16,8] --runs-dir kept --name";
    run_well(folder.path(), &format!("{train} whole"));
    let left = folder.path().join("kept/left");
    let mut child = start(folder.path(), &format!("{train} left"));
    wait_for(&mut child, || rows_written(&left) > 150);
    let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap();
    assert!(killed.success());
    let said = support::said(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let step = newest(&left);
    assert!(0 < step && step < 900, "left at step {step}");

    // What it printed is a command that a shell takes.
    let command = said.out.lines().last().unwrap().trim().to_owned();
    assert!(command.contains("train") && command.contains("--resume"), "{}", said.out);
    let path = format!("{}:/usr/bin:/bin", Path::new(TURNKEY).parent().unwrap().display());
    let resumed =
        Command::new("sh").args(["-c", &command]).current_dir(folder.path()).env("PATH", path).output().unwrap();
    assert!(resumed.status.success(), "{command}\n{}", String::from_utf8_lossy(&resumed.stderr));
    assert_same(&folder.path().join("kept/whole"), &left, &format!("left at step {step}"));
}

#[test]
fn a_closed_terminal_makes_a_run_leave_with_a_checkpoint_unless_nohup_is_there() {
    let folder = workplace();
    let mut left = Vec::new();
    for before in ["", "trap '' HUP; "] {
        let name = format!("hup-{}", before.len());
        let train =
            format!("{before}exec {TURNKEY} train small.toml --quiet --name {name} --set run.checkpoint_period=100000");
        let mut command = Command::new("sh");
        command.args(["-c", &train]).current_dir(folder.path());
        // SAFETY: `signal` may be called between fork and exec. These tests may themselves run under nohup.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                Ok(())
            });
        }
        let mut child = command.spawn().unwrap();
        let run = folder.path().join("runs").join(name);
        wait_for(&mut child, || rows_written(&run) > 50);
        assert!(Command::new("sh").args(["-c", &format!("kill -HUP {}", child.id())]).status().unwrap().success());
        assert!(child.wait().unwrap().success());
        left.push(newest(&run));
    }
    assert!(left[0] < 300 && left[1] == 300, "left at {left:?} of 300 steps");
}

#[test]
fn two_signals_at_once_are_one_request_and_a_later_one_ends_the_process() {
    let folder = workplace();
    let train = "train small.toml --quiet --set run.steps=1000000 --set run.checkpoint_period=1000000 --name";
    let signal = |child: &Child, signals: &str| {
        let kill: Vec<_> = signals.split(' ').map(|name| format!("kill -{name} {}", child.id())).collect();
        assert!(Command::new("sh").args(["-c", &kill.join("; ")]).status().unwrap().success());
    };
    let left = folder.path().join("runs/left");
    let mut child = start(folder.path(), &format!("{train} left"));
    wait_for(&mut child, || rows_written(&left) > 100);
    signal(&child, "INT INT TERM");
    assert!(child.wait().unwrap().success());
    assert!(newest(&left) > 0, "left without a checkpoint");

    // One evaluation of a million episodes never looks at the request: the second one has to end it.
    let stuck = folder.path().join("runs/stuck");
    let endless = "--set run.evaluation_period=100 --set run.evaluation_episodes=1000000";
    let mut child = start(folder.path(), &format!("{train} stuck {endless}"));
    wait_for(&mut child, || rows_written(&stuck) > 20);
    std::thread::sleep(Duration::from_secs(2));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(1500));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_seed_decides_a_run_to_the_bit_whatever_the_threads() {
    let folder = workplace();
    let train = "train small.toml --quiet --set task.name=turn_paper";
    run_well(folder.path(), &format!("{train} --seed 1 --name one"));
    run_well(folder.path(), &format!("{train} --seed 2 --name two"));
    run_well(folder.path(), &format!("{train} --seed 1 --name again --threads 2"));
    let runs = folder.path().join("runs");
    assert_same(&runs.join("one"), &runs.join("again"), "the same seed on two threads");
    let learner = |name: &str| fs::read(newest_checkpoint(&runs.join(name)).join("learner.safetensors")).unwrap();
    assert!(learner("one") != learner("two"), "another seed gave the same weights");
    assert_ne!(contents(&runs.join("one/replay")), contents(&runs.join("two/replay")));
}

#[test]
fn several_environments_give_the_same_run_whatever_the_threads() {
    let folder = workplace();
    for (name, config) in [("walker", support::walker()), ("claw", support::SMALL.to_owned())] {
        let config = support::beside_each_other(&config, "environments = 4");
        fs::write(folder.path().join(format!("{name}.toml")), config).unwrap();
        for threads in [1, 2, 4] {
            run_well(folder.path(), &format!("train {name}.toml --quiet --name {name}-{threads} --threads {threads}"));
        }
        let run = |threads: u64| folder.path().join(format!("runs/{name}-{threads}"));
        assert_same(&run(1), &run(2), "two threads");
        assert_same(&run(1), &run(4), "four threads");
    }
}

#[test]
fn a_run_killed_before_its_first_checkpoint_is_resumed_from_its_beginning() {
    let folder = workplace();
    let train = "train small.toml --quiet --set run.checkpoint_period=100000 --set run.steps=700 --name";
    run_well(folder.path(), &format!("{train} whole"));
    let killed = folder.path().join("runs/killed");
    let mut child = start(folder.path(), &format!("{train} killed"));
    wait_for(&mut child, || rows_written(&killed) > 100);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(checkpoints(&killed), [0_u64; 0]);
    let said = run_well(folder.path(), &format!("{train} killed --resume"));
    assert!(said.err.contains("no checkpoint yet"), "{}", said.err);
    assert_same(&folder.path().join("runs/whole"), &killed, "killed before the first checkpoint");
}

#[test]
fn a_finished_run_that_is_made_longer_ends_as_one_that_was_that_long_from_the_start() {
    let folder = workplace();
    let train = |steps: u64, rest: &str| format!("train small.toml --quiet --set run.steps={steps} {rest}");
    run_well(folder.path(), &train(470, "--name whole"));
    run_well(folder.path(), &train(330, "--name longer"));
    run_well(folder.path(), &train(470, "--name longer --resume"));
    let runs = folder.path().join("runs");
    assert_same(&runs.join("whole"), &runs.join("longer"), "made longer at step 330");
    let config = fs::read_to_string(runs.join("longer/config.toml")).unwrap();
    assert!(config.contains("steps = 470"), "what the run resolved to is out of date:\n{config}");
    // Resuming what is complete changes nothing that was learned.
    run_well(folder.path(), &train(470, "--name longer --resume"));
    assert_same(&runs.join("whole"), &runs.join("longer"), "resumed when complete");
}

#[test]
fn runs_over_seeds_go_on_where_they_were_left() {
    let folder = workplace();
    let train = "train small.toml --quiet --set run.steps=120";
    run_well(folder.path(), &format!("{train} --seeds 0..1 --name s"));
    run_well(folder.path(), &format!("{train} --seeds 0..2 --name s --resume"));
    assert_eq!(checkpoints(&folder.path().join("runs/s-seed-1")).last(), Some(&120));
}

fn start(folder: &Path, line: &str) -> Child {
    let mut command = support::turnkey(folder, support::words(line));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// Waits until something is so, which it must become while the process runs.
fn wait_for(child: &mut Child, so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it came to the moment waited for");
        assert!(begin.elapsed() < Duration::from_secs(120), "what was waited for never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn newest(run: &Path) -> u64 {
    checkpoints(run).last().copied().unwrap_or(0)
}

/// Transitions that have reached the file, which a buffer holds back for a while.
fn rows_written(run: &Path) -> u64 {
    fs::metadata(run.join("replay/000000000000.rows")).map_or(0, |file| file.len() / 300)
}

/// Whether two runs of one configuration ended alike, clocks aside.
fn assert_same(a: &Path, b: &Path, how: &str) {
    let learner = |run: &Path| fs::read(newest_checkpoint(run).join("learner.safetensors")).unwrap();
    assert_eq!(newest(a), newest(b), "{how}: another last step");
    let lines = |run: &Path| metrics(run).into_iter().map(timeless).collect::<Vec<_>>();
    for (a, b) in lines(a).iter().zip(&lines(b)) {
        assert_eq!(a, b, "{how}: other figures");
    }
    assert_eq!(lines(a).len(), lines(b).len(), "{how}: more or fewer figures");
    assert!(contents(&a.join("replay")) == contents(&b.join("replay")), "{how}: other experience");
    assert!(learner(a) == learner(b), "{how}: other weights");
    assert_eq!(json(&a.join("evaluation.json")), json(&b.join("evaluation.json")), "{how}: another last evaluation");
    assert_eq!(
        timeless(json(&a.join("summary.json"))),
        timeless(json(&b.join("summary.json"))),
        "{how}: another summary"
    );
}
