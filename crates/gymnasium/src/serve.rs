//! One of our environments, shown to a client on the other end of a socket.

use crate::GymnasiumError;
use crate::connection::{Break, Connection};
use crate::message::{self, Mismatch, Opened, PROTOCOL, Request};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use turnkey_core::{Action, Environment, Spec};

/// Bytes of a request, at most.
const LONGEST_REQUEST: usize = 1 << 20;
/// How long a client that can't be served may take to ask for something.
const TURNED_AWAY: Duration = Duration::from_secs(1);

/// What a client made of the environment before it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Episodes begun.
    pub episodes: u64,
    /// Steps taken.
    pub steps: u64,
}

/// Answers a client until it leaves. Actions are in [-1, 1]; an observation's pictures are laid over each other,
/// `[height, width, 3*stack]`. `name` is what the environment is called, `period_secs` how long one of its steps takes in
/// its world, where that is known.
///
/// Whatever the client sends, it is answered: what can't be done is refused, with what was expected, and nothing happens.
///
/// # Errors
/// When the connection breaks in another way than by the client's leaving.
pub fn serve(
    environment: &mut dyn Environment,
    stream: UnixStream,
    name: &str,
    period_secs: Option<f64>,
) -> Result<Served, GymnasiumError> {
    let mut connection = Connection::new(stream, None);
    let mut session = Session { environment, name, period_secs, open: false, served: Served::default() };
    loop {
        let (answer, leave) = match connection.receive(LONGEST_REQUEST) {
            Ok((kind, body)) => (session.answer(Request::decode(kind, body)), false),
            // Where the next message begins can't be known.
            Err(Break::Length(length)) => (long(length), true),
            Err(broken) => return left(broken, session.served),
        };
        if let Err(broken) = connection.send(&answer) {
            return left(broken, session.served);
        }
        if leave {
            connection.close();
            return Ok(session.served);
        }
    }
}

/// Answers a client's first request by a refusal, and leaves it: another client is served.
pub fn turn_away(stream: UnixStream) {
    let mut connection = Connection::new(stream, Some(TURNED_AWAY));
    // Answered before it asks, it would ask a connection that is closed. If it asks nothing, or is gone, nothing is lost.
    let _ = connection.receive(LONGEST_REQUEST);
    let _ = connection.send(&message::refused(
        "expected a server that is free, but another client is served here",
        "start a server for each environment, at a socket of its own; or wait until the other client has left",
    ));
    connection.close();
}

struct Session<'a> {
    environment: &'a mut dyn Environment,
    name: &'a str,
    period_secs: Option<f64>,
    open: bool,
    served: Served,
}

impl Session<'_> {
    fn answer(&mut self, request: Result<Request, Mismatch>) -> Vec<u8> {
        let pictures = self.environment.spec().pictures;
        match request {
            Err(Mismatch { expected, actual }) => refuse(&expected, &actual),
            Ok(Request::Open(open)) if open.protocol == PROTOCOL => {
                self.open = true;
                message::opened(&self.sizes(self.environment.spec()))
            }
            Ok(Request::Open(open)) => message::refused(
                format!("expected protocol {PROTOCOL}, got protocol {}", open.protocol),
                "take turnkey_claw.py from the version of turnkey that serves",
            ),
            Ok(other) if !self.open => refuse("a request to open first", other.verb()),
            Ok(Request::Reset(seed)) => match self.environment.reset(seed) {
                Ok(observation) => {
                    self.served.episodes += 1;
                    message::seen(&observation, pictures)
                }
                Err(failure) => message::refused(failure.to_string(), ""),
            },
            Ok(Request::Step(action)) => match self.environment.step(&Action(action)) {
                Ok(step) => {
                    self.served.steps += 1;
                    message::took(&step, pictures)
                }
                Err(failure) => message::refused(failure.to_string(), ""),
            },
        }
    }

    fn sizes(&self, spec: &Spec) -> Opened {
        let width = spec.action.len();
        Opened {
            protocol: PROTOCOL,
            name: self.name.to_owned(),
            numbers: spec.observation.len(),
            names: spec.observation.clone(),
            pictures: spec.pictures,
            low: vec![-1.0; width],
            high: vec![1.0; width],
            episode_steps: Some(spec.episode_steps),
            period_secs: self.period_secs,
        }
    }
}

fn refuse(expected: &str, actual: &str) -> Vec<u8> {
    message::refused(format!("expected {expected}, got {actual}"), "mend the client (docs/gymnasium.md has the format)")
}

fn long(length: usize) -> Vec<u8> {
    refuse(&format!("a request of 1 to {LONGEST_REQUEST} bytes"), &format!("one that says it has {length}"))
}

fn left(broken: Break, served: Served) -> Result<Served, GymnasiumError> {
    match broken {
        Break::Io(source) => Err(GymnasiumError::Client { source }),
        _ => Ok(served),
    }
}
