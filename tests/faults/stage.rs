//! A run on an emulated rig that things can be done to, and what it left.

use crate::emulated::EmulatedRig;
use crate::support::{self, LOG, row_count, rows, turnkey, words};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use turnkey::dataset::{self, Line};

/// Twenty steps a second; episodes so long that faults come within one.
pub(crate) const RIG: &str = r#"
[run]
mode = "asynchronous"
steps = 100_000
warmup_steps = 1_000_000
evaluation_period = 1_000_000
checkpoint_period = 1_000_000
final_episodes = 1
lateness_limit_secs = 60.0

[task]
name = "turn_random"
period_secs = 0.05
episode_steps = 60
start_valve = [-0.3, 0.3]

[twin]
period_secs = 0.05

[rig]
claw = "claw.toml"
reset_radians_per_sec = 4.0
person_secs = 300.0

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

/// Bytes of what a row saw, and of how its episode ended and its checksum, which come last.
const SEEN: usize = 4 * 22;
const ENDS: usize = 8;

/// A run in progress.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    pub(crate) rig: EmulatedRig,
    pub(crate) child: Mutex<Child>,
    said: Arc<Mutex<String>>,
}

impl Stage {
    /// One whose person is waited for so long.
    pub(crate) fn new(person_secs: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rig.toml"), RIG.replace("300.0", &format!("{person_secs}.0"))).unwrap();
        let rig = EmulatedRig::new(folder.path(), |_| {});
        let line = format!("train rig.toml --quiet --plant rig --port {}", rig.port);
        let mut child = turnkey(folder.path(), words(&line)).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<String>>::default();
        let (lines, hears) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *hears.lock().unwrap() += &(line + "\n");
            }
        });
        Self { folder, rig, child: Mutex::new(child), said }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn rows(&self) -> usize {
        row_count(&self.path().join("runs/rig"), &LOG)
    }

    /// What was said from this place on.
    pub(crate) fn said_since(&self, mark: usize) -> String {
        self.said.lock().unwrap()[mark..].to_owned()
    }

    pub(crate) fn mark(&self) -> usize {
        self.said.lock().unwrap().len()
    }

    pub(crate) fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(90);
        while !condition() {
            let ended = self.child.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "never: {what} ({ended:?})\n{}", self.said_since(0));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until an episode is going on.
    pub(crate) fn wait_for_steps(&self, what: &str) {
        let before = self.rows();
        self.wait_for(what, || self.rows() >= before + 4);
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        support::signal(&self.child.lock().unwrap(), signal);
    }

    /// Every row of the log was recorded by the rig as a step, a whole period after the one before it; rows of an episode go on
    /// from each other.
    pub(crate) fn expect_nothing_invented(&self) {
        let recorded = self.path().join("datasets/rig");
        let counts = dataset::check(&recorded).unwrap();
        assert_eq!(counts.training_steps, self.rows() as u64, "{counts:?}");
        for number in 1..=counts.last_episode {
            let text = fs::read_to_string(recorded.join(format!("episode-{number:06}.jsonl"))).unwrap();
            let mut last: Option<f64> = None;
            for line in text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()) {
                let Line::Step(step) = line else { continue };
                let since = last.map_or(1.0, |last| step.stamp_secs - last);
                assert!(since > 0.02, "episode {number}: a step of {since} s");
                last = Some(step.stamp_secs);
            }
        }
        let (rows, ends) = (rows(&self.path().join("runs/rig"), &LOG), LOG.row_bytes() - ENDS);
        let next = ends - SEEN;
        let ended = |row: &[u8]| row[ends..ends + 4] != [0; 4];
        let breaks =
            rows.windows(2).filter(|two| !ended(&two[0]) && two[0][next..next + SEEN] != two[1][..SEEN]).count();
        let broken = counts.last_episode - counts.whole;
        assert!(breaks as u64 <= broken, "{breaks} breaks in {broken} broken episodes");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        drop(child.kill());
        drop(child.wait());
    }
}
