//! Soft Actor-Critic (Haarnoja et al., arXiv:1812.05905): a squashed Gaussian actor, twin critics with
//! averaged targets, and a temperature that holds the policy's entropy.
//!
//! [`Sac`] is the whole learner; its `update_with` reads like the equations. Networks lie in flat memory
//! and run on the CPU as fused operations of burn ([`ops`]); everything else is composed of burn's own.
//!
//! This crate knows numbers in and numbers out: no radians, no valve, no device on a bus.

mod acting;
mod actor;
mod attention;
mod checkpoint;
mod composed;
mod config;
mod device;
mod eyes;
#[cfg(test)]
mod golden;
mod kernel;
#[cfg(test)]
mod known_answers;
mod learner;
mod network;
pub mod ops;

pub use acting::Actor;
pub use config::{EncoderConfig, SacConfig, SacConfigError};
pub use device::DeviceName;
pub use kernel::{AdamStep, Layer, MlpShape};
pub use learner::{Metrics, Sac};
pub use network::{Adam, Architecture, Network};
pub use turnkey_encoder::EncoderName;
