//! SIGINT, SIGTERM, SIGQUIT and SIGHUP ask a run to leave; another one, a second or more later, ends the process at once.

use crate::orders::restore_terminal;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals closer together than this are one request: `timeout` signals both a process and its group, and a
/// terminal that closes sends more than one.
const ONE_REQUEST: Duration = Duration::from_secs(1);

/// Whether somebody asked the run to leave.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for SIGINT, SIGTERM, SIGQUIT, and SIGHUP, which is a terminal or a connection being closed.
    ///
    /// # Errors
    /// When the system refuses the handlers or the thread that waits for them.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::default();
        // What `nohup` has ignored stays ignored.
        let hangs_up = !is_ignored(SIGHUP, &std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        let heard = [SIGINT, SIGTERM, SIGQUIT].into_iter().chain(hangs_up.then_some(SIGHUP));
        let mut signals = Signals::new(heard).context("signals can't be handled")?;
        let flag = stop.0.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut first = None;
                for _ in signals.forever() {
                    flag.store(true, Ordering::Relaxed);
                    if first.get_or_insert_with(Instant::now).elapsed() >= ONE_REQUEST {
                        restore_terminal();
                        signal_hook::low_level::exit(130);
                    }
                }
            })
            .context("no thread can wait for signals")?;
        Ok(stop)
    }

    /// What is true once somebody asked, for loops that know no signals.
    #[must_use]
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Asks, as a signal does: for parts of a program that end together.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to leave.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// From here on a terminal can't put this process to sleep (Ctrl-Z, or a key read in the background): servos that nobody speaks to
/// hold on, under no guard.
pub fn stay_awake() {
    for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: to ignore a signal runs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
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
