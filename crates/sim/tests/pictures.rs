//! What is in a picture, by hand: where things land, where shadows fall, what edits change.

use turnkey_core::{
    Camera, Frame, FrameSize, Geometry, JointVector, Kind, Light, Part, Plant, Pose, Reading, Rng, Scene, SceneEdit,
    Shape, Snapshot, Stamp, Start, Texture,
};
use turnkey_picture::{Crop, Pipeline, PipelineConfig, RawFormat, RawFrame};
use turnkey_sim::{Actuation, CameraConfig, Renderer, Twin, TwinConfig};

const SIZE: FrameSize = FrameSize { width: 64, height: 64 };
const UPRIGHT: [f32; 4] = [0.0, 0.0, 0.0, 1.0];

fn shape(part: Part, geometry: Geometry, color: [f32; 3]) -> Shape {
    let [r, g, b] = color;
    Shape { name: String::new(), part, geometry, color: [r, g, b, 1.0], texture: None }
}

/// A white table and a red ball.
fn table_and_ball(radius: f32) -> Scene {
    let table = shape(Part::Table, Geometry::Box { half_sizes: [2.0, 2.0, 0.005] }, [1.0; 3]);
    let ball = shape(Part::Other, Geometry::Sphere { radius }, [1.0, 0.0, 0.0]);
    let sun = Light { direction: [0.6, 0.0, -0.8], color: [0.5; 3], casts_shadow: true };
    Scene { shapes: vec![table, ball], lights: vec![sun], ambient: [0.4; 3], background: None }
}

fn at(position: [f32; 3]) -> Pose {
    Pose { position, rotation: UPRIGHT }
}

/// From a metre above the table, straight down: 32 pixels to a metre at a metre's distance.
fn from_above() -> Camera {
    Camera::looking_at([0.0, 0.0, 1.0], [0.0; 3], std::f32::consts::FRAC_PI_2)
}

fn pixel(frame: &Frame, column: usize, row: usize) -> [u8; 3] {
    let start = 3 * (row * frame.size().width + column);
    std::array::from_fn(|channel| frame.pixels()[start + channel])
}

fn is_red(pixel: &[u8]) -> bool {
    u32::from(pixel[0]) > 2 * u32::from(pixel[1])
}

/// The middle of what is red, in pixels from the left and the top edge.
fn middle_of_red(frame: &Frame) -> [f32; 2] {
    let (mut sum, mut count) = ([0.0; 2], 0.0);
    for (index, pixel) in frame.pixels().chunks(3).enumerate().filter(|(_, pixel)| is_red(pixel)) {
        let weight = f32::from(pixel[0] - pixel[1]);
        let (column, row) = (index % frame.size().width, index / frame.size().width);
        sum = [sum[0] + weight * (column as f32 + 0.5), sum[1] + weight * (row as f32 + 0.5)];
        count += weight;
    }
    assert!(count > 0.0, "nothing is red");
    sum.map(|sum| sum / count)
}

#[test]
fn a_ball_lands_on_the_pixel_that_the_pinhole_says() {
    let scene = table_and_ball(0.04);
    for supersampling in [false, true] {
        let mut renderer = Renderer::new(&scene, from_above(), SIZE, supersampling);
        // Straight down, +x is to the right and +y up: 32 + 32 * 0.5 / 0.95 and 32 - 32 * 0.25 / 0.95.
        let frame = renderer.render(&[at([0.0; 3]), at([0.5, 0.25, 0.05])], Stamp::default());
        let [column, row] = middle_of_red(&frame);
        assert!((column - 48.84).abs() < 0.35 && (row - 23.58).abs() < 0.35, "{column} {row}");
    }
}

#[test]
fn a_ball_behind_the_camera_or_beside_the_picture_is_not_seen() {
    let mut renderer = Renderer::new(&table_and_ball(0.04), from_above(), SIZE, true);
    for place in [[0.0, 0.0, 1.5], [0.0, 0.0, 0.97], [1.2, 0.0, 0.0], [0.0, -1.2, 0.0]] {
        let frame = renderer.render(&[at([0.0, 0.0, -0.1]), at(place)], Stamp::default());
        let red = frame.pixels().chunks(3).filter(|pixel| is_red(pixel)).count();
        // At 0.97 m the camera is inside the ball, whose surfaces all look away from it.
        assert_eq!(red, 0, "{place:?}");
    }
}

