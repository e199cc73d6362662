//! An environment that lives in a Python process.

use crate::GymnasiumConfig;
use crate::GymnasiumError;
use crate::message::{Opened, Reply, Request, Stepped};
use crate::server::Server;
use serde::{Deserialize, Serialize};
use turnkey_core::{Action, Environment, Failure, Observation, Snapshot, SnapshotError, Spec, Step};

/// An environment of Gymnasium, in a Python process that is started with the value and ends with it.
///
/// Actions in [-1, 1] are scaled to the bounds of the environment's own, as the libraries that learn in Gymnasium do;
/// beyond them they are clipped, and a number that is none means the middle. An episode's seed is mixed down to 31 bits.
/// Where an episode is both terminated and truncated, it is terminated.
///
/// An environment that lives elsewhere can't be written down. A snapshot is the episode's seed and its actions; restoring
/// it starts another process and does the same there. What that shows must be the same bits, or the snapshot is refused:
/// an environment that draws from elsewhere than its own seeded generator can't be gone on with.
#[derive(Debug)]
pub struct Gymnasium {
    config: GymnasiumConfig,
    server: Server,
    spec: Spec,
    /// Where each number of an action is to be.
    ranges: Vec<Range>,
    episode: Option<Episode>,
}

/// Finite bounds, the lower one first.
#[derive(Clone, Copy, Debug)]
struct Range {
    low: f32,
    high: f32,
}

impl Range {
    /// The place of `x` in [-1, 1].
    fn at(self, x: f32) -> f32 {
        let (middle, half) = (0.5 * self.low + 0.5 * self.high, 0.5 * self.high - 0.5 * self.low);
        (middle + half * x).clamp(self.low, self.high)
    }
}

/// The seed that an environment is given for one of ours: 31 bits of SplitMix64's next number, since what seeds
/// `numpy.random.RandomState` can take 32.
fn in_31_bits(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 33
}

/// The episode in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    seed: u64,
    /// Every action so far, as it was given, one after the other.
    actions: Vec<f32>,
    /// What was seen last.
    last: Vec<f32>,
    over: bool,
}

/// A snapshot.
#[derive(Serialize, Deserialize)]
struct Saved {
    id: String,
    episode: Option<Episode>,
}

impl Gymnasium {
    /// Starts a Python process and has it make the environment.
    ///
    /// # Errors
    /// When a setting is out of range; the interpreter can't be started, or has no gymnasium; the environment is unknown, or
    /// its observations or actions aren't boxes; nothing cuts off its episodes.
    pub fn new(config: GymnasiumConfig) -> Result<Self, GymnasiumError> {
        config.check()?;
        let (server, opened) = Server::start(&config)?;
        let Opened { numbers, names, low, high, episode_steps, .. } = opened;
        let Some(episode_steps) = episode_steps.filter(|steps| *steps > 0) else {
            return Err(GymnasiumError::Refused {
                id: config.id,
                asked: "open",
                message: "expected episodes that end after so many steps, but it has no limit".into(),
                fix: "set gymnasium.episode_steps, such as 1000".into(),
            });
        };
        let named = |what: &str, count| (0..count).map(|index| format!("{what} {index}")).collect::<Vec<_>>();
        let observation = if names.is_empty() { named("observation", numbers) } else { names };
        let spec = Spec { observation, pictures: None, action: named("action", low.len()), episode_steps };
        let ranges = low.into_iter().zip(high).map(|(low, high)| Range { low, high }).collect();
        Ok(Self { config, server, spec, ranges, episode: None })
    }

    /// Changes how long an answer is waited for, from here on, s. More than a day is a day.
    pub fn set_timeout_secs(&mut self, secs: f64) {
        self.config.timeout_secs = secs;
        self.server.set_timeout(&self.config);
    }

