//! Soft Actor-Critic: actor, twin critics, temperature, learner, checkpoints.
