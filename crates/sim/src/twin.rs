//! The twin itself: start reading here.

use crate::drive::Drive;
use crate::eye::Eye;
use crate::model::Model;
use crate::physics::{Physics, physics_steps};
use crate::scene::Drawing;
use crate::{CameraConfig, Dynamics, TwinConfig, TwinError};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;
use turnkey_core::servo::ServoState;
use turnkey_core::{
    FINGERS, Failure, Frame, FrameSize, JointGoal, JointLimits, JointVector, Kind, Plant, Pose, Reading, Rng, Scene,
    SceneEdit, Snapshot, SnapshotError, Stamp, Start, ValveReading,
};

/// Time of one step of the physics, microseconds.
const PHYSICS_STEP_MICROS: u64 = 2500;

/// The claw and its valve, simulated. Equal configurations, starts and goals give equal readings, to the bit.
pub struct Twin {
    config: TwinConfig,
    limits: JointLimits,
    period: Duration,
    steps_per_period: u32,
    physics: Physics,
    drive: Drive,
    drawing: Drawing,
    eye: Option<Eye>,
    motion: Motion,
}

/// What a twin remembers besides its physics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Motion {
    /// Physics steps taken since the twin was built: its clock, which a reset doesn't turn back.
    steps: u64,
    /// What the joints follow, rad.
    goal: JointVector,
    /// Goals under way, each with the physics step at which the servos get it.
    coming: VecDeque<(u64, JointVector)>,
    noise: Rng,
}

/// What [`Snapshot::save`] writes.
#[derive(Serialize, Deserialize)]
struct Saved {
    config: TwinConfig,
    dynamics: Dynamics,
    physics: Vec<f64>,
    servos: Vec<ServoState>,
    motion: Motion,
}

impl Twin {
    /// A twin at rest with straight fingers, which wants a reset before its first step.
    ///
    /// # Errors
    /// When the configuration can't be met or the model can't be loaded.
    pub fn new(config: TwinConfig) -> Result<Self, TwinError> {
        config.check()?;
        let mut drive = Drive::new(&config);
        let physics = Physics::new(Model::load(config.model)?, config.actuation, drive.nominal_volts())?;
        drive.hold(&physics.positions());
        let motion =
            Motion { steps: 0, goal: physics.positions(), coming: VecDeque::new(), noise: Rng::new(0, "twin noise") };
        let drawing = Drawing::new(physics.model());
        let eye = config.camera.as_ref().map(|camera| Eye::new(camera, physics.model(), &drawing)).transpose()?;
        Ok(Self {
            eye,
            limits: config.joint_limits()?,
            period: config.period()?,
            steps_per_period: config.physics_steps()?,
            drawing,
            physics,
            drive,
            motion,
            config,
        })
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &TwinConfig {
        &self.config
    }

    /// What this episode drew.
    #[must_use]
    pub fn dynamics(&self) -> &Dynamics {
        self.physics.dynamics()
    }

    /// Where the fingertips are, m, in the world; finger by finger.
    #[must_use]
    pub fn fingertips(&self) -> [[f64; 3]; FINGERS] {
        self.physics.tips()
    }

    /// Steps of the physics a control period.
    #[must_use]
    pub fn physics_steps_per_period(&self) -> u32 {
        self.steps_per_period
    }

    /// Lets one step of the physics pass with these torques (N m) on the joints and on the valve's axis, past goals and
    /// servo model.
    pub(crate) fn turn(&mut self, joints: &JointVector, valve: f64) -> Result<(), Failure> {
        self.physics.push_valve(valve);
        self.physics.step(joints)?;
        self.motion.steps += 1;
        Ok(())
    }

    /// Angles (rad) and angular velocities (rad/s) of the joints, and both of the valve.
    pub(crate) fn motion(&self) -> (JointVector, JointVector, (f64, f64)) {
        (self.physics.positions(), self.physics.velocities(), self.physics.valve())
    }

    /// What the camera sees now, where the configuration has one.
    ///
    /// # Errors
    /// When MuJoCo's renderer can no longer draw.
    pub fn picture(&mut self) -> Result<Option<Frame>, Failure> {
        self.take_picture(Stamp(Duration::from_micros(self.motion.steps * PHYSICS_STEP_MICROS)))
    }

    fn physics_step(&mut self) -> Result<(), Failure> {
        while self.motion.coming.front().is_some_and(|(due, _)| *due <= self.motion.steps) {
            self.motion.goal = self.motion.coming.pop_front().map_or(self.motion.goal, |(_, goal)| goal);
        }
        let controls = self.drive.controls(&self.motion.goal, &self.physics.positions(), &self.physics.velocities());
        self.physics.step(&controls)?;
        self.motion.steps += 1;
        Ok(())
    }

    fn read(&mut self) -> Result<Reading, Failure> {
        let (joint_noise, valve_noise) = (self.dynamics().joint_noise, self.dynamics().valve_noise);
        let mut noisy = |value: f64, deviation: f64| {
            if deviation > 0.0 { value + deviation * self.motion.noise.normal() } else { value }
        };
        let (angle, velocity) = self.physics.valve();
        let positions = self.physics.positions().map(|angle| noisy(angle, joint_noise));
        let stamp = Stamp(Duration::from_micros(self.motion.steps * PHYSICS_STEP_MICROS));
        let valve = ValveReading { angle: noisy(angle, valve_noise), velocity, stamp };
        let reading = Reading {
            stamp,
            positions,
            velocities: self.physics.velocities(),
            torques: self.physics.torques(),
            valve: Some(valve),
            frame: self.take_picture(stamp)?,
        };
        Ok(self.drive.registers(reading))
    }

    fn take_picture(&mut self, stamp: Stamp) -> Result<Option<Frame>, Failure> {
        let Some(eye) = &mut self.eye else { return Ok(None) };
        self.physics.place_bodies();
        eye.look(&self.drawing, self.physics.data_mut(), stamp).map(Some)
    }
}

impl Plant for Twin {
    fn limits(&self) -> &JointLimits {
        &self.limits
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        let numbers = || start.joints.iter().chain([&start.valve]);
        if let Some(bad) = numbers().find(|angle| angle.is_nan() || angle.abs() >= 1e6) {
            let text = format!("an episode can't start at an angle of {bad} rad: expected a number below 1e6");
            return Err(Failure::new(Kind::Bug, text));
        }
        let drawn = self.config.randomisation.draw(self.physics.nominal(), &mut Rng::new(start.seed, "twin dynamics"));
        self.physics.apply(&drawn);
        self.physics.place(&start.joints, start.valve)?;
        self.drive.apply(&drawn);
        self.drive.hold(&start.joints);
        self.motion.goal = start.joints;
        self.motion.coming.clear();
        self.motion.noise = Rng::new(start.seed, "twin noise");
        self.read()
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        let latency = physics_steps(self.dynamics().latency_secs);
        self.motion.coming.push_back((self.motion.steps + latency, *goal.radians()));
        for _ in 0..self.steps_per_period {
            self.physics_step()?;
        }
        self.read()
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.config.camera.as_ref().map(CameraConfig::frame_size)
    }

