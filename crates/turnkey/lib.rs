//! The rig, the loops and the command line of `turnkey`: what configures a run, trains, evaluates, and
//! keeps it on disk. Start reading at [`train::Trainer::train`].

pub mod asynchronous;
pub mod bench;
pub mod benchmark;
pub mod camera;
pub mod checkpoint;
pub mod claw;
pub mod claw_emulate;
pub mod cli;
pub mod commands;
pub mod config;
pub mod dataset;
pub mod evaluation;
pub mod exploration;
pub mod lateness;
pub mod maze;
pub mod memory;
pub mod metrics;
pub mod orders;
pub mod pace;
pub mod plot;
mod printing;
pub mod priority;
pub mod progress;
pub mod report;
pub mod rig;
pub mod robustness;
pub mod run_folder;
pub mod screen;
pub mod serve;
pub mod setup;
pub mod statistics;
pub mod stop;
pub mod train;
pub mod version;
