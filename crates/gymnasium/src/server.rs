//! The Python process that an environment lives in.

use crate::connection::{Break, Connection};
use crate::message::{Mismatch, Open, Opened, PROTOCOL, Refusal, Reply, Request, longest_reply};
use crate::{GymnasiumConfig, GymnasiumError};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What the process runs. Its standard input is its end of a socket pair, so that it needs no path and no port, and notices
/// the end of whoever started it.
const SERVER: &str = include_str!("../python/gymnasium_server.py");
/// Numbers of an observation, at most: more would be pictures, which a replay would hold in single precision.
const MOST_NUMBERS: usize = 1_000_000;
/// How long a process may take to leave once its socket is closed.
const LEAVE: Duration = Duration::from_secs(3);
/// How often it is looked after meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// A Python process with an environment in it. It ends with the value, and with the process that holds that.
#[derive(Debug)]
pub(crate) struct Server {
    id: String,
    secs: f64,
    child: Child,
    connection: Connection,
    /// Numbers of an observation.
    width: usize,
}

impl Server {
    /// Starts the interpreter and has it make the environment.
    ///
    /// # Errors
    /// When there is no such interpreter, it lacks gymnasium, or the environment can't be made.
    pub(crate) fn start(config: &GymnasiumConfig) -> Result<(Self, Opened), GymnasiumError> {
        let not_started =
            |source| GymnasiumError::NotStarted { id: config.id.clone(), python: config.python.clone(), source };
        let (ours, theirs) = UnixStream::pair().map_err(not_started)?;
        let mut command = Command::new(&config.python);
        command.args(["-c", SERVER]).stdin(OwnedFd::from(theirs)).stdout(std::io::stderr());
        // A terminal's interrupt is for this process, which closes the socket when it is done.
        command.process_group(0);
        let child = command.spawn().map_err(not_started)?;
        drop(command); // the last that holds their end of the pair on this side
        let connection = Connection::new(ours, Some(config.timeout()));
        let mut server = Self { id: config.id.clone(), secs: config.timeout_secs, child, connection, width: 0 };
        let open = Open {
            protocol: PROTOCOL,
            id: Some(config.id.clone()),
            module: config.module.clone(),
            episode_steps: config.episode_steps,
            arguments: config.arguments.clone(),
        };
        let opened = match server.ask(&Request::Open(open))? {
            Reply::Opened(opened) => opened,
            other => return Err(server.lied("open", "sizes", other.verb())),
        };
        server.check(&opened)?;
        server.width = opened.numbers;
        Ok((server, opened))
    }

    /// Asks for something and waits for the answer, which is of the right size but may be another than was asked for.
    ///
    /// # Errors
    /// When the process refuses, is gone, takes too long, or answers with what is no reply. But for a refusal, it is then
    /// given up.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply, GymnasiumError> {
        let answer = self.answer(request);
        if !matches!(answer, Ok(_) | Err(GymnasiumError::Refused { .. })) {
            self.connection.close(); // what comes later would be taken for the next answer
        }
        answer
    }

    fn answer(&mut self, request: &Request) -> Result<Reply, GymnasiumError> {
        let asked = request.verb();
        let width = self.width;
        if let Err(broken) = self.connection.send(&request.encode()) {
            return Err(self.broken(asked, broken));
        }
        let reply = match self.connection.receive(longest_reply(width)) {
            Ok((kind, body)) => Reply::decode(kind, body, width),
            Err(broken) => return Err(self.broken(asked, broken)),
        };
        match reply {
            Ok(Reply::Refused(Refusal { message, fix })) => {
                let fix = if fix.is_empty() { "see what the environment says above".into() } else { fix };
                Err(GymnasiumError::Refused { id: self.id.clone(), asked, message, fix })
            }
            Ok(reply) => Ok(reply),
            Err(Mismatch { expected, actual }) => Err(self.lied(asked, expected, actual)),
        }
    }

    pub(crate) fn set_timeout(&mut self, config: &GymnasiumConfig) {
        self.secs = config.timeout_secs;
        self.connection.set_timeout(config.timeout());
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What it is when something else came than was to.
    pub(crate) fn lied(
        &self,
        asked: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> GymnasiumError {
        GymnasiumError::Malformed { id: self.id.clone(), asked, expected: expected.into(), actual: actual.into() }
    }

    fn check(&self, opened: &Opened) -> Result<(), GymnasiumError> {
        let lied = |expected: String, actual: String| Err(self.lied("open", expected, actual));
        let Opened { protocol, numbers, names, pictures, low, high, .. } = opened;
        if *protocol != PROTOCOL {
            return lied(format!("protocol {PROTOCOL}"), format!("protocol {protocol}"));
        }
        if *numbers == 0 || *numbers > MOST_NUMBERS {
            return Err(GymnasiumError::Refused {
                id: self.id.clone(),
                asked: "open",
                message: format!("expected observations of 1 to {MOST_NUMBERS} numbers, got {numbers} numbers"),
                fix: "wrap the environment so that it shows less, for example by gymnasium.wrappers.ResizeObservation, under an \
                      id of its own in a module that gymnasium.module names"
                    .into(),
            });
        }
        if !names.is_empty() && names.len() != *numbers {
            return lied(format!("{numbers} names, or none"), format!("{} names", names.len()));
        }
        if pictures.is_some() {
            return lied("observations of numbers alone".into(), "pictures".into());
        }
        if low.is_empty() || low.len() != high.len() {
            return lied(
                "a lower and an upper bound for each number of an action".into(),
                format!("{} and {}", low.len(), high.len()),
            );
        }
        let ordered = |(low, high): (&f32, &f32)| low.is_finite() && high.is_finite() && low < high;
        match low.iter().zip(high).position(|bounds| !ordered(bounds)) {
            Some(index) => lied(
                "finite bounds of an action, the lower one first".into(),
                format!("{} and {} at index {index}", low[index], high[index]),
            ),
            None => Ok(()),
        }
    }

    fn broken(&mut self, asked: &'static str, broken: Break) -> GymnasiumError {
        let id = self.id.clone();
        match broken {
            Break::Late => GymnasiumError::Late { id, asked, secs: self.secs },
            Break::Gone => GymnasiumError::Lost { id, asked, how: self.how_it_ended() },
            Break::Io(error) => GymnasiumError::Lost { id, asked, how: format!("the system says: {error}") },
            Break::Length(length) => {
                let expected = format!("a message of 1 to {} bytes", longest_reply(self.width));
                self.lied(asked, expected, format!("one that says it has {length}"))
            }
        }
    }

    /// What became of a process whose end of the socket is closed.
    fn how_it_ended(&mut self) -> String {
        match self.left() {
            Some(status) => format!("its process ended ({status})"),
            None => "it closed its socket, though its process goes on".into(),
        }
    }

    /// Waits a little for the process to leave.
    fn left(&mut self) -> Option<std::process::ExitStatus> {
        let deadline = Instant::now() + LEAVE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
                _ => return None,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.connection.close();
        if self.left().is_none() {
            let _ = self.child.kill(); // it may be gone by now
            let _ = self.child.wait();
        }
    }
}
