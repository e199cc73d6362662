//! Orders by key, where the run has a terminal.

use super::{Order, Orders};
use std::io::{self, IsTerminal as _};
use std::os::fd::AsRawFd as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The terminal's settings before keys were listened to, to be put back on every way out.
static BEFORE: Mutex<Option<libc::termios>> = Mutex::new(None);
/// How soon listening ends when the run has.
const LOOK: Duration = Duration::from_millis(100);

/// Listens to the terminal's keys one by one, unechoed, for as long as it lives.
#[derive(Debug)]
pub struct Keys;

impl Keys {
    /// What the keys are, in one line.
    pub const HELP: &'static str = "keys: space or e lets go of the plant at once, p rests after this episode, \
        d breaks this episode off, r goes on, ctrl-c leaves with a checkpoint";

    /// Takes keys from stdin one by one, if that is a terminal.
    #[must_use]
    pub fn listen() -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        (!is_in_front() || take_keys()).then_some(Self)
    }

    /// Gives what the keys say until `over`. Blocks; for a thread of its own.
    pub fn obey(&self, orders: &Orders, over: impl Fn() -> bool) {
        let mut away = !is_in_front();
        while !over() {
            if away && is_in_front() {
                away = !take_keys();
            }
            match key(LOOK) {
                Ok(Some(key)) => order_of(key).into_iter().for_each(|order| orders.give(order)),
                Ok(None) => {}
                // In the background the keys are the shell's.
                Err(error) if error.raw_os_error() == Some(libc::EIO) => {
                    away = true;
                    std::thread::sleep(LOOK);
                }
                Err(_) => return, // the terminal is gone
            }
        }
    }
}

/// Whether this process is its terminal's foreground, or has a terminal that knows none.
fn is_in_front() -> bool {
    // SAFETY: neither call touches memory; a descriptor that is no terminal is refused.
    let (front, ours) = unsafe { (libc::tcgetpgrp(io::stdin().as_raw_fd()), libc::getpgrp()) };
    front == ours || front < 0
}

/// Has the terminal give its keys one by one, unechoed. Whether it does.
fn take_keys() -> bool {
    let stdin = io::stdin();
    // SAFETY: all fields of a termios are numbers, so zeros are one.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: stdin is open, and `settings` a valid place.
    if unsafe { libc::tcgetattr(stdin.as_raw_fd(), &raw mut settings) } != 0 {
        return false;
    }
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(settings);
    settings.c_lflag &= !(libc::ICANON | libc::ECHO);
    // SAFETY: as above; the settings were read from it and differ in two flags.
    unsafe { libc::tcsetattr(stdin.as_raw_fd(), libc::TCSANOW, &raw const settings) == 0 }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore_terminal();
    }
}

/// Puts the terminal's settings back, if they were changed: for ways out that drop nothing.
pub fn restore_terminal() {
    if let Some(settings) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // SAFETY: the settings are what this terminal had before.
        unsafe { libc::tcsetattr(io::stdin().as_raw_fd(), libc::TCSANOW, &raw const settings) };
    }
}

fn order_of(key: u8) -> Option<Order> {
    match key.to_ascii_lowercase() {
        b' ' | b'e' => Some(Order::Emergency),
        b'p' => Some(Order::Pause),
        b'd' => Some(Order::Discard),
        b'r' => Some(Order::Resume),
        _ => None,
    }
}

/// The next key from stdin, if one comes in time.
fn key(within: Duration) -> io::Result<Option<u8>> {
    let stdin = io::stdin().as_raw_fd();
    let mut ready = libc::pollfd { fd: stdin, events: libc::POLLIN, revents: 0 };
    let timeout = within.as_millis().try_into().unwrap_or(libc::c_int::MAX);
    // SAFETY: `ready` is one valid pollfd.
    match unsafe { libc::poll(&raw mut ready, 1, timeout) } {
        0 => return Ok(None),
        -1 => {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(None) } else { Err(error) };
        }
        _ => {}
    }
    let mut byte = 0_u8;
    // SAFETY: `byte` is a valid place for one byte. Past stdin's own buffer, which would wait for more.
    match unsafe { libc::read(stdin, (&raw mut byte).cast(), 1) } {
        1 => Ok(Some(byte)),
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says_and_others_nothing() {
        for (key, order) in [
            (b' ', Some(Order::Emergency)),
            (b'E', Some(Order::Emergency)),
            (b'p', Some(Order::Pause)),
            (b'd', Some(Order::Discard)),
            (b'R', Some(Order::Resume)),
            (b'x', None),
            (0x1b, None),
        ] {
            assert_eq!(order_of(key), order, "{key}");
        }
    }
}
