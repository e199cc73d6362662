//! What a policy that sees pictures is given. Nothing here has a place for the valve's angle.

use crate::EnvError;
use serde::{Deserialize, Serialize};
use turnkey_core::{Frame, JointVector, PictureShape, Reading};

/// What the servos feel of a reading: their own joints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Senses {
    /// Joint angles, rad.
    pub(crate) positions: JointVector,
    /// Joint velocities, rad/s.
    pub(crate) velocities: JointVector,
}

impl Senses {
    /// The joints of a reading whose numbers are all finite.
    pub(crate) fn of(reading: &Reading) -> Result<Self, EnvError> {
        let joints = reading.positions.iter().zip(&reading.velocities).enumerate();
        let joints = joints.flat_map(|(i, (q, v))| [("position of joint", i, *q), ("velocity of joint", i, *v)]);
        for (what, i, found) in joints {
            if !found.is_finite() {
                let stamp_secs = reading.stamp.0.as_secs_f64();
                return Err(EnvError::NotFinite { what: format!("{what} {i}"), found, stamp_secs });
            }
        }
        Ok(Self { positions: reading.positions, velocities: reading.velocities })
    }
}

/// The newest pictures of an episode, oldest first. At its beginning they are all the first one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sight(Vec<Frame>);

impl Sight {
    /// What is seen at an episode's first reading.
    pub(crate) fn begin(shape: PictureShape, reading: &Reading) -> Result<Self, EnvError> {
        Ok(Self(vec![frame(shape, reading)?; shape.stack]))
    }

    /// What is seen at the next one.
    pub(crate) fn after(mut self, shape: PictureShape, reading: &Reading) -> Result<Self, EnvError> {
        self.0.push(frame(shape, reading)?);
        self.0.drain(..self.0.len().saturating_sub(shape.stack));
        Ok(self)
    }

    /// The pictures; copies share the pixels.
    pub(crate) fn pictures(&self) -> Vec<Frame> {
        self.0.clone()
    }
}

fn frame(shape: PictureShape, reading: &Reading) -> Result<Frame, EnvError> {
    let stamp_secs = reading.stamp.0.as_secs_f64();
    let frame = reading.frame.clone().ok_or(EnvError::NoFrame { stamp_secs })?;
    match frame.size() == shape.size {
        true => Ok(frame),
        false => Err(EnvError::FrameSize { expected: shape.size, found: frame.size(), stamp_secs }),
    }
}
