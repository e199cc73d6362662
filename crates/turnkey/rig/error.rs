//! What can go wrong with a rig, beyond its claw.

use std::path::PathBuf;
use turnkey_camera::CameraError;
use turnkey_claw::ClawError;
use turnkey_core::{Failure, FrameSize, JOINT_NAMES, Kind};

/// Why the rig did not do what it was asked. Its torque is off by then, or the error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RigError {
    /// The claw.
    #[error(transparent)]
    Claw(#[from] ClawError),
    /// The camera.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// Frames of another size than the policy sees.
    #[error(
        "{}: expected an output of {}x{}, which the policy sees, got {}x{}\n  fix: change `output` there, or \
         [twin.camera] size of the run", file.display(), expected.width, expected.height, found.width, found.height
    )]
    FrameSize {
        /// The camera's file.
        file: PathBuf,
        /// What the policy sees.
        expected: FrameSize,
        /// What the camera's pipeline gives.
        found: FrameSize,
    },
    /// A claw whose valve nothing measures or turns back.
    #[error(
        "{}: expected [valve], the servo that measures the valve and turns it back between episodes, got none\n  fix: add \
         the servo to the bus and [valve] to the file, as hardware/claw.toml has it; or have the camera tell the angle by the \
         valve's mark: --valve mark --camera FILE", file.display()
    )]
    NoValve {
        /// The claw's file.
        file: PathBuf,
    },
    /// A valve whose angle two things tell.
    #[error(
        "{}: expected no [valve] with rig.valve = \"mark\", got one\n  fix: leave out --valve mark, or [valve] where its servo is \
         not to be used", file.display()
    )]
    ServoAndMark {
        /// The claw's file.
        file: PathBuf,
    },
    /// A task that is none for such a rig, which a configuration doesn't let pass.
    #[error("{0}")]
    Task(String),
    /// Limits of claw and twin that no joint can satisfy.
    #[error(
        "{}: expected joint limits that overlap with the twin's, got: {reason}\n  fix: see `low` and `high` of that joint, \
         and [twin.limits] of the run", file.display()
    )]
    Limits {
        /// The claw's file.
        file: PathBuf,
        /// Which joint, and how.
        reason: String,
    },
    /// A start that the claw can't reach.
    #[error(
        "{}: expected an episode's start within {low:.3} to {high:.3} rad, got {angle:.3}\n  fix: widen the joint's limits \
         in the claw's file, or change task.start_claw", JOINT_NAMES[*joint]
    )]
    Start {
        /// Which joint.
        joint: usize,
        /// Where it should start, rad.
        angle: f64,
        /// The lower limit, rad.
        low: f64,
        /// The upper limit, rad.
        high: f64,
    },
    /// A valve that did not stay where it was turned to.
    #[error("valve: expected it to stay at {wanted:.3} rad when its servo let go, got {found:.3} rad")]
    Moved {
        /// Where it was turned to, rad.
        wanted: f64,
        /// Where it is, rad.
        found: f64,
    },
    /// A valve that turns by itself.
    #[error("valve: expected it to come to rest once fingers are away from it, got {velocity:.2} rad/s by its mark")]
    Turning {
        /// How fast, rad/s.
        velocity: f64,
    },
    /// A valve that a person has to turn back.
    #[error(
        "valve: expected it at {wanted:.2} rad, where the episode starts, got {found:.2} rad, and no servo turns it\n  fix: turn \
         it there by hand, its mark counter-clockwise from +x by {:.0} degrees, then resume", wanted.to_degrees()
    )]
    ToBeTurned {
        /// Where it should be, rad.
        wanted: f64,
        /// Where it is, rad.
        found: f64,
    },
    /// No episode can start.
    #[error(
        "rig: expected fingers and valve to come to an episode's start, but that failed {tries} times in a row; torque is \
         off. The last time: {source}\n  fix: free fingers and valve by hand, look what holds them, then resume"
    )]
    NoStart {
        /// How often.
        tries: u32,
        /// What happened the last time.
        source: Box<RigError>,
    },
    /// Servos that have all restarted.
    #[error(
        "rig: expected servos to keep their power, but all of them have restarted: it was switched off, or failed; torque is \
         off\n  fix: see that nobody reaches into the claw, and what the supply does, then resume"
    )]
    PowerCut,
    /// Servos that were silent and then confirmed that their torque is off.
    #[error("{after} (all servos have confirmed since that their torque is off)")]
    Regained {
        /// What was wrong.
        after: String,
    },
    /// A step without a reset before it.
    #[error("rig: expected a reset before a step, got none since torque went off: this program is wrong")]
    NotHeld,
}

impl RigError {
    /// What the caller can do: try again, which recovers the claw, or ask a person first.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            // A finger that was stuck is free without torque; it is hot or at its end otherwise.
            Self::Claw(ClawError::Guard { unit, .. }) if *unit != "degrees C" => Kind::Retry,
            Self::Claw(error) => error.kind(),
            Self::Camera(error) => error.kind(),
            Self::Moved { .. } | Self::Turning { .. } | Self::Regained { .. } => Kind::Retry,
            Self::PowerCut
            | Self::NoValve { .. }
            | Self::ServoAndMark { .. }
            | Self::Task(_)
            | Self::ToBeTurned { .. }
            | Self::FrameSize { .. }
            | Self::Limits { .. }
            | Self::Start { .. }
            | Self::NoStart { .. } => Kind::Stop,
            Self::NotHeld => Kind::Bug,
        }
    }

    /// Whether fingers or valve did not come to where they were to, with servos that are well.
    #[must_use]
    pub fn is_of_fingers(&self) -> bool {
        matches!(
            self,
            Self::Claw(ClawError::NotReached { .. } | ClawError::Guard { .. })
                | Self::Moved { .. }
                | Self::Turning { .. }
        )
    }

    /// Whether somebody asked for it.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Claw(ClawError::Stopped))
    }
}

impl From<RigError> for Failure {
    fn from(error: RigError) -> Self {
        Self::new(error.kind(), error)
    }
}
