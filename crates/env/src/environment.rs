//! A plant with a valve task on it.

use crate::senses::Sight;
use crate::{Augmentation, AugmentationConfig, EnvError, Sees, ValveTask};
use serde::{Deserialize, Serialize};
use turnkey_core::{
    Action, Augment, ControlRecord, Environment, Failure, JOINTS, JointVector, Observation, PictureShape, Plant, Pose,
    Reading, Rng, Scene, Snapshot, SnapshotError, Spec, Step, Task,
};

/// A claw, of metal or simulated, with a task.
#[derive(Debug)]
pub struct ClawEnvironment<P> {
    plant: P,
    task: ValveTask,
    spec: Spec,
    augmentation: Option<Augmentation>,
    episode: Option<Episode>,
}

/// The episode in progress, besides what plant and task know.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Episode {
    reading: Reading,
    sight: Option<Sight>,
    last: Option<Command>,
    over: bool,
}

/// What the last step asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Command {
    action: Action,
    goal: JointVector,
}

impl<P: Plant> ClawEnvironment<P> {
    /// The environment of `task` on `plant`.
    ///
    /// # Errors
    /// When they disagree about the control period, or the task needs a camera that the plant lacks.
    pub fn new(plant: P, task: ValveTask) -> Result<Self, EnvError> {
        let (wanted, found) = (task.config().period_secs, plant.period().as_secs_f64());
        if (wanted - found).abs() > 1e-9 {
            return Err(EnvError::Period { task: wanted, plant: found });
        }
        let mut spec = task.spec();
        if task.config().sees == Sees::Pixels {
            let size = plant.frame_size().ok_or(EnvError::NoCamera)?;
            spec.pictures = Some(PictureShape { size, stack: task.config().stack });
        }
        Ok(Self { plant, task, spec, augmentation: None, episode: None })
    }

    /// The same, with [`Environment::augment`] as configured.
    ///
    /// # Errors
    /// As [`Augmentation::new`].
    pub fn with_augmentation(self, config: AugmentationConfig) -> Result<Self, EnvError> {
        let augmentation = Some(Augmentation::new(&self.task, config)?);
        Ok(Self { augmentation, ..self })
    }

    /// The plant.
    #[must_use]
    pub fn plant(&self) -> &P {
        &self.plant
    }

    /// The plant, to change what the trait doesn't know of.
    pub fn plant_mut(&mut self) -> &mut P {
        &mut self.plant
    }

    /// What the task shows of a reading, and the pictures.
    fn observe(&self, reading: &Reading, sight: Option<&Sight>) -> Result<Observation, Failure> {
        let pictures = sight.map_or_else(Vec::new, Sight::pictures);
        Ok(Observation { pictures, ..self.task.observe(reading)? })
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &ValveTask {
        &self.task
    }
}

impl<P: Plant> Environment for ClawEnvironment<P> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
        self.episode = None;
        let start = self.task.begin(&mut Rng::new(seed, "episode"));
        let reading = self.plant.reset(&start)?;
        if !self.plant.turns_valve() {
            self.task.begin_where_it_is(&start, &reading)?;
        }
        let sight = self.spec.pictures.map(|shape| Sight::begin(shape, &reading)).transpose()?;
        let observation = self.observe(&reading, sight.as_ref())?;
        self.episode = Some(Episode { reading, sight, last: None, over: false });
        Ok(observation)
    }

    fn step(&mut self, action: &Action) -> Result<Step, Failure> {
        if action.0.len() != JOINTS {
            return Err(EnvError::ActionWidth { expected: JOINTS, found: action.0.len() }.into());
        }
        // Taken out, so that an error on the way leaves no episode to go on with.
        let episode = self.episode.take().filter(|episode| !episode.over).ok_or(EnvError::NoEpisode)?;
        let goal = self.task.goal(action, &episode.reading, self.plant.limits());
        let reading = self.plant.step(&goal)?;
        let outcome = self.task.advance(action, &reading)?;
        let sight = match (episode.sight, self.spec.pictures) {
            (Some(sight), Some(shape)) => Some(sight.after(shape, &reading)?),
            _ => None,
        };
        let observation = self.observe(&reading, sight.as_ref())?;
        let last = Some(Command { action: action.clone(), goal: *goal.radians() });
        self.episode = Some(Episode { reading, sight, last, over: outcome.end.is_some() });
        Ok(Step { observation, reward: outcome.reward, end: outcome.end, info: outcome.info })
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.episode = None;
        self.plant.release()
    }

    fn augment(&self) -> Option<&dyn Augment> {
        self.augmentation.as_ref().map(|augmentation| augmentation as &dyn Augment)
    }

    fn scene(&self) -> Option<&Scene> {
        self.plant.scene()
    }

    fn poses(&self) -> Vec<Pose> {
        self.plant.poses()
    }

    fn control_record(&self) -> Option<ControlRecord> {
        let Episode { reading, last, .. } = self.episode.as_ref()?;
        let Command { action, goal } = last.as_ref()?;
        let outcome = self.task.judge(reading).ok()?;
        Some(ControlRecord {
            step: 0,
            reading: reading.clone(),
            goal: *goal,
            action: action.clone(),
            target: self.task.target(),
            angular_error: outcome.info.angular_error?,
            reward: outcome.reward,
            terms: outcome.info.terms,
            lateness: None,
            health: self.plant.health(),
            poses: Vec::new(),
        })
    }
}

/// Everything of an environment, as written down.
#[derive(Serialize, Deserialize)]
struct Saved {
    plant: Vec<u8>,
    task: Vec<u8>,
    episode: Option<Episode>,
}

impl<P: Plant> Snapshot for ClawEnvironment<P> {
    fn save(&self) -> Vec<u8> {
        let saved = Saved { plant: self.plant.save(), task: self.task.save(), episode: self.episode.clone() };
        postcard::to_allocvec(&saved).expect("bytes and numbers always serialise")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let saved: Saved = postcard::from_bytes(state).map_err(|e| SnapshotError::new("environment", e))?;
        let mut task = self.task.clone();
        task.restore(&saved.task)?;
        self.plant.restore(&saved.plant)?; // last of what can fail: a refusal changes nothing
        self.task = task;
        self.episode = saved.episode;
        Ok(())
    }
}