    fn scene(&self) -> Option<&Scene> {
        Some(&self.drawing.scene)
    }

    fn edit_scene(&mut self, edits: &[SceneEdit]) -> Result<(), Failure> {
        match (&mut self.eye, edits) {
            (Some(eye), _) => eye.edit(edits).map_err(|error| Failure::new(Kind::Stop, error)),
            (None, []) => Ok(()),
            (None, _) => {
                let text = "the twin takes no pictures whose looks could change; give it a camera ([twin.camera])";
                Err(Failure::new(Kind::Stop, text))
            }
        }
    }

    fn poses(&self) -> Vec<Pose> {
        self.drawing.poses(self.physics.data()).collect()
    }
}

impl Snapshot for Twin {
    fn save(&self) -> Vec<u8> {
        let saved = Saved {
            config: self.config.clone(),
            dynamics: self.dynamics().clone(),
            physics: self.physics.state(),
            servos: self.drive.servos().to_vec(),
            motion: self.motion.clone(),
        };
        postcard::to_stdvec(&saved).expect("numbers and short lists can always be written")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("twin", reason);
        let saved: Saved = postcard::from_bytes(state).map_err(|error| refuse(error.to_string()))?;
        if saved.config != self.config {
            return Err(refuse("it was saved by a twin with another configuration".into()));
        }
        self.physics.fits(&saved.physics).map_err(refuse)?;
        saved.dynamics.check().map_err(refuse)?;
        self.drive.fits(&saved.servos).map_err(refuse)?;
        self.physics.apply(&saved.dynamics);
        self.physics.set_state(&saved.physics).map_err(refuse)?;
        self.drive.apply(&saved.dynamics);
        self.drive.take_up(saved.servos);
        self.motion = saved.motion;
        Ok(())
    }
}
