//! What every plant and every environment promises, as checks that panic with the broken promise.
//!
//! A new plant or environment calls these from its own tests. Each check builds what it needs from the
//! function it is given, which must make equal ones each time.
//!
//! ```
//! use turnkey_env::{FirstOrderPlant, TaskConfig, TaskName, conformance};
//!
//! conformance::check_plant(FirstOrderPlant::new);
//! conformance::check_claw(&TaskConfig::published(TaskName::TurnRandom), FirstOrderPlant::new);
//! ```

mod claw;
mod environment;
mod plant;

pub use claw::check_claw;
pub use environment::{check_environment, check_environment_within};
pub use plant::check_plant;

use turnkey_core::{Action, Rng, Snapshot};

/// An action of `width` numbers, uniform in [-1, 1].
fn action(width: usize, rng: &mut Rng) -> Action {
    Action((0..width).map(|_| rng.uniform(-1.0, 1.0) as f32).collect())
}

/// Checks that bytes which are no state are refused and change nothing.
fn check_refusal(of: &mut impl Snapshot) {
    let state = of.save();
    for garbage in [&[][..], &[0xff; 7], &state[..state.len() / 2]] {
        assert!(of.restore(garbage).is_err(), "{} bytes that are no state must be refused", garbage.len());
        assert!(of.save() == state, "a refused state must change nothing");
    }
    assert!(of.restore(&state).is_ok(), "a state just saved must be readable");
    assert!(of.save() == state, "a state restored must be the state saved");
}
