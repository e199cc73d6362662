//! Whatever is wrong with what a person gives the program, or with the disk it lies on, it refuses with a word
//! on what was expected, what came, where, and the fix, and leaves everything on disk as it was.

#[path = "bad_input/native_parts.rs"]
mod native_parts;
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Said, TURNKEY, checkpoints, contents, newest_checkpoint, run_well, said, turnkey, words, workplace};

/// Expects the command to be refused in words that hold each of `says`, with nothing changed in `folder`.
fn refused(folder: &Path, line: &str, says: &[&str]) -> Said {
    let before = contents(folder);
    let said = said(turnkey(folder, words(line)).output().unwrap());
    check_words(line, &said, says);
    let after = contents(folder);
    let changed: Vec<_> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(changed.is_empty(), "turnkey {line} changed {changed:?}");
    said
}

fn check_words(line: &str, said: &Said, says: &[&str]) {
    let Said { code, out, err } = said;
    assert!(matches!(code, Some(1 | 2)), "turnkey {line} ended with {code:?}\n{out}{err}");
    for sign in ["panicked", "backtrace", "RUST_BACKTRACE", "\u{1b}"] {
        assert!(!err.contains(sign), "turnkey {line} said {sign:?}:\n{err}");
    }
    for word in says {
        assert!(err.contains(word), "turnkey {line}: expected {word:?} in\n{err}");
    }
}

/// A run of 120 steps with checkpoints at 60 and 120, in `runs/small`.
fn trained() -> tempfile::TempDir {
    let folder = workplace();
    run_well(folder.path(), TRAIN);
    folder
}

const TRAIN: &str = "train small.toml --quiet --set run.steps=120 --set run.checkpoint_period=60";

#[test]
fn a_configuration_that_cannot_be_is_refused_by_file_line_and_key() {
    let folder = workplace();
    let write = |name: &str, from: &str, to: &str| {
        assert!(support::SMALL.contains(from));
        fs::write(folder.path().join(name), support::SMALL.replace(from, to)).unwrap();
    };
    write("unknown_key.toml", "steps = 300", "stepz = 300");
    write("unknown_task_key.toml", "name = ", "episode_stepz = 3\nname = ");
    write("unknown_task.toml", "turn_random", "turn_left");
    write("wrong_type.toml", "steps = 300", "steps = \"many\"");
    write("wrong_task_type.toml", "name = ", "episode_steps = \"many\"\nname = ");
    write("negative.toml", "batch_size = 16", "batch_size = -16");
    write("no_steps.toml", "steps = 300\n", "");
    write("not_toml.toml", "[run]", "[run");
    fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    for (name, says) in [
        ("unknown_key", &["line 3", "`stepz`", "expected one of `steps`"][..]),
        ("unknown_task_key", &["`episode_stepz`", "expected one of `name`, `episode_steps`"]),
        ("unknown_task", &["`turn_left`", "expected one of `turn_fixed`, `turn_random`"]),
        ("wrong_type", &["line 3", "steps = \"many\"", "expected u64"]),
        ("wrong_task_type", &["episode_steps", "\"many\"", "expected usize"]),
        ("negative", &["line 14", "-16", "expected usize"]),
        ("no_steps", &["line 2", "missing field `steps`"]),
        ("not_toml", &["line 2", "is not TOML", "expected"]),
        ("bytes", &["can't be read", "UTF-8", "fix: name a TOML file"]),
        ("absent", &["can't be read", "No such file", "fix: name a TOML file, such as"]),
    ] {
        let file = format!("{name}.toml");
        refused(folder.path(), &format!("train {file}"), &[&[file.as_str()], says].concat());
    }
}

