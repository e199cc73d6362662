//! Mazes whose answers are known.

use super::*;
use turnkey_core::{Action, End, Environment as _, Rng, Snapshot as _};

const DISCOUNT: f64 = 0.99;

fn policy(grid: &Grid, alpha: f64) -> TablePolicy {
    SoftQ::solve(grid, alpha, DISCOUNT).unwrap().policy(grid)
}

fn success_when_blocked(alpha: f64, blocked: Passage) -> f64 {
    let grid = Grid::two_passages();
    Walk::new(&policy(&grid, alpha), &grid.blocked(blocked), EPISODE_STEPS).success()
}

/// Free cells but the goal.
fn cells(grid: &Grid) -> impl Iterator<Item = usize> {
    (0..grid.cells()).filter(|cell| !grid.is_wall(*cell) && *cell != grid.goal())
}

#[test]
fn what_is_left_of_the_soft_bellman_equation_is_zero_and_probabilities_add_up_to_one() {
    let grid = Grid::two_passages();
    for alpha in [0.0, 1e-3, 0.1, 0.6, 1.0, 50.0] {
        let soft = SoftQ::solve(&grid, alpha, DISCOUNT).unwrap();
        let policy = soft.policy(&grid);
        for cell in cells(&grid) {
            let (q, p) = (soft.q(&grid, cell), policy.0[cell]);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{alpha} {cell}: {p:?}");
            // The same value, written the other way: E[Q] + alpha H (arXiv:1812.05905, Eq. 3).
            let expected: f64 = q.iter().zip(p).map(|(q, p)| q * p).sum::<f64>() + alpha * policy.entropy(cell);
            let value = soft.values()[cell];
            assert!((value - expected).abs() < 1e-8 * expected.abs().max(1.0), "{alpha} {cell}: {value}, {expected}");
        }
    }
}

#[test]
fn as_alpha_goes_to_zero_values_and_policy_become_those_of_hard_iteration() {
    let grid = Grid::two_passages();
    let hard = SoftQ::solve(&grid, 0.0, DISCOUNT).unwrap();
    // Eight moves at -1, discounted: -(1 - 0.99^8) / (1 - 0.99).
    let eight = -(1.0 - DISCOUNT.powi(8)) / (1.0 - DISCOUNT);
    assert!((hard.values()[grid.start()] - eight).abs() < 1e-9);
    for alpha in [0.1, 0.01, 0.001] {
        let soft = SoftQ::solve(&grid, alpha, DISCOUNT).unwrap();
        for cell in cells(&grid) {
            // Each of at most 100 moves' worth of discount adds at most alpha log 4.
            let above = soft.values()[cell] - hard.values()[cell];
            assert!((-1e-9..=alpha * 4_f64.ln() * 100.0).contains(&above), "{alpha} {cell}: {above}");
        }
    }
    let difference =
        |(soft, hard): (&[f64; 4], &[f64; 4])| soft.iter().zip(hard).any(|(s, h)| (*h == 0.0) && *s > 1e-6);
    let (soft, hard) = (policy(&grid, 0.01), hard.policy(&grid));
    let strayed = cells(&grid).find(|cell| difference((&soft.0[*cell], &hard.0[*cell])));
    assert_eq!(strayed, None, "a move that hard iteration never makes");
}

#[test]
fn a_corridor_has_the_values_that_a_pencil_gives() {
    let grid = Grid::parse("SnfG").unwrap();
    let soft = SoftQ::solve(&grid, 0.5, 0.0).unwrap();
    for cell in 0..3 {
        // Without a future every move is worth -1: V = -1 + 0.5 log 4.
        assert!((soft.values()[cell] - (-1.0 + 0.5 * 4_f64.ln())).abs() < 1e-12);
    }
    assert_eq!(soft.values()[3], 0.0);
    // Half of what follows counts: -1, -1 - 0.5, -1 - 0.75.
    let hard = SoftQ::solve(&grid, 0.0, 0.5).unwrap();
    assert_eq!(hard.values(), [-1.75, -1.5, -1.0, 0.0]);
}

#[test]
fn two_passages_alike_are_taken_alike() {
    let grid = Grid::parse("..#..\n..n..\nS.#.G\n..f..\n..#..").unwrap();
    for alpha in [0.0, 0.05, 0.3, 0.6] {
        let [near, far] = first_passage(&policy(&grid, alpha), &grid, 2000);
        assert!((near - 0.5).abs() < 1e-6 && (far - 0.5).abs() < 1e-6, "{alpha}: {near} and {far}");
    }
}

#[test]
fn with_the_best_way_blocked_greedy_never_arrives_and_soft_mostly_does() {
    assert_eq!(success_when_blocked(0.0, Passage::Near), 0.0);
    assert_eq!(success_when_blocked(0.0, Passage::Far), 1.0, "it never goes there");
    let (near, far) = (success_when_blocked(0.6, Passage::Near), success_when_blocked(0.6, Passage::Far));
    assert!(near > 0.9 && far > 0.9, "{near} and {far}");
    // Where a move's entropy, at most log 4, is worth more than it costs, the goal is no longer worth reaching.
    assert!(1.0 / 4_f64.ln() < 0.8);
    assert!(success_when_blocked(0.8, Passage::Near) < 0.01);
}

