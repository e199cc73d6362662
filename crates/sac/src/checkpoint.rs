//! A learner's whole state as one safetensors file, readable by anyone.

use crate::eyes::Eyes;
use crate::learner::Sac;
use crate::network::{Adam, Architecture, Network, ScalarAdam};
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
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
    encoder_steps: Option<(u64, u64)>,
    rng: Rng,
}

/// A tensor's name, its shape, and where it lies in a flat vector.
type Place = (String, Vec<usize>, Range<usize>);

/// A flat vector of the state: its name, where it is, and the tensors in it.
struct Vector<'a> {
    name: &'static str,
    values: &'a mut Tensor<1>,
    places: Vec<Place>,
}

impl Vector<'_> {
    /// The names of its tensors in a file.
    fn keys(&self) -> impl Iterator<Item = String> {
        self.places.iter().map(|(part, ..)| key(self.name, part))
    }
}

/// A tensor's name in a file.
fn key(vector: &str, part: &str) -> String {
    format!("{vector}.{part}")
}

impl Sac {
    /// Every flat vector of the state.
    fn vectors(&mut self) -> Vec<Vector<'_>> {
        let mut all = Vec::new();
        push_trained(&mut all, ["actor", "actor_adam.m", "actor_adam.v"], &mut self.actor, &mut self.actor_adam);
        let names = ["critics", "critic_adam.m", "critic_adam.v"];
        push_trained(&mut all, names, &mut self.critics, &mut self.critic_adam);
        push(&mut all, "target_critics", &mut self.target_critics);
        if let Some(eyes) = &mut self.eyes {
            let names = ["encoder", "encoder_adam.m", "encoder_adam.v"];
            push_trained(&mut all, names, &mut eyes.critics, &mut eyes.critic_adam);
            push(&mut all, "target_encoder", &mut eyes.target);
            if let Some((encoder, adam)) = &mut eyes.actor {
                let names = ["actor_encoder", "actor_encoder_adam.m", "actor_encoder_adam.v"];
                push_trained(&mut all, names, encoder, adam);
            }
        }
        all
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
            encoder_steps: self.eyes.as_ref().map(Eyes::steps),
            rng: self.rng.clone(),
        }
    }
}

impl Snapshot for Sac {
    /// A safetensors file: each layer's weight `[inputs, outputs]` and bias of the actor, critics,
    /// target critics and encoders, and the optimisers' moments.
    fn save(&self) -> Vec<u8> {
        // The vectors are lent to be read and to be written by one list, so it is a copy's that is read: tensors share
        // their numbers.
        let mut copy = self.clone();
        let vectors: Vec<(&str, Vec<f32>, Vec<Place>)> = copy
            .vectors()
            .into_iter()
            .map(|vector| (vector.name, vector.values.to_data().try_to_vec().expect("all are f32"), vector.places))
            .collect();
        let mut tensors: Vec<(String, TensorView<'_>)> = Vec::new();
        for (name, values, places) in &vectors {
            for (part, dims, range) in places {
                let bytes = bytes_of(&values[range.clone()]);
                let view = TensorView::new(Dtype::F32, dims.clone(), bytes).expect("a shape covers its numbers");
                tensors.push((key(name, part), view));
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
        let vectors = self.vectors();
        let read = vectors.iter().map(|vector| read_vector(&file, vector.name, &vector.places));
        let read = read.collect::<Result<Vec<_>, _>>().map_err(fail)?;
        let known: HashSet<String> = vectors.iter().flat_map(Vector::keys).collect();
        if let Some(other) = file.names().into_iter().find(|name| !known.contains(*name)) {
            return Err(fail(format!("expected the same networks, found tensor {other}, which they don't have")));
        }
        for (vector, values) in vectors.into_iter().zip(read) {
            let (size, device) = (values.len(), vector.values.device());
            *vector.values = Tensor::from_data(TensorData::new(values, [size]), &device);
        }
        (self.actor_adam.step, self.critic_adam.step) = (scalars.actor_step, scalars.critic_step);
        if let (Some(eyes), Some(steps)) = (&mut self.eyes, scalars.encoder_steps) {
            eyes.set_steps(steps);
        }
        self.updates = scalars.updates;
        self.actor_figures = scalars.actor_figures;
        self.log_temperature = scalars.log_temperature;
        self.temperature_adam = scalars.temperature_adam;
        self.rng = scalars.rng;
        Ok(())
    }
}

fn push<'a, A: Architecture>(all: &mut Vec<Vector<'a>>, name: &'static str, network: &'a mut Network<A>) {
    let places = network.shape().tensors();
    all.push(Vector { name, values: network.theta_mut(), places });
}

/// A network with its optimiser's moments.
fn push_trained<'a, A: Architecture>(
    all: &mut Vec<Vector<'a>>,
    [name, first, second]: [&'static str; 3],
    network: &'a mut Network<A>,
    adam: &'a mut Adam,
) {
    let places = network.shape().tensors();
    push(all, name, network);
    all.push(Vector { name: first, values: &mut adam.m, places: places.clone() });
    all.push(Vector { name: second, values: &mut adam.v, places });
}

fn read_vector(file: &SafeTensors<'_>, name: &str, places: &[Place]) -> Result<Vec<f32>, String> {
    let mut values = Vec::new();
    for (part, dims, _) in places {
        let key = key(name, part);
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
