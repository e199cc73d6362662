//! Packets of Protocol 2.0, as a device sees them: <https://emanual.robotis.com/docs/en/dxl/protocol2/>.

/// The id that all servos listen to.
pub(crate) const BROADCAST: u8 = 0xFE;
/// How every packet begins.
const HEADER: [u8; 4] = [0xFF, 0xFF, 0xFD, 0x00];
/// Header, id and length.
const PREFIX: usize = 7;
/// A servo's receive buffer holds no longer packet than this; a length above it is noise.
const LONGEST: usize = 1024;
const STATUS: u8 = 0x55;

/// What an instruction packet asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instruction {
    Ping,
    Read,
    Write,
    RegWrite,
    Action,
    FactoryReset,
    Reboot,
    Clear,
    SyncRead,
    SyncWrite,
    FastSyncRead,
    BulkRead,
    BulkWrite,
    FastBulkRead,
    /// A servo's own answer, heard by the others.
    Status,
    Unknown,
}

impl Instruction {
    fn from_byte(byte: u8) -> Self {
        match byte {
            0x01 => Self::Ping,
            0x02 => Self::Read,
            0x03 => Self::Write,
            0x04 => Self::RegWrite,
            0x05 => Self::Action,
            0x06 => Self::FactoryReset,
            0x08 => Self::Reboot,
            0x10 => Self::Clear,
            STATUS => Self::Status,
            0x82 => Self::SyncRead,
            0x83 => Self::SyncWrite,
            0x8A => Self::FastSyncRead,
            0x92 => Self::BulkRead,
            0x93 => Self::BulkWrite,
            0x9A => Self::FastBulkRead,
            _ => Self::Unknown,
        }
    }
}

/// A packet that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) id: u8,
    pub(crate) instruction: Instruction,
    /// Without stuffing.
    pub(crate) parameters: Vec<u8>,
    /// Whether the checksum says that it came as it was sent.
    pub(crate) intact: bool,
    /// Bytes from the packet's end to the end of what was received: it was complete that much earlier.
    pub(crate) bytes_behind: usize,
}

/// Finds packets in what comes over the wire, in whatever pieces it comes. Anything else is passed over.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    buffer: Vec<u8>,
}

impl Parser {
    /// Takes what came; gives the packets that are complete now.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Packet> {
        self.buffer.extend_from_slice(bytes);
        let mut packets = Vec::new();
        let mut start = 0;
        while let Some(found) = self.next_packet(&mut start) {
            packets.push(found);
        }
        self.buffer.drain(..start);
        packets
    }

    /// Forgets half a packet: the line was quiet for so long that its rest isn't coming.
    pub(crate) fn forget(&mut self) {
        self.buffer.clear();
    }

    fn next_packet(&self, start: &mut usize) -> Option<Packet> {
        loop {
            let rest = &self.buffer[*start..];
            let offset = (0..rest.len()).find(|&at| HEADER.starts_with(&rest[at..(at + 4).min(rest.len())]))?;
            *start += offset;
            let rest = &rest[offset..];
            if rest.len() < PREFIX {
                return None;
            }
            let length = usize::from(u16::from_le_bytes([rest[5], rest[6]]));
            // At least an instruction and the checksum.
            if !(3..=LONGEST).contains(&length) {
                *start += 1;
                continue;
            }
            let end = PREFIX + length;
            if rest.len() < end {
                return None;
            }
            let sent = u16::from_le_bytes([rest[end - 2], rest[end - 1]]);
            let intact = sent == crc(0, &rest[..end - 2]);
            // Of a damaged packet the length may be what is wrong: what follows its header is looked at again.
            *start += if intact { end } else { 1 };
            return Some(Packet {
                id: rest[4],
                instruction: Instruction::from_byte(rest[PREFIX]),
                parameters: without_stuffing(&rest[PREFIX + 1..end - 2]),
                intact,
                bytes_behind: rest.len() - end,
            });
        }
    }
}

/// A status packet.
pub(crate) fn status(id: u8, error: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![STATUS, error];
    body.extend_from_slice(data);
    sealed(id, &with_stuffing(&body))
}

/// A packet around a body that is stuffed already.
fn sealed(id: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = begun(id, body.len() + 2);
    packet.extend_from_slice(body);
    let sum = crc(0, &packet);
    packet.extend_from_slice(&sum.to_le_bytes());
    packet
}

fn begun(id: u8, length: usize) -> Vec<u8> {
    let mut packet = HEADER.to_vec();
    packet.push(id);
    // Tables end at 661 and lists of ids are shorter than packets, so no length is cut.
    packet.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    packet
}

/// The one packet that several servos write together in answer to a fast read: each adds its error, id and data, and
/// a checksum over all so far. `total` says how many bytes of data all of them would send. Without stuffing.
pub(crate) fn fast_status(answers: &[(u8, u8, Vec<u8>)], servos: usize, total: usize) -> Vec<u8> {
    let mut packet = begun(BROADCAST, 1 + servos * 4 + total);
    packet.push(STATUS);
    for (id, error, data) in answers {
        packet.extend_from_slice(&[*error, *id]);
        packet.extend_from_slice(data);
        let sum = crc(0, &packet);
        packet.extend_from_slice(&sum.to_le_bytes());
    }
    packet
}

