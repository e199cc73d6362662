//! A benchmark in motion.

use crate::rules::{Contact, EPISODE_STEPS, Rules};
use crate::sums::{squares_f32, squares_f64};
use crate::{BenchmarkError, BenchmarkName};
use mujoco_rs::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use turnkey_core::{
    Action, End, Environment, Failure, Info, Kind, Observation, Rng, Snapshot, SnapshotError, Spec, Step,
};

/// Position, speed, warm start, controls, time: all that decides how MuJoCo goes on.
const STATE: u32 = MjtState::mjSTATE_INTEGRATION as u32;

/// One of Gymnasium's locomotion environments. Actions in [-1, 1] are scaled to the actuators' range, as the libraries that
/// learn in Gymnasium do.
///
/// A state that diverges is reset by MuJoCo, as it is there.
pub struct Locomotion {
    name: BenchmarkName,
    rules: &'static Rules,
    data: MjData<Box<MjModel>>,
    spec: Spec,
    /// Middle and half width of each actuator's range.
    ranges: Vec<(f32, f32)>,
    /// Positions and velocities that starts are around.
    start: (Vec<f64>, Vec<f64>),
    progress: Progress,
}

/// What a step needs to know of those before it, besides the physics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Steps so far.
    steps: usize,
    /// Where the body was at the step's end, along the way it is to go, m.
    place: f64,
}

/// A snapshot.
#[derive(Serialize, Deserialize)]
struct Saved {
    name: BenchmarkName,
    progress: Progress,
    physics: Vec<f64>,
}

impl Locomotion {
    /// The benchmark, with its model from the folder that `TURNKEY_BENCHMARKS_DIR` names, or else from where set-up puts it.
    ///
    /// # Errors
    /// When the model isn't there or isn't this benchmark's.
    pub fn new(name: BenchmarkName) -> Result<Self, BenchmarkError> {
        Self::from_folder(name, &folder()?)
    }

    /// The benchmark with its model from `folder`.
    ///
    /// # Errors
    /// As [`Locomotion::new`].
    pub fn from_folder(name: BenchmarkName, folder: &Path) -> Result<Self, BenchmarkError> {
        let rules = name.rules();
        let path = folder.join(rules.model);
        let text =
            std::fs::read_to_string(&path).map_err(|source| BenchmarkError::Missing { path: path.clone(), source })?;
        turnkey_sim::quieten();
        let parse = |reason: String| BenchmarkError::Parse { path: path.clone(), reason };
        let model = MjModel::from_xml_string(&text).map_err(|error| parse(error.to_string()))?;
        let actual = (model.nq() as usize, model.nv() as usize, model.nu() as usize);
        if actual != rules.sizes {
            let spelled =
                |(nq, nv, nu): (usize, usize, usize)| format!("{nq} positions, {nv} velocities, {nu} actuators");
            return Err(BenchmarkError::Shape { path, expected: spelled(rules.sizes), actual: spelled(actual) });
        }
        let range = |[low, high]: &[f64; 2]| ((0.5 * (low + high)) as f32, (0.5 * (high - low)) as f32);
        let ranges = model.actuator_ctrlrange().iter().map(range).collect();
        let data = MjData::try_new(Box::new(model)).map_err(|error| parse(error.to_string()))?;
        let start = (data.qpos().to_vec(), data.qvel().to_vec());
        let action = (0..rules.sizes.2).map(|index| format!("control {index}")).collect();
        let spec = Spec { observation: Vec::new(), pictures: None, action, episode_steps: EPISODE_STEPS };
        let progress = Progress { steps: 0, place: 0.0 };
        let mut this = Self { name, rules, data, spec, ranges, start, progress };
        this.data.forward();
        let seen = this.observation().len();
        this.spec.observation = (0..seen).map(|index| format!("state {index}")).collect();
        Ok(this)
    }

