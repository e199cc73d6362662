//! Where a policy goes, by carrying its probabilities through the maze: nothing is drawn.

use super::grid::{Grid, MOVES, Passage};
use super::soft_q::TablePolicy;

/// A policy's walks from the start, all of them at once, for a number of moves. The policy may have been made for another
/// grid of the same cells: it is run as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// Probability of having reached the goal after so many moves, from 0. Shape `[moves + 1]`.
    pub arrived: Vec<f64>,
    /// Moves made from each cell, on average. Shape `[cells]`.
    pub occupancy: Vec<f64>,
}

impl Walk {
    /// Carries the start's probability through `moves` moves.
    ///
    /// # Panics
    /// When the policy has fewer cells than the grid.
    #[must_use]
    pub fn new(policy: &TablePolicy, grid: &Grid, moves: usize) -> Self {
        let mut occupancy = vec![0.0; grid.cells()];
        let mut here = at_start(grid);
        let mut arrived = vec![here[grid.goal()]];
        for _ in 0..moves {
            for (cell, p) in here.iter().enumerate().filter(|(cell, _)| *cell != grid.goal()) {
                occupancy[cell] += p;
            }
            here = carried(&here, policy, grid, &[]);
            arrived.push(here[grid.goal()]);
        }
        Self { arrived, occupancy }
    }

    /// Probability of having reached the goal by the end.
    #[must_use]
    pub fn success(&self) -> f64 {
        self.arrived.last().copied().unwrap_or_default()
    }

    /// Moves until the goal, on average, where those that haven't reached it count with all that they made.
    #[must_use]
    pub fn mean_moves(&self) -> f64 {
        self.occupancy.iter().sum()
    }

    /// Entropy of the policy, nats, averaged over the moves made.
    #[must_use]
    pub fn mean_entropy(&self, policy: &TablePolicy) -> f64 {
        let sum: f64 = self.occupancy.iter().enumerate().map(|(cell, visits)| visits * policy.entropy(cell)).sum();
        sum / self.mean_moves()
    }
}

/// Probability that each passage is the first to be entered within `moves` moves, the nearer's first.
///
/// # Panics
/// When the policy has fewer cells than the grid.
#[must_use]
pub fn first_passage(policy: &TablePolicy, grid: &Grid, moves: usize) -> [f64; 2] {
    let passages = [grid.passage(Passage::Near), grid.passage(Passage::Far)];
    let mut here = at_start(grid);
    for _ in 0..moves {
        here = carried(&here, policy, grid, &passages);
    }
    passages.map(|passage| here[passage])
}

/// Probability of having been in each cell within `moves` moves. Shape `[cells]`.
///
/// # Panics
/// When the policy has fewer cells than the grid.
#[must_use]
pub fn visits(policy: &TablePolicy, grid: &Grid, moves: usize) -> Vec<f64> {
    let visited = |cell| {
        let end = (0..moves).fold(at_start(grid), |here, _| carried(&here, policy, grid, &[cell]));
        end[cell]
    };
    (0..grid.cells()).map(visited).collect()
}

fn at_start(grid: &Grid) -> Vec<f64> {
    let mut here = vec![0.0; grid.cells()];
    here[grid.start()] = 1.0;
    here
}

/// Where probability is one move later. What is in a cell of `stay` remains there, as at the goal.
fn carried(here: &[f64], policy: &TablePolicy, grid: &Grid, stay: &[usize]) -> Vec<f64> {
    let mut there = vec![0.0; here.len()];
    for (cell, p) in here.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        if cell == grid.goal() || stay.contains(&cell) {
            there[cell] += p;
            continue;
        }
        for (step, chance) in MOVES.into_iter().zip(policy.0[cell]) {
            there[grid.after(cell, step)] += p * chance;
        }
    }
    there
}
