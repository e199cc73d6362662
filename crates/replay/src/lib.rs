//! Replay of exact transitions.
