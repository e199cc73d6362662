//! Transactions, against scripted bytes at the other end of a pseudo-terminal.

mod support;

use serial2::SerialPort;
use std::thread;
use std::time::{Duration, Instant};
use support::status;
use turnkey_claw::{Baud, Bus, ClawError, ControlTable};
use turnkey_core::ServoId;

const IDS: [ServoId; 3] = [ServoId(10), ServoId(11), ServoId(12)];

/// A bus whose other end sends `answers[n]` to the n-th instruction, and nothing to more.
fn bus_with(answers: Vec<Vec<u8>>) -> (Bus, thread::JoinHandle<SerialPort>) {
    let (mut servos, port) = SerialPort::pair().unwrap();
    servos.set_read_timeout(Duration::from_secs(5)).unwrap();
    let servos = thread::spawn(move || {
        for answer in answers {
            // An instruction comes in one piece: the other end of a pseudo-terminal writes it in one call.
            let mut instruction = [0; 512];
            assert!(servos.read(&mut instruction).unwrap() > 0);
            servos.write_all(&answer).unwrap();
        }
        servos
    });
    (Bus::with_port("pair", port).unwrap(), servos)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(400)
}

#[test]
fn answers_are_matched_by_id_in_whatever_order_they_come() {
    let line = [status(12, 0, &[3]), status(10, 0, &[1]), status(11, 0, &[2])].concat();
    let (mut bus, _servos) = bus_with(vec![line]);
    let replies = bus.sync_read(&IDS, 146, 1, soon()).unwrap();
    let values: Vec<u8> = replies.answers.iter().map(|answer| answer.as_ref().unwrap().parameters[0]).collect();
    assert_eq!(values, [1, 2, 3]);
    assert!(replies.missing.is_empty());
}

#[test]
fn who_is_missing_is_said_and_the_others_are_asked_alone() {
    // 11 is dead, and 12 waits for it in vain: only when asked alone does it answer.
    let (mut bus, _servos) = bus_with(vec![status(10, 0, &[1]), vec![], status(12, 0, &[3])]);
    let replies = bus.sync_read(&IDS, 146, 1, soon()).unwrap();
    assert_eq!(replies.missing, [ServoId(11)]);
    assert_eq!(replies.answers[2].as_ref().unwrap().parameters, [3]);
}

#[test]
fn a_transaction_keeps_its_deadline_though_everyone_is_silent() {
    let (mut bus, _servos) = bus_with(vec![]);
    let deadline = Instant::now() + Duration::from_millis(50);
    let replies = bus.sync_read(&IDS, 146, 1, deadline).unwrap();
    assert_eq!(replies.missing, IDS);
    assert!(bus.traffic().instructions <= 4, "the first question, and each alone once");
}

#[test]
fn answers_of_another_servo_or_another_length_are_passed_over() {
    let line = [status(11, 0, &[1, 2]), status(10, 0, &[1]), status(10, 0, &[7, 8])].concat();
    let (mut bus, _servos) = bus_with(vec![line]);
    assert_eq!(bus.read(ServoId(10), ControlTable::MODEL_NUMBER).unwrap(), 0x0807);
    assert_eq!(bus.noise().foreign, 2);
}

#[test]
fn a_damaged_answer_is_asked_for_again() {
    let mut damaged = status(10, 0, &[7, 8]);
    damaged[9] ^= 0x40;
    let (mut bus, _servos) = bus_with(vec![damaged, status(10, 0x03, &[]), status(10, 0, &[7, 8])]);
    assert_eq!(bus.read(ServoId(10), ControlTable::MODEL_NUMBER).unwrap(), 0x0807);
}

