//! Servos on a bus, by bytes written by hand: what a client sends, what it hears, and when.

mod support;

use std::time::Duration;
use support::{Client, MILLI, instruction};
use turnkey_claw_emulator::{BusTiming, Fault};
use turnkey_core::ServoId;
use turnkey_core::servo::{HardwareError, OperatingMode};

#[test]
fn a_ping_is_answered_with_model_and_firmware() {
    let mut client = Client::new(&[1, 2]);
    // The vendor's example of a ping to id 1; firmware 48.
    let answer = client.raw(&[0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x03, 0x00, 0x01, 0x19, 0x4E]);
    assert_eq!(answer[..12], [0xFF, 0xFF, 0xFD, 0x00, 0x01, 0x07, 0x00, 0x55, 0x00, 0x06, 0x04, 48]);
    assert_eq!(client.ask(1, 0x01, &[]), [(1, 0, vec![0x06, 0x04, 48])]);
    assert!(client.ask(3, 0x01, &[]).is_empty(), "nobody has this id");
    let ids: Vec<u8> = client.ask(0xFE, 0x01, &[]).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn a_servo_moves_to_its_goal_once_its_torque_is_on() {
    let mut client = Client::new(&[1]);
    client.write(1, 116, &3072_u32.to_le_bytes());
    client.pass(500 * MILLI);
    assert_eq!(client.read_i32(1, 132), 2048, "torque is off");
    client.write(1, 64, &[1]);
    client.pass(500 * MILLI);
    assert!((client.read_i32(1, 132) - 3072).abs() <= 12, "{}", client.read_i32(1, 132));
    let servo = client.servo(0);
    assert!(servo.torque_enabled && servo.goals_taken == Some((3072, 3072)) && servo.goals_refused == 0);
}

#[test]
fn each_operating_mode_moves_the_horn_as_it_says() {
    let mut client = Client::new(&[1]);
    for (mode, register, goal) in [(1_u8, 104, 50_i32), (16, 100, 200), (0, 102, 60)] {
        client.write(1, 64, &[0]);
        client.write(1, 11, &[mode]);
        client.write(1, 64, &[1]);
        let bytes = goal.to_le_bytes();
        client.write(1, register, if register == 104 { &bytes } else { &bytes[..2] });
        client.pass(500 * MILLI);
        let velocity = client.read_i32(1, 128);
        assert!(velocity > 20, "mode {mode} turns at {velocity}");
        if mode == 1 {
            assert!((velocity - 50).abs() <= 3, "{velocity}");
        }
    }
    client.write(1, 64, &[0]);
    client.write(1, 11, &[4]);
    assert_eq!(client.servo(0).mode, OperatingMode::ExtendedPosition);
    client.write(1, 64, &[1]);
    client.write(1, 116, &(-9000_i32).to_le_bytes());
    client.pass(5000 * MILLI);
    assert!((client.read_i32(1, 132) + 9000).abs() <= 12, "over turns: {}", client.read_i32(1, 132));
    assert_eq!(client.ask(1, 0x10, &[0x01, 0x44, 0x58, 0x4C, 0x22]), [(1, 0, vec![])], "turns are cleared");
    assert!((0..4096).contains(&client.read_i32(1, 132)));
}

#[test]
fn the_eeprom_is_locked_under_torque_and_survives_a_reboot() {
    let mut client = Client::new(&[1]);
    client.write(1, 64, &[1]);
    assert_eq!(client.ask(1, 0x03, &[9, 0, 0]), [(1, 7, vec![])], "access error");
    client.write(1, 64, &[0]);
    client.write(1, 9, &[3]);
    client.write(1, 84, &400_u16.to_le_bytes());
    assert_eq!(client.ask(1, 0x08, &[]), [(1, 0, vec![])]);
    assert!(client.ask(1, 0x01, &[]).is_empty(), "silent while it boots");
    client.pass(110 * MILLI);
    assert_eq!(client.read(1, 9, 1), [3]);
    assert_eq!(client.read(1, 84, 2), 800_u16.to_le_bytes(), "RAM starts over");
}

#[test]
fn an_id_and_a_baud_rate_come_into_force_after_the_answer() {
    let mut client = Client::new(&[1]);
    assert_eq!(client.ask(1, 0x03, &[7, 0, 9]), [(1, 0, vec![])]);
    assert_eq!(client.ask(9, 0x03, &[8, 0, 1]), [(9, 0, vec![])]);
    assert!(client.ask(9, 0x01, &[]).is_empty(), "it speaks at 57,600 now");
    client.baud = 57_600;
    assert_eq!(client.ask(9, 0x01, &[]).len(), 1);
    assert_eq!(client.ask(9, 0x06, &[0xFF]), [(9, 0, vec![])]);
    client.pass(110 * MILLI);
    assert_eq!(client.ask(1, 0x01, &[]).len(), 1, "from the factory: id 1 at 57,600");
    client.write(1, 7, &[5]);
    client.write(5, 9, &[5]);
    assert_eq!(client.ask(5, 0x06, &[1]), [(5, 0, vec![])]);
    client.pass(110 * MILLI);
    assert_eq!(client.read(5, 9, 1), [250], "all but the id");
}

#[test]
fn the_status_return_level_silences_writes_and_then_reads() {
    let mut client = Client::new(&[1]);
    client.ask(1, 0x03, &[68, 0, 1]);
    assert!(client.ask(1, 0x03, &[65, 0, 1]).is_empty());
    assert_eq!(client.read(1, 65, 1), [1]);
    client.ask(1, 0x03, &[68, 0, 0]);
    assert!(client.ask(1, 0x02, &[65, 0, 1, 0]).is_empty());
    assert_eq!(client.ask(1, 0x01, &[]).len(), 1);
}

#[test]
fn a_registered_write_waits_for_its_action() {
    let mut client = Client::new(&[1, 2]);
    assert_eq!(client.ask(1, 0x05, &[]), [(1, 2, vec![])], "nothing is registered");
    for id in [1, 2] {
        client.ask(id, 0x04, &[65, 0, 1]);
    }
    assert_eq!((client.read(1, 65, 1), client.read(1, 69, 1)), (vec![0], vec![1]));
    assert!(client.ask(0xFE, 0x05, &[]).is_empty());
    assert_eq!((client.read(1, 65, 1), client.read(2, 65, 1), client.read(1, 69, 1)), (vec![1], vec![1], vec![0]));
}

#[test]
fn several_servos_are_read_and_written_at_once() {
    let mut client = Client::new(&[1, 2, 3]);
    let write = [116, 0, 4, 0, 1, 1, 8, 0, 0, 3, 3, 8, 0, 0];
    assert!(client.ask(0xFE, 0x83, &write).is_empty());
    let goals = [(3, 0, vec![3, 8, 0, 0]), (2, 0, vec![0, 8, 0, 0]), (1, 0, vec![1, 8, 0, 0])];
    assert_eq!(client.ask(0xFE, 0x82, &[116, 0, 4, 0, 3, 2, 1]), goals, "in the order asked for");
    assert!(client.ask(0xFE, 0x93, &[1, 65, 0, 1, 0, 1, 2, 116, 0, 4, 0, 7, 8, 0, 0]).is_empty());
    let bulk = [(2, 0, vec![7, 8, 0, 0]), (1, 0, vec![1])];
    assert_eq!(client.ask(0xFE, 0x92, &[2, 116, 0, 4, 0, 1, 65, 0, 1, 0]), bulk);
    // The vendor's layout of a fast answer: one packet from id 0xFE, and in it error, id, data, checksum each.
    let fast = client.raw(&instruction(0xFE, 0x8A, &[116, 0, 4, 0, 1, 3]));
    assert_eq!(fast[..8], [0xFF, 0xFF, 0xFD, 0, 0xFE, 17, 0, 0x55]);
    assert_eq!((&fast[8..14], &fast[16..22]), (&[0, 1, 1, 8, 0, 0][..], &[0, 3, 3, 8, 0, 0][..]));
    let fast = client.raw(&instruction(0xFE, 0x9A, &[2, 116, 0, 4, 0, 1, 65, 0, 1, 0]));
    assert_eq!(fast[5], 1 + (4 + 4) + (4 + 1));
    assert_eq!(fast[16..19], [0, 1, 1]);
}

#[test]
fn a_missing_servo_leaves_a_gap_in_a_sync_read_and_cuts_a_fast_one_short() {
    let mut client = Client::new(&[1, 2, 3]);
    client.faults.inject(Fault::Missing(ServoId(2)));
    let ids: Vec<u8> = client.ask(0xFE, 0x82, &[65, 0, 1, 0, 1, 2, 3]).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, [1, 3]);
    let fast = client.raw(&instruction(0xFE, 0x8A, &[65, 0, 1, 0, 1, 2, 3]));
    assert_eq!((fast[5], fast.len()), (1 + 3 * 5, 8 + 5), "the length of all, and the bytes of one");
    client.faults.clear();
    client.pass(10 * MILLI);
    assert!(client.ask(2, 0x01, &[]).is_empty(), "plugged in again it boots");
    client.pass(110 * MILLI);
    assert_eq!(client.ask(2, 0x01, &[]).len(), 1);
}

