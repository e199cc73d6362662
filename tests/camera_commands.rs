//! `turnkey camera` from outside, on a socket, on recordings, and on no camera at all.

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Said, run};
use turnkey_camera::{RawBuffer, StreamServer};
use turnkey_core::{FrameSize, JOINTS, Plant as _, Start};
use turnkey_picture::RawFormat;
use turnkey_sim::{CameraConfig, Twin, TwinConfig};

const SIZE: FrameSize = FrameSize { width: 64, height: 48 };

/// A folder with a camera's file for pictures of 64x48 in RGB, from `device`.
fn workplace(device: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "# where it hangs\ndevice = {device:?}\nformat = \"rgb24\"\nwidth = 64\nheight = 48\nrate = 20\n\
         max_frame_age_secs = 5.0\noutput = {{ width = 12, height = 12 }}\n\
         crop = {{ left = 8, top = 0, width = 48, height = 48 }}\n"
    );
    fs::write(folder.path().join("camera.toml"), text).unwrap();
    folder
}

/// The twin at rest, as the view in `position` that looks at the valve sees it.
fn twin_picture(position: [f32; 3]) -> Vec<u8> {
    let camera = CameraConfig { size: SIZE, position, ..CameraConfig::default() };
    let mut twin = Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() }).unwrap();
    let start = Start { joints: [0.0; JOINTS], valve: 0.0, seed: 0 };
    twin.reset(&start).unwrap().frame.unwrap().pixels().to_vec()
}

/// Runs a command while `picture` is sent 20 times a second at the socket `twin` in `folder`.
fn run_with_pictures(folder: &Path, picture: &[u8], line: &str) -> Said {
    let ended = AtomicBool::new(false);
    let mut server = StreamServer::bind(folder.join("twin")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for sequence in 0.. {
                let raw = RawBuffer {
                    format: RawFormat::Rgb8,
                    size: SIZE,
                    bytes: picture.to_vec(),
                    captured: Instant::now(),
                    sequence,
                };
                server.send(&raw);
                std::thread::sleep(Duration::from_millis(50));
                if ended.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let said = run(folder, line);
        ended.store(true, Ordering::Relaxed);
        said
    })
}

fn expect_well(said: &Said) {
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
}

fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
    assert_eq!(&bytes[1..4], b"PNG");
    (number(16), number(20))
}

#[test]
fn a_preview_is_what_a_policy_sees_and_the_whole_picture() {
    let folder = workplace("socket:twin");
    let line = "camera preview --config camera.toml --out seen.png --whole whole.png";
    let said = run_with_pictures(folder.path(), &twin_picture([0.0, 0.0, 0.31]), line);
    expect_well(&said);
    assert!(said.out.contains("seen.png: 12x12 as a policy sees it"), "{}", said.out);
    assert_eq!(png_size(&folder.path().join("seen.png")), (12, 12));
    assert_eq!(png_size(&folder.path().join("whole.png")), (64, 48));
}

#[test]
fn the_doctor_finds_nothing_at_a_good_camera_and_names_what_is_wrong_at_others() {
    let folder = workplace("socket:twin");
    let picture = twin_picture([0.0, 0.0, 0.31]);
    let said = run_with_pictures(folder.path(), &picture, "camera doctor --config camera.toml --seconds 1 --json");
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(report["figures"]["frames"].as_u64().unwrap() >= 3, "{report}");
    assert_eq!((&report["figures"]["refused"], &report["camera"]), (&0.into(), &"socket:twin".into()));
    // On a busy machine frames may come late, which the report is then right to say; nothing else may be wrong.
    for finding in report["findings"].as_array().unwrap() {
        assert!(["rate", "time between pictures", "pictures left out"].contains(&finding["what"].as_str().unwrap()));
    }

    let dark =
        run_with_pictures(folder.path(), &vec![1; SIZE.bytes()], "camera doctor --config camera.toml --seconds 1");
    assert!(dark.out.contains("take the lens cap off"), "{}", dark.out);
    let gone = run(folder.path(), "camera doctor --config camera.toml");
    assert_eq!(gone.code, Some(1));
    assert!(
        gone.out.contains("fault: socket:twin: the camera") && gone.out.contains("start that program"),
        "{}",
        gone.out
    );
}

#[test]
fn the_doctor_says_where_it_finds_the_valves_mark_and_in_how_many_frames() {
    let folder = workplace("socket:twin");
    let path = folder.path().join("camera.toml");
    let text = fs::read_to_string(&path).unwrap().replace("width = 12, height = 12", "width = 48, height = 48");
    fs::write(&path, text + "\n[mark]\n").unwrap();
    let examine =
        |picture: &[u8]| run_with_pictures(folder.path(), picture, "camera doctor --config camera.toml --seconds 1");
    let said = examine(&twin_picture([0.0, 0.0, 0.31])).out;
    let line = said.lines().find(|line| line.starts_with("the valve's mark in ")).unwrap_or_else(|| panic!("{said}"));
    let numbers: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [shown, frames, degrees, pixels] = numbers[..] else { panic!("{line}") };
    assert!(shown == frames && frames >= 3.0 && degrees.abs() < 2.0 && pixels > 30.0, "{line}");
    let covered = examine(&vec![90; SIZE.bytes()]).out;
    assert!(covered.contains("the valve's mark: expected it in every frame, got it in 0 of "), "{covered}");
}

