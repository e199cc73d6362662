//! How a run is going, on one screen line or two: a bar on a terminal, log lines elsewhere.

use crate::screen::{Bar, LogWriter};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// What there is to say of a run at one moment. A figure that isn't known yet is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Status {
    /// Environment steps taken.
    pub step: u64,
    /// Sum of rewards of the last episode.
    pub episode_return: Option<f64>,
    /// Episodes that succeeded of late, 0 to 1.
    pub success_rate: Option<f64>,
    /// Median of late over episodes of the absolute angular error at the last step, rad.
    pub median_error: Option<f64>,
    /// Temperature: the weight of entropy against reward.
    pub temperature: Option<f64>,
    /// Gradient steps a second, of late.
    pub gradient_steps_per_sec: Option<f64>,
}

/// Shows how a run is going: a bar where stderr is a terminal, otherwise a log line every 5% of the run,
/// and after 30 s at the latest.
pub struct Progress {
    total_steps: u64,
    output: Output,
    pace: Pace,
    latest: Status,
    begun: Instant,
}

enum Output {
    Hidden,
    Bar { bar: Bar, drawn: Option<Instant> },
    Lines { said: Option<(u64, Instant)> },
}

const DRAW_PERIOD: Duration = Duration::from_millis(100);
const LINE_PERIOD: Duration = Duration::from_secs(30);
const LINES_A_RUN: u64 = 20;

impl Progress {
    /// Progress towards `total_steps` environment steps. `hidden` says nothing at all.
    #[must_use]
    pub fn new(total_steps: u64, hidden: bool) -> Self {
        let output = match (hidden, io::stderr().is_terminal()) {
            (true, _) => Output::Hidden,
            (false, true) => Output::Bar { bar: Bar::new(bar(total_steps)), drawn: None },
            (false, false) => Output::Lines { said: None },
        };
        Self { total_steps, output, pace: Pace::default(), latest: Status::default(), begun: Instant::now() }
    }

    /// Takes the newest figures. Cheap enough for every step: draws ten times a second at most.
    pub fn update(&mut self, status: &Status) {
        let now = Instant::now();
        self.latest = *status;
        self.pace.update(status.step, now);
        match &mut self.output {
            Output::Bar { drawn, .. } if drawn.is_none_or(|drawn| now - drawn >= DRAW_PERIOD) => {
                *drawn = Some(now);
                self.draw(self.time_left());
            }
            Output::Lines { said }
                if is_due(status.step, self.total_steps, said.map(|(step, at)| (step, now - at))) =>
            {
                *said = Some((status.step, now));
                let (total, left, figures) = (self.total_steps, self.time_left(), figures(status));
                tracing::info!("step {} of {total} ({left}): {figures}", status.step);
            }
            _ => {}
        }
    }

    fn draw(&self, time: String) {
        if let Output::Bar { bar, .. } = &self.output {
            let (step, figures) = (self.latest.step, figures(&self.latest));
            bar.update(move |bar| {
                bar.set_position(step);
                bar.set_prefix(time);
                bar.set_message(figures);
            });
        }
    }

    fn time_left(&self) -> String {
        time_left(&self.pace, self.total_steps.saturating_sub(self.latest.step))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Output::Bar { bar, .. } = &self.output else { return };
        let (step, total, took, figures) =
            (self.latest.step, self.total_steps, clock(self.begun.elapsed()), figures(&self.latest));
        bar.remove();
        // As for the log: nobody is left to be told that stderr is gone.
        let _ = writeln!(LogWriter::new(), "{step} of {total} steps in {took}\n{figures}");
    }
}

/// Seconds a step, averaged over about the last half minute, so that a fast warm-up is soon forgotten. What is
/// averaged are stretches long enough for an evaluation's pause to count with steps around it.
#[derive(Debug, Default)]
struct Pace {
    last: Option<(u64, Instant)>,
    secs_per_step: Option<f64>,
}

impl Pace {
    const MEMORY_SECS: f64 = 30.0;
    const FIRST_STRETCH_SECS: f64 = 0.5;
    const STRETCH_SECS: f64 = 10.0;

    fn update(&mut self, step: u64, now: Instant) {
        let Some((last_step, last_at)) = self.last else {
            self.last = Some((step, now));
            return;
        };
        let secs = (now - last_at).as_secs_f64();
        let stretch = self.secs_per_step.map_or(Self::FIRST_STRETCH_SECS, |_| Self::STRETCH_SECS);
        if step <= last_step || secs < stretch {
            return;
        }
        let pace = secs / (step - last_step) as f64;
        let forget = 1.0 - (-secs / Self::MEMORY_SECS).exp();
        self.secs_per_step = Some(self.secs_per_step.map_or(pace, |old| old + forget * (pace - old)));
        self.last = Some((step, now));
    }
}

