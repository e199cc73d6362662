//! The one way to the servos: transactions with a deadline, whose replies are matched by id.

mod scan;
mod wire;

use crate::alert::HardwareAlerts;
use crate::error::ClawError;
use crate::register::{Baud, ControlTable, Register, RegisterValue};
use crate::reply::{Reply, ReplyParser};
use dynamixel2::instructions::{instruction_id, packet_id};
pub use scan::Found;
use serial2::SerialPort;
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};
use turnkey_core::ServoId;

/// Bytes of the longest instruction we send, stuffed.
const WRITE_BUFFER: usize = 1024;
/// Bits that a byte takes on the wire, with its start and stop bit.
const BITS_PER_BYTE: u32 = 10;
/// Bytes of a reply besides its parameters.
const REPLY_OVERHEAD: usize = 11;
/// What is waited beyond the wire's own time: an adapter's latency timer of 16 ms, and a busy computer.
const PATIENCE: Duration = Duration::from_millis(40);
/// Each servo answers a broadcast ping in its id's turn: 3 ms an id, as the vendor's SDK counts.
const BROADCAST_PING: Duration = Duration::from_millis(3 * 253);
/// How often a read or write of one servo is tried.
const TRIES: u32 = 3;

/// A servo that answered a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Who answered.
    pub id: ServoId,
    /// Its model number.
    pub model: u16,
    /// Version of its firmware.
    pub firmware: u8,
}

/// What came back from a sync read.
#[derive(Clone, Debug)]
pub struct SyncReplies {
    /// For each servo asked, in the order asked, what it said; none where it said nothing.
    pub answers: Vec<Option<Reply>>,
    /// Who said nothing.
    pub missing: Vec<ServoId>,
    /// Halfway between the question and the last answer.
    pub at: Instant,
}

/// Bytes that went over the wire, for what takes how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Instructions sent.
    pub instructions: u64,
    /// Bytes received.
    pub received: u64,
}

/// A bus of servos on a serial port, for this process alone.
#[derive(Debug)]
pub struct Bus {
    name: String,
    writer: dynamixel2::Bus<Vec<u8>, Vec<u8>>,
    reader: SerialPort,
    parser: ReplyParser,
    traffic: Traffic,
    spoke: Instant,
}

impl Bus {
    /// Opens `port` at `baud`, and locks it against other programs that ask.
    ///
    /// # Errors
    /// When there is no such port, it may not be used, another program has it, or it does not know the baud rate.
    pub fn open(port: &str, baud: Baud) -> Result<Self, ClawError> {
        let fail = |expected, source| ClawError::Port { port: port.to_owned(), expected, source };
        let serial = SerialPort::open(port, baud.rate()).map_err(|e| fail("a serial port", unknown_baud(e)))?;
        Self::with_port(port, serial)
    }

    /// A bus on a port that is open and raw.
    ///
    /// # Errors
    /// When another program has the port, or it can't be asked how it is set.
    pub fn with_port(name: &str, serial: SerialPort) -> Result<Self, ClawError> {
        let fail = |expected, source| ClawError::Port { port: name.to_owned(), expected, source };
        lock(&serial).map_err(|e| fail("a port for this program alone", e))?;
        // One handle is dynamixel2's, to send; the other is ours, to read below it.
        let reader = serial.try_clone().map_err(|e| fail("a second handle of the port", e))?;
        let buffer = || vec![0; WRITE_BUFFER];
        let writer = dynamixel2::Bus::with_buffers(serial, buffer(), buffer())
            .map_err(|e| fail("its settings", io::Error::other(e.to_string())))?;
        let parser = ReplyParser::default();
        Ok(Self { name: name.to_owned(), writer, reader, parser, traffic: Traffic::default(), spoke: Instant::now() })
    }

