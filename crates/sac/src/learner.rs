//! Soft Actor-Critic. Start reading at [`Sac::update_with`].

use crate::actor;
use crate::config::{SacConfig, SacConfigError};
use crate::eyes::{Eyes, Pictures};
use crate::kernel::MlpShape;
use crate::network::{Adam, Network, ScalarAdam};
use burn::tensor::{Device, Tensor, TensorData};
use turnkey_core::{Action, Batch, Learner, Observation, PictureBatch, PictureShape, Rng};
use turnkey_encoder::EncoderShape;

/// Actor, twin critics with averaged targets, and a learned temperature.
#[derive(Clone, Debug)]
pub struct Sac {
    pub(crate) config: SacConfig,
    pub(crate) observation: usize,
    pub(crate) action: usize,
    pub(crate) actor: Network,
    pub(crate) critics: Network,
    pub(crate) target_critics: Network,
    pub(crate) actor_adam: Adam,
    pub(crate) critic_adam: Adam,
    pub(crate) log_temperature: f64,
    pub(crate) temperature_adam: ScalarAdam,
    pub(crate) updates: u64,
    /// Loss and entropy of the newest actor update, which the updates between repeat.
    pub(crate) actor_figures: (f64, f64),
    pub(crate) rng: Rng,
    /// What pictures are seen by, where there are any.
    pub(crate) eyes: Option<Eyes>,
    pub(crate) device: Device,
}

/// Figures of one update, all means over the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metrics {
    /// Half the squared soft Bellman residual, summed over critics (Eq. 5).
    pub critic_loss: f64,
    /// Mean Q of the batch's own actions.
    pub q: f64,
    /// Mean of the critics' targets.
    pub target_q: f64,
    /// E[alpha log pi - min Q] (Eq. 7).
    pub actor_loss: f64,
    /// -E[log pi], nats.
    pub entropy: f64,
    /// Alpha before the update.
    pub temperature: f64,
}

/// Observations on the device: numbers, and pictures where there are any.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) numbers: Tensor<2>,
    pub(crate) pictures: Option<Pictures>,
}

/// A batch on the device.
struct Tensors {
    observations: Seen,
    actions: Tensor<2>,
    rewards: Tensor<2>,
    next_observations: Seen,
    continues: Tensor<2>,
}

impl Seen {
    /// What a network is given: the features of the pictures, and the numbers. Without pictures the encoder is the
    /// identity.
    pub(crate) fn features(&self, encode: impl FnOnce(Pictures) -> Tensor<2>) -> Tensor<2> {
        let numbers = self.numbers.clone();
        match self.pictures.clone() {
            Some(pictures) => Tensor::cat(vec![encode(pictures), numbers], 1),
            None => numbers,
        }
    }

    /// The same as constants of a loss.
    fn constant(&self) -> Self {
        Self { numbers: Tensor::from_inner(self.numbers.clone()), pictures: self.pictures.clone() }
    }
}

fn update_noise(seed: u64) -> Rng {
    Rng::new(seed, "update noise")
}

impl Sac {
    /// A learner for observations and actions of these widths, its weights and noise drawn from `seed`.
    ///
    /// # Errors
    /// When a hyperparameter is out of range.
    pub fn new(config: &SacConfig, observation: usize, action: usize, seed: u64) -> Result<Self, SacConfigError> {
        Self::seeing(config, observation, None, action, seed)
    }

    /// A learner whose observations have pictures besides numbers.
    ///
    /// # Errors
    /// When a hyperparameter is out of range, or the encoder doesn't fit the pictures.
    pub fn seeing(
        config: &SacConfig,
        observation: usize,
        pictures: Option<PictureShape>,
        action: usize,
        seed: u64,
    ) -> Result<Self, SacConfigError> {
        config.validate()?;
        let device = config.device.device().expect("validated");
        let mut rng = Rng::new(seed, "networks");
        let eyes =
            pictures.map(|shape| Eyes::new(config, shape, &mut Rng::new(seed, "encoders"), &device)).transpose()?;
        let inputs = observation + eyes.as_ref().map_or(0, Eyes::features);
        let actor = MlpShape {
            inputs,
            hidden: config.actor_hidden.clone(),
            outputs: 2 * action,
            layer_norm: false,
            members: 1,
        };
        let critics = MlpShape {
            inputs: inputs + action,
            hidden: config.critic_hidden.clone(),
            outputs: 1,
            layer_norm: config.critic_layer_norm,
            members: config.critics,
        };
        let actor = Network::new(actor, &mut rng, &device);
        let critics = Network::new(critics, &mut rng, &device);
        let mut target_critics = critics.clone();
        target_critics.set_parameters(critics.parameters());
        Ok(Self {
            actor_adam: Adam::new(config.learning_rate, actor.shape().parameters(), &device),
            critic_adam: Adam::new(config.learning_rate, critics.shape().parameters(), &device),
            log_temperature: config.initial_temperature.ln(),
            temperature_adam: ScalarAdam::default(),
            config: config.clone(),
            observation,
            action,
            actor,
            critics,
            target_critics,
            updates: 0,
            actor_figures: (0.0, 0.0),
            rng: update_noise(seed),
            eyes,
            device,
        })
    }

