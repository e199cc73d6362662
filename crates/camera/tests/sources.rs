//! Recordings and sockets, as sources of frames.

use std::io::Write as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};
use turnkey_camera::{
    CameraConfig, CameraError, RawBuffer, Recorder, Running, Source as _, Stream, StreamServer, source,
};
use turnkey_core::{Frame, FrameSize, Stamp};
use turnkey_picture::{RawFormat, jpeg_from_frame};

const SIZE: FrameSize = FrameSize { width: 8, height: 6 };
const LONG: Duration = Duration::from_secs(60);

fn config(device: &str, more: &str) -> CameraConfig {
    let text = format!(
        "device = {device:?}\nformat = \"rgb24\"\nwidth = 8\nheight = 6\nrate = 30\nmax_frame_age_secs = 0.15\n\
         output = {{ width = 4, height = 3 }}\nwatchdog = {{ stall_secs = 30.0, first_wait_secs = 0.001, \
         longest_wait_secs = 0.01 }}\n{more}"
    );
    CameraConfig::parse(&text, "camera.toml").unwrap()
}

fn grey(level: u8, sequence: u64) -> RawBuffer {
    let bytes = vec![level; SIZE.bytes()];
    RawBuffer { format: RawFormat::Rgb8, size: SIZE, bytes, captured: Instant::now(), sequence }
}

/// Sends until somebody takes it.
fn deliver(server: &mut StreamServer, raw: &RawBuffer) {
    let start = Instant::now();
    while server.send(raw) == 0 {
        assert!(start.elapsed() < LONG, "nobody connects");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_buffer_comes_out_of_the_socket_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin");
    let mut server = StreamServer::bind(&path).unwrap();
    let mut stream = Stream::new("twin", &path);
    stream.open().unwrap();
    for format in [RawFormat::Rgb8, RawFormat::Gray8, RawFormat::Yuyv, RawFormat::Jpeg, RawFormat::Png] {
        let captured = Instant::now() - Duration::from_millis(40);
        let sent = RawBuffer { format, captured, bytes: vec![3; 500_000], ..grey(0, 41) };
        let sender = std::thread::scope(|scope| {
            let sending = scope.spawn(|| server.send(&sent));
            let came = loop {
                if let Some(came) = stream.next(Duration::from_millis(20)).unwrap() {
                    break came;
                }
            };
            assert_eq!((came.format, came.size, &came.bytes, came.sequence), (format, SIZE, &sent.bytes, 41));
            let apart = came.captured.max(captured) - came.captured.min(captured);
            assert!(apart < Duration::from_millis(30), "its time goes along: {apart:?}");
            sending.join().unwrap()
        });
        assert_eq!(sender, 1);
    }
}

#[test]
fn the_end_of_the_other_program_is_survived_and_its_return_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin");
    let running = Running::start(&config(&format!("socket:{}", path.display()), ""), Instant::now()).unwrap();
    let error = running.slot().wait(Instant::now(), Duration::from_millis(50)).unwrap_err().to_string();
    assert!(error.contains("a program that sends pictures"), "{error}");
    for round in 1..=3 {
        let mut server = StreamServer::bind(&path).unwrap();
        // Its time comes by the wall clock, which is read at another moment.
        let asked = Instant::now() - Duration::from_micros(200);
        deliver(&mut server, &grey(10 * round, 0));
        let captured = running.slot().wait(asked, LONG).unwrap();
        assert_eq!((captured.frame.pixels()[0], captured.sequence), (10 * round, u64::from(round)));
        drop(server);
        let losses = u64::from(round);
        let start = Instant::now();
        while running.slot().counts().losses < losses {
            assert!(start.elapsed() < LONG, "the end is not noticed");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(running.slot().counts().reopened, 2);
}

#[test]
fn a_socket_that_a_killed_program_left_is_taken_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin");
    drop(UnixListener::bind(&path).unwrap()); // leaves its file
    let server = StreamServer::bind(&path).unwrap();
    let error = StreamServer::bind(&path).unwrap_err().to_string();
    assert!(error.contains("another program sends pictures there") && error.contains("fix:"), "{error}");
    drop(server);
    assert!(!path.exists());
    std::fs::write(&path, "a file of somebody").unwrap();
    assert!(StreamServer::bind(&path).is_err());
    assert!(path.exists(), "and stays");
}

#[test]
fn a_client_that_takes_nothing_is_left_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin");
    let mut server = StreamServer::bind(&path).unwrap();
    let _stuck = UnixStream::connect(&path).unwrap();
    let large = RawBuffer { bytes: vec![0; 4 << 20], ..grey(0, 0) };
    assert_eq!(server.send(&large), 0);
    let mut stream = Stream::new("twin", &path);
    stream.open().unwrap();
    assert_eq!(server.send(&grey(5, 1)), 1);
    assert_eq!(stream.next(LONG).unwrap().unwrap().bytes[0], 5);
}

#[test]
fn what_is_no_picture_on_the_socket_is_an_error_and_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twin");
    let listener = UnixListener::bind(&path).unwrap();
    let mut enormous = b"TKF1".to_vec();
    enormous.resize(29, 0);
    enormous.extend(u64::MAX.to_le_bytes());
    for (bytes, said) in [
        (vec![b'x'; 200], "where a picture should begin"),
        (enormous, "more than any has"),
        (b"TKF1".to_vec(), "closed the connection"),
    ] {
        let mut stream = Stream::new("twin", &path);
        stream.open().unwrap();
        let (mut other, _) = listener.accept().unwrap();
        other.write_all(&bytes).unwrap();
        drop(other);
        let error = stream.next(LONG).unwrap_err();
        assert!(matches!(error, CameraError::Lost { .. }) && error.to_string().contains(said), "{error}");
    }
}