#[test]
fn a_shadow_falls_where_the_light_is_kept_off_and_nowhere_else() {
    let mut renderer = Renderer::new(&table_and_ball(0.03), from_above(), FrameSize { width: 256, height: 256 }, true);
    let frame = renderer.render(&[at([0.0, 0.0, -0.005]), at([-0.1, 0.05, 0.16])], Stamp::default());
    // The light goes 0.6 aside for 0.8 down: 0.12 m from 0.16 m. 128 pixels to a metre, and the ball's shadow
    // is a disc of 0.03 m that is stretched along x by 1 / 0.8.
    let (column, row) = (128.0 + 128.0 * 0.02, 128.0 - 128.0 * 0.05);
    let bright = (0.4 + 0.5 * 0.8) * 255.0;
    let grey = frame.pixels().chunks(3).enumerate().filter(|(_, pixel)| pixel[0] == pixel[1]);
    for (index, pixel) in grey {
        let across = ((index % 256) as f32 + 0.5 - column) / (128.0 * 0.03 / 0.8);
        let down = ((index / 256) as f32 + 0.5 - row) / (128.0 * 0.03);
        let (distance, value) = ((across * across + down * down).sqrt(), f32::from(pixel[1]));
        assert!(distance > 0.7 || (value - 102.0).abs() < 2.0, "lit at {across} {down}: {value}");
        assert!(distance < 1.5 || (value - bright).abs() < 2.0, "dark at {across} {down}: {value}");
    }
}

#[test]
fn a_thin_plate_in_the_light_is_not_in_its_own_shadow() {
    let mut scene = table_and_ball(0.03);
    scene.shapes[1] = shape(Part::Other, Geometry::Box { half_sizes: [0.1, 0.1, 0.002] }, [1.0; 3]);
    let mut renderer = Renderer::new(&scene, from_above(), SIZE, true);
    let frame = renderer.render(&[at([0.0, 0.0, -0.1]), at([0.0, 0.0, 0.1])], Stamp::default());
    for row in 29..35 {
        assert!((29..35).all(|column| pixel(&frame, column, row) == [204; 3]), "row {row}");
    }
}

#[test]
fn the_side_towards_the_light_is_the_brighter_one() {
    let mut renderer = Renderer::new(&table_and_ball(0.3), from_above(), SIZE, true);
    let frame = renderer.render(&[at([0.0, 0.0, -0.4]), at([0.0; 3])], Stamp::default());
    let (towards, away) = (pixel(&frame, 25, 32)[0], pixel(&frame, 40, 32)[0]);
    assert!(towards > away + 40, "{towards} {away}");
}

#[test]
fn what_is_translucent_is_left_out_with_its_shadow() {
    let mut scene = table_and_ball(0.03);
    scene.shapes[1].color[3] = 0.5;
    let poses = [at([0.0; 3]), at([0.0, 0.0, 0.2])];
    let frame = Renderer::new(&scene, from_above(), SIZE, true).render(&poses, Stamp::default());
    assert!(frame.pixels().iter().all(|byte| *byte == frame.pixels()[0]));
}

fn twin(camera: Option<CameraConfig>) -> Twin {
    Twin::new(TwinConfig { camera, ..TwinConfig::default() }).unwrap()
}

fn start() -> Start {
    Start { joints: std::array::from_fn(|joint| [0.0, -0.5, 0.9][joint % 3]), valve: 0.4, seed: 3 }
}

fn step(twin: &mut Twin, rng: &mut Rng, from: &JointVector) -> Reading {
    let limits = twin.limits();
    let target = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
    let goal = limits.clip(&target, from);
    twin.step(&goal).unwrap()
}

#[test]
fn every_reading_has_a_picture_of_its_own_moment_and_the_physics_does_not_notice() {
    for actuation in [Actuation::Position, Actuation::Servo] {
        let config = TwinConfig { actuation, ..TwinConfig::default() };
        let mut blind = Twin::new(config.clone()).unwrap();
        let mut seeing = Twin::new(TwinConfig { camera: Some(CameraConfig::default()), ..config }).unwrap();
        let (mut rng, mut same_rng) = (Rng::new(1, "test"), Rng::new(1, "test"));
        let (mut plain, mut seen) = (blind.reset(&start()).unwrap(), seeing.reset(&start()).unwrap());
        for _ in 0..30 {
            let frame = seen.frame.take().expect("a twin with a camera takes pictures");
            assert_eq!((frame.stamp(), frame.size()), (seen.stamp, CameraConfig::default().size));
            assert_eq!(plain, seen);
            plain = step(&mut blind, &mut rng, &plain.positions);
            seen = step(&mut seeing, &mut same_rng, &seen.positions);
        }
    }
}

