//! Learning curves as a picture: success, distance to the target and return over environment steps.

mod band;

use crate::metrics::{self, Line};
use crate::run_folder::RunFolder;
use band::{runs, summary};
use plotters::coord::{Shift, types::RangedCoordf64};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};
use std::path::{Path, PathBuf};

/// One evaluation of one seed.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// Environment steps taken before it.
    pub step: u64,
    /// Episodes that succeeded, 0 to 1.
    pub success_rate: f64,
    /// Median over episodes of the absolute angular error at the last step, rad.
    pub median_error: f64,
    /// Mean over episodes of the sum of rewards.
    pub mean_return: f64,
}

/// One configuration, over its seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Its name in the legend.
    pub label: String,
    /// The evaluations of each seed, in order of steps. A figure that is not a number leaves a gap.
    pub seeds: Vec<Vec<Point>>,
}

/// The evaluations of a run so far.
///
/// # Errors
/// When its figures can't be read.
pub(crate) fn points(folder: &RunFolder) -> anyhow::Result<Vec<Point>> {
    let points = metrics::read(&folder.metrics())?.into_iter().filter_map(|line| match line {
        Line::Evaluation { step, evaluation, .. } => Some(Point {
            step,
            success_rate: evaluation.success_rate().unwrap_or(f64::NAN),
            median_error: evaluation.valve.as_ref().map_or(f64::NAN, |valve| valve.median_error.value),
            mean_return: evaluation.mean_return.value,
        }),
        _ => None,
    });
    Ok(points.collect())
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// No seed of any curve has a point.
    #[error("there is nothing to plot: expected at least one evaluation, got none in {curves} curves")]
    Empty {
        /// Curves given.
        curves: usize,
    },
    /// The picture could not be drawn or written.
    #[error("{path} can't be written: {reason}")]
    Write {
        /// Where the picture was to go.
        path: PathBuf,
        /// What the drawing or the file system said.
        reason: String,
    },
}

/// Draws `series` into a PNG of 1200 x 1000 pixels at `out`: a panel for the success rate, one for the
/// median angular distance and one for the return, over environment steps; those of which nothing is known are left out.
/// Thick lines are means over seeds where all of them have reached a step, bands reach from the least to the greatest seed,
/// and thin lines are the seeds. The file appears whole or not at all.
///
/// # Errors
/// When there is no point to draw, or the file can't be written.
pub fn learning_curves(series: &[Curve], out: &Path) -> Result<(), PlotError> {
    let points = || series.iter().flat_map(|curve| curve.seeds.iter().flatten());
    if points().next().is_none() {
        return Err(PlotError::Empty { curves: series.len() });
    }
    let known = [success(), distance(), episode_return("episode return".into())];
    let known = known.into_iter().filter(|panel| points().any(|point| (panel.value)(point).is_finite()));
    let title =
        if points().any(|point| point.success_rate.is_finite()) { "Learning to turn the valve" } else { "Learning" };
    draw_to(title, &known.map(|panel| (panel, series)).collect::<Vec<_>>(), out)
}

/// Draws the returns of several environments as [`learning_curves`] does, a panel for each. Curves of one label have one
/// colour.
///
/// # Errors
/// As [`learning_curves`].
pub fn returns(environments: &[(String, Vec<Curve>)], out: &Path) -> Result<(), PlotError> {
    let panel = |(name, curves): &'_ (String, Vec<Curve>)| (episode_return(format!("return, {name}")), curves.clone());
    let panels: Vec<(Panel, Vec<Curve>)> = environments.iter().map(panel).collect();
    let panels = panels.iter().map(|(panel, curves)| (panel.clone(), curves.as_slice())).collect::<Vec<_>>();
    draw_to("Learning to walk", &panels, out)
}

fn draw_to(title: &str, panels: &[(Panel, &[Curve])], out: &Path) -> Result<(), PlotError> {
    let curves = || panels.iter().flat_map(|(_, curves)| curves.iter());
    let last = curves().flat_map(|curve| curve.seeds.iter().flatten()).map(|point| point.step).max();
    let last = last.ok_or(PlotError::Empty { curves: curves().count() })?;
    let failed = |reason: String| PlotError::Write { path: out.to_owned(), reason };
    let mut large = vec![255; (3 * WIDTH * HEIGHT * SCALE * SCALE) as usize];
    draw(title, panels, last, &mut large).map_err(failed)?;
    let aside = out.with_extension("part.png");
    write_png(&smaller(&large), &aside).map_err(failed)?;
    std::fs::rename(&aside, out).map_err(|e| failed(e.to_string()))
}

