//! What goes out and what comes back: the bus one instruction at a time.

use super::{BITS_PER_BYTE, Bus, PATIENCE, REPLY_OVERHEAD, TRIES};
use crate::error::ClawError;
use crate::reply::Reply;
use std::io;
use std::time::{Duration, Instant};
use turnkey_core::ServoId;

impl Bus {
    /// Sends an instruction to one servo until it answers with `length` bytes; three times at most.
    pub(super) fn ask(
        &mut self,
        id: ServoId,
        name: &'static str,
        instruction: u8,
        parameters: &[u8],
        length: usize,
        item: impl Fn() -> String,
    ) -> Result<Reply, ClawError> {
        let start = Instant::now();
        for _ in 0..TRIES {
            self.send(id, instruction, parameters)?;
            let until = Instant::now() + PATIENCE + 2 * self.wire_time(length + parameters.len() + 2 * REPLY_OVERHEAD);
            while let Some(reply) = self.receive(until)? {
                match reply.refusal() {
                    _ if reply.id != id => self.parser.count_foreign(),
                    // It heard something damaged: say it again.
                    Some(crate::Refusal::Checksum) => break,
                    Some(refusal) => {
                        let (port, item) = (self.name.clone(), item());
                        return Err(ClawError::Refused { port, id, instruction: name, item, refusal });
                    }
                    None if reply.parameters.len() == length => return Ok(reply),
                    None => self.parser.count_foreign(),
                }
            }
        }
        Err(self.missing(name, vec![id], vec![id], start.elapsed()))
    }

    /// The error that `missing` of those asked did not answer.
    pub(crate) fn missing(
        &self,
        instruction: &'static str,
        expected: Vec<ServoId>,
        missing: Vec<ServoId>,
        waited: Duration,
    ) -> ClawError {
        let waited_millis = waited.as_millis().try_into().unwrap_or(u32::MAX);
        ClawError::Missing {
            port: self.name.clone(),
            instruction,
            expected,
            missing,
            waited_millis,
            noise: self.parser.noise(),
        }
    }

    /// Takes replies of `length` bytes for those of `ids` that have not answered, until `done` or `until`.
    pub(super) fn collect(
        &mut self,
        ids: &[ServoId],
        length: usize,
        until: Instant,
        answers: &mut [Option<Reply>],
        done: impl Fn(&[Option<Reply>]) -> bool,
    ) -> Result<(), ClawError> {
        while !done(answers) {
            let Some(reply) = self.receive(until)? else { break };
            let asked = ids.iter().position(|id| *id == reply.id);
            match asked {
                Some(at) if answers[at].is_none() && reply.parameters.len() == length && reply.refusal().is_none() => {
                    answers[at] = Some(reply);
                }
                _ => self.parser.count_foreign(),
            }
        }
        Ok(())
    }

    /// Sends an instruction; what had come before is forgotten.
    pub(super) fn send(&mut self, id: ServoId, instruction: u8, parameters: &[u8]) -> Result<(), ClawError> {
        self.parser.clear();
        let result = self.writer.write_instruction(id.0, instruction, parameters.len(), |buffer| {
            buffer.copy_from_slice(parameters);
        });
        self.spoke = Instant::now();
        self.traffic.instructions += 1;
        result.map_err(|error| match error {
            dynamixel2::WriteError::BufferTooSmall(_) => {
                self.port_error("a shorter instruction", io::ErrorKind::InvalidInput.into())
            }
            dynamixel2::WriteError::DiscardBuffer(e) | dynamixel2::WriteError::Write(e) => {
                self.port_error("to send an instruction", e)
            }
        })
    }

    /// The next reply, whoever's it is; none when nothing came by `until`.
    pub(super) fn receive(&mut self, until: Instant) -> Result<Option<Reply>, ClawError> {
        let mut bytes = [0; 512];
        loop {
            if let Some(reply) = self.parser.next_reply() {
                return Ok(Some(reply));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let read = self.reader.set_read_timeout(left).and_then(|()| self.reader.read(&mut bytes));
            match read {
                Ok(0) => return Err(self.port_error("answers", io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    self.traffic.received += count as u64;
                    self.parser.push(&bytes[..count]);
                }
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) => {}
                Err(e) => return Err(self.port_error("answers", e)),
            }
        }
    }

    pub(super) fn port_error(&self, expected: &'static str, source: io::Error) -> ClawError {
        ClawError::Port { port: self.name.clone(), expected, source }
    }

    /// How long `bytes` take on the wire.
    pub(super) fn wire_time(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * f64::from(BITS_PER_BYTE) / f64::from(self.baud_rate().max(1)))
    }
}
