//! What a view promises to a run, whatever becomes of file and viewer.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};
use turnkey_core::{Action, ControlRecord, EpisodeRecord, JOINTS, LearningRecord, Reading, Record, Sink, Stamp};
use turnkey_view::{Live, View, ViewConfig, ViewError};

/// Longer than anything here takes, and shorter than a person would call it hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn control(step: u64) -> Record {
    let zero = [0.0; JOINTS];
    Record::Control(Box::new(ControlRecord {
        step,
        reading: Reading {
            stamp: Stamp::default(),
            positions: zero,
            velocities: zero,
            torques: zero,
            valve: None,
            frame: None,
        },
        goal: zero,
        action: Action(vec![0.5; JOINTS]),
        target: 1.0,
        angular_error: 0.5,
        reward: -1.0,
        terms: vec![("distance", -1.0)],
        lateness: None,
        health: None,
        poses: Vec::new(),
    }))
}

fn learning(step: u64) -> Record {
    Record::Learning(LearningRecord { step, figures: vec![("critic_loss", 0.5), ("entropy", f64::NAN)] })
}

fn episode(episode: u64) -> Record {
    Record::Episode(EpisodeRecord {
        step: 40 * episode,
        episode,
        episode_return: 1.0,
        length: 40,
        success: Some(true),
        final_error: None,
    })
}

fn config(folder: &Path) -> ViewConfig {
    ViewConfig { control_every: 1, ..ViewConfig::new("test", folder.join("run.rrd")) }
}

#[test]
fn a_recording_has_content_once_finished_and_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let view = View::start(config(folder.path())).unwrap();
    for number in 1..=20 {
        (0..40).for_each(|step| view.record(control(40 * number + step)));
        view.record(learning(40 * number));
        view.record(episode(number));
    }
    let summary = view.finish(PATIENCE);
    assert!(summary.complete);
    assert_eq!((summary.dropped.recording, summary.dropped.live), (0, 0));
    let bytes = std::fs::read(&summary.path).unwrap();
    assert_eq!(bytes[..4], *b"RRF2");
    assert!(bytes.len() > 10_000, "800 control steps in {} bytes", bytes.len());
}

#[test]
fn an_absent_viewer_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let view = View::start(ViewConfig { live: Some(Live::Connect(nobody)), ..config(folder.path()) }).unwrap();
    for step in 0..1000 {
        view.record(learning(step));
        std::thread::sleep(Duration::from_micros(100));
    }
    let summary = view.finish(PATIENCE);
    assert!(summary.complete);
    assert_eq!(summary.dropped.recording, 0);
}

/// A viewer that takes connections and then says and reads nothing. What rerun has room for is taken;
/// after that, every record is one dropped, and none of it shows in the recording.
#[test]
fn a_frozen_viewer_never_blocks_the_run_or_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let live = Some(Live::Connect(frozen.local_addr().unwrap()));
    let view = View::start(ViewConfig { live, queue: 256, ..config(folder.path()) }).unwrap();
    let begun = Instant::now();
    for step in 0.. {
        view.record(Record::Learning(LearningRecord { step, figures: vec![("figure", 0.5); 1000] }));
        std::thread::sleep(Duration::from_micros(100));
        if view.dropped().live > 100 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "a frozen viewer can't take {step} records");
    }
    let summary = view.finish(PATIENCE);
    assert!(summary.complete, "the file has no part in it");
    assert!(begun.elapsed() < PATIENCE, "{summary:?}");
    drop(frozen);
}

#[test]
fn a_viewer_that_hangs_up_leaves_the_recording_whole() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let live = Some(Live::Connect(listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        for connection in listener.incoming().take(2) {
            // The first bytes of the greeting, and then no more.
            let _ = connection.and_then(|mut connection| connection.read(&mut [0; 8]));
        }
    });
    let view = View::start(ViewConfig { live, ..config(folder.path()) }).unwrap();
    (0..2000).for_each(|step| view.record(learning(step)));
    assert!(view.finish(PATIENCE).complete);
}

#[test]
fn a_folder_that_vanishes_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let view = View::start(config(folder.path())).unwrap();
    view.record(learning(1));
    folder.close().unwrap();
    view.record(learning(2));
    assert!(!view.finish(PATIENCE).path.exists());
}

#[test]
fn a_recording_that_can_t_be_created_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    let refused = View::start(ViewConfig::new("test", folder.path().join("file/run.rrd")));
    let Err(error @ ViewError::Recording { .. }) = refused else { panic!("a file is no folder") };
    assert!(error.to_string().contains("file/run.rrd"), "{error}");
}

#[test]
fn dropping_a_view_finishes_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let view = View::start(config(folder.path())).unwrap();
    let path = view.path().to_owned();
    (0..1000).for_each(|step| view.record(learning(step)));
    drop(view);
    assert!(std::fs::metadata(path).unwrap().len() > 5_000);
}

#[test]
fn control_steps_of_episodes_between_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let view = View::start(ViewConfig { control_every: 3, ..config(folder.path()) }).unwrap();
    let wanted: Vec<bool> = (1..=7)
        .map(|number| {
            let wanted = view.wants_control();
            view.record(episode(number));
            wanted
        })
        .collect();
    assert_eq!(wanted, [true, false, false, true, false, false, true]);
}

#[test]
fn whoever_watches_sees_every_episode() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let live = Some(Live::Connect(listener.local_addr().unwrap()));
    let view = View::start(ViewConfig { control_every: 3, live, ..config(folder.path()) }).unwrap();
    for number in 1..=3 {
        assert!(view.wants_control());
        view.record(episode(number));
    }
    drop(listener);
}
