//! What each instruction makes servos do, and what they answer.

use crate::bus::Bus;
use crate::memory::{ACCESS_ERROR, CRC_ERROR, INSTRUCTION_ERROR, LENGTH_ERROR, RANGE_ERROR, RESULT_FAIL};
use crate::packet::{BROADCAST, Instruction, Packet, fast_status, status};
use crate::{Fault, table};
use std::time::Duration;
use turnkey_core::ServoId;

/// What a servo says: its error code, without the alert, and its data.
type Answer = Result<Vec<u8>, u8>;

/// Parameters of a clear that counts turns anew.
const CLEAR_TURNS: [u8; 5] = [0x01, 0x44, 0x58, 0x4C, 0x22];
/// Bytes of a status packet without data.
const STATUS_BYTES: usize = 11;

impl Bus {
    /// Servos hear a packet that was complete at `at`.
    pub(crate) fn execute(&mut self, packet: &Packet, at: Duration, baud: u32) {
        let listening: Vec<usize> = (0..self.devices.len())
            .filter(|&index| self.devices[index].is_awake(at) && self.devices[index].baud() == baud)
            .collect();
        if packet.intact && packet.instruction != Instruction::Status {
            listening.iter().for_each(|&index| self.devices[index].heard = at);
        }
        let parameters = &packet.parameters[..];
        match packet.instruction {
            Instruction::Status => {}
            _ if !packet.intact => self.complain(packet, &listening, at, baud),
            Instruction::Ping if packet.id == BROADCAST => self.roll_call(&listening, at, baud),
            Instruction::SyncRead | Instruction::FastSyncRead | Instruction::BulkRead | Instruction::FastBulkRead => {
                if packet.id == BROADCAST
                    && let Some(wanted) = wanted(packet.instruction, parameters)
                {
                    let fast = matches!(packet.instruction, Instruction::FastSyncRead | Instruction::FastBulkRead);
                    if fast {
                        self.read_fast(&wanted, &listening, at, baud);
                    } else {
                        self.read_in_turn(&wanted, &listening, at, baud);
                    }
                }
            }
            Instruction::SyncWrite => {
                let [low, high, length_low, length_high, rest @ ..] = parameters else { return };
                let address = word(*low, *high);
                let length = word(*length_low, *length_high);
                for item in rest.chunks_exact(length + 1) {
                    self.write(&listening, item[0], address, &item[1..], at);
                }
            }
            Instruction::BulkWrite => self.write_bulk(&listening, parameters, at),
            _ => self.address(packet, &listening, at, baud),
        }
    }

    /// An instruction to one servo, or to all of them without an answer.
    fn address(&mut self, packet: &Packet, listening: &[usize], at: Duration, baud: u32) {
        let mut answers = Vec::new();
        for &index in listening {
            let id = self.answering_id(index);
            let meant = packet.id == BROADCAST || packet.id == id;
            if !meant && self.devices[index].secondary_id() != Some(packet.id) {
                continue;
            }
            // What its settings say before the instruction holds for its answer: a new id comes into force after it.
            let delay = self.devices[index].return_delay();
            let answer = self.obey(index, packet, at);
            let level = self.devices[index].memory.unsigned(table::STATUS_RETURN_LEVEL);
            let least = match packet.instruction {
                Instruction::Ping => 0,
                Instruction::Read => 1,
                _ => 2,
            };
            if packet.id == id && level >= least && !self.is_mute(id) {
                answers.push((delay, self.status(index, id, &answer)));
            }
            if answer.is_ok() {
                self.afterwards(index, packet, at);
            }
        }
        self.say(&answers, at, baud);
    }

