//! From bytes on the wire to replies, whatever the bytes.
//!
//! dynamixel2 0.9.1 panics on replies whose length field is below 4, and leaves a byte of stuffing in data such as
//! `FF FF FF FD`. So this crate sends through it and reads by itself.

use crate::alert::Refusal;
use dynamixel2::checksum::calculate_checksum;
use turnkey_core::ServoId;

const HEADER: [u8; 4] = [0xFF, 0xFF, 0xFD, 0x00];
const LENGTH_END: usize = 7;
const STATUS: u8 = 0x55;
const CHECKSUM: usize = 2;
/// Instruction, error and checksum: what a reply without parameters counts as its length.
const LEAST_LENGTH: usize = 4;
/// The most that a reply to anything we ask can count: a whole control table, stuffed throughout.
const MOST_LENGTH: usize = 1024;

/// A reply as it came: its checksum is right, nothing else is promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who says it is answering.
    pub id: ServoId,
    error: u8,
    /// What it says, without byte stuffing.
    pub parameters: Vec<u8>,
}

impl Reply {
    /// Whether the servo has a hardware error to tell (register 70).
    #[must_use]
    pub fn alert(&self) -> bool {
        self.error & 0x80 != 0
    }

    /// Why the servo did not do what it was told, if so.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::from_code(self.error & 0x7F)
    }
}

/// What came that was no reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// Bytes outside of any packet.
    pub bytes: u32,
    /// Packets with a wrong checksum, an impossible length, or cut short by another.
    pub damaged: u32,
    /// Whole packets that answer nothing we asked: echoes of our own, late ones, ones by other servos.
    pub foreign: u32,
}

/// Cuts a stream of bytes into replies. Takes any bytes in any pieces; never panics, and holds a bounded number of them.
#[derive(Debug, Default)]
pub struct ReplyParser {
    buffer: Vec<u8>,
    noise: Noise,
}

/// What the front of the buffer is.
enum Front {
    Packet { length: usize },
    Damaged { skip: usize },
    Unfinished,
}

impl ReplyParser {
    /// Forgets what came, and what noise there was.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.noise = Noise::default();
    }

    /// What came so far that was no reply.
    #[must_use]
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// How many bytes wait for the rest of their packet.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Counts a reply that answers nothing we asked.
    pub fn count_foreign(&mut self) {
        self.noise.foreign = self.noise.foreign.saturating_add(1);
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next reply, or none until more bytes come.
    pub fn next_reply(&mut self) -> Option<Reply> {
        loop {
            self.drop_to_header();
            match self.front() {
                Front::Unfinished => return None,
                Front::Damaged { skip } => {
                    self.noise.damaged = self.noise.damaged.saturating_add(1);
                    self.buffer.drain(..skip);
                }
                Front::Packet { length } => {
                    let reply = parse(&self.buffer[..length]);
                    self.buffer.drain(..length);
                    match reply {
                        Some(reply) => return Some(reply),
                        None => self.noise.foreign = self.noise.foreign.saturating_add(1),
                    }
                }
            }
        }
    }

    /// Drops bytes before the next header, or what may become one.
    fn drop_to_header(&mut self) {
        let starts = |at: &usize| {
            let rest = &self.buffer[*at..];
            let known = rest.len().min(HEADER.len());
            rest[..known] == HEADER[..known]
        };
        let garbage = (0..self.buffer.len()).find(starts).unwrap_or(self.buffer.len());
        self.noise.bytes = self.noise.bytes.saturating_add(garbage as u32);
        self.buffer.drain(..garbage);
    }

    fn front(&self) -> Front {
        let Some(&[low, high]) = self.buffer.get(LENGTH_END - 2..LENGTH_END) else {
            return Front::Unfinished;
        };
        let counted = usize::from(u16::from_le_bytes([low, high]));
        if !(LEAST_LENGTH..=MOST_LENGTH).contains(&counted) {
            return Front::Damaged { skip: 1 };
        }
        let length = LENGTH_END + counted;
        // Stuffing keeps headers out of what a packet holds: one within means that the packet was cut short. Its last two
        // bytes are the checksum, which is not stuffed.
        let held = &self.buffer[LENGTH_END..self.buffer.len().min(length - CHECKSUM)];
        if let Some(at) = held.windows(HEADER.len()).position(|window| window == HEADER) {
            return Front::Damaged { skip: LENGTH_END + at };
        }
        let Some(packet) = self.buffer.get(..length) else {
            return Front::Unfinished;
        };
        let (body, checksum) = packet.split_at(length - CHECKSUM);
        if calculate_checksum(0, body).to_le_bytes() == *checksum {
            Front::Packet { length }
        } else {
            // The length itself may be what was damaged: look again from the next byte.
            Front::Damaged { skip: 1 }
        }
    }
}

