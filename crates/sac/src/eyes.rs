//! What turns pictures into features: the critics' encoder with its averaged copy, and the actor's own where it
//! doesn't read theirs.

use crate::config::{SacConfig, SacConfigError};
use crate::network::{Adam, Architecture, Network};
use burn::tensor::{Device, Tensor, TensorData};
use std::ops::Range;
use std::sync::Arc;
use turnkey_core::{Frame, PictureShape, Rng};
use turnkey_encoder::{EncoderShape, Photometric, encode, encode_bytes, first_parameters, random_shift_into};

/// Pictures in bytes, `[batch, height, width, channels]`.
pub(crate) type Pictures = Arc<Vec<u8>>;

impl Architecture for EncoderShape {
    type Input = Pictures;

    fn parameters(&self) -> usize {
        self.parameters()
    }

    fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        self.tensors()
    }

    fn draw(&self, rng: &mut Rng) -> Vec<f32> {
        first_parameters(self, rng)
    }

    fn run(self: &Arc<Self>, input: Pictures, theta: Tensor<1>) -> Tensor<2> {
        encode_bytes(&input, theta, self)
    }
}

/// The encoders and their optimisers.
#[derive(Clone, Debug)]
pub(crate) struct Eyes {
    /// Trained by the critics' loss; shared with the actor, which reads it without training it, unless the actor
    /// has its own.
    pub(crate) critics: Network<EncoderShape>,
    /// The moving average that the target critics see by.
    pub(crate) target: Network<EncoderShape>,
    pub(crate) critic_adam: Adam,
    /// The actor's own encoder, trained by the actor's loss.
    pub(crate) actor: Option<(Network<EncoderShape>, Adam)>,
    pictures: PictureShape,
    shift: usize,
    photometric: Photometric,
}

impl Eyes {
    /// Encoders for these pictures.
    pub(crate) fn new(
        config: &SacConfig,
        pictures: PictureShape,
        rng: &mut Rng,
        device: &Device,
    ) -> Result<Self, SacConfigError> {
        let shape = EncoderShape::named(config.encoder.layers, pictures).map_err(|error| SacConfigError {
            key: "encoder.layers",
            expected: "layers that fit the pictures",
            actual: error.to_string(),
        })?;
        Ok(Self::of(config, pictures, shape, rng, device))
    }

    /// Encoders of this shape.
    pub(crate) fn of(
        config: &SacConfig,
        pictures: PictureShape,
        shape: EncoderShape,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let (encoder, adam) = (&config.encoder, || Adam::new(config.learning_rate, shape.parameters(), device));
        let critics = Network::new(shape.clone(), rng, device);
        let mut target = critics.clone();
        target.set_parameters(critics.parameters());
        let actor = encoder.separate.then(|| (Network::new(shape.clone(), rng, device), adam()));
        let (shift, photometric) = (encoder.shift, encoder.photometric);
        Self { critics, target, critic_adam: adam(), actor, pictures, shift, photometric }
    }

    /// Features that the encoders give.
    pub(crate) fn features(&self) -> usize {
        self.critics.shape().features()
    }

    /// The encoder that the actor sees by.
    pub(crate) fn actor(&self) -> &Network<EncoderShape> {
        self.actor.as_ref().map_or(&self.critics, |(encoder, _)| encoder)
    }

    /// Steps that the optimisers have taken: the critics' encoder's and the actor's own's.
    pub(crate) fn steps(&self) -> (u64, u64) {
        (self.critic_adam.step, self.actor.as_ref().map_or(0, |(_, adam)| adam.step))
    }

    /// Sets what [`Eyes::steps`] gives.
    pub(crate) fn set_steps(&mut self, (critics, own): (u64, u64)) {
        self.critic_adam.step = critics;
        if let Some((_, adam)) = &mut self.actor {
            adam.step = own;
        }
    }

    /// The pictures that are seen.
    pub(crate) fn pictures(&self) -> PictureShape {
        self.pictures
    }

