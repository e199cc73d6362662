//! The benchmarks there are.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A benchmark, by the name that Gymnasium registers it under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BenchmarkName {
    /// One leg, 3 joints: 11 numbers seen.
    #[serde(rename = "Hopper-v5")]
    Hopper,
    /// Two legs in a plane, 6 joints: 17 numbers seen.
    #[serde(rename = "Walker2d-v5")]
    Walker2d,
    /// A runner that can't fall, 6 joints: 17 numbers seen.
    #[serde(rename = "HalfCheetah-v5")]
    HalfCheetah,
    /// Four legs, 8 joints: 105 numbers seen.
    #[serde(rename = "Ant-v5")]
    Ant,
    /// 17 joints: 348 numbers seen.
    #[serde(rename = "Humanoid-v5")]
    Humanoid,
}

impl BenchmarkName {
    /// All of them, the easiest first.
    pub const ALL: [Self; 5] = [Self::Hopper, Self::Walker2d, Self::HalfCheetah, Self::Ant, Self::Humanoid];

    /// The name that Gymnasium registers it under, such as `Hopper-v5`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Hopper => "Hopper-v5",
            Self::Walker2d => "Walker2d-v5",
            Self::HalfCheetah => "HalfCheetah-v5",
            Self::Ant => "Ant-v5",
            Self::Humanoid => "Humanoid-v5",
        }
    }
}

impl fmt::Display for BenchmarkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for BenchmarkName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::id).join(", ");
        Self::ALL
            .into_iter()
            .find(|name| {
                name.id().eq_ignore_ascii_case(text) || name.id().trim_end_matches("-v5").eq_ignore_ascii_case(text)
            })
            .ok_or_else(|| format!("expected one of {}, got {text}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_with_or_without_its_version() {
        assert_eq!("HalfCheetah-v5".parse(), Ok(BenchmarkName::HalfCheetah));
        assert_eq!("ant".parse(), Ok(BenchmarkName::Ant));
        let error = "Hopper-v4".parse::<BenchmarkName>().unwrap_err();
        assert!(error.contains("Hopper-v5") && error.contains("got Hopper-v4"), "{error}");
    }
}