    fn obey(&mut self, index: usize, packet: &Packet, at: Duration) -> Answer {
        let device = &mut self.devices[index];
        match (packet.instruction, &packet.parameters[..]) {
            (Instruction::Ping, _) => Ok(self.introduction(index)),
            (Instruction::Read, &[low, high, length_low, length_high]) => {
                device.read(word(low, high), word(length_low, length_high), at)
            }
            (Instruction::Write, [low, high, bytes @ ..]) => {
                let address = word(*low, *high);
                let planned = device.memory.plan(address, bytes).inspect_err(|error| device.refuse(address, *error))?;
                device.apply(&planned, at);
                Ok(Vec::new())
            }
            (Instruction::RegWrite, [low, high, bytes @ ..]) => {
                device.registered = Some(device.memory.plan(word(*low, *high), bytes)?);
                Ok(Vec::new())
            }
            (Instruction::Action, _) => {
                let planned = device.registered.take().ok_or(INSTRUCTION_ERROR)?;
                device.apply(&planned, at);
                Ok(Vec::new())
            }
            (Instruction::FactoryReset, [0xFF]) if packet.id == BROADCAST => Err(RESULT_FAIL),
            (Instruction::FactoryReset, [0xFF | 1 | 2]) if device.memory.torque_enabled() => Err(ACCESS_ERROR),
            (Instruction::FactoryReset, [0xFF | 1 | 2]) | (Instruction::Reboot, _) => Ok(Vec::new()),
            (Instruction::FactoryReset, [_]) => Err(RANGE_ERROR),
            (Instruction::Clear, parameters) if parameters == CLEAR_TURNS => {
                device.count_turns_anew();
                device.goal_is_here();
                Ok(Vec::new())
            }
            (Instruction::Clear, parameters) if parameters.len() == CLEAR_TURNS.len() => Err(RANGE_ERROR),
            (Instruction::Unknown, _) => Err(INSTRUCTION_ERROR),
            _ => Err(LENGTH_ERROR),
        }
    }

    /// What a servo does once it has answered.
    fn afterwards(&mut self, index: usize, packet: &Packet, at: Duration) {
        let device = &mut self.devices[index];
        match (packet.instruction, packet.parameters.first()) {
            (Instruction::Reboot, _) => device.boot(at),
            (Instruction::FactoryReset, Some(1)) => device.factory_reset(&[table::ID], at),
            (Instruction::FactoryReset, Some(2)) => device.factory_reset(&[table::ID, table::BAUD], at),
            (Instruction::FactoryReset, _) => device.factory_reset(&[], at),
            _ => {}
        }
    }

    /// Model number and firmware.
    fn introduction(&self, index: usize) -> Vec<u8> {
        let memory = &self.devices[index].memory;
        let [low, high, ..] = memory.unsigned(table::MODEL).to_le_bytes();
        vec![low, high, memory.unsigned(table::FIRMWARE) as u8]
    }

    /// A damaged packet: the servo that its id names says so.
    fn complain(&mut self, packet: &Packet, listening: &[usize], at: Duration, baud: u32) {
        let named: Vec<usize> =
            listening.iter().copied().filter(|&index| self.answering_id(index) == packet.id).collect();
        let talkative = |index: &usize| {
            let level = self.devices[*index].memory.unsigned(table::STATUS_RETURN_LEVEL);
            level == 2 && !self.is_mute(packet.id)
        };
        let answers: Vec<_> = named
            .iter()
            .filter(|index| talkative(index))
            .map(|&index| (self.devices[index].return_delay(), self.status(index, packet.id, &Err(CRC_ERROR))))
            .collect();
        self.say(&answers, at, baud);
    }

    /// Every servo answers a broadcast ping, each in the slot that its id gives it.
    fn roll_call(&mut self, listening: &[usize], at: Duration, baud: u32) {
        for id in 0..BROADCAST {
            let present = listening.iter().filter(|&&index| self.answering_id(index) == id && !self.is_mute(id));
            let answers: Vec<_> = present
                .map(|&index| {
                    let introduction = Ok(self.introduction(index));
                    (self.devices[index].return_delay(), self.status(index, id, &introduction))
                })
                .collect();
            let slot = self.wire.bytes((STATUS_BYTES + 3) * usize::from(id), baud);
            self.say(&answers, at + slot, baud);
        }
    }

    /// One status packet after another, in the order asked for. Where one is missing, the next waits as long as it
    /// would have taken.
    fn read_in_turn(&mut self, wanted: &[Wanted], listening: &[usize], at: Duration, baud: u32) {
        let mut turn = at;
        for wanted in wanted {
            let mut answers = Vec::new();
            for index in self.readers(listening, wanted.id) {
                let answer = self.devices[index].read(wanted.address, wanted.length, at);
                answers.push((self.devices[index].return_delay(), self.status(index, wanted.id, &answer)));
            }
            let missed = self.wire.bytes(STATUS_BYTES + wanted.length, baud);
            turn = self.say(&answers, turn, baud).unwrap_or(turn + missed);
        }
    }

