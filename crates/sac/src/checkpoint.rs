//! A learner's whole state as one safetensors file, readable by anyone.

use crate::kernel::MlpShape;
use crate::learner::Sac;
use crate::network::{Adam, Network, ScalarAdam};
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use turnkey_core::{Rng, Snapshot, SnapshotError};

/// Key of the metadata entry that holds what is not a tensor.
const STATE: &str = "turnkey.sac";

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
struct Scalars {
    observation: usize,
    action: usize,
    updates: u64,
    actor_figures: (f64, f64),
    log_temperature: f64,
    temperature_adam: ScalarAdam,
    actor_step: u64,
    critic_step: u64,
    rng: Rng,
}

impl Sac {
    /// Flat vectors of the state with their names and layouts.
    fn vectors(&self) -> Vec<(&'static str, Vec<f32>, &MlpShape)> {
        let flat = |tensor: &Tensor<1>| tensor.to_data().try_to_vec().expect("moments are f32");
        let (actor, critics) = (self.actor.shape(), self.critics.shape());
        vec![
            ("actor", self.actor.parameters(), actor),
            ("critics", self.critics.parameters(), critics),
            ("target_critics", self.target_critics.parameters(), critics),
            ("actor_adam.m", flat(&self.actor_adam.m), actor),
            ("actor_adam.v", flat(&self.actor_adam.v), actor),
            ("critic_adam.m", flat(&self.critic_adam.m), critics),
            ("critic_adam.v", flat(&self.critic_adam.v), critics),
        ]
    }

    fn scalars(&self) -> Scalars {
        Scalars {
            observation: self.observation,
            action: self.action,
            updates: self.updates,
            actor_figures: self.actor_figures,
            log_temperature: self.log_temperature,
            temperature_adam: self.temperature_adam,
            actor_step: self.actor_adam.step,
            critic_step: self.critic_adam.step,
            rng: self.rng.clone(),
        }
    }
}

impl Snapshot for Sac {
    /// A safetensors file: each layer's weight `[inputs, outputs]` and bias of the actor, critics and
    /// target critics, and both optimisers' moments.
    fn save(&self) -> Vec<u8> {
        let vectors = self.vectors();
        let mut tensors: Vec<(String, TensorView<'_>)> = Vec::new();
        for (name, values, shape) in &vectors {
            for (part, dims, range) in shape.tensors() {
                let bytes = bytes_of(&values[range]);
                let view = TensorView::new(Dtype::F32, dims, bytes).expect("a tensor's shape covers its numbers");
                tensors.push((format!("{name}.{part}"), view));
            }
        }
        let scalars = serde_json::to_string(&self.scalars()).expect("plain numbers become JSON");
        let metadata = HashMap::from([(STATE.to_owned(), scalars)]);
        safetensors::serialize(tensors, Some(metadata)).expect("tensors in memory become a file in memory")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let fail = |reason: String| SnapshotError::new("learner", reason);
        let (_, header) = SafeTensors::read_metadata(state).map_err(|e| fail(format!("not safetensors: {e}")))?;
        let file = SafeTensors::deserialize(state).map_err(|e| fail(format!("not safetensors: {e}")))?;
        let entry = header.metadata().as_ref().and_then(|all| all.get(STATE));
        let scalars = entry.ok_or_else(|| fail(format!("expected metadata {STATE:?}, found none")))?;
        let scalars: Scalars = serde_json::from_str(scalars).map_err(|e| fail(format!("metadata: {e}")))?;
        if (scalars.observation, scalars.action) != (self.observation, self.action) {
            return Err(fail(format!(
                "expected a learner of {} observations and {} actions, found {} and {}",
                self.observation, self.action, scalars.observation, scalars.action
            )));
        }
        let mut read = Vec::new();
        for (name, _, shape) in self.vectors() {
            read.push(read_vector(&file, name, shape).map_err(fail)?);
        }
        let [actor, critics, targets, actor_m, actor_v, critic_m, critic_v] =
            <[Vec<f32>; 7]>::try_from(read).expect("as many vectors read as are listed");
        self.actor.set_parameters(actor);
        self.critics.set_parameters(critics);
        self.target_critics.set_parameters(targets);
        set_moments(&mut self.actor_adam, &self.actor, actor_m, actor_v, scalars.actor_step);
        set_moments(&mut self.critic_adam, &self.critics, critic_m, critic_v, scalars.critic_step);
        self.updates = scalars.updates;
        self.actor_figures = scalars.actor_figures;
        self.log_temperature = scalars.log_temperature;
        self.temperature_adam = scalars.temperature_adam;
        self.rng = scalars.rng;
        Ok(())
    }
}

fn set_moments(adam: &mut Adam, network: &Network, m: Vec<f32>, v: Vec<f32>, step: u64) {
    let size = network.shape().parameters();
    let device = adam.m.device();
    adam.m = Tensor::from_data(TensorData::new(m, [size]), &device);
    adam.v = Tensor::from_data(TensorData::new(v, [size]), &device);
    adam.step = step;
}

fn read_vector(file: &SafeTensors<'_>, name: &str, shape: &MlpShape) -> Result<Vec<f32>, String> {
    let mut values = Vec::with_capacity(shape.parameters());
    for (part, dims, _) in shape.tensors() {
        let key = format!("{name}.{part}");
        let view = file.tensor(&key).map_err(|e| format!("tensor {key}: {e}"))?;
        if view.dtype() != Dtype::F32 || view.shape() != dims {
            return Err(format!("tensor {key}: expected F32 {dims:?}, found {:?} {:?}", view.dtype(), view.shape()));
        }
        values.extend(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    }
    Ok(values)
}

/// The numbers' bytes, little-endian as safetensors has them.
fn bytes_of(values: &[f32]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little"), "safetensors are written from little-endian memory") };
    // SAFETY: f32 has no padding, u8 no alignment, and the length is that of the same memory.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}
