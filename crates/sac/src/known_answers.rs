//! Problems whose answers are known.

use crate::{Sac, SacConfig};
use turnkey_core::{Action, Batch, Learner as _, Mode, Observation, Policy as _, Rng, Snapshot as _};

fn small() -> SacConfig {
    SacConfig {
        actor_hidden: vec![32, 32],
        critic_hidden: vec![32, 32],
        batch_size: 64,
        learning_rate: 3e-3,
        temperature_learning_rate: 3e-3,
        tau: 0.05,
        ..SacConfig::default()
    }
}

/// One state, one action, reward -(a - 0.4)^2, over at once.
fn bandit(size: usize, rng: &mut Rng) -> Batch {
    let mut batch = Batch::zeros(size, 1, 1);
    for i in 0..size {
        let action = rng.uniform(-1.0, 1.0);
        batch.actions[i] = action as f32;
        batch.rewards[i] = -(action - 0.4).powi(2) as f32;
    }
    batch
}

#[test]
fn a_quadratic_bandit_is_solved_and_its_entropy_meets_the_target() {
    let config = SacConfig { target_entropy_per_action: -1.0, ..small() };
    let mut sac = Sac::new(&config, 1, 1, 1).unwrap();
    let mut rng = Rng::new(1, "bandit");
    let mut entropies = Vec::new();
    for i in 0..3000 {
        let metrics = sac.update(&bandit(config.batch_size, &mut rng));
        if i >= 2500 {
            entropies.push(metrics.entropy);
        }
    }
    let best = sac.act(&Observation::from(vec![0.0]), Mode::Deterministic, &mut rng).0[0];
    assert!((best - 0.4).abs() < 0.05, "{best}");
    let entropy = entropies.iter().sum::<f64>() / entropies.len() as f64;
    assert!((entropy - -1.0).abs() < 0.1, "{entropy}");
    let q = sac.q(&Observation::from(vec![0.0]), &Action(vec![-0.6]));
    assert!((q - -1.0).abs() < 0.1, "{q}");
}

/// Two states that alternate, reward 1 in each, whatever the action. `end` says whether the second state's
/// step terminates or is merely cut off by a time limit.
fn chain(size: usize, terminates: bool, rng: &mut Rng) -> Batch {
    let mut batch = Batch::zeros(size, 2, 1);
    for i in 0..size {
        let state = rng.below(2);
        batch.observations[2 * i + state] = 1.0;
        batch.next_observations[2 * i + 1 - state] = 1.0;
        batch.actions[i] = rng.uniform(-1.0, 1.0) as f32;
        batch.rewards[i] = 1.0;
        batch.continues[i] = if terminates && state == 1 { 0.0 } else { 1.0 };
    }
    batch
}

#[test]
fn q_of_a_chain_counts_what_follows_a_time_limit_and_nothing_after_a_termination() {
    let config = SacConfig { discount: 0.9, initial_temperature: 1e-9, learn_temperature: false, ..small() };
    // With discount 0.9: 1 / (1 - 0.9) = 10 where nothing ends; 1 + 0.9 and 1 where the second state does.
    for (terminates, expected) in [(false, [10.0, 10.0]), (true, [1.9, 1.0])] {
        let mut sac = Sac::new(&config, 2, 1, 2).unwrap();
        let mut rng = Rng::new(2, "chain");
        for _ in 0..3000 {
            sac.update(&chain(config.batch_size, terminates, &mut rng));
        }
        for (state, expected) in expected.into_iter().enumerate() {
            let mut observation = vec![0.0; 2];
            observation[state] = 1.0;
            let q = sac.q(&Observation::from(observation), &Action(vec![0.2]));
            assert!((q - expected).abs() < 0.04 * expected + 0.05, "{terminates} {state}: {q} against {expected}");
        }
    }
}

#[test]
fn a_restored_learner_goes_on_to_the_bit_and_a_foreign_state_changes_nothing() {
    let config = SacConfig { critic_layer_norm: true, ..small() };
    let mut rng = Rng::new(3, "bandit");
    let mut sac = Sac::new(&config, 1, 1, 3).unwrap();
    for _ in 0..20 {
        sac.update(&bandit(64, &mut rng));
    }
    let saved = sac.save();
    let mut other = Sac::new(&config, 1, 1, 99).unwrap();
    other.restore(&saved).unwrap();
    for _ in 0..20 {
        let batch = bandit(64, &mut rng);
        assert_eq!(sac.update(&batch), other.update(&batch));
    }
    assert!(sac.save() == other.save());

    let before = other.save();
    for (bytes, expected) in [
        (b"not a learner".to_vec(), "not safetensors"),
        (saved[..saved.len() / 2].to_vec(), "not safetensors"),
        (Sac::new(&config, 2, 1, 0).unwrap().save(), "expected a learner of 1 observations"),
        (Sac::new(&SacConfig { critic_hidden: vec![16], ..config.clone() }, 1, 1, 0).unwrap().save(), "tensor critics"),
    ] {
        let message = other.restore(&bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert!(other.save() == before);
}

#[test]
fn the_same_seed_gives_the_same_learner_and_another_seed_another() {
    let run = |seed| {
        let mut sac = Sac::new(&small(), 1, 1, seed).unwrap();
        let mut rng = Rng::new(4, "bandit");
        for _ in 0..10 {
            sac.update(&bandit(64, &mut rng));
        }
        sac.save()
    };
    assert!(run(5) == run(5));
    assert!(run(5) != run(6));
}