    /// One packet that servos write together; behind one that is missing nothing comes.
    fn read_fast(&mut self, wanted: &[Wanted], listening: &[usize], at: Duration, baud: u32) {
        let mut chain = Vec::new();
        let mut delay = Duration::ZERO;
        for wanted in wanted {
            let Some(index) = self.readers(listening, wanted.id).next() else { break };
            if chain.is_empty() {
                delay = self.devices[index].return_delay();
            }
            let answer = self.devices[index].read(wanted.address, wanted.length, at);
            let error = answer.as_ref().err().copied().unwrap_or(0) | self.devices[index].alert();
            chain.push((wanted.id, error, answer.unwrap_or_else(|_| vec![0; wanted.length])));
        }
        if !chain.is_empty() {
            let total = wanted.iter().map(|wanted| wanted.length).sum();
            let packet = fast_status(&chain, wanted.len(), total);
            self.say(&[(delay, packet)], at, baud);
        }
    }

    /// The servos that answer a read by this id.
    fn readers(&self, listening: &[usize], id: u8) -> std::vec::IntoIter<usize> {
        let answers = |&index: &usize| {
            let level = self.devices[index].memory.unsigned(table::STATUS_RETURN_LEVEL);
            self.answering_id(index) == id && level >= 1 && !self.is_mute(id)
        };
        listening.iter().copied().filter(answers).collect::<Vec<_>>().into_iter()
    }

    fn write(&mut self, listening: &[usize], id: u8, address: usize, bytes: &[u8], at: Duration) {
        for &index in listening {
            let own = self.answering_id(index);
            let device = &mut self.devices[index];
            if own == id || device.secondary_id() == Some(id) {
                match device.memory.plan(address, bytes) {
                    Ok(planned) => device.apply(&planned, at),
                    Err(error) => device.refuse(address, error),
                }
            }
        }
    }

    fn write_bulk(&mut self, listening: &[usize], mut rest: &[u8], at: Duration) {
        while let [id, low, high, length_low, length_high, more @ ..] = rest {
            let Some((bytes, behind)) = more.split_at_checked(word(*length_low, *length_high)) else { return };
            self.write(listening, *id, word(*low, *high), bytes, at);
            rest = behind;
        }
    }

    /// The id that a servo answers to: its own, unless a fault gives it another's.
    fn answering_id(&self, index: usize) -> u8 {
        let id = ServoId(self.devices[index].id());
        let shared = self.active.iter().find_map(|fault| match fault {
            Fault::SharedId(servo, other) if *servo == id => Some(*other),
            _ => None,
        });
        shared.unwrap_or(id).0
    }

    fn is_mute(&self, id: u8) -> bool {
        self.active.contains(&Fault::Silent(ServoId(id)))
    }

    fn status(&self, index: usize, id: u8, answer: &Answer) -> Vec<u8> {
        let alert = self.devices[index].alert();
        match answer {
            Ok(data) => status(id, alert, data),
            Err(error) => status(id, alert | error, &[]),
        }
    }

    /// Sends the answers of servos whose turn it is at `turn`; gives the time at which the wire is free again. More than
    /// one speak at once.
    fn say(&mut self, answers: &[(Duration, Vec<u8>)], turn: Duration, baud: u32) -> Option<Duration> {
        let packets: Vec<Vec<u8>> = answers.iter().map(|(_, packet)| packet.clone()).collect();
        let slow = self.active.iter().filter_map(|fault| match fault {
            Fault::Slow(delay) => Some(*delay),
            _ => None,
        });
        let slow: Duration = slow.sum();
        let (delay, _) = answers.first()?;
        let start = turn + self.wire.delay(*delay) + slow;
        let line = if let [packet] = &packets[..] { packet.clone() } else { self.wire.collide(&packets) };
        let faults = std::mem::take(&mut self.active);
        let end = self.wire.send(&line, start, baud, &faults);
        self.active = faults;
        Some(end)
    }
}

/// What one servo is asked for in a read of several.
struct Wanted {
    id: u8,
    address: usize,
    length: usize,
}

fn wanted(instruction: Instruction, parameters: &[u8]) -> Option<Vec<Wanted>> {
    match (instruction, parameters) {
        (Instruction::SyncRead | Instruction::FastSyncRead, [low, high, length_low, length_high, ids @ ..]) => {
            let (address, length) = (word(*low, *high), word(*length_low, *length_high));
            fits(length).then(|| ids.iter().map(|&id| Wanted { id, address, length }).collect())
        }
        (Instruction::BulkRead | Instruction::FastBulkRead, items) => {
            let read =
                |item: &[u8]| Wanted { id: item[0], address: word(item[1], item[2]), length: word(item[3], item[4]) };
            let wanted: Vec<Wanted> = items.chunks_exact(5).map(read).collect();
            wanted.iter().all(|wanted| fits(wanted.length)).then_some(wanted)
        }
        _ => None,
    }
}

/// Whether a servo could answer with this many bytes.
fn fits(length: usize) -> bool {
    length <= table::END
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}
