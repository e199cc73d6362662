//! Messages said and taken apart again, whole and damaged.

use super::*;
use proptest::prelude::*;
use turnkey_core::Step;

/// A message without its length: kind and body.
fn split(message: &[u8]) -> (u8, &[u8]) {
    assert_eq!(u32::from_le_bytes(message[..4].try_into().unwrap()) as usize, message.len() - 4);
    (message[4], &message[5..])
}

#[test]
fn requests_come_back_as_they_were_said() {
    let open = Open { protocol: 1, id: Some("A".into()), module: None, episode_steps: Some(3), arguments: Map::new() };
    for request in [Request::Open(open), Request::Reset(u64::MAX), Request::Step(vec![1.5, -0.0, f32::MIN_POSITIVE])] {
        let message = request.encode();
        let (kind, body) = split(&message);
        assert_eq!(Request::decode(kind, body).unwrap(), request);
    }
    assert_eq!(Request::Reset(258).encode(), [9, 0, 0, 0, 2, 2, 1, 0, 0, 0, 0, 0, 0], "as docs/gymnasium.md has it");
}

#[test]
fn steps_come_back_as_they_were_taken() {
    for (end, angular_error) in [(None, None), (Some(End::Terminated), Some(0.25)), (Some(End::Truncated), None)] {
        let info = Info { angular_error, success: angular_error.map(|_| true), terms: Vec::new() };
        let step = Step { observation: vec![0.5, -2.0].into(), reward: -1.25, end, info: info.clone() };
        let message = took(&step, None);
        let (kind, body) = split(&message);
        let Reply::Stepped(stepped) = Reply::decode(kind, body, 2).unwrap() else { panic!("a step") };
        assert_eq!((stepped.reward, stepped.end, Info::from(stepped.info)), (-1.25, end, info));
        assert_eq!(stepped.numbers, [0.5, -2.0]);
        assert!(Reply::decode(kind, body, 3).is_err(), "another width");
    }
}

#[test]
fn what_is_wrong_with_a_reply_is_named() {
    let said = |kind, body: &[u8]| {
        let Mismatch { expected, actual } = Reply::decode(kind, body, 1).unwrap_err();
        format!("expected {expected}, got {actual}")
    };
    let step = |reward: f64, flags: u8, seen: f32, rest: &[u8]| {
        said(STEPPED, &[&reward.to_le_bytes()[..], &[flags], &seen.to_le_bytes(), rest].concat())
    };
    assert!(said(SEEN, &[0; 3]).ends_with("1 numbers, 4 bytes, got 3 bytes"), "{}", said(SEEN, &[0; 3]));
    assert!(said(SEEN, &f32::INFINITY.to_le_bytes()).contains("finite numbers, got inf at index 0"));
    assert!(step(f64::NAN, 0, 0.0, b"").contains("a reward that is a finite number in single precision, got NaN"));
    assert!(step(1e39, 0, 0.0, b"").contains("got 1e39"), "{}", step(1e39, 0, 0.0, b""));
    assert!(step(0.0, 4, 0.0, b"").contains("flags of 0 to 3, got [4]"));
    assert!(step(0.0, 0, f32::NAN, b"").contains("NaN at index 0"));
    assert!(step(0.0, 0, 0.0, b"[").contains("in JSON"));
    assert!(said(OPENED, b"{\"protocol\": 1}").contains("missing field"));
    assert!(said(77, b"").contains("kind 77"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whatever_bytes_come_a_message_or_a_mismatch_comes_out(
        kind in prop_oneof![Just(1_u8), Just(2), Just(3), Just(129), Just(130), Just(131), Just(255), any::<u8>()],
        body in proptest::collection::vec(any::<u8>(), 0..80),
        width in 0_usize..12,
    ) {
        let _ = Request::decode(kind, &body);
        if let Ok(Reply::Seen(numbers) | Reply::Stepped(Stepped { numbers, .. })) = Reply::decode(kind, &body, width) {
            prop_assert!(numbers.len() == width && numbers.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn a_damaged_step_is_a_step_or_a_mismatch(
        seen in proptest::collection::vec(-10.0_f32..10.0, 3),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let info = Info { angular_error: Some(0.5), success: Some(false), terms: Vec::new() };
        let step = Step { observation: seen.into(), reward: 1.0, end: None, info };
        let mut message = took(&step, None);
        for (at, byte) in damage {
            let at = at.index(message.len());
            message[at] = byte;
        }
        let end = 5 + cut.index(message.len() - 4);
        if let Ok(Reply::Stepped(step)) = Reply::decode(message[4], &message[5..end.min(message.len())], 3) {
            prop_assert!(step.reward.is_finite() && step.numbers.len() == 3);
        }
    }
}