#[test]
fn a_twins_pictures_take_the_way_of_a_real_cameras() {
    let output = FrameSize { width: 30, height: 20 };
    let pipeline = PipelineConfig { crop: Some(Crop { left: 8, top: 4, width: 45, height: 32 }), output };
    let large = CameraConfig { size: SIZE, ..CameraConfig::default() };
    let mut whole = twin(Some(large.clone()));
    let mut cut = twin(Some(CameraConfig { pipeline: Some(pipeline), ..large }));
    let (drawn, seen) = (whole.reset(&start()).unwrap().frame.unwrap(), cut.reset(&start()).unwrap().frame.unwrap());
    let raw = RawFrame { format: RawFormat::Rgb8, size: SIZE, bytes: drawn.pixels(), stamp: drawn.stamp() };
    assert_eq!(seen, Pipeline::new(pipeline).unwrap().process(&raw).unwrap());
    assert_eq!((cut.frame_size(), whole.frame_size()), (Some(output), Some(SIZE)));
    let state = cut.save();
    cut.restore(&state).unwrap();
}

#[test]
fn a_picture_shows_the_angles_of_its_reading_and_not_those_of_the_physics_step_before() {
    let mut moving = twin(Some(CameraConfig::default()));
    let mut reading = moving.reset(&start()).unwrap();
    let mut rng = Rng::new(1, "test");
    for _ in 0..5 {
        reading = step(&mut moving, &mut rng, &reading.positions);
        let start = Start { joints: reading.positions, valve: reading.valve.unwrap().angle, seed: 0 };
        let placed = twin(Some(CameraConfig::default())).reset(&start).unwrap();
        assert_eq!(placed.frame.unwrap().pixels(), reading.frame.as_ref().unwrap().pixels());
    }
}

#[test]
fn a_restored_twin_takes_the_same_pictures_to_the_byte() {
    let mut twin = twin(Some(CameraConfig::default()));
    let mut reading = twin.reset(&start()).unwrap();
    let mut rng = Rng::new(2, "test");
    for _ in 0..10 {
        reading = step(&mut twin, &mut rng, &reading.positions);
    }
    let (state, positions) = (twin.save(), reading.positions);
    let mut fresh = self::twin(Some(CameraConfig::default()));
    fresh.restore(&state).unwrap();
    let run = |twin: &mut Twin| {
        let (mut rng, mut positions) = (Rng::new(3, "test"), positions);
        let readings = (0..20).map(|_| {
            let reading = step(twin, &mut rng, &positions);
            positions = reading.positions;
            reading
        });
        readings.collect::<Vec<_>>()
    };
    let went_on = run(&mut twin);
    assert!(went_on[0].frame != went_on[19].frame);
    assert_eq!(went_on, run(&mut fresh));
    twin.restore(&state).unwrap();
    assert_eq!(went_on, run(&mut twin));
}

/// The picture under some edits, and how many pixels differ from the one without.
fn edited(edits: &[SceneEdit]) -> (Frame, Frame, Vec<usize>) {
    let mut twin = twin(Some(CameraConfig::default()));
    let plain = twin.reset(&start()).unwrap().frame.unwrap();
    twin.edit_scene(edits).unwrap();
    let frame = twin.reset(&start()).unwrap().frame.unwrap();
    twin.edit_scene(&[]).unwrap();
    let again = twin.reset(&start()).unwrap().frame.unwrap();
    assert_eq!(plain.pixels(), again.pixels(), "taking edits back didn't: {edits:?}");
    let pairs = plain.pixels().chunks(3).zip(frame.pixels().chunks(3)).enumerate();
    let differ = pairs.filter(|(_, (one, other))| one != other).map(|(index, _)| index).collect();
    (plain, frame, differ)
}

/// What the default camera sees of the start, sample by sample.
fn parts() -> Vec<Part> {
    let mut twin = twin(None);
    twin.reset(&start()).unwrap();
    let CameraConfig { size, supersampling, .. } = CameraConfig::default();
    let camera = CameraConfig::default().camera();
    let mut renderer = Renderer::new(twin.scene().unwrap(), camera, size, supersampling);
    renderer.render(&twin.poses(), Stamp::default());
    renderer.parts()
}