/// A whole packet with a right checksum, if it is a reply.
fn parse(packet: &[u8]) -> Option<Reply> {
    let [_, _, _, _, id, _, _, STATUS, error, rest @ ..] = packet else {
        return None;
    };
    let stuffed = rest.get(..rest.len().checked_sub(CHECKSUM)?)?;
    Some(Reply { id: ServoId(*id), error: *error, parameters: unstuff(stuffed) })
}

/// Takes out the `FD` that stuffing puts after each `FF FF FD`.
fn unstuff(stuffed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(stuffed.len());
    let mut skip = false;
    for (at, &byte) in stuffed.iter().enumerate() {
        if skip && byte == 0xFD {
            skip = false;
            continue;
        }
        plain.push(byte);
        skip = stuffed[..=at].ends_with(&HEADER[..3]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A status packet as a servo sends it.
    fn status(id: u8, error: u8, parameters: &[u8]) -> Vec<u8> {
        packet(id, STATUS, &[&[error], parameters].concat())
    }

    fn packet(id: u8, instruction: u8, body: &[u8]) -> Vec<u8> {
        let mut stuffed = Vec::new();
        for &byte in body {
            stuffed.push(byte);
            if stuffed.ends_with(&HEADER[..3]) {
                stuffed.push(0xFD);
            }
        }
        let [low, high] = (stuffed.len() as u16 + 3).to_le_bytes();
        let mut packet = [&HEADER[..], &[id, low, high, instruction], &stuffed].concat();
        packet.extend(calculate_checksum(0, &packet).to_le_bytes());
        packet
    }

    fn parse_all(bytes: &[u8]) -> (Vec<Reply>, Noise) {
        let mut parser = ReplyParser::default();
        parser.push(bytes);
        let replies = std::iter::from_fn(|| parser.next_reply()).collect();
        (replies, parser.noise())
    }

    #[test]
    fn the_vendors_example_of_a_reply_to_a_ping_is_read() {
        // Protocol 2.0, "Ping", ID 1: model 1030, firmware 38.
        let bytes = [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x07, 0x00, 0x55, 0x00, 0x06, 0x04, 0x26, 0x65, 0x5D];
        let (replies, noise) = parse_all(&bytes);
        assert_eq!(replies, [Reply { id: ServoId(1), error: 0, parameters: vec![6, 4, 38] }]);
        assert_eq!(noise, Noise::default());
    }

    #[test]
    fn bytes_may_come_one_at_a_time_with_anything_between_packets() {
        let mut parser = ReplyParser::default();
        let mut replies = Vec::new();
        let line = [&[0xFF, 0x00, 0xFF, 0xFF][..], &status(10, 0, &[1]), &[0xFF, 0xFF, 0xFD], &status(11, 0x80, &[2])];
        for byte in line.concat() {
            parser.push(&[byte]);
            replies.extend(parser.next_reply());
        }
        assert_eq!(replies.iter().map(|reply| reply.id.0).collect::<Vec<_>>(), [10, 11]);
        assert!(replies[1].alert() && !replies[0].alert());
        assert_eq!(parser.noise().bytes, 4 + 3);
    }

    #[test]
    fn stuffing_is_taken_out_also_where_a_run_of_ff_is_longer() {
        // Current -1 and velocity -1 before a position whose low byte is FD: dynamixel2 leaves a byte in.
        for data in [
            &[0xFF, 0xFF, 0xFD][..],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFD, 0x07, 0x00, 0x00],
            &[0xFF, 0xFF, 0xFD, 0xFD, 0xFF, 0xFF, 0xFD],
            &[0xFF, 0xFF, 0xFD, 0xFF, 0xFF, 0xFD, 0x00],
        ] {
            let (replies, noise) = parse_all(&status(1, 0, data));
            assert_eq!(replies[0].parameters, data);
            assert_eq!(noise, Noise::default());
        }
    }

    #[test]
    fn lengths_that_panic_dynamixel2_are_damage() {
        for length in [0_u8, 1, 2, 3] {
            let mut bytes = vec![0xFF, 0xFF, 0xFD, 0x00, 1, length, 0, STATUS, 0];
            bytes.extend(calculate_checksum(0, &bytes).to_le_bytes());
            bytes.extend(status(2, 0, &[7]));
            let (replies, noise) = parse_all(&bytes);
            assert_eq!(replies, [Reply { id: ServoId(2), error: 0, parameters: vec![7] }], "length {length}");
            assert_eq!(noise.damaged, 1);
        }
    }

    #[test]
    fn a_packet_cut_short_or_with_a_false_length_costs_itself_alone() {
        let whole = status(5, 0, &[1, 2, 3, 4]);
        for cut in 5..whole.len() {
            let (replies, _) = parse_all(&[&whole[..cut], &whole].concat());
            assert_eq!(replies.len(), 1, "cut after {cut}");
        }
        let mut longer = whole.clone();
        longer[5] = 200;
        let (replies, noise) = parse_all(&[&longer[..], &whole].concat());
        assert_eq!((replies.len(), noise.damaged), (1, 1), "it does not wait for 200 bytes");
    }

    #[test]
    fn a_flipped_bit_anywhere_is_no_reply() {
        let whole = status(9, 0, &[0x12, 0x34, 0xFF, 0xFF]);
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse_all(&flipped).0.is_empty(), "bit {bit}");
        }
    }

    #[test]
    fn an_echo_of_our_own_instruction_is_foreign() {
        let (replies, noise) = parse_all(&[packet(1, 2, &[132, 0, 4, 0]), status(1, 0, &[0; 4])].concat());
        assert_eq!((replies.len(), noise.foreign), (1, 1));
    }

    #[test]
    fn a_million_packets_cut_damaged_or_of_any_bytes_leave_the_next_good_one_readable() {
        let mut rng = turnkey_core::Rng::new(9, "malformed replies");
        let (mut parser, mut read, mut most) = (ReplyParser::default(), 0_u32, 0);
        for _ in 0..1_000_000 {
            let parameters: Vec<u8> = (0..rng.below(24)).map(|_| rng.bits() as u8).collect();
            let mut bytes = packet(rng.bits() as u8, [STATUS, rng.bits() as u8][rng.below(2)], &parameters);
            match rng.below(6) {
                0 => bytes.iter_mut().for_each(|byte| *byte = rng.bits() as u8),
                1 => bytes.truncate(rng.below(bytes.len())),
                2 => bytes[5 + rng.below(2)] = rng.bits() as u8,
                3 => {
                    let at = rng.below(bytes.len());
                    bytes[at] ^= 1 << rng.below(8);
                }
                _ => {}
            }
            parser.push(&bytes);
            while let Some(reply) = parser.next_reply() {
                assert!(reply.parameters.len() <= MOST_LENGTH);
                read += 1;
            }
            most = most.max(parser.held());
        }
        assert!(read > 100_000, "some of them were good: {read}");
        assert!(most <= LENGTH_END + MOST_LENGTH, "{most} bytes were held");
        // What a wrong length still waits for comes to an end.
        parser.push(&[0; MOST_LENGTH + LENGTH_END]);
        while parser.next_reply().is_some() {}
        parser.push(&status(7, 0, &[1, 2, 3]));
        assert_eq!(parser.next_reply().map(|reply| reply.id), Some(ServoId(7)));
    }
}
