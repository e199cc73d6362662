//! What goes to stderr. In a run a thread of its own writes it: a terminal that is held (Ctrl-S), or a connection that hangs, takes
//! nothing, and neither control nor learning waits for it.

use crossbeam::channel::{self, Sender};
use indicatif::{MultiProgress, ProgressBar};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

/// Shows something, and may wait for stderr as long as that takes.
type Show = Box<dyn FnOnce() + Send>;

/// Log lines that may wait to be written; further ones are left out.
const WAITING: usize = 1000;
/// How long the end of a command waits for what was said before.
const PATIENCE: Duration = Duration::from_secs(1);

/// All bars of this process: what else goes to stderr has to move them out of its way.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
/// Where a thread takes what is to be shown, once there is one.
static APART: OnceLock<Sender<Show>> = OnceLock::new();
/// Log lines left out since the last one that was written.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// From here on nothing that is shown is waited for, to the end of the process.
pub fn write_apart() {
    if APART.get().is_some() {
        return;
    }
    let (sender, shows) = channel::unbounded::<Show>();
    let write_all = move || shows.into_iter().for_each(|show| show());
    match std::thread::Builder::new().name("screen".into()).spawn(write_all) {
        Ok(_) => {
            APART.get_or_init(|| sender);
            // The hook that is there writes before a panic unwinds, and what unwinds may let go of a robot.
            std::panic::set_hook(Box::new(|panic| {
                let thread = std::thread::current();
                let text = format!("thread '{}' {panic}\n", thread.name().unwrap_or("<unnamed>"));
                let _ = LogWriter(text.into_bytes()).flush();
            }));
        }
        Err(error) => tracing::warn!("no thread for stderr, so that a terminal that is held holds the run: {error}"),
    }
}

/// Waits until what was shown so far is written, a second at most.
pub fn settle() {
    let _ = say(Vec::new(), io::stderr());
}

/// Writes to `out` in its turn, and waits for it, a second at most where nothing is to be waited for longer.
///
/// # Errors
/// When it was refused in that time.
pub(crate) fn say(text: Vec<u8>, mut out: impl Write + Send + 'static) -> io::Result<()> {
    let (done, written) = channel::bounded(1);
    show(move || {
        let refused = if text.is_empty() { Ok(()) } else { out.write_all(&text).and_then(|()| out.flush()) };
        done.send(refused).unwrap_or_default(); // who asked may have gone
    });
    written.recv_timeout(PATIENCE).unwrap_or(Ok(()))
}

/// What went wrong, on stderr, after all that was said.
pub fn report(text: String) {
    let _ = say(text.into_bytes(), io::stderr());
}

/// Shows something in its turn.
fn show(what: impl FnOnce() + Send + 'static) {
    match APART.get() {
        Some(apart) => drop(apart.send(Box::new(what))), // its thread never ends
        None => what(),
    }
}

/// What waits to be shown.
fn waiting() -> usize {
    APART.get().map_or(0, Sender::len)
}

/// A progress bar at the bottom of the terminal. Nothing of it is looked at outside its turn: it is locked while it is drawn.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(bar: ProgressBar) -> Self {
        let shown = bar.clone();
        show(move || drop(BARS.add(shown)));
        Self(bar)
    }

    /// Changes the bar, unless stderr hasn't taken what there was before: the next change will do.
    pub(crate) fn update(&self, change: impl FnOnce(&ProgressBar) + Send + 'static) {
        if waiting() == 0 {
            let bar = self.0.clone();
            show(move || change(&bar));
        }
    }

    /// Takes the bar away.
    pub(crate) fn remove(&self) {
        let bar = self.0.clone();
        show(move || {
            bar.finish_and_clear();
            BARS.remove(&bar);
        });
    }
}

/// Writes whole log lines to stderr above the bars, for `tracing_subscriber::fmt().with_writer(LogWriter::new)`.
#[derive(Default)]
pub struct LogWriter(Vec<u8>);

impl LogWriter {
    /// A writer for one event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.0);
        if text.is_empty() {
        } else if waiting() >= WAITING {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        } else {
            show(move || {
                let left_out = LEFT_OUT.swap(0, Ordering::Relaxed);
                if left_out > 0 {
                    text.extend_from_slice(format!("({left_out} lines were left out: nobody took them)\n").as_bytes());
                }
                // Nobody is left to be told that stderr is gone. (`suspend` would panic then, with the bars locked.)
                let _ = BARS.clear().and_then(|()| io::stderr().write_all(&text));
            });
        }
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
