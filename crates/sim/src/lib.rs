//! The MuJoCo twin of the claw and its valve: a [`turnkey_core::Plant`] that takes the rig's place.
//!
//! [`Twin::new`] builds one from a [`TwinConfig`]; from there on it is reset, stepped, saved and restored
//! like any plant. With a [`CameraConfig`] it takes a picture for every reading, drawn by [`Renderer`]. Start reading at
//! [`Twin`]; `docs/simulation.md` says what was measured.

mod appearance;
mod camera;
mod config;
mod drive;
mod dynamics;
mod error;
mod eye;
mod horns;
mod model;
mod opengl;
mod physics;
mod randomisation;
mod render;
mod robel;
mod scene;
mod twin;

pub use camera::{CameraConfig, RendererName};
pub use config::{Actuation, ModelName, TwinConfig};
pub use dynamics::Dynamics;
pub use error::{ConfigError, DivergenceError, ModelError, TwinError};
pub use horns::{TwinHorns, TwinHornsError};
pub use model::quieten;
pub use opengl::ScreenError;
pub use randomisation::{Corner, Randomisation, Range};
pub use render::{EditError, Renderer};
pub use twin::Twin;
