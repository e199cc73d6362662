//! What the end-to-end tests share: the binary, a small configuration, and looks at what a run left on disk.
#![allow(dead_code, reason = "each test binary uses some of it")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use turnkey::config::Config;
use turnkey_core::Snapshot as _;
use turnkey_replay::{Format, Widths};
use turnkey_sac::Sac;

/// The binary.
pub(crate) const TURNKEY: &str = env!("CARGO_BIN_EXE_turnkey");

/// A configuration whose networks are tiny: hundreds of steps a second.
pub(crate) const SMALL: &str = r#"
[run]
steps = 300
warmup_steps = 60
evaluation_period = 100
evaluation_episodes = 2
final_episodes = 3
checkpoint_period = 100

[task]
name = "turn_random"

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

/// The log of a small task by position: 22 numbers seen, 9 of an action.
pub(crate) const LOG: Format = Format::new(Widths { observation: 22, action: 9, pictures: None });

/// The rows in the first segment of a run's log of this format, as bytes; without one that is not whole yet.
pub(crate) fn rows(run: &Path, log: &Format) -> Vec<Vec<u8>> {
    let bytes = fs::read(run.join("replay/000000000000.rows")).unwrap_or_default();
    let rows = bytes.get(Format::HEADER_BYTES..).unwrap_or_default();
    rows.chunks_exact(log.row_bytes()).map(<[u8]>::to_vec).collect()
}

/// How many they are.
pub(crate) fn row_count(run: &Path, log: &Format) -> usize {
    let file = fs::metadata(run.join("replay/000000000000.rows"));
    file.map_or(0, |file| file.len() as usize).saturating_sub(Format::HEADER_BYTES) / log.row_bytes()
}

/// Updates that the learner of a run's newest checkpoint has made, of a small task by position.
pub(crate) fn updates(run: &Path) -> u64 {
    let config = Config::load(&run.join("config.toml"), &[]).unwrap();
    let mut sac = Sac::new(&config.sac, 22, 9, config.seed).unwrap();
    sac.restore(&fs::read(newest_checkpoint(run).join("learner.safetensors")).unwrap()).unwrap();
    sac.updates()
}

/// What servos, an episode's own dynamics and augmentation add to a run's state.
pub(crate) const SERVOS: &str = r#"
[twin]
actuation = "servo"

[twin.randomisation]
sliding_friction = [0.15, 0.3]
gain_scale = [0.8, 1.2]
mass_scale = [0.9, 1.1]
latency_secs = [0.0, 0.25]
joint_noise_radians = [0.0, 0.01]
supply_volts = [11.0, 12.6]

[augmentation]
"#;

/// The same task seen in small pictures, disturbed in half of the training episodes.
pub(crate) const PIXELS: &str = r#"
[run]
steps = 300
warmup_steps = 60
evaluation_period = 100
evaluation_episodes = 2
final_episodes = 3
checkpoint_period = 100
replay_capacity = 400

[task]
name = "turn_fixed"
start_valve = [-3.14, 3.14]
sees = "pixels"
stack = 2
observe_error = false
observe_velocities = true

[twin.camera]
size = { width = 16, height = 16 }

[disturbance]
scene = { light_direction = 0.5, camera_pose = 0.5 }
frames = [{ noise = { shot = 10.0, read = 5.0 } }, { late = { frames = 1 } }]
draw = "uniform"
share = 0.5

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]

[sac.encoder]
layers = "paper"
shift = 1
"#;

/// The same with a walker in the claw's place, with its falls and its starts.
pub(crate) fn walker() -> String {
    SMALL.replace("[task]\nname = \"turn_random\"", "[benchmark]\nname = \"Walker2d-v5\"")
}

/// A configuration with these keys in its `[run]` as well.
pub(crate) fn beside_each_other(config: &str, keys: &str) -> String {
    config.replacen("[run]\n", &format!("[run]\n{keys}\n"), 1)
}

/// A folder that goes with the test, with `small.toml` in it.
pub(crate) fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("small.toml"), SMALL).expect("a small file");
    folder
}

/// The binary in `folder`, on one thread and with nothing inherited that changes what it says.
pub(crate) fn turnkey<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(TURNKEY);
    // SAFETY: `signal` may be called between fork and exec. These tests may themselves run under nohup.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        });
    }
    command.current_dir(folder).args(arguments).env("RAYON_NUM_THREADS", "1");
    command.env_remove("RUST_LOG").env_remove("TURNKEY_ROBEL_DIR");
    command
}

/// Arguments as a person types them, split at spaces.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// What a finished process said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary to its end.
pub(crate) fn run(folder: &Path, line: &str) -> Said {
    said(turnkey(folder, words(line)).output().expect("the binary starts"))
}

/// Runs the binary to its end and expects it to end well.
pub(crate) fn run_well(folder: &Path, line: &str) -> Said {
    let said = run(folder, line);
    assert_eq!(said.code, Some(0), "turnkey {line}\n{}{}", said.out, said.err);
    said
}

pub(crate) fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is said is UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The steps of a run's whole checkpoints, in order; none where there is no run yet.
pub(crate) fn checkpoints(run: &Path) -> Vec<u64> {
    let step = |name: &str| name.strip_prefix("step-").and_then(|digits| digits.parse().ok());
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let mut steps: Vec<u64> = entries.filter_map(|entry| step(entry.file_name().to_str()?)).collect();
    steps.sort_unstable();
    steps
}

/// The folder of a run's newest checkpoint.
pub(crate) fn newest_checkpoint(run: &Path) -> PathBuf {
    let step = *checkpoints(run).last().expect("the run has a checkpoint");
    run.join("checkpoints").join(format!("step-{step:012}"))
}

/// Every file under `folder` with its bytes, by its path in it; folders with none.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder that can be listed") {
            let path = entry.expect("a folder that can be listed").path();
            let name = path.strip_prefix(folder).expect("it is under the folder").to_owned();
            if path.is_dir() {
                found.insert(name, Vec::new());
                folders.push(path);
            } else {
                found.insert(name, fs::read(&path).expect("a file that can be read"));
            }
        }
    }
    found
}

/// A file of JSON.
pub(crate) fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", path.display()))
}

/// The lines of a run's metrics.
pub(crate) fn metrics(run: &Path) -> Vec<Value> {
    let path = run.join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The value without the keys that tell the time or name the run.
pub(crate) fn timeless(mut value: Value) -> Value {
    if let Value::Object(object) = &mut value {
        object
            .retain(|key, _| !["minutes", "peak_memory_mb", "gradient_steps_per_sec", "name"].contains(&key.as_str()));
    }
    value
}

/// Starts the binary, its words kept for whoever asks.
pub(crate) fn start(folder: &Path, line: &str) -> Child {
    turnkey(folder, words(line)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a program.
pub(crate) fn signal(child: &Child, signal: libc::c_int) {
    // SAFETY: the process is our own child, which wasn't waited for yet.
    assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
}

/// Waits while a program runs; one that ends before is a failure, with what it said.
pub(crate) fn wait_for(child: &mut Child, what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
            panic!("it ended ({status}) before {what}: {said}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
