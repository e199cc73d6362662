//! Frames that are lost or late.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use turnkey_core::{Frame, Rng};

/// Gives the frame before again where one is lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dropped {
    probability: f32,
    given: Option<Frame>,
}

impl Dropped {
    pub(super) fn new(probability: f32) -> Self {
        Self { probability, given: None }
    }

    pub(super) fn next(&mut self, frame: Frame, rng: &mut Rng) -> Frame {
        let lost = rng.unit() < f64::from(self.probability);
        match &self.given {
            Some(before) if lost => before.clone(),
            _ => self.given.insert(frame).clone(),
        }
    }
}

/// Gives frames some frames later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Late {
    frames: u8,
    /// Oldest first.
    held: VecDeque<Frame>,
}

impl Late {
    pub(super) fn new(frames: u8) -> Self {
        Self { frames, held: VecDeque::new() }
    }

    pub(super) fn next(&mut self, frame: Frame) -> Frame {
        self.held.push_back(frame.clone());
        if self.held.len() > usize::from(self.frames) + 1 {
            self.held.pop_front();
        }
        self.held.front().cloned().unwrap_or(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{FrameSize, Stamp};

    fn frames() -> impl Iterator<Item = Frame> {
        (0_u8..100).map(|i| crate::frame(Stamp::default(), FrameSize { width: 1, height: 1 }, [i; 3].into()))
    }

    #[test]
    fn late_frames_are_those_of_so_many_frames_ago() {
        let mut late = Late::new(2);
        let given: Vec<u8> = frames().take(6).map(|frame| late.next(frame).pixels()[0]).collect();
        assert_eq!(given, [0, 0, 0, 1, 2, 3]);
    }

    #[test]
    fn a_dropped_frame_is_the_one_given_before_and_the_first_is_never_dropped() {
        let mut rng = Rng::new(1, "test");
        let mut dropped = Dropped::new(0.4);
        let given: Vec<u8> = frames().map(|frame| dropped.next(frame, &mut rng).pixels()[0]).collect();
        let lost = (0..100).filter(|i| usize::from(given[*i]) != *i).count();
        assert!((25..55).contains(&lost), "{lost}");
        assert!((1..100).all(|i| usize::from(given[i]) == i || given[i] == given[i - 1]), "{given:?}");
        let mut always = Dropped::new(1.0);
        assert!(frames().all(|frame| always.next(frame, &mut rng).pixels()[0] == 0));
    }
}