#[test]
fn another_surface_changes_the_pixels_of_its_part_and_no_others() {
    let parts = parts();
    for part in [Part::Valve, Part::Mark, Part::Claw, Part::Table] {
        let noise = Texture::Noise { colors: [[0.0, 0.3, 0.0], [0.1, 0.9, 0.1]], period: 0.02, seed: 7 };
        let (_, _, differ) = edited(&[SceneEdit::Surface(part, noise)]);
        let has = |pixel: &usize| {
            let (column, row) = (2 * (pixel % 48), 2 * (pixel / 48));
            [0, 1, 96, 97].iter().any(|sample| parts[row * 96 + column + sample] == part)
        };
        assert!(differ.iter().all(has), "{part:?}");
        let all = (0..48 * 48).filter(has).count();
        assert!(differ.len() * 10 > all * 9, "{part:?}: {} of {all}", differ.len());
    }
}

#[test]
fn lights_objects_and_the_camera_change_the_picture() {
    let object = |position| SceneEdit::Object {
        geometry: Geometry::Sphere { radius: 0.012 },
        pose: at(position),
        color: [1.0, 0.0, 0.0],
    };
    let (_, frame, differ) = edited(&[object([0.0, 0.0, 0.15])]);
    let [column, row] = middle_of_red(&frame);
    assert!((column - 24.0).abs() < 1.0 && (row - 24.0).abs() < 1.0, "{column} {row}");
    assert!((10..300).contains(&differ.len()), "{}", differ.len());

    let (plain, frame, _) = edited(&[SceneEdit::LightIntensity([0.5, 0.5, 0.5])]);
    assert!(plain.pixels().iter().zip(frame.pixels()).all(|(before, after)| after <= before));
    let mean = |frame: &Frame| frame.pixels().iter().map(|byte| f64::from(*byte)).sum::<f64>();
    assert!(mean(&frame) < 0.9 * mean(&plain));

    let (_, _, differ) = edited(&[SceneEdit::LightDirection { azimuth: 1.0, elevation: 0.9 }]);
    assert!(differ.len() > 500, "{}", differ.len());

    // Two centimetres to the right: what is 0.16 m away moves to the left by 43.3 * 0.02 / 0.16 pixels.
    let moved = SceneEdit::Camera { translation: [0.02, 0.0, 0.0], rotation: [0.0; 3], focal_scale: 1.0 };
    let [column, row] = middle_of_red(&edited(&[object([0.0, 0.0, 0.15]), moved]).1);
    assert!((column - (24.0 - 5.41)).abs() < 0.7 && (row - 24.0).abs() < 0.7, "{column} {row}");

    // Turned to the left by 0.1 rad, the middle is to the right: by 43.3 * tan 0.1.
    let turned = SceneEdit::Camera { translation: [0.0; 3], rotation: [0.0, 0.1, 0.0], focal_scale: 1.0 };
    let [column, row] = middle_of_red(&edited(&[object([0.0, 0.0, 0.15]), turned]).1);
    assert!((column - (24.0 + 4.34)).abs() < 0.7 && (row - 24.0).abs() < 0.7, "{column} {row}");

    let nearer = SceneEdit::Camera { translation: [0.0; 3], rotation: [0.0; 3], focal_scale: 2.0 };
    let [column, _] = middle_of_red(&edited(&[object([0.02, 0.0, 0.15]), nearer]).1);
    assert!((column - (24.0 + 2.0 * 5.41)).abs() < 0.9, "{column}");
}

#[test]
fn edits_that_cannot_be_are_refused_and_change_nothing() {
    let mut twin = twin(Some(CameraConfig::default()));
    let plain = twin.reset(&start()).unwrap().frame.unwrap();
    let dark = SceneEdit::LightIntensity([0.1; 3]);
    for bad in [
        SceneEdit::LightDirection { azimuth: f32::NAN, elevation: 0.0 },
        SceneEdit::LightIntensity([1.0, f32::INFINITY, 1.0]),
        SceneEdit::Surface(Part::Table, Texture::Checker { colors: [[0.0; 3]; 2], period: 0.0 }),
        SceneEdit::Object { geometry: Geometry::Sphere { radius: -1.0 }, pose: at([0.0; 3]), color: [0.0; 3] },
        SceneEdit::Camera { translation: [0.0; 3], rotation: [0.0; 3], focal_scale: 0.0 },
    ] {
        let error = twin.edit_scene(&[dark.clone(), bad]).unwrap_err();
        assert_eq!(error.kind(), Kind::Stop);
        assert!(error.to_string().contains("expected a number"), "{error}");
        assert_eq!(twin.reset(&start()).unwrap().frame.unwrap().pixels(), plain.pixels());
    }
    let mut blind = self::twin(None);
    blind.edit_scene(&[]).unwrap();
    assert!(blind.edit_scene(&[dark]).unwrap_err().to_string().contains("[twin.camera]"));
}