/// Size of the picture, pixels.
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 1000;
/// Where the panels' frames begin and end, pixels from the picture's left and right edge.
const LEFT: u32 = 98;
const RIGHT: u32 = 30;
/// Drawn this much larger, then averaged down: plotters' thick lines and bands have hard edges.
const SCALE: u32 = 3;
/// Okabe and Ito's colours, told apart by colour-blind readers too (their yellow is too pale for lines).
pub(crate) const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
pub(crate) const INK: RGBColor = RGBColor(40, 40, 40);
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);
/// The published success threshold, rad.
const SUCCESS_ERROR: f64 = 0.1;

/// One panel: what it shows of a point, and how.
#[derive(Clone)]
struct Panel {
    label: String,
    value: fn(&Point) -> f64,
    /// Lowest and highest value of the axis, from the data's own.
    range: fn(f64, f64) -> (f64, f64),
    /// A value worth a dashed line, with what to say of it.
    threshold: Option<(f64, &'static str)>,
}

fn success() -> Panel {
    let label = "success rate (%)".into();
    Panel { label, value: |p| 100.0 * p.success_rate, range: |_, _| (0.0, 100.0), threshold: None }
}

fn distance() -> Panel {
    Panel {
        label: "median angular distance (rad)".into(),
        value: |p| p.median_error,
        range: |_, high| (0.0, (1.08 * high).max(2.0 * SUCCESS_ERROR)),
        threshold: Some((SUCCESS_ERROR, "success below 0.1 rad")),
    }
}

fn episode_return(label: String) -> Panel {
    let range = |low: f64, high: f64| {
        let margin = (0.08 * (high - low)).max(0.02 * high.abs()).max(1e-3);
        (low - margin, high + margin)
    };
    Panel { label, value: |p| p.mean_return, range, threshold: None }
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'b, BitMapBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn draw(title: &str, panels: &[(Panel, &[Curve])], last: u64, pixels: &mut [u8]) -> Result<(), String> {
    load_font()?;
    let root = BitMapBackend::with_buffer(pixels, (WIDTH * SCALE, HEIGHT * SCALE)).into_drawing_area();
    draw_figure(title, panels, last, &root).and_then(|()| Ok(root.present()?)).map_err(|e| e.to_string())
}

/// Makes the built-in font the one that is drawn with, whatever the machine has.
pub(crate) fn load_font() -> Result<(), String> {
    let loaded = register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    loaded.map_err(|_| "the built-in font is not a font".into())
}

fn draw_figure(
    title: &str,
    panels: &[(Panel, &[Curve])],
    last: u64,
    root: &Area<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    root.fill(&WHITE)?;
    root.draw(&Text::new(title, (px(LEFT), px(14)), font(30)))?;
    let legend = legend(panels);
    if legend.iter().any(|(_, seeds)| *seeds > 1) {
        let note = "thick: mean over seeds, band: least to greatest, thin: single seeds";
        let place = Pos::new(HPos::Right, VPos::Top);
        root.draw(&Text::new(note, (px(WIDTH - RIGHT), px(24)), font(17).pos(place)))?;
    }
    let below = draw_legend(&legend, root)?;
    let (_, room) = root.margin(0, px(8), px(10), px(RIGHT)).split_vertically(below);
    for (i, (area, (panel, curves))) in room.split_evenly((panels.len(), 1)).iter().zip(panels).enumerate() {
        let colors = curves.iter().map(|curve| {
            PALETTE[legend.iter().position(|(label, _)| *label == curve.label).unwrap_or(0) % PALETTE.len()]
        });
        let curves: Vec<(&Curve, RGBColor)> = curves.iter().zip(colors).collect();
        draw_panel(&curves, last, area, panel, i + 1 == panels.len())?;
    }
    Ok(())
}

/// Each label with how many seeds it has at most, in the order of the first mention: a colour for each.
fn legend<'a>(panels: &[(Panel, &'a [Curve])]) -> Vec<(&'a str, usize)> {
    let mut legend: Vec<(&str, usize)> = Vec::new();
    for curve in panels.iter().flat_map(|(_, curves)| curves.iter()) {
        let seeds = curve.seeds.iter().filter(|seed| !seed.is_empty()).count();
        match legend.iter_mut().find(|(label, _)| *label == curve.label) {
            Some((_, most)) => *most = seeds.max(*most),
            None => legend.push((&curve.label, seeds)),
        }
    }
    legend
}