#[test]
fn the_watchdog_stops_a_servo_that_nobody_talks_to_and_locks_its_goals() {
    let mut client = Client::new(&[1]);
    client.write(1, 112, &20_u32.to_le_bytes());
    client.write(1, 98, &[5]);
    client.write(1, 64, &[1]);
    client.write(1, 116, &4000_u32.to_le_bytes());
    for _ in 0..10 {
        client.pass(50 * MILLI);
        assert_eq!(client.read(1, 98, 1), [5], "somebody talks every 50 ms");
    }
    client.pass(150 * MILLI);
    let stopped = client.read_i32(1, 132);
    assert!((2100..3900).contains(&stopped), "{stopped}");
    assert_eq!(client.read(1, 98, 1), [0xFF]);
    assert_eq!(client.ask(1, 0x03, &[116, 0, 0, 8, 0, 0]), [(1, 4, vec![])], "range error");
    client.pass(200 * MILLI);
    assert!((client.read_i32(1, 132) - stopped).abs() <= 12);
    client.write(1, 98, &[0]);
    client.write(1, 116, &2048_u32.to_le_bytes());
    let servo = client.servo(0);
    assert!(servo.watchdog_trips == 1 && !servo.watchdog_tripped && servo.goals_refused == 1);
}

#[test]
fn an_alert_stays_in_every_answer_until_the_servo_is_rebooted() {
    let mut client = Client::new(&[1]);
    client.write(1, 64, &[1]);
    client.faults.inject(Fault::Overload(ServoId(1)));
    client.pass(10 * MILLI);
    assert_eq!(client.ask(1, 0x02, &[70, 0, 1, 0]), [(1, 0x80, vec![0x20])]);
    client.faults.clear();
    assert_eq!(client.ask(1, 0x03, &[64, 0, 1]), [(1, 0x80, vec![])]);
    assert!(!client.servo(0).torque_enabled, "it has shut down");
    client.ask(1, 0x08, &[]);
    client.pass(110 * MILLI);
    client.write(1, 64, &[1]);
    assert!(client.servo(0).torque_enabled);
}

