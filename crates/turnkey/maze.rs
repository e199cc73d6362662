//! `turnkey maze`: what the temperature does, in a maze with two passages one of which is blocked after learning.

mod figure;
mod trained;

use crate::cli::Maze;
use crate::printing::{print, print_json};
use anyhow::{Context as _, Result};
use serde::Serialize;
use turnkey_benchmarks::maze::{EPISODE_STEPS, Grid, Passage, SoftQ, TablePolicy, Walk, first_passage};

/// Of rewards one move later: the learner's default.
const DISCOUNT: f64 = 0.99;
/// The temperatures of the table.
const ALPHAS: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 1.0];

/// What the best policy of one temperature does in [`EPISODE_STEPS`] moves: probabilities, 0 to 1, computed and not sampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Row {
    alpha: f64,
    /// Takes the nearer passage first.
    near: f64,
    /// Takes the farther passage first.
    far: f64,
    /// Reaches the goal with both open.
    success: f64,
    /// Moves made until then, on average, at most all.
    moves: f64,
    /// Reaches the goal with the nearer blocked.
    success_near_blocked: f64,
    /// Reaches the goal with the farther blocked.
    success_far_blocked: f64,
    /// Of the policy where it goes, nats.
    entropy: f64,
}

impl Row {
    fn of(grid: &Grid, alpha: f64) -> Result<Self> {
        let policy = policy(grid, alpha)?;
        let open = Walk::new(&policy, grid, EPISODE_STEPS);
        let blocked = |passage| Walk::new(&policy, &grid.blocked(passage), EPISODE_STEPS).success();
        let [near, far] = first_passage(&policy, grid, EPISODE_STEPS);
        Ok(Self {
            alpha,
            near,
            far,
            success: open.success(),
            moves: open.mean_moves(),
            success_near_blocked: blocked(Passage::Near),
            success_far_blocked: blocked(Passage::Far),
            entropy: open.mean_entropy(&policy),
        })
    }
}

fn policy(grid: &Grid, alpha: f64) -> Result<TablePolicy> {
    Ok(SoftQ::solve(grid, alpha, DISCOUNT).with_context(|| format!("the maze at temperature {alpha}"))?.policy(grid))
}

/// Prints what the temperature does and draws it, or trains the learner on it.
///
/// # Errors
/// When the picture can't be written, or the learner is refused what it is given.
pub fn run(arguments: &Maze) -> Result<()> {
    let grid = Grid::two_passages();
    if arguments.train {
        let rows = trained::rows(&grid, arguments.seeds.0.clone(), arguments.steps)?;
        return if arguments.json { print_json(&rows) } else { print(&trained::table(&rows)) };
    }
    let rows = ALPHAS.into_iter().map(|alpha| Row::of(&grid, alpha)).collect::<Result<Vec<_>>>()?;
    figure::draw(&grid, &arguments.out)?;
    if arguments.json {
        return print_json(&rows);
    }
    print(&format!("{}the figure is {}\n", table(&rows), arguments.out.display()))
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>5}  {:>15}  {:>9}  {:>6}  {:>18}  {:>7}\n{:>5}  {:>7} {:>7}  {:>9}  {:>6}  {:>9} {:>8}  {:>7}\n",
        "",
        "passage first %",
        "both open",
        "",
        "arrives %, blocked",
        "entropy",
        "alpha",
        "nearer",
        "farther",
        "arrives %",
        "moves",
        "nearer",
        "farther",
        "nats"
    );
    for row in rows {
        let percent = |p: f64| format!("{:.1}", 100.0 * p);
        text += &format!(
            "{:>5}  {:>7} {:>7}  {:>9}  {:>6.1}  {:>9} {:>8}  {:>7.3}\n",
            row.alpha,
            percent(row.near),
            percent(row.far),
            percent(row.success),
            row.moves,
            percent(row.success_near_blocked),
            percent(row.success_far_blocked),
            row.entropy
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_temperature_and_says_what_greedy_does() {
        let greedy = Row::of(&Grid::two_passages(), 0.0).unwrap();
        assert_eq!((greedy.near, greedy.far, greedy.success, greedy.moves), (1.0, 0.0, 1.0, 8.0));
        assert_eq!((greedy.success_near_blocked, greedy.success_far_blocked), (0.0, 1.0));
        let text = table(&[greedy]);
        let numbers: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!(numbers[..7], ["0", "100.0", "0.0", "100.0", "8.0", "0.0", "100.0"]);
    }

    #[test]
    fn the_figure_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maze.svg");
        figure::draw(&Grid::two_passages(), &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
        let error = figure::draw(&Grid::two_passages(), &folder.path().join("no/where.svg")).unwrap_err();
        assert!(error.to_string().contains("can't be written"), "{error:#}");
    }
}
