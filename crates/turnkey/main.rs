//! `turnkey`: the binary.

use clap::Parser as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use turnkey::{
    cli::Cli,
    commands,
    screen::{self, LogWriter},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("turnkey=info,warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(LogWriter::new)
        .init();
    match commands::run(cli) {
        Ok(()) => {
            screen::settle();
            ExitCode::SUCCESS
        }
        Err(error) => {
            screen::report(report(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error as it is shown: what went wrong, then why, one cause a line.
fn report(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            text.push_str(&format!("  because: {cause}\n"));
            said = cause;
        }
    }
    text
}
