//! The same floor plan for a point that moves any way it likes.

use super::grid::{Grid, Passage};
use serde::{Deserialize, Serialize};
use turnkey_core::{
    Action, End, Environment, Failure, Info, Kind, Observation, Rng, Snapshot, SnapshotError, Spec, Step,
};

/// Steps after which an episode is truncated.
pub const EPISODE_STEPS: usize = 200;
/// Cells that a point moves in one step along each axis, at most.
pub const STRIDE: f64 = 0.5;
/// How far from a wall a point comes to stand that ran into it, cells.
const GAP: f64 = 1e-6;

/// A point in a [`Grid`], moved by `[right, down]` in [-1, 1] times [`STRIDE`] cells: first sideways, then up or down, each as
/// far as the next wall. An episode begins anywhere in the middle half of the start's cell, gives -1 a step, and terminates in
/// the goal's cell. What is no number moves nothing.
///
/// A policy sees the place, each coordinate in [-1, 1] from edge to edge.
#[derive(Clone, Debug, PartialEq)]
pub struct PointMaze {
    grid: Grid,
    spec: Spec,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// Cells from the left and upper edge.
    place: [f64; 2],
    steps: usize,
    first_passage: Option<Passage>,
}

impl PointMaze {
    /// A point at the start's middle.
    #[must_use]
    pub fn new(grid: Grid) -> Self {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let spec = Spec {
            observation: names(["x", "y"]),
            pictures: None,
            action: names(["right", "down"]),
            episode_steps: EPISODE_STEPS,
        };
        let (column, row) = grid.column_and_row(grid.start());
        let place = [column as f64 + 0.5, row as f64 + 0.5];
        Self { grid, spec, state: State { place, steps: 0, first_passage: None } }
    }

    /// Where the point is: cells from the left and upper edge.
    #[must_use]
    pub fn place(&self) -> [f64; 2] {
        self.state.place
    }

    /// The passage that was entered first in this episode, if one was.
    #[must_use]
    pub fn first_passage(&self) -> Option<Passage> {
        self.state.first_passage
    }

    fn cell(&self, [x, y]: [f64; 2]) -> Option<usize> {
        self.grid.cell_at(x.floor() as isize, y.floor() as isize).filter(|cell| !self.grid.is_wall(*cell))
    }

    /// Moves along one axis, less than a cell.
    fn slide(&mut self, axis: usize, by: f64) {
        let from = self.state.place;
        let mut to = from;
        to[axis] += by;
        if self.cell(to).is_none() {
            let low = from[axis].floor();
            to[axis] = if by > 0.0 { low + 1.0 - GAP } else { low + GAP };
        }
        self.state.place = to;
    }

    fn observation(&self) -> Observation {
        let [x, y] = self.state.place;
        let scaled = |at: f64, size: usize| (2.0 * at / size as f64 - 1.0) as f32;
        Observation::from(vec![scaled(x, self.grid.width()), scaled(y, self.grid.height())])
    }
}

impl Environment for PointMaze {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
        let mut rng = Rng::new(seed, "maze's start");
        let (column, row) = self.grid.column_and_row(self.grid.start());
        let place = [column, row].map(|at| at as f64 + rng.uniform(0.25, 0.75));
        self.state = State { place, steps: 0, first_passage: None };
        Ok(self.observation())
    }

    fn step(&mut self, action: &Action) -> Result<Step, Failure> {
        if action.0.len() != 2 {
            let words = format!("the maze: expected 2 numbers as an action, got {:?}", action.0);
            return Err(Failure::new(Kind::Bug, words));
        }
        for (axis, by) in action.bounded().enumerate() {
            self.slide(axis, STRIDE * f64::from(by));
        }
        self.state.steps += 1;
        let cell = self.cell(self.state.place);
        let entered = [Passage::Near, Passage::Far].into_iter().find(|p| cell == Some(self.grid.passage(*p)));
        self.state.first_passage = self.state.first_passage.or(entered);
        let success = cell == Some(self.grid.goal());
        let end = match self.state.steps {
            _ if success => Some(End::Terminated),
            EPISODE_STEPS.. => Some(End::Truncated),
            _ => None,
        };
        let info = Info { success: Some(success), ..Info::default() };
        Ok(Step { observation: self.observation(), reward: -1.0, end, info })
    }
}

impl Snapshot for PointMaze {
    fn save(&self) -> Vec<u8> {
        // Plain numbers: nothing that postcard can't write.
        postcard::to_stdvec(&self.state).unwrap_or_default()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        let refuse = |reason: String| SnapshotError::new("maze", reason);
        let (state, rest): (State, _) = postcard::take_from_bytes(state).map_err(|error| refuse(error.to_string()))?;
        if !rest.is_empty() {
            return Err(refuse(format!("expected nothing after it, got {} bytes", rest.len())));
        }
        let is_number = state.place.iter().all(|at| at.is_finite());
        if !is_number || self.cell(state.place).is_none() || state.steps > EPISODE_STEPS {
            let expected = format!("a place off the walls and at most {EPISODE_STEPS} steps");
            return Err(refuse(format!("expected {expected}, got {:?} and {}", state.place, state.steps)));
        }
        self.state = state;
        Ok(())
    }
}
