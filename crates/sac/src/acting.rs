//! The policy alone, for those who act while others learn.

use crate::actor;
use crate::eyes::of_observation;
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
    /// Means and logs of deviations, `[1, 2 * action]`.
    fn outputs(self, observation: &Observation) -> Tensor<2> {
        let numbers = TensorData::new(observation.numbers.clone(), [1, observation.numbers.len()]);
        let pictures = self.encoder.map(|(_, shape)| of_observation(shape, &observation.pictures));
        let seen = Seen { numbers: Tensor::from_data(numbers, self.device), pictures };
        let encoder = || self.encoder.expect("pictures are seen by an encoder").0;
        self.network.forward(seen.features(|pictures| encoder().forward(pictures)))
    }

    fn act_with(self, observation: &Observation, noise: Vec<f32>) -> Action {
        let noise = Tensor::from_data(TensorData::new(noise, [1, self.action]), self.device);
        to_action(actor::sample(self.outputs(observation), noise).0)
    }

    fn act(self, observation: &Observation, mode: Mode, rng: &mut Rng) -> Action {
        match mode {
            Mode::Deterministic => to_action(actor::centre(self.outputs(observation))),
            Mode::Sample => {
                let mut noise = vec![0.0; self.action];
                rng.fill_normal(&mut noise);
                self.act_with(observation, noise)
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
        self.acting().act_with(observation, noise)
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
        self.acting().act_with(observation, noise)
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

    /// What is given here can go to another thread, or this doesn't compile.
    const fn goes_to_another_thread<T: Send>() {}

    #[test]
    fn a_copy_acts_as_its_learner_did_to_the_bit_and_learning_does_not_reach_it() {
        const { goes_to_another_thread::<Actor>() }
        check(None);
        check(Some(PictureShape { size: SIZE, stack: 2 }));
    }
}
