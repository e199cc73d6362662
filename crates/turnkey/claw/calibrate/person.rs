//! The person at the claw: questions on standard error, answers on standard input, so that a pipe can answer as well.

use crate::stop::Stop;
use anyhow::{Context as _, Result, bail};
use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Time between looks at the servos while an answer is waited for.
const GLANCE: Duration = Duration::from_millis(100);

/// Somebody who answers.
pub(super) struct Person {
    lines: Receiver<io::Result<String>>,
    stop: Stop,
    sees: bool,
}

impl Person {
    /// Listens on standard input.
    ///
    /// # Errors
    /// When the system gives no thread or no handler of signals.
    pub(super) fn new() -> Result<Self> {
        let (sender, lines) = channel();
        let listen = move || {
            for line in io::stdin().lock().lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("answers".into()).spawn(listen).context("no thread can listen for answers")?;
        Ok(Self { lines, stop: Stop::on_signals()?, sees: io::stderr().is_terminal() })
    }

    /// Asks, and shows on a terminal what `live` says until the answer is there.
    ///
    /// # Errors
    /// When nobody answers any more, a signal stops it, or `live` fails.
    pub(super) fn ask(&self, question: &str, mut live: impl FnMut() -> Result<String>) -> Result<String> {
        eprintln!("{question}");
        let answer = self.wait(&mut live);
        if self.sees && answer.is_err() {
            // The error begins a line of its own.
            eprintln!();
        }
        answer
    }

    fn wait(&self, live: &mut dyn FnMut() -> Result<String>) -> Result<String> {
        loop {
            match self.lines.recv_timeout(GLANCE) {
                Ok(answer) => return Ok(answer.context("the answer can't be read")?.trim().to_lowercase()),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("calibrate: expected an answer, got the end of the input; nothing was written")
                }
                Err(RecvTimeoutError::Timeout) if self.stop.asked() => {
                    bail!("calibrate: stopped before its end; nothing was written")
                }
                Err(RecvTimeoutError::Timeout) => {
                    let text = live()?;
                    if self.sees && !text.is_empty() {
                        eprint!("\r  {text}\x1b[K");
                    }
                }
            }
        }
    }

    /// Whether the answer is yes.
    ///
    /// # Errors
    /// As [`Person::ask`].
    pub(super) fn agrees(&self, question: &str) -> Result<bool> {
        let answer = self.ask(&format!("{question} [yes/no]"), || Ok(String::new()))?;
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }
}
