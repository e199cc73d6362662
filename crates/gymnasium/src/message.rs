//! What the two ends say to each other, as bytes and as values. See docs/gymnasium.md.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use turnkey_core::{End, Info, Observation, PictureShape};

/// The version of the protocol. The two ends must have the same.
pub(crate) const PROTOCOL: u32 = 1;

const OPEN: u8 = 1;
const RESET: u8 = 2;
const STEP: u8 = 3;
const OPENED: u8 = 129;
const SEEN: u8 = 130;
const STEPPED: u8 = 131;
const REFUSED: u8 = 255;

const TERMINATED: u8 = 1;
const TRUNCATED: u8 = 2;
/// Bytes before an observation in what a step gave: the reward, and the flags.
const STEP_HEAD: usize = 9;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// To make the environment.
    Open(Open),
    /// To begin an episode.
    Reset(u64),
    /// To act, in the units of the action's bounds.
    Step(Vec<f32>),
}

/// Which environment is to be made. A server that has but one is only told the protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) protocol: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) module: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) episode_steps: Option<usize>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) arguments: Map<String, Value>,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    /// The environment is made.
    Opened(Opened),
    /// The episode has begun.
    Seen(Vec<f32>),
    /// The step was taken.
    Stepped(Stepped),
    /// It can't be done.
    Refused(Refusal),
}

/// The sizes of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) protocol: u32,
    pub(crate) name: String,
    /// Numbers of an observation.
    pub(crate) numbers: usize,
    /// Their names, or none.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// The pictures of an observation, where there are any.
    #[serde(default)]
    pub(crate) pictures: Option<PictureShape>,
    /// The bounds of each number of an action.
    pub(crate) low: Vec<f32>,
    pub(crate) high: Vec<f32>,
    /// Steps after which an episode is truncated, where something cuts it off.
    #[serde(default)]
    pub(crate) episode_steps: Option<usize>,
    /// How long a step takes in its world, where that is known, s.
    #[serde(default)]
    pub(crate) period_secs: Option<f64>,
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stepped {
    pub(crate) reward: f64,
    pub(crate) end: Option<End>,
    pub(crate) numbers: Vec<f32>,
    pub(crate) info: Told,
}

/// What a step is worth recording besides: nothing, if all are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) angular_error: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<bool>,
}

/// Why something can't be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) fix: String,
}

/// Bytes that are no message, or not the one that was to come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub(crate) expected: String,
    pub(crate) actual: String,
}

/// A result, or what was expected in its place and what came.
pub(crate) type Parsed<T> = Result<T, Mismatch>;

fn mismatch<T>(expected: impl Into<String>, actual: impl Into<String>) -> Parsed<T> {
    Err(Mismatch { expected: expected.into(), actual: actual.into() })
}

impl Request {
    /// What is asked, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Reset(_) => "reset",
            Self::Step(_) => "step",
        }
    }

    /// The message, its length first.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Open(open) => json(OPEN, open),
            Self::Reset(seed) => message(RESET, &[&seed.to_le_bytes()]),
            Self::Step(action) => message(STEP, &[&bytes(action)]),
        }
    }

    /// The request of this kind in these bytes.
    pub(crate) fn decode(kind: u8, body: &[u8]) -> Parsed<Self> {
        match kind {
            OPEN => Ok(Self::Open(parsed(body, "what is to be opened")?)),
            RESET => match body.try_into() {
                Ok(seed) => Ok(Self::Reset(u64::from_le_bytes(seed))),
                Err(_) => mismatch("a seed of 8 bytes", format!("{} bytes", body.len())),
            },
            STEP => Ok(Self::Step(numbers(body)?)),
            other => mismatch(format!("a request: {OPEN} open, {RESET} reset or {STEP} step"), format!("kind {other}")),
        }
    }
}

impl Reply {
    /// The reply of this kind in these bytes, from an environment with observations of `width` numbers.
    pub(crate) fn decode(kind: u8, body: &[u8], width: usize) -> Parsed<Self> {
        match kind {
            OPENED => Ok(Self::Opened(parsed(body, "an environment's sizes")?)),
            SEEN => Ok(Self::Seen(observation(body, width)?)),
            STEPPED => Ok(Self::Stepped(stepped(body, width)?)),
            REFUSED => Ok(Self::Refused(parsed(body, "a refusal")?)),
            other => mismatch(
                format!("a reply: {OPENED} opened, {SEEN} seen, {STEPPED} stepped or {REFUSED} refused"),
                format!("kind {other}"),
            ),
        }
    }

    /// What is answered, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Opened(_) => "sizes",
            Self::Seen(_) => "a first observation",
            Self::Stepped(_) => "a step",
            Self::Refused(_) => "a refusal",
        }
    }
}

