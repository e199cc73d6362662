//! The vocabulary of `turnkey`: what a claw reads and is told, what a policy sees and does, and the
//! few traits that the other crates meet at.
//!
//! This crate has no I/O, no clock and no tensor library. Everything in it is a value or a promise.
//!
//! One step, in the order of the words:
//! a [`Plant`] gives a [`Reading`]; a [`Task`] turns it into an [`Observation`]; a [`Policy`] answers
//! with an [`Action`]; the task maps that to a [`JointGoal`]; the plant moves; what happened is a
//! [`Transition`]; a [`Batch`] of them teaches a [`Learner`].

mod camera;
mod environment;
mod error;
mod frame;
mod joints;
mod learning;
mod plant;
mod record;
mod rng;
mod scene;
pub mod servo;
mod snapshot;
mod task;
mod transition;
mod units;

pub use camera::{Camera, Light, Part, SceneEdit, Texture};
pub use environment::{Environment, Info, Spec, Step, Terms};
pub use error::{Failure, Kind};
pub use frame::{Frame, FrameError, FrameSize, PictureShape};
pub use joints::{FINGERS, JOINT_NAMES, JOINTS, JOINTS_PER_FINGER, JointGoal, JointLimits, JointVector, LimitsError};
pub use learning::{Augment, Batch, Learner, Mode, PictureBatch, Policy};
pub use plant::{Health, PictureHealth, Plant, Reading, Start, ValveReading};
pub use record::{AttentionRecord, ControlRecord, EpisodeRecord, LearningRecord, Record, Sink};
pub use rng::Rng;
pub use scene::{Geometry, Pose, Scene, Shape};
pub use snapshot::{Snapshot, SnapshotError};
pub use task::{Outcome, Task};
pub use transition::{Action, End, Observation, Transition};
pub use units::{Radians, ServoId, Stamp, Ticks, wrap_angle};
