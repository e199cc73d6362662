//! From buffers to the slot, whatever the source does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use turnkey_camera::{CameraConfig, CameraError, RawBuffer, Running, Source};
use turnkey_core::{Frame, FrameSize, Rng, Stamp};
use turnkey_picture::{RawFormat, jpeg_from_frame};

const SIZE: FrameSize = FrameSize { width: 32, height: 24 };
const LONG: Duration = Duration::from_secs(60);

/// What a source does at one call of `next`, or of `open`.
enum Act {
    Give(RawFormat, FrameSize, Vec<u8>),
    Silence,
    Unplug,
    /// `open` fails; every other act is for `next`.
    Absent,
}

/// A source that does what it is told, and nothing once it was told everything.
#[derive(Clone, Default)]
struct Told {
    acts: Arc<Mutex<VecDeque<Act>>>,
    opened: Arc<Mutex<u64>>,
    sequence: u64,
}

impl Told {
    fn tell(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }
}

impl Source for Told {
    fn open(&mut self) -> Result<(), CameraError> {
        let mut acts = self.acts.lock().unwrap();
        if matches!(acts.front(), Some(Act::Absent)) {
            acts.pop_front();
            return Err(CameraError::Lost { camera: "told".into(), found: "not there".into() });
        }
        *self.opened.lock().unwrap() += 1;
        Ok(())
    }

    fn next(&mut self, _patience: Duration) -> Result<Option<RawBuffer>, CameraError> {
        let act = self.acts.lock().unwrap().pop_front();
        match act {
            Some(Act::Give(format, size, bytes)) => {
                self.sequence += 1;
                Ok(Some(RawBuffer { format, size, bytes, captured: Instant::now(), sequence: self.sequence }))
            }
            Some(Act::Unplug) => Err(CameraError::Lost { camera: "told".into(), found: "unplugged".into() }),
            Some(Act::Silence | Act::Absent) | None => {
                std::thread::sleep(Duration::from_millis(1));
                Ok(None)
            }
        }
    }

    fn close(&mut self) {}
}

fn config() -> CameraConfig {
    let text = "device = \"told\"\nformat = \"rgb24\"\nwidth = 32\nheight = 24\nrate = 30\nmax_frame_age_secs = 0.15\n\
                output = { width = 8, height = 6 }\nwatchdog = { stall_secs = 0.05, first_wait_secs = 0.001, \
                longest_wait_secs = 0.01 }\n";
    CameraConfig::parse(text, "told.toml").unwrap()
}

fn start(source: &Told) -> Running {
    Running::with_source(&config(), Box::new(source.clone()), Instant::now()).unwrap()
}

fn grey(level: u8) -> Act {
    Act::Give(RawFormat::Rgb8, SIZE, vec![level; SIZE.bytes()])
}

fn picture() -> Frame {
    let pixels: Vec<u8> = (0..SIZE.bytes()).map(|i| (i as u8).wrapping_mul(7)).collect();
    Frame::new(Stamp::default(), SIZE, pixels).unwrap()
}

