//! A claw of a few formulas, for tests that need a plant and no physics.

use serde::{Deserialize, Serialize};
use std::{
    f64::consts::{FRAC_PI_2, FRAC_PI_3},
    time::Duration,
};
use turnkey_core::{
    FINGERS, Failure, Frame, FrameSize, JOINTS, JOINTS_PER_FINGER, JointGoal, JointLimits, JointVector, Plant, Reading,
    Rng, Snapshot, SnapshotError, Stamp, Start, ValveReading,
};

const PERIOD: Duration = Duration::from_millis(100);
/// Share of the way to its goal that a joint goes in one period.
const APPROACH: f64 = 0.8;
/// Valve travel for each radian a touching finger's base travels.
const GEAR: f64 = 1.0;
/// Amplitude of the noise on joint angles, rad.
const NOISE: f64 = 1e-4;

/// A plant whose joints approach their goals exponentially and whose valve is dragged by the bases of
/// those fingers that touch it. A finger touches more the nearer its middle joint is to zero.
///
/// It is deterministic but for a little sensor noise from the episode's seed, it has the claw's
/// symmetries exactly, and it can be learned: reach in, sweep, lift, go back.
#[derive(Clone, Debug)]
pub struct FirstOrderPlant {
    limits: JointLimits,
    state: State,
    camera: Option<FrameSize>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    periods: u32,
    positions: JointVector,
    velocities: JointVector,
    valve: ValveReading,
    noise: Rng,
}

impl FirstOrderPlant {
    /// A plant at rest at zero, with ROBEL's joint and velocity limits at 10 Hz.
    ///
    /// # Panics
    /// Never: its limits are valid.
    #[must_use]
    pub fn new() -> Self {
        let high: JointVector = std::array::from_fn(|joint| [0.48, FRAC_PI_3, FRAC_PI_2][joint % JOINTS_PER_FINGER]);
        let travel = 2.0 * FRAC_PI_3 * PERIOD.as_secs_f64();
        let limits = JointLimits::new(high.map(|x| -x), high, [travel; JOINTS]).expect("constants in order");
        let state = State {
            periods: 0,
            positions: [0.0; JOINTS],
            velocities: [0.0; JOINTS],
            valve: ValveReading { angle: 0.0, velocity: 0.0, stamp: Stamp::default() },
            noise: Rng::new(0, "first_order"),
        };
        Self { limits, state, camera: None }
    }

    /// The same with a camera above it, which sees the valve's mark as a white blot on black.
    #[must_use]
    pub fn with_camera(self, size: FrameSize) -> Self {
        Self { camera: Some(size), ..self }
    }

    /// The picture of the mark, a third of the picture's height away from its middle.
    fn frame(&self, size: FrameSize) -> Frame {
        let FrameSize { width, height } = size;
        let (sin, cos) = self.state.valve.angle.sin_cos();
        let [x, y] = [(width, cos), (height, -sin)].map(|(n, part)| 0.5 * n as f64 + part * height as f64 / 3.0);
        let radius = height as f64 / 8.0;
        let grey = |pixel: usize| {
            let away = (pixel % width) as f64 + 0.5 - x;
            let below = (pixel / width) as f64 + 0.5 - y;
            (255.0 * (-(away * away + below * below) / (radius * radius)).exp()) as u8
        };
        let pixels: Vec<u8> = (0..width * height).flat_map(|pixel| [grey(pixel); 3]).collect();
        Frame::new(Stamp(PERIOD * self.state.periods), size, pixels).expect("three bytes a pixel")
    }

    fn reading(&mut self) -> Reading {
        let frame = self.camera.map(|size| self.frame(size));
        let State { periods, positions, velocities, valve, noise } = &mut self.state;
        Reading {
            stamp: Stamp(PERIOD * *periods),
            positions: positions.map(|q| q + noise.uniform(-NOISE, NOISE)),
            velocities: *velocities,
            torques: [0.0; JOINTS],
            valve: Some(*valve),
            frame,
        }
    }
}

impl Default for FirstOrderPlant {
    fn default() -> Self {
        Self::new()
    }
}

impl Plant for FirstOrderPlant {
    fn limits(&self) -> &JointLimits {
        &self.limits
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.camera
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        self.state = State {
            periods: self.state.periods,
            positions: start.joints,
            velocities: [0.0; JOINTS],
            valve: ValveReading { angle: start.valve, velocity: 0.0, stamp: Stamp(PERIOD * self.state.periods) },
            noise: Rng::new(start.seed, "first_order"),
        };
        Ok(self.reading())
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        let dt = PERIOD.as_secs_f64();
        let state = &mut self.state;
        let travel: JointVector =
            std::array::from_fn(|joint| APPROACH * (goal.radians()[joint] - state.positions[joint]));
        let drag: f64 = (0..FINGERS)
            .map(|finger| {
                let (base, middle) = (finger * JOINTS_PER_FINGER, finger * JOINTS_PER_FINGER + 1);
                let touch = (1.0 - state.positions[middle].abs() / FRAC_PI_3).clamp(0.0, 1.0);
                GEAR * touch * travel[base]
            })
            .sum();
        state.positions.iter_mut().zip(travel).for_each(|(position, travel)| *position += travel);
        state.velocities = travel.map(|x| x / dt);
        state.periods += 1;
        let stamp = Stamp(PERIOD * state.periods);
        state.valve = ValveReading { angle: state.valve.angle + drag, velocity: drag / dt, stamp };
        Ok(self.reading())
    }
}

impl Snapshot for FirstOrderPlant {
    fn save(&self) -> Vec<u8> {
        postcard::to_allocvec(&self.state).expect("numbers always serialise")
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        self.state = postcard::from_bytes(state).map_err(|e| SnapshotError::new("first-order plant", e))?;
        Ok(())
    }
}
