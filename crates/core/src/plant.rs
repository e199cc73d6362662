//! A claw with its valve, whether of metal or simulated.

use crate::{
    Failure, Frame, FrameSize, JointGoal, JointLimits, JointVector, Kind, Pose, Scene, SceneEdit, Snapshot, Stamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The claw and its valve. The twin and the rig differ behind this trait alone.
pub trait Plant: Snapshot {
    /// The limits every goal must have been clipped to.
    fn limits(&self) -> &JointLimits;

    /// The control period: the time one [`Plant::step`] takes.
    fn period(&self) -> Duration;

    /// Brings joints and valve to `start`, at rest, and reads them. A valve that the plant [can't turn][Plant::turns_valve]
    /// stays where it is.
    ///
    /// # Errors
    /// When the plant can't be brought there or can't be read.
    fn reset(&mut self, start: &Start) -> Result<Reading, Failure>;

    /// Gives the servos a goal, waits one control period, and reads where they are.
    ///
    /// # Errors
    /// When the goal can't be given or the plant can't be read; torque is then off on a real claw.
    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure>;

    /// Lets go: torque off on a real claw. What holds nothing has nothing to do. A [`Plant::reset`] takes hold again.
    ///
    /// # Errors
    /// When the plant may still be holding on.
    fn release(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether a reset brings the valve to where an episode is to start, by something of its own.
    fn turns_valve(&self) -> bool {
        true
    }

    /// The size of the frames in its readings, where there is a camera.
    fn frame_size(&self) -> Option<FrameSize> {
        None
    }

    /// How the machine itself fares, where there is one.
    fn health(&self) -> Option<Health> {
        None
    }

    /// What to draw, where the plant knows its own shape.
    fn scene(&self) -> Option<&Scene> {
        None
    }

    /// Changes how the world looks, from the next reading on, in place of all earlier changes. None of it is
    /// part of the plant's saved state.
    ///
    /// # Errors
    /// When the plant can't change how its world looks, as a real one can't.
    fn edit_scene(&mut self, edits: &[SceneEdit]) -> Result<(), Failure> {
        match edits {
            [] => Ok(()),
            _ => Err(Failure::new(Kind::Stop, "this plant can't change how its world looks")),
        }
    }

    /// Where the shapes of [`Plant::scene`] are now, in its order.
    fn poses(&self) -> Vec<Pose> {
        Vec::new()
    }
}

/// How the machine itself fares, as of the last step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The goal that the servos were told, rad: the one asked for, unless that was beyond the machine's own limits.
    pub told: JointVector,
    /// How old the joint reading was that the goal came from, when the servos were told.
    pub joint_age: Duration,
    /// How long telling and reading took, together.
    pub cycle: Duration,
    /// Currents that turn the joints, A.
    pub amperes: JointVector,
    /// Temperatures of the joints' servos, degrees C.
    pub celsius: JointVector,
    /// Supplies of the joints' servos, V.
    pub volts: JointVector,
    /// The picture, where one is taken.
    pub picture: Option<PictureHealth>,
}

/// How a step's picture was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureHealth {
    /// Its number at its camera: one that is missing was of no step.
    pub number: u64,
    /// How old it was when it was handed over.
    pub age: Duration,
    /// Time between it and the reading of the joints, whichever was first.
    pub skew: Duration,
}

/// Where an episode starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Joint angles, rad.
    pub joints: JointVector,
    /// Valve angle, rad; unlimited.
    pub valve: f64,
    /// Seed for what the plant draws in this episode: sensor noise, randomised dynamics.
    pub seed: u64,
}

/// What the plant measured at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// When the joints were read.
    pub stamp: Stamp,
    /// Joint angles, rad.
    pub positions: JointVector,
    /// Joint velocities, rad/s.
    pub velocities: JointVector,
    /// Torque each servo gives, N m: estimated from current on a real claw.
    pub torques: JointVector,
    /// The valve, where something measures it.
    pub valve: Option<ValveReading>,
    /// The newest picture, where there is a camera.
    pub frame: Option<Frame>,
}

/// The valve as measured.
///
/// Where a servo measures it, that is with the joints; where a camera does, when the picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveReading {
    /// Angle of the coloured mark, rad, turns counted (not wrapped).
    pub angle: f64,
    /// Angular velocity, rad/s.
    pub velocity: f64,
    /// When it was measured.
    pub stamp: Stamp,
}
