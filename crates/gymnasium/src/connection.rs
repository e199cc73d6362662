//! Messages over a socket: a length, a kind, a body. See docs/gymnasium.md.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Bytes of a message, at most: 64 MiB, far above any observation's.
pub(crate) const LONGEST: usize = 64 << 20;

/// One end of a socket.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    /// How long the other end may take to send a message, or to take one; for ever, if absent.
    timeout: Option<Duration>,
    received: Vec<u8>,
}

/// What went wrong on the way.
#[derive(Debug)]
pub(crate) enum Break {
    /// The other end is gone.
    Gone,
    /// It takes too long.
    Late,
    /// It said a length that no message has.
    Length(usize),
    /// The system said so.
    Io(std::io::Error),
}

impl Connection {
    pub(crate) fn new(stream: UnixStream, timeout: Option<Duration>) -> Self {
        Self { stream, timeout, received: Vec::new() }
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    /// Sends a whole message: what [`crate::message`] encodes, its length first.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<(), Break> {
        let deadline = self.deadline();
        let mut rest = message;
        while !rest.is_empty() {
            let left = left(deadline)?;
            self.stream.set_write_timeout(left).map_err(Break::Io)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Break::Gone),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) => broken(error)?,
            }
        }
        Ok(())
    }

    /// The next message: its kind and its body, of no more than `most` bytes together.
    pub(crate) fn receive(&mut self, most: usize) -> Result<(u8, &[u8]), Break> {
        let deadline = self.deadline();
        let mut length = [0; 4];
        read(&mut self.stream, &mut length, deadline)?;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 || length > most.min(LONGEST) {
            return Err(Break::Length(length));
        }
        self.received.resize(length, 0);
        read(&mut self.stream, &mut self.received, deadline)?;
        match self.received.split_first() {
            Some((kind, body)) => Ok((*kind, body)),
            None => Err(Break::Length(0)),
        }
    }

    /// Tells the other end that there is nothing more to come.
    pub(crate) fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both); // it may be gone already
    }

    fn deadline(&self) -> Option<Instant> {
        Some(Instant::now() + self.timeout?)
    }
}

/// Fills `into`, however many pieces it comes in.
fn read(stream: &mut UnixStream, into: &mut [u8], deadline: Option<Instant>) -> Result<(), Break> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let left = left(deadline)?;
        stream.set_read_timeout(left).map_err(Break::Io)?;
        match stream.read(rest) {
            Ok(0) => return Err(Break::Gone),
            Ok(count) => filled += count,
            Err(error) => broken(error)?,
        }
    }
    Ok(())
}

/// How long is left until the deadline.
fn left(deadline: Option<Instant>) -> Result<Option<Duration>, Break> {
    let Some(deadline) = deadline else { return Ok(None) };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Break::Late) } else { Ok(Some(left)) }
}

/// What an error of the system means; a mere signal means nothing.
fn broken(error: std::io::Error) -> Result<(), Break> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Break::Late),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => Err(Break::Gone),
        _ => Err(Break::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Connection::new(ours, Some(Duration::from_millis(50))), theirs)
    }

    /// A shell that writes into a socket what `script` prints.
    fn shell(theirs: UnixStream, script: &str) -> std::process::Child {
        let theirs = std::os::fd::OwnedFd::from(theirs);
        std::process::Command::new("sh").args(["-c", script]).stdout(theirs).spawn().unwrap()
    }

    #[test]
    fn a_message_arrives_whole_however_it_is_cut() {
        let (mut ours, theirs) = pair();
        ours.timeout = Some(Duration::from_secs(10));
        let mut sender =
            shell(theirs, r"for byte in 004 000 000 000 011 001 002 003; do printf \\$byte; sleep 0.01; done");
        assert_eq!(ours.receive(4).unwrap(), (9, &[1, 2, 3][..]));
        sender.wait().unwrap();
    }

    #[test]
    fn lengths_that_no_message_has_silence_and_leaving_are_told_apart() {
        for length in [0_u32, 101, u32::MAX] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(&length.to_le_bytes()).unwrap();
            assert!(matches!(ours.receive(100), Err(Break::Length(found)) if found == length as usize));
        }
        let (mut ours, mut theirs) = pair();
        theirs.write_all(&[4, 0, 0, 0, 9, 1]).unwrap();
        assert!(matches!(ours.receive(100), Err(Break::Late)));
        drop(theirs);
        assert!(matches!(ours.receive(100), Err(Break::Gone)));
        assert!(matches!(ours.send(&[0; 8]), Err(Break::Gone)));
    }

    #[test]
    fn one_that_never_reads_is_late_and_one_that_drips_is_too() {
        let (mut ours, _theirs) = pair();
        assert!(matches!(ours.send(&vec![0; 8 << 20]), Err(Break::Late)));
        let (mut ours, theirs) = pair();
        let mut dripping = shell(theirs, r"printf '\310\000\000\000'; while printf x; do sleep 0.01; done");
        assert!(matches!(ours.receive(1000), Err(Break::Late)));
        drop(ours);
        dripping.wait().unwrap();
    }
}
