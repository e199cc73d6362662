//! Who is on the bus, also where two servos have one id.

use super::{Bus, PATIENCE, Ping};
use crate::error::ClawError;
use crate::map::ServoReading;
use crate::reply::Reply;
use dynamixel2::instructions::instruction_id;
use serde::Serialize;
use std::time::Instant;
use turnkey_core::ServoId;

/// An id that somebody answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The id.
    pub id: ServoId,
    /// Its model number, where an answer came whole.
    pub model: Option<u16>,
    /// Version of its firmware, where an answer came whole.
    pub firmware: Option<u8>,
    /// Its answers come damaged, again and again: two servos have this id, or the line is bad.
    pub garbled: bool,
}

impl Bus {
    /// Finds every id that somebody answers to at the bus's speed. Takes most of a second; ten more where answers to a
    /// ping of all were damaged, since each id is then asked alone.
    ///
    /// Two servos with one id answer at once. That shows where their answers differ: by model or firmware, or by what
    /// they measure. Two that are alike in all of it can't be told from one.
    ///
    /// # Errors
    /// When the port fails. Nobody there is no error.
    pub fn scan(&mut self) -> Result<Vec<Found>, ClawError> {
        let whole = self.ping_all()?;
        let was_damaged = self.noise().damaged > 0;
        let mut found = Vec::new();
        for Ping { id, model, firmware } in whole {
            let garbled = self.is_garbled(id)?;
            found.push(Found { id, model: Some(model), firmware: Some(firmware), garbled });
        }
        if was_damaged {
            for id in (0..=252).map(ServoId) {
                if !found.iter().any(|one| one.id == id)
                    && let Some(one) = self.probe(id)?
                {
                    found.push(one);
                }
            }
        }
        found.sort_unstable_by_key(|one| one.id.0);
        Ok(found)
    }

    /// Whether what a servo measures comes damaged three times in a row.
    fn is_garbled(&mut self, id: ServoId) -> Result<bool, ClawError> {
        // The clock before the readings (register 120) differs where servos booted at different times.
        let first = crate::ControlTable::REALTIME_TICK.address;
        let length = ServoReading::ADDRESS + ServoReading::LENGTH - first;
        match self.read_bytes(id, first, length) {
            Ok(_) => Ok(false),
            Err(ClawError::Missing { noise, .. }) => Ok(noise.damaged > 0 || noise.bytes > 0),
            Err(ClawError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks one id who it is, and takes damage for an answer.
    fn probe(&mut self, id: ServoId) -> Result<Option<Found>, ClawError> {
        let mut damaged = false;
        for _ in 0..super::TRIES {
            self.send(id, instruction_id::PING, &[])?;
            let until = Instant::now() + PATIENCE + self.wire_time(64);
            while let Some(Reply { id: from, parameters, .. }) = self.receive(until)? {
                if let ([low, high, firmware], true) = (&parameters[..], from == id) {
                    let model = Some(u16::from_le_bytes([*low, *high]));
                    let garbled = self.is_garbled(id)?;
                    return Ok(Some(Found { id, model, firmware: Some(*firmware), garbled }));
                }
            }
            damaged = self.noise().damaged > 0 || self.parser.held() > 0;
            // Silence is taken at its word: hundreds of ids are asked.
            if !damaged {
                break;
            }
        }
        Ok(damaged.then_some(Found { id, model: None, firmware: None, garbled: true }))
    }
}
