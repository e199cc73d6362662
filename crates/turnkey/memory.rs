//! The machine's memory, where the system tells.

use crate::config::RunConfig;
use anyhow::{Result, ensure};
use turnkey_replay::{Replay, Widths};

/// The most memory that this process held since it began, MB.
#[must_use]
pub fn peak_mb() -> Option<u64> {
    Some(kilobytes("/proc/self/status", "VmHWM:")? / 1000)
}

/// Refuses a run whose transitions would not fit into the machine's memory in the end: the system would kill it then.
///
/// # Errors
/// When they would not; names how many do.
pub fn expect_room(run: &RunConfig, widths: Widths) -> Result<()> {
    let memory = kilobytes("/proc/meminfo", "MemTotal:").map(|all| all.saturating_mul(1024));
    memory.map_or(Ok(()), |memory| expect_room_in(memory, run, widths))
}

fn expect_room_in(memory: u64, run: &RunConfig, widths: Widths) -> Result<()> {
    const SOME: usize = 10_000;
    let rows = run.steps.min(run.replay_capacity as u64);
    let row = Replay::full_bytes(SOME, widths) as f64 / SOME as f64;
    let (wanted, memory) = (row * rows as f64, memory as f64);
    ensure!(
        wanted <= memory,
        "run.replay_capacity: expected no more transitions than the machine's {:.0} GB of memory have room for, got {rows}, which \
         come to {:.0} GB.\n  fix: --set run.replay_capacity={}",
        memory / 1e9,
        wanted / 1e9,
        (0.7 * memory / row) as u64 / 1000 * 1000
    );
    Ok(())
}

/// The number that a line of a file of /proc begins with after `key`, in kB.
fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::with;

    #[test]
    fn what_will_not_fit_is_refused_with_what_will() {
        let config = with(&["run.steps=500_000", "run.replay_capacity=200_000"]).unwrap();
        // Like a racing car's view: a transition is 221 kB.
        let widths = Widths { observation: 27_648, action: 3, pictures: None };
        let refused = expect_room_in(16_000_000_000, &config.run, widths).unwrap_err().to_string();
        assert!(refused.contains("got 200000, which come to 44 GB") && refused.contains("=50000"), "{refused}");
        expect_room_in(64_000_000_000, &config.run, widths).unwrap();
        expect_room(&config.run, Widths { observation: 27, action: 9, pictures: None }).unwrap();
        assert!(peak_mb().is_some_and(|peak| peak > 0));
    }
}
