//! `turnkey serve`: a configuration's environment for programs that learn in Gymnasium, by the protocol of docs/gymnasium.md.

use crate::cli::Serve;
use crate::config::Config;
use crate::setup::training_environment;
use anyhow::{Context, Result, bail, ensure};
use crossbeam::channel::{Receiver, SendTimeoutError, bounded};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;
use turnkey_core::Environment;
use turnkey_gymnasium::Served;

/// How long a client waits for the one before it to leave until it is turned away.
const WAIT: Duration = Duration::from_secs(1);

/// Serves, as `train` would see it, until whoever started this leaves or, at a socket of its own, until a signal ends it.
///
/// # Errors
/// When the configuration or the socket is wrong, or a connection breaks.
pub fn run(arguments: &Serve) -> Result<()> {
    let config = Config::load(&arguments.config, &arguments.set)?;
    let client = if arguments.socket.is_none() { Some(standard_input()?) } else { None };
    let mut environment = training_environment(&config)?;
    let name = arguments.config.file_stem().unwrap_or_default().to_string_lossy();
    let period_secs = config.claw().ok().map(|claw| claw.task.period_secs);
    let answer = |client: UnixStream, environment: &mut dyn Environment| -> Result<Served> {
        let served = turnkey_gymnasium::serve(environment, client, &name, period_secs)?;
        environment.release()?;
        Ok(served)
    };
    if let Some(client) = client {
        return answer(client, environment.as_mut()).map(|_| ());
    }
    let Some(path) = &arguments.socket else { return Ok(()) };
    let listener = listen(path)?;
    tracing::info!("{name} is served at {}, to one client at a time", path.display());
    for client in clients(listener)? {
        let client = client.with_context(|| format!("nobody can connect to {}", path.display()))?;
        match answer(client, environment.as_mut()) {
            Ok(Served { episodes, steps }) => tracing::info!("a client left after {episodes} episodes, {steps} steps"),
            Err(error) => tracing::warn!("{error:#}"), // its client alone is the worse for it
        }
    }
    Ok(())
}

/// Those who connect, one after the other: whoever comes while another is served, and stays, is told so.
fn clients(listener: UnixListener) -> Result<Receiver<std::io::Result<UnixStream>>> {
    let (door, clients) = bounded(0);
    let accept = move || {
        for client in listener.incoming() {
            let wait = if client.is_ok() { WAIT } else { Duration::MAX };
            match door.send_timeout(client, wait) {
                Err(SendTimeoutError::Timeout(Ok(client))) => turnkey_gymnasium::turn_away(client),
                Err(SendTimeoutError::Disconnected(_)) => return,
                _ => {}
            }
        }
    };
    std::thread::Builder::new().name("clients".into()).spawn(accept).context("no thread can wait for clients")?;
    Ok(clients)
}

/// Standard input, if it is a socket.
fn standard_input() -> Result<UnixStream> {
    let input = std::io::stdin().as_fd().try_clone_to_owned().context("there is no standard input")?;
    let stream = UnixStream::from(input);
    stream.peer_addr().context(
        "expected a connected socket as standard input, as turnkey_claw.py gives one.\n  fix: name a socket to make by \
         --socket PATH, or make the environment in Python: docs/gymnasium.md says how",
    )?;
    Ok(stream)
}

/// Listens at `path`, in place of a socket that a process left which is gone.
fn listen(path: &Path) -> Result<UnixListener> {
    let shown = path.display();
    let refused = || format!("{shown} can't be listened at.\n  fix: name another --socket, such as /tmp/claw.sock");
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {}
        bound => return bound.with_context(refused),
    }
    let is_socket = fs::symlink_metadata(path).with_context(refused)?.file_type().is_socket();
    ensure!(is_socket, "--socket {shown}: expected a name for a new socket, found a file.\n  fix: name another");
    match UnixStream::connect(path) {
        Ok(_) => bail!(
            "--socket {shown}: expected a socket that nobody listens at, found a server.\n  fix: end it, or name another"
        ),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) => bail!(
            "--socket {shown}: expected a socket that a server of ours left, found one that isn't: {error}.\n  fix: name \
             another, or delete it if nobody needs it"
        ),
    }
    fs::remove_file(path).with_context(refused)?;
    UnixListener::bind(path).with_context(refused)
}
