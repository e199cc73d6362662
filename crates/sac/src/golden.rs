//! The learner against an independent implementation in PyTorch: the same weights, batches and noise give
//! the same weights after 1, 2 and 10 updates (`tests/golden/sac_reference.py` made the values, in f64).

use crate::eyes::Eyes;
use crate::{DeviceName, EncoderConfig, MlpShape, Sac, SacConfig};
use serde_json::Value;
use turnkey_core::{Batch, FrameSize, PictureBatch, PictureShape, Rng};
use turnkey_encoder::{Convolution, EncoderShape};

const REFERENCE: &str = include_str!("../../../tests/golden/sac_reference.json");

const PIXELS: &str = include_str!("../../../tests/golden/pixels_reference.json");

fn numbers(tensor: &Value) -> Vec<f32> {
    tensor["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

/// The networks of these names, as the flat vector that `shape` describes.
fn flat(networks: &Value, names: &[&str], shape: &MlpShape) -> Vec<f32> {
    let layers = shape.layers().len();
    let mut all = Vec::new();
    for name in names {
        for layer in 0..layers {
            let prefix = if layer + 1 == layers { "output".into() } else { format!("hidden{}", layer + 1) };
            for part in ["weight", "bias", "norm.scale", "norm.shift"] {
                let tensor = &networks[name][format!("{prefix}.{part}")];
                if !tensor.is_null() {
                    all.extend(numbers(tensor));
                }
            }
        }
    }
    assert_eq!(all.len(), shape.parameters());
    all
}

fn batch(update: &Value, size: usize) -> Batch {
    Batch {
        size,
        observations: numbers(&update["observations"]),
        actions: numbers(&update["actions"]),
        rewards: numbers(&update["rewards"]),
        next_observations: numbers(&update["next_observations"]),
        continues: numbers(&update["continues"]),
        pictures: None,
    }
}

/// Largest difference of two vectors over the largest number in the second.
fn relative(ours: &[f32], theirs: &[f32]) -> f32 {
    let scale = theirs.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    ours.iter().zip(theirs).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs())) / scale
}

#[test]
fn ten_updates_agree_with_pytorch() {
    agree_on(DeviceName::Flex);
}

#[test]
#[cfg(feature = "tch")]
fn ten_updates_on_libtorch_agree_with_pytorch() {
    agree_on(DeviceName::Tch);
}

#[test]
#[cfg(feature = "tch")]
#[ignore = "needs an NVIDIA GPU, and a libtorch that knows CUDA"]
fn updates_on_libtorchs_gpu_agree_with_pytorch() {
    agree_on(DeviceName::TchCuda);
    agree_on_pixels(DeviceName::TchCuda);
}

#[test]
#[cfg(feature = "cuda")]
#[ignore = "needs an NVIDIA GPU"]
fn ten_updates_on_a_gpu_agree_with_pytorch() {
    agree_on(DeviceName::Cuda);
}

/// An encoder's parameters as the flat vector that ours has.
fn flat_encoder(networks: &Value, name: &str) -> Vec<f32> {
    let parts = ["conv.weight", "conv.bias", "linear.weight", "linear.bias", "norm.scale", "norm.shift"];
    parts.iter().flat_map(|part| numbers(&networks[name][part])).collect()
}

#[test]
fn updates_from_pictures_agree_with_pytorch_with_shared_and_separate_encoders() {
    agree_on_pixels(DeviceName::Flex);
}

#[test]
#[cfg(feature = "tch")]
fn updates_from_pictures_on_libtorch_agree_with_pytorch() {
    agree_on_pixels(DeviceName::Tch);
}