    /// The port's name.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.name
    }

    /// Bits a second.
    #[must_use]
    pub fn baud_rate(&self) -> u32 {
        self.writer.baud_rate()
    }

    /// What went over the wire so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// When something was last said on the bus, which is what feeds the servos' watchdogs.
    #[must_use]
    pub fn spoke(&self) -> Instant {
        self.spoke
    }

    /// Goes on at another speed.
    ///
    /// # Errors
    /// When the port does not know it.
    pub fn set_baud(&mut self, baud: Baud) -> Result<(), ClawError> {
        // What was said leaves at the speed it was said at.
        let result = self.reader.flush().and_then(|()| self.writer.set_baud_rate(baud.rate()));
        result.map_err(|e| self.port_error("another baud rate", unknown_baud(e)))
    }

    /// Asks one servo who it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn ping(&mut self, id: ServoId) -> Result<Ping, ClawError> {
        let reply = self.ask(id, "ping", instruction_id::PING, &[], 3, String::new)?;
        match reply.parameters[..] {
            [low, high, firmware] => Ok(Ping { id, model: u16::from_le_bytes([low, high]), firmware }),
            _ => unreachable!("`ask` takes replies of the length it is told"),
        }
    }

    /// Asks everyone on the bus who they are. Takes most of a second.
    ///
    /// # Errors
    /// When the port fails. Nobody there is no error.
    pub fn ping_all(&mut self) -> Result<Vec<Ping>, ClawError> {
        self.send(ServoId(packet_id::BROADCAST), instruction_id::PING, &[])?;
        let deadline = Instant::now() + BROADCAST_PING + self.wire_time(253 * (3 + REPLY_OVERHEAD)) + PATIENCE;
        let mut found: Vec<Ping> = Vec::new();
        while let Some(Reply { id, parameters, .. }) = self.receive(deadline)? {
            match parameters[..] {
                [low, high, firmware] if !found.iter().any(|ping| ping.id == id) => {
                    found.push(Ping { id, model: u16::from_le_bytes([low, high]), firmware });
                }
                _ => self.parser.count_foreign(),
            }
        }
        Ok(found)
    }

    /// What came since the last instruction that was no reply: two servos with one id show as damage.
    #[must_use]
    pub fn noise(&self) -> crate::Noise {
        self.parser.noise()
    }

    /// Reads an item of a servo's control table.
    ///
    /// # Errors
    /// When it does not answer within three tries, or refuses.
    pub fn read<T: RegisterValue>(&mut self, id: ServoId, register: Register<T>) -> Result<T, ClawError> {
        let bytes = self.read_bytes(id, register.address, T::LENGTH as u16)?;
        Ok(T::from_bytes(&bytes).expect("`read_bytes` gives as many as it is told"))
    }

    /// Reads `length` bytes of a servo's control table from `address`.
    ///
    /// # Errors
    /// When it does not answer within three tries, or refuses.
    pub fn read_bytes(&mut self, id: ServoId, address: u16, length: u16) -> Result<Vec<u8>, ClawError> {
        let parameters = [address.to_le_bytes(), length.to_le_bytes()].concat();
        let item = || format!("registers {address} to {}", u32::from(address) + u32::from(length) - 1);
        let reply = self.ask(id, "read", instruction_id::READ, &parameters, usize::from(length), item)?;
        Ok(reply.parameters)
    }

    /// Writes an item of a servo's control table; what is kept without power is read back.
    ///
    /// # Errors
    /// When it does not answer within three tries, refuses, or does not keep what was written.
    pub fn write<T: RegisterValue>(&mut self, id: ServoId, register: Register<T>, value: T) -> Result<(), ClawError> {
        let parameters = [&register.address.to_le_bytes()[..], &value.to_bytes()].concat();
        let item = || format!("{register} = {value}");
        self.ask(id, "write", instruction_id::WRITE, &parameters, 0, item)?;
        // Where it answers from now on is what was changed: the caller looks.
        let moves = [ControlTable::ID.address, ControlTable::BAUD_RATE.address].contains(&register.address);
        if register.is_kept() && !moves {
            let found = self.read(id, register)?;
            if found != value {
                let (port, item) = (self.name.clone(), item());
                return Err(ClawError::NotKept { port, id, item, found: found.to_i64() });
            }
        }
        Ok(())
    }

    /// Restarts a servo: its torque goes off, its alerts are cleared, and it is silent for a moment.
    ///
    /// # Errors
    /// When it does not answer the instruction, or is not back after a second.
    pub fn reboot(&mut self, id: ServoId) -> Result<Ping, ClawError> {
        self.send(id, instruction_id::REBOOT, &[])?;
        // The answer may be lost in the restart; that it comes back is what counts.
        let deadline = Instant::now() + PATIENCE;
        while let Some(reply) = self.receive(deadline)? {
            if reply.id == id {
                break;
            }
        }
        let back_by = Instant::now() + Duration::from_secs(1);
        std::thread::sleep(Duration::from_millis(100));
        loop {
            match self.ping(id) {
                Err(ClawError::Missing { .. }) if Instant::now() < back_by => {}
                result => return result,
            }
        }
    }

    /// The time that answers of so many servos with `length` bytes each take on the wire.
    pub(crate) fn reply_time(&self, servos: usize, length: u16) -> Duration {
        self.wire_time(servos * (usize::from(length) + REPLY_OVERHEAD))
    }

    /// Reads the same `length` bytes from `address` of several servos, by `deadline` at the latest. Those who said
    /// nothing are asked again one by one, since a silent servo can silence those after it.
    ///
    /// # Errors
    /// When the port fails. Servos that are missing are no error here.
    pub fn sync_read(
        &mut self,
        ids: &[ServoId],
        address: u16,
        length: u16,
        deadline: Instant,
    ) -> Result<SyncReplies, ClawError> {
        let start = Instant::now();
        let head = [address.to_le_bytes(), length.to_le_bytes()].concat();
        let parameters: Vec<u8> = head.iter().copied().chain(ids.iter().map(|id| id.0)).collect();
        self.send(ServoId(packet_id::BROADCAST), instruction_id::SYNC_READ, &parameters)?;
        let length = usize::from(length);
        let mut answers = vec![None; ids.len()];
        let wire = self.wire_time(ids.len() * (length + REPLY_OVERHEAD) + parameters.len());
        let half = deadline.saturating_duration_since(start) / 2;
        self.collect(ids, length, start + half.min(2 * wire + PATIENCE), &mut answers, |answers| {
            answers.iter().all(Option::is_some)
        })?;
        for next in 0..ids.len() {
            let silent = answers[next..].iter().filter(|answer| answer.is_none()).count();
            let left = deadline.saturating_duration_since(Instant::now());
            if answers[next].is_none() && !left.is_zero() {
                // An equal share of the time that is left: the first to be asked may be the one that is dead.
                let until = Instant::now() + (left / silent as u32).min(PATIENCE);
                self.send(ids[next], instruction_id::READ, &head)?;
                self.collect(ids, length, until, &mut answers, |answers| answers[next].is_some())?;
            }
        }
        let missing = ids.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(id, _)| *id).collect();
        Ok(SyncReplies { answers, missing, at: start + start.elapsed() / 2 })
    }

    /// Writes an item of several servos at once. They don't answer.
    ///
    /// # Errors
    /// When the port fails.
    pub fn sync_write<T: RegisterValue>(
        &mut self,
        register: Register<T>,
        values: &[(ServoId, T)],
    ) -> Result<(), ClawError> {
        let head = [register.address.to_le_bytes(), (T::LENGTH as u16).to_le_bytes()].concat();
        let each = values.iter().flat_map(|(id, value)| std::iter::once(id.0).chain(value.to_bytes()));
        let parameters: Vec<u8> = head.into_iter().chain(each).collect();
        self.send(ServoId(packet_id::BROADCAST), instruction_id::SYNC_WRITE, &parameters)
    }

    /// Writes an item of everyone on the bus, whatever their ids. They don't answer.
    ///
    /// # Errors
    /// When the port fails.
    pub fn broadcast<T: RegisterValue>(&mut self, register: Register<T>, value: T) -> Result<(), ClawError> {
        let parameters = [&register.address.to_le_bytes()[..], &value.to_bytes()].concat();
        self.send(ServoId(packet_id::BROADCAST), instruction_id::WRITE, &parameters)
    }

    /// What a servo says is wrong with it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn hardware_alerts(&mut self, id: ServoId) -> Result<HardwareAlerts, ClawError> {
        self.read(id, ControlTable::HARDWARE_ERROR).map(HardwareAlerts)
    }
}

/// Two programs on one bus would take each other's answers.
fn lock(serial: &SerialPort) -> io::Result<()> {
    let file = File::from(serial.as_fd().try_clone_to_owned()?);
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// An adapter that took another speed than it was told: `serial2` reads it back, and says so in words, where every other
/// failure has the system's number.
fn unknown_baud(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Other if error.raw_os_error().is_none() => {
            io::Error::new(io::ErrorKind::InvalidInput, "another speed than it was told")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says of a device that is gone.
    const EIO: i32 = 5;

    #[test]
    fn an_adapter_that_keeps_another_speed_does_not_know_it_and_one_that_is_gone_is_gone() {
        let kept = unknown_baud(io::Error::other("failed to apply some or all settings"));
        assert_eq!(kept.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(unknown_baud(io::Error::from_raw_os_error(EIO)).raw_os_error(), Some(EIO));
    }
}
