//! Environment = Plant + Task: valve turning, resets, symmetries.
//!
//! A [`ValveTask`] says where episodes start, what a policy sees, what its actions mean and what they
//! are worth; a [`ClawEnvironment`] runs it on a plant, of metal or simulated. Both are deterministic:
//! all randomness of an episode comes from the seed it was reset with.
//!
//! ```
//! use turnkey_core::{Action, Environment};
//! use turnkey_env::{ClawEnvironment, FirstOrderPlant, TaskConfig, TaskName, ValveTask};
//!
//! let task = ValveTask::new(TaskConfig::published(TaskName::TurnRandom))?;
//! let mut environment = ClawEnvironment::new(FirstOrderPlant::new(), task)?;
//! let first = environment.reset(7)?;
//! let step = environment.step(&Action(vec![0.0; 9]))?;
//! assert_eq!(first.numbers.len(), step.observation.numbers.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod augment;
mod config;
pub mod conformance;
mod disturbance;
mod disturbed;
mod environment;
mod error;
mod first_order;
mod layout;
mod published;
mod reward;
mod senses;
mod symmetry;
mod task;

pub use augment::{Augmentation, AugmentationConfig};
pub use config::{Claw, Sees, TargetConfig, TargetFrame, TaskConfig, TaskName};
pub use disturbance::{SceneDisturbance, SceneFamily};
pub use disturbed::{DisturbanceConfig, Disturbed};
pub use environment::ClawEnvironment;
pub use error::EnvError;
pub use first_order::FirstOrderPlant;
pub use layout::{Layout, Parts};
pub use reward::{Bonus, RewardConfig};
pub use symmetry::Symmetry;
pub use task::ValveTask;
