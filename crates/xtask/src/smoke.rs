//! The smoke run: the real release binary trains for a few hundred steps and evaluates what it trained.

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::Project;
use std::path::PathBuf;
use std::process::Command;

/// Settings that make a whole run take seconds: training, an evaluation on the way, a checkpoint, the end.
const QUICK: &[&str] = &[
    "run.steps=400",
    "run.warmup_steps=100",
    "run.evaluation_period=200",
    "run.evaluation_episodes=2",
    "run.final_episodes=2",
    "run.checkpoint_period=200",
];

/// Trains with configs/valve_state.toml into a temporary folder, then evaluates the run.
///
/// # Errors
/// When the binary doesn't build, or either command fails or leaves out what it should have written.
pub(crate) fn check(project: &Project) -> Result<()> {
    let turnkey = project.turnkey()?;
    let runs = Temporary::new("smoke")?;
    let mut train = Command::new(&turnkey);
    train.current_dir(project.root()).args(["train", "configs/valve_state.toml", "--name", "smoke", "--seed", "0"]);
    train.arg("--runs-dir").arg(&runs.0);
    train.args(QUICK.iter().flat_map(|setting| ["--set", setting]));
    process::run(&mut train)?;
    let run = runs.path("smoke");
    for file in ["config.toml", "metrics.jsonl", "summary.json", "checkpoints"] {
        if !run.join(file).exists() {
            let came = format!("no {file} in it");
            return Err(Failure::new("the smoke run left something out")
                .expected(format!("{file} in the run's folder"))
                .came(came));
        }
    }
    let mut evaluate = Command::new(&turnkey);
    evaluate.current_dir(project.root()).arg("evaluate").arg(&run).args(["--episodes", "5"]);
    process::run(&mut evaluate)
}

/// A temporary folder, which goes away with the value.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    /// One for what is called `name`, of this process alone.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("turnkey-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::io("no temporary folder", &folder, &error))?;
        Ok(Self(folder))
    }

    /// The file called `name` in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // The system empties its temporary folder where we couldn't.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
