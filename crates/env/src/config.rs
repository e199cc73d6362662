//! The settings of a task: a published task by name, and whatever of it is changed.

use crate::{EnvError, RewardConfig};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use turnkey_core::{JOINTS_PER_FINGER, JointVector};

/// One number a joint of a finger, base first; the three fingers are alike.
pub type Claw = [f64; JOINTS_PER_FINGER];

/// A task of turning a valve.
///
/// Only `name` must be written: it chooses the published task, and each setting written beside it
/// replaces that task's own. Unknown settings are refused.
///
/// ```
/// let config: turnkey_env::TaskConfig = toml::from_str(
///     r#"
///     name = "turn_random"
///     observe_velocities = true
///     reward.velocity = 0.0
///     "#,
/// )?;
/// assert_eq!((config.episode_steps, config.reward.distance, config.reward.velocity), (40, 5.0, 0.0));
/// # Ok::<(), toml::de::Error>(())
/// ```
// `remote = "Self"` makes the derived reader an inherent function, which the one below calls once
// the published settings are filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct TaskConfig {
    /// Which published task this is, or began as.
    pub name: TaskName,
    /// Steps after which an episode is truncated.
    pub episode_steps: usize,
    /// The control period, s: the time of one step.
    pub period_secs: f64,
    /// Absolute error below which a step is a success, rad.
    pub success_within: f64,
    /// The valve's angle at the start: uniform between these, rad.
    pub start_valve: [f64; 2],
    /// Each finger's joint angles at the start, rad; also the pose that the reward compares with.
    pub start_claw: Claw,
    /// How far actions of -1 and 1 are from zero, rad: the joint angle asked for is action times this.
    pub action_range: Claw,
    /// Where the target is and how it moves.
    pub target: TargetConfig,
    /// What a step is worth.
    pub reward: RewardConfig,
    /// What a policy sees the valve by.
    pub sees: Sees,
    /// Newest pictures that are seen at once, with `sees = "pixels"`.
    pub stack: usize,
    /// Whether a policy sees the action of the step before.
    pub observe_last_action: bool,
    /// Whether a policy sees the cosine and sine of target minus valve angle.
    pub observe_error: bool,
    /// Whether a policy sees the cosine and sine of the target's angle.
    pub observe_target: bool,
    /// Whether a policy sees the joint velocities, divided by `velocity_scale`.
    pub observe_velocities: bool,
    /// The joint velocity that is observed as 1, rad/s.
    pub velocity_scale: f64,
}

/// What a policy sees the valve by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// The cosine and sine of its angle.
    State,
    /// Pictures, and nothing else that tells of it.
    Pixels,
}

/// Where the target is and how it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// What `angle` is counted from.
    pub from: TargetFrame,
    /// The target at the start: uniform between these, rad.
    pub angle: [f64; 2],
    /// How fast the target moves: uniform between these, rad/s.
    pub velocity: [f64; 2],
}

/// What a target's angle is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetFrame {
    /// The valve's zero.
    Zero,
    /// The valve's angle at the start of the episode.
    Start,
}

/// The published tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskName {
    /// ROBEL's turn from 0 to half a turn.
    TurnFixed,
    /// ROBEL's turn from about 0 to about half a turn.
    TurnRandom,
    /// The valve turning of arXiv:1812.05905, section 7.3, from the valve's position.
    TurnPaper,
    /// ROBEL's screw after a target that moves at a fixed speed.
    ScrewFixed,
    /// ROBEL's screw after a target that moves at a random speed either way.
    ScrewRandom,
}

impl TaskName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::TurnFixed, Self::TurnRandom, Self::TurnPaper, Self::ScrewFixed, Self::ScrewRandom];
}

impl<'de> Deserialize<'de> for TaskConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = toml::Table::deserialize(deserializer)?;
        let name = written.get("name").ok_or_else(|| D::Error::missing_field("name"))?;
        let name: TaskName = name.clone().try_into().map_err(D::Error::custom)?;
        let mut settings = toml::Table::try_from(Self::published(name)).map_err(D::Error::custom)?;
        replace(&mut settings, written);
        Self::deserialize(toml::Value::Table(settings)).map_err(D::Error::custom)
    }
}

