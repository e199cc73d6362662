//! What to record, and whom to show it.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What to record, and whom to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewConfig {
    /// The run's name. Recordings of one run, such as those before and after it was resumed, share it and
    /// are shown as one.
    pub run: String,
    /// The recording, ending in `.rrd`. Where it exists already, the first free of `name-2.rrd`,
    /// `name-3.rrd`, ... is taken: nothing is written over.
    pub recording: PathBuf,
    /// A viewer to show it to meanwhile.
    pub live: Option<Live>,
    /// Control steps are kept of one episode in this many; learner's figures and episodes' outcomes always.
    pub control_every: u64,
    /// Size that the recording stays near, bytes: as it is approached, control steps are kept of ever fewer
    /// episodes. Learner's figures and episodes' outcomes, which weigh little, are still kept beyond.
    pub max_bytes: u64,
    /// Records that may wait for each of file and viewer. The last quarter is kept for learner's figures
    /// and episodes' outcomes.
    pub queue: usize,
}

impl ViewConfig {
    /// The usual choice: a file alone, one episode in ten, 200 MB, 4096 records.
    #[must_use]
    pub fn new(run: impl Into<String>, recording: impl Into<PathBuf>) -> Self {
        Self {
            run: run.into(),
            recording: recording.into(),
            live: None,
            control_every: 10,
            max_bytes: 200_000_000,
            queue: 4096,
        }
    }
}

/// A viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// One that listens at this address already.
    Connect(SocketAddr),
    /// One on this machine, at rerun's usual port: opened if none listens there, and left open at the end.
    Spawn,
}
