//! Experience with pictures, as an environment would give it.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use turnkey_core::{Action, Batch, End, Frame, FrameSize, Observation, PictureShape, Rng, Stamp, Transition};
use turnkey_replay::{Replay, Widths};

/// Pictures of 3 by 2 pixels.
pub(crate) const fn pictures(stack: usize) -> PictureShape {
    PictureShape { size: FrameSize { width: 3, height: 2 }, stack }
}

/// What happens in a run with pictures: every transition's numbers and frames are its own, save that
/// pictures sometimes stay the same, as those of a resting claw do.
pub(crate) struct Experience {
    widths: Widths,
    rng: Rng,
    clock: u64,
    /// How often, of a hundred, an episode terminates, is truncated, or is broken off without an end.
    often: [usize; 3],
    present: Option<Observation>,
}

impl Experience {
    pub(crate) fn new(widths: Widths, seed: u64, often: [usize; 3]) -> Self {
        Self { widths, rng: Rng::new(seed, "experience"), clock: 0, often, present: None }
    }

    pub(crate) fn transition(&mut self) -> Transition {
        let observation = self.present.take().unwrap_or_else(|| self.first());
        let mut pictures = observation.pictures.clone();
        let stays = self.rng.below(8) == 0;
        pictures.extend(
            self.widths.pictures.map(|shape| if stays { pictures[shape.stack - 1].clone() } else { self.frame(shape) }),
        );
        pictures.drain(..pictures.len().min(1));
        let next = Observation { numbers: self.numbers(self.widths.observation), pictures };
        let (drawn, [terminated, truncated, broken]) = (self.rng.below(100), self.often);
        let end = match drawn {
            _ if drawn < terminated => Some(End::Terminated),
            _ if drawn < terminated + truncated => Some(End::Truncated),
            _ => None,
        };
        if drawn >= terminated + truncated + broken {
            self.present = Some(next.clone());
        }
        let (action, reward) = (Action(self.numbers(self.widths.action)), self.numbers(1)[0]);
        Transition { observation, action, reward, next, end }
    }

    /// An episode's first observation: copies of its first frame.
    fn first(&mut self) -> Observation {
        let pictures = self.widths.pictures.map(|shape| vec![self.frame(shape); shape.stack]);
        Observation { numbers: self.numbers(self.widths.observation), pictures: pictures.unwrap_or_default() }
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.rng.normal() as f32).collect()
    }

    fn frame(&mut self, shape: PictureShape) -> Frame {
        self.clock += 1;
        let pixels: Vec<u8> = (0..shape.size.bytes()).map(|_| self.rng.below(256) as u8).collect();
        Frame::new(Stamp(Duration::from_millis(self.clock)), shape.size, pixels).unwrap()
    }
}

/// The pictures of an observation laid over each other, `[height, width, 3 * stack]`.
pub(crate) fn laid_over(pictures: &[Frame]) -> Vec<u8> {
    let pixels = pictures.first().map_or(0, |frame| frame.size().bytes() / 3);
    (0..pixels).flat_map(|at| pictures.iter().flat_map(move |frame| frame.pixels()[3 * at..][..3].to_vec())).collect()
}

/// Fills a batch with `rows`.
pub(crate) fn lay_out(rows: &[&Transition], batch: &mut Batch) {
    batch.observations = rows.iter().flat_map(|t| t.observation.numbers.clone()).collect();
    batch.actions = rows.iter().flat_map(|t| t.action.0.clone()).collect();
    batch.rewards = rows.iter().map(|t| t.reward).collect();
    batch.next_observations = rows.iter().flat_map(|t| t.next.numbers.clone()).collect();
    batch.continues = rows.iter().map(|t| f32::from(t.end != Some(End::Terminated))).collect();
    if let Some(pictures) = &mut batch.pictures {
        pictures.observations = rows.iter().flat_map(|t| laid_over(&t.observation.pictures)).collect();
        pictures.next_observations = rows.iter().flat_map(|t| laid_over(&t.next.pictures)).collect();
    }
}

/// Whether two replays give the same samples.
pub(crate) fn same(a: &Replay, b: &Replay) -> bool {
    let sample = |replay: &Replay| {
        let Widths { observation, action, pictures } = replay.widths();
        let mut batch = Batch::zeros(4 * replay.len(), observation, action).with_pictures(pictures);
        if !replay.is_empty() {
            replay.sample(&mut batch, &mut Rng::new(1, "sample")).unwrap();
        }
        (replay.len(), replay.pushed(), replay.capacity(), batch)
    };
    sample(a) == sample(b)
}

/// A log's files with what is in them, by name.
pub(crate) fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut contents: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    contents.sort();
    contents
}
