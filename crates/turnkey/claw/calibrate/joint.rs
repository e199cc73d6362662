//! From what a servo counted in three poses to what the claw's file says of its joint.

use anyhow::{Result, bail, ensure};
use turnkey_claw::{CENTRE, Direction, RawJoint, RawValve};
use turnkey_core::ServoId;
use turnkey_core::servo::{RADIANS_PER_TICK, ServoName, TICKS_PER_TURN};

/// The most that a servo in position mode adds to its encoder, ticks.
const MOST_OFFSET: i32 = 1024;
const TURN: i32 = TICKS_PER_TURN as i32;

/// What a servo's encoder said, without its homing offset, ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poses {
    /// With the joint at 0 rad.
    pub(super) zero: i32,
    /// At its low end.
    pub(super) low: i32,
    /// At its high end.
    pub(super) high: i32,
}

/// The joint whose servo counted this. Limits stay `margin` (rad) inside the ends, and within what the file allowed before.
///
/// # Errors
/// When no setting of the servo makes a joint of it.
pub(super) fn joint(before: &RawJoint, id: ServoId, model: ServoName, poses: Poses, margin: f64) -> Result<RawJoint> {
    let name = &before.name;
    let turns = poses.zero.div_euclid(TURN) * TURN;
    let [zero, low, high] = [poses.zero, poses.low, poses.high].map(|ticks| ticks - turns);
    let homing_offset = CENTRE.0 - zero;
    if homing_offset.abs() > MOST_OFFSET {
        bail!(
            "servo {} ({name}): expected the joint's zero within a quarter turn of the servo's centre, tick 2048, got \
             tick {zero}\n  fix: take the horn off, turn it towards the centre, and calibrate this joint again",
            id.0
        );
    }
    let direction = match (low < zero, zero < high) {
        (true, true) => Direction::Normal,
        (false, false) if low != zero && zero != high => Direction::Reversed,
        _ => bail!(
            "servo {} ({name}): expected its zero between its ends, got ticks {low}, {zero}, {high} for low end, zero and \
             high end\n  fix: calibrate this joint again; the ends are on either side of zero",
            id.0
        ),
    };
    if let Some(end) = [low, high].into_iter().find(|ticks| !(0..TURN).contains(ticks)) {
        bail!(
            "servo {} ({name}): expected both ends within the servo's turn, ticks 0 to {}, got {end}\n  fix: take the \
             horn off and mount it so that the joint moves about the servo's centre",
            id.0,
            TURN - 1
        );
    }
    let angle = |ticks: i32| f64::from((ticks - zero).abs()) * RADIANS_PER_TICK;
    // Thousandths are as fine as a tick; inwards, so that rounding never goes beyond an end.
    let least = (-(angle(low) - margin)).max(before.low);
    let most = (angle(high) - margin).min(before.high);
    let (low, high) = ((least * 1e3).ceil() / 1e3, (most * 1e3).floor() / 1e3);
    ensure!(
        low < 0.0 && high > 0.0,
        "servo {} ({name}): expected ends further than {margin} rad from zero, got {low} to {high} rad with that margin\n  \
         fix: move the joint as far as it goes, or give a smaller --margin",
        id.0
    );
    let home = before.home.clamp(low, high);
    Ok(RawJoint { id: id.0, model, direction, homing_offset, low, high, home, ..before.clone() })
}

/// The valve whose servo counted this at 0 rad, and this where it was turned to a greater angle.
///
/// # Errors
/// When it was not turned.
pub(super) fn valve(before: &RawValve, id: ServoId, model: ServoName, zero: i32, turned: i32) -> Result<RawValve> {
    ensure!(
        zero != turned,
        "servo {} (valve): expected it to be turned, got tick {zero} again\n  fix: turn it further",
        id.0
    );
    let direction = if turned > zero { Direction::Normal } else { Direction::Reversed };
    let homing_offset = CENTRE.0 - zero.rem_euclid(TURN);
    Ok(RawValve { id: id.0, model, direction, homing_offset, ..before.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> RawJoint {
        RawJoint {
            name: "finger_0/base".into(),
            id: 10,
            model: ServoName::Xm430W210,
            direction: Direction::Normal,
            homing_offset: 0,
            low: -1.57,
            high: 1.57,
            max_step: 0.5,
            home: 0.0,
        }
    }

    fn found(zero: i32, low: i32, high: i32) -> Result<RawJoint> {
        joint(&before(), ServoId(7), ServoName::Xh430V210, Poses { zero, low, high }, 0.05)
    }

    #[test]
    fn three_poses_make_a_joint_whichever_way_the_servo_is_mounted() {
        // 652 ticks are 1.0002 rad, 326 are 0.5001.
        let normal = found(2000, 2000 - 326, 2000 + 652).unwrap();
        assert_eq!((normal.id, normal.model, normal.homing_offset), (7, ServoName::Xh430V210, 48));
        assert_eq!((normal.direction, normal.low, normal.high), (Direction::Normal, -0.45, 0.95));
        let reversed = found(2000, 2000 + 326, 2000 - 652).unwrap();
        assert_eq!((reversed.direction, reversed.low, reversed.high), (Direction::Reversed, -0.45, 0.95));
        assert_eq!(reversed.max_step, 0.5, "what was not measured stays");
    }

    #[test]
    fn turns_that_were_counted_are_taken_off_and_limits_never_widen() {
        let joint = found(2000 - 2 * 4096, 2000 - 2 * 4096 - 1300, 2000 - 2 * 4096 + 1300).unwrap();
        assert_eq!((joint.homing_offset, joint.low, joint.high), (48, -1.57, 1.57));
    }

    #[test]
    fn what_makes_no_joint_is_refused_with_the_fix() {
        for (zero, low, high, reason) in [
            (900, 700, 1100, "tick 900"),
            (2000, 1700, 1900, "zero between its ends"),
            (2000, 2000, 2300, "zero between its ends"),
            (1100, -5, 1500, "got -5"),
            (2000, 1990, 2300, "further than 0.05 rad"),
        ] {
            let said = found(zero, low, high).unwrap_err().to_string();
            assert!(said.contains(reason) && said.contains("fix:"), "{said}");
        }
    }

    #[test]
    fn the_valve_turns_either_way() {
        let before = RawValve {
            id: 40,
            model: ServoName::Xm430W210,
            direction: Direction::Normal,
            homing_offset: 0,
            radians_per_sec: 2.0,
        };
        let turned = |zero, turned| valve(&before, ServoId(41), ServoName::Xm430W210, zero, turned);
        let one = turned(-4096 + 100, -4096 + 900).unwrap();
        assert_eq!((one.id, one.direction, one.homing_offset), (41, Direction::Normal, 1948));
        assert_eq!(turned(3000, 2000).unwrap().direction, Direction::Reversed);
        assert!(turned(5, 5).is_err());
    }
}
