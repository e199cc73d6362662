//! The recording on disk.

use rerun::external::re_build_info::CrateVersion;
use rerun::external::re_log_encoding::{EncodeError, Encoder, EncodingOptions};
use rerun::log::LogMsg;
use rerun::sink::{LogSink, SinkFlushError};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a recording is doing, for others to see.
#[derive(Debug, Default)]
pub(crate) struct FileState {
    bytes: AtomicU64,
    failed: AtomicBool,
}

impl FileState {
    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Whether writing has failed, after which nothing more is written.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Relaxed)
    }
}

/// Writes what rerun logs to a file. The first failure is warned of; what came before it stays readable.
pub(crate) struct FileSink {
    path: PathBuf,
    encoder: Mutex<Option<Encoder<File>>>,
    state: Arc<FileState>,
}

/// Creates `path`, or the first of `path-2`, `path-3`, ... that does not exist.
pub(crate) fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut candidate = path.to_owned();
    for number in 2_u64.. {
        match File::create_new(&candidate) {
            Ok(file) => return Ok((file, candidate)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        candidate.set_file_name(format!("{stem}-{number}"));
        candidate.set_extension("rrd");
    }
    unreachable!("there are fewer files than numbers")
}

impl FileSink {
    /// Begins a recording in an empty `file`, which `path` names in warnings.
    pub(crate) fn new(file: File, path: PathBuf) -> (Self, Arc<FileState>) {
        let state = Arc::new(FileState::default());
        let sink = Self { path, encoder: Mutex::new(None), state: state.clone() };
        match Encoder::new_eager(CrateVersion::LOCAL, EncodingOptions::PROTOBUF_COMPRESSED, file) {
            Ok(encoder) => *sink.lock() = Some(encoder),
            Err(error) => sink.give_up(None, &error),
        }
        (sink, state)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Encoder<File>>> {
        self.encoder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_up(&self, encoder: Option<Encoder<File>>, error: &EncodeError) {
        if let Some(mut encoder) = encoder {
            // Without a footer there is nothing left to write, so finishing can't fail, and dropping won't try.
            encoder.do_not_emit_footer();
            let _ = encoder.finish();
        }
        self.state.failed.store(true, Relaxed);
        let path = self.path.display();
        tracing::warn!("the recording {path} ends here, the run goes on: {error}");
    }
}

impl LogSink for FileSink {
    fn send(&self, message: LogMsg) {
        let mut encoder = self.lock();
        match encoder.as_mut().map(|encoder| encoder.append(&message)) {
            Some(Ok(bytes)) => drop(self.state.bytes.fetch_add(bytes, Relaxed)),
            Some(Err(error)) => self.give_up(encoder.take(), &error),
            None => {}
        }
    }

    fn flush_blocking(&self, _timeout: Duration) -> Result<(), SinkFlushError> {
        let mut encoder = self.lock();
        let flushed = encoder.as_mut().map_or(Ok(()), Encoder::flush_blocking);
        flushed.map_err(|error| {
            self.give_up(encoder.take(), &error);
            SinkFlushError::failed(error.to_string())
        })
    }

    fn defers_finalization_to_shutdown(&self) -> bool {
        true
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        let mut encoder = self.lock().take();
        if let Some(Err(error)) = encoder.as_mut().map(Encoder::finish) {
            self.give_up(encoder, &error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_recording_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/run.rrd");
        let names: Vec<_> = (0..3).map(|_| create(&path).unwrap().1.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["run.rrd", "run-2.rrd", "run-3.rrd"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_ends_the_recording_and_nothing_else() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (sink, state) = FileSink::new(full, "/dev/full".into());
        assert!(state.failed());
        let stream = rerun::RecordingStreamBuilder::new("test").enabled(true).buffered().unwrap();
        stream.set_sink(Box::new(sink));
        stream.log("value", &rerun::Scalars::single(1.0)).unwrap();
        drop(stream);
        assert_eq!(state.bytes(), 0);
    }
}
