//! A maze with two passages to the goal, one of which may be blocked after learning: what the temperature is for, where
//! everything can be computed. Start reading at [`SoftQ::solve`].
//!
//! On the [`Grid`] nothing is sampled: the soft values are iterated to rest, and a [`Walk`] carries probabilities through it.
//! [`PointMaze`] is the same floor plan for a learner with continuous actions.

mod grid;
mod point;
mod soft_q;
#[cfg(test)]
mod tests;
mod walk;

pub use grid::{Grid, GridError, MOVES, Move, Passage};
pub use point::{EPISODE_STEPS, PointMaze, STRIDE};
pub use soft_q::{SoftQ, SolveError, TablePolicy};
pub use walk::{Walk, first_passage, visits};
