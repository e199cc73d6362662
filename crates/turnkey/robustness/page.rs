//! The page: what each disturbance looks like and what it costs.

use super::{ArmResult, Robustness, Verdict};
use std::fmt::Write as _;

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
.family { display: flex; gap: 1.2rem; align-items: center; border-top: 1px solid #ddd; padding: .9rem 0; }
.name { width: 11rem; } figure { margin: 0; text-align: center; font-size: .8rem; }
img { width: 120px; image-rendering: pixelated; border: 3px solid #ccc; display: block; }
.holds { border-color: #2a9d4a; } .suffers { border-color: #e0a100; } .breaks { border-color: #c62828; }
p.said { font-size: 1.05rem; } small { color: #666; }";

/// The page of a test, which finds its pictures beside itself.
pub(super) fn html(robustness: &Robustness) -> String {
    let Robustness { run, step, episodes, paired, control, arms, left_out } = robustness;
    let run = escaped(run);
    let compared = if *paired {
        "each arm on the same episodes as the control"
    } else {
        "each beginning where the valve was, so that arms are compared as independent samples"
    };
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Robustness of {run}</title><style>{STYLE}</style>\
         <h1>Robustness of {run}</h1><p>Step {step}. {episodes} episodes an arm, {compared}, deterministic policy, 95% intervals. Pictures are what the policy saw; their borders say: <b style=\"color:#2a9d4a\">\
         no loss shown</b>, <b style=\"color:#b07d00\">loses some</b>, <b style=\"color:#c62828\">loses a quarter of all \
         episodes or more</b>.</p><p class=\"said\">{}</p>",
        said(robustness)
    );
    let families = std::iter::once(std::slice::from_ref(control)).chain(arms.chunk_by(|a, b| a.family == b.family));
    for family in families {
        let name = escaped(&family[0].family.replace('_', " "));
        let _ =
            write!(page, "<div class=\"family\"><div class=\"name\"><h2>{name}</h2></div>{}", curve(control, family));
        family.iter().for_each(|arm| page.push_str(&figure(arm)));
        page.push_str("</div>");
    }
    if !left_out.is_empty() {
        let arms = left_out.iter().map(|arm| format!("<li>{}</li>", escaped(arm))).collect::<String>();
        let _ = write!(page, "<p>Left out:</p><ul>{arms}</ul>");
    }
    page.push_str("</html>\n");
    page
}

/// Which families break the policy, in a sentence.
fn said(robustness: &Robustness) -> String {
    let mut broken: Vec<_> = robustness.arms.iter().filter(|arm| arm.verdict == Verdict::Breaks).collect();
    broken.dedup_by(|later, first| later.family == first.family); // the weakest strength that does
    if broken.is_empty() {
        return "No disturbance breaks this policy beyond doubt.".into();
    }
    let names = broken.iter().map(|arm| format!("{} (from strength {})", arm.family.replace('_', " "), arm.strength));
    format!("Broken by {}.", escaped(&names.collect::<Vec<_>>().join(", ")))
}

fn figure(arm: &ArmResult) -> String {
    let percent = |x: f64| format!("{:.0}", 100.0 * x);
    let class = match arm.verdict {
        Verdict::Holds => "holds",
        Verdict::Suffers => "suffers",
        Verdict::Breaks => "breaks",
    };
    let (rate, difference) = (arm.success_rate, arm.success_difference);
    format!(
        "<figure><img class=\"{class}\" src=\"{}\" alt=\"{} {}\"><b>{}%</b> [{}, {}]<br><small>{:+.0} [{:+.0}, {:+.0}] points</small>\
         <br><small>error {:.3} rad</small></figure>",
        escaped(&arm.picture),
        escaped(&arm.family),
        arm.strength,
        percent(rate.value),
        percent(rate.low),
        percent(rate.high),
        100.0 * difference.value,
        100.0 * difference.low,
        100.0 * difference.high,
        arm.median_error.value,
    )
}

/// Success over strength, the control's at 0, with intervals.
fn curve(control: &ArmResult, family: &[ArmResult]) -> String {
    let points: Vec<_> = std::iter::once(control).chain(family.iter().filter(|arm| arm.strength > 0)).collect();
    let last = points.iter().map(|arm| arm.strength).max().unwrap_or(0).max(1);
    let at = |arm: &ArmResult, rate: f64| (12.0 + 136.0 * arm.strength as f64 / last as f64, 80.0 - 70.0 * rate);
    let mut svg = String::from(
        "<svg width=\"160\" height=\"96\" role=\"img\" aria-label=\"success over strength\"><path d=\"M12 10V80H150\" \
         fill=\"none\" stroke=\"#999\"/><text x=\"0\" y=\"14\" font-size=\"9\">1</text><text x=\"0\" y=\"84\" font-size=\"9\">0</text>",
    );
    let line: Vec<_> =
        points.iter().map(|arm| at(arm, arm.success_rate.value)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ =
        write!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#1565c0\" stroke-width=\"2\"/>", line.join(" "));
    for arm in points {
        let ((x, low), (_, high)) = (at(arm, arm.success_rate.low), at(arm, arm.success_rate.high));
        let y = at(arm, arm.success_rate.value).1;
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {low:.1}V{high:.1}\" stroke=\"#1565c0\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1565c0\"/>"
        );
        let _ = write!(svg, "<text x=\"{:.1}\" y=\"93\" font-size=\"9\">{}</text>", x - 2.0, arm.strength);
    }
    svg + "</svg>"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
