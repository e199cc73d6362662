//! A plant whose world looks other than it is.

use crate::{EnvError, SceneDisturbance, SceneFamily};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use turnkey_core::{
    Failure, FrameSize, Health, JointGoal, JointLimits, Plant, Pose, Reading, Rng, Scene, SceneEdit, Snapshot,
    SnapshotError, Start,
};
use turnkey_picture::{Draw, FramePerturbation, Perturber, PerturberConfig};

/// What an episode's pictures suffer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DisturbanceConfig {
    /// What changes about the scene, each with its greatest strength, 0 to 1.
    pub scene: BTreeMap<SceneFamily, f64>,
    /// What happens to frames, in this order.
    pub frames: Vec<FramePerturbation>,
    /// Whether an episode has all of each, or a part of it that is drawn anew.
    pub draw: Draw,
    /// The share of episodes that are disturbed at all.
    pub share: Option<f64>,
}

impl DisturbanceConfig {
    /// Checks every strength.
    ///
    /// # Errors
    /// Names the first that is out of range.
    pub fn check(&self) -> Result<(), EnvError> {
        let refuse = |field, expected, found: String| Err(EnvError::Setting { field, expected, found });
        if let Some((family, strength)) = self.scene.iter().find(|(_, strength)| !(0.0..=1.0).contains(*strength)) {
            return refuse("disturbance.scene", "strengths of 0 to 1", format!("{family:?} = {strength}"));
        }
        match self.share {
            Some(share) if !(0.0..=1.0).contains(&share) => refuse("disturbance.share", "0 to 1", share.to_string()),
            _ => Ok(()),
        }
    }
}

/// A plant seen through disturbances: the scene's are the plant's to show, the frames' happen to what it took. Nothing
/// of how the world moves is changed, nor what is measured of joints and valve.
#[derive(Debug)]
pub struct Disturbed<P> {
    plant: P,
    config: DisturbanceConfig,
    episode_steps: usize,
    episode: Episode,
}

/// The disturbances of the episode in progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Episode {
    step: usize,
    scene: Vec<SceneDisturbance>,
    frames: Option<Perturber>,
}

impl<P: Plant> Disturbed<P> {
    /// `plant` under these disturbances. What moves through the scene does so once in `episode_steps`.
    ///
    /// # Errors
    /// When a strength is out of its range.
    pub fn new(plant: P, config: DisturbanceConfig, episode_steps: usize) -> Result<Self, EnvError> {
        config.check()?;
        let episode = Episode { step: 0, scene: Vec::new(), frames: None };
        let disturbed = Self { plant, config, episode_steps, episode };
        disturbed.perturber(0)?;
        Ok(disturbed)
    }

    fn perturber(&self, seed: u64) -> Result<Option<Perturber>, EnvError> {
        let DisturbanceConfig { frames, draw, .. } = &self.config;
        if frames.is_empty() {
            return Ok(None);
        }
        let config = PerturberConfig { perturbations: frames.clone(), draw: *draw };
        let refused = |error: turnkey_picture::PictureError| EnvError::Setting {
            field: "disturbance.frames",
            expected: "strengths within their ranges",
            found: error.to_string(),
        };
        Perturber::new(config, seed).map(Some).map_err(refused)
    }

    /// Draws an episode's disturbances.
    fn begin(&mut self, seed: u64) -> Result<(), EnvError> {
        let mut rng = Rng::new(seed, "disturbances");
        let disturbed = rng.unit() < self.config.share.unwrap_or(1.0);
        let seeds = rng.bits();
        let mut part = || if self.config.draw == Draw::Uniform { rng.unit() } else { 1.0 };
        let scene = self.config.scene.iter().enumerate();
        let scene = scene.map(|(i, (family, strength))| {
            SceneDisturbance::draw(*family, strength * part(), seeds.wrapping_add(i as u64))
        });
        let scene = scene.filter(|_| disturbed).collect();
        let frames = if disturbed { self.perturber(seeds)? } else { None };
        self.episode = Episode { step: 0, scene, frames };
        Ok(())
    }

    /// Shows the plant what its world looks like at the next reading.
    fn dress(&mut self) -> Result<(), Failure> {
        if self.config.scene.is_empty() {
            return Ok(());
        }
        let Episode { step, scene, .. } = &self.episode;
        let edits: Vec<SceneEdit> = scene.iter().flat_map(|one| one.edits(*step, self.episode_steps)).collect();
        self.plant.edit_scene(&edits)
    }

    fn seen(&mut self, reading: Reading) -> Reading {
        let frame = match (reading.frame, &mut self.episode.frames) {
            (Some(frame), Some(perturber)) => Some(perturber.apply(frame)),
            (frame, _) => frame,
        };
        Reading { frame, ..reading }
    }
}

impl<P: Plant> Plant for Disturbed<P> {
    fn limits(&self) -> &JointLimits {
        self.plant.limits()
    }

    fn period(&self) -> Duration {
        self.plant.period()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        self.begin(start.seed)?;
        self.dress()?;
        let reading = self.plant.reset(start)?;
        Ok(self.seen(reading))
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        self.episode.step += 1;
        self.dress()?;
        let reading = self.plant.step(goal)?;
        Ok(self.seen(reading))
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.plant.frame_size()
    }

    fn scene(&self) -> Option<&Scene> {
        self.plant.scene()
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.plant.release()
    }

    fn health(&self) -> Option<Health> {
        self.plant.health()
    }

    fn poses(&self) -> Vec<Pose> {
        self.plant.poses()
    }
}

impl<P: Plant> Snapshot for Disturbed<P> {
    fn save(&self) -> Vec<u8> {
        let saved = (self.plant.save(), &self.episode);
        postcard::to_allocvec(&saved).expect("bytes and numbers always serialise")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let (plant, episode): (Vec<u8>, Episode) =
            postcard::from_bytes(state).map_err(|e| SnapshotError::new("disturbed plant", e))?;
        self.plant.restore(&plant)?;
        self.episode = episode;
        Ok(())
    }
}
