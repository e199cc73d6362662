//! From what a person wrote to what a run is made of.

mod rig;
mod run;
mod valve;
mod world;

pub use rig::{CLAW_FILE, RigConfig};
pub use run::{RunConfig, RunMode};
pub use valve::ValveBy;
pub(crate) use valve::ValveStart;
pub use world::{BenchmarkConfig, ClawWorld, World};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::path::Path;
use turnkey_env::{DisturbanceConfig, TaskConfig, TaskName};
use turnkey_sac::SacConfig;
use turnkey_sim::TwinConfig;
use world::Written;

/// A run that can be made: only checking a [`RawConfig`] gives one.
#[derive(Clone, Debug, PartialEq)]
pub struct Config(RawConfig);

impl Deref for Config {
    type Target = RawConfig;

    fn deref(&self) -> &RawConfig {
        &self.0
    }
}

impl TryFrom<RawConfig> for Config {
    type Error = anyhow::Error;

    fn try_from(raw: RawConfig) -> Result<Self> {
        raw.check()?;
        Ok(Self(raw))
    }
}

/// A run, as its configuration file says and `--set` changes: every key known and of its type, no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct RawConfig {
    /// Seed of everything random in the run.
    pub seed: u64,
    /// How long and how often.
    pub run: RunConfig,
    /// How experience is gathered.
    pub exploration: ExplorationConfig,
    /// What is acted in.
    pub world: World,
    /// The learner.
    pub sac: SacConfig,
}

/// How actions are drawn while gathering experience.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplorationConfig {
    /// Correlation of the policy's noise from one step to the next, 0 (white, as published) to below 1.
    pub correlation: f64,
    /// The same for the warm-up's random motion.
    pub warmup_correlation: f64,
}

impl Config {
    /// Reads a configuration file and applies `--set key=value` changes to it.
    ///
    /// # Errors
    /// When the file can't be read, is not TOML, or holds an unknown key, a value of the wrong type or one
    /// out of range: each names the key, what was expected and what came.
    pub fn load(path: &Path, changes: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            let path = path.display();
            format!(
                "the configuration {path} can't be read.\n  fix: name a TOML file, such as configs/valve_state.toml"
            )
        })?;
        let mut table: toml::Table = toml::from_str(&text)
            .map_err(|e| anyhow!("{} is not TOML, the format of configurations: {}", path.display(), trimmed(&e)))?;
        // Read before it is changed and after each change, so that the error is about the line or the change at
        // fault. A file may leave out what a change adds.
        let mut read = toml::from_str::<RawConfig>(&text);
        for change in changes {
            if change.trim_start().starts_with("task.name=") {
                forget_task(&mut table);
            }
            apply(&mut table, change)?;
            match toml::from_str(&toml::to_string(&table)?) {
                Err(e) if read.is_ok() => bail!("--set {change}: {}", e.message()),
                Err(_) => {}
                changed => read = changed,
            }
        }
        let raw = read.map_err(|e| anyhow!("{} is not a configuration: {}", path.display(), trimmed(&e)))?;
        let place = if changes.is_empty() { "" } else { " with what --set changes" };
        raw.try_into().with_context(|| format!("{}{place} can't be run", path.display()))
    }

    /// A checked configuration from its table.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_table(table: toml::Table) -> Result<Self> {
        table.try_into::<RawConfig>()?.try_into()
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// The same on another twin.
    ///
    /// # Errors
    /// When the twin doesn't fit the rest.
    pub fn with_twin(mut self, twin: TwinConfig) -> Result<Self> {
        self.0.world.claw_mut()?.twin = twin;
        self.0.try_into()
    }

    /// The same on a rig, or on the twin where that is none.
    ///
    /// # Errors
    /// When the rest is not for a rig.
    pub fn with_rig(mut self, rig: Option<RigConfig>) -> Result<Self> {
        if rig.is_some() || self.rig().is_some() {
            self.0.world.claw_mut()?.rig = rig;
        }
        self.0.try_into()
    }

    /// What is acted in, where that is a claw.
    ///
    /// # Errors
    /// When it is something else.
    pub fn claw(&self) -> Result<&ClawWorld> {
        self.0.world.claw()
    }

    /// The claw that is trained on in the twin's place, if there is one.
    #[must_use]
    pub fn rig(&self) -> Option<&RigConfig> {
        self.claw().ok()?.rig.as_ref()
    }

    /// What training episodes' pictures suffer, if anything.
    #[must_use]
    pub fn disturbance(&self) -> Option<&DisturbanceConfig> {
        self.claw().ok()?.disturbance.as_ref()
    }

    /// The same in real time.
    ///
    /// # Errors
    /// When it isn't a claw's.
    pub fn in_real_time(mut self) -> Result<Self> {
        self.0.run.mode = RunMode::Asynchronous;
        self.0.run.environments = 1;
        self.0.world.claw_mut()?.disturbance = None;
        Ok(self)
    }

    /// The configuration as a file says it, every default written out.
    ///
    /// # Errors
    /// Never for a checked configuration.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string(&self.0)?)
    }

    /// The first key in which two configurations differ, with both values; the run's length is not
    /// compared, so that a run can be made longer, nor is the rig, whose port may change.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let table = |config: &Self| {
            let mut raw = config.0.clone();
            raw.run.steps = 0;
            if let World::Claw(claw) = &mut raw.world {
                claw.rig = None;
            }
            toml::Table::try_from(raw).unwrap_or_default()
        };
        first_difference("", &toml::Value::Table(table(self)), &toml::Value::Table(table(other)))
    }
}