fn bar(total_steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32.cyan/dim} {human_pos} of {human_len} steps, {prefix}\n{msg}");
    let style = style.expect("the template is a constant").progress_chars("━━╌");
    ProgressBar::new(total_steps).with_style(style).with_prefix("starting")
}

/// Whether a plain line is due, where the last one was `since` steps and time ago.
fn is_due(step: u64, total_steps: u64, since: Option<(u64, Duration)>) -> bool {
    let Some((said, ago)) = since else { return true };
    let share = (total_steps / LINES_A_RUN).max(1);
    step != said && (step / share != said / share || step >= total_steps || ago >= LINE_PERIOD)
}

fn figures(status: &Status) -> String {
    let known = |value: Option<f64>, text: &dyn Fn(f64) -> String| value.map_or_else(|| "–".into(), text);
    format!(
        "return {} · success {} · error {} · temperature {} · {} gradient steps/s",
        known(status.episode_return, &|v| format!("{v:.1}")),
        known(status.success_rate, &|v| format!("{:.0}%", 100.0 * v)),
        known(status.median_error, &|v| format!("{v:.3} rad")),
        known(status.temperature, &|v| format!("{v:.4}")),
        known(status.gradient_steps_per_sec, &|v| format!("{v:.0}")),
    )
}

fn time_left(pace: &Pace, steps_left: u64) -> String {
    match pace.secs_per_step {
        _ if steps_left == 0 => "done".into(),
        Some(secs) => format!("{} left", clock(Duration::from_secs_f64((secs * steps_left as f64).min(1e9)))),
        None => "starting".into(),
    }
}

/// A duration as a person says it: 42 s, 3:07 min, 2:15 h.
fn clock(duration: Duration) -> String {
    match duration.as_secs() {
        secs @ ..60 => format!("{secs} s"),
        secs @ ..3600 => format!("{}:{:02} min", secs / 60, secs % 60),
        secs => format!("{}:{:02} h", secs / 3600, secs / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_comes_first_every_twentieth_of_the_run_after_half_a_minute_and_at_the_end() {
        let ago = Duration::from_secs;
        assert!(is_due(0, 1000, None));
        assert!(!is_due(49, 1000, Some((0, ago(29)))));
        assert!(is_due(50, 1000, Some((0, ago(1)))));
        assert!(is_due(49, 1000, Some((0, ago(30)))));
        assert!(is_due(1003, 1003, Some((1001, ago(1)))));
        assert!(!is_due(7, 1000, Some((7, ago(99)))), "nothing new to say");
        assert!(is_due(1, 3, Some((0, ago(0)))), "a run shorter than its lines");
    }

    #[test]
    fn a_resumed_run_counts_time_from_where_it_resumed() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.update(50_000, start);
        assert_eq!(time_left(&pace, 10), "starting");
        pace.update(50_100, start + Duration::from_secs(1));
        assert_eq!(time_left(&pace, 10_000), "1:40 min left");
    }

    #[test]
    fn a_fast_warm_up_is_forgotten_within_two_minutes() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut step = 0;
        for sec in 0..130 {
            step += if sec < 5 { 10_000 } else { 100 };
            pace.update(step, start + Duration::from_secs(sec));
        }
        let secs_per_step = pace.secs_per_step.unwrap();
        assert!((0.009..0.011).contains(&secs_per_step), "{secs_per_step}");
    }

    #[test]
    fn an_evaluations_pause_is_no_new_pace() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for step in 0..5000 {
            // 50 steps a second, and every 1000 steps a pause of 10 s: 0.03 s a step.
            now += Duration::from_millis(if step % 1000 == 999 { 10_000 } else { 20 });
            pace.update(step, now);
            let secs_per_step = pace.secs_per_step.unwrap_or(0.03);
            assert!((0.015..0.06).contains(&secs_per_step), "{secs_per_step} at {step}");
        }
    }

    #[test]
    fn figures_that_are_not_known_yet_are_dashes() {
        assert_eq!(
            figures(&Status { step: 3, success_rate: Some(0.5), ..Status::default() }),
            "return – · success 50% · error – · temperature – · – gradient steps/s"
        );
    }

    #[test]
    fn durations_are_said_in_the_unit_that_fits() {
        let text = |secs| clock(Duration::from_secs(secs));
        assert_eq!([text(42), text(187), text(8100)], ["42 s", "3:07 min", "2:15 h"]);
    }
}