#[test]
fn a_blocked_servo_overloads_by_itself() {
    let mut client = Client::blocked();
    client.write(1, 64, &[1]);
    client.write(1, 116, &4000_u32.to_le_bytes());
    client.pass(1500 * MILLI);
    assert_eq!(client.servo(0).hardware_error, HardwareError::default());
    assert!((client.servo(0).torque - 3.0).abs() < 0.01);
    assert!(client.read(1, 126, 2)[1] > 2, "its current is read as well");
    client.pass(1000 * MILLI);
    assert_eq!(client.servo(0).hardware_error, HardwareError::OVERLOAD);
    assert_eq!(client.servo(0).torque, 0.0);
}

#[test]
fn heat_and_a_bad_supply_raise_their_bits() {
    let mut client = Client::new(&[1]);
    client.faults.inject(Fault::Overheating(ServoId(1)));
    client.pass(10 * MILLI);
    assert_eq!(client.read_alerted(1, 146, 1), [90]);
    assert!(client.servo(0).hardware_error.has(HardwareError::OVERHEATING));
    client.faults.clear();
    client.faults.inject(Fault::BrownOut(8.5));
    client.pass(10 * MILLI);
    assert_eq!(client.read_alerted(1, 144, 2), [85, 0]);
    assert_eq!(client.read_alerted(1, 70, 1), [0b101]);
    client.faults.inject(Fault::BrownOut(3.0));
    client.pass(10 * MILLI);
    assert!(client.ask(1, 0x01, &[]).is_empty() && !client.servo(0).awake, "its processor is off");
    client.faults.clear();
    client.pass(10 * MILLI);
    client.pass(110 * MILLI);
    assert_eq!(client.read(1, 70, 1), [0]);
    assert_eq!(client.servo(0).boots, 2);
}

