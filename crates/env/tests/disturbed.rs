//! A world that looks other than it is, and moves as ever.

use std::collections::BTreeMap;
use turnkey_core::{Action, Environment, Frame, FrameSize, JOINTS};
use turnkey_env::{
    ClawEnvironment, DisturbanceConfig, Disturbed, EnvError, FirstOrderPlant, SceneFamily, Sees, TaskConfig, TaskName,
    ValveTask, conformance,
};
use turnkey_picture::{Draw, FramePerturbation};
use turnkey_sim::{CameraConfig, Twin, TwinConfig};

/// Steps of an episode.
const STEPS: usize = 12;

fn task() -> TaskConfig {
    TaskConfig {
        sees: Sees::Pixels,
        observe_error: false,
        observe_velocities: true,
        episode_steps: STEPS,
        ..TaskConfig::published(TaskName::TurnFixed)
    }
}

fn twin() -> Twin {
    let camera = CameraConfig { size: FrameSize { width: 24, height: 20 }, ..CameraConfig::default() };
    Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() }).unwrap()
}

fn all_scenes(draw: Draw) -> DisturbanceConfig {
    DisturbanceConfig { scene: SceneFamily::ALL.map(|family| (family, 0.8)).into(), draw, ..Default::default() }
}

fn all_frames(draw: Draw) -> DisturbanceConfig {
    let frames = FramePerturbation::ALL.iter().map(|family| family.strengths[1]).collect();
    DisturbanceConfig { frames, draw, share: Some(0.7), ..Default::default() }
}

#[test]
fn a_disturbed_plant_and_its_tasks_keep_their_promises() {
    let first_order = || {
        let plant = FirstOrderPlant::new().with_camera(FrameSize { width: 16, height: 12 });
        Disturbed::new(plant, all_frames(Draw::Uniform), STEPS).unwrap()
    };
    conformance::check_plant(first_order);
    conformance::check_claw(&task(), first_order);
    let on_the_twin = || Disturbed::new(twin(), all_scenes(Draw::Uniform), STEPS).unwrap();
    conformance::check_plant(on_the_twin);
    conformance::check_claw(&task(), on_the_twin);
}

/// Pictures and rewards of an episode.
fn episode(disturbance: &DisturbanceConfig) -> (Vec<Frame>, Vec<f64>) {
    let plant = Disturbed::new(twin(), disturbance.clone(), STEPS).unwrap();
    let mut environment = ClawEnvironment::new(plant, ValveTask::new(task()).unwrap()).unwrap();
    let mut pictures = environment.reset(3).unwrap().pictures;
    let mut rewards = Vec::new();
    for step in 0..12 {
        let wave = (step as f32 * 0.9).sin();
        let step = environment.step(&Action(vec![wave; JOINTS])).unwrap();
        pictures.extend(step.observation.pictures);
        rewards.push(step.reward);
    }
    (pictures, rewards)
}

#[test]
fn each_family_changes_what_is_seen_and_nothing_that_happens() {
    let (pictures, rewards) = episode(&DisturbanceConfig::default());
    let scenes = SceneFamily::ALL.map(|family| {
        (family.name(), DisturbanceConfig { scene: BTreeMap::from([(family, 1.0)]), ..Default::default() })
    });
    let frames = FramePerturbation::ALL.iter().map(|family| {
        (family.name.to_owned(), DisturbanceConfig { frames: vec![family.strengths[2]], ..Default::default() })
    });
    for (name, disturbance) in scenes.into_iter().chain(frames) {
        let (seen, earned) = episode(&disturbance);
        assert_eq!(earned, rewards, "{name} changed what happened");
        // A camera that looks straight down sees neither the sky nor what is beside the valve at every moment.
        let hidden = ["background", "moving_background", "object"].contains(&name.as_str());
        assert!(hidden || seen != pictures, "{name} changed nothing that is seen");
    }
}

#[test]
fn a_strength_out_of_range_is_named() {
    let strong = DisturbanceConfig { scene: BTreeMap::from([(SceneFamily::Hand, 1.5)]), ..Default::default() };
    let error = Disturbed::new(FirstOrderPlant::new(), strong, STEPS).unwrap_err();
    assert!(matches!(error, EnvError::Setting { field: "disturbance.scene", .. }), "{error}");
    let frames = vec![FramePerturbation::Jpeg { quality: 0 }];
    let error =
        Disturbed::new(FirstOrderPlant::new(), DisturbanceConfig { frames, ..Default::default() }, STEPS).unwrap_err();
    assert!(error.to_string().contains("quality"), "{error}");
}
