//! Soft Q-iteration in a table, to rest.

use super::grid::{Grid, MOVES};

/// What each move costs: a reward of -1 until the goal.
const REWARD: f64 = -1.0;
/// Values are at rest when a sweep changes none by more than this.
const TOLERANCE: f64 = 1e-11;
/// The most sweeps; a discount of 0.999 needs some 35,000.
const SWEEPS: usize = 100_000;

/// The values of the best policy at one temperature: the fixed point of the soft Bellman equation (arXiv:1702.08165, Eq. 5-6;
/// arXiv:1812.05905, Eq. 2-3)
///
/// `Q(s, a) = r + discount V(s')`, `V(s) = alpha log sum_a exp(Q(s, a) / alpha)`, and `V` of the goal is 0.
///
/// At `alpha` = 0 the second is `V(s) = max_a Q(s, a)`, which is ordinary Q-iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftQ {
    alpha: f64,
    discount: f64,
    /// A cell each. Shape `[cells]`.
    values: Vec<f64>,
}

/// A policy in a table: a probability for each move in each cell. Shape `[cells, moves]`.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePolicy(pub Vec<[f64; MOVES.len()]>);

/// Why there are no values.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// No temperature.
    #[error(
        "the temperature: expected a number of 0 to 1000, got {0}.\n  fix: the maze is worth looking at from 0 to 1"
    )]
    Alpha(f64),
    /// A discount under which values may have no bound, or take too long.
    #[error("the discount: expected a number of 0 to 0.999, got {0}.\n  fix: 0.99 is the learner's")]
    Discount(f64),
    /// Values still move.
    #[error(
        "values still change by {residual:e} after {sweeps} sweeps, expected at most {expected:e}.\n  fix: a lower discount"
    )]
    Unsettled {
        /// The greatest change of the last sweep.
        residual: f64,
        /// Sweeps made.
        sweeps: usize,
        /// The change that counts as none.
        expected: f64,
    },
}

impl SoftQ {
    /// Sweeps over all cells until no value changes by more than 1e-11 of the greatest.
    ///
    /// # Errors
    /// When temperature or discount are out of range, or values don't come to rest.
    pub fn solve(grid: &Grid, alpha: f64, discount: f64) -> Result<Self, SolveError> {
        if !(0.0..=1000.0).contains(&alpha) {
            return Err(SolveError::Alpha(alpha));
        }
        if !(0.0..=0.999).contains(&discount) {
            return Err(SolveError::Discount(discount));
        }
        let mut this = Self { alpha, discount, values: vec![0.0; grid.cells()] };
        let mut residual = f64::INFINITY;
        for _ in 0..SWEEPS {
            let next: Vec<f64> = (0..grid.cells()).map(|cell| this.backup(grid, cell)).collect();
            residual = this.values.iter().zip(&next).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max);
            let greatest = next.iter().map(|value| value.abs()).fold(1.0, f64::max);
            this.values = next;
            if residual <= TOLERANCE * greatest {
                return Ok(this);
            }
        }
        Err(SolveError::Unsettled { residual, sweeps: SWEEPS, expected: TOLERANCE })
    }

    /// What the equation makes of a cell's value, given its neighbours'.
    fn backup(&self, grid: &Grid, cell: usize) -> f64 {
        if cell == grid.goal() || grid.is_wall(cell) { 0.0 } else { soft_max(&self.q(grid, cell), self.alpha) }
    }

    /// Q of each move from a cell.
    ///
    /// # Panics
    /// When there is no such cell.
    #[must_use]
    pub fn q(&self, grid: &Grid, cell: usize) -> [f64; MOVES.len()] {
        MOVES.map(|step| REWARD + self.discount * self.values[grid.after(cell, step)])
    }

    /// V of each cell, 0 for the goal and walls. Shape `[cells]`.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// `exp((Q(s, a) - V(s)) / alpha)`. At temperature 0 the moves of greatest Q, which share equally where there are several.
    #[must_use]
    pub fn policy(&self, grid: &Grid) -> TablePolicy {
        let row = |cell| {
            let q = self.q(grid, cell);
            let best = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights = q.map(|q| match self.alpha {
                0.0 => f64::from(u8::from(q >= best - 1e-9)),
                alpha => ((q - best) / alpha).exp(),
            });
            let sum: f64 = weights.iter().sum();
            weights.map(|weight| weight / sum)
        };
        TablePolicy((0..grid.cells()).map(row).collect())
    }
}

impl TablePolicy {
    /// The entropy of what it does in a cell, nats.
    ///
    /// # Panics
    /// When there is no such cell.
    #[must_use]
    pub fn entropy(&self, cell: usize) -> f64 {
        let terms = self.0[cell].iter().filter(|p| **p > 0.0).map(|p| -p * p.ln());
        terms.sum::<f64>().max(0.0)
    }
}

/// `alpha log sum exp(q / alpha)`, from the greatest q, so that nothing overflows; its limit, the greatest, at 0.
fn soft_max(q: &[f64], alpha: f64) -> f64 {
    let best = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match alpha {
        0.0 => best,
        alpha => best + alpha * q.iter().map(|q| ((q - best) / alpha).exp()).sum::<f64>().ln(),
    }
}