#[test]
fn a_value_out_of_range_is_refused_with_the_range_and_the_value() {
    let folder = workplace();
    for (change, says) in [
        ("sac.discount=1.5", "sac.discount: expected 0 to below 1, got 1.5"),
        ("sac.discount=nan", "sac.discount: expected 0 to below 1, got NaN"),
        ("sac.batch_size=0", "sac.batch_size: expected 1 to 65536, got 0"),
        ("sac.actor_hidden=[]", "sac.actor_hidden: expected 1 to 8 widths of 1 to 8192, got []"),
        ("run.steps=0", "run.steps: expected 1 or more, got 0"),
        ("run.checkpoint_period=0", "run.checkpoint_period: expected 1 or more, got 0"),
        ("run.replay_capacity=1000000000000000", "run.replay_capacity: expected 1 to 100000000, got 1000000000000000"),
        ("exploration.correlation=1", "exploration.correlation: expected 0 to below 1, got 1"),
        ("task.episode_steps=0", "task setting `episode_steps`: expected above 0, found 0"),
        ("task.success_within=-1", "task setting `success_within`: expected above 0, found -1"),
        ("task.period_secs=0.2", "twin.period_secs: expected the task's 0.2 s, got 0.1"),
        (
            "twin.randomisation.latency_secs=[3,1]",
            "latency_secs: expected [low, high] with 0 <= low <= high, got [3, 1]",
        ),
        ("twin.randomisation.supply_volts=[11,12]", "supply_volts: it takes actuation = \"servo\", got \"position\""),
        ("augmentation.relabel_fraction=2", "augmentation.relabel_fraction`: expected 0 to 1, found 2"),
    ] {
        refused(folder.path(), &format!("train small.toml --set {change}"), &[says]);
    }
}

#[test]
fn a_change_on_the_command_line_is_refused_by_its_own_words() {
    let folder = workplace();
    for (change, says) in [
        ("nonsense", &["--set nonsense: expected key=value, such as sac.batch_size=512"][..]),
        ("=3", &["--set =3: the key is empty"]),
        ("run.steps.x=1", &["--set run.steps.x=1: steps is 300, which has no keys of its own"]),
        ("sac.batchsize=3", &["--set sac.batchsize=3: unknown field `batchsize`, expected one of ", "`batch_size`"]),
        ("sac.batch_size=many", &["--set sac.batch_size=many: invalid type: string \"many\", expected usize"]),
        ("run=3", &["--set run=3: ", "expected struct RunConfig"]),
        ("sac.device=gpu", &["--set sac.device=gpu: unknown variant `gpu`, expected one of `auto`, `flex`"]),
        #[cfg(not(feature = "tch"))]
        ("sac.device=tch", &["sac.device: expected auto or flex, got tch", "cargo build --features tch"]),
    ] {
        refused(folder.path(), &format!("train small.toml --set {change}"), says);
    }
    for (arguments, says) in [
        ("--seeds 4..2", "expected FIRST..END with FIRST below END, such as 0..4, got \"4..2\""),
        ("--seeds 3", "expected FIRST..END with FIRST below END, such as 0..4, got \"3\""),
        ("--seed -1", "unexpected argument"),
        ("--seed 9223372036854775808", "9223372036854775808 is not in 0..=9223372036854775807"),
        ("--seed 1 --seeds 0..2", "'--seed <SEED>' cannot be used with '--seeds <SEEDS>'"),
        ("--resume --init-from x", "cannot be used with"),
        ("--seeds 0..20000", "expected at most 10000 seeds, got 20000"),
        ("--set sac.critic_hidden=[8192,8192,8192,8192,8192,8192,8192,8192]", "at most 500 million weights together"),
        ("--threads 0", "--threads: expected 1 or more, got 0"),
    ] {
        refused(folder.path(), &format!("train small.toml {arguments}"), &[says]);
    }
    refused(folder.path(), "evaluate runs/small --episodes 0", &["0 is not in 1..=1000000"]);
}

#[test]
fn a_run_that_is_not_there_or_is_there_already_is_refused_with_the_way_out() {
    let folder = trained();
    let exists = &["the run folder runs/small exists already", "nothing in it was touched", "--resume", "--name"];
    refused(folder.path(), TRAIN, exists);
    let absent = &["runs/absent is not a run", "expected a folder with config.toml", "fix: "];
    refused(folder.path(), &format!("{TRAIN} --resume --name absent"), absent);
    refused(folder.path(), &format!("{TRAIN} --init-from runs/absent --name new"), absent);
    refused(folder.path(), "evaluate runs/absent", absent);
    refused(folder.path(), "plot runs/small runs/absent", absent);
    fs::write(folder.path().join("file"), "").unwrap();
    refused(folder.path(), &format!("{TRAIN} --runs-dir file"), &["the run folder file/small can't be made", "file"]);
    refused(folder.path(), "plot runs/small --out no/curve.png", &["no/curve.png can't be written"]);
}

