//! What the claw measures, and what of it is too much.

use crate::ClawError;
use crate::config::{ClawConfig, Guard, ServoConfig};
use crate::map::ServoReading;
use turnkey_core::{JOINTS, JointVector, Stamp, ValveReading};

/// The claw as measured at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ClawReading {
    /// When: halfway between question and last answer.
    pub stamp: Stamp,
    /// Joint angles, rad.
    pub positions: JointVector,
    /// Joint velocities, rad/s.
    pub velocities: JointVector,
    /// Currents that turn the joints, A.
    pub currents: JointVector,
    /// Torques they make, N m, estimated.
    pub torques: JointVector,
    /// Temperatures of the joints' servos, degrees C.
    pub celsius: JointVector,
    /// Supplies of the joints' servos, V.
    pub volts: JointVector,
    /// The valve, where it has a servo; turns are counted.
    pub valve: Option<ValveReading>,
    /// The temperature of the valve's servo, degrees C.
    pub valve_celsius: Option<f64>,
}

impl ClawReading {
    /// From what the servos say, the valve's last.
    pub(super) fn new(stamp: Stamp, config: &ClawConfig, servos: &[ServoReading]) -> Self {
        let of = |value: fn(&ServoConfig, &ServoReading) -> f64| -> JointVector {
            std::array::from_fn(|i| value(&config.joints()[i], &servos[i]))
        };
        let valve = config.valve().zip(servos.get(JOINTS));
        Self {
            stamp,
            positions: of(|servo, reading| servo.map.radians_from_ticks(reading.position).0),
            velocities: of(|servo, reading| servo.map.velocity_from_units(reading.velocity)),
            currents: of(|servo, reading| servo.map.amperes_from_units(reading.current)),
            torques: of(|servo, reading| servo.map.torque_from_amperes(servo.map.amperes_from_units(reading.current))),
            celsius: of(|_, reading| f64::from(reading.celsius)),
            volts: of(|_, reading| reading.volts),
            valve: valve.map(|(servo, reading)| ValveReading {
                angle: servo.map.radians_from_ticks(reading.position).0,
                velocity: servo.map.velocity_from_units(reading.velocity),
                stamp,
            }),
            valve_celsius: valve.map(|(_, reading)| f64::from(reading.celsius)),
        }
    }
}

/// Since when each joint is too fast, or takes too much current.
#[derive(Clone, Debug, Default)]
pub(super) struct Excess {
    fast: [Option<Stamp>; JOINTS],
    strong: [Option<Stamp>; JOINTS],
}

impl Excess {
    /// Looks at a reading.
    ///
    /// # Errors
    /// When a servo is too hot, or a joint was too fast or took too much current for too long.
    pub(super) fn check(&mut self, config: &ClawConfig, reading: &ClawReading) -> Result<(), ClawError> {
        let guard = &config.raw().guard;
        for (i, joint) in config.joints().iter().enumerate() {
            hot(guard, joint, reading.celsius[i])?;
            let [velocity, current] = [reading.velocities[i].abs(), reading.currents[i].abs()];
            let refuse = |quantity, limit, found, unit, fix| {
                Err(ClawError::Guard { id: joint.id, joint: joint.name.clone(), quantity, limit, found, unit, fix })
            };
            if lasts(&mut self.fast[i], velocity > guard.radians_per_sec, reading.stamp, guard.secs) {
                let fix = "look what it moved; if it may be that fast, raise `guard.radians_per_sec`";
                return refuse("a velocity", guard.radians_per_sec, velocity, "rad/s", fix);
            }
            if lasts(&mut self.strong[i], current > guard.amperes, reading.stamp, guard.secs) {
                let fix = "see what holds it, free it by hand; if it may pull that hard, raise `guard.amperes`";
                return refuse("a current", guard.amperes, current, "A", fix);
            }
        }
        match config.valve().zip(reading.valve_celsius) {
            Some((valve, celsius)) => hot(guard, valve, celsius),
            None => Ok(()),
        }
    }
}

/// Whether what `holds` has held in every reading for longer than `secs`.
fn lasts(since: &mut Option<Stamp>, holds: bool, now: Stamp, secs: f64) -> bool {
    if !holds {
        *since = None;
        return false;
    }
    let begun = *since.get_or_insert(now);
    now.0.saturating_sub(begun.0).as_secs_f64() > secs
}

fn hot(guard: &Guard, servo: &ServoConfig, celsius: f64) -> Result<(), ClawError> {
    if celsius < guard.celsius {
        return Ok(());
    }
    Err(ClawError::Guard {
        id: servo.id,
        joint: servo.name.clone(),
        quantity: "a temperature",
        limit: guard.celsius,
        found: celsius,
        unit: "degrees C",
        fix: "let it cool down; ask less of it, or give it air",
    })
}
