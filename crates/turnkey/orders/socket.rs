//! Orders from another terminal, through a socket in the run's folder.

use super::{Order, Orders};
use crate::run_folder::RunFolder;
use anyhow::{Context, Result, bail};
use clap::ValueEnum as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const NAME: &str = "orders.sock";
/// How soon listening ends when the run has.
const LOOK: Duration = Duration::from_millis(20);
/// How long someone who ordered a stop is kept waiting for the plant to be let go of.
const OBEYED: Duration = Duration::from_secs(5);
/// How long a connection may take to say its order.
const SAID: Duration = Duration::from_secs(1);
/// Bytes of an order, at most.
const LONGEST: u64 = 64;

/// Where a run takes orders while it goes on: one line a connection, answered by one line.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens the run's socket, in place of one that an earlier process left. The caller holds the run's lock.
    ///
    /// # Errors
    /// When the folder can't be written, or has no sockets.
    pub fn open(run: &RunFolder) -> Result<Self> {
        let path = run.path().join(NAME);
        let describe = || format!("{} can't be opened", path.display());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(describe),
            _ => {}
        }
        let listener = short(run, UnixListener::bind).with_context(describe)?;
        listener.set_nonblocking(true).with_context(describe)?;
        Ok(Self { listener, path })
    }

    /// Gives what is ordered until `over`. Blocks; for a thread of its own.
    pub fn obey(&self, orders: &Orders, over: impl Fn() -> bool) {
        while !over() {
            match self.listener.accept() {
                // One that says nothing, or is gone before the answer, has itself to blame.
                Ok((stream, _)) => drop(answer(stream, orders)),
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // the next run removes what is left
    }
}

fn answer(stream: UnixStream, orders: &Orders) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SAID))?;
    stream.set_write_timeout(Some(SAID))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LONGEST)).read_line(&mut line)?;
    let said = match Order::from_str(line.trim(), false) {
        Err(_) => "no such order",
        Ok(order) => {
            orders.give(order);
            if matches!(order, Order::Stop | Order::Emergency) { obeyed(orders) } else { "ordered" }
        }
    };
    writeln!(&stream, "{said}")
}

/// What to say of a plant that is to be let go of.
fn obeyed(orders: &Orders) -> &'static str {
    let deadline = Instant::now() + OBEYED;
    while !orders.released() {
        if Instant::now() > deadline {
            return "NOT released: cut the power";
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    "released"
}

/// Orders something of a run that another process is training, and gives its answer.
///
/// # Errors
/// When nobody is training it in real time.
pub fn send(run: &RunFolder, order: Order) -> Result<String> {
    let path = run.path().display();
    let nobody = || format!("nobody takes orders for {path}.\n  fix: name a run that is being trained in real time");
    let mut stream = short(run, UnixStream::connect).with_context(nobody)?;
    stream.set_read_timeout(Some(OBEYED + SAID))?;
    writeln!(stream, "{order}").with_context(nobody)?;
    let mut said = String::new();
    stream
        .take(LONGEST)
        .read_to_string(&mut said)
        .with_context(|| format!("{path} took the order and said nothing"))?;
    if said.trim().is_empty() {
        bail!("{path} took the order and ended before it answered");
    }
    Ok(said.trim().to_owned())
}

/// Does something with the socket by a path of a few letters: a socket's own path has 107 at most, a folder's any number.
fn short<T>(run: &RunFolder, act: impl FnOnce(PathBuf) -> std::io::Result<T>) -> std::io::Result<T> {
    let folder = File::open(run.path())?;
    act(PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(NAME))
}