/// The vendor's CRC-16: polynomial 0x8005, from 0, most significant bit first.
pub(crate) fn crc(start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| if sum & 0x8000 != 0 { sum << 1 ^ 0x8005 } else { sum << 1 })
    })
}

/// FF FF FD within a body gets another FD behind it, so that it isn't taken for a header.
fn with_stuffing(body: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(body.len());
    for &byte in body {
        stuffed.push(byte);
        if stuffed.ends_with(&HEADER[..3]) {
            stuffed.push(0xFD);
        }
    }
    stuffed
}

fn without_stuffing(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut bytes = body.iter().peekable();
    while let Some(&byte) = bytes.next() {
        plain.push(byte);
        if plain.ends_with(&HEADER[..3]) {
            bytes.next_if_eq(&&0xFD);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's examples: instruction packet of a ping to id 1, and its status packet (model 1030, firmware 38).
    const PING: [u8; 10] = [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x03, 0x00, 0x01, 0x19, 0x4E];
    const PONG: [u8; 14] = [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x07, 0x00, 0x55, 0x00, 0x06, 0x04, 0x26, 0x65, 0x5D];

    #[test]
    fn the_vendors_example_of_a_ping_is_read_and_answered_byte_by_byte() {
        let packets = Parser::default().feed(&PING);
        assert_eq!(packets.len(), 1);
        assert!(packets[0].intact && packets[0].id == 1 && packets[0].instruction == Instruction::Ping);
        assert_eq!(status(1, 0, &[0x06, 0x04, 0x26]), PONG);
    }

    #[test]
    fn the_vendors_example_of_a_read_of_the_present_position_holds() {
        let read = [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x07, 0x00, 0x02, 0x84, 0x00, 0x04, 0x00, 0x1D, 0x15];
        let packet = Parser::default().feed(&read).remove(0);
        assert!(packet.intact);
        assert_eq!(packet.parameters, [132, 0, 4, 0]);
        let answer = [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x08, 0x00, 0x55, 0x00, 0xA6, 0x00, 0x00, 0x00, 0x8C, 0xC0];
        assert_eq!(status(1, 0, &[0xA6, 0, 0, 0]), answer);
    }

    #[test]
    fn packets_are_found_in_noise_and_in_pieces() {
        let mut stream = vec![0x00, 0xFF, 0xFF, 0xFF];
        stream.extend(PING);
        stream.extend([0xFD, 0xFF, 0xFF, 0xFD]);
        stream.extend(PING);
        let mut parser = Parser::default();
        let found: usize = stream.iter().map(|byte| parser.feed(&[*byte]).len()).sum();
        assert_eq!(found, 2);
        let packets = Parser::default().feed(&stream);
        assert_eq!(packets.iter().map(|packet| packet.bytes_behind).collect::<Vec<_>>(), [14, 0]);
    }

    #[test]
    fn a_header_in_the_data_is_stuffed_and_comes_back() {
        for body in
            [&[0xFF, 0xFF, 0xFD][..], &[1, 0xFF, 0xFF, 0xFD, 0xFD, 0xFF, 0xFF, 0xFD, 2], &[0xFF, 0xFF, 0xFF, 0xFD]]
        {
            let stuffed = with_stuffing(body);
            assert!(stuffed.len() > body.len());
            assert_eq!(without_stuffing(&stuffed), body);
        }
    }

    #[test]
    fn lengths_that_no_packet_has_are_passed_over() {
        let mut stream = Vec::new();
        for length in [[0, 0], [1, 0], [2, 0], [0xFF, 0xFF]] {
            stream.extend([0xFF, 0xFF, 0xFD, 0x00, 0x01, length[0], length[1]]);
        }
        stream.extend(PING);
        assert_eq!(Parser::default().feed(&stream).len(), 1);
    }

    #[test]
    fn a_packet_behind_a_damaged_one_is_still_heard() {
        let mut damaged = PING;
        damaged[8] ^= 1;
        let mut stream = damaged.to_vec();
        stream.extend(PING);
        let packets = Parser::default().feed(&stream);
        assert_eq!(packets.iter().map(|packet| packet.intact).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_fast_answer_carries_a_running_checksum_and_the_length_of_all() {
        let packet = fast_status(&[(3, 0, vec![0xA6, 0, 0, 0]), (7, 0x80, vec![1, 2, 3, 4])], 2, 8);
        assert_eq!(packet[..9], [0xFF, 0xFF, 0xFD, 0, 0xFE, 17, 0, 0x55, 0]);
        assert_eq!(packet.len(), 7 + 17);
        assert_eq!(crc(0, &packet[..14]).to_le_bytes(), packet[14..16]);
        assert_eq!(packet[16..18], [0x80, 7]);
        assert_eq!(crc(0, &packet[..22]).to_le_bytes(), packet[22..24]);
    }
}