#[test]
fn a_resumed_run_keeps_its_configuration() {
    let folder = trained();
    let other = &[
        "runs/small was made with another configuration: sac.tau: 0.005 and 0.3",
        "fix: resume with the configuration it has (runs/small/config.toml)",
    ];
    refused(folder.path(), &format!("{TRAIN} --resume --set sac.tau=0.3"), other);
    let seed = &["another configuration: seed: 0 and 1"];
    refused(folder.path(), &format!("{TRAIN} --resume --seed 1"), seed);
    // The way out that was named.
    fs::copy(folder.path().join("runs/small/config.toml"), folder.path().join("its.toml")).unwrap();
    run_well(folder.path(), "train its.toml --quiet --name small --resume");
}

#[test]
fn networks_of_other_sizes_are_not_taken_over() {
    let folder = trained();
    let line = format!("{TRAIN} --name new --init-from runs/small");
    let wide = &["the learner of runs/small doesn't fit", "expected F32 [22, 24], found F32 [22, 16]", "fix: "];
    refused(folder.path(), &format!("{line} --set sac.actor_hidden=[24,16]"), wide);
    let seen = &["doesn't fit", "expected a learner of 31 observations and 9 actions, found 22 and 9"];
    refused(folder.path(), &format!("{line} --set task.observe_velocities=true"), seen);
    refused(
        folder.path(),
        "evaluate runs/small --set sac.critics=3",
        &["the learner of runs/small doesn't fit", "fix: "],
    );
    // Nor are some of a larger learner's networks.
    let fewer =
        &["the learner of runs/small doesn't fit", "expected the same networks, found tensor", "which they don't have"];
    refused(folder.path(), "evaluate runs/small --set sac.critics=1", fewer);
    let ranges = &["--corners: expected ranges under [twin.randomisation]"];
    refused(folder.path(), "evaluate runs/small --corners", ranges);
    fs::rename(folder.path().join("runs/small/checkpoints"), folder.path().join("away")).unwrap();
    fs::create_dir(folder.path().join("runs/small/checkpoints")).unwrap();
    refused(folder.path(), &line, &["runs/small has no checkpoint yet", "fix: "]);
}