    /// What Gymnasium gives to see, in double precision: positions but for those forwards, velocities, and forces where the
    /// benchmark has them; in m, rad, m/s, rad/s, N, N m.
    #[must_use]
    pub fn observation(&self) -> Vec<f64> {
        let (data, limit) = (&self.data, self.rules.velocity_limit);
        let mut seen = data.qpos()[self.rules.hidden..].to_vec();
        seen.extend(data.qvel().iter().map(|velocity| velocity.clamp(-limit, limit)));
        match &self.rules.contact {
            Contact::None => {}
            Contact::Limited { force, .. } => {
                seen.extend(data.cfrc_ext()[1..].iter().flatten().map(|x| x.clamp(-force, *force)));
            }
            Contact::Everything { .. } => {
                seen.extend(data.cinert()[1..].iter().flatten());
                seen.extend(data.cvel()[1..].iter().flatten());
                seen.extend(&data.qfrc_actuator()[6..]);
                seen.extend(data.cfrc_ext()[1..].iter().flatten());
            }
        }
        seen
    }

    /// Begins an episode in a given state: positions (m, rad; quaternions) and velocities (m/s, rad/s) in the model's order.
    ///
    /// # Errors
    /// When there are more or fewer of them than the model has, or one is no number.
    pub fn begin(&mut self, positions: &[f64], velocities: &[f64]) -> Result<(), BenchmarkError> {
        let (nq, nv, _) = self.rules.sizes;
        let is_number = positions.iter().chain(velocities).all(|x| x.is_finite());
        if (positions.len(), velocities.len()) != (nq, nv) || !is_number {
            let actual = format!("{} positions, {} velocities", positions.len(), velocities.len());
            let expected = format!("{nq} positions, {nv} velocities, all numbers");
            return Err(BenchmarkError::State { of: self.name.id(), expected, actual });
        }
        self.data.reset();
        self.data.qpos_mut().copy_from_slice(positions);
        self.data.qvel_mut().copy_from_slice(velocities);
        self.data.forward();
        self.progress = Progress { steps: 0, place: self.place() };
        Ok(())
    }

    /// Acts by `controls` in the actuators' own range, for one step.
    ///
    /// # Panics
    /// When there are more or fewer of them than actuators.
    pub fn act(&mut self, controls: &[f32]) -> (f64, Option<End>) {
        for (slot, control) in self.data.ctrl_mut().iter_mut().zip(controls) {
            *slot = f64::from(*control);
        }
        assert_eq!(controls.len(), self.ranges.len(), "{} has so many actuators", self.name);
        for _ in 0..self.rules.frame_skip {
            self.data.step();
        }
        // Contact forces are brought up to date by this alone.
        self.data.rne_post_constraint();
        let place = self.place();
        let seconds = self.data.model().opt().timestep * self.rules.frame_skip as f64;
        let velocity = (place - self.progress.place) / seconds;
        self.progress = Progress { steps: self.progress.steps + 1, place };
        let healthy = self.rules.health.holds(self.data.qpos(), self.data.qvel());
        let end = match (healthy, self.progress.steps) {
            (false, _) => Some(End::Terminated),
            (true, EPISODE_STEPS..) => Some(End::Truncated),
            (true, _) => None,
        };
        (self.reward(velocity, healthy, controls), end)
    }

    /// In Gymnasium's order of operations, with the control's cost in single precision where it has it so.
    fn reward(&self, velocity: f64, healthy: bool, controls: &[f32]) -> f64 {
        let rules = self.rules;
        let gain = rules.forward_weight * velocity + if healthy { rules.healthy_reward } else { 0.0 };
        let single = || f64::from(rules.control_weight as f32 * squares_f32(controls));
        let forces = || self.data.cfrc_ext().iter().flatten().copied();
        gain - match &rules.contact {
            Contact::None => single(),
            Contact::Limited { force, weight } => {
                single() + weight * squares_f64(forces().map(|x| x.clamp(-force, *force)))
            }
            Contact::Everything { weight, most } => {
                let control = rules.control_weight * squares_f64(self.data.ctrl().iter().copied());
                control + (weight * squares_f64(forces())).min(*most)
            }
        }
    }

