//! What makes the benchmarks differ: Gymnasium's defaults, version 5
//! (<https://gymnasium.farama.org/environments/mujoco/>).

use crate::BenchmarkName;
use std::ops::Range;

/// One benchmark's constants.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The model's file.
    pub(crate) model: &'static str,
    /// Positions, velocities and actuators of the model.
    pub(crate) sizes: (usize, usize, usize),
    /// Physics steps a step.
    pub(crate) frame_skip: usize,
    /// Reward a metre a second forwards.
    pub(crate) forward_weight: f64,
    /// Cost of the controls' squares.
    pub(crate) control_weight: f64,
    /// Reward of each step that ends in health.
    pub(crate) healthy_reward: f64,
    /// Half the width of the start's uniform noise.
    pub(crate) noise: f64,
    /// Whether velocities start normally distributed instead, with the noise as deviation.
    pub(crate) normal_velocities: bool,
    /// Positions at the front that nobody sees, and that the forward velocity is along.
    pub(crate) hidden: usize,
    /// Seen velocities are limited to this, in m/s or rad/s.
    pub(crate) velocity_limit: f64,
    /// What an episode needs to go on.
    pub(crate) health: Health,
    /// What contact forces cost and show.
    pub(crate) contact: Contact,
}

/// What an episode needs to go on.
#[derive(Debug)]
pub(crate) enum Health {
    /// Nothing.
    Always,
    /// Height and pitch of the torso within, ends excluded; all the state after them within `state` of 0.
    Upright { height: Range<f64>, pitch: f64, state: f64 },
    /// Height of the torso within, both ends included, and all the state finite.
    Finite { height: Range<f64> },
    /// Height of the torso within, both ends excluded.
    Height { height: Range<f64> },
}

/// What contact forces cost and show.
#[derive(Debug)]
pub(crate) enum Contact {
    /// Neither.
    None,
    /// Forces limited to this, seen and at this cost of their squares.
    Limited { force: f64, weight: f64 },
    /// Inertia, velocity, actuator and contact forces are seen; forces cost this much of their squares, and at most that.
    Everything { weight: f64, most: f64 },
}

/// Steps after which every benchmark is truncated.
pub(crate) const EPISODE_STEPS: usize = 1000;

static HALF_CHEETAH: Rules = Rules {
    model: "half_cheetah.xml",
    sizes: (9, 9, 6),
    frame_skip: 5,
    forward_weight: 1.0,
    control_weight: 0.1,
    healthy_reward: 0.0,
    noise: 0.1,
    normal_velocities: true,
    hidden: 1,
    velocity_limit: f64::INFINITY,
    health: Health::Always,
    contact: Contact::None,
};

static HOPPER: Rules = Rules {
    model: "hopper.xml",
    sizes: (6, 6, 3),
    frame_skip: 4,
    forward_weight: 1.0,
    control_weight: 1e-3,
    healthy_reward: 1.0,
    noise: 5e-3,
    normal_velocities: false,
    hidden: 1,
    velocity_limit: 10.0,
    health: Health::Upright { height: 0.7..f64::INFINITY, pitch: 0.2, state: 100.0 },
    contact: Contact::None,
};

static WALKER2D: Rules = Rules {
    model: "walker2d_v5.xml",
    sizes: (9, 9, 6),
    frame_skip: 4,
    forward_weight: 1.0,
    control_weight: 1e-3,
    healthy_reward: 1.0,
    noise: 5e-3,
    normal_velocities: false,
    hidden: 1,
    velocity_limit: 10.0,
    health: Health::Upright { height: 0.8..2.0, pitch: 1.0, state: f64::INFINITY },
    contact: Contact::None,
};

static ANT: Rules = Rules {
    model: "ant.xml",
    sizes: (15, 14, 8),
    frame_skip: 5,
    forward_weight: 1.0,
    control_weight: 0.5,
    healthy_reward: 1.0,
    noise: 0.1,
    normal_velocities: true,
    hidden: 2,
    velocity_limit: f64::INFINITY,
    health: Health::Finite { height: 0.2..1.0 },
    contact: Contact::Limited { force: 1.0, weight: 5e-4 },
};

static HUMANOID: Rules = Rules {
    model: "humanoid.xml",
    sizes: (24, 23, 17),
    frame_skip: 5,
    forward_weight: 1.25,
    control_weight: 0.1,
    healthy_reward: 5.0,
    noise: 1e-2,
    normal_velocities: false,
    hidden: 2,
    velocity_limit: f64::INFINITY,
    health: Health::Height { height: 1.0..2.0 },
    contact: Contact::Everything { weight: 5e-7, most: 10.0 },
};

impl BenchmarkName {
    pub(crate) fn rules(self) -> &'static Rules {
        match self {
            Self::Hopper => &HOPPER,
            Self::Walker2d => &WALKER2D,
            Self::HalfCheetah => &HALF_CHEETAH,
            Self::Ant => &ANT,
            Self::Humanoid => &HUMANOID,
        }
    }
}

impl Health {
    /// Whether a state is healthy.
    pub(crate) fn holds(&self, positions: &[f64], velocities: &[f64]) -> bool {
        let inside = |x: f64, range: &Range<f64>| range.start < x && x < range.end;
        match self {
            Self::Always => true,
            Self::Upright { height, pitch, state } => {
                let rest = positions[2..].iter().chain(velocities);
                inside(positions[1], height)
                    && inside(positions[2], &(-pitch..*pitch))
                    && (state.is_infinite() || rest.into_iter().all(|x| inside(*x, &(-state..*state))))
            }
            Self::Finite { height } => {
                positions.iter().chain(velocities).all(|x| x.is_finite())
                    && (height.start..=height.end).contains(&positions[2])
            }
            Self::Height { height } => inside(positions[2], height),
        }
    }
}
