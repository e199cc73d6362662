//! What makes a thread come first.

use rayon::ThreadPool;
use std::io;

/// The real-time priority of control: above everything ordinary, below what the kernel itself needs.
const PRIORITY: libc::c_int = 20;

/// Puts the calling thread before all ordinary ones (SCHED_FIFO); threads that it starts stay ordinary.
///
/// # Errors
/// When the system doesn't allow it: it takes root, CAP_SYS_NICE or a limit (`ulimit -r`) of 20 or more.
pub fn real_time() -> io::Result<()> {
    // SAFETY: all fields of a sched_param are numbers, so zeros are one.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = PRIORITY;
    // SAFETY: 0 is the calling thread, and `parameters` is a valid sched_param.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Keeps what the calling thread computes on it, for as long as this lives: handed to the threads that learning
/// shares, it would wait for them, whatever the priorities.
#[must_use]
pub fn alone() -> Option<ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_alone_shares_out_nothing() {
        std::thread::spawn(|| {
            let _alone = super::alone().unwrap();
            assert_eq!(rayon::current_num_threads(), 1);
        })
        .join()
        .unwrap();
    }
}
