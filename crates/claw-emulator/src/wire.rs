//! The wire between servos and client: how long bytes take on it, and what happens to them.

use crate::{BusTiming, Fault};
use std::collections::VecDeque;
use std::time::Duration;
use turnkey_core::Rng;

/// An FTDI adapter sends what it has once it has this many bytes, whatever its latency timer says.
const ADAPTER_CHUNK: usize = 62;
/// A quiet of this long ends a packet that isn't complete.
const QUIET: Duration = Duration::from_millis(50);

/// Bytes under way, and the time until which the wire is taken.
pub(crate) struct Wire {
    timing: BusTiming,
    free_from: Duration,
    heard: Duration,
    rng: Rng,
    /// Bytes with the time at which the client gets them.
    outbox: VecDeque<(Duration, Vec<u8>)>,
}

impl Wire {
    pub(crate) fn new(timing: BusTiming, seed: u64) -> Self {
        let rng = Rng::new(seed, "emulated bus");
        Self { timing, free_from: Duration::ZERO, heard: Duration::ZERO, rng, outbox: VecDeque::new() }
    }

    /// The time that `count` bytes take: eight bits each, with a start and a stop bit.
    pub(crate) fn bytes(&self, count: usize, baud: u32) -> Duration {
        match self.timing {
            BusTiming::Instantaneous => Duration::ZERO,
            BusTiming::Real { .. } => Duration::from_nanos(count as u64 * 10_000_000_000 / u64::from(baud.max(1))),
        }
    }

    /// A servo's delays, which an instantaneous bus leaves out.
    pub(crate) fn delay(&self, delay: Duration) -> Duration {
        if self.timing == BusTiming::Instantaneous { Duration::ZERO } else { delay }
    }

    /// A client wrote `count` bytes at time `at`: when the last is through, and whether the line was quiet before for so
    /// long that they begin anew.
    pub(crate) fn carry(&mut self, count: usize, at: Duration, baud: u32) -> (Duration, bool) {
        let was_quiet = at > self.heard + QUIET;
        self.free_from = self.free_from.max(at) + self.bytes(count, baud);
        self.heard = self.free_from;
        (self.free_from, was_quiet)
    }

    /// Sends an answer that begins at `start`; gives the time at which it ends on the wire.
    pub(crate) fn send(&mut self, bytes: &[u8], start: Duration, baud: u32, faults: &[Fault]) -> Duration {
        let end = start + self.bytes(bytes.len(), baud);
        self.free_from = self.free_from.max(end);
        let bytes = self.damaged(bytes, faults);
        let latency = match self.timing {
            BusTiming::Instantaneous => Duration::ZERO,
            BusTiming::Real { usb_latency } => usb_latency,
        };
        if latency.is_zero() {
            self.post(end, bytes);
            return end;
        }
        let mut sent = 0;
        for chunk in bytes.chunks(ADAPTER_CHUNK) {
            sent += chunk.len();
            let there = start + self.bytes(sent, baud);
            // The latency timer runs freely: what isn't a full chunk waits for its next tick.
            let ticks = there.as_nanos().div_ceil(latency.as_nanos());
            let tick = Duration::from_nanos((ticks * latency.as_nanos()) as u64);
            self.post(if chunk.len() == ADAPTER_CHUNK { there } else { tick }, chunk.to_vec());
        }
        end
    }

    fn post(&mut self, due: Duration, bytes: Vec<u8>) {
        // Nothing overtakes what was sent before.
        let due = self.outbox.back().map_or(due, |(last, _)| due.max(*last));
        if !bytes.is_empty() {
            self.outbox.push_back((due, bytes));
        }
    }

    fn damaged(&mut self, bytes: &[u8], faults: &[Fault]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        for fault in faults {
            match *fault {
                Fault::BusSilent => damaged.clear(),
                Fault::FlippedBytes(probability) => {
                    for byte in &mut damaged {
                        if self.rng.unit() < probability {
                            *byte ^= 1 << self.rng.below(8);
                        }
                    }
                }
                Fault::DroppedBytes(probability) => damaged.retain(|_| self.rng.unit() >= probability),
                _ => {}
            }
        }
        damaged
    }

    /// Answers of servos that speak at once: a line that one of them pulls low is low. No two clocks are alike, so each
    /// begins up to three bytes later than it should.
    pub(crate) fn collide(&mut self, answers: &[Vec<u8>]) -> Vec<u8> {
        let mut line: Vec<u8> = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            let late = if index == 0 { 0 } else { 1 + self.rng.below(3) };
            line.resize(line.len().max(answer.len() + late), 0xFF);
            line.iter_mut().skip(late).zip(answer).for_each(|(low, byte)| *low &= byte);
        }
        line
    }

    /// When the client is to get something next.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.outbox.front().map(|(due, _)| *due)
    }

    /// What the client gets by `now`.
    pub(crate) fn delivered(&mut self, now: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((_, next)) = self.outbox.pop_front_if(|(due, _)| *due <= now) {
            bytes.extend(next);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    #[test]
    fn a_byte_takes_ten_bits_and_the_latency_timer_holds_back_what_is_no_full_chunk() {
        let mut wire = Wire::new(BusTiming::Real { usb_latency: Duration::ZERO }, 0);
        assert_eq!(wire.bytes(14, 1_000_000), 140 * MICRO);
        assert_eq!(wire.carry(14, 1000 * MICRO, 57_600).0.as_micros(), 1000 + 2430);
        wire.send(&[1; 10], 5000 * MICRO, 1_000_000, &[]);
        assert_eq!(wire.due(), Some(5100 * MICRO));
        let mut wire = Wire::new(BusTiming::Real { usb_latency: Duration::from_millis(16) }, 0);
        wire.send(&[1; 100], 5000 * MICRO, 1_000_000, &[]);
        assert_eq!(wire.due(), Some(5620 * MICRO), "62 bytes go at once");
        assert_eq!(wire.delivered(15_999 * MICRO).len(), 62);
        assert_eq!(wire.delivered(16_000 * MICRO).len(), 38);
    }

    #[test]
    fn servos_that_speak_at_once_are_not_understood() {
        let mut wire = Wire::new(BusTiming::Instantaneous, 0);
        let answers = [vec![0xF0, 0xFF, 0x3C], vec![0xF0, 0xFF, 0x3C]];
        assert_ne!(wire.collide(&answers), answers[0]);
    }

    #[test]
    fn faults_do_what_they_are_called() {
        let mut wire = Wire::new(BusTiming::Instantaneous, 0);
        let bytes = [0x55; 1000];
        let flipped = wire.damaged(&bytes, &[Fault::FlippedBytes(0.1)]);
        let changed = flipped.iter().filter(|byte| **byte != 0x55).count();
        assert!((50..200).contains(&changed) && flipped.len() == 1000, "{changed}");
        assert!((850..950).contains(&wire.damaged(&bytes, &[Fault::DroppedBytes(0.1)]).len()));
        assert!(wire.damaged(&bytes, &[Fault::BusSilent]).is_empty());
    }
}