    /// The process that the environment lives in.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.server.process_id()
    }

    fn act(&mut self, action: &[f32]) -> Result<Stepped, GymnasiumError> {
        let scaled = action.iter().zip(&self.ranges).map(|(x, range)| range.at(*x)).collect();
        match self.server.ask(&Request::Step(scaled))? {
            Reply::Stepped(step) => Ok(step),
            other => Err(self.server.lied("step", "a step", other.verb())),
        }
    }

    fn begin(&mut self, seed: u64) -> Result<Vec<f32>, GymnasiumError> {
        self.episode = None;
        let last = match self.server.ask(&Request::Reset(in_31_bits(seed)))? {
            Reply::Seen(numbers) => numbers,
            other => return Err(self.server.lied("reset", "a first observation", other.verb())),
        };
        self.episode = Some(Episode { seed, actions: Vec::new(), last: last.clone(), over: false });
        Ok(last)
    }

    fn advance(&mut self, action: &[f32]) -> Result<Stepped, GymnasiumError> {
        let id = || self.config.id.clone();
        let expected = self.ranges.len();
        if action.len() != expected {
            return Err(GymnasiumError::ActionWidth { id: id(), expected, actual: action.len() });
        }
        // Taken out, so that an error on the way leaves no episode to go on with.
        let Some(mut episode) = self.episode.take().filter(|episode| !episode.over) else {
            return Err(GymnasiumError::NoEpisode { id: id() });
        };
        let step = self.act(action)?;
        episode.actions.extend_from_slice(action);
        episode.last.clone_from(&step.numbers);
        episode.over = step.end.is_some();
        self.episode = Some(episode);
        Ok(step)
    }

    /// Does again what was done in an episode.
    fn repeat(&mut self, episode: &Episode) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("environment", reason);
        self.begin(episode.seed).map_err(|error| refuse(error.to_string()))?;
        for action in episode.actions.chunks_exact(self.ranges.len()) {
            self.advance(action).map_err(|error| refuse(error.to_string()))?;
        }
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        let came = self.episode.as_ref().map(|episode| (bits(&episode.last), episode.over));
        if came == Some((bits(&episode.last), episode.over)) {
            return Ok(());
        }
        Err(refuse(format!(
            "expected {} to do the same from the same seed and actions, to the bit, but after {} steps it shows something \
             else.\n  fix: an environment that draws from its seeded generator alone; this run can't be gone on with",
            self.config.id,
            episode.actions.len() / self.ranges.len()
        )))
    }
}

impl Environment for Gymnasium {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
        Ok(Observation::from(self.begin(seed)?))
    }

    fn step(&mut self, action: &Action) -> Result<Step, Failure> {
        let action: Vec<f32> = action.bounded().collect();
        let Stepped { reward, end, numbers, info } = self.advance(&action)?;
        Ok(Step { observation: Observation::from(numbers), reward, end, info: info.into() })
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.episode = None;
        Ok(())
    }
}

impl Snapshot for Gymnasium {
    fn save(&self) -> Vec<u8> {
        let saved = Saved { id: self.config.id.clone(), episode: self.episode.clone() };
        // A text and numbers in vectors: nothing that postcard can't write.
        postcard::to_stdvec(&saved).unwrap_or_default()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("environment", reason);
        let Saved { id, episode } = postcard::from_bytes(state).map_err(|error| refuse(error.to_string()))?;
        if id != self.config.id {
            return Err(refuse(format!("expected one of {}, got one of {id}", self.config.id)));
        }
        let Some(episode) = episode else {
            self.episode = None;
            return Ok(());
        };
        let (width, seen) = (self.ranges.len(), self.spec.observation.len());
        if episode.actions.len() % width != 0 || episode.last.len() != seen {
            let found = (episode.actions.len(), episode.last.len());
            return Err(refuse(format!("expected actions of {width} numbers and {seen} seen, got {found:?} in all")));
        }
        // In a process of its own, so that a refusal changes nothing here.
        let mut other = Self::new(self.config.clone()).map_err(|error| refuse(error.to_string()))?;
        other.repeat(&episode)?;
        *self = other;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::in_31_bits;
    use std::collections::HashSet;

    #[test]
    fn seeds_are_mixed_as_splitmix64_does_and_keep_apart() {
        // SplitMix64's first numbers from the seeds 0 and 1: 0xe220a8397b1dcdaf and 0x910a2dec89025cc1.
        assert_eq!((in_31_bits(0), in_31_bits(1)), (0xe220_a839_7b1d_cdaf >> 33, 0x910a_2dec_8902_5cc1 >> 33));
        let evaluation = (0..1000).map(|episode| in_31_bits((1 << 62) + episode)).collect::<HashSet<_>>();
        assert_eq!(evaluation.len(), 1000);
        assert!(evaluation.iter().all(|seed| *seed < 1 << 31));
    }
}
