//! Our environments, served to a client that knows only the bytes of docs/gymnasium.md.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use turnkey_core::{Action, Environment, Rng};
use turnkey_env::{ClawEnvironment, FirstOrderPlant, TaskConfig, TaskName, ValveTask};
use turnkey_gymnasium::{Served, serve};

fn environment() -> ClawEnvironment<FirstOrderPlant> {
    let task = ValveTask::new(TaskConfig::published(TaskName::TurnRandom)).unwrap();
    ClawEnvironment::new(FirstOrderPlant::new(), task).unwrap()
}

struct Client {
    stream: UnixStream,
    server: JoinHandle<Served>,
}

impl Client {
    fn new() -> Self {
        let (stream, theirs) = UnixStream::pair().unwrap();
        let server = std::thread::spawn(move || serve(&mut environment(), theirs, "valve", Some(0.1)).unwrap());
        Self { stream, server }
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        let length = (1 + body.len() as u32).to_le_bytes();
        self.stream.write_all(&[&length[..], &[kind], body].concat()).unwrap();
    }

    fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).unwrap();
        let mut message = vec![0; u32::from_le_bytes(length) as usize];
        self.stream.read_exact(&mut message).unwrap();
        (message[0], message.split_off(1))
    }

    fn ask(&mut self, kind: u8, body: &[u8]) -> (u8, Vec<u8>) {
        self.send(kind, body);
        self.receive()
    }

    fn refused(&mut self, kind: u8, body: &[u8]) -> String {
        let (kind, body) = self.ask(kind, body);
        assert_eq!(kind, 255);
        String::from_utf8(body).unwrap()
    }
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn an_episode_over_the_socket_is_the_episode_itself() {
    let (mut client, mut ours) = (Client::new(), environment());
    let (kind, sizes) = client.ask(1, br#"{"protocol": 1}"#);
    let sizes: serde_json::Value = serde_json::from_slice(&sizes).unwrap();
    assert_eq!((kind, &sizes["numbers"], &sizes["episode_steps"]), (129, &22.into(), &40.into()));
    assert_eq!(
        (&sizes["low"][8], &sizes["high"][0], &sizes["period_secs"]),
        (&(-1.0).into(), &1.0.into(), &0.1.into())
    );
    let first = ours.reset(7).unwrap();
    assert_eq!(client.ask(2, &7_u64.to_le_bytes()), (130, bytes(&first.numbers)));
    let mut rng = Rng::new(0, "actions");
    for index in 0..40 {
        let action: Vec<f32> = (0..9).map(|_| rng.uniform(-1.0, 1.0) as f32).collect();
        let step = ours.step(&Action(action.clone())).unwrap();
        let (kind, body) = client.ask(3, &bytes(&action));
        assert_eq!((kind, &body[..8]), (131, &step.reward.to_le_bytes()[..]));
        assert_eq!((body[8], &body[9..97]), (if index == 39 { 2 } else { 0 }, &bytes(&step.observation.numbers)[..]));
        let told: serde_json::Value = serde_json::from_slice(&body[97..]).unwrap();
        assert_eq!(told["angular_error"].as_f64(), step.info.angular_error);
        assert_eq!(told["success"].as_bool(), step.info.success);
    }
    assert!(client.refused(3, &bytes(&[0.0; 9])).contains("episode"), "after the end");
    drop(client.stream);
    assert_eq!(client.server.join().unwrap(), Served { episodes: 1, steps: 40 });
}

#[test]
fn what_cannot_be_done_is_refused_and_the_rest_goes_on() {
    let mut client = Client::new();
    assert!(client.refused(2, &7_u64.to_le_bytes()).contains("a request to open first"));
    assert!(client.refused(1, br#"{"protocol": 2}"#).contains("expected protocol 1, got protocol 2"));
    assert!(client.refused(1, b"nonsense").contains("in JSON"));
    assert_eq!(client.ask(1, br#"{"protocol": 1}"#).0, 129);
    assert!(client.refused(3, &bytes(&[0.0; 9])).contains("episode"), "before a reset");
    assert!(client.refused(2, &[1; 7]).contains("a seed of 8 bytes, got 7 bytes"));
    assert_eq!(client.ask(2, &7_u64.to_le_bytes()).0, 130);
    assert!(client.refused(3, &bytes(&[0.0; 4])).contains('9'));
    assert!(client.refused(3, &[0; 5]).contains("4 bytes each, got 5 bytes"));
    assert!(client.refused(99, b"").contains("kind 99"));
    assert_eq!(client.ask(3, &bytes(&[f32::NAN; 9])).0, 131, "a wild action is survived");
    client.stream.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert_eq!(client.receive().0, 255, "the last word before the connection is closed");
    assert_eq!(client.server.join().unwrap(), Served { episodes: 1, steps: 1 });
}

#[test]
fn twenty_thousand_random_requests_never_stop_it() {
    let mut rng = Rng::new(7, "malformed requests");
    let mut client = Client::new();
    assert_eq!(client.ask(1, br#"{"protocol": 1}"#).0, 129);
    let mut answered = [0; 256];
    for _ in 0..20_000 {
        let kind = [1, 2, 3, 3, rng.bits() as u8][rng.below(5)];
        let length = [0, 8, 36, 36, rng.below(50)][rng.below(5)];
        let body: Vec<u8> = (0..length).map(|_| rng.bits() as u8).collect();
        answered[usize::from(client.ask(kind, &body).0)] += 1;
    }
    assert!(answered[130] > 100 && answered[131] > 100 && answered[255] > 100, "{answered:?}");
}