    /// Draws the noise of updates, and the shifts of pictures, anew from `seed`: what a learner that began as another one's
    /// copy learns is then its own.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = update_noise(seed);
    }

    /// One update from a batch and standard normal noise for the next and the present actions, each
    /// `[batch, action]`. In this order:
    ///
    /// 1. the critics' targets, from the target critics and the present actor and temperature (Eq. 2-3);
    /// 2. the critics, one Adam step (Eq. 5-6);
    /// 3. the actor against the critics as just updated, one Adam step (Eq. 7-10);
    /// 4. the temperature, from the log-densities of step 3, one Adam step on its logarithm (after Eq. 18);
    /// 5. the target critics, one step of their moving average.
    ///
    /// Where there are pictures, the critics' loss trains the encoder too (step 2), and the target critics see by its
    /// average. The actor reads the features that step 2 was computed from, without training them; one with an encoder
    /// of its own trains that (step 3).
    pub fn update_with(&mut self, batch: &Batch, next_noise: Vec<f32>, noise: Vec<f32>) -> Metrics {
        let tensors = self.tensors(batch, None);
        self.update_on(tensors, next_noise, noise)
    }

    fn update_on(&mut self, tensors: Tensors, next_noise: Vec<f32>, noise: Vec<f32>) -> Metrics {
        let temperature = self.temperature();
        let size = tensors.rewards.dims()[0];
        let matrix = |values| Tensor::from_data(TensorData::new(values, [size, self.action]), &self.device);
        let (next_noise, noise) = (matrix(next_noise), matrix(noise));

        let targets = self.targets(&tensors, next_noise, temperature);
        let mut metrics = Metrics { temperature, target_q: mean(&targets), ..Metrics::default() };
        let features;
        (metrics.critic_loss, metrics.q, features) = self.update_critics(&tensors, targets);
        self.updates += 1;
        if self.updates.is_multiple_of(self.config.actor_period) {
            self.actor_figures = self.update_actor(&tensors.observations, features, noise, temperature);
            if self.config.learn_temperature {
                self.update_temperature(self.actor_figures.1);
            }
        }
        (metrics.actor_loss, metrics.entropy) = self.actor_figures;
        self.target_critics.average(&self.critics, self.config.tau);
        if let Some(eyes) = &mut self.eyes {
            eyes.target.average(&eyes.critics, self.config.tau);
        }
        metrics
    }

    /// r + discount * (min Q'(s', a') - alpha log pi(a' | s')), `[batch, 1]`. What follows a termination
    /// counts nothing; what follows a time limit counts in full.
    fn targets(&self, batch: &Tensors, noise: Tensor<2>, temperature: f64) -> Tensor<2> {
        let eyes = self.eyes.as_ref();
        let look = |by: fn(&Eyes) -> &Network<EncoderShape>| {
            batch.next_observations.features(|pictures| by(eyes.expect("pictures are seen by eyes")).forward(pictures))
        };
        let (actions, log_density) = actor::sample(self.actor.forward(look(Eyes::actor)), noise);
        let pairs = Tensor::cat(vec![look(|eyes| &eyes.target), actions], 1);
        let q = self.target_critics.forward(pairs).min_dim(1);
        let value = q - log_density * temperature;
        batch.rewards.clone() * self.config.reward_scale + batch.continues.clone() * value * self.config.discount
    }

    /// Sum over critics of half the mean squared residual (Eq. 5). Returns the loss, the mean Q, and the features that
    /// the critics saw, without a graph.
    fn update_critics(&mut self, batch: &Tensors, targets: Tensor<2>) -> (f64, f64, Tensor<2>) {
        let rows = targets.dims()[0] as f64;
        let (critics, encoder) = (self.critics.tracked(), self.eyes.as_ref().map(|eyes| eyes.critics.tracked()));
        let features = batch
            .observations
            .constant()
            .features(|pictures| encoder.as_ref().expect("pictures are seen by eyes").forward(pictures));
        let seen = features.clone().inner();
        let q = critics.forward(Tensor::cat(vec![features, Tensor::from_inner(batch.actions.clone())], 1));
        let q_mean = mean(&q.clone().inner());
        let loss = (q - Tensor::from_inner(targets)).square().sum() * (0.5 / rows);
        let value = scalar(loss.clone().inner());
        let mut gradients = loss.backward();
        self.critic_adam.step(&mut self.critics, critics.gradient(&mut gradients));
        if let (Some(eyes), Some(encoder)) = (&mut self.eyes, encoder) {
            eyes.critic_adam.step(&mut eyes.critics, encoder.gradient(&mut gradients));
        }
        (value, q_mean, seen)
    }

    /// E[alpha log pi(a | s) - min Q(s, a)] with a drawn from the actor (Eq. 7, 9), where `features` is what the
    /// critics see. Returns the loss and the entropy.
    fn update_actor(
        &mut self,
        observations: &Seen,
        features: Tensor<2>,
        noise: Tensor<2>,
        temperature: f64,
    ) -> (f64, f64) {
        let features = Tensor::from_inner(features);
        let own = self.eyes.as_ref().and_then(|eyes| eyes.actor.as_ref());
        let (actor, encoder) = (self.actor.tracked(), own.map(|(encoder, _)| encoder.tracked()));
        let seen = match &encoder {
            Some(encoder) => observations.constant().features(|pictures| encoder.forward(pictures)),
            None => features.clone(),
        };
        let (actions, log_density) = actor::sample(actor.forward(seen), Tensor::from_inner(noise));
        let entropy = -mean(&log_density.clone().inner());
        let pairs = Tensor::cat(vec![features, actions], 1);
        let q = self.critics.constant().forward(pairs).min_dim(1);
        let loss = (log_density * temperature - q).mean();
        let value = scalar(loss.clone().inner());
        let mut gradients = loss.backward();
        self.actor_adam.step(&mut self.actor, actor.gradient(&mut gradients));
        let own = self.eyes.as_mut().and_then(|eyes| eyes.actor.as_mut());
        if let (Some((network, adam)), Some(encoder)) = (own, encoder) {
            adam.step(network, encoder.gradient(&mut gradients));
        }
        (value, entropy)
    }

    /// Eq. 18 as the published code has it: E[-log pi - H] times the logarithm of alpha, in alpha's place.
    /// Its sign is Eq. 18's, its size does not shrink with alpha: under Adam, whose steps shrink with the
    /// gradient's history, Eq. 18 itself brings alpha down as 1/t, this form exponentially.
    fn update_temperature(&mut self, entropy: f64) {
        let gradient = entropy - self.target_entropy();
        self.log_temperature =
            self.temperature_adam.step(self.config.temperature_learning_rate, self.log_temperature, gradient);
    }

    /// A batch on the device, its pictures moved at random where `rng` is given.
    fn tensors(&self, batch: &Batch, mut rng: Option<&mut Rng>) -> Tensors {
        let matrix = |values: &[f32], width: usize| {
            Tensor::from_data(TensorData::new(values.to_vec(), [batch.size, width]), &self.device)
        };
        let mut pictures = |pixels: fn(&PictureBatch) -> &[u8]| {
            let (eyes, batch) = (self.eyes.as_ref()?, batch.pictures.as_ref()?);
            Some(eyes.augmented(pixels(batch), rng.as_deref_mut()))
        };
        Tensors {
            observations: Seen {
                numbers: matrix(&batch.observations, self.observation),
                pictures: pictures(|batch| &batch.observations),
            },
            actions: matrix(&batch.actions, self.action),
            rewards: matrix(&batch.rewards, 1),
            next_observations: Seen {
                numbers: matrix(&batch.next_observations, self.observation),
                pictures: pictures(|batch| &batch.next_observations),
            },
            continues: matrix(&batch.continues, 1),
        }
    }

    /// Alpha, the weight of entropy against reward.
    #[must_use]
    pub fn temperature(&self) -> f64 {
        self.log_temperature.exp()
    }

    /// The entropy (nats) that the temperature is learned to hold.
    #[must_use]
    pub fn target_entropy(&self) -> f64 {
        self.config.target_entropy_per_action * self.action as f64
    }

    /// Updates made so far.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// One observation on the device.
    fn seen(&self, observation: &Observation) -> Seen {
        let numbers = TensorData::new(observation.numbers.clone(), [1, self.observation]);
        let pictures = self.eyes.as_ref().map(|eyes| eyes.of_observation(&observation.pictures));
        Seen { numbers: Tensor::from_data(numbers, &self.device), pictures }
    }

    /// The smallest critic's Q of one observation and action.
    #[must_use]
    pub fn q(&self, observation: &Observation, action: &Action) -> f64 {
        let encoder = || &self.eyes.as_ref().expect("pictures are seen by eyes").critics;
        let features = self.seen(observation).features(|pictures| encoder().forward(pictures));
        let action = Tensor::from_data(TensorData::new(action.0.clone(), [1, self.action]), &self.device);
        scalar(self.critics.forward(Tensor::cat(vec![features, action], 1)).min_dim(1))
    }
}

impl Learner for Sac {
    type Metrics = Metrics;

    fn update(&mut self, batch: &Batch) -> Metrics {
        let mut next_noise = vec![0.0; batch.size * self.action];
        let mut noise = next_noise.clone();
        self.rng.fill_normal(&mut next_noise);
        self.rng.fill_normal(&mut noise);
        let mut rng = self.rng.clone();
        let tensors = self.tensors(batch, Some(&mut rng));
        self.rng = rng;
        self.update_on(tensors, next_noise, noise)
    }
}

fn scalar<const D: usize>(tensor: Tensor<D>) -> f64 {
    f64::from(tensor.into_scalar::<f32>())
}

fn mean(tensor: &Tensor<2>) -> f64 {
    scalar(tensor.clone().mean())
}

pub(crate) fn to_action(tensor: Tensor<2>) -> Action {
    Action(tensor.into_data().try_to_vec().expect("actions are f32"))
}