/// The most bytes, kind included, that a reply about observations of `width` numbers may have: those and a page of JSON.
pub(crate) fn longest_reply(width: usize) -> usize {
    (1 << 20) + width.saturating_mul(4)
}

/// What was opened, as a message.
pub(crate) fn opened(opened: &Opened) -> Vec<u8> {
    json(OPENED, opened)
}

/// A refusal, as a message.
pub(crate) fn refused(message: impl Into<String>, fix: impl Into<String>) -> Vec<u8> {
    json(REFUSED, &Refusal { message: message.into(), fix: fix.into() })
}

/// A first observation, as a message.
pub(crate) fn seen(observation: &Observation, pictures: Option<PictureShape>) -> Vec<u8> {
    message(SEEN, &[&bytes(&observation.numbers), &laid_over(observation, pictures)])
}

/// What a step gave, as a message.
pub(crate) fn took(step: &turnkey_core::Step, pictures: Option<PictureShape>) -> Vec<u8> {
    let flags = match step.end {
        None => 0,
        Some(End::Terminated) => TERMINATED,
        Some(End::Truncated) => TRUNCATED,
    };
    let told = Told { angular_error: step.info.angular_error, success: step.info.success };
    let told = if told == Told::default() { Vec::new() } else { serde_json::to_vec(&told).unwrap_or_default() };
    let seen = (bytes(&step.observation.numbers), laid_over(&step.observation, pictures));
    message(STEPPED, &[&step.reward.to_le_bytes(), &[flags], &seen.0, &seen.1, &told])
}

impl From<Told> for Info {
    fn from(told: Told) -> Self {
        Self { angular_error: told.angular_error, success: told.success, terms: Vec::new() }
    }
}

/// An observation's pictures, `[height, width, 3*stack]`; nothing where there are none.
fn laid_over(observation: &Observation, pictures: Option<PictureShape>) -> Vec<u8> {
    let Some(shape) = pictures else { return Vec::new() };
    let mut out = vec![0; shape.bytes()];
    shape.lay_over(observation.pictures.iter().map(turnkey_core::Frame::pixels), &mut out);
    out
}

fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    // Nothing that is sent comes near 4 GiB, and what does is refused by the other end for its length.
    let mut out = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    out.push(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

fn json(kind: u8, value: &impl Serialize) -> Vec<u8> {
    // Strings, numbers and maps with strings as keys: nothing that JSON can't say.
    message(kind, &[&serde_json::to_vec(value).unwrap_or_default()])
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Parsed<T> {
    serde_json::from_slice(body).or_else(|error| {
        let began: String = String::from_utf8_lossy(body).chars().take(60).collect();
        mismatch(format!("{what} in JSON"), format!("{began:?}: {error}"))
    })
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Little-endian numbers of single precision.
fn numbers(body: &[u8]) -> Parsed<Vec<f32>> {
    let (numbers, rest) = body.as_chunks::<4>();
    if !rest.is_empty() {
        return mismatch("numbers of 4 bytes each", format!("{} bytes", body.len()));
    }
    Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

fn observation(body: &[u8], width: usize) -> Parsed<Vec<f32>> {
    if body.len() != 4 * width {
        return mismatch(format!("an observation of {width} numbers, {} bytes", 4 * width), bytes_came(body.len()));
    }
    let numbers = numbers(body)?;
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(index) => mismatch("an observation of finite numbers", format!("{} at index {index}", numbers[index])),
        None => Ok(numbers),
    }
}

fn stepped(body: &[u8], width: usize) -> Parsed<Stepped> {
    let least = STEP_HEAD + 4 * width;
    let (Some((reward, rest)), true) = (body.split_first_chunk::<8>(), body.len() >= least) else {
        return mismatch(
            format!("a step with an observation of {width} numbers, {least} bytes"),
            bytes_came(body.len()),
        );
    };
    let reward = f64::from_le_bytes(*reward);
    // Learning is in single precision.
    if !(reward as f32).is_finite() {
        return mismatch("a reward that is a finite number in single precision", format!("{reward:?}"));
    }
    let (flags, rest) = rest.split_at(1);
    let end = match flags {
        [0] => None,
        [TRUNCATED] => Some(End::Truncated),
        [flags] if *flags <= TERMINATED | TRUNCATED => Some(End::Terminated),
        other => return mismatch("flags of 0 to 3", format!("{other:?}")),
    };
    let (seen, told) = rest.split_at(4 * width);
    let info =
        if told.is_empty() { Told::default() } else { parsed(told, "what else a step told, after its observation,")? };
    Ok(Stepped { reward, end, numbers: observation(seen, width)?, info })
}

fn bytes_came(count: usize) -> String {
    format!("{count} bytes")
}
