//! What a person may order while a run goes on: by key, from another terminal, or by whatever holds [`Orders`].

mod keys;
mod socket;

pub use keys::{Keys, restore_terminal};
pub use socket::{Socket, send};

use clap::ValueEnum;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// An order to control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// Lets go of the plant at once and leaves with a checkpoint.
    Stop,
    /// Lets go of the plant at once, and waits for `resume`.
    Emergency,
    /// Lets go of the plant after this episode, and waits for `resume`.
    Pause,
    /// Goes on, with a new episode.
    Resume,
    /// Breaks this episode off and begins the next. What happened in it is not learned from any more.
    Discard,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// Orders given and not yet obeyed. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Orders(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    leave: AtomicBool,
    emergency: AtomicBool,
    pause: AtomicBool,
    discard: AtomicBool,
    /// Whether the plant is let go of.
    released: AtomicBool,
}

impl Orders {
    /// Gives an order. It is obeyed before control's next step.
    pub fn give(&self, order: Order) {
        let flags = &self.0;
        match order {
            Order::Stop => {
                flags.emergency.store(true, SeqCst);
                flags.leave.store(true, SeqCst);
            }
            Order::Emergency => flags.emergency.store(true, SeqCst),
            Order::Pause => flags.pause.store(true, SeqCst),
            Order::Resume => {
                flags.emergency.store(false, SeqCst);
                flags.pause.store(false, SeqCst);
            }
            Order::Discard => flags.discard.store(true, SeqCst),
        }
    }

    /// Whether to leave for good.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.0.leave.load(SeqCst)
    }

    /// Whether to let go at once.
    #[must_use]
    pub fn emergency(&self) -> bool {
        self.0.emergency.load(SeqCst)
    }

    /// Whether to rest between episodes.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.emergency() || self.0.pause.load(SeqCst)
    }

    /// Whether to break the present episode off, once.
    #[must_use]
    pub fn discards(&self) -> bool {
        self.0.discard.swap(false, SeqCst)
    }

    /// Control says whether the plant is let go of.
    pub fn set_released(&self, released: bool) {
        self.0.released.store(released, SeqCst);
    }

    /// Whether the plant is let go of.
    #[must_use]
    pub fn released(&self) -> bool {
        self.0.released.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_an_emergency_that_leaves_and_a_resume_ends_a_rest_but_no_leaving() {
        let orders = Orders::default();
        assert!(!orders.rests() && !orders.leaves() && !orders.emergency());
        orders.give(Order::Pause);
        assert!(orders.rests() && !orders.emergency());
        orders.give(Order::Resume);
        orders.give(Order::Emergency);
        assert!(orders.rests() && orders.emergency() && !orders.leaves());
        orders.give(Order::Resume);
        assert!(!orders.rests());
        orders.give(Order::Stop);
        orders.give(Order::Resume);
        assert!(orders.leaves());
    }

    #[test]
    fn one_order_to_discard_breaks_one_episode_off() {
        let orders = Orders::default();
        orders.clone().give(Order::Discard);
        assert!(orders.discards());
        assert!(!orders.discards());
    }
}