fn agree_on_pixels(device: DeviceName) {
    let reference: Value = serde_json::from_str(PIXELS).unwrap();
    let both = &reference["settings_of_both"];
    let size = |key: &str| both[key].as_u64().unwrap() as usize;
    let pictures = PictureShape { size: FrameSize { width: size("side"), height: size("side") }, stack: 1 };
    let convolutions = vec![Convolution::new(size("filters"), size("kernel"), size("stride"))];
    let layers = turnkey_encoder::EncoderConfig { convolutions, features: Some(size("features")) };
    let shape = EncoderShape::new(pictures.size, 3, layers).unwrap();
    for (name, variant) in reference["variants"].as_object().unwrap() {
        let number = |key: &str| variant["settings"][key].as_f64().unwrap();
        let separate = variant["settings"]["separate"].as_bool().unwrap();
        let config = SacConfig {
            device,
            batch_size: size("batch"),
            discount: number("discount"),
            tau: number("tau"),
            learning_rate: number("learning_rate"),
            temperature_learning_rate: number("learning_rate"),
            actor_hidden: vec![16, 16],
            critic_hidden: vec![16, 16],
            critic_layer_norm: variant["settings"]["layer_norm"].as_bool().unwrap(),
            target_entropy_per_action: number("target_entropy") / size("action") as f64,
            encoder: EncoderConfig { separate, ..EncoderConfig::default() },
            ..SacConfig::default()
        };
        // A learner on features and numbers, which is then given the reference's encoder to make them.
        let mut sac = Sac::new(&config, size("features") + size("observation"), size("action"), 0).unwrap();
        sac.observation = size("observation");
        let mut eyes = Eyes::of(&config, pictures, shape.clone(), &mut Rng::new(0, "test"), &sac.device);
        let networks = &variant["initial"]["networks"];
        eyes.critics.set_parameters(flat_encoder(networks, "encoder"));
        eyes.target.set_parameters(flat_encoder(networks, "target_encoder"));
        if let Some((encoder, _)) = &mut eyes.actor {
            encoder.set_parameters(flat_encoder(networks, "actor_encoder"));
        }
        sac.eyes = Some(eyes);
        let (actor, critic) = (sac.actor.shape().clone(), sac.critics.shape().clone());
        sac.log_temperature = variant["initial"]["log_alpha"].as_f64().unwrap();
        sac.actor.set_parameters(flat(networks, &["actor"], &actor));
        sac.critics.set_parameters(flat(networks, &["critic1", "critic2"], &critic));
        sac.target_critics.set_parameters(flat(networks, &["target1", "target2"], &critic));
        for (i, update) in variant["updates"].as_array().unwrap().iter().enumerate() {
            let bytes = |key: &str| numbers(&update[key]).into_iter().map(|x| x as u8).collect::<Vec<u8>>();
            let (observations, next_observations) = (bytes("pictures"), bytes("next_pictures"));
            let seen = PictureBatch { shape: pictures, observations, next_observations };
            let batch = Batch { pictures: Some(seen), ..batch(update, size("batch")) };
            let metrics = sac.update_with(&batch, numbers(&update["next_noise"]), numbers(&update["noise"]));
            let after = &variant["after"][(i + 1).to_string()];
            if after.is_null() {
                continue;
            }
            let (networks, eyes) = (&after["networks"], sac.eyes.as_ref().unwrap());
            let own = eyes.actor.as_ref().map(|(encoder, _)| encoder.parameters());
            for (what, ours, theirs) in [
                ("actor", sac.actor.parameters(), flat(networks, &["actor"], &actor)),
                ("critics", sac.critics.parameters(), flat(networks, &["critic1", "critic2"], &critic)),
                ("targets", sac.target_critics.parameters(), flat(networks, &["target1", "target2"], &critic)),
                ("encoder", eyes.critics.parameters(), flat_encoder(networks, "encoder")),
                ("target encoder", eyes.target.parameters(), flat_encoder(networks, "target_encoder")),
                (
                    "actor's encoder",
                    own.unwrap_or_else(|| eyes.critics.parameters()),
                    flat_encoder(networks, if separate { "actor_encoder" } else { "encoder" }),
                ),
            ] {
                let error = relative(&ours, &theirs);
                assert!(error < 1e-4, "{name}, {what} after {}: relative error {error}", i + 1);
            }
            for (what, ours, theirs) in [
                ("critic loss", metrics.critic_loss, &after["losses"]["critic"]),
                ("actor loss", metrics.actor_loss, &after["losses"]["actor"]),
                ("log alpha", sac.log_temperature, &after["log_alpha"]),
            ] {
                let theirs = theirs.as_f64().unwrap();
                let error = (ours - theirs).abs() / theirs.abs().max(0.1);
                assert!(error < 1e-4, "{name}, {what} after {}: {ours} against {theirs}", i + 1);
            }
        }
    }
}

fn agree_on(device: DeviceName) {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let both = &reference["settings_of_both"];
    let size = |key: &str| both[key].as_u64().unwrap() as usize;
    let hidden: Vec<usize> = both["hidden"].as_array().unwrap().iter().map(|w| w.as_u64().unwrap() as usize).collect();
    for (name, variant) in reference["variants"].as_object().unwrap() {
        let settings = &variant["settings"];
        let number = |key: &str| settings[key].as_f64().unwrap();
        let config = SacConfig {
            device,
            batch_size: size("batch"),
            discount: number("discount"),
            tau: number("tau"),
            learning_rate: number("learning_rate"),
            temperature_learning_rate: number("learning_rate"),
            actor_hidden: hidden.clone(),
            critic_hidden: hidden.clone(),
            critic_layer_norm: settings["layer_norm"].as_bool().unwrap(),
            target_entropy_per_action: number("target_entropy") / size("action") as f64,
            ..SacConfig::default()
        };
        let mut sac = Sac::new(&config, size("observation"), size("action"), 0).unwrap();
        let (actor, critic) = (sac.actor.shape().clone(), sac.critics.shape().clone());
        let initial = &variant["initial"];
        sac.log_temperature = initial["log_alpha"].as_f64().unwrap();
        sac.actor.set_parameters(flat(&initial["networks"], &["actor"], &actor));
        sac.critics.set_parameters(flat(&initial["networks"], &["critic1", "critic2"], &critic));
        sac.target_critics.set_parameters(flat(&initial["networks"], &["target1", "target2"], &critic));
        for (i, update) in variant["updates"].as_array().unwrap().iter().enumerate() {
            let metrics = sac.update_with(
                &batch(update, size("batch")),
                numbers(&update["next_noise"]),
                numbers(&update["noise"]),
            );
            let after = &variant["after"][(i + 1).to_string()];
            if after.is_null() {
                continue;
            }
            let networks = &after["networks"];
            for (what, ours, theirs) in [
                ("actor", sac.actor.parameters(), flat(networks, &["actor"], &actor)),
                ("critics", sac.critics.parameters(), flat(networks, &["critic1", "critic2"], &critic)),
                ("targets", sac.target_critics.parameters(), flat(networks, &["target1", "target2"], &critic)),
            ] {
                let error = relative(&ours, &theirs);
                assert!(error < 1e-4, "{name}, {what} after {}: relative error {error}", i + 1);
            }
            for (what, ours, theirs) in [
                ("log alpha", sac.log_temperature, &after["log_alpha"]),
                ("critic loss", metrics.critic_loss, &after["losses"]["critic"]),
                ("actor loss", metrics.actor_loss, &after["losses"]["actor"]),
                ("entropy", -metrics.entropy, &after["mean_log_pi"]),
                ("targets' mean", metrics.target_q, &after["mean_target"]),
            ] {
                let theirs = theirs.as_f64().unwrap();
                let error = (ours - theirs).abs() / theirs.abs().max(0.1);
                assert!(error < 1e-4, "{name}, {what} after {}: {ours} against {theirs}", i + 1);
            }
        }
    }
}