#[test]
fn a_silent_servo_obeys_and_a_silent_bus_too() {
    let mut client = Client::new(&[1, 2]);
    client.faults.inject(Fault::Silent(ServoId(1)));
    assert!(client.ask(1, 0x03, &[64, 0, 1]).is_empty());
    assert!(client.servo(0).torque_enabled);
    assert_eq!(client.ask(2, 0x01, &[]).len(), 1);
    client.faults.clear();
    client.faults.inject(Fault::BusSilent);
    assert!(client.ask(2, 0x01, &[]).is_empty());
    client.faults.clear();
    assert_eq!(client.ask(2, 0x01, &[]).len(), 1);
}

#[test]
fn two_servos_with_one_id_are_not_understood() {
    let mut client = Client::new(&[1, 2]);
    client.faults.inject(Fault::SharedId(ServoId(2), ServoId(1)));
    assert!(client.ask(1, 0x01, &[]).is_empty(), "two at once");
    client.faults.clear();
    client.write(2, 7, &[1]);
    assert!(client.ask(1, 0x01, &[]).is_empty(), "the same by a mistake in the EEPROM");
}

#[test]
fn malformed_packets_get_the_vendors_error_or_none() {
    let mut client = Client::new(&[1]);
    assert_eq!(client.ask(1, 0x77, &[]), [(1, 2, vec![])], "no such instruction");
    assert_eq!(client.ask(1, 0x02, &[0]), [(1, 5, vec![])], "too short");
    assert_eq!(client.ask(1, 0x02, &[0x90, 2, 9, 0]), [(1, 7, vec![])], "behind the table's end");
    let mut damaged = instruction(1, 0x01, &[]);
    *damaged.last_mut().unwrap() ^= 1;
    let answer = client.raw(&damaged);
    assert_eq!(answer[7..9], [0x55, 3], "its checksum is wrong");
    assert!(client.raw(&damaged[..8]).is_empty());
    client.pass(60 * MILLI);
    assert_eq!(client.ask(1, 0x01, &[]).len(), 1, "half a packet is forgotten");
    let state = client.observer.state();
    assert_eq!(state.damaged_packets, 1);
}

#[test]
fn bytes_and_return_delays_take_their_time() {
    let mut client = Client::timed(&[1, 2], BusTiming::Real { usb_latency: Duration::ZERO });
    // 10 bytes of instruction, the factory's 500 us, 14 bytes of status, at 10 us a byte.
    assert_eq!(client.answer_time(&instruction(1, 0x01, &[])), Duration::from_micros(100 + 500 + 140));
    client.write(1, 9, &[0]);
    assert_eq!(client.answer_time(&instruction(1, 0x01, &[])), Duration::from_micros(240));
    client.faults.inject(Fault::Slow(5 * MILLI));
    assert_eq!(client.answer_time(&instruction(1, 0x01, &[])), Duration::from_micros(5240));
    client.faults.clear();
    // A read of four bytes of both: 16 bytes, 15 bytes without delay, then 500 us and 15 bytes.
    assert_eq!(client.answer_time(&instruction(0xFE, 0x82, &[132, 0, 4, 0, 1, 2])), Duration::from_micros(960));
}
