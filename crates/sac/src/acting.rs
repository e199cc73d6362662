//! The policy alone, for those who act while others learn.

use crate::actor;
use crate::eyes::of_observations;
use crate::learner::{Sac, Seen, to_action};
use crate::network::Network;
use burn::tensor::{Device, Tensor, TensorData};
use turnkey_core::{Action, Mode, Observation, PictureShape, Policy, Rng};
use turnkey_encoder::EncoderShape;

/// A copy of a learner's actor, and of the encoder that it sees by, with numbers of its own on the CPU: what the
/// learner does afterwards changes nothing of it, and acting by it builds no graph. It can go to another thread.
#[derive(Clone, Debug)]
pub struct Actor {
    action: usize,
    network: Network,
    encoder: Option<(Network<EncoderShape>, PictureShape)>,
    updates: u64,
    device: Device,
}

/// What acts, whoever owns it.
#[derive(Clone, Copy)]
struct Acting<'a> {
    action: usize,
    network: &'a Network,
    encoder: Option<(&'a Network<EncoderShape>, PictureShape)>,
    device: &'a Device,
}

impl Acting<'_> {
    /// Means and logs of deviations, `[observations, 2 * action]`.
    fn outputs(self, observations: &[&Observation]) -> Tensor<2> {
        let numbers: Vec<f32> = observations.iter().flat_map(|one| one.numbers.iter().copied()).collect();
        let width = numbers.len() / observations.len().max(1);
        let numbers = Tensor::from_data(TensorData::new(numbers, [observations.len(), width]), self.device);
        let frames = observations.iter().map(|one| &one.pictures[..]);
        let pictures = self.encoder.map(|(_, shape)| of_observations(shape, frames));
        let encoder = || self.encoder.expect("pictures are seen by an encoder").0;
        self.network.forward(Seen { numbers, pictures }.features(|pictures| encoder().forward(pictures)))
    }

    fn act_with_all(self, observations: &[&Observation], noise: Vec<f32>) -> Vec<Action> {
        if observations.is_empty() {
            return Vec::new(); // of no width
        }
        let Action(numbers) = to_action(actor::sample(self.outputs(observations), self.noise(noise)).0);
        numbers.chunks_exact(self.action).map(|action| Action(action.to_vec())).collect()
    }

    fn act_with_one(self, observation: &Observation, noise: Vec<f32>) -> Action {
        to_action(actor::sample(self.outputs(&[observation]), self.noise(noise)).0)
    }

    /// As a matrix, `[observations, action]`.
    fn noise(self, noise: Vec<f32>) -> Tensor<2> {
        let rows = noise.len() / self.action;
        Tensor::from_data(TensorData::new(noise, [rows, self.action]), self.device)
    }

    fn act(self, observation: &Observation, mode: Mode, rng: &mut Rng) -> Action {
        match mode {
            Mode::Deterministic => to_action(actor::centre(self.outputs(&[observation]))),
            Mode::Sample => {
                let mut noise = vec![0.0; self.action];
                rng.fill_normal(&mut noise);
                self.act_with_one(observation, noise)
            }
        }
    }
}

impl Sac {
    /// The policy as it is now.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let device = Device::flex();
        Actor {
            action: self.action,
            network: self.actor.copied_to(&device),
            encoder: self.eyes.as_ref().map(|eyes| (eyes.actor().copied_to(&device), eyes.pictures())),
            updates: self.updates,
            device,
        }
    }

    fn acting(&self) -> Acting<'_> {
        let encoder = self.eyes.as_ref().map(|eyes| (eyes.actor(), eyes.pictures()));
        Acting { action: self.action, network: &self.actor, encoder, device: &self.device }
    }

    /// The action for one observation under given standard normal noise, one number an action.
    #[must_use]
    pub fn act_with(&self, observation: &Observation, noise: Vec<f32>) -> Action {
        self.acting().act_with_one(observation, noise)
    }

    /// The actions for several observations by one pass, under standard normal noise of `[observations, action]`.
    ///
    /// # Panics
    /// When there is more or less noise, or the observations aren't all of the learner's width.
    #[must_use]
    pub fn act_with_all(&self, observations: &[&Observation], noise: Vec<f32>) -> Vec<Action> {
        assert_eq!(noise.len(), observations.len() * self.action, "noise for each number of each action");
        self.acting().act_with_all(observations, noise)
    }
}

