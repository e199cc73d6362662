//! Whatever bytes come over the wire: no panic, no hang, no memory without bound.

mod support;

use proptest::prelude::*;
use support::{Client, instruction};
use turnkey_core::Rng;

/// Packets that look more or less like packets: any bytes, and whole ones with random contents, cut or damaged.
fn noise(rng: &mut Rng) -> Vec<u8> {
    let length = rng.below(40);
    let mut parameters: Vec<u8> = (0..length).map(|_| rng.bits() as u8).collect();
    // Addresses inside the table, lengths that fit, and the claw's ids are drawn more often than chance would.
    if rng.below(2) == 0 && length > 3 {
        parameters[1] = 0;
        parameters[2] = rng.below(5) as u8;
        parameters[3] = 0;
    }
    let codes = [1, 2, 3, 4, 5, 6, 8, 0x10, 0x20, 0x55, 0x82, 0x83, 0x8A, 0x92, 0x93, 0x9A, rng.bits() as u8];
    let id = [1, 2, 0xFE, rng.bits() as u8][rng.below(4)];
    let mut packet = instruction(id, codes[rng.below(codes.len())], &parameters);
    match rng.below(6) {
        0 => packet.iter_mut().for_each(|byte| *byte = rng.bits() as u8),
        1 => packet.truncate(rng.below(packet.len())),
        2 => {
            let at = rng.below(packet.len());
            packet[at] ^= 1 << rng.below(8);
        }
        _ => {}
    }
    packet
}

#[test]
fn a_hundred_thousand_random_packets_never_stop_the_bus() {
    let mut rng = Rng::new(7, "malformed packets");
    let mut client = Client::new(&[1, 2]);
    let mut answered = 0;
    for _ in 0..100_000 {
        answered += usize::from(!client.raw(&noise(&mut rng)).is_empty());
    }
    assert!(answered > 5_000, "most of them should have been silence: {answered}");
    assert_eq!(client.observer.state().servos.len(), 2);
}

#[test]
fn a_servo_answers_a_ping_after_any_packet_by_the_id_and_at_the_baud_rate_that_it_has_then() {
    let mut rng = Rng::new(8, "malformed packets");
    let mut client = Client::new(&[1]);
    for _ in 0..2_000 {
        client.raw(&noise(&mut rng));
        client.pass(support::MILLI * 111);
        let servo = client.servo(0);
        client.baud = servo.baud;
        assert_eq!(client.ask(servo.id.0, 0x01, &[]).len(), 1, "{servo:?}");
    }
    assert!(client.servo(0).boots > 20, "some of the packets were reboots");
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_leave_the_bus_answering(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
        let mut client = Client::new(&[1]);
        for piece in &pieces {
            client.raw(piece);
        }
        client.pass(support::MILLI * 51);
        prop_assert_eq!(client.ask(1, 0x01, &[]).len(), 1);
    }
}
