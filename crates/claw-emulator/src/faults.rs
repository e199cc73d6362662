//! What can go wrong with a bus, on demand.

use std::str::FromStr;
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
    /// The adapter is unplugged: its port is gone, servos keep their power and hear nothing. Cleared, there is a port again, under
    /// the same name where that is a link.
    Unplugged,
}

/// The faults as a person types them, with what they take.
const SPELLINGS: &str = "bus-silent | silent ID | missing ID | reboot ID | flip SHARE | drop SHARE | slow MILLISECONDS | \
                         overload ID | overheat ID | brown-out VOLTS | shared-id ID OTHER | unplug";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let refuse = || format!("expected one of: {SPELLINGS}; got {text:?}");
        let id = |word: &str| word.parse().map(ServoId).map_err(|_| refuse());
        let number = |word: &str, most: f64| {
            let fits = |number: &f64| (0.0..=most).contains(number);
            word.parse().ok().filter(fits).ok_or_else(refuse)
        };
        Ok(match words[..] {
            ["bus-silent"] => Self::BusSilent,
            ["silent", servo] => Self::Silent(id(servo)?),
            ["missing", servo] => Self::Missing(id(servo)?),
            ["reboot", servo] => Self::Reboot(id(servo)?),
            ["flip", share] => Self::FlippedBytes(number(share, 1.0)?),
            ["drop", share] => Self::DroppedBytes(number(share, 1.0)?),
            ["slow", millis] => Self::Slow(Duration::from_secs_f64(number(millis, 1e6)? * 1e-3)),
            ["overload", servo] => Self::Overload(id(servo)?),
            ["overheat", servo] => Self::Overheating(id(servo)?),
            ["brown-out", volts] => Self::BrownOut(number(volts, 60.0)?),
            ["unplug"] => Self::Unplugged,
            ["shared-id", servo, other] => Self::SharedId(id(servo)?, id(other)?),
            _ => return Err(refuse()),
        })
    }
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

    /// Whether the adapter is unplugged.
    pub(crate) fn is_unplugged(&self) -> bool {
        self.with(|active| active.contains(&Fault::Unplugged))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_a_person_types_them_and_anything_else_is_answered_with_what_there_is() {
        assert_eq!("silent 11".parse(), Ok(Fault::Silent(ServoId(11))));
        assert_eq!(" slow  2.5 ".parse(), Ok(Fault::Slow(Duration::from_micros(2500))));
        assert_eq!("shared-id 11 12".parse(), Ok(Fault::SharedId(ServoId(11), ServoId(12))));
        for text in ["", "silent", "silent 300", "flip 1.5", "flip NaN", "brown-out -1", "nonsense 3"] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains("brown-out VOLTS") && error.contains(text), "{error}");
        }
    }

    #[test]
    fn faults_that_happen_once_are_taken_out_and_the_others_stay() {
        let handle = FaultHandle::default();
        handle.inject(Fault::BusSilent);
        handle.inject(Fault::Reboot(ServoId(1)));
        assert_eq!(handle.clone().take_events(), [Fault::Reboot(ServoId(1))]);
        assert_eq!(handle.active(), [Fault::BusSilent]);
        handle.clear();
        assert!(handle.active().is_empty());
    }
}