    /// Where the body is along the way it is to go, m.
    fn place(&self) -> f64 {
        match self.rules.contact {
            Contact::None => self.data.qpos()[0],
            Contact::Limited { .. } => self.data.xpos()[1][0],
            Contact::Everything { .. } => {
                let mass = self.data.model().body_mass();
                let moment: f64 = mass.iter().zip(self.data.xipos()).map(|(mass, place)| mass * place[0]).sum();
                moment / mass.iter().sum::<f64>()
            }
        }
    }

    fn seen(&self) -> Observation {
        Observation::from(self.observation().into_iter().map(|x| x as f32).collect::<Vec<_>>())
    }
}

impl Environment for Locomotion {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
        let mut rng = Rng::new(seed, "benchmark's start");
        let Rules { noise, normal_velocities, .. } = *self.rules;
        let positions: Vec<f64> = self.start.0.iter().map(|x| x + rng.uniform(-noise, noise)).collect();
        let mut velocity = || if normal_velocities { noise * rng.normal() } else { rng.uniform(-noise, noise) };
        let velocities: Vec<f64> = self.start.1.iter().map(|x| x + velocity()).collect();
        self.begin(&positions, &velocities).map_err(|error| Failure::new(Kind::Bug, error))?;
        Ok(self.seen())
    }

    fn step(&mut self, action: &Action) -> Result<Step, Failure> {
        if action.0.len() != self.ranges.len() {
            let expected = self.ranges.len();
            let words = format!("{}: expected {expected} numbers as an action, got {:?}", self.name, action.0);
            return Err(Failure::new(Kind::Bug, words));
        }
        let scaled = |(x, (middle, half)): (f32, &(f32, f32))| middle + half * x;
        let controls: Vec<f32> = action.bounded().zip(&self.ranges).map(scaled).collect();
        let (reward, end) = self.act(&controls);
        Ok(Step { observation: self.seen(), reward, end, info: Info::default() })
    }
}

impl Snapshot for Locomotion {
    fn save(&self) -> Vec<u8> {
        let physics = self.data.state(STATE).into_vec();
        let saved = Saved { name: self.name, progress: self.progress.clone(), physics };
        // Numbers in vectors: nothing that postcard can't write.
        postcard::to_stdvec(&saved).unwrap_or_default()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("benchmark", reason);
        let (saved, rest) = postcard::take_from_bytes::<Saved>(state).map_err(|error| refuse(error.to_string()))?;
        if !rest.is_empty() || !saved.progress.place.is_finite() || saved.progress.steps > EPISODE_STEPS {
            return Err(refuse(format!(
                "expected a state and no more, got {:?}, {} bytes more",
                saved.progress,
                rest.len()
            )));
        }
        if saved.name != self.name {
            return Err(refuse(format!("expected one of {}, got {}", self.name, saved.name)));
        }
        let expected = self.data.model().state_size(STATE);
        if saved.physics.len() != expected || saved.physics.iter().any(|x| !x.is_finite()) {
            return Err(refuse(format!("expected {expected} numbers, got {} or what is none", saved.physics.len())));
        }
        self.data.reset();
        self.data.set_state(&saved.physics, STATE).map_err(|error| refuse(error.to_string()))?;
        self.progress = saved.progress;
        Ok(())
    }
}

/// The folder with the models.
fn folder() -> Result<PathBuf, BenchmarkError> {
    let beside =
        || option_env!("MUJOCO_DYNAMIC_LINK_DIR").map(|libmujoco| Path::new(libmujoco).join("../benchmarks/assets"));
    std::env::var_os("TURNKEY_BENCHMARKS_DIR").map(PathBuf::from).or_else(beside).ok_or(BenchmarkError::NoFolder)
}
