//! A viewer to show things to while they happen.

use crate::Live;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What `cargo xtask setup rerun` unpacks the viewer to, below the project's folder.
const FETCHED_PROGRAM: &str = "native/made-by-cargo-xtask-setup/rerun";
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);
/// A viewer needs a second or two to open; a slow machine more.
const OPENING_TIMEOUT: Duration = Duration::from_secs(20);

/// Finds or opens the viewer, and says where it listens. `None`, after a warning, where there is none.
pub(crate) fn find(live: Live) -> Option<SocketAddr> {
    let address = match live {
        Live::Connect(address) => address,
        Live::Spawn => SocketAddr::from((Ipv4Addr::LOCALHOST, rerun::DEFAULT_SERVER_PORT)),
    };
    if listens(address) {
        return Some(address);
    }
    match live {
        Live::Connect(_) => {
            tracing::warn!("no viewer listens at {address}, so there is no live view; the recording goes on");
            None
        }
        Live::Spawn => match open(address) {
            Ok(()) => Some(address),
            Err(reason) => {
                tracing::warn!("there is no live view: {reason}; the recording goes on");
                None
            }
        },
    }
}

/// Whether something takes connections at `address`. rerun itself would wait for that forever.
pub(crate) fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, PROBE_TIMEOUT).is_ok()
}

fn open(address: SocketAddr) -> Result<(), String> {
    let program = program().ok_or("the program rerun was not found; `cargo xtask setup rerun` fetches it")?;
    let mut child = spawn(&program, address.port()).map_err(|e| format!("{} can't be run: {e}", program.display()))?;
    let deadline = Instant::now() + OPENING_TIMEOUT;
    while Instant::now() < deadline {
        if listens(address) {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{} ended at once with {status}; is there a display?", program.display()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{} did not listen at {address} within {} s", program.display(), OPENING_TIMEOUT.as_secs()))
}

fn spawn(program: &Path, port: u16) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(format!("--port={port}")).args(["--memory-limit=25%", "--expect-data-soon"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // In a group of its own, Ctrl-C on the run leaves the viewer open.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// The viewer that set-up fetched, which is of the right version, or else the one on PATH.
fn program() -> Option<PathBuf> {
    let here = std::env::current_dir().ok();
    let built = std::env::current_exe().ok();
    let above = here.iter().chain(&built).flat_map(|path| path.ancestors());
    let fetched = above.map(|folder| folder.join(FETCHED_PROGRAM)).flat_map(|path| [path.join("rerun"), path]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("rerun")).collect::<Vec<_>>();
    fetched.chain(on_path).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn an_absent_viewer_is_noticed_and_a_present_one_found() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(find(Live::Connect(address)), Some(address));
        // Port 1 is nobody's. The listener's own, closed, may live on in a child that another test is just starting.
        assert_eq!(find(Live::Connect((Ipv4Addr::LOCALHOST, 1).into())), None);
    }

    #[test]
    fn a_program_that_ends_at_once_is_no_viewer() {
        let mut child = spawn(Path::new("/bin/false"), 1).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
