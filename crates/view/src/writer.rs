//! Records in rerun's words.

use crate::blueprint;
use crate::paths::{self, TIMELINE};
use crate::scene::SceneWriter;
use crate::series::{self, Series};
use rerun::{RecordingStream, RecordingStreamResult};
use std::collections::VecDeque;
use std::time::Duration;
use turnkey_core::{
    AttentionRecord, ControlRecord, EpisodeRecord, Frame, Health, JOINTS_PER_FINGER, LearningRecord, Record,
};

/// Success is a yes or no; its mean over this many episodes is a curve.
const SUCCESS_WINDOW: usize = 20;

/// Writes records to one stream.
pub(crate) struct Writer {
    stream: RecordingStream,
    scene: Option<SceneWriter>,
    series: Series,
    successes: VecDeque<bool>,
    last_control: Option<u64>,
    watched: bool,
    arranged: bool,
    /// A record that can't be written is worth one warning.
    warned: bool,
}

impl Writer {
    /// A writer to `stream`, which is `watched` while it goes on or looked at afterwards.
    pub(crate) fn new(stream: RecordingStream, watched: bool) -> Self {
        Self {
            stream,
            scene: None,
            series: Series::default(),
            successes: VecDeque::new(),
            last_control: None,
            watched,
            arranged: false,
            warned: false,
        }
    }

    /// Writes a record. May block for as long as the stream's sink does.
    pub(crate) fn write(&mut self, record: &Record) {
        let written = match record {
            Record::Scene(scene) => SceneWriter::new(&self.stream, scene).map(|scene| self.scene = Some(scene)),
            Record::Control(control) => self.control(control),
            Record::Attention(attention) => self.attention(attention),
            Record::Learning(learning) => self.learning(learning),
            Record::Episode(episode) => self.episode(episode),
        };
        if let Err(error) = written
            && !std::mem::replace(&mut self.warned, true)
        {
            tracing::warn!("a record can't be shown: {error}");
        }
    }

    fn control(&mut self, record: &ControlRecord) -> RecordingStreamResult<()> {
        self.interrupt(record.step)?;
        self.stream.set_time_sequence(TIMELINE, record.step as i64);
        self.arrange(record)?;
        if let Some(scene) = &self.scene {
            scene.poses(&self.stream, record)?;
        }
        if let Some(frame) = &record.reading.frame {
            self.picture(paths::SEEN, frame)?;
        }
        let valve = [
            ("target", Some(record.target)),
            ("valve", record.reading.valve.map(|valve| valve.angle)),
            ("error", Some(record.angular_error)),
        ];
        self.series.log(&self.stream, paths::VALVE, &series::known(&valve), &series::VALVE)?;
        for (finger, path) in paths::FINGERS.into_iter().enumerate() {
            let joints = finger * JOINTS_PER_FINGER..(finger + 1) * JOINTS_PER_FINGER;
            let (positions, goals) = (&record.reading.positions[joints.clone()], &record.goal[joints]);
            let names = ["base", "middle", "top", "base goal", "middle goal", "top goal"];
            let values: Vec<_> = names.into_iter().zip(positions.iter().chain(goals).copied()).collect();
            self.series.log(&self.stream, path, &values, &series::FINGER)?;
        }
        let actions = record.action.0.iter().zip(series::ACTION_NAMES);
        let actions: Vec<_> = actions.map(|(value, name)| (name, f64::from(*value))).collect();
        self.series.log(&self.stream, paths::ACTION, &actions, &series::ACTION)?;
        let lateness = [("lateness (ms)", record.lateness.map(|lateness| lateness.as_secs_f64() * 1e3))];
        self.series.log(&self.stream, paths::LATENESS, &series::known(&lateness), &series::PLAIN)?;
        let reward: Vec<_> = std::iter::once(("reward", record.reward)).chain(record.terms.iter().copied()).collect();
        self.series.log(&self.stream, paths::REWARD, &reward, &series::REWARD)?;
        record.health.as_ref().map_or(Ok(()), |health| self.health(health))
    }

    fn attention(&self, record: &AttentionRecord) -> RecordingStreamResult<()> {
        self.stream.set_time_sequence(TIMELINE, record.step as i64);
        self.picture(paths::ATTENTION, &record.overlay)
    }