impl RawConfig {
    /// Checks what types can't.
    fn check(&self) -> Result<()> {
        self.run.check()?;
        for (key, value) in
            [("correlation", self.exploration.correlation), ("warmup_correlation", self.exploration.warmup_correlation)]
        {
            ensure!((0.0..1.0).contains(&value), "exploration.{key}: expected 0 to below 1, got {value}");
        }
        self.sac.validate()?;
        self.world.check(&self.run)
    }
}

/// An error of the TOML reader without the empty lines after it.
fn trimmed(error: &toml::de::Error) -> String {
    error.to_string().trim_end().to_owned()
}

fn first_difference(path: &str, a: &toml::Value, b: &toml::Value) -> Option<String> {
    let (toml::Value::Table(a), toml::Value::Table(b)) = (a, b) else {
        return (a != b).then(|| format!("{}: {a} and {b}", path.trim_start_matches('.')));
    };
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let absent = toml::Value::String("nothing".into());
    keys.into_iter().find_map(|key| {
        let side = |table: &toml::Table| table.get(key).cloned().unwrap_or_else(|| absent.clone());
        first_difference(&format!("{path}.{key}"), &side(a), &side(b))
    })
}

/// Takes away what the task of this name has anyway, before it gets another name: a file that has every default written out would
/// otherwise be the old task under the new name.
fn forget_task(table: &mut toml::Table) {
    let task = table.get_mut("task").and_then(toml::Value::as_table_mut);
    let name = |task: &toml::Table| task.get("name")?.clone().try_into::<TaskName>().ok();
    if let Some(task) = task
        && let Some(name) = name(task)
        && let Ok(published) = toml::Table::try_from(TaskConfig::published(name))
    {
        forget(task, &published);
    }
}

/// Takes away the keys that have these values.
fn forget(table: &mut toml::Table, values: &toml::Table) {
    for (key, value) in values {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => forget(inner, value),
            (Some(written), value) if written == value => drop(table.remove(key)),
            _ => {}
        }
    }
}