/// Names the curves in rows under the title, and says where the rows end.
fn draw_legend(legend: &[(&str, usize)], root: &Area<'_>) -> Result<i32, Box<dyn std::error::Error>> {
    let (mut x, mut y) = (px(LEFT), px(56));
    for ((label, seeds), color) in legend.iter().zip(PALETTE.iter().cycle()) {
        let text = format!("{label} ({seeds} {})", if *seeds == 1 { "seed" } else { "seeds" });
        let width = px(40) + root.estimate_text_size(&text, &font(19))?.0 as i32;
        if x > px(LEFT) && x + width > px(WIDTH - RIGHT) {
            (x, y) = (px(LEFT), y + px(26));
        }
        let middle = y + px(10);
        root.draw(&PathElement::new([(x, middle), (x + px(30), middle)], color.stroke_width(3 * SCALE)))?;
        root.draw(&Text::new(text, (x + px(40), y), font(19)))?;
        x += width + px(28);
    }
    Ok(y + px(30))
}

fn draw_panel(
    series: &[(&Curve, RGBColor)],
    last: u64,
    area: &Area<'_>,
    panel: &Panel,
    bottom: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let values = series.iter().flat_map(|(c, _)| c.seeds.iter().flatten()).map(panel.value).filter(|v| v.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low.is_finite() { (panel.range)(low, high) } else { (0.0, 1.0) };
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(10))
        .x_label_area_size(px(if bottom { 58 } else { 34 }))
        .y_label_area_size(px(LEFT - 10))
        .build_cartesian_2d(0.0..(last.max(1) as f64), low..high)?;
    let y_label = |y: &f64| number(*y, high - low);
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(GRID.stroke_width(SCALE)).light_line_style(TRANSPARENT).axis_style(INK.stroke_width(SCALE));
    mesh.x_labels(9).y_labels(6).x_label_formatter(&|x| steps(*x)).y_label_formatter(&y_label);
    mesh.label_style(font(18)).axis_desc_style(font(19)).y_desc(&panel.label);
    if bottom {
        mesh.x_desc("environment steps");
    }
    mesh.set_all_tick_mark_size(px(5)).draw()?;
    if let Some((value, text)) = panel.threshold {
        let line = [(0.0, value), (last.max(1) as f64, value)];
        chart.draw_series(DashedLineSeries::new(line, px(7), px(5), INK.mix(0.6).stroke_width(SCALE)))?;
        let (x, y) = chart.backend_coord(&(0.0, value));
        area.draw(&Text::new(text, relative(area, (x + px(8), y - px(22))), font(16)))?;
    }
    for (curve, color) in series {
        draw_curve(&mut chart, curve, *color, panel.value)?;
    }
    Ok(())
}

fn draw_curve(
    chart: &mut Chart<'_, '_>,
    curve: &Curve,
    color: RGBColor,
    value: fn(&Point) -> f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let seeds: Vec<&Vec<Point>> = curve.seeds.iter().filter(|seed| !seed.is_empty()).collect();
    let summary = summary(&seeds, value);
    if seeds.len() > 1 {
        for run in runs(summary.iter().map(|s| s.map(|s| (s.step, s.low, s.high)))) {
            let edge = run.iter().map(|p| (p.0, p.1)).chain(run.iter().rev().map(|p| (p.0, p.2)));
            chart.draw_series([Polygon::new(edge.collect::<Vec<_>>(), color.mix(0.16))])?;
        }
        for seed in &seeds {
            let points = seed.iter().map(|p| Some((p.step as f64, value(p))).filter(|(_, v)| v.is_finite()));
            draw_line(chart, points, color.mix(0.45).stroke_width(SCALE))?;
        }
    }
    let mean = summary.iter().map(|s| s.map(|s| (s.step, s.mean)));
    draw_line(chart, mean, color.stroke_width(3 * SCALE))
}

