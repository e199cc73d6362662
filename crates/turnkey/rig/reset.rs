//! Bringing fingers and valve to where an episode starts.

use super::{LEAST_PATIENCE, Rig, RigError};
use crate::config::ValveStart;
use std::time::{Duration, Instant};
use turnkey_claw::{ClawError, ClawReading};
use turnkey_core::{JOINTS, JOINTS_PER_FINGER, JointVector, Kind, Rng, Start, ValveReading, wrap_angle};

/// How often it is tried before a person is asked, where something is in the way; and where servos don't answer in time.
const TRIES: u32 = 3;
const MOST_FAILURES: u32 = 5;
/// How near the valve must stay to where it was turned to, rad.
const VALVE_NEAR: f64 = 0.15;
/// The valve is at rest below this, rad/s.
const AT_REST: f64 = 0.1;
/// How long the valve may take to come to rest when its servo lets go.
const SETTLE: Duration = Duration::from_secs(1);
/// Time between two looks at it, by its servo and by its mark: from two frames close to each other a velocity is noise.
const LOOK: Duration = Duration::from_millis(20);
const LOOK_AT_MARK: Duration = Duration::from_millis(150);
/// Poses that fingers are moved about to before another try.
const SHAKES: u32 = 5;
/// How long each may take.
const SHAKE_TIME: Duration = Duration::from_secs(2);
/// Where base, middle and top are moved about, rad: to both sides, and mostly outwards.
const SHAKE: [[f64; 2]; JOINTS_PER_FINGER] = [[-0.45, 0.45], [-1.2, 0.2], [-0.6, 1.2]];

/// Whether it may go better once fingers were moved about, or the claw was recovered.
fn is_worth_another_try(error: &RigError) -> bool {
    error.kind() == Kind::Retry || matches!(error, RigError::Claw(ClawError::NotReached { .. }))
}

impl Rig {
    /// Brings joints and valve to `start`: fingers out of the valve's way, valve turned by its servo, where it has one, and let go
    /// of, both looked at. Where something is in the way, fingers are disentangled and it is tried again.
    ///
    /// # Errors
    /// Once everything was tried to have torque off.
    pub(super) fn bring(&mut self, start: &Start) -> Result<ClawReading, RigError> {
        let (mut held_up, mut failed) = (0, 0);
        loop {
            let result = self.may_begin(start).and_then(|()| self.take_hold()).and_then(|()| {
                if held_up > 0 {
                    self.disentangle(start)?;
                }
                self.try_bring(start)
            });
            let error = match result {
                Ok(reading) => return Ok(reading),
                Err(error) => self.failed(error),
            };
            if error.is_stopped() || !is_worth_another_try(&error) {
                self.let_go()?;
                return Err(error);
            }
            match error.is_of_fingers() {
                true => held_up += 1,
                false => failed += 1,
            }
            if held_up >= TRIES || failed >= MOST_FAILURES {
                // Nothing holds on while somebody is waited for.
                self.let_go()?;
                self.asked = true;
                return Err(RigError::NoStart { tries: held_up + failed, source: Box::new(error) });
            }
            tracing::warn!("an episode's start was not reached, trying again: {error}");
        }
    }

    /// Whether a start can be tried at all.
    fn may_begin(&self, start: &Start) -> Result<(), RigError> {
        self.is_within_reach(&start.joints)?;
        if (self.interrupted)() { Err(ClawError::Stopped.into()) } else { Ok(()) }
    }

    fn try_bring(&mut self, start: &Start) -> Result<ClawReading, RigError> {
        self.take_fingers_to(&start.joints, "the start", self.claw.home_time())?;
        match self.valve_start {
            ValveStart::Servo => {
                let (within, interrupted) = (self.valve_time(), self.interrupted.clone());
                self.held()?.turn_valve(start.valve, within, &*interrupted)?;
                self.settle(start.valve)
            }
            ValveStart::WhereItIs => self.look_at_valve().map(|(reading, _)| reading),
            ValveStart::Person => {
                let (reading, found) = self.look_at_valve()?;
                let is_there = wrap_angle(found - start.valve).abs() < VALVE_NEAR;
                if is_there { Ok(reading) } else { Err(RigError::ToBeTurned { wanted: start.valve, found }) }
            }
        }
    }

