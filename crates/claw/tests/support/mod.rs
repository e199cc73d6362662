//! What the tests of the bus share.

#![allow(unreachable_pub, dead_code, reason = "each test is a crate of its own")]

pub mod rig;

use dynamixel2::checksum::calculate_checksum;

/// A status packet as a servo sends it.
pub fn status(id: u8, error: u8, parameters: &[u8]) -> Vec<u8> {
    let mut stuffed = vec![error];
    for &byte in parameters {
        stuffed.push(byte);
        if stuffed.ends_with(&[0xFF, 0xFF, 0xFD]) {
            stuffed.push(0xFD);
        }
    }
    let [low, high] = (stuffed.len() as u16 + 3).to_le_bytes();
    let mut packet = [&[0xFF, 0xFF, 0xFD, 0x00, id, low, high, 0x55], &stuffed[..]].concat();
    packet.extend(calculate_checksum(0, &packet).to_le_bytes());
    packet
}