#[test]
fn a_refusal_names_servo_register_and_reason() {
    let (mut bus, _servos) = bus_with(vec![status(10, 0x07, &[])]);
    let error = bus.write(ServoId(10), ControlTable::OPERATING_MODE, 5).unwrap_err();
    let said = error.to_string();
    for word in ["pair", "servo 10", "write operating mode (register 11) = 5", "locked while torque is on"] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn what_a_servo_does_not_keep_is_found_out() {
    let (mut bus, _servos) = bus_with(vec![status(10, 0, &[]), status(10, 0, &[250])]);
    let error = bus.write(ServoId(10), ControlTable::RETURN_DELAY, 0).unwrap_err();
    assert!(matches!(error, ClawError::NotKept { found: 250, .. }), "{error}");
}

#[test]
fn an_alert_in_an_answer_is_no_refusal() {
    let (mut bus, _servos) = bus_with(vec![status(10, 0x80, &[0x20])]);
    let alerts = bus.hardware_alerts(ServoId(10)).unwrap();
    assert_eq!(alerts.to_string(), "overload");
}

#[test]
fn a_servo_that_stays_silent_is_named_with_what_else_was_heard() {
    let (mut bus, _servos) = bus_with(vec![vec![], vec![], vec![1, 2, 3]]);
    let error = bus.ping(ServoId(33)).unwrap_err();
    assert_eq!(error.kind(), turnkey_core::Kind::Retry);
    let said = error.to_string();
    assert!(said.contains("ping from servos 33") && said.contains("3 stray bytes"), "{said}");
}

#[test]
fn an_unplugged_adapter_is_an_error_of_its_own() {
    let (mut bus, servos) = bus_with(vec![]);
    drop(servos.join().unwrap());
    let error = bus.ping(ServoId(10)).unwrap_err();
    assert!(matches!(error, ClawError::Port { .. }), "{error}");
    assert_eq!(error.kind(), turnkey_core::Kind::Stop);
}

#[test]
fn a_port_is_for_one_program() {
    let (_servos, port) = SerialPort::pair().unwrap();
    let path = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&port))).unwrap();
    let _bus = Bus::with_port("first", port).unwrap();
    let error = Bus::open(path.to_str().unwrap(), Baud::ALL[0]).unwrap_err();
    assert!(error.to_string().contains("another program uses the port"), "{error}");
}

#[test]
fn one_cycle_of_ten_servos_takes_less_than_five_milliseconds_of_a_megabaud_wire() {
    let ids: Vec<ServoId> = (10..20).map(ServoId).collect();
    let answers = ids.iter().flat_map(|id| status(id.0, 0, &[0x55; 21])).collect();
    let (mut bus, _servos) = bus_with(vec![vec![], answers]);
    bus.set_baud(Baud::with_rate(1_000_000).unwrap()).unwrap();
    let goals: Vec<(ServoId, i32)> = ids[..9].iter().map(|id| (*id, 2048)).collect();
    bus.sync_write(ControlTable::GOAL_POSITION, &goals).unwrap();
    // The other end takes one instruction a read.
    thread::sleep(Duration::from_millis(20));
    assert!(bus.sync_read(&ids, 126, 21, soon()).unwrap().missing.is_empty());
    let sent = 14 + 9 * 5 + 14 + 10;
    let bits = 10 * (sent + bus.traffic().received);
    let time = Duration::from_micros(bits);
    assert_eq!(bus.traffic().instructions, 2, "nobody had to be asked twice");
    assert!(time < Duration::from_millis(5), "{time:?}");
}

#[test]
fn a_scan_tells_two_servos_whose_pings_are_alike_by_what_they_measure() {
    let pings = [status(10, 0, &[6, 4, 48]), status(11, 0, &[6, 4, 48])].concat();
    let mut damaged = status(11, 0, &[7; 27]);
    damaged[20] ^= 0x40;
    let measured = status(10, 0, &[7; 27]);
    let (mut bus, _servos) = bus_with(vec![pings, measured, damaged.clone(), damaged.clone(), damaged]);
    let found: Vec<(u8, bool)> = bus.scan().unwrap().iter().map(|one| (one.id.0, one.garbled)).collect();
    assert_eq!(found, [(10, false), (11, true)]);
}