/// Three pictures, 40 ms apart.
fn record(folder: &Path, format: RawFormat) {
    let epoch = Instant::now();
    let mut recorder = Recorder::create(folder, epoch).unwrap();
    for i in 0..3 {
        let mut raw = grey(50 * (i + 1), u64::from(i));
        raw.captured = epoch + Duration::from_millis(40 * u64::from(i));
        if format == RawFormat::Jpeg {
            let frame = Frame::new(Stamp::default(), SIZE, raw.bytes.clone()).unwrap();
            raw = RawBuffer { format, bytes: jpeg_from_frame(&frame, 100).unwrap(), ..raw };
        }
        recorder.write(&raw).unwrap();
    }
    assert_eq!(recorder.pictures(), 3);
}

#[test]
fn a_recording_is_played_back_as_it_was_at_the_pace_it_had() {
    let folder = tempfile::tempdir().unwrap();
    for format in [RawFormat::Jpeg, RawFormat::Rgb8] {
        let recording = folder.path().join(format.to_string());
        record(&recording, format);
        let mut replay = source(&config(&recording.display().to_string(), "")).unwrap();
        replay.open().unwrap();
        let mut played = Vec::new();
        let ended = loop {
            match replay.next(Duration::from_millis(5)) {
                Ok(raw) => played.extend(raw),
                Err(error) => break error,
            }
        };
        assert!(matches!(ended, CameraError::Ended { frames: 3, .. }), "{ended}");
        let last = played.last().unwrap();
        assert_eq!(last.sequence, 2);
        assert_eq!(last.captured - played[0].captured, Duration::from_millis(40 * (2 - played[0].sequence)));
    }
}

#[test]
fn a_recording_that_is_to_repeat_begins_again_and_numbers_on() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording");
    record(&recording, RawFormat::Rgb8);
    let repeating = config(&recording.display().to_string(), "repeat = true");
    let running = Running::start(&repeating, Instant::now()).unwrap();
    let start = Instant::now();
    while running.slot().counts().frames < 5 {
        assert!(running.is_running() && start.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(running.slot().counts().refused, 0);
}

#[test]
fn one_picture_is_a_camera_in_front_of_a_photograph() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.jpg");
    let frame = Frame::new(Stamp::default(), SIZE, vec![90; SIZE.bytes()]).unwrap();
    std::fs::write(&path, jpeg_from_frame(&frame, 100).unwrap()).unwrap();
    let running = Running::start(&config(&path.display().to_string(), ""), Instant::now()).unwrap();
    let first = running.slot().wait(Instant::now() - LONG, LONG).unwrap();
    let second = running.slot().wait(first.captured + Duration::from_nanos(1), LONG).unwrap();
    assert!(second.sequence > first.sequence && second.frame.pixels() == first.frame.pixels());
}

#[test]
fn what_is_no_recording_is_refused_with_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(path("empty")).unwrap();
    std::fs::create_dir(path("damaged")).unwrap();
    std::fs::write(path("damaged/stamps.jsonl"), "{\"file\": 3}\n").unwrap();
    for (name, said) in
        [("empty", "stamps.jsonl"), ("damaged", "in line 1"), ("none", "nothing there"), ("none.png", "No such file")]
    {
        let mut replay = source(&config(&path(name), "")).unwrap();
        let error = replay.open().and_then(|()| replay.next(LONG).map(|_| ())).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("\n  fix: "), "{name}: {error}");
    }
}

#[test]
fn a_recording_that_a_full_disk_cut_short_is_played_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording");
    let mut recorder = Recorder::create(&path, Instant::now()).unwrap();
    let size = FrameSize { width: 2, height: 2 };
    for sequence in 10..13 {
        let bytes = vec![sequence as u8; size.bytes()];
        let raw = RawBuffer { format: RawFormat::Rgb8, size, bytes, captured: Instant::now(), sequence };
        recorder.write(&raw).unwrap();
    }
    drop(recorder);
    let stamps = path.join("stamps.jsonl");
    let text = std::fs::read_to_string(&stamps).unwrap();
    std::fs::write(&stamps, format!("{text}{}", &text[..text.len() / 4])).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    std::fs::remove_file(path.join(first["file"].as_str().unwrap())).unwrap();
    let mut replay = source(&config(&path.display().to_string(), "")).unwrap();
    replay.open().unwrap();
    let mut seen = Vec::new();
    loop {
        match replay.next(LONG) {
            Ok(Some(raw)) => seen.push(raw.sequence),
            Ok(None) => {}
            Err(error) => break assert!(matches!(error, CameraError::Ended { .. }), "{error}"),
        }
    }
    // Counted from 0: the first is gone, the second may have been too late, the last is there.
    assert!(!seen.contains(&0) && seen.contains(&2), "{seen:?}");
}

#[test]
fn a_recording_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let error = Recorder::create(folder.path(), Instant::now()).unwrap_err().to_string();
    assert!(error.contains("nothing is written over"), "{error}");
}
