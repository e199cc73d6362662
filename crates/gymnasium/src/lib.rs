//! Gymnasium on the other end of a socket, both ways round, by one protocol (docs/gymnasium.md).
//!
//! - [`Gymnasium`] is an [`Environment`](turnkey_core::Environment) that lives in a Python process of its own: start reading
//!   there.
//! - [`serve`] shows one of our environments to a Python process, where `python/turnkey_claw.py` is its other end.

mod config;
mod connection;
mod environment;
mod error;
mod message;
mod serve;
mod server;

pub use config::GymnasiumConfig;
pub use environment::Gymnasium;
pub use error::GymnasiumError;
pub use serve::{Served, serve, turn_away};