#[test]
fn pictures_of_another_size_are_a_setting_to_be_changed() {
    let folder = workplace("socket:twin");
    let path = folder.path().join("camera.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("width = 64", "width = 640")).unwrap();
    let said = run_with_pictures(folder.path(), &vec![90; SIZE.bytes()], "camera doctor --config camera.toml");
    assert!(said.out.contains("expected pictures of 640x48, got 64x48"), "{}", said.out);
}

#[test]
fn what_was_recorded_is_played_back_in_the_cameras_place() {
    let folder = workplace("socket:twin");
    let line = "camera record recording --config camera.toml --seconds 0.5";
    expect_well(&run_with_pictures(folder.path(), &vec![200; SIZE.bytes()], line));
    let stamps = fs::read_to_string(folder.path().join("recording/stamps.jsonl")).unwrap();
    assert!(stamps.lines().count() >= 2 && folder.path().join("recording/000001.png").exists(), "{stamps}");
    let played = run(folder.path(), "camera preview --config camera.toml --device recording --out seen.png");
    expect_well(&played);
    let examined = run(folder.path(), "camera doctor --config camera.toml --device recording --seconds 3");
    assert!(examined.out.contains("recording: rgb24 of 64x48") && examined.out.contains("p99"), "{}", examined.out);
    let again = run_with_pictures(folder.path(), &vec![200; SIZE.bytes()], line);
    assert!(again.code == Some(1) && again.err.contains("nothing is written over"), "{}", again.err);
}

#[test]
fn align_finds_where_the_camera_is_and_saves_it_beside_the_comments() {
    let folder = workplace("socket:twin");
    let position = [0.2, -0.2, 0.36];
    let picture = twin_picture(position);
    let file = folder.path().join("camera.toml");
    let roughly =
        "\n[view] # roughly\nposition = [0.25, -0.1, 0.3]\nlook_at = [0, 0, 0.1]\nvertical_fov_degrees = 58\n";
    fs::write(&file, fs::read_to_string(&file).unwrap() + roughly).unwrap();
    let line =
        "camera align --config camera.toml --azimuth -5 --elevation 3 --shift -0.01,0,0 --fit --save --out align.png";
    let said = run_with_pictures(folder.path(), &picture, line);
    expect_well(&said);
    assert_eq!(png_size(&folder.path().join("align.png")), (3 * 64, 48));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# where it hangs\n"), "{text}");
    let view = turnkey_camera::CameraConfig::load(&file).unwrap().raw().view.unwrap();
    let apart = (0..3).map(|i| (view.position[i] - position[i]).powi(2)).sum::<f32>().sqrt();
    assert!(apart < 0.01, "{apart} m away: {}", said.out);
    // What was saved is where the next look begins.
    let again = run_with_pictures(folder.path(), &picture, "camera align --config camera.toml");
    let likeness: f32 = again.out.strip_prefix("likeness ").unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(likeness > 0.9, "{}", again.out);
}

#[test]
fn no_camera_and_no_file_are_said_with_the_fix() {
    let folder = workplace("/dev/video250");
    for line in ["camera doctor --config camera.toml", "camera preview --config camera.toml --out seen.png"] {
        let said = run(folder.path(), line);
        let text = format!("{}{}", said.out, said.err);
        assert!(said.code == Some(1) && text.contains("/dev/video250") && text.contains("fix:"), "{line}: {text}");
    }
    // Where a camera can't be is said before one is looked for.
    for nudge in ["--azimuth nan", "--distance -0.21", "--shift 0,inf,0"] {
        let said = run(folder.path(), &format!("camera align --config camera.toml {nudge}"));
        assert!(said.code == Some(1) && said.err.contains("view.look_at: expected 1 mm"), "{nudge}: {}", said.err);
    }
    let missing = run(folder.path(), "camera doctor --config none.toml");
    assert!(missing.err.contains("none.toml: the file: expected a camera's description"), "{}", missing.err);
    let piped = run(folder.path(), "camera preview --config camera.toml");
    assert!(piped.err.contains("expected a terminal"), "{}", piped.err);
}

#[test]
fn the_list_is_json_or_says_that_there_is_none_or_that_this_build_knows_none() {
    let folder = tempfile::tempdir().unwrap();
    let (table, json) = (run(folder.path(), "camera list"), run(folder.path(), "camera list --json"));
    if cfg!(feature = "camera") {
        expect_well(&table);
        let cameras: Vec<serde_json::Value> = serde_json::from_str(&json.out).unwrap();
        assert_eq!(table.out.contains("no camera"), cameras.is_empty(), "{}", table.out);
    } else {
        assert!(table.err.contains("built without the feature `camera`") && json.code == Some(1), "{}", table.err);
    }
}