impl Serialize for TaskConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Puts what was written in place of what was there, table by table.
fn replace(settings: &mut toml::Table, written: toml::Table) {
    for (key, value) in written {
        match (settings.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => replace(inner, value),
            (_, value) => drop(settings.insert(key, value)),
        }
    }
}

impl TaskConfig {
    /// The claw's start, one angle a joint, rad.
    #[must_use]
    pub fn start_joints(&self) -> JointVector {
        std::array::from_fn(|joint| self.start_claw[joint % JOINTS_PER_FINGER])
    }

    /// Checks what types can't: that numbers are finite, ranges in order, sizes positive.
    pub(crate) fn check(&self) -> Result<(), EnvError> {
        let finite = "finite numbers";
        let ordered = "finite numbers, the lower first";
        let positive = "above 0";
        let rule = |held, field, expected, found: String| {
            if held { Ok(()) } else { Err(EnvError::Setting { field, expected, found }) }
        };
        let range = |field, range: [f64; 2]| {
            let held = range.iter().all(|x| x.is_finite()) && range[0] <= range[1];
            rule(held, field, ordered, format!("{range:?}"))
        };
        let above_0 = |field, x: f64| rule(x.is_finite() && x > 0.0, field, positive, x.to_string());
        rule(self.episode_steps > 0, "episode_steps", positive, self.episode_steps.to_string())?;
        above_0("period_secs", self.period_secs)?;
        above_0("success_within", self.success_within)?;
        above_0("velocity_scale", self.velocity_scale)?;
        rule((1..=16).contains(&self.stack), "stack", "1 to 16", self.stack.to_string())?;
        let tells = self.sees == Sees::Pixels && self.observe_error;
        rule(
            !tells,
            "observe_error",
            "false with sees = \"pixels\", as the error tells the valve's angle",
            "true".into(),
        )?;
        range("start_valve", self.start_valve)?;
        range("target.angle", self.target.angle)?;
        range("target.velocity", self.target.velocity)?;
        for (field, claw) in [("start_claw", &self.start_claw), ("action_range", &self.action_range)] {
            rule(claw.iter().all(|x| x.is_finite()), field, finite, format!("{claw:?}"))?;
        }
        let reward = &self.reward;
        let numbers = [reward.distance, reward.pose, reward.velocity, reward.velocity_floor];
        let mut numbers = numbers.into_iter().chain(reward.bonuses.iter().flat_map(|b| [b.within, b.reward]));
        rule(numbers.all(f64::is_finite), "reward", finite, format!("{reward:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_task_is_the_published_one_where_it_says_nothing_else() {
        for name in TaskName::ALL {
            let published = TaskConfig::published(name);
            let text = toml::to_string(&published).unwrap();
            assert_eq!(toml::from_str::<TaskConfig>(&text).unwrap(), published, "{text}");
            let line = text.lines().find(|line| line.starts_with("name")).unwrap();
            assert_eq!(toml::from_str::<TaskConfig>(line).unwrap(), published);
            published.check().unwrap();
        }
    }

    #[test]
    fn unknown_names_and_settings_are_refused_by_name() {
        let error = |text| toml::from_str::<TaskConfig>(text).unwrap_err().to_string();
        assert!(error("name = \"turn_left\"").contains("turn_left"));
        assert!(error("episode_steps = 3").contains("name"));
        assert!(error("name = \"turn_fixed\"\nepisodes = 3").contains("episodes"));
        assert!(error("name = \"turn_fixed\"\nreward.speed = 3").contains("speed"));
    }

    #[test]
    fn settings_that_no_task_can_have_are_named() {
        let mut config = TaskConfig::published(TaskName::TurnFixed);
        config.start_valve = [1.0, -1.0];
        assert!(matches!(config.check(), Err(EnvError::Setting { field: "start_valve", .. })));
        config.start_valve = [0.0, 0.0];
        config.reward.pose = f64::NAN;
        assert!(matches!(config.check(), Err(EnvError::Setting { field: "reward", .. })));
        config.reward.pose = 1.0;
        config.episode_steps = 0;
        assert!(matches!(config.check(), Err(EnvError::Setting { field: "episode_steps", .. })));
    }
}