#[test]
fn probability_is_neither_lost_nor_made_on_the_way() {
    let grid = Grid::two_passages();
    let policy = policy(&grid, 0.6);
    let walk = Walk::new(&policy, &grid, 50);
    assert!(walk.arrived.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(walk.success() <= 1.0 && walk.arrived[7] == 0.0 && walk.arrived[8] > 0.0, "8 moves are the fewest");
    // Moves made are those of walks still under way: the sum over time of what hasn't arrived.
    let under_way: f64 = walk.arrived[..50].iter().map(|arrived| 1.0 - arrived).sum();
    assert!((walk.mean_moves() - under_way).abs() < 1e-9);
    let visits = visits(&policy, &grid, 50);
    assert!((visits[grid.goal()] - walk.success()).abs() < 1e-12 && visits[grid.start()] == 1.0);
    assert!(
        visits.iter().zip(&walk.occupancy).enumerate().all(|(cell, (v, o))| cell == grid.goal() || *v <= o + 1e-12)
    );
}

#[test]
fn a_floor_plan_that_is_none_and_temperatures_out_of_range_are_refused_with_the_fix() {
    let refused = |text: &str| Grid::parse(text).unwrap_err().to_string();
    assert!(refused("").starts_with("expected rows of one length, at least 1, got lengths []"));
    assert!(refused("SnfG\n..").starts_with("expected rows of one length, at least 1, got lengths [4, 2]"));
    assert!(refused("Snf?").starts_with("row 0, column 3: expected one of . # S G n f, got '?'"));
    assert!(
        refused("SnfGG").starts_with("expected one G, got 2") && refused("SnG").starts_with("expected one f, got 0")
    );
    let grid = Grid::two_passages();
    for alpha in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(SoftQ::solve(&grid, alpha, DISCOUNT), Err(SolveError::Alpha(_))));
    }
    for discount in [-0.1, 1.0, f64::NAN] {
        assert!(matches!(SoftQ::solve(&grid, 0.1, discount), Err(SolveError::Discount(_))));
    }
}

/// Acts until the episode ends, and says how.
fn run(maze: &mut PointMaze, mut action: impl FnMut(&PointMaze) -> [f32; 2]) -> End {
    loop {
        let step = maze.step(&Action(action(maze).to_vec())).unwrap();
        assert_eq!(step.reward, -1.0);
        if let Some(end) = step.end {
            return end;
        }
    }
}

/// Up or down to the middle of a row, then right.
fn by_row(row: f64) -> impl FnMut(&PointMaze) -> [f32; 2] {
    move |maze| {
        let [x, y] = maze.place();
        let row = if x > 4.0 { 2.5 } else { row };
        let down = ((row - y) / STRIDE).clamp(-1.0, 1.0);
        if down.abs() > 0.5 { [0.0, down as f32] } else { [1.0, down as f32] }
    }
}

#[test]
fn a_point_gets_through_an_open_passage_and_stands_before_a_blocked_one_until_the_time_is_over() {
    let grid = Grid::two_passages();
    for (row, passage) in [(1.5, Passage::Near), (4.5, Passage::Far)] {
        let mut maze = PointMaze::new(grid.clone());
        maze.reset(3).unwrap();
        assert_eq!(run(&mut maze, by_row(row)), End::Terminated);
        assert_eq!(maze.first_passage(), Some(passage));
        let mut maze = PointMaze::new(grid.blocked(passage));
        maze.reset(3).unwrap();
        assert_eq!(run(&mut maze, by_row(row)), End::Truncated);
        assert_eq!(maze.first_passage(), None);
        assert!((maze.place()[0] - 3.0).abs() < 1e-5, "{:?}", maze.place());
    }
}

#[test]
fn a_point_is_never_in_a_wall_whatever_it_does() {
    let grid = Grid::two_passages();
    let mut maze = PointMaze::new(grid.clone());
    let mut rng = Rng::new(5, "test");
    for seed in 0..20 {
        maze.reset(seed).unwrap();
        run(&mut maze, |maze| {
            let [x, y] = maze.place();
            let cell = grid.cell_at(x.floor() as isize, y.floor() as isize).expect("a place in the plan");
            assert!(!grid.is_wall(cell), "{x} {y}");
            [rng.uniform(-1.5, 1.5) as f32, rng.uniform(-1.5, 1.5) as f32]
        });
    }
}

#[test]
fn a_state_in_a_wall_or_cut_off_is_refused_and_changes_nothing() {
    let mut open = PointMaze::new(Grid::two_passages());
    open.reset(1).unwrap();
    run(&mut open, |maze| if maze.first_passage().is_some() { [0.0, 0.0] } else { by_row(1.5)(maze) });
    let saved = open.save();
    let mut blocked = PointMaze::new(Grid::two_passages().blocked(Passage::Near));
    let before = blocked.clone();
    assert!(blocked.restore(&saved).unwrap_err().to_string().contains("a place off the walls"));
    for bytes in [&saved[..5], &[saved.as_slice(), &[0]].concat(), &[]] {
        assert!(blocked.restore(bytes).is_err());
    }
    assert_eq!(blocked, before);
}
