//! The sink that shows and keeps a run.

use crate::file::{self, FileSink, FileState};
use crate::live;
use crate::outlet::{Outlet, is_motion};
use crate::selection::Selection;
use crate::writer::Writer;
use crate::{Live, ViewConfig, ViewError};
use crossbeam::channel::Receiver;
use rerun::log::ChunkBatcherConfig;
use rerun::{RecordingStream, RecordingStreamBuilder};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use turnkey_core::{Record, Sink};

/// A recording of a run, and a viewer of it where one is wanted.
///
/// Records may come from any thread. What becomes of file and viewer never reaches the one who records: a
/// full disk, a viewer that is absent, frozen or closed are warned of once and cost their own records.
pub struct View {
    path: PathBuf,
    selection: Selection,
    file: Outlet,
    state: Arc<FileState>,
    live: Option<Outlet>,
    finished: bool,
}

/// Records that found no room, because they came faster than they were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Missing in the recording.
    pub recording: u64,
    /// Not shown to the viewer.
    pub live: u64,
}

/// What became of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The recording.
    pub path: PathBuf,
    /// Its size, bytes.
    pub bytes: u64,
    /// Whether everything queued is in it: false after a failure to write, or when the deadline came first.
    pub complete: bool,
    /// What found no room.
    pub dropped: Dropped,
}

/// How long dropping a view, without [`View::finish`], waits for file and viewer.
const DROP_DEADLINE: Duration = Duration::from_secs(5);
/// At the end, a viewer gets this long after the file is done, and no longer than the deadline.
const LIVE_DEADLINE: Duration = Duration::from_secs(2);
/// How often a viewer is looked for after it was found.
const PROBE_PERIOD: Duration = Duration::from_secs(5);

impl View {
    /// Creates the recording and starts to look for the viewer, which is not waited for.
    ///
    /// # Errors
    /// When the recording can't be created, or there are no threads.
    pub fn start(config: ViewConfig) -> Result<Self, ViewError> {
        let created = file::create(&config.recording);
        let (file, path) = created.map_err(|source| ViewError::Recording { path: config.recording.clone(), source })?;
        let (sink, state) = FileSink::new(file, path.clone());
        let stream = stream(&config.run, FILE_BATCHES)?;
        stream.set_sink(Box::new(sink));
        let keep = {
            let state = state.clone();
            move |records| keep(&records, stream, &state)
        };
        let thread = |source| ViewError::Thread { source };
        let file = Outlet::start("turnkey-recording", config.queue, keep).map_err(thread)?;
        let selection = Selection::new(config.control_every, config.max_bytes);
        let show = |live| {
            let run = config.run.clone();
            Outlet::start("turnkey-viewer", config.queue, move |records| show(&records, live, &run))
        };
        let live = config.live.map(show).transpose().map_err(thread)?;
        Ok(Self { path, selection, file, state, live, finished: false })
    }

    /// The recording, whose name has a number where another existed already.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that found no room so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        Dropped { recording: self.file.dropped(), live: self.live.as_ref().map_or(0, Outlet::dropped) }
    }

    /// Writes what is queued, and returns within about `deadline` whether or not file and viewer could
    /// take it.
    pub fn finish(mut self, deadline: Duration) -> Summary {
        let complete = self.close(deadline) && !self.state.failed();
        let bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        Summary { path: self.path.clone(), bytes, complete, dropped: self.dropped() }
    }

    fn close(&mut self, deadline: Duration) -> bool {
        self.finished = true;
        let deadline = Instant::now() + deadline;
        let complete = self.file.close(deadline);
        if !complete {
            tracing::warn!("the recording {} was not finished in time; its end is missing", self.path.display());
        }
        if complete && !self.path.exists() {
            tracing::warn!("the recording {} is gone: its folder was moved or deleted", self.path.display());
        }
        if self.live.as_mut().is_some_and(|live| !live.close(deadline.min(Instant::now() + LIVE_DEADLINE))) {
            tracing::warn!("the viewer does not take what is left; it is all in {}", self.path.display());
        }
        let Dropped { recording, live } = self.dropped();
        if recording + live > 0 {
            tracing::warn!("records came too fast: {recording} are missing in the recording, {live} in the live view");
        }
        complete
    }
}

impl Sink for View {
    fn record(&self, record: Record) {
        let kept = !is_motion(&record) || self.selection.keeps();
        if matches!(record, Record::Episode(_)) {
            self.selection.next_episode(self.state.bytes());
        }
        let record = Arc::new(record);
        if let Some(live) = &self.live {
            live.offer(record.clone());
        }
        if kept {
            self.file.offer(record);
        }
    }

    fn wants_control(&self) -> bool {
        self.selection.keeps() || self.live.as_ref().is_some_and(Outlet::is_open)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if !self.finished {
            self.close(DROP_DEADLINE);
        }
    }
}

/// A file is read later: few and large batches are a tenth of the size, and a killed run loses 10 s.
const FILE_BATCHES: ChunkBatcherConfig = ChunkBatcherConfig {
    flush_tick: Duration::from_secs(10),
    max_bytes_in_flight: 32 << 20,
    ..ChunkBatcherConfig::DEFAULT
};
/// A viewer should show motion as it happens.
const LIVE_BATCHES: ChunkBatcherConfig = ChunkBatcherConfig {
    flush_tick: Duration::from_millis(40),
    max_bytes_in_flight: 4 << 20,
    ..ChunkBatcherConfig::DEFAULT
};

fn stream(run: &str, batches: ChunkBatcherConfig) -> Result<RecordingStream, ViewError> {
    let builder = RecordingStreamBuilder::new("turnkey").recording_id(run).send_properties(true).recording_name(run);
    let stream = builder.enabled(true).batcher_config(batches).buffered();
    let stream = stream.map_err(|error| ViewError::Rerun { reason: error.to_string() })?;
    // Steps are the one timeline: the clock would cost as much as the smaller series themselves.
    stream.set_log_time_enabled(false);
    Ok(stream)
}

/// Writes records until there are no more, or the file takes none.
fn keep(records: &Receiver<Arc<Record>>, stream: RecordingStream, state: &FileState) {
    let mut writer = Writer::new(stream, false);
    for record in records {
        writer.write(&record);
        if state.failed() {
            return;
        }
    }
}

/// Shows records until there are no more, or the viewer is gone.
fn show(records: &Receiver<Arc<Record>>, live: Live, run: &str) {
    let Some(address) = live::find(live) else { return };
    let stream = match stream(run, LIVE_BATCHES) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!("there is no live view: {error}"),
    };
    if let Err(error) = stream.connect_grpc_opts(format!("rerun+http://{address}/proxy")) {
        return tracing::warn!("there is no live view: {error}");
    }
    tracing::info!("the viewer at {address} shows the run");
    let mut writer = Writer::new(stream, true);
    let mut probed = Instant::now();
    for record in records {
        writer.write(&record);
        if probed.elapsed() > PROBE_PERIOD {
            if !live::listens(address) {
                return tracing::warn!("the viewer at {address} is gone; the recording goes on");
            }
            probed = Instant::now();
        }
    }
}
