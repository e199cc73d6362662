//! Torque off, whatever else is wrong.

use crate::{Bus, ClawError, ControlTable as Table};
use turnkey_core::ServoId;

/// Switches torque off: at once for all, then each until it confirms. All are tried, also after one that is silent.
///
/// # Errors
/// When servos don't confirm it, which are named.
pub fn release(bus: &mut Bus, ids: &[ServoId]) -> Result<(), ClawError> {
    let all: Vec<(ServoId, u8)> = ids.iter().map(|id| (*id, 0)).collect();
    // Twice, since nobody answers: a damaged instruction is lost on everyone.
    let said = (0..2).try_for_each(|_| bus.sync_write(Table::TORQUE_ENABLE, &all));
    let confirms = |bus: &mut Bus, id: ServoId| match bus.write(id, Table::TORQUE_ENABLE, 0) {
        Ok(()) => bus.write(id, Table::BUS_WATCHDOG, 0).is_ok(),
        Err(_) => false,
    };
    // Where the port is gone, asking each would only take time.
    let servos: Vec<ServoId> = match said {
        Ok(()) => ids.iter().copied().filter(|id| !confirms(bus, *id)).collect(),
        Err(_) => ids.to_vec(),
    };
    match servos.is_empty() {
        true => Ok(()),
        false => Err(ClawError::NotReleased { servos, after: "the claw was to be released".into() }),
    }
}
