//! `cargo xtask`: what it takes to go from a fresh clone to a trained policy, and to tell whether a change is
//! good. Start reading at [`main`]; each command is a module.

mod bench;
mod clients;
mod count;
mod curves;
mod experiments;
mod failure;
mod jobs;
mod methods;
mod parts;
mod peers;
mod plan;
mod policy;
mod process;
mod project;
mod python;
mod report;
mod results;
mod setup;
mod smoke;
mod tables;
mod test;
mod train;
mod trainings;
mod vm;
mod walkers;

use failure::{Failure, Result};
use project::Project;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  setup [PART...]       fetch the native parts into native/ (the other commands do so by themselves);
                        `setup rerun` fetches the viewer as well, for machines that have none, `setup --tch`
                        libtorch (900 MB), for builds with the feature tch
  test [--only A,B]     all that decides whether a change is good: setup, fmt, clippy, test, doc, deny, smoke, vm
  train [CONFIG] [...]  set up, build, train with CONFIG or configs/valve_state.toml; the rest goes to turnkey
  vm [--binary PATH]    a camera and a USB adapter of Debian's stock kernel in QEMU, driven by the release binary
  experiments NAME      run what is missing of configs/experiments/NAME.toml, two at a time; stop and continue freely
  experiments --report  write the tables of docs/results.md anew
  bench [WORK...]       time ours and the Python peers in turn: step, loop, walk, physics (--threads, --seconds, --rounds)
  bench walkers         what SBX's SAC comes to on Gymnasium's environments (NAME..., --seeds 0..3, --steps N, --peer sb3, --jobs N)
  bench claw            what others' methods come to on the claw, served to them (METHOD..., --seeds 0..3, --steps N, --jobs N)
  bench gymnasium       whether Stable-Baselines3 takes the claw for a proper environment
  help                  this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let project = Project::here();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "setup" => setup::command(&project, rest)?,
        "test" => test::command(&project, rest)?,
        "train" => train::command(&project, rest)?,
        "vm" => vm::command(&project, rest)?,
        "experiments" => experiments::command(&project, rest)?,
        "bench" => bench::command(&project, rest)?,
        "help" | "--help" | "-h" => print!("{HELP}"),
        other => {
            return Err(Failure::new("what cargo xtask should do")
                .expected("one of the commands that `cargo xtask help` lists")
                .came(format!("`{other}`"))
                .fix("cargo xtask help"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
