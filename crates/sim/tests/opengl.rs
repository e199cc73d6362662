//! MuJoCo's renderer as the twin's: the same world as ours, seen by another.

use turnkey_core::{Frame, FrameSize, Geometry, Kind, Part, Plant, Pose, SceneEdit, Start, Texture};
use turnkey_sim::{CameraConfig, RendererName, Twin, TwinConfig, TwinError};

const SIZE: FrameSize = FrameSize { width: 64, height: 64 };

fn twin(renderer: RendererName) -> Result<Twin, TwinError> {
    let camera = CameraConfig { size: SIZE, renderer, ..CameraConfig::default() };
    Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() })
}

/// The twin with MuJoCo's renderer, where there is OpenGL.
fn with_opengl() -> Option<Twin> {
    match twin(RendererName::Mujoco) {
        Ok(twin) => Some(twin),
        Err(TwinError::Screen(error)) => {
            println!("not tried, MuJoCo's renderer: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn seen(twin: &mut Twin, edits: &[SceneEdit], valve: f64) -> Frame {
    twin.edit_scene(edits).unwrap();
    let joints = std::array::from_fn(|joint| [0.0, -0.5, 0.9][joint % 3]);
    twin.reset(&Start { joints, valve, seed: 1 }).unwrap().frame.unwrap()
}

/// Mean difference of a pixel's colour, levels of 255.
fn difference(a: &Frame, b: &Frame) -> f64 {
    let differences = a.pixels().iter().zip(b.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    differences.sum::<f64>() / a.pixels().len() as f64
}

fn mean(frame: &Frame, channel: usize) -> f64 {
    let levels = frame.pixels().iter().skip(channel).step_by(3).map(|level| f64::from(*level));
    levels.sum::<f64>() / (frame.pixels().len() / 3) as f64
}

#[test]
fn both_renderers_see_the_same_world() {
    let Some(mut theirs) = with_opengl() else { return };
    let mut ours = twin(RendererName::Cpu).unwrap();
    let drawn = seen(&mut theirs, &[], 0.4);
    let same = difference(&drawn, &seen(&mut ours, &[], 0.4));
    let others = [1.2, -0.4, 0.4 + std::f64::consts::PI].map(|valve| difference(&drawn, &seen(&mut ours, &[], valve)));
    // Each shades in its own way; that the valve is at 0.4 rad both must show.
    assert!(others.iter().all(|other| *other > 1.5 * same), "{same} levels apart; other angles: {others:?}");
    let again = seen(&mut theirs, &[], 0.4);
    assert_eq!(again.pixels(), drawn.pixels(), "one card draws the same bytes");
}

#[test]
fn changes_to_the_scene_are_seen_or_refused() {
    let Some(mut twin) = with_opengl() else { return };
    let plain = seen(&mut twin, &[], 0.0);
    let dark = seen(&mut twin, &[SceneEdit::LightIntensity([0.2; 3])], 0.0);
    assert!((0..3).all(|channel| mean(&dark, channel) < 0.8 * mean(&plain, channel)));
    let green = seen(&mut twin, &[SceneEdit::Surface(Part::Table, Texture::Plain([0.0, 1.0, 0.0]))], 0.0);
    assert!(mean(&green, 0) < mean(&plain, 0) && mean(&green, 1) > mean(&plain, 1));
    let pose = Pose { position: [0.0, 0.0, 0.2], rotation: [0.0, 0.0, 0.0, 1.0] };
    let ball = SceneEdit::Object { geometry: Geometry::Sphere { radius: 0.03 }, pose, color: [1.0, 0.0, 0.0] };
    let hidden = seen(&mut twin, &[ball], 0.0);
    let middle = 3 * (32 * 64 + 32);
    let [red, green, blue] = std::array::from_fn(|channel| hidden.pixels()[middle + channel]);
    assert!(red > 60 && green < red / 2 && blue < red / 2, "a red ball before the valve: {red} {green} {blue}");
    let camera = SceneEdit::Camera { translation: [0.03, 0.0, 0.0], rotation: [0.0; 3], focal_scale: 1.0 };
    assert!(difference(&seen(&mut twin, &[camera], 0.0), &plain) > 3.0);
    let sun = SceneEdit::LightDirection { azimuth: 2.0, elevation: 0.9 };
    assert!(difference(&seen(&mut twin, &[sun], 0.0), &plain) > 0.5);
    assert_eq!(seen(&mut twin, &[], 0.0).pixels(), plain.pixels(), "nothing is left of a change");

    let blotches = Texture::Noise { colors: [[0.0; 3], [1.0; 3]], period: 0.1, seed: 1 };
    let error = twin.edit_scene(&[SceneEdit::Surface(Part::Table, blotches)]).unwrap_err();
    assert!(error.kind() == Kind::Stop && error.to_string().contains("camera.renderer"), "{error}");
}
