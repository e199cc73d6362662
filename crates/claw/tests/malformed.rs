//! Whatever comes from the wire, replies or nothing come out: no panic, no hang, no more memory than a packet.
//! `TURNKEY_PACKETS=1000000` for more.

mod support;

use support::status;
use turnkey_claw::{ReplyParser, ServoReading};
use turnkey_core::Rng;

/// A packet that is whole, or spoiled in one of the ways that wires and servos spoil them.
fn packet(rng: &mut Rng) -> Vec<u8> {
    let byte = |rng: &mut Rng| rng.bits() as u8;
    let below = |rng: &mut Rng, most: usize| (rng.bits() % most as u64) as usize;
    // Often of the bytes that headers and stuffing are made of.
    let mut data: Vec<u8> = (0..below(rng, 40))
        .map(|_| if rng.unit() < 0.5 { [0xFF, 0xFF, 0xFD, 0x00][below(rng, 4)] } else { byte(rng) })
        .collect();
    let kind = below(rng, 9);
    if kind == 0 {
        return data;
    }
    let mut bytes = status(byte(rng), byte(rng), &data);
    let at = below(rng, bytes.len());
    match kind {
        1 => bytes[at] ^= 1 << below(rng, 8),
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, byte(rng)),
        4 => bytes.truncate(at),
        5 => bytes[5..7].copy_from_slice(&[byte(rng), byte(rng)]),
        6 => {
            // A false length under a right checksum: what dynamixel2 panics on.
            let cut = below(rng, bytes.len() - 8) + 8;
            bytes.truncate(cut);
            bytes[5..7].copy_from_slice(&[below(rng, 6) as u8, 0]);
            let checksum = dynamixel2::checksum::calculate_checksum(0, &bytes);
            bytes.extend(checksum.to_le_bytes());
        }
        7 => {
            data.extend(bytes.iter().rev());
            bytes = data;
        }
        _ => {}
    }
    bytes
}

#[test]
fn malformed_packets_neither_panic_nor_hang_nor_swallow_what_follows() {
    let packets: usize = std::env::var("TURNKEY_PACKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000);
    let mut rng = Rng::new(4, "malformed packets");
    let mut parser = ReplyParser::default();
    let mut replies = 0;
    for n in 0..packets {
        let bytes = packet(&mut rng);
        for piece in bytes.chunks(1 + (rng.bits() % 64) as usize) {
            parser.push(piece);
            // Each reply takes bytes away: more of them than bytes would be a hang.
            for _ in 0..=parser.held() {
                let Some(reply) = parser.next_reply() else { break };
                let _ = (reply.alert(), reply.refusal(), ServoReading::from_bytes(&reply.parameters));
                replies += 1;
            }
            assert!(parser.next_reply().is_none(), "packet {n}");
            assert!(parser.held() <= 1024 + 7, "packet {n}: {} bytes are held", parser.held());
        }
        if n % 100 == 0 {
            // A bus starts each transaction afresh; then a whole reply comes through whatever precedes it in the same one.
            parser.clear();
            parser.push(&[&bytes[..bytes.len().min(30)], &status(10, 0, &[n as u8; 21])].concat());
            let last = std::iter::from_fn(|| parser.next_reply()).last();
            assert_eq!(last.map(|reply| reply.id.0), Some(10), "packet {n}: {bytes:?}");
            parser.clear();
        }
    }
    assert!(replies > packets / 20, "whole packets are among them: {replies} of {packets}");
    println!("{packets} packets, {replies} of them replies");
}