/// Draws connected points, and lonely ones as dots.
fn draw_line(
    chart: &mut Chart<'_, '_>,
    points: impl Iterator<Item = Option<(f64, f64)>>,
    style: ShapeStyle,
) -> Result<(), Box<dyn std::error::Error>> {
    for run in runs(points) {
        if let [alone] = run[..] {
            chart.draw_series([Circle::new(alone, style.stroke_width + SCALE, style.filled())])?;
        } else {
            chart.draw_series(LineSeries::new(run, style))?;
        }
    }
    Ok(())
}

/// A step on the axis: 0, 500, 20k, 1.5M.
fn steps(x: f64) -> String {
    match x {
        x if x >= 1e6 => format!("{}M", (x / 1e4).round() / 100.0),
        x if x >= 1e3 => format!("{}k", (x / 10.0).round() / 100.0),
        x => format!("{}", x.round()),
    }
}

/// A number on an axis that spans `span`, with as many decimals as tell ticks apart.
fn number(y: f64, span: f64) -> String {
    let decimals = if span > 8.0 { 0 } else { (1.0 - span.log10()).ceil().clamp(1.0, 6.0) as usize };
    let text = format!("{y:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) { "0".into() } else { text }
}

/// Pixels of the finished picture as pixels of the drawing.
fn px(pixels: u32) -> i32 {
    (pixels * SCALE) as i32
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", px(size)).into_font().color(&INK)
}

fn relative(area: &Area<'_>, (x, y): (i32, i32)) -> (i32, i32) {
    let (left, top) = area.get_base_pixel();
    (x - left, y - top)
}

/// The drawing averaged down to the picture's size, RGB.
fn smaller(large: &[u8]) -> Vec<u8> {
    let (width, scale) = (WIDTH as usize, SCALE as usize);
    let mut small = Vec::with_capacity(3 * width * HEIGHT as usize);
    for y in 0..HEIGHT as usize {
        for x in 0..width {
            for channel in 0..3 {
                let pixel = |i: usize| (y * scale + i / scale) * width * scale + x * scale + i % scale;
                let sum: u32 = (0..scale * scale).map(|i| u32::from(large[3 * pixel(i) + channel])).sum();
                small.push((sum / (SCALE * SCALE)) as u8);
            }
        }
    }
    small
}

fn write_png(pixels: &[u8], path: &Path) -> Result<(), String> {
    let mut backend = BitMapBackend::new(path, (WIDTH, HEIGHT));
    backend.blit_bitmap((0, 0), (WIDTH, HEIGHT), pixels).map_err(|e| e.to_string())?;
    backend.present().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: u64, success_rate: f64) -> Point {
        Point { step, success_rate, median_error: 1.0 - success_rate, mean_return: 10.0 * success_rate }
    }

    fn plot(series: &[Curve]) -> Result<Vec<u8>, PlotError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        learning_curves(series, &path)?;
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names, ["curves.png"], "nothing else is left behind");
        Ok(std::fs::read(path).unwrap())
    }

    #[test]
    fn a_single_point_a_seed_without_points_and_numbers_missing_all_give_a_picture() {
        let alone = Curve { label: "alone".into(), seeds: vec![vec![point(0, 0.5)], vec![]] };
        let missing = Curve { label: "missing".into(), seeds: vec![vec![point(10, f64::NAN)]] };
        let png = plot(&[alone, missing]).unwrap();
        assert_eq!(&png[1..4], b"PNG");
        assert_eq!(png[16..24], [0, 0, 4, 176, 0, 0, 3, 232], "1200 x 1000 pixels");
    }

    #[test]
    fn nothing_to_plot_and_nowhere_to_write_are_errors_that_say_so() {
        let empty = Curve { label: "empty".into(), seeds: vec![vec![]] };
        assert!(matches!(plot(&[empty]), Err(PlotError::Empty { curves: 1 })));
        let some = Curve { label: "some".into(), seeds: vec![vec![point(0, 0.5)]] };
        let error = learning_curves(&[some], Path::new("/nowhere/at/all.png")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/at/all.png can't be written: "), "{error}");
    }

    #[test]
    fn axis_numbers_are_short_and_tell_ticks_apart() {
        assert_eq!([0.0, 500.0, 20_000.0, 2_500.0, 1.5e6].map(steps), ["0", "500", "20k", "2.5k", "1.5M"]);
        assert_eq!(number(40.0, 100.0), "40");
        assert_eq!(number(0.25, 0.4), "0.25");
        assert_eq!(number(-0.000_01, 3.0), "0");
    }
}