/// Waits until `held`, which is to come; fails the test if it doesn't.
fn until(what: &str, held: impl Fn() -> bool) {
    let start = Instant::now();
    while !held() {
        assert!(start.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn every_format_becomes_the_same_frame() {
    let yuyv = [126, 128, 126, 128].repeat(SIZE.width * SIZE.height / 2);
    let grey_jpeg = jpeg_from_frame(&Frame::new(Stamp::default(), SIZE, vec![128; SIZE.bytes()]).unwrap(), 100);
    for (format, bytes) in
        [(RawFormat::Rgb8, vec![128; SIZE.bytes()]), (RawFormat::Yuyv, yuyv), (RawFormat::Jpeg, grey_jpeg.unwrap())]
    {
        let source = Told::default();
        let running = start(&source);
        let asked = Instant::now();
        source.tell([Act::Give(format, SIZE, bytes)]);
        let captured = running.slot().wait(asked, LONG).unwrap();
        assert_eq!(captured.frame.size(), FrameSize { width: 8, height: 6 });
        assert!(captured.frame.pixels().iter().all(|level| level.abs_diff(128) <= 1), "{format}");
        assert!(captured.captured >= asked && captured.arrived >= captured.captured && captured.sequence == 1);
    }
}

#[test]
fn who_waits_for_a_newer_frame_gets_the_one_that_comes() {
    let source = Told::default();
    source.tell([grey(1)]);
    let running = start(&source);
    until("the first is there", || running.slot().counts().frames == 1);
    let asked = Instant::now();
    let slot = Arc::clone(running.slot());
    let waiting = std::thread::spawn(move || slot.wait(asked, LONG).unwrap());
    source.tell([grey(2)]);
    let captured = waiting.join().unwrap();
    assert_eq!((captured.sequence, captured.frame.pixels()[0]), (2, 2));
    assert!(captured.captured >= asked);
}

#[test]
fn damaged_cut_short_and_wrongly_sized_pictures_are_counted_and_passed_over() {
    let jpeg = jpeg_from_frame(&picture(), 90).unwrap();
    let mut corrupt = jpeg.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 40].fill(0xff);
    let other = FrameSize { width: 24, height: 32 };
    let source = Told::default();
    source.tell([
        Act::Give(RawFormat::Rgb8, SIZE, vec![0; SIZE.bytes() - 1]),
        Act::Give(RawFormat::Rgb8, other, vec![0; other.bytes()]),
        Act::Give(RawFormat::Jpeg, SIZE, jpeg[..jpeg.len() - 30].to_vec()),
        Act::Give(RawFormat::Jpeg, other, jpeg),
        Act::Give(RawFormat::Jpeg, SIZE, corrupt),
        Act::Give(RawFormat::Yuyv, SIZE, Vec::new()),
        grey(9),
    ]);
    let asked = Instant::now();
    let running = start(&source);
    let captured = running.slot().wait(asked, LONG).unwrap();
    assert_eq!(captured.frame.pixels()[0], 9);
    let counts = running.slot().counts();
    assert_eq!((counts.refused, counts.frames, counts.losses), (6, 1, 0));
}

#[test]
fn a_source_that_falls_silent_is_opened_again_and_the_error_says_so_meanwhile() {
    let source = Told::default();
    let running = start(&source);
    source.tell([grey(1), Act::Silence]);
    running.slot().wait(Instant::now() - LONG, LONG).unwrap();
    until("it stalls and is opened again", || running.slot().counts().reopened >= 2);
    let trouble = running.slot().trouble().unwrap();
    assert_eq!(
        trouble.matches("no good one for").count(),
        1,
        "the same each time, not the last time's in it: {trouble}"
    );
    let error = running.slot().wait(Instant::now(), Duration::from_millis(1)).unwrap_err().to_string();
    assert!(error.contains("told: expected a frame") && error.contains("no good one for"), "{error}");
    let asked = Instant::now();
    source.tell([grey(2)]);
    assert_eq!(running.slot().wait(asked, LONG).unwrap().frame.pixels()[0], 2);
    assert!(running.slot().counts().stalls >= 1);
}

#[test]
fn a_source_that_sends_nothing_but_damage_is_opened_again_too() {
    let source = Told::default();
    let running = start(&source);
    source.tell((0..1000).flat_map(|_| [Act::Give(RawFormat::Jpeg, SIZE, vec![0xff; 99]), Act::Silence]));
    until("it is given up", || running.slot().counts().stalls >= 1);
    assert!(running.slot().counts().refused > 0);
}

#[test]
fn unplugging_is_survived_however_long_it_takes_until_it_is_plugged_in_again() {
    let source = Told::default();
    source.tell([grey(1), Act::Unplug, Act::Absent, Act::Absent, Act::Absent, grey(2)]);
    let running = start(&source);
    until("both frames came", || running.slot().counts().frames == 2);
    let counts = running.slot().counts();
    assert_eq!((counts.losses, counts.reopened, counts.stalls), (4, 1, 0));
    assert_eq!(*source.opened.lock().unwrap(), 2);
    assert_eq!(running.slot().newest().unwrap().frame.pixels()[0], 2);
}

#[test]
fn frames_that_the_source_numbered_and_nobody_got_are_counted() {
    struct Gaps(VecDeque<u64>);
    impl Source for Gaps {
        fn open(&mut self) -> Result<(), CameraError> {
            Ok(())
        }
        fn next(&mut self, _patience: Duration) -> Result<Option<RawBuffer>, CameraError> {
            let Some(sequence) = self.0.pop_front() else {
                return Err(CameraError::Ended { camera: "gaps".into(), frames: 4 });
            };
            let bytes = vec![0; SIZE.bytes()];
            Ok(Some(RawBuffer { format: RawFormat::Rgb8, size: SIZE, bytes, captured: Instant::now(), sequence }))
        }
        fn close(&mut self) {}
    }
    let gaps = Box::new(Gaps([7, 8, 11, 12].into()));
    let running = Running::with_source(&config(), gaps, Instant::now()).unwrap();
    until("it is over", || !running.is_running());
    let counts = running.slot().counts();
    assert_eq!((counts.frames, counts.missed), (4, 2));
    let error = running.slot().wait(Instant::now(), LONG).unwrap_err();
    assert!(error.to_string().contains("told: expected a frame"), "nobody waits for what is over: {error}");
}

#[test]
fn dropping_it_ends_its_thread_at_once_whatever_the_source_does() {
    let source = Told::default();
    source.tell((0..1000).map(|_| Act::Absent));
    let running = start(&source);
    until("it tries", || running.slot().counts().losses >= 2);
    drop(running);
    let left = source.acts.lock().unwrap().len();
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(source.acts.lock().unwrap().len(), left, "nobody tries any more");
}

/// Random bytes and damaged JPEG, and a whole picture behind them.
#[test]
fn a_hundred_thousand_malformed_frames_are_refused_and_the_next_good_one_is_taken() {
    let count = 100_000;
    let mut rng = Rng::new(5, "malformed frames");
    let jpeg = jpeg_from_frame(&picture(), 80).unwrap();
    let sizes = [SIZE, FrameSize { width: 0, height: 0 }, FrameSize { width: usize::MAX, height: 3 }];
    let formats = [RawFormat::Rgb8, RawFormat::Yuyv, RawFormat::Jpeg, RawFormat::Png, RawFormat::Gray8];
    let source = Told::default();
    source.tell((0..count).map(|i| {
        if i % 2 == 0 {
            let bytes = (0..rng.below(600)).map(|_| rng.bits() as u8).collect();
            return Act::Give(formats[rng.below(5)], sizes[rng.below(3)], bytes);
        }
        let mut bytes = jpeg.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len());
            bytes[at] = rng.bits() as u8;
        }
        bytes.truncate(1 + rng.below(2 * bytes.len()));
        Act::Give(RawFormat::Jpeg, SIZE, bytes)
    }));
    source.tell([grey(77)]);
    // A source of nothing but damage would be opened again: that is another test's.
    let patient = CameraConfig::parse(&config().raw().to_toml().replace("0.05", "600.0"), "patient.toml").unwrap();
    let running = Running::with_source(&patient, Box::new(source.clone()), Instant::now()).unwrap();
    until("all of them are gone through", || {
        let counts = running.slot().counts();
        counts.frames + counts.refused == count as u64 + 1
    });
    let counts = running.slot().counts();
    assert!(running.is_running() && counts.refused > count as u64 / 2 && counts.losses == 0, "{counts:?}");
    assert!(running.slot().newest().unwrap().frame.pixels().iter().all(|level| *level == 77));
}
