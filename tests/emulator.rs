//! `turnkey claw emulate`, from outside: a port that a client opens, servos that move the twin, an end that leaves nothing.

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{run, signal, turnkey, words};

/// The shipped claw's file.
const CLAW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/claw.toml");

/// An emulator in a process of its own, ended with the test.
struct Servos(Child);

impl Servos {
    /// Starts it and waits for the line that names its port.
    fn start(folder: &Path, line: &str) -> (Self, String) {
        let mut child = turnkey(folder, words(line))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("port ").map(str::to_owned));
        (Self(child), port.expect("the port is printed"))
    }

    fn say(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl Drop for Servos {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The port at 1 Mbaud, which a read doesn't wait on for longer than a tenth of a second.
fn open(port: &str) -> File {
    let file = OpenOptions::new().read(true).write(true).open(port).unwrap();
    // SAFETY: plain numbers, for which zeros are a value.
    let mut settings: libc::termios2 = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and the structure is whole.
    assert_eq!(unsafe { libc::ioctl(file.as_raw_fd(), libc::TCGETS2, &raw mut settings) }, 0);
    settings.c_cflag = settings.c_cflag & !libc::CBAUD | libc::BOTHER;
    (settings.c_ispeed, settings.c_ospeed) = (1_000_000, 1_000_000);
    (settings.c_cc[libc::VMIN], settings.c_cc[libc::VTIME]) = (0, 1);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::ioctl(file.as_raw_fd(), libc::TCSETS2, &raw const settings) }, 0);
    file
}

/// What a packet (its checksum is put behind it) is answered with; nothing, if nobody does.
fn ask(port: &mut File, id: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xFF, 0xFF, 0xFD, 0x00, id, body.len() as u8 + 2, 0];
    packet.extend(body);
    let sum = packet.iter().fold(0_u16, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| (sum << 1) ^ if sum >> 15 == 1 { 0x8005 } else { 0 })
    });
    packet.extend(sum.to_le_bytes());
    port.write_all(&packet).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 256];
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        let count = port.read(&mut buffer).unwrap();
        answer.extend_from_slice(&buffer[..count]);
        if answer.len() >= 7 && answer.len() >= 7 + usize::from(answer[5]) {
            break;
        }
    }
    answer
}

#[test]
fn servos_on_the_twin_turn_a_joint_and_the_valve_and_go_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("claw");
    let (mut servos, port) = Servos::start(folder.path(), &format!("claw emulate --twin --link {}", link.display()));
    assert_eq!(port, link.display().to_string());
    let mut client = open(&port);
    assert_eq!(ask(&mut client, 10, &[1])[7..11], [0x55, 0, 0x06, 0x04], "the first joint's servo is an XM430-W210");
    assert_eq!(ask(&mut client, 40, &[3, 11, 0, 4])[7..9], [0x55, 0], "the valve's counts turns");
    for (id, goal) in [(12_u8, 2300_i32), (40, 5000)] {
        ask(&mut client, id, &[3, 64, 0, 1]);
        let [a, b, c, d] = goal.to_le_bytes();
        assert_eq!(ask(&mut client, id, &[3, 116, 0, a, b, c, d])[8], 0);
        let mut position = 0;
        let end = Instant::now() + Duration::from_secs(60);
        while (position - goal).abs() > 60 && Instant::now() < end {
            let answer = ask(&mut client, id, &[2, 132, 0, 4, 0]);
            position = i32::from_le_bytes(answer[9..13].try_into().unwrap());
        }
        assert!((position - goal).abs() <= 60, "servo {id} is at {position}");
    }
    servos.say("missing 12");
    let end = Instant::now() + Duration::from_secs(30);
    while !ask(&mut client, 12, &[1]).is_empty() && Instant::now() < end {}
    assert!(ask(&mut client, 12, &[1]).is_empty(), "it was unplugged");
    signal(&servos.0, libc::SIGINT);
    assert_eq!(servos.0.wait().unwrap().code(), Some(0));
    assert!(link.symlink_metadata().is_err(), "the link goes with the port");
}

#[test]
fn servos_as_a_claws_file_describes_them_hold_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (_servos, port) = Servos::start(folder.path(), &format!("claw emulate --twin --config {CLAW}"));
    let mut client = open(&port);
    assert_eq!(ask(&mut client, 31, &[2, 9, 0, 1, 0])[8..10], [0, 0], "no return delay");
    // 1735 to 2361 are -0.48 to 0.48 rad, outwards to the tick.
    assert_eq!(ask(&mut client, 30, &[2, 48, 0, 8, 0])[9..17], [0x39, 0x09, 0, 0, 0xC7, 0x06, 0, 0]);
    assert_eq!(ask(&mut client, 40, &[2, 11, 0, 1, 0])[9], 4, "the valve's servo counts turns");
}

#[test]
fn servos_that_cannot_be_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let reversed = fs::read_to_string(CLAW).unwrap().replacen("\"normal\" ", "\"reversed\" ", 1);
    fs::write(folder.path().join("reversed.toml"), reversed).unwrap();
    for (line, reason) in [
        ("claw emulate --baud 12345", "got 12345"),
        ("claw emulate --twin --ids 1,2", "expected nine joints with --twin"),
        ("claw emulate --ids 253", "253 is not in"),
        ("claw emulate --link /proc/claw", "/proc/claw"),
        ("claw emulate --config none.toml", "none.toml: the file: expected a claw's description"),
        ("claw emulate --config none.toml --ids 1", "cannot be used with"),
        ("claw emulate --config reversed.toml --twin", "finger_0/base: expected direction \"normal\" with --twin"),
    ] {
        let said = run(folder.path(), line);
        assert!(said.code != Some(0) && said.err.contains(reason), "{line}: {}", said.err);
    }
}