/// Applies one `a.b=value` to a table. The value is TOML, or a bare string.
fn apply(table: &mut toml::Table, change: &str) -> Result<()> {
    let (path, value) = change
        .split_once('=')
        .with_context(|| format!("--set {change}: expected key=value, such as sac.batch_size=512"))?;
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut t| t.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    let last = keys.pop().filter(|key| !key.is_empty()).with_context(|| format!("--set {change}: the key is empty"))?;
    let mut at = table;
    for key in keys {
        let entry = at.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        match entry {
            toml::Value::Table(inner) => at = inner,
            other => bail!("--set {change}: {key} is {other}, which has no keys of its own"),
        }
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const SMALL: &str = r#"
        [run]
        steps = 100
        warmup_steps = 10
        evaluation_period = 50
        checkpoint_period = 50
        [task]
        name = "turn_random"
    "#;

    /// A small run, with these changes.
    pub(crate) fn with(changes: &[&str]) -> Result<Config> {
        let mut table: toml::Table = toml::from_str(SMALL).unwrap();
        for change in changes {
            apply(&mut table, change)?;
        }
        Config::from_table(table)
    }

    #[test]
    fn a_change_reaches_the_key_it_names() {
        let config = with(&["sac.batch_size=512", "task.name=turn_fixed", "sac.actor_hidden=[64, 64]"]).unwrap();
        assert_eq!(config.sac.batch_size, 512);
        assert_eq!(config.sac.actor_hidden, [64, 64]);
        assert_eq!(config.claw().unwrap().task.name, turnkey_env::TaskName::TurnFixed);
    }

    #[test]
    fn another_name_makes_another_task_of_a_file_that_has_every_default_written_out() {
        let folder = tempfile::tempdir().unwrap();
        let load = |text: String, change: &str| {
            let path = folder.path().join("c.toml");
            std::fs::write(&path, text).unwrap();
            Config::load(&path, &[change.to_owned()]).unwrap()
        };
        let written = with(&["task.reward.velocity=0.25"]).unwrap().to_toml().unwrap();
        let task = |config: &Config| config.claw().unwrap().task.clone();
        let whole = task(&load(written, "task.name=screw_fixed"));
        let mut expected = task(&load(SMALL.into(), "task.name=screw_fixed"));
        expected.reward.velocity = 0.25;
        assert_eq!(whole, expected);
    }

    #[test]
    fn bad_values_name_the_key_what_was_expected_and_what_came() {
        let message = |changes: &[&str]| format!("{:#}", with(changes).unwrap_err());
        assert!(message(&["sac.batchsize=3"]).contains("batchsize"), "{}", message(&["sac.batchsize=3"]));
        assert!(message(&["sac.batch_size=many"]).contains("many"));
        assert!(message(&["sac.discount=1.5"]).contains("expected 0 to below 1, got 1.5"));
        assert!(message(&["run.steps=0"]).contains("run.steps: expected 1 or more, got 0"));
        assert!(message(&["steps"]).contains("key=value"));
        assert!(message(&["run.steps.x=1"]).contains("no keys of its own"));
    }

    #[test]
    fn environments_and_the_ratio_are_refused_where_they_mean_nothing() {
        let message = |changes: &[&str]| format!("{:#}", with(changes).unwrap_err());
        let refused = |changes: &[&str], said: &str| assert!(message(changes).contains(said), "{}", message(changes));
        assert_eq!(with(&["run.environments=4", "run.steps_per_update=8"]).unwrap().run.environments, 4);
        refused(&["run.environments=0"], "run.environments: expected 1 to 1024, got 0");
        refused(&["run.environments=8"], "got 100.\n  fix: --set run.steps=104");
        refused(&["run.environments=4", "run.mode=asynchronous"], "which acts on one plant, got 4");
        refused(&["run.environments=4", "task.sees=pixels", "twin.camera={}"], "where there are pictures");
        refused(&["run.environments=4", "twin.camera={}"], "where there are pictures");
        refused(&["run.steps_per_update=0"], "run.steps_per_update: expected 1 to 1000, got 0");
        refused(&["run.steps_per_update=2", "run.updates_per_step=2"], "one of them is the ratio");
    }

    #[test]
    fn what_was_trained_in_several_environments_can_be_tried_on_one_rig() {
        let config = with(&["run.environments=4"]).unwrap();
        let rig = with(&["run.mode=asynchronous", "rig.claw=claw.toml"]).unwrap().rig().cloned();
        let on_rig = config.in_real_time().unwrap().with_rig(rig).unwrap();
        assert_eq!((on_rig.run.environments, on_rig.run.mode), (1, RunMode::Asynchronous));
        assert!(on_rig.rig().is_some());
    }

    #[test]
    fn updates_follow_the_ratio_whatever_is_stepped_at_once() {
        let updates = |changes: &[&str], steps: &[u64]| {
            let run = with(changes).unwrap().run.clone();
            steps.iter().map(|step| run.updates_by(*step)).collect::<Vec<_>>()
        };
        assert_eq!(updates(&[], &[0, 9, 10, 11, 100]), [0, 0, 0, 1, 90]);
        assert_eq!(updates(&["run.updates_per_step=3"], &[10, 11, 100]), [0, 3, 270]);
        assert_eq!(updates(&["run.steps_per_update=4"], &[13, 14, 17, 18, 100]), [0, 1, 1, 2, 22]);
        assert_eq!(updates(&["run.updates_per_step=0"], &[100]), [0]);
        assert_eq!(updates(&["run.updates_per_step=1000"], &[u64::MAX]), [u64::MAX]);
    }

    #[test]
    fn a_written_configuration_reads_as_itself() {
        let config = with(&["seed=7"]).unwrap();
        let again = Config::from_table(toml::from_str(&config.to_toml().unwrap()).unwrap()).unwrap();
        assert_eq!(config, again);
        assert_eq!(config.difference(&again), None);
    }

    #[test]
    fn the_first_difference_is_named_and_length_is_none() {
        let (a, b) = (with(&[]).unwrap(), with(&["run.steps=500"]).unwrap());
        assert_eq!(a.difference(&b), None);
        let c = with(&["sac.tau=0.01"]).unwrap();
        assert_eq!(a.difference(&c).unwrap(), "sac.tau: 0.005 and 0.01");
    }
}
