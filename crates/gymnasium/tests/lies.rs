//! Servers that lie, are silent, or are none: whatever answers in Python's place, a clear error comes out, in time.

use std::os::unix::fs::PermissionsExt as _;
use turnkey_core::{Action, Environment as _};
use turnkey_gymnasium::{Gymnasium, GymnasiumConfig};

/// Answers the first request by sizes (three numbers seen, one done), unless it is to lie about them, and every other as `lie`
/// says: a number seeds a generator of nonsense, between right answers.
const LIAR: &str = r#"
import json, os, random, socket, struct, sys, time
connection = socket.socket(fileno=os.dup(0))
sizes = {"protocol": 1, "name": "x", "numbers": 3, "low": [-2.0], "high": [2.0], "episode_steps": 9}
lie = LIE
def send(kind, body, length=None):
    connection.sendall(struct.pack("<IB", 1 + len(body) if length is None else length, kind) + body)
def take():
    length = struct.unpack("<I", connection.recv(4, socket.MSG_WAITALL))[0]
    return connection.recv(length, socket.MSG_WAITALL)
take()
if isinstance(lie, dict):
    sizes.update(lie)
if lie == "not json":
    send(129, b"\xff{")
elif lie == "bare":
    send(129, b"[]")
else:
    send(129, json.dumps(sizes).encode())
seen = struct.pack("<3f", 1, 2, 3)
draw = random.Random(lie)
while True:
    asked = take()
    if lie == "silent":
        time.sleep(1e6)
    elif lie == "gone":
        sys.exit(3)
    elif lie == "half":
        send(130, seen[:5], 13); sys.exit(0)
    elif lie == "huge":
        send(130, b"", 0xffffffff)
    elif lie == "empty":
        connection.sendall(b"\0\0\0\0")
    elif lie == "short":
        send(130, seen[:8])
    elif lie == "long":
        send(130, seen + seen)
    elif lie == "wrong kind":
        send(131, struct.pack("<dB", 0, 0) + seen)
    elif lie == "unknown kind":
        send(9, seen)
    elif isinstance(lie, int) and draw.random() < 0.7:
        send(130, seen) if asked[0] == 2 else send(131, struct.pack("<dB", 0.5, 0) + seen)
    elif isinstance(lie, int):
        kind = draw.choice([1, 129, 130, 131, 131, 255, draw.randrange(256)])
        body = draw.choice([seen, struct.pack("<dB", draw.random(), draw.randrange(5)) + seen, b"{}", b'{"message": "no"}'])
        body = bytearray(body)
        if body and draw.random() < 0.5:
            body[draw.randrange(len(body))] = draw.randrange(256)
        if draw.random() < 0.2:
            body = body[: draw.randrange(len(body) + 1)]
        send(kind, bytes(body), draw.randrange(100) if draw.random() < 0.05 else None)
"#;

/// A liar in Python's place. `lie` is a Python expression.
fn liar(lie: &str) -> (tempfile::TempDir, Result<Gymnasium, String>) {
    let folder = tempfile::tempdir().unwrap();
    let (program, script) = (folder.path().join("python"), folder.path().join("liar.py"));
    let python = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../native/gymnasium/bin/python");
    assert!(python.is_file(), "{} isn't there. `cargo xtask setup` makes it", python.display());
    std::fs::write(&script, LIAR.replace("LIE", lie)).unwrap();
    std::fs::write(&program, format!("#!/bin/sh\nexec {} {} \"$@\" 2>/dev/null\n", python.display(), script.display()))
        .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = GymnasiumConfig { python: program, timeout_secs: 30.0, ..GymnasiumConfig::new("Liar-v0") };
    let made = Gymnasium::new(config).map_err(|error| error.to_string());
    (folder, made)
}

#[test]
fn lies_about_sizes_are_named() {
    for (lie, said) in [
        ("'not json'", "sizes in JSON"),
        ("'bare'", "sizes in JSON"),
        ("{'protocol': 2}", "expected protocol 1, got protocol 2"),
        ("{'numbers': 0}", "got 0 numbers"),
        ("{'numbers': 1 << 40}", "got 1099511627776 numbers"),
        ("{'numbers': 1000001}", "1 to 1000000 numbers, got 1000001 numbers"),
        ("{'numbers': -1}", "sizes in JSON"),
        ("{'names': ['a']}", "3 names, or none, got 1 names"),
        ("{'pictures': {'size': {'width': 2, 'height': 2}, 'stack': 1}}", "got pictures"),
        ("{'low': []}", "got 0 and 1"),
        ("{'low': [2.0]}", "got 2 and 2 at index 0"),
        ("{'low': [float('nan')]}", "sizes in JSON"),
        ("{'low': [-1e300]}", "number out of range"),
        ("{'episode_steps': None}", "set gymnasium.episode_steps"),
    ] {
        let error = liar(lie).1.err().unwrap();
        assert!(error.contains(said) && error.contains("fix:"), "{lie}: {error}");
    }
}

#[test]
fn lies_about_an_observation_are_named_and_silence_has_an_end() {
    for (lie, said) in [
        ("'silent'", "expected an answer within 0.5 s"),
        ("'gone'", "exit status: 3"),
        ("'half'", "its process ended (exit status: 0)"),
        ("'huge'", "got one that says it has 4294967295"),
        ("'empty'", "got one that says it has 0"),
        ("'short'", "3 numbers, 12 bytes, got 8 bytes"),
        ("'long'", "3 numbers, 12 bytes, got 24 bytes"),
        ("'wrong kind'", "expected a first observation, got a step"),
        ("'unknown kind'", "got kind 9"),
    ] {
        let (_folder, made) = liar(lie);
        let mut made = made.unwrap();
        if lie == "'silent'" {
            made.set_timeout_secs(0.5);
        }
        let error = made.reset(1).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("fix:"), "{lie}: {error}");
    }
}

#[test]
fn nonsense_gives_an_answer_or_an_error_and_never_more() {
    let mut outcomes = [0, 0];
    for seed in 0..25 {
        let (_folder, made) = liar(&seed.to_string());
        let mut made = made.unwrap();
        made.set_timeout_secs(0.5); // of a message that says it is longer than it is, the rest never comes
        for request in 0..40 {
            let seen =
                made.reset(request).and_then(|_| made.step(&Action(vec![0.5]))).map(|step| step.observation.numbers);
            match &seen {
                Ok(numbers) => assert!(numbers.len() == 3 && numbers.iter().all(|number| number.is_finite())),
                Err(error) => assert!(error.to_string().starts_with("Liar-v0"), "{error}"),
            }
            outcomes[usize::from(seen.is_ok())] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 20), "errors and answers: {outcomes:?}");
}

#[test]
fn a_program_that_is_no_python_is_named() {
    let config = GymnasiumConfig { python: "/bin/true".into(), ..GymnasiumConfig::new("Pendulum-v1") };
    let error = Gymnasium::new(config).err().unwrap().to_string();
    assert!(error.contains("exit status: 0") && error.contains("Python 3.9 or newer"), "{error}");
}
