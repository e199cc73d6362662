//! Messages over a socket: a length, a kind, a body. See docs/gymnasium.md.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Bytes of a message, at most: 64 MiB, far above any observation's.
pub(crate) const LONGEST: usize = 64 << 20;

/// How much of its time a single wait takes from the other end, at most.
const PIECE: Duration = Duration::from_secs(1);

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
        let mut patience = Patience(self.timeout);
        let mut rest = message;
        while !rest.is_empty() {
            let sent = patience.attempt(&self.stream, |mut stream, wait| {
                stream.set_write_timeout(wait)?;
                stream.write(rest)
            })?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// The next message: its kind and its body, of no more than `most` bytes together.
    pub(crate) fn receive(&mut self, most: usize) -> Result<(u8, &[u8]), Break> {
        let mut patience = Patience(self.timeout);
        let mut length = [0; 4];
        read(&self.stream, &mut length, &mut patience)?;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 || length > most.min(LONGEST) {
            return Err(Break::Length(length));
        }
        self.received.resize(length, 0);
        read(&self.stream, &mut self.received, &mut patience)?;
        match self.received.split_first() {
            Some((kind, body)) => Ok((*kind, body)),
            None => Err(Break::Length(0)),
        }
    }

    /// Tells the other end that there is nothing more to come.
    pub(crate) fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both); // it may be gone already
    }
}

/// Fills `into`, however many pieces it comes in.
fn read(stream: &UnixStream, into: &mut [u8], patience: &mut Patience) -> Result<(), Break> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += patience.attempt(stream, |mut stream, wait| {
            stream.set_read_timeout(wait)?;
            stream.read(rest)
        })?;
    }
    Ok(())
}

/// How long the other end may still take; for ever, if absent. A process that was stopped meanwhile (Ctrl-Z), for however
/// long, has lost no more than a [`PIECE`] of it, and takes what came before it says that nothing did.
struct Patience(Option<Duration>);

impl Patience {
    /// Tries once to send or to receive, and gives the number of bytes: 0, where it is worth another try.
    fn attempt(
        &mut self,
        stream: &UnixStream,
        act: impl FnOnce(&UnixStream, Option<Duration>) -> std::io::Result<usize>,
    ) -> Result<usize, Break> {
        let last = self.0 == Some(Duration::ZERO);
        let began = Instant::now();
        let done = if last { without_waiting(stream, act) } else { act(stream, self.0.map(|left| left.min(PIECE))) };
        if let Some(left) = &mut self.0 {
            *left = left.saturating_sub(began.elapsed().min(PIECE));
        }
        match done {
            Ok(0) => Err(Break::Gone),
            Ok(count) => Ok(count),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut if last => Err(Break::Late),
                // A mere signal means nothing.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(0),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => Err(Break::Gone),
                _ => Err(Break::Io(error)),
            },
        }
    }
}

fn without_waiting(
    stream: &UnixStream,
    act: impl FnOnce(&UnixStream, Option<Duration>) -> std::io::Result<usize>,
) -> std::io::Result<usize> {
    stream.set_nonblocking(true)?;
    let done = act(stream, None);
    stream.set_nonblocking(false)?;
    done
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
    fn what_came_while_nobody_looked_is_taken_before_the_other_end_is_called_late() {
        let (mut ours, mut theirs) = pair();
        ours.timeout = Some(Duration::ZERO);
        theirs.write_all(&[2, 0, 0, 0, 9, 1, 3, 0, 0, 0, 9]).unwrap();
        assert_eq!(ours.receive(100).unwrap(), (9, &[1][..]));
        assert!(matches!(ours.receive(100), Err(Break::Late)), "half a message");
        theirs.write_all(&[0; 8]).unwrap();
        drop(theirs);
        ours.timeout = Some(Duration::from_secs(10));
        assert!(matches!(ours.receive(100), Err(Break::Length(0))), "and the socket waits again");
    }

    #[test]
    fn a_wait_takes_no_more_than_a_piece_of_the_other_ends_time_however_long_this_process_slept() {
        let (ours, _theirs) = pair();
        let mut patience = Patience(Some(10 * PIECE));
        let stopped = patience.attempt(&ours.stream, |_, wait| {
            assert_eq!(wait, Some(PIECE));
            std::thread::sleep(PIECE + PIECE / 2);
            Err(ErrorKind::Interrupted.into())
        });
        assert!(matches!(stopped, Ok(0)));
        assert_eq!(patience.0, Some(9 * PIECE));
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
