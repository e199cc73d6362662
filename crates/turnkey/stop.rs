//! SIGINT, SIGTERM and SIGHUP ask a run to leave; a second one of them ends the process at once.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether somebody asked the run to leave.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for SIGINT, SIGTERM, and SIGHUP, which is a terminal or a connection being closed.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // What `nohup` has ignored stays ignored.
            if signal == SIGHUP && is_ignored(signal, &std::fs::read_to_string("/proc/self/status").unwrap_or_default())
            {
                continue;
            }
            // In this order: the second signal finds the flag set and ends the process.
            signal_hook::flag::register_conditional_shutdown(signal, 130, stop.0.clone())
                .and_then(|_| signal_hook::flag::register(signal, stop.0.clone()))
                .context("signals can't be handled")?;
        }
        Ok(stop)
    }

    /// Whether to leave.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a process ignores `signal`, by its /proc/PID/status.
fn is_ignored(signal: i32, status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_process_status() {
        let status = "Name:\tturnkey\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert!(is_ignored(SIGHUP, status));
        assert!(!is_ignored(SIGTERM, status) && !is_ignored(SIGHUP, "no status"));
    }
}
