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
    /// How many of these a disturbed episode has at once, drawn anew; all if absent.
    pub at_once: Option<usize>,
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
        let listed = self.scene.len() + self.frames.len();
        if let Some(at_once) = self.at_once.filter(|at_once| !(1..=listed).contains(at_once)) {
            return refuse("disturbance.at_once", "1 to as many as are listed", format!("{at_once} of {listed}"));
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
        disturbed.perturber(disturbed.config.frames.clone(), 0)?;
        Ok(disturbed)
    }

    fn perturber(&self, frames: Vec<FramePerturbation>, seed: u64) -> Result<Option<Perturber>, EnvError> {
        if frames.is_empty() {
            return Ok(None);
        }
        let config = PerturberConfig { perturbations: frames, draw: self.config.draw };
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
        let scene = self.config.scene.iter().enumerate().filter(|(_, (_, strength))| **strength > 0.0);
        let scene = scene.map(|(i, (family, strength))| {
            SceneDisturbance::draw(*family, strength * part(), seeds.wrapping_add(i as u64))
        });
        let mut scene: Vec<_> = scene.filter(|_| disturbed).collect();
        let mut frames = if disturbed { self.config.frames.clone() } else { Vec::new() };
        while self.config.at_once.is_some_and(|at_once| scene.len() + frames.len() > at_once) {
            let dropped = rng.below(scene.len() + frames.len());
            match dropped.checked_sub(scene.len()) {
                None => drop(scene.remove(dropped)),
                Some(frame) => drop(frames.remove(frame)),
            }
        }
        let frames = self.perturber(frames, seeds)?;
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

    fn turns_valve(&self) -> bool {
        self.plant.turns_valve()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FirstOrderPlant;

    #[test]
    fn an_episode_has_as_many_disturbances_at_once_as_are_asked_for() {
        let scene = [SceneFamily::MarkColor, SceneFamily::CameraPose].map(|family| (family, 1.0)).into();
        let frames = vec![FramePerturbation::ALL[0].strengths[0]];
        let config = DisturbanceConfig { scene, frames, at_once: Some(1), ..Default::default() };
        let mut plant = Disturbed::new(FirstOrderPlant::new(), config.clone(), 40).unwrap();
        let mut seen = [0; 3];
        for seed in 0..300 {
            plant.begin(seed).unwrap();
            let Episode { scene, frames, .. } = &plant.episode;
            let kinds = ["MarkColor", "CameraPose"].map(|name| format!("{scene:?}").contains(name));
            let there = [kinds[0], kinds[1], frames.is_some()];
            assert_eq!(there.iter().filter(|there| **there).count(), 1, "{there:?}");
            seen.iter_mut().zip(there).for_each(|(seen, there)| *seen += usize::from(there));
        }
        assert!(seen.iter().all(|seen| (70..130).contains(seen)), "each as often: {seen:?}");
        for at_once in [0, 4] {
            let config = DisturbanceConfig { at_once: Some(at_once), ..config.clone() };
            assert!(Disturbed::new(FirstOrderPlant::new(), config, 40).unwrap_err().to_string().contains("at_once"));
        }
    }
}
