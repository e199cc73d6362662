//! What can go wrong with a bus, on demand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use turnkey_core::ServoId;

/// Something that goes wrong, from the moment it is injected until faults are cleared. Servos are named by the id that
/// they answer to at the time.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// No answer reaches the client; servos still hear and obey.
    BusSilent,
    /// One servo hears and obeys, and its answers are lost.
    Silent(ServoId),
    /// One servo is unplugged: no power, no torque. Cleared, it boots.
    Missing(ServoId),
    /// One servo reboots now: 100 ms of silence, torque off. Happens once.
    Reboot(ServoId),
    /// Each byte of an answer has one bit flipped with this probability.
    FlippedBytes(f64),
    /// Each byte of an answer is lost with this probability.
    DroppedBytes(f64),
    /// Answers come this much later than they would.
    Slow(Duration),
    /// One servo finds itself overloaded now. Happens once; its alert stays until it is rebooted.
    Overload(ServoId),
    /// One servo's temperature reads 10 degrees above its limit. Its alert stays until it is rebooted.
    Overheating(ServoId),
    /// The supply drops to this many volts. Below 6 V servos are off, and boot when it is back.
    BrownOut(f64),
    /// The first servo takes the second's id, as if somebody had set both alike.
    SharedId(ServoId, ServoId),
}

/// Injects and clears faults, from any thread, while the emulator runs.
#[derive(Clone, Debug, Default)]
pub struct FaultHandle(Arc<Mutex<Vec<Fault>>>);

impl FaultHandle {
    /// Lets something go wrong, besides what goes wrong already.
    pub fn inject(&self, fault: Fault) {
        self.with(|active| active.push(fault));
    }

    /// Lets nothing go wrong any more. What a fault left behind in a servo, such as an alert, stays.
    pub fn clear(&self) {
        self.with(Vec::clear);
    }

    /// What goes wrong now.
    #[must_use]
    pub fn active(&self) -> Vec<Fault> {
        self.with(|active| active.clone())
    }

    /// Takes out the faults that happen once.
    pub(crate) fn take_events(&self) -> Vec<Fault> {
        let happens_once = |fault: &Fault| matches!(fault, Fault::Reboot(_) | Fault::Overload(_));
        self.with(|active| {
            let events = active.iter().filter(|fault| happens_once(fault)).cloned().collect();
            active.retain(|fault| !happens_once(fault));
            events
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Vec<Fault>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
