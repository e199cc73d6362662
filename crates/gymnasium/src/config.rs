//! Which environment, and how to come by it.

use crate::GymnasiumError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;

/// The longest that an answer may be waited for: a day, s.
const LONGEST_WAIT_SECS: f64 = 86_400.0;

/// `[gymnasium]`: an environment that Gymnasium knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GymnasiumConfig {
    /// The name that it is registered under, such as `Pendulum-v1`.
    pub id: String,
    /// The Python that has gymnasium and numpy, and whatever the environment needs.
    #[serde(default = "python3")]
    pub python: PathBuf,
    /// A module that is imported first, since it registers the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Steps after which an episode is truncated; the environment's own number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_steps: Option<usize>,
    /// The longest that an answer is waited for, the environment's start included, s.
    #[serde(default = "minute")]
    pub timeout_secs: f64,
    /// What `gymnasium.make` is given besides, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

fn python3() -> PathBuf {
    "python3".into()
}

fn minute() -> f64 {
    60.0
}

impl GymnasiumConfig {
    /// The environment of this name, everything else as it is by default.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        let (python, timeout_secs) = (python3(), minute());
        Self { id: id.into(), python, module: None, episode_steps: None, timeout_secs, arguments: Map::new() }
    }

    /// Checks what types can't.
    ///
    /// # Errors
    /// When a value is out of range.
    pub fn check(&self) -> Result<(), GymnasiumError> {
        let wrong = |key, expected, actual: String| Err(GymnasiumError::Setting { key, expected, actual });
        if self.id.trim().is_empty() {
            return wrong("id", "the name of an environment, such as \"Pendulum-v1\"", format!("{:?}", self.id));
        }
        if !(self.timeout_secs > 0.0 && self.timeout_secs <= LONGEST_WAIT_SECS) {
            return wrong("timeout_secs", "above 0 and at most 86400", self.timeout_secs.to_string());
        }
        if self.episode_steps == Some(0) {
            return wrong("episode_steps", "1 or more", "0".into());
        }
        Ok(())
    }

    /// The longest that an answer is waited for.
    pub(crate) fn timeout(&self) -> Duration {
        let secs = self.timeout_secs.clamp(0.0, LONGEST_WAIT_SECS);
        Duration::try_from_secs_f64(secs).unwrap_or_default() // none is no number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_reads_as_it_is_written_and_unknown_keys_are_refused() {
        let text =
            "id = \"Hopper-v5\"\npython = \"/usr/bin/python3\"\n[arguments]\nframe_skip = 2\nhealthy = [0.5, 1]\n";
        let config: GymnasiumConfig = toml::from_str(text).unwrap();
        assert_eq!((config.arguments["frame_skip"].as_i64(), config.timeout_secs), (Some(2), 60.0));
        let again: GymnasiumConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(config, again);
        let error = toml::from_str::<GymnasiumConfig>("id = \"a\"\npyhton = \"b\"").unwrap_err().to_string();
        assert!(error.contains("pyhton"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_named() {
        let said = |change: fn(&mut GymnasiumConfig)| {
            let mut config = GymnasiumConfig::new("Pendulum-v1");
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(said(|config| config.timeout_secs = f64::NAN).contains("timeout_secs: expected above 0"));
        assert!(said(|config| config.timeout_secs = f64::INFINITY).contains("got inf"));
        assert!(said(|config| config.episode_steps = Some(0)).contains("episode_steps"));
        assert!(said(|config| config.id = " ".into()).contains("gymnasium.id"));
        assert!(GymnasiumConfig::new("Pendulum-v1").check().is_ok());
    }
}