    fn picture(&self, path: &str, frame: &Frame) -> RecordingStreamResult<()> {
        let size = [frame.size().width as u32, frame.size().height as u32];
        self.stream.log(path, &rerun::Image::from_rgb24(frame.pixels().to_vec(), size))
    }

    /// How a real claw fares.
    fn health(&mut self, health: &Health) -> RecordingStreamResult<()> {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let times = [
            ("joint age (ms)", Some(ms(health.joint_age))),
            ("cycle (ms)", Some(ms(health.cycle))),
            ("picture age (ms)", health.picture.map(|picture| ms(picture.age))),
            ("picture to joints (ms)", health.picture.map(|picture| ms(picture.skew))),
        ];
        self.series.log(&self.stream, paths::TIMES, &series::known(&times), &series::PLAIN)?;
        for (path, values) in [(paths::AMPERES, &health.amperes), (paths::CELSIUS, &health.celsius)] {
            let values: Vec<_> = series::ACTION_NAMES.into_iter().zip(values.iter().copied()).collect();
            self.series.log(&self.stream, path, &values, &series::ACTION)?;
        }
        Ok(())
    }

    /// Where steps were left out, lines should not reach across.
    fn interrupt(&mut self, step: u64) -> RecordingStreamResult<()> {
        let last = self.last_control.replace(step).filter(|last| last + 1 < step);
        let Some(last) = last else { return Ok(()) };
        self.stream.set_time_sequence(TIMELINE, last as i64 + 1);
        paths::CONTROL.iter().try_for_each(|path| self.series.interrupt(&self.stream, path))
    }

    fn learning(&mut self, record: &LearningRecord) -> RecordingStreamResult<()> {
        self.stream.set_time_sequence(TIMELINE, record.step as i64);
        for path in [paths::LOSSES, paths::Q, paths::ENTROPY, paths::TEMPERATURE, paths::OTHER] {
            let figures = record.figures.iter().filter(|(name, _)| series::learning_path(name) == path);
            self.series.log(&self.stream, path, &figures.copied().collect::<Vec<_>>(), &series::PLAIN)?;
        }
        Ok(())
    }

    fn episode(&mut self, record: &EpisodeRecord) -> RecordingStreamResult<()> {
        self.stream.set_time_sequence(TIMELINE, record.step as i64);
        self.series.log(&self.stream, paths::RETURN, &[("return", record.episode_return)], &series::PLAIN)?;
        if let Some(success) = record.success {
            self.successes.push_back(success);
            if self.successes.len() > SUCCESS_WINDOW {
                self.successes.pop_front();
            }
        }
        let rate = self.successes.iter().filter(|success| **success).count() as f64 / self.successes.len() as f64;
        let outcome = [
            ("success rate, last 20", (!self.successes.is_empty()).then_some(rate)),
            ("final error (rad)", record.final_error),
        ];
        self.series.log(&self.stream, paths::OUTCOME, &series::known(&outcome), &series::PLAIN)
    }

    /// Sends the arrangement with the first control step, which says where the camera should look.
    fn arrange(&mut self, record: &ControlRecord) -> RecordingStreamResult<()> {
        if std::mem::replace(&mut self.arranged, true) {
            return Ok(());
        }
        let framing = self.scene.as_ref().and_then(|scene| scene.framing(&record.poses));
        let pictures = record.reading.frame.is_some();
        let shown = blueprint::Shown {
            pictures,
            lateness: record.lateness.is_some(),
            health: record.health.is_some(),
            watched: self.watched,
        };
        blueprint::send(&self.stream, framing, shown)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use turnkey_core::{Action, ControlRecord, JOINTS, Reading, Stamp};

    /// A control step without a scene.
    pub(crate) fn control(step: u64) -> ControlRecord {
        let zero = [0.0; JOINTS];
        ControlRecord {
            step,
            reading: Reading {
                stamp: Stamp::default(),
                positions: zero,
                velocities: zero,
                torques: zero,
                valve: None,
                frame: None,
            },
            goal: zero,
            action: Action(vec![0.0; JOINTS]),
            target: 0.0,
            angular_error: 0.0,
            reward: 0.0,
            terms: vec![("distance", -1.0)],
            lateness: None,
            health: None,
            poses: Vec::new(),
        }
    }
}
