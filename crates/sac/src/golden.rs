//! The learner against an independent implementation in PyTorch: the same weights, batches and noise give
//! the same weights after 1, 2 and 10 updates (`tests/golden/sac_reference.py` made the values, in f64).

use crate::{DeviceName, MlpShape, Sac, SacConfig};
use serde_json::Value;
use turnkey_core::Batch;

const REFERENCE: &str = include_str!("../../../tests/golden/sac_reference.json");

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
#[cfg(feature = "cuda")]
#[ignore = "needs an NVIDIA GPU"]
fn ten_updates_on_a_gpu_agree_with_pytorch() {
    agree_on(DeviceName::Cuda);
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