#[test]
fn a_run_whose_checkpoints_are_gone_is_not_started_over() {
    let folder = trained();
    let all = folder.path().join("runs/small/checkpoints");
    fs::rename(&all, folder.path().join("away")).unwrap();
    fs::create_dir(&all).unwrap();
    let gone =
        &["checkpoints of runs/small are missing", "expected some in runs/small/checkpoints, found none", "fix: "];
    refused(folder.path(), &format!("{TRAIN} --resume"), gone);
    refused(folder.path(), "evaluate runs/small", &["runs/small has no checkpoint yet", "fix: "]);
    fs::remove_dir(&all).unwrap();
    refused(folder.path(), &format!("{TRAIN} --resume"), &["runs/small/checkpoints can't be listed"]);
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_is_the_way_out() {
    let folder = trained();
    let newest = newest_checkpoint(&folder.path().join("runs/small"));
    let named = ["the checkpoint runs/small/checkpoints/step-000000000120 can't be read; nothing was changed"];
    let fix = ["fix: move runs/small/checkpoints/step-000000000120 away; the run then goes on from step 60"];
    for file in ["learner.safetensors", "trainer.bin", "manifest.json"] {
        let path = newest.join(file);
        let whole = fs::read(&path).unwrap();
        let middle = whole.len() / 2;
        let mut flipped = whole.clone();
        flipped[middle] ^= 1;
        let empty = Vec::new();
        for damaged in [&whole[..middle], &whole[..whole.len() - 1], &flipped, &empty] {
            fs::write(&path, damaged).unwrap();
            for line in [format!("{TRAIN} --resume"), "evaluate runs/small".into()] {
                refused(folder.path(), &line, &[named[0], fix[0], file]);
            }
        }
        fs::remove_file(&path).unwrap();
        refused(folder.path(), &format!("{TRAIN} --resume"), &[named[0], fix[0], file, "No such file"]);
        fs::write(&path, &whole).unwrap();
    }
    fs::write(newest.join("manifest.json"), r#"{"format":99,"step":120,"files":{}}"#).unwrap();
    refused(folder.path(), &format!("{TRAIN} --resume"), &["found 99", "run.json says which program"]);
    fs::rename(&newest, folder.path().join("away")).unwrap();
    run_well(folder.path(), &format!("{TRAIN} --resume"));
    assert_eq!(checkpoints(&folder.path().join("runs/small")), [60, 120]);
}

#[test]
fn a_flipped_byte_anywhere_in_a_manifest_is_noticed_or_means_the_same() {
    let folder = trained();
    let run = turnkey::run_folder::RunFolder::open(&folder.path().join("runs/small")).unwrap();
    let whole = turnkey::checkpoint::Checkpoint::newest(&run).unwrap().unwrap();
    let path = newest_checkpoint(run.path()).join("manifest.json");
    let text = fs::read(&path).unwrap();
    for at in 0..text.len() {
        for bit in [0x01, 0x04, 0x20] {
            let mut flipped = text.clone();
            flipped[at] ^= bit;
            fs::write(&path, flipped).unwrap();
            if let Ok(read) = turnkey::checkpoint::Checkpoint::newest(&run) {
                assert!(read.as_ref() == Some(&whole), "byte {at} with {bit:#x} flipped gave another checkpoint");
            }
        }
    }
}

#[test]
fn experience_or_figures_that_were_cut_off_are_named_with_where_they_end() {
    let folder = trained();
    let run = folder.path().join("runs/small");
    let resume = format!("{TRAIN} --resume");
    let rows = run.join("replay/000000000000.rows");
    let whole = fs::read(&rows).unwrap();
    fs::write(&rows, &whole[..whole.len() / 2]).unwrap();
    let short = &[
        "runs/small/replay/000000000000.rows ends before row 59",
        "expected at least",
        "found",
        "resume from an older",
    ];
    refused(folder.path(), &resume, short);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&rows, flipped).unwrap();
    refused(folder.path(), &resume, &["000000000000.rows, row 59: expected checksum", "restore the file"]);
    fs::write(&rows, [&b"ELSE"[..], &whole[4..]].concat()).unwrap();
    refused(folder.path(), &resume, &["is not of this log: expected magic TKREPLAY, found ELSEPLAY"]);
    fs::remove_file(&rows).unwrap();
    refused(folder.path(), &resume, &["000000000000.rows ends before row 0", "found 0"]);
    fs::write(&rows, &whole).unwrap();

    let lines = fs::read(run.join("metrics.jsonl")).unwrap();
    fs::write(run.join("metrics.jsonl"), &lines[..10]).unwrap();
    refused(folder.path(), &resume, &["runs/small/metrics.jsonl was cut off: expected at least", "found 10", "fix: "]);
    let metrics = run.join("metrics.jsonl");
    fs::write(&metrics, [&[0xff], &lines[1..]].concat()).unwrap();
    let all = lines.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(turnkey::metrics::read(&metrics).unwrap().len(), all - 1, "one line is no text");
    fs::write(&metrics, &lines).unwrap();

    // A run that has come to its end doesn't begin again where its checkpoints are missing; nor is it ended before where it is.
    refused(
        folder.path(),
        &format!("{resume} --set run.steps=30"),
        &["expected at least the 120 steps", "got 30", "fix: "],
    );
    for folder in [run.join("checkpoints"), run.join("replay")] {
        assert!(folder.read_dir().unwrap().next().is_some(), "{}", folder.display());
    }
    fs::rename(run.join("checkpoints"), run.join("away")).unwrap();
    fs::create_dir(run.join("checkpoints")).unwrap();
    refused(folder.path(), &resume, &["the checkpoints of runs/small are missing: it has come to its end", "fix: "]);
    assert!(fs::read(&rows).unwrap() == whole, "its experience was touched");

    fs::write(run.join("config.toml"), "seed = ").unwrap();
    refused(folder.path(), &resume, &["runs/small/config.toml is not TOML"]);
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let folder = workplace();
    let line = "train small.toml --quiet --set run.steps=1000000 --set run.checkpoint_period=20";
    let mut child = turnkey(folder.path(), words(line)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (run, begin) = (folder.path().join("runs/small"), Instant::now());
    while checkpoints(&run).is_empty() && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = support::run(folder.path(), &format!("{line} --resume"));
    child.kill().unwrap();
    child.wait().unwrap();
    check_words(line, &said, &["another process is training runs/small", "nothing was touched", "fix: "]);
    // The process that was killed keeps nobody out.
    let step = checkpoints(&run).last().unwrap() + 1;
    run_well(folder.path(), &format!("{line} --resume --set run.steps={step}"));
}

#[test]
fn a_file_that_may_not_grow_ends_a_run_that_goes_on_once_it_may() {
    let folder = workplace();
    let train = "train small.toml --quiet --set run.steps=400 --set run.checkpoint_period=60";
    run_well(folder.path(), &format!("{train} --name whole"));
    let limited = |blocks: u32, line: &str| {
        // Ignored, the signal that a file grew too large becomes an error of the write, as a full disk's is.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {TURNKEY} {line}");
        said(Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap())
    };
    let line = format!("{train} --name full");
    let nothing = limited(0, &line);
    check_words(&line, &nothing, &["the run folder runs/full can't be made", "File too large"]);
    assert!(!folder.path().join("runs/full").exists(), "half a run folder was left");

    let full = limited(64, &line);
    check_words(
        &line,
        &full,
        &["training stopped at step", "fix: ", "is whole, and --resume goes on", "File too large"],
    );
    let run = folder.path().join("runs/full");
    let reached = *checkpoints(&run).last().unwrap();
    assert!(full.err.contains(&format!("its checkpoint of step {reached} is whole")), "{}", full.err);
    let kept = fs::read(newest_checkpoint(&run).join("learner.safetensors")).unwrap();
    check_words(&line, &limited(64, &format!("{line} --resume")), &["training stopped at step"]);
    check_words(&line, &limited(16, &format!("{line} --resume")), &["File too large"]);
    assert_eq!(*checkpoints(&run).last().unwrap(), reached);
    assert!(kept == fs::read(newest_checkpoint(&run).join("learner.safetensors")).unwrap());
    run_well(folder.path(), &format!("{line} --resume"));
    assert_ended_alike(&folder.path().join("runs/whole"), &run);
}

#[test]
fn who_reads_an_answer_may_go_away_before_it_is_written() {
    let folder = trained();
    let evaluate = "evaluate runs/small --episodes 1";
    for line in [TRAIN, "config small.toml", evaluate, "evaluate runs/small --episodes 1 --json", "plot runs/small"] {
        let line = line.replace("--quiet", "--quiet --name again");
        let mut child =
            turnkey(folder.path(), words(&line)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take()); // as `| head -0` does
        let said = said(child.wait_with_output().unwrap());
        assert!(
            said.code == Some(0) && !said.err.contains("panicked"),
            "turnkey {line}: {:?}\n{}",
            said.code,
            said.err
        );
    }
}

#[test]
fn a_full_disk_ends_a_run_that_goes_on_elsewhere() {
    const NO_DISK: i32 = 99;
    let folder = workplace();
    let train = "train small.toml --quiet --set run.steps=3000 --set run.checkpoint_period=100";
    fs::create_dir(folder.path().join("disk")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=600k tmpfs disk || exit {NO_DISK}; {TURNKEY} {train} --runs-dir disk; code=$?; \
         cp -r disk runs; exit $code"
    );
    let shell = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .current_dir(folder.path())
        .output();
    let said = match shell.map(said) {
        Ok(said) if said.code != Some(NO_DISK) && !said.err.starts_with("unshare: ") => said,
        _ => return println!("not tried: no small disk can be mounted here (unshare, tmpfs)"),
    };
    check_words(
        train,
        &said,
        &["training stopped at step", "is whole, and --resume goes on", "No space left on device"],
    );
    let run = folder.path().join("runs/small");
    let reached = *checkpoints(&run).last().unwrap();
    assert!(0 < reached && reached < 3000, "filled up at {reached}");
    let steps = reached + 150;
    run_well(folder.path(), &format!("{train} --resume --set run.steps={steps}"));
    run_well(folder.path(), &format!("{train} --name whole --set run.steps={steps}"));
    assert_ended_alike(&folder.path().join("runs/whole"), &run);
}

fn assert_ended_alike(a: &Path, b: &Path) {
    let learner = |run: &Path| fs::read(newest_checkpoint(run).join("learner.safetensors")).unwrap();
    assert!(learner(a) == learner(b), "other weights");
    assert!(contents(&a.join("replay")) == contents(&b.join("replay")), "other experience");
}
