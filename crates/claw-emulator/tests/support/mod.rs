//! A client of a bus without a terminal, whose clock is its own.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::time::Duration;
use turnkey_claw_emulator::{Bus, BusTiming, EmulatedServo, EmulatorConfig, FaultHandle, Observer, ServoView};
use turnkey_core::ServoId;
use turnkey_core::servo::{FreeHorns, ServoName};

pub(crate) const MILLI: Duration = Duration::from_millis(1);

/// Id, error and data of a status packet.
pub(crate) type Status = (u8, u8, Vec<u8>);

/// What talks to a bus at `baud`, a millisecond after it last did.
pub(crate) struct Client {
    pub(crate) bus: Bus,
    pub(crate) faults: FaultHandle,
    pub(crate) observer: Observer,
    pub(crate) baud: u32,
    now: Duration,
}

impl Client {
    /// XM430-W210s with these ids at 1 Mbaud on a bus that takes no time.
    pub(crate) fn new(ids: &[u8]) -> Self {
        Self::timed(ids, BusTiming::Instantaneous)
    }

    pub(crate) fn timed(ids: &[u8], timing: BusTiming) -> Self {
        Self::turning(ids, timing, FreeHorns::at(&vec![0.0; ids.len()]))
    }

    /// One servo whose horn can't move.
    pub(crate) fn blocked() -> Self {
        let mut horns = FreeHorns::at(&[0.0]);
        horns.block(0, true);
        Self::turning(&[1], BusTiming::Instantaneous, horns)
    }

    fn turning(ids: &[u8], timing: BusTiming, horns: FreeHorns) -> Self {
        let servo = |&id: &u8| EmulatedServo::new(ServoId(id), ServoName::Xm430W210, 1_000_000);
        let servos = ids.iter().map(servo).collect();
        let config = EmulatorConfig { servos, timing, supply_volts: None, link: None, seed: 0 };
        let bus = Bus::new(&config, horns).unwrap();
        Self { faults: bus.faults(), observer: bus.observer(), bus, baud: 1_000_000, now: MILLI }
    }

    /// Lets time pass in small steps, as the run does.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + MILLI).min(end);
            self.bus.advance(self.now).unwrap();
        }
    }

    /// What comes back for these bytes within a second of the bus, or at once if it takes no time.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.now += MILLI;
        self.bus.receive(bytes, self.now, self.baud);
        self.bus.advance(self.now).unwrap();
        let mut answer = self.bus.answer(self.now);
        if answer.is_empty() {
            self.pass(2 * MILLI);
            answer = self.bus.answer(self.now);
        }
        answer
    }

    /// The status packets that answer an instruction, those with a wrong checksum left out.
    pub(crate) fn ask(&mut self, id: u8, code: u8, parameters: &[u8]) -> Vec<Status> {
        statuses(&self.raw(&instruction(id, code, parameters)))
    }

    pub(crate) fn write(&mut self, id: u8, address: u8, bytes: &[u8]) {
        let answer = self.ask(id, 0x03, &[&[address, 0], bytes].concat());
        assert_eq!(answer, [(id, 0, vec![])], "writing {bytes:?} at {address}");
    }

    pub(crate) fn read(&mut self, id: u8, address: u8, length: u8) -> Vec<u8> {
        let answer = self.ask(id, 0x02, &[address, 0, length, 0]);
        let [(_, 0, data)] = &answer[..] else { panic!("reading {length} at {address}: {answer:?}") };
        data.clone()
    }

    /// As [`Client::read`], of a servo with an alert.
    pub(crate) fn read_alerted(&mut self, id: u8, address: u8, length: u8) -> Vec<u8> {
        let answer = self.ask(id, 0x02, &[address, 0, length, 0]);
        let [(_, 0x80, data)] = &answer[..] else { panic!("reading {length} at {address}: {answer:?}") };
        data.clone()
    }

    pub(crate) fn read_i32(&mut self, id: u8, address: u8) -> i32 {
        i32::from_le_bytes(self.read(id, address, 4).try_into().unwrap())
    }

    /// The bus's own time from the first byte sent to the last byte heard.
    pub(crate) fn answer_time(&mut self, bytes: &[u8]) -> Duration {
        self.pass(20 * MILLI);
        self.bus.answer(self.now);
        let sent = self.now;
        self.bus.receive(bytes, sent, self.baud);
        let mut last = sent;
        for micros in 1..10_000 {
            let now = sent + Duration::from_micros(micros);
            self.bus.advance(now).unwrap();
            if !self.bus.answer(now).is_empty() {
                last = now;
            }
        }
        self.now = sent + 10 * MILLI;
        last - sent
    }

    pub(crate) fn servo(&self, index: usize) -> ServoView {
        self.observer.state().servos[index].clone()
    }
}

/// An instruction packet. None of the tests' own contain what would need stuffing.
pub(crate) fn instruction(id: u8, code: u8, parameters: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xFF, 0xFF, 0xFD, 0x00, id];
    packet.extend(u16::try_from(parameters.len() + 3).unwrap().to_le_bytes());
    packet.push(code);
    packet.extend(parameters);
    let sum = crc(&packet);
    packet.extend(sum.to_le_bytes());
    packet
}

/// Bit by bit, in another way than the emulator's own.
fn crc(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for byte in bytes {
        for bit in (0..8).rev() {
            let carry = ((sum >> 15) ^ u32::from(byte >> bit)) & 1;
            sum = ((sum << 1) & 0xFFFF) ^ (carry * 0x8005);
        }
    }
    u16::try_from(sum).unwrap()
}

fn statuses(mut bytes: &[u8]) -> Vec<Status> {
    let mut found = Vec::new();
    while bytes.len() >= 11 {
        if bytes[..4] != [0xFF, 0xFF, 0xFD, 0x00] {
            bytes = &bytes[1..];
            continue;
        }
        let end = 7 + usize::from(u16::from_le_bytes([bytes[5], bytes[6]]));
        if end < 11 || bytes.len() < end || crc(&bytes[..end - 2]).to_le_bytes() != bytes[end - 2..end] {
            bytes = &bytes[1..];
            continue;
        }
        found.push((bytes[4], bytes[8], bytes[9..end - 2].to_vec()));
        bytes = &bytes[end..];
    }
    found
}
