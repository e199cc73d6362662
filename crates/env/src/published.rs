//! The published tasks, in numbers.

use crate::{Bonus, RewardConfig, Sees, TargetConfig, TargetFrame, TaskConfig, TaskName};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_3, PI};

impl TaskConfig {
    /// A task as published.
    ///
    /// ROBEL's four (`turn_*`, `screw_*` but for `turn_paper`) have its DClaw tasks' numbers: control,
    /// length, starts, targets, reward, success. What differs: the error is observed by cosine and sine
    /// where ROBEL gives the wrapped angle, so an observation has 22 numbers where ROBEL's has 21, and
    /// the target is not rounded to 32 bits.
    ///
    /// `turn_paper` has these published parts: joint angles, joint velocities and the valve's angle
    /// are seen; actions are absolute joint angles; the target never changes and the valve starts
    /// opposite it (for a uniform start, `start_valve = [-3.141592653589793, 3.141592653589793]`); episodes of 200
    /// steps and a cost of 2.0 a radian, with the target at pi, as in the authors' research code. The
    /// paper gives neither control period, joint ranges nor the claw's start: those are ROBEL's, and the
    /// success bound, which nothing is paid for, is ours.
    #[must_use]
    pub fn published(name: TaskName) -> Self {
        let turn = Self { name, ..turn_fixed() };
        match name {
            TaskName::TurnFixed => turn,
            TaskName::TurnRandom => Self {
                start_valve: [-FRAC_PI_3, FRAC_PI_3],
                target: TargetConfig { angle: [PI - FRAC_PI_3, PI + FRAC_PI_3], ..turn.target },
                ..turn
            },
            TaskName::TurnPaper => Self {
                episode_steps: 200,
                reward: RewardConfig { distance: 2.0, pose: 0.0, velocity: 0.0, velocity_floor: 0.0, bonuses: vec![] },
                observe_last_action: false,
                observe_error: false,
                observe_velocities: true,
                ..turn
            },
            TaskName::ScrewFixed => screw([0.0, 0.0], [0.5, 0.5], turn),
            TaskName::ScrewRandom => screw([-PI, PI], [-0.75, 0.75], turn),
        }
    }
}

fn turn_fixed() -> TaskConfig {
    TaskConfig {
        name: TaskName::TurnFixed,
        episode_steps: 40,
        period_secs: 0.1,
        success_within: 0.1,
        start_valve: [0.0, 0.0],
        start_claw: [0.0, -FRAC_PI_3, FRAC_PI_3],
        action_range: [0.48, FRAC_PI_3, FRAC_PI_2],
        target: TargetConfig { from: TargetFrame::Zero, angle: [PI, PI], velocity: [0.0, 0.0] },
        reward: RewardConfig {
            distance: 5.0,
            pose: 1.0,
            velocity: 1.0,
            velocity_floor: 0.5,
            bonuses: vec![Bonus { within: 0.25, reward: 10.0 }, Bonus { within: 0.10, reward: 50.0 }],
        },
        sees: Sees::State,
        stack: 1,
        observe_last_action: true,
        observe_error: true,
        observe_target: false,
        observe_velocities: false,
        // ROBEL's greatest joint velocity.
        velocity_scale: 2.0 * FRAC_PI_3,
    }
}

/// A screw task: the target starts at the valve and moves.
fn screw(start_valve: [f64; 2], velocity: [f64; 2], turn: TaskConfig) -> TaskConfig {
    TaskConfig {
        episode_steps: 80,
        success_within: 0.2,
        start_valve,
        target: TargetConfig { from: TargetFrame::Start, angle: [0.0, 0.0], velocity },
        ..turn
    }
}
