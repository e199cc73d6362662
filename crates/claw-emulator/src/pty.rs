//! A pseudo-terminal, of which we hold the end that is no device.

use crate::EmulatorError;
use std::ffi::{CStr, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MULTIPLEXER: &str = "/dev/ptmx";

/// The master side of a pseudo-terminal in raw mode. Clients open [`Pty::path`] as they would a serial adapter.
#[derive(Debug)]
pub(crate) struct Pty {
    master: File,
    path: PathBuf,
    link: Option<PathBuf>,
    /// Held open, so that the port outlives each client.
    _slave: File,
}

impl Pty {
    /// Makes one, with `link` pointing to it if given.
    pub(crate) fn open(link: Option<&Path>) -> Result<Self, EmulatorError> {
        let failed = |action| move |source| EmulatorError::Terminal { device: MULTIPLEXER.into(), action, source };
        // SAFETY: a plain system call; the descriptor it gives is owned by nobody else.
        let descriptor = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) };
        let descriptor = checked(descriptor).map_err(failed("opening"))?;
        // SAFETY: it was just opened, and this is its only owner.
        let master = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        // SAFETY: the descriptor is open and a master's.
        checked(unsafe { libc::grantpt(descriptor) }).map_err(failed("granting"))?;
        // SAFETY: as above.
        checked(unsafe { libc::unlockpt(descriptor) }).map_err(failed("unlocking"))?;
        let path = slave_path(&master).map_err(failed("naming its device"))?;
        let slave = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(&path);
        let slave = slave.map_err(failed("opening its device"))?;
        make_raw(&slave).map_err(failed("setting it raw"))?;
        // SAFETY: the descriptor is open; the call changes its flags alone.
        checked(unsafe { libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK) }).map_err(failed("unblocking"))?;
        if let Some(link) = link {
            make_link(link, &path).map_err(|source| EmulatorError::Link { link: link.to_owned(), source })?;
        }
        Ok(Self { master, path, link: link.map(Path::to_owned), _slave: slave })
    }

    /// What clients open: the link where there is one.
    pub(crate) fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// The baud rate that the client has set, where the system tells. The terminal itself has none.
    pub(crate) fn baud(&self) -> Option<u32> {
        // SAFETY: termios2 is plain numbers, for which zeros are a value.
        let mut settings: libc::termios2 = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open, and the kernel writes no more than the structure.
        let done = unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TCGETS2, &raw mut settings) };
        (done == 0).then_some(settings.c_ospeed)
    }

    /// Waits for bytes for at most `timeout`; says whether some are there.
    pub(crate) fn wait(&self, timeout: Duration) -> Result<bool, EmulatorError> {
        let mut interest = libc::pollfd { fd: self.master.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let time = libc::timespec {
            tv_sec: timeout.as_secs().min(3600) as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        };
        // SAFETY: one structure is given and its count is 1; no signal mask is changed.
        let ready = unsafe { libc::ppoll(&raw mut interest, 1, &raw const time, std::ptr::null()) };
        match checked(ready) {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(self.failed("waiting", error)),
        }
    }

    /// Reads what is there into `buffer`; gives how much.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, EmulatorError> {
        match self.master.read(buffer) {
            Ok(count) => Ok(count),
            Err(error) if is_passing(&error) => Ok(0),
            Err(error) => Err(self.failed("reading", error)),
        }
    }

    /// Writes as much as there is room for. A client that doesn't read loses bytes, as with a real adapter.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), EmulatorError> {
        match self.master.write(bytes) {
            Ok(_) => Ok(()),
            Err(error) if is_passing(&error) => Ok(()),
            Err(error) => Err(self.failed("writing", error)),
        }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> EmulatorError {
        EmulatorError::Terminal { device: self.path.clone(), action, source }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            drop(fs::remove_file(link));
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn slave_path(master: &File) -> io::Result<PathBuf> {
    let mut name = [0 as libc::c_char; 128];
    // SAFETY: the buffer is as long as is said, and the name is written with its end into it.
    let failed = unsafe { libc::ptsname_r(master.as_raw_fd(), name.as_mut_ptr(), name.len()) };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Ok(OsStr::from_bytes(name.to_bytes()).into())
}

/// No echo, no translation: a client that sets nothing would otherwise hear itself.
fn make_raw(terminal: &File) -> io::Result<()> {
    // SAFETY: termios is plain numbers, for which zeros are a value.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    let descriptor = terminal.as_raw_fd();
    // SAFETY: the descriptor is open, and the structure is written whole.
    checked(unsafe { libc::tcgetattr(descriptor, &raw mut settings) })?;
    // SAFETY: the structure was filled in by the call before.
    unsafe { libc::cfmakeraw(&raw mut settings) };
    // SAFETY: as above.
    checked(unsafe { libc::tcsetattr(descriptor, libc::TCSANOW, &raw const settings) }).map(|_| ())
}

/// Replaces an old link, and nothing else.
fn make_link(link: &Path, target: &Path) -> io::Result<()> {
    if link.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink()) {
        fs::remove_file(link)?;
    }
    symlink(target, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_writes_arrives_as_it_was_and_its_baud_is_seen() {
        let mut pty = Pty::open(None).unwrap();
        let mut client = OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
        // SAFETY: plain numbers.
        let mut settings: libc::termios2 = unsafe { std::mem::zeroed() };
        // SAFETY: an open descriptor and a whole structure.
        assert_eq!(unsafe { libc::ioctl(client.as_raw_fd(), libc::TCGETS2, &raw mut settings) }, 0);
        settings.c_cflag = settings.c_cflag & !libc::CBAUD | libc::BOTHER;
        (settings.c_ispeed, settings.c_ospeed) = (4_500_000, 4_500_000);
        // SAFETY: as above.
        assert_eq!(unsafe { libc::ioctl(client.as_raw_fd(), libc::TCSETS2, &raw const settings) }, 0);
        assert_eq!(pty.baud(), Some(4_500_000));
        client.write_all(&[0, 3, 10, 13, 255]).unwrap();
        assert!(pty.wait(Duration::from_secs(5)).unwrap());
        let mut buffer = [0; 16];
        let count = pty.read(&mut buffer).unwrap();
        assert_eq!(buffer[..count], [0, 3, 10, 13, 255]);
        pty.write(&[10, 4, 0]).unwrap();
        client.read_exact(&mut buffer[..3]).unwrap();
        assert_eq!(buffer[..3], [10, 4, 0]);
    }

    #[test]
    fn a_link_replaces_an_old_one_goes_with_the_port_and_never_takes_a_files_place() {
        let folder = std::env::temp_dir().join(format!("turnkey-pty-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let link = folder.join("claw");
        symlink("/nowhere", &link).unwrap();
        let pty = Pty::open(Some(&link)).unwrap();
        assert_eq!(pty.path(), link);
        assert!(fs::read_link(&link).unwrap().starts_with("/dev/pts"));
        drop(pty);
        assert!(link.symlink_metadata().is_err());
        fs::write(&link, "precious").unwrap();
        assert!(matches!(Pty::open(Some(&link)), Err(EmulatorError::Link { .. })));
        assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
        fs::remove_dir_all(&folder).unwrap();
    }
}
