//! Cells, walls, and two passages.

use serde::{Deserialize, Serialize};

/// A step to a neighbouring cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A row less.
    Up,
    /// A row more.
    Down,
    /// A column less.
    Left,
    /// A column more.
    Right,
}

/// Every move, in the order of tables of them.
pub const MOVES: [Move; 4] = [Move::Up, Move::Down, Move::Left, Move::Right];

impl Move {
    /// Columns to the right and rows down.
    #[must_use]
    pub fn offset(self) -> (isize, isize) {
        match self {
            Self::Up => (0, -1),
            Self::Down => (0, 1),
            Self::Left => (-1, 0),
            Self::Right => (1, 0),
        }
    }
}

/// One of the two gaps in the wall between start and goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// The one on the shortest way.
    Near,
    /// The other.
    Far,
}

/// A floor plan of square cells, numbered row by row from 0, walls among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    width: usize,
    walls: Vec<bool>,
    start: usize,
    goal: usize,
    passages: [usize; 2],
}

/// A floor plan that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// Rows differ in length, or there are none.
    #[error("expected rows of one length, at least 1, got lengths {lengths:?}.\n  fix: fill shorter rows up with #")]
    Ragged {
        /// The length of each row.
        lengths: Vec<usize>,
    },
    /// A sign without a meaning.
    #[error(
        "row {row}, column {column}: expected one of . # S G n f, got {sign:?}.\n  fix: write a free cell as a dot"
    )]
    Sign {
        /// From 0.
        row: usize,
        /// From 0.
        column: usize,
        /// What is there.
        sign: char,
    },
    /// Start, goal and passages are there once each.
    #[error("expected one {sign}, got {count}.\n  fix: have S, G, n and f once each")]
    Count {
        /// Which.
        sign: char,
        /// How many there are.
        count: usize,
    },
}

impl Grid {
    /// The maze of the figure: two rooms, and a wall with two gaps. By the nearer the goal is 8 moves from the start, by the
    /// farther 10.
    #[must_use]
    pub fn two_passages() -> Self {
        Self::parse("...#...\n...n...\nS..#..G\n...#...\n...f...").expect("a floor plan, as a test says")
    }

    /// Reads a floor plan, a line a row: `.` a free cell, `#` a wall, `S` start, `G` goal, `n` and `f` the nearer and the
    /// farther passage.
    ///
    /// # Errors
    /// When it isn't a rectangle, has other signs, or S, G, n or f more or less than once.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        let rows: Vec<Vec<char>> = text.lines().map(|row| row.chars().collect()).collect();
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return Err(GridError::Ragged { lengths: rows.iter().map(Vec::len).collect() });
        }
        let signs: Vec<char> = rows.into_iter().flatten().collect();
        if let Some(at) = signs.iter().position(|sign| !".#SGnf".contains(*sign)) {
            return Err(GridError::Sign { row: at / width, column: at % width, sign: signs[at] });
        }
        let only = |sign: char| {
            let mut found = signs.iter().enumerate().filter(|(_, s)| **s == sign).map(|(cell, _)| cell);
            match (found.next(), found.count()) {
                (Some(cell), 0) => Ok(cell),
                (first, more) => Err(GridError::Count { sign, count: more + usize::from(first.is_some()) }),
            }
        };
        let (start, goal, passages) = (only('S')?, only('G')?, [only('n')?, only('f')?]);
        Ok(Self { width, walls: signs.iter().map(|sign| *sign == '#').collect(), start, goal, passages })
    }

    /// The same with a wall in a passage. Cells keep their numbers.
    #[must_use]
    pub fn blocked(&self, passage: Passage) -> Self {
        let mut this = self.clone();
        this.walls[self.passage(passage)] = true;
        this
    }

    /// Where a move from `cell` leads: to where it was, where a wall or the edge is in the way. No move leaves the goal.
    ///
    /// # Panics
    /// When there is no such cell.
    #[must_use]
    pub fn after(&self, cell: usize, step: Move) -> usize {
        let (right, down) = step.offset();
        let (column, row) = self.column_and_row(cell);
        let to = self.cell_at(column as isize + right, row as isize + down);
        if cell == self.goal { cell } else { to.filter(|to| !self.walls[*to]).unwrap_or(cell) }
    }

    /// The cell in this column and row, if the plan reaches there.
    #[must_use]
    pub fn cell_at(&self, column: isize, row: isize) -> Option<usize> {
        let inside = |at: isize, end: usize| usize::try_from(at).ok().filter(|at| *at < end);
        Some(inside(row, self.height())? * self.width + inside(column, self.width)?)
    }

    /// Column and row of a cell, from 0 at the upper left.
    #[must_use]
    pub fn column_and_row(&self, cell: usize) -> (usize, usize) {
        (cell % self.width, cell / self.width)
    }

    /// Cells, walls included.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.walls.len()
    }

    /// Cells a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.walls.len() / self.width
    }

    /// Whether nobody can be in it.
    ///
    /// # Panics
    /// When there is no such cell.
    #[must_use]
    pub fn is_wall(&self, cell: usize) -> bool {
        self.walls[cell]
    }

    /// Where every walk begins.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where every walk ends.
    #[must_use]
    pub fn goal(&self) -> usize {
        self.goal
    }

    /// The cell of a passage.
    #[must_use]
    pub fn passage(&self, passage: Passage) -> usize {
        self.passages[passage as usize]
    }
}