impl Policy for Sac {
    fn act(&mut self, observation: &Observation, mode: Mode, rng: &mut Rng) -> Action {
        self.acting().act(observation, mode, rng)
    }
}

impl Actor {
    /// Updates that had made it what it is.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.updates
    }

    fn acting(&self) -> Acting<'_> {
        let encoder = self.encoder.as_ref().map(|(encoder, shape)| (encoder, *shape));
        Acting { action: self.action, network: &self.network, encoder, device: &self.device }
    }

    /// As [`Sac::act_with`].
    #[must_use]
    pub fn act_with(&self, observation: &Observation, noise: Vec<f32>) -> Action {
        self.acting().act_with_one(observation, noise)
    }
}

impl Policy for Actor {
    fn act(&mut self, observation: &Observation, mode: Mode, rng: &mut Rng) -> Action {
        self.acting().act(observation, mode, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SacConfig;
    use turnkey_core::{Batch, Frame, FrameSize, Learner as _, Stamp};

    const SIZE: FrameSize = FrameSize { width: 32, height: 32 };

    fn check(pictures: Option<PictureShape>) {
        let config = SacConfig { actor_hidden: vec![16], critic_hidden: vec![16], ..SacConfig::default() };
        let mut sac = Sac::seeing(&config, 3, pictures, 2, 7).unwrap();
        let pixels = (0..SIZE.bytes()).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>();
        let frame = Frame::new(Stamp::default(), SIZE, pixels).unwrap();
        let frames = pictures.map_or_else(Vec::new, |shape| vec![frame; shape.stack]);
        let observation = Observation { numbers: vec![0.1, -0.4, 0.9], pictures: frames };
        let noise = vec![0.3, -1.0];
        let (actor, before) = (sac.actor(), sac.act_with(&observation, noise.clone()));
        assert_eq!(actor.act_with(&observation, noise.clone()), before);

        let mut batch = Batch::zeros(4, 3, 2).with_pictures(pictures);
        batch.rewards.fill(1.0);
        batch.observations.fill(0.5);
        for _ in 0..3 {
            sac.update(&batch);
        }
        assert_ne!(sac.act_with(&observation, noise.clone()), before, "it learned");
        let after = actor.act_with(&observation, noise);
        assert_eq!((after, actor.updates()), (before, 0), "learning changed the copy");
        assert_eq!(sac.actor().updates(), 3);
    }

    #[test]
    fn several_observations_at_once_get_the_actions_that_each_gets_alone() {
        for pictures in [None, Some(PictureShape { size: SIZE, stack: 2 })] {
            let config = SacConfig { actor_hidden: vec![16], critic_hidden: vec![16], ..SacConfig::default() };
            let sac = Sac::seeing(&config, 3, pictures, 2, 7).unwrap();
            let mut rng = turnkey_core::Rng::new(1, "observations");
            let mut observe = || {
                let numbers = (0..3).map(|_| rng.normal() as f32).collect();
                let mut frame = || {
                    Frame::new(Stamp::default(), SIZE, (0..SIZE.bytes()).map(|_| rng.bits() as u8).collect::<Vec<_>>())
                };
                let frames =
                    pictures.map_or_else(Vec::new, |shape| (0..shape.stack).map(|_| frame().unwrap()).collect());
                Observation { numbers, pictures: frames }
            };
            let observations: Vec<Observation> = (0..5).map(|_| observe()).collect();
            let noise: Vec<f32> = (0..10).map(|at| 0.3 * at as f32 - 1.0).collect();
            let together = sac.act_with_all(&observations.iter().collect::<Vec<_>>(), noise.clone());
            assert_eq!(together.len(), 5);
            for ((observation, noise), action) in observations.iter().zip(noise.chunks(2)).zip(&together) {
                let alone = sac.act_with(observation, noise.to_vec());
                let apart = alone.0.iter().zip(&action.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-6 && action.0.len() == 2, "{alone:?} and {action:?}");
            }
            assert_ne!(together[0], together[1], "each its own");
            assert_eq!(sac.act_with_all(&[], Vec::new()), []);
        }
    }

    /// What is given here can go to another thread, or this doesn't compile.
    const fn goes_to_another_thread<T: Send>() {}

    #[test]
    fn a_copy_acts_as_its_learner_did_to_the_bit_and_learning_does_not_reach_it() {
        const { goes_to_another_thread::<Actor>() }
        check(None);
        check(Some(PictureShape { size: SIZE, stack: 2 }));
    }
}
