//! The maze under three temperatures, with both passages open and with one blocked, and success over the temperature.

use super::{Row, policy};
use crate::plot::{GRID, INK, PALETTE, load_font};
use crate::run_folder::write_durably;
use anyhow::{Context as _, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;
use turnkey_benchmarks::maze::{EPISODE_STEPS, Grid, MOVES, Passage, TablePolicy, Walk, visits};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A curve: its name, what it shows of a row, its colour, its width in pixels.
type Series = (&'static str, fn(&Row) -> f64, RGBColor, u32);
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Size of the picture, pixels.
const SIZE: (u32, u32) = (1200, 1010);
/// Side of a cell, pixels.
const CELL: i32 = 48;
/// The three temperatures that are shown as mazes, with what they are.
const SHOWN: [(f64, &str); 3] = [(0.0, "greedy"), (0.6, "soft"), (1.0, "too hot")];
/// Where mazes are, pixels: the first one's upper left corner, and from one to the next.
const FIRST: (i32, i32) = (66, 106);
const NEXT: (i32, i32) = (368, 284);
const CHART_TOP: i32 = 654;
const WALL: RGBColor = RGBColor(70, 70, 70);
const BLOCK: RGBColor = PALETTE[1];

/// Draws the figure as SVG at `out`. The file appears whole or not at all.
pub(super) fn draw(grid: &Grid, out: &Path) -> Result<()> {
    let failed = || format!("{} can't be written.\n  fix: --out with a file in a folder that is there", out.display());
    load_font().map_err(|reason| anyhow!(reason))?;
    let curve = (0..=200).map(|i| Row::of(grid, f64::from(i) / 200.0)).collect::<Result<Vec<_>>>()?;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw_on(grid, &curve, &root).and_then(|()| Ok(root.present()?)).map_err(|error| anyhow!(error.to_string()))?;
    }
    write_durably(out, text.as_bytes()).with_context(failed)
}

fn draw_on(grid: &Grid, curve: &[Row], root: &Area<'_>) -> Drawn {
    root.fill(&WHITE)?;
    root.draw(&Text::new("Two ways to the goal, one of them blocked after learning", (FIRST.0, 16), font(28)))?;
    let note = format!("blue: how likely a cell is visited in {EPISODE_STEPS} moves; strokes: how likely each move is");
    root.draw(&Text::new(note, (FIRST.0, 54), font(17)))?;
    for (column, (alpha, name)) in (0..).zip(SHOWN) {
        let policy = policy(grid, alpha)?;
        for (row, blocked) in (0..).zip([None, Some(Passage::Near)]) {
            let corner = (FIRST.0 + column * NEXT.0, FIRST.1 + row * NEXT.1);
            let open = blocked.map_or_else(|| grid.clone(), |passage| grid.blocked(passage));
            let percent = 100.0 * Walk::new(&policy, &open, EPISODE_STEPS).success();
            let state = if blocked.is_some() { "nearer blocked" } else { "both open" };
            let title = format!("α = {alpha} ({name}), {state}: {percent:.0}% arrive");
            root.draw(&Text::new(title, (corner.0, corner.1 - 24), font(17)))?;
            draw_maze(grid, &open, &policy, corner, root)?;
        }
    }
    draw_curve(curve, root)
}

/// One maze, as `open` is, under a policy made for `grid`.
fn draw_maze(grid: &Grid, open: &Grid, policy: &TablePolicy, (left, top): (i32, i32), root: &Area<'_>) -> Drawn {
    let visited = visits(policy, open, EPISODE_STEPS);
    for (cell, p) in visited.into_iter().enumerate() {
        let (column, row) = grid.column_and_row(cell);
        let corner = (left + CELL * column as i32, top + CELL * row as i32);
        let opposite = (corner.0 + CELL, corner.1 + CELL);
        let color = match (grid.is_wall(cell), open.is_wall(cell)) {
            (true, _) => WALL,
            (false, true) => BLOCK,
            (false, false) => shade(p),
        };
        root.draw(&Rectangle::new([corner, opposite], color.filled()))?;
        root.draw(&Rectangle::new([corner, opposite], GRID.stroke_width(1)))?;
        let middle = (corner.0 + CELL / 2, corner.1 + CELL / 2);
        if cell == grid.goal() {
            draw_sign("G", middle, p, root)?;
        } else if !open.is_wall(cell) {
            draw_moves(&policy.0[cell], middle, p, root)?;
        }
        if cell == grid.start() {
            draw_sign("S", (corner.0 + 9, corner.1 + 11), p, root)?;
        }
    }
    let end = (left + CELL * grid.width() as i32, top + CELL * grid.height() as i32);
    Ok(root.draw(&Rectangle::new([(left, top), end], WALL.stroke_width(2)))?)
}

fn draw_sign(sign: &'static str, middle: (i32, i32), visited: f64, root: &Area<'_>) -> Drawn {
    let style = ("sans-serif", 17).into_font().color(&on(visited)).pos(Pos::new(HPos::Center, VPos::Center));
    Ok(root.draw(&Text::new(sign, middle, style))?)
}

/// A stroke for each move from a dot in the middle, as long as it is likely.
fn draw_moves(probabilities: &[f64], middle: (i32, i32), visited: f64, root: &Area<'_>) -> Drawn {
    root.draw(&Circle::new(middle, 3, on(visited).filled()))?;
    for (step, p) in MOVES.into_iter().zip(probabilities).filter(|(_, p)| **p > 0.01) {
        let (right, down) = step.offset();
        let length = |by: isize| (0.46 * f64::from(CELL) * p * by as f64).round() as i32;
        let end = (middle.0 + length(right), middle.1 + length(down));
        root.draw(&PathElement::new([middle, end], on(visited).stroke_width(2)))?;
    }
    Ok(())
}

/// White where nobody comes, blue where everybody does.
fn shade(p: f64) -> RGBColor {
    let RGBColor(r, g, b) = PALETTE[0];
    let mixed = |to: u8| (255.0 + p.clamp(0.0, 1.0) * (f64::from(to) - 255.0)) as u8;
    RGBColor(mixed(r), mixed(g), mixed(b))
}

/// What can be read on that shade.
fn on(p: f64) -> RGBColor {
    if p > 0.55 { WHITE } else { INK }
}

fn draw_curve(curve: &[Row], root: &Area<'_>) -> Drawn {
    let (_, below) = root.split_vertically(CHART_TOP);
    let mut chart = ChartBuilder::on(&below)
        .margin_top(44)
        .margin_right(40)
        .margin_bottom(8)
        .x_label_area_size(52)
        .margin_left(8)
        .y_label_area_size(FIRST.0 - 8)
        .build_cartesian_2d(0.0..1.0, 0.0..100.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(GRID).light_line_style(TRANSPARENT).axis_style(INK).x_labels(11).y_labels(6);
    mesh.x_label_formatter(&|x| format!("{x:.1}")).y_label_formatter(&|y| format!("{y:.0}"));
    mesh.label_style(font(16)).axis_desc_style(font(18)).x_desc("temperature α").y_desc("probability (%)").draw()?;
    let worth = 1.0 / (MOVES.len() as f64).ln();
    let line = [(worth, 0.0), (worth, 100.0)];
    chart.draw_series(DashedLineSeries::new(line, 6, 5, INK.mix(0.6).stroke_width(1)))?;
    let (x, y) = chart.backend_coord(&(worth, 96.0));
    for (i, words) in
        ["1 / log 4: from here on the", "entropy of wandering is worth", "more than it costs"].iter().enumerate()
    {
        root.draw(&Text::new(*words, (x + 10, y + 22 * i as i32), font(16)))?;
    }
    let series: [Series; 4] = [
        ("arrives, both open", |row| row.success, PALETTE[0], 2),
        ("arrives, farther blocked", |row| row.success_far_blocked, PALETTE[2], 2),
        ("arrives, nearer blocked", |row| row.success_near_blocked, PALETTE[1], 4),
        ("takes the farther first, both open", |row| row.far, PALETTE[3], 2),
    ];
    let mut x = FIRST.0;
    for (label, value, color, width) in series {
        let points = curve.iter().map(|row| (row.alpha, 100.0 * value(row)));
        chart.draw_series(LineSeries::new(points, color.stroke_width(width)))?;
        root.draw(&PathElement::new([(x, CHART_TOP + 22), (x + 30, CHART_TOP + 22)], color.stroke_width(width)))?;
        root.draw(&Text::new(label, (x + 38, CHART_TOP + 12), font(17)))?;
        x += 38 + root.estimate_text_size(label, &font(17))?.0 as i32 + 36;
    }
    Ok(())
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}
