//! Turning a valve to a target that stands or moves.

use crate::{EnvError, Layout, Parts, Sees, TargetFrame, TaskConfig, TaskName, layout::joint_names, senses::Senses};
use serde::{Deserialize, Serialize};
use turnkey_core::{
    Action, End, Failure, Info, JOINTS, JOINTS_PER_FINGER, JointGoal, JointLimits, JointVector, Observation, Outcome,
    Reading, Rng, Snapshot, SnapshotError, Spec, Start, Task, ValveReading, wrap_angle,
};

/// The task of a [`TaskConfig`]. It never terminates: only the time limit ends an episode, and that is
/// a truncation.
#[derive(Clone, Debug)]
pub struct ValveTask {
    config: TaskConfig,
    layout: Layout,
    episode: Episode,
}

/// What changes while an episode goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    task: TaskName,
    steps: usize,
    target: f64,
    target_velocity: f64,
    last_action: [f32; JOINTS],
}

impl ValveTask {
    /// A task with these settings.
    ///
    /// # Errors
    /// When a setting is not finite, a range is the wrong way round or a size is not positive.
    pub fn new(config: TaskConfig) -> Result<Self, EnvError> {
        config.check()?;
        let layout = Layout::new(Parts {
            valve: config.sees == Sees::State,
            last_action: config.observe_last_action,
            error: config.observe_error,
            target: config.observe_target,
            velocities: config.observe_velocities,
        });
        let episode =
            Episode { task: config.name, steps: 0, target: 0.0, target_velocity: 0.0, last_action: [0.0; JOINTS] };
        Ok(Self { config, layout, episode })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &TaskConfig {
        &self.config
    }

    /// Where each number of an observation is.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What `reading` is worth with the target where it is now: reward, error, success and terms. The
    /// end is none of its business, and left open.
    ///
    /// # Errors
    /// When the reading has no valve, or a number that is not finite.
    pub fn judge(&self, reading: &Reading) -> Result<Outcome, Failure> {
        let error = self.error(reading)?;
        let terms = self.config.reward.terms(error, reading, &self.config.start_joints());
        let reward = terms.iter().map(|(_, part)| part).sum();
        let success = Some(error.abs() < self.config.success_within);
        Ok(Outcome { reward, end: None, info: Info { angular_error: Some(error), success, terms } })
    }

    /// Goes on from where the valve is in place of where `start` has it: a target that is counted from the valve goes along.
    ///
    /// # Errors
    /// When the reading has no valve, or a number that is not finite.
    pub(crate) fn begin_where_it_is(&mut self, start: &Start, reading: &Reading) -> Result<(), EnvError> {
        let valve = valve(reading)?;
        if self.config.target.from == TargetFrame::Start {
            self.episode.target += valve.angle - start.valve;
        }
        Ok(())
    }

    /// The numbers of an observation that tell nothing of the valve, in their places: all that a policy that sees
    /// pictures is given besides them.
    fn felt(&self, senses: &Senses) -> Vec<f32> {
        let mut numbers = vec![0.0_f32; self.layout.width];
        numbers[self.layout.positions.clone()].copy_from_slice(&senses.positions.map(|q| q as f32));
        if let Some(range) = &self.layout.last_action {
            numbers[range.clone()].copy_from_slice(&self.episode.last_action);
        }
        if let Some(range) = &self.layout.target {
            numbers[range.clone()].copy_from_slice(&direction(self.episode.target));
        }
        if let Some(range) = &self.layout.velocities {
            let scale = self.config.velocity_scale;
            numbers[range.clone()].copy_from_slice(&senses.velocities.map(|v| (v / scale) as f32));
        }
        numbers
    }

    /// Target minus valve angle, rad, in [-pi, pi).
    fn error(&self, reading: &Reading) -> Result<f64, Failure> {
        Ok(wrap_angle(self.episode.target - valve(reading)?.angle))
    }
}

impl Task for ValveTask {
    fn spec(&self) -> Spec {
        Spec {
            observation: self.layout.names(),
            pictures: None,
            action: joint_names("goal"),
            episode_steps: self.config.episode_steps,
        }
    }

    fn begin(&mut self, rng: &mut Rng) -> Start {
        let [low, high] = self.config.start_valve;
        let valve = rng.uniform(low, high);
        let [low, high] = self.config.target.angle;
        let angle = rng.uniform(low, high);
        let [low, high] = self.config.target.velocity;
        self.episode = Episode {
            task: self.config.name,
            steps: 0,
            target: match self.config.target.from {
                TargetFrame::Zero => angle,
                TargetFrame::Start => valve + angle,
            },
            target_velocity: rng.uniform(low, high),
            last_action: [0.0; JOINTS],
        };
        Start { joints: self.config.start_joints(), valve, seed: rng.bits() }
    }

    /// The joint angles that `action`, brought into [-1, 1], asks for, clipped to the limits. A joint
    /// whose action is missing or not a number holds still.
    fn goal(&self, action: &Action, reading: &Reading, limits: &JointLimits) -> JointGoal {
        let target: JointVector = std::array::from_fn(|joint| {
            let wanted = action.0.get(joint).map_or(f64::NAN, |a| f64::from(a.clamp(-1.0, 1.0)));
            wanted * self.config.action_range[joint % JOINTS_PER_FINGER]
        });
        limits.clip(&target, &reading.positions)
    }

    fn observe(&self, reading: &Reading) -> Result<Observation, Failure> {
        let mut numbers = self.felt(&Senses::of(reading)?);
        if self.config.sees == Sees::State {
            let (valve, error) = (valve(reading)?, self.error(reading)?);
            for (range, angle) in [(&self.layout.valve, valve.angle), (&self.layout.error, error)] {
                if let Some(range) = range {
                    numbers[range.clone()].copy_from_slice(&direction(angle));
                }
            }
        }
        Ok(Observation::from(numbers))
    }

    fn advance(&mut self, action: &Action, reading: &Reading) -> Result<Outcome, Failure> {
        self.episode.steps += 1;
        self.episode.target += self.episode.target_velocity * self.config.period_secs;
        let mut asked = action.bounded();
        self.episode.last_action = std::array::from_fn(|_| asked.next().unwrap_or(0.0));
        let end = (self.episode.steps >= self.config.episode_steps).then_some(End::Truncated);
        Ok(Outcome { end, ..self.judge(reading)? })
    }

    fn target(&self) -> f64 {
        self.episode.target
    }
}

impl Snapshot for ValveTask {
    fn save(&self) -> Vec<u8> {
        postcard::to_allocvec(&self.episode).expect("numbers always serialise")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("task", reason);
        let episode: Episode = postcard::from_bytes(state).map_err(|e| refuse(e.to_string()))?;
        if episode.task != self.config.name {
            return Err(refuse(format!("expected the task {:?}, found {:?}", self.config.name, episode.task)));
        }
        self.episode = episode;
        Ok(())
    }
}

/// Cosine and sine of an angle (rad).
fn direction(angle: f64) -> [f32; 2] {
    [angle.cos() as f32, angle.sin() as f32]
}

/// The valve of a reading whose numbers are all finite.
fn valve(reading: &Reading) -> Result<ValveReading, EnvError> {
    let stamp_secs = reading.stamp.0.as_secs_f64();
    let valve = reading.valve.ok_or(EnvError::NoValve { stamp_secs })?;
    Senses::of(reading)?;
    match valve.angle.is_finite() {
        true => Ok(valve),
        false => Err(EnvError::NotFinite { what: "angle of valve 0".into(), found: valve.angle, stamp_secs }),
    }
}