    /// The pictures of a batch; where `rng` is given, each row's are moved at random by up to `encoder.shift` pixels and
    /// changed in light and colour by up to `encoder.photometric`.
    pub(crate) fn augmented(&self, pixels: &[u8], rng: Option<&mut Rng>) -> Pictures {
        let mut augmented = pixels.to_vec();
        if let Some(rng) = rng {
            if self.shift > 0 {
                let (size, channels) = (self.pictures.size, self.pictures.channels());
                random_shift_into(pixels, &mut augmented, size, channels, self.shift, rng);
            }
            self.photometric.apply(&mut augmented, self.pictures.bytes(), rng);
        }
        Arc::new(augmented)
    }

    /// One observation's pictures, laid over each other.
    pub(crate) fn of_observation(&self, frames: &[Frame]) -> Pictures {
        of_observations(self.pictures, std::iter::once(frames))
    }

    /// The critics' features of one observation's pictures, and these as a tensor that a gradient can be taken for.
    pub(crate) fn traced(&self, frames: &[Frame], device: &Device) -> (Tensor<2>, Tensor<2>) {
        let pixels = self.of_observation(frames);
        let numbers: Vec<f32> = pixels.iter().map(|byte| turnkey_encoder::seen(*byte)).collect();
        let width = numbers.len();
        let pictures = Tensor::from_data(TensorData::new(numbers, [1, width]), device);
        let pictures = Tensor::from_inner(pictures).require_grad();
        (self.critics.constant().through(|shape, theta| encode(pictures.clone(), theta, shape)), pictures)
    }
}

/// The pictures of observations, those of each laid over each other.
pub(crate) fn of_observations<'a>(
    shape: PictureShape,
    observations: impl ExactSizeIterator<Item = &'a [Frame]>,
) -> Pictures {
    let mut pixels = vec![0; observations.len() * shape.bytes()];
    for (out, frames) in pixels.chunks_exact_mut(shape.bytes()).zip(observations) {
        shape.lay_over(frames.iter().map(Frame::pixels), out);
    }
    Arc::new(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EncoderConfig;
    use turnkey_core::FrameSize;
    use turnkey_encoder::Photometric;

    fn eyes(shift: usize, photometric: Photometric) -> Eyes {
        let config = SacConfig {
            encoder: EncoderConfig { shift, photometric, ..EncoderConfig::default() },
            ..SacConfig::default()
        };
        let pictures = PictureShape { size: FrameSize { width: 40, height: 40 }, stack: 1 };
        Eyes::new(&config, pictures, &mut Rng::new(1, "networks"), &Device::flex()).unwrap()
    }

    #[test]
    fn pictures_are_changed_as_configured_and_only_where_there_is_chance() {
        let pixels: Vec<u8> = (0..2 * 40 * 40 * 3).map(|i| (i % 200) as u8).collect();
        let light = Photometric { brightness: 0.3, ..Photometric::default() };
        let rng = || Rng::new(2, "sampling");
        assert_eq!(*eyes(2, light).augmented(&pixels, None), pixels);
        assert_eq!(*eyes(0, Photometric::default()).augmented(&pixels, Some(&mut rng())), pixels);
        let lit = eyes(0, light).augmented(&pixels, Some(&mut rng()));
        let changes: Vec<i16> = pixels.iter().zip(lit.iter()).map(|(a, b)| i16::from(*b) - i16::from(*a)).collect();
        let unclipped = |row: usize| changes[row * 4800 + 60..row * 4800 + 150].to_vec();
        assert!(unclipped(0).iter().all(|change| *change == unclipped(0)[0] && *change != 0), "one change a row");
        assert_ne!(unclipped(0)[0], unclipped(1)[0], "each row its own");
        let both = eyes(2, light).augmented(&pixels, Some(&mut rng()));
        assert!(both != lit && *both != pixels);
    }
}