    /// Waits for the valve to be at rest, by its mark; gives its angle, rad.
    fn look_at_valve(&mut self) -> Result<(ClawReading, f64), RigError> {
        let until = Instant::now() + SETTLE;
        let mut looks = 0;
        loop {
            if (self.interrupted)() {
                return Err(ClawError::Stopped.into());
            }
            let begun = Instant::now();
            let reading = self.held()?.read(begun + LEAST_PATIENCE)?;
            let valve = self.look(begun)?.and_then(|look| look.valve(self.epoch)).ok_or(ClawError::NoValve)?;
            // The first may be the first of all, which has no velocity.
            if looks > 0 && valve.velocity.abs() < AT_REST {
                return Ok((reading, valve.angle));
            }
            if Instant::now() > until {
                return Err(RigError::Turning { velocity: valve.velocity });
            }
            looks += 1;
            std::thread::sleep(LOOK_AT_MARK);
        }
    }

    /// Waits for the valve to be at rest, and looks whether it stayed.
    fn settle(&mut self, wanted: f64) -> Result<ClawReading, RigError> {
        let until = Instant::now() + SETTLE;
        loop {
            if (self.interrupted)() {
                return Err(ClawError::Stopped.into());
            }
            let reading = self.held()?.read(Instant::now() + LEAST_PATIENCE)?;
            let ValveReading { angle: found, velocity, .. } = reading.valve.ok_or(ClawError::NoValve)?;
            let rests = velocity.abs() < AT_REST;
            if rests && wrap_angle(found - wanted).abs() < VALVE_NEAR {
                return Ok(reading);
            }
            if rests || Instant::now() > until {
                return Err(RigError::Moved { wanted, found });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Moves the fingers about, so that none stays hooked behind a spoke of the valve: to poses drawn anew each time, for as
    /// long as it gets anywhere, with torque off between those that it doesn't reach.
    fn disentangle(&mut self, start: &Start) -> Result<(), RigError> {
        self.shakes += 1;
        let mut rng = Rng::new(start.seed, &format!("disentangling {}", self.shakes));
        for _ in 0..SHAKES {
            let pose: JointVector = std::array::from_fn(|joint| {
                let [low, high] = SHAKE[joint % JOINTS_PER_FINGER];
                rng.uniform(low, high).clamp(self.limits.low()[joint], self.limits.high()[joint])
            });
            match self.take_fingers_to(&pose, "a pose clear of the valve", SHAKE_TIME) {
                Err(error) if is_worth_another_try(&error) => {
                    self.failed(error);
                    self.take_hold()?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    fn take_fingers_to(&mut self, pose: &JointVector, what: &'static str, within: Duration) -> Result<(), RigError> {
        let speed = self.reset_radians_per_sec;
        let interrupted = self.interrupted.clone();
        Ok(self.held()?.take_to_at(pose, what, speed, within, &*interrupted)?)
    }

    /// Twice the time that half a turn takes, and a second.
    fn valve_time(&self) -> Duration {
        let speed = self.claw.raw().valve.as_ref().map_or(1.0, |valve| valve.radians_per_sec);
        Duration::from_secs_f64(1.0 + 2.0 * std::f64::consts::PI / speed)
    }

    fn is_within_reach(&self, joints: &JointVector) -> Result<(), RigError> {
        let (low, high) = (self.limits.low(), self.limits.high());
        // As much beyond is a matter of rounding.
        let beyond = |i: &usize| joints[*i] < low[*i] - 1e-6 || joints[*i] > high[*i] + 1e-6;
        match (0..JOINTS).find(beyond) {
            None => Ok(()),
            Some(joint) => Err(RigError::Start { joint, angle: joints[joint], low: low[joint], high: high[joint] }),
        }
    }
}
