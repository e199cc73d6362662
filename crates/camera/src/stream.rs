//! Raw buffers over a Unix socket, from another process of this machine.
//!
//! A message is a header of 37 bytes and the picture's bytes. Numbers are little-endian: the magic, a byte for the format,
//! width and height (4 bytes each), sequence (8), when it was taken by CLOCK_MONOTONIC, ns (8), length (8).

use crate::clock::{instant_from_monotonic, monotonic_from_instant};
use crate::{CameraError, RawBuffer, Source};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use turnkey_core::FrameSize;
use turnkey_picture::{MAX_PIXELS, RawFormat};

const MAGIC: [u8; 4] = *b"TKF1";
const HEADER: usize = 37;
/// No picture that the pipeline takes has more bytes.
const MOST_BYTES: u64 = 3 * MAX_PIXELS as u64;
const FORMATS: [RawFormat; 5] = [RawFormat::Rgb8, RawFormat::Gray8, RawFormat::Yuyv, RawFormat::Jpeg, RawFormat::Png];
/// A client that doesn't take a picture for this long is left; it may connect again.
const SLOWEST_WRITE: Duration = Duration::from_millis(100);

/// Sends buffers to whoever is connected.
#[derive(Debug)]
pub struct StreamServer {
    path: PathBuf,
    listener: UnixListener,
    clients: Vec<UnixStream>,
}

impl StreamServer {
    /// Listens at `path`, in place of a socket that a process that is gone left there.
    ///
    /// # Errors
    /// When another process listens there, or no socket can be made there.
    pub fn bind(path: impl Into<PathBuf>) -> Result<Self, CameraError> {
        let path = path.into();
        let fail = |error: &io::Error| CameraError::file(&path, "a socket for pictures", error);
        if is_socket(&path) {
            if UnixStream::connect(&path).is_ok() {
                return Err(fail(&io::Error::new(io::ErrorKind::AddrInUse, "another program sends pictures there")));
            }
            std::fs::remove_file(&path).map_err(|error| fail(&error))?;
        }
        let listener = UnixListener::bind(&path).map_err(|error| fail(&error))?;
        listener.set_nonblocking(true).map_err(|error| fail(&error))?;
        Ok(Self { path, listener, clients: Vec::new() })
    }

    /// Sends a buffer to everybody who is connected by now; says to how many. Who takes it too slowly is left.
    pub fn send(&mut self, raw: &RawBuffer) -> usize {
        while let Ok((client, _)) = self.listener.accept() {
            let ready = client.set_nonblocking(false).and_then(|()| client.set_write_timeout(Some(SLOWEST_WRITE)));
            self.clients.extend(ready.is_ok().then_some(client));
        }
        let header = header_from(raw);
        self.clients.retain_mut(|client| client.write_all(&header).and_then(|()| client.write_all(&raw.bytes)).is_ok());
        self.clients.len()
    }
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        // One that stays is taken for what it is by the next server.
        drop(std::fs::remove_file(&self.path));
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn header_from(raw: &RawBuffer) -> [u8; HEADER] {
    let format = FORMATS.iter().position(|format| *format == raw.format).unwrap_or_default() as u8;
    let nanos = monotonic_from_instant(raw.captured).as_nanos() as u64;
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&MAGIC);
    header[4] = format;
    header[5..9].copy_from_slice(&(raw.size.width as u32).to_le_bytes());
    header[9..13].copy_from_slice(&(raw.size.height as u32).to_le_bytes());
    header[13..21].copy_from_slice(&raw.sequence.to_le_bytes());
    header[21..29].copy_from_slice(&nanos.to_le_bytes());
    header[29..37].copy_from_slice(&(raw.bytes.len() as u64).to_le_bytes());
    header
}

/// A buffer whose bytes are still to come, and how many.
fn from_header(header: &[u8; HEADER]) -> Result<(RawBuffer, usize), String> {
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| header[at + i]));
    let side = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| header[at + i])) as usize;
    let Some(format) = FORMATS.get(usize::from(header[4])).filter(|_| header[..4] == MAGIC) else {
        return Err(format!("{:02x?} where a picture should begin", &header[..5]));
    };
    let length = number(29);
    if length > MOST_BYTES {
        return Err(format!("a picture of {length} bytes, more than any has"));
    }
    let captured = instant_from_monotonic(Duration::from_nanos(number(21))).unwrap_or_else(Instant::now);
    let size = FrameSize { width: side(5), height: side(9) };
    Ok((RawBuffer { format: *format, size, bytes: Vec::new(), captured, sequence: number(13) }, length as usize))
}

/// Buffers that a [`StreamServer`] sends.
#[derive(Debug)]
pub struct Stream {
    camera: String,
    path: PathBuf,
    socket: Option<UnixStream>,
    /// What has come of the next message.
    message: Vec<u8>,
}

impl Stream {
    /// The source at this socket, under this name in messages.
    #[must_use]
    pub fn new(camera: &str, path: &Path) -> Self {
        Self { camera: camera.into(), path: path.into(), socket: None, message: Vec::new() }
    }

    fn lost(&mut self, found: impl ToString) -> CameraError {
        self.close();
        CameraError::Lost { camera: self.camera.clone(), found: found.to_string() }
    }
}

impl Source for Stream {
    fn open(&mut self) -> Result<(), CameraError> {
        self.close();
        let socket = UnixStream::connect(&self.path).map_err(|error| CameraError::Open {
            camera: self.camera.clone(),
            expected: format!("a program that sends pictures at {}", self.path.display()),
            found: error.to_string(),
            fix: "start that program; this one connects by itself",
        })?;
        self.socket = Some(socket);
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<RawBuffer>, CameraError> {
        let deadline = Instant::now() + patience;
        loop {
            let wanted = match self.message.first_chunk().map(from_header) {
                None => HEADER,
                Some(Ok((_, length))) if self.message.len() < HEADER + length => HEADER + length,
                Some(Ok((mut raw, _))) => {
                    raw.bytes = self.message.split_off(HEADER);
                    self.message.clear();
                    return Ok(Some(raw));
                }
                Some(Err(found)) => return Err(self.lost(found)),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let Some(socket) = &mut self.socket else { return Err(self.lost("it is closed")) };
            if let Err(error) = socket.set_read_timeout(Some(left)) {
                return Err(self.lost(error));
            }
            let have = self.message.len();
            // Memory grows with what came, not with what was announced.
            self.message.resize(wanted.min(have + (1 << 20)), 0);
            let read = socket.read(&mut self.message[have..]);
            self.message.truncate(have + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(self.lost("the other program closed the connection")),
                Ok(_) => (),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => (),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(self.lost(error)),
            }
        }
    }

    fn close(&mut self) {
        self.socket = None;
        self.message.clear();
    }
}
