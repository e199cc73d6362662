//! Reading a dataset back, every line looked at.

use super::{Line, Manifest, Outcome, Purpose, StepLine, file_name, frames_name};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use std::path::Path;
use std::{fmt, fs};

/// What a dataset holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Episodes with an end.
    pub ended: u64,
    /// Their steps.
    pub steps_of_ended: u64,
    /// Those that their task ended.
    pub whole: u64,
    /// Those that a fault ended.
    pub faults: u64,
    /// Episodes without an end, whose process was killed.
    pub cut_off: u64,
    /// Steps of training episodes, those of episodes without an end included.
    pub training_steps: u64,
    /// Steps of evaluation episodes, likewise.
    pub evaluation_steps: u64,
    /// The number of the last episode.
    pub last_episode: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ended, whole, faults, cut_off, training_steps, evaluation_steps, .. } = self;
        write!(
            f,
            "{} episodes, of which {whole} came to their end, {faults} ended by a fault and {cut_off} were cut off; \
             {training_steps} steps of training, {evaluation_steps} of evaluation",
            ended + cut_off
        )
    }
}

/// Reads every episode of a dataset.
///
/// # Errors
/// When a line is not what it must be, but for half a line at the end of an episode that was cut off.
pub fn check(folder: &Path) -> Result<Counts> {
    let manifest = Manifest::read(folder)?;
    let mut counts = Counts::default();
    for number in 1.. {
        let path = folder.join(file_name(number));
        if !path.exists() {
            break;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let seen = count(&text, &manifest, &mut counts).with_context(damaged)?;
        if let Some(size) = manifest.frame {
            let frames = fs::metadata(folder.join(frames_name(number))).map_or(0, |file| file.len());
            let expected = seen * (3 * size.width * size.height) as u64;
            ensure!(frames >= expected, "{}: expected {expected} bytes of frames beside it, got {frames}", damaged());
        }
        counts.last_episode = number;
    }
    ensure!(
        manifest.episodes <= counts.ended,
        "{}: expected {} episodes with an end, as its manifest says, found {}.\n  fix: restore what is missing from a copy",
        folder.display(),
        manifest.episodes,
        counts.ended
    );
    Ok(counts)
}

/// Counts an episode; gives how many of its lines have a frame.
fn count(text: &str, manifest: &Manifest, counts: &mut Counts) -> Result<u64> {
    let mut purpose = None;
    let (mut steps, mut ended, mut stamp) = (0, false, f64::NEG_INFINITY);
    let whole_lines = text.rfind('\n').map_or("", |end| &text[..=end]);
    for (number, line) in whole_lines.lines().enumerate() {
        let line: Line = serde_json::from_str(line).with_context(|| format!("line {}", number + 1))?;
        ensure!(!ended, "line {}: expected nothing after the end", number + 1);
        match (line, purpose) {
            (Line::Begin { purpose: found, observation, .. }, None) => {
                ensure!(observation.len() == manifest.observation.len(), "line 1: an observation of another size");
                purpose = Some(found);
            }
            (Line::Step(step), Some(_)) => {
                step.check(manifest).with_context(|| format!("line {}", number + 1))?;
                ensure!(step.stamp_secs > stamp, "line {}: expected a later stamp than {stamp}", number + 1);
                (steps, stamp) = (steps + 1, step.stamp_secs);
            }
            (Line::End { outcome, .. }, Some(_)) => {
                ended = true;
                counts.whole += u64::from(outcome == Outcome::Whole);
                counts.faults += u64::from(outcome == Outcome::Fault);
            }
            _ => bail!("line {}: expected one line that begins the episode, before all others", number + 1),
        }
    }
    match purpose {
        Some(Purpose::Evaluation) => counts.evaluation_steps += steps,
        _ => counts.training_steps += steps,
    }
    counts.ended += u64::from(ended);
    counts.cut_off += u64::from(!ended);
    counts.steps_of_ended += if ended { steps } else { 0 };
    Ok(steps + u64::from(purpose.is_some()))
}

impl StepLine {
    /// Whether every number is one, and there are as many as there must be.
    fn check(&self, manifest: &Manifest) -> Result<()> {
        let (found, expected) = (self.observation.len(), manifest.observation.len());
        ensure!(found == expected, "expected an observation of {expected} numbers, got {found}");
        let numbers = self.goal.iter().chain(&self.told).chain(&self.positions).chain(&self.velocities);
        let numbers = numbers.chain(&self.torques).chain(&self.amperes).chain(&self.celsius).chain(&self.volts);
        let numbers = numbers.chain([&self.reward, &self.target, &self.stamp_secs, &self.joint_age_secs]);
        ensure!(numbers.into_iter().all(|number| number.is_finite()), "expected finite numbers");
        Ok(())
    }
}
