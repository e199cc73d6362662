//! A live view and a recording of a run through rerun, bounded and never blocking.
//!
//! A [`View`] is a [`turnkey_core::Sink`]: records go into bounded queues with `try_send`, and threads of
//! their own hand them to rerun, one to a file and one, where wanted, to a viewer. rerun itself blocks: on a
//! viewer that has frozen, and on one that never was. Here that costs the viewer's records, which are
//! counted, and neither the control loop nor the file.
//!
//! What is drawn where: `scene` for the claw in 3D, `series` for the curves, `blueprint` for the arrangement.

mod blueprint;
mod config;
mod error;
mod file;
mod live;
mod outlet;
mod paths;
mod rotation;
mod scene;
mod selection;
mod series;
mod shapes;
mod view;
mod writer;

pub use config::{Live, ViewConfig};
pub use error::ViewError;
pub use view::{Dropped, Summary, View};
