//! What every episode may draw anew, and the extremes to evaluate a policy at.

use crate::dynamics::LEAST_MASS_SCALE;
use crate::{Dynamics, TwinConfig};
use serde::{Deserialize, Serialize};
use turnkey_core::Rng;

/// The two ends of a range, both included; what is drawn is uniform between them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Range(pub [f64; 2]);

impl Range {
    fn draw(self, rng: &mut Rng) -> f64 {
        rng.uniform(self.0[0], self.0[1])
    }

    fn middle(self) -> f64 {
        0.5 * (self.0[0] + self.0[1])
    }
}

macro_rules! ranges {
    ($($(#[doc = $doc:literal])+ $field:ident >= $bound:expr;)+) => {
        /// Ranges that every episode draws its dynamics and noise from, by its own seed. What is absent
        /// stays as the model has it, and noise and latency stay away.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Randomisation {
            $($(#[doc = $doc])+ pub $field: Option<Range>,)+
        }

        impl Randomisation {
            /// The ranges that are set: name, range, least number allowed.
            pub(crate) fn ranges(&self) -> Vec<(&'static str, Range, f64)> {
                [$((stringify!($field), self.$field, $bound)),+]
                    .into_iter()
                    .filter_map(|(name, range, bound)| range.map(|range| (name, range, bound)))
                    .collect()
            }

            /// The same ranges, each shrunk to the one number that `choose` names.
            fn pinned(&self, choose: impl Fn(&'static str, Range) -> f64) -> Self {
                Self { $($field: self.$field.map(|range| Range([choose(stringify!($field), range); 2]))),+ }
            }
        }
    };
}

ranges! {
    /// Sliding friction coefficient of fingertips and valve; 0.2 in the model.
    sliding_friction >= 0.0;
    /// Damping of each claw joint, N m s/rad; 0.1 in the model.
    joint_damping >= 0.0;
    /// Dry friction of each claw joint, N m; 0 in the model.
    joint_frictionloss_newton_metres >= 0.0;
    /// Damping of the valve, N m s/rad; 0.1 in the model.
    valve_damping >= 0.0;
    /// Dry friction of the valve, N m; 0 in the model.
    valve_frictionloss_newton_metres >= 0.0;
    /// Factor on each joint's gain: on the 2 N m/rad of position actuators, on a servo's P gain.
    gain_scale >= 0.0;
    /// Factor on mass and inertia of the fingers' links and of the valve, each drawn on its own.
    mass_scale >= LEAST_MASS_SCALE;
    /// The claw's place beside its own, along x and y each, m.
    mount_offset_metres >= -0.05;
    /// Time from a goal being given to the servos following it, s.
    latency_secs >= 0.0;
    /// Standard deviation of the noise on each joint angle read, rad.
    joint_noise_radians >= 0.0;
    /// Standard deviation of the noise on the valve's angle read, rad.
    valve_noise_radians >= 0.0;
    /// The servos' supply, V; the servo's own nominal if absent. With `actuation = "servo"` only.
    supply_volts >= 1.0;
}

impl Randomisation {
    /// What an episode's own generator draws around `nominal`. The order of draws is fixed, and a range
    /// that is absent draws nothing.
    pub(crate) fn draw(&self, nominal: &Dynamics, rng: &mut Rng) -> Dynamics {
        let mut drawn = nominal.clone();
        let mut all = |values: &mut [f64], range: Option<Range>| {
            if let Some(range) = range {
                values.iter_mut().for_each(|value| *value = range.draw(rng));
            }
        };
        all(std::slice::from_mut(&mut drawn.sliding_friction), self.sliding_friction);
        all(&mut drawn.joint_damping, self.joint_damping);
        all(&mut drawn.joint_frictionloss, self.joint_frictionloss_newton_metres);
        all(std::slice::from_mut(&mut drawn.valve_damping), self.valve_damping);
        all(std::slice::from_mut(&mut drawn.valve_frictionloss), self.valve_frictionloss_newton_metres);
        all(&mut drawn.gain_scale, self.gain_scale);
        all(&mut drawn.mass_scale, self.mass_scale);
        all(&mut drawn.mount_offset, self.mount_offset_metres);
        all(std::slice::from_mut(&mut drawn.latency_secs), self.latency_secs);
        all(std::slice::from_mut(&mut drawn.joint_noise), self.joint_noise_radians);
        all(std::slice::from_mut(&mut drawn.valve_noise), self.valve_noise_radians);
        all(std::slice::from_mut(&mut drawn.supply_volts), self.supply_volts);
        drawn
    }
}

/// One extreme of the ranges of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Corner {
    /// Such as `middle`, `all_low`, `sliding_friction_high`.
    pub name: String,
    /// The configuration, in which every range is one number.
    pub config: TwinConfig,
}

impl TwinConfig {
    /// Where to evaluate a policy that is to bear the whole of the ranges: the middle of all, all at their
    /// low ends, all at their high ends, and each range at either end with the others in the middle. Just
    /// the configuration itself, named `nominal`, when nothing is randomised.
    #[must_use]
    pub fn corners(&self) -> Vec<Corner> {
        let ranges = self.randomisation.ranges();
        let corner = |name: String, randomisation| Corner { name, config: Self { randomisation, ..self.clone() } };
        if ranges.is_empty() {
            return vec![corner("nominal".into(), self.randomisation.clone())];
        }
        let pinned = |choose: &dyn Fn(&'static str, Range) -> f64| self.randomisation.pinned(choose);
        let mut corners = vec![
            corner("middle".into(), pinned(&|_, range| range.middle())),
            corner("all_low".into(), pinned(&|_, range| range.0[0])),
            corner("all_high".into(), pinned(&|_, range| range.0[1])),
        ];
        for (name, _, _) in ranges {
            for (end, side) in ["low", "high"].into_iter().enumerate() {
                let at = |field, range: Range| if field == name { range.0[end] } else { range.middle() };
                corners.push(corner(format!("{name}_{side}"), pinned(&at)));
            }
        }
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TwinConfig {
        let mut config = TwinConfig::default();
        config.randomisation.sliding_friction = Some(Range([0.1, 0.5]));
        config.randomisation.gain_scale = Some(Range([0.5, 1.5]));
        config
    }

    #[test]
    fn corners_name_every_end_and_hold_one_number_a_range() {
        let corners = config().corners();
        assert_eq!(corners.len(), 3 + 2 * 2);
        for corner in &corners {
            corner.config.check().unwrap();
            assert!(corner.config.randomisation.ranges().iter().all(|(_, Range([low, high]), _)| low == high));
        }
        let low = corners.iter().find(|corner| corner.name == "gain_scale_low").unwrap();
        assert_eq!(low.config.randomisation.gain_scale, Some(Range([0.5; 2])));
        assert_eq!(low.config.randomisation.sliding_friction, Some(Range([0.3; 2])));
    }

    #[test]
    fn with_nothing_randomised_the_one_corner_is_the_configuration_itself() {
        let corners = TwinConfig::default().corners();
        assert_eq!((corners.len(), corners[0].name.as_str()), (1, "nominal"));
        assert_eq!(corners[0].config, TwinConfig::default());
    }
}
