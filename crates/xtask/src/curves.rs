//! Learning curves as SVG: a figure over environment steps, its mean and a band from the worst seed to the best.

use crate::results::{number, thousands};
use serde_json::Value;
use std::fmt::Write as _;

const COLOURS: &[&str] = &[
    "#1b6ca8", "#d1495b", "#2e8b57", "#8a5cb5", "#c98a00", "#4a4a4a", "#00939c", "#a0522d", "#e377c2", "#7f9f00",
    "#000080", "#ff7f50",
];
/// The drawing, and the axes in it: left, top, right, bottom.
const SIZE: (f64, f64) = (760.0, 400.0);
const AXES: (f64, f64, f64, f64) = (60.0, 20.0, 560.0, 350.0);

/// What is drawn: an evaluation's figure, from 0 up.
pub(crate) struct Figure {
    /// Its key in an evaluation.
    key: &'static str,
    /// What it is, under the drawing.
    title: &'static str,
    /// Whether it is a rate, from 0 to 1.
    rate: bool,
}

/// The share of successful episodes.
pub(crate) const SUCCESS: Figure =
    Figure { key: "success_rate", title: "success of deterministic episodes", rate: true };
/// The sum of an episode's rewards.
pub(crate) const RETURN: Figure =
    Figure { key: "mean_return", title: "mean return of deterministic episodes", rate: false };

/// A point of a curve: the step; the mean, least and greatest figure of the seeds that were evaluated there.
struct Point {
    step: f64,
    mean: f64,
    low: f64,
    high: f64,
}

/// The drawing of labelled results; none where no result has evaluations on the way.
pub(crate) fn draw(groups: &[(String, Vec<&Value>)], figure: &Figure) -> Option<String> {
    let curves: Vec<(&str, Vec<Point>)> =
        groups.iter().map(|(label, results)| (label.as_str(), points(results, figure.key))).collect();
    let last = curves.iter().flat_map(|(_, points)| points.iter().map(|point| point.step)).fold(0.0, f64::max);
    if last <= 0.0 {
        return None;
    }
    let x = |step: f64| AXES.0 + (AXES.2 - AXES.0) * step / last;
    let highest = curves.iter().flat_map(|(_, points)| points.iter().map(|point| point.high)).fold(0.0, f64::max);
    let tick = if figure.rate { 0.2 } else { round_tick(highest / 5.0) };
    let top = if figure.rate { 1.0 } else { (highest / tick).ceil().max(1.0) * tick };
    let y = |value: f64| AXES.3 - (AXES.3 - AXES.1) * (value / top).clamp(0.0, 1.0);
    let mut svg = frame(last, (tick, top), figure, &x, &y);
    for (index, (label, points)) in curves.iter().enumerate().filter(|(_, (_, points))| !points.is_empty()) {
        let colour = COLOURS[index % COLOURS.len()];
        let path = |points: &mut dyn Iterator<Item = (f64, f64)>| {
            points.map(|(step, rate)| format!("{:.1},{:.1}", x(step), y(rate))).collect::<Vec<_>>().join(" ")
        };
        let band =
            path(&mut points.iter().map(|p| (p.step, p.high)).chain(points.iter().rev().map(|p| (p.step, p.low))));
        let line = path(&mut points.iter().map(|p| (p.step, p.mean)));
        let (text_y, label) = (AXES.1 + 16.0 + 20.0 * index as f64, escaped(label));
        let key_y = text_y - 6.0;
        write!(
            svg,
            r#"<polygon points="{band}" fill="{colour}" fill-opacity="0.15"/>
<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>
<rect x="575" y="{key_y}" width="14" height="4" fill="{colour}"/><text x="595" y="{text_y}">{label}</text>
"#
        )
        .expect("a String takes every text");
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// Axes, their marks and their names.
fn frame(
    last: f64,
    (tick, top): (f64, f64),
    figure: &Figure,
    x: &dyn Fn(f64) -> f64,
    y: &dyn Fn(f64) -> f64,
) -> String {
    let ((width, height), (left, _, right, bottom)) = (SIZE, AXES);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
"#
    );
    for index in 0..=(top / tick).round() as u32 {
        let value = f64::from(index) * tick;
        let (at, text_x) = (y(value), left - 6.0);
        let text_y = at + 4.0;
        let text = if figure.rate { format!("{:.0}%", 100.0 * value) } else { thousands(value) };
        writeln!(
            svg,
            r##"<line x1="{left}" y1="{at}" x2="{right}" y2="{at}" stroke="#ddd"/><text x="{text_x}" y="{text_y}" text-anchor="end">{text}</text>"##
        )
        .expect("a String takes every text");
    }
    for quarter in 0..=4 {
        let step = last * f64::from(quarter) / 4.0;
        let (at, text_y, step) = (x(step), bottom + 18.0, thousands(step));
        writeln!(svg, r#"<text x="{at}" y="{text_y}" text-anchor="middle">{step}</text>"#)
            .expect("a String takes every text");
    }
    let (middle, text_y) = (f64::midpoint(left, right), bottom + 38.0);
    let title = format!("environment steps ({}; bands: worst to best seed)", figure.title);
    writeln!(svg, r#"<text x="{middle}" y="{text_y}" text-anchor="middle">{title}</text>"#)
        .expect("a String takes every text");
    svg
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_tick(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|tick| *tick >= step).unwrap_or(power)
}

fn points(results: &[&Value], key: &str) -> Vec<Point> {
    let evaluations = results.iter().filter_map(|result| result["evaluations"].as_array()).flatten();
    let mut rates: Vec<(f64, f64)> = evaluations.filter_map(|e| Some((number(e, "step")?, number(e, key)?))).collect();
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at_one_step = rates.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
    at_one_step
        .map(|rates| Point {
            step: rates[0].0,
            mean: rates.iter().map(|(_, rate)| rate).sum::<f64>() / rates.len() as f64,
            low: rates.iter().map(|(_, rate)| *rate).fold(f64::INFINITY, f64::min),
            high: rates.iter().map(|(_, rate)| *rate).fold(f64::NEG_INFINITY, f64::max),
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seeds_are_averaged_where_they_were_evaluated_together() {
        let a = json!({"evaluations": [{"step": 100, "success_rate": 0.2}, {"step": 200, "success_rate": 0.6}]});
        let b = json!({"evaluations": [{"step": 100, "success_rate": {"value": 0.4}}]});
        let points = points(&[&a, &b], SUCCESS.key);
        assert_eq!(points.len(), 2);
        assert!((points[0].mean - 0.3).abs() < 1e-12 && points[0].low == 0.2 && points[0].high == 0.4);
        assert!(draw(&[("a<b".into(), vec![&a, &b])], &SUCCESS).unwrap().contains("a&lt;b"));
        assert!(draw(&[("a".into(), vec![])], &SUCCESS).is_none());
    }
}
