//! `turnkey camera doctor`: watches a camera and says how to mend what it finds.

mod mark;

use super::{Doctor, PATIENCE, configured, first_picture, frame_of};
use crate::printing::{print, print_json};
use crate::statistics::mean;
use crate::stop::Stop;
use anyhow::{Result, ensure};
use mark::{MarkFigures, Watched};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use turnkey_camera::{CameraConfig, CameraError, Device, Source, source};
use turnkey_claw::{Finding, Severity};

/// A rate this much below the configured one is worth a word.
const RATE_SHARE: f64 = 0.9;
/// Intervals that reach this many periods are worth a word.
const LATE_PERIODS: f64 = 2.5;
/// Levels of 255 below and beyond which nothing is seen.
const SEEN: std::ops::RangeInclusive<f64> = 10.0..=245.0;

/// What a doctor measured, and what it makes of that.
#[derive(Debug, Serialize)]
struct Report {
    /// The camera's name.
    camera: String,
    /// What was measured, where it could be opened.
    figures: Option<Figures>,
    /// What is not as it should be.
    findings: Vec<Finding>,
}

/// What was measured while a camera was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Figures {
    /// Frames that came and were whole.
    frames: u64,
    /// Pictures that were refused.
    refused: u64,
    /// Frames that the camera numbered and nobody got.
    missed: u64,
    /// Frames a second.
    rate: f64,
    /// Time between two pictures, ms: what half of them had at most, 99 in 100, and all.
    interval_ms: [f64; 3],
    /// How old frames were once decoded, ms: likewise.
    age_ms: [f64; 3],
    /// What decoding, crop and resizing took, ms: likewise.
    decode_ms: [f64; 3],
    /// Mean level of the frames, 0 to 255.
    brightness: f64,
    /// The valve's mark, where it is looked for.
    mark: Option<MarkFigures>,
}

pub(super) fn doctor(arguments: &Doctor) -> Result<()> {
    let config = configured(&arguments.camera)?;
    let stop = Stop::on_signals()?;
    let watched = source(&config).map_err(anyhow::Error::from).and_then(|mut source| {
        source.open()?;
        first_picture(&config, source.as_mut())?;
        watch(&config, source.as_mut(), Duration::from_secs_f64(arguments.seconds), &stop)
    });
    let mut findings = settings(&config);
    let figures = match watched {
        Ok(figures) => {
            findings.extend(judge(&config, &figures));
            Some(figures)
        }
        Err(error) => {
            let text = format!("{error:#}");
            let (found, fix) = text.split_once("\n  fix: ").unwrap_or((&text, "see above"));
            findings.push(finding(&config, Severity::Fault, "the camera", "one that gives pictures", found, fix));
            None
        }
    };
    let report = Report { camera: config.name().to_owned(), figures, findings };
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&shown(&config, &report)?)?;
    }
    let faults = report.findings.iter().filter(|finding| finding.severity == Severity::Fault).count();
    ensure!(faults == 0, "{}: expected no fault, got {faults}", config.name());
    Ok(())
}

/// Takes pictures for as long as `length`.
fn watch(config: &CameraConfig, source: &mut dyn Source, length: Duration, stop: &Stop) -> Result<Figures> {
    let (start, mut pipeline) = (Instant::now(), config.pipeline());
    let mut figures = Figures::default();
    let [mut intervals, mut ages, mut decodes] = [const { Vec::<f64>::new() }; 3];
    let (mut last, mut level) = (None, 0.0);
    let mut mark = Watched::new(config)?;
    let millis = |duration: Duration| 1e3 * duration.as_secs_f64();
    while start.elapsed() < length && !stop.asked() {
        let raw = match source.next(PATIENCE) {
            Ok(Some(raw)) => raw,
            Ok(None) => continue,
            Err(CameraError::Ended { .. }) => break,
            Err(error) => return Err(error.into()),
        };
        if let Some((captured, sequence)) = last.replace((raw.captured, raw.sequence)) {
            intervals.push(millis(raw.captured.saturating_duration_since(captured)));
            figures.missed += raw.sequence.saturating_sub(sequence).saturating_sub(1);
        }
        let begun = Instant::now();
        let Ok(frame) = frame_of(config, &mut pipeline, &raw, start) else {
            figures.refused += 1;
            continue;
        };
        decodes.push(millis(begun.elapsed()));
        ages.push(millis(raw.captured.elapsed()));
        figures.frames += 1;
        mark.iter_mut().for_each(|mark| mark.look(&frame));
        level += frame.pixels().iter().map(|level| f64::from(*level)).sum::<f64>() / frame.pixels().len() as f64;
    }
    figures.mark = mark.map(Watched::figures);
    let mean = mean(&intervals);
    figures.rate = if mean > 0.0 { 1e3 / mean } else { 0.0 };
    figures.brightness = level / figures.frames.max(1) as f64;
    [figures.interval_ms, figures.age_ms, figures.decode_ms] = [intervals, ages, decodes].map(quantiles);
    Ok(figures)
}

/// The median, the 99th percentile and the greatest; zeros of nothing.
fn quantiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    [0.5, 0.99, 1.0].map(|share| values.get((share * last as f64).round() as usize).copied().unwrap_or(0.0))
}

fn finding(config: &CameraConfig, severity: Severity, what: &str, expected: &str, found: &str, fix: &str) -> Finding {
    let [what, expected, found, fix] = [what, expected, found, fix].map(str::to_owned);
    Finding { severity, at: config.name().to_owned(), what, expected, found, fix }
}

/// What can be said before any picture.
fn settings(config: &CameraConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Device::Video(path) = config.device() else { return findings };
    let mut advise = |what, expected, found: &str, fix| {
        findings.push(finding(config, Severity::Advice, what, expected, found, fix));
    };
    if !path.starts_with("/dev/v4l/by-id") {
        let expected = "a name of /dev/v4l/by-id, which stays when another camera is plugged in";
        advise("device", expected, &path.display().to_string(), "`turnkey camera list` shows it");
    }
    let controls = &config.raw().controls;
    for (what, value) in [("exposure", controls.exposure), ("white_balance", controls.white_balance)] {
        if value.is_none() {
            let fix = "set it in [controls]: pictures then look alike by day and by night";
            advise(what, "it to be locked", "the camera's own choice", fix);
        }
    }
    findings
}

/// What the figures say.
fn judge(config: &CameraConfig, figures: &Figures) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |severity, what, expected: String, found: String, fix| {
        findings.push(finding(config, severity, what, &expected, &found, fix));
    };
    let rate = f64::from(config.raw().rate);
    let period_ms = 1e3 / rate;
    if figures.frames < 2 {
        let found = format!("{} whole, {} refused", figures.frames, figures.refused);
        say(Severity::Fault, "pictures", "a stream of them".into(), found, "plug it in again, at a port of its own");
        return findings;
    }
    if figures.refused > 0 {
        let found = format!("{} of {}", figures.refused, figures.refused + figures.frames);
        let fix = "a shorter cable, a port of its own, or another format or a lower rate";
        say(Severity::Advice, "damaged pictures", "none".into(), found, fix);
    }
    if figures.rate < RATE_SHARE * rate {
        let fix = "more light or a shorter exposure; mjpeg in place of yuyv; a USB port of its own";
        say(Severity::Fault, "rate", format!("{rate} a second"), format!("{:.1}", figures.rate), fix);
    }
    if figures.missed > 0 {
        let fix = "a lower rate or a smaller picture: this machine doesn't keep up";
        say(Severity::Advice, "pictures left out", "none".into(), figures.missed.to_string(), fix);
    }
    if figures.interval_ms[1] > LATE_PERIODS * period_ms {
        let found = format!("{:.0} ms in one of a hundred", figures.interval_ms[1]);
        let fix = "lock the exposure, and give the camera a port of its own";
        say(Severity::Advice, "time between pictures", format!("{period_ms:.0} ms"), found, fix);
    }
    // Whoever asks just before the next picture comes gets one that is a period older.
    let oldest = figures.age_ms[1] + period_ms;
    let limit = 1e3 * config.max_frame_age().as_secs_f64();
    if oldest > limit {
        let found = format!("up to {oldest:.0} ms in one of a hundred");
        let fix = "a higher rate, a smaller picture, or a greater max_frame_age_secs";
        say(Severity::Fault, "age of frames", format!("at most {limit:.0} ms, max_frame_age_secs"), found, fix);
    }
    if let Some([expected, found]) = figures.mark.as_ref().and_then(MarkFigures::missing) {
        let fix = "uncover it; see [mark] and [view]: `turnkey camera preview` shows its colour";
        say(Severity::Advice, "the valve's mark", expected, found, fix);
    }
    if !SEEN.contains(&figures.brightness) {
        let found = format!("{:.0} of 255 on average", figures.brightness);
        let fix = "take the lens cap off, light the scene, or change the exposure";
        say(Severity::Advice, "brightness", "something to be seen".into(), found, fix);
    }
    findings
}

/// The report as a person reads it.
fn shown(config: &CameraConfig, report: &Report) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let raw = config.raw();
    writeln!(text, "{}: {} of {} at {} a second", report.camera, raw.format, config.size(), raw.rate)?;
    if let Some(figures) = &report.figures {
        let Figures { frames, refused, missed, rate, brightness, .. } = figures;
        writeln!(
            text,
            "{frames} frames, {refused} refused, {missed} left out; {rate:.1} a second; level {brightness:.0} of 255"
        )?;
        writeln!(text, "                          p50      p99      max")?;
        for (name, [p50, p99, max]) in [
            ("between pictures, ms", figures.interval_ms),
            ("age once decoded, ms", figures.age_ms),
            ("decoding, ms", figures.decode_ms),
        ] {
            writeln!(text, "{name:<20} {p50:>8.1} {p99:>8.1} {max:>8.1}")?;
        }
        if let Some(mark) = figures.mark {
            writeln!(text, "{mark}")?;
        }
    }
    for finding in &report.findings {
        let severity = if finding.severity == Severity::Fault { "fault" } else { "advice" };
        writeln!(text, "{severity}: {finding}")?;
    }
    if report.findings.is_empty() {
        writeln!(text, "nothing to mend")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(device: &str) -> CameraConfig {
        let text = format!(
            "device = {device:?}\nformat = \"mjpeg\"\nwidth = 64\nheight = 48\nrate = 25\nmax_frame_age_secs = 0.1\n\
             output = {{ width = 8, height = 8 }}\n"
        );
        CameraConfig::parse(&text, "camera.toml").unwrap()
    }

    fn healthy() -> Figures {
        Figures {
            frames: 125,
            rate: 25.0,
            interval_ms: [40.0, 43.0, 50.0],
            age_ms: [12.0, 20.0, 30.0],
            decode_ms: [3.0, 4.0, 5.0],
            brightness: 120.0,
            ..Figures::default()
        }
    }

    #[test]
    fn a_healthy_camera_has_nothing_to_mend_and_every_illness_is_named() {
        let config = config("socket:x");
        assert_eq!(judge(&config, &healthy()), []);
        type Spoil = fn(&mut Figures);
        let illnesses: [(&str, Severity, Spoil); 7] = [
            ("pictures", Severity::Fault, |figures| figures.frames = 1),
            ("damaged pictures", Severity::Advice, |figures| figures.refused = 3),
            ("rate", Severity::Fault, |figures| figures.rate = 14.0),
            ("pictures left out", Severity::Advice, |figures| figures.missed = 1),
            ("time between pictures", Severity::Advice, |figures| figures.interval_ms[1] = 101.0),
            ("age of frames", Severity::Fault, |figures| figures.age_ms[1] = 61.0),
            ("brightness", Severity::Advice, |figures| figures.brightness = 3.0),
        ];
        for (what, severity, spoil) in illnesses {
            let mut figures = healthy();
            spoil(&mut figures);
            let findings = judge(&config, &figures);
            assert_eq!(findings.len(), 1, "{what}: {findings:?}");
            assert_eq!((findings[0].what.as_str(), findings[0].severity), (what, severity));
        }
    }

    #[test]
    fn a_device_whose_name_or_looks_may_change_is_worth_advice() {
        let named =
            |device: &str| settings(&config(device)).iter().map(|finding| finding.what.clone()).collect::<Vec<_>>();
        assert_eq!(named("/dev/video0"), ["device", "exposure", "white_balance"]);
        assert_eq!(named("/dev/v4l/by-id/usb-x"), ["exposure", "white_balance"]);
        assert!(named("recordings/2").is_empty());
    }

    #[test]
    fn quantiles_are_of_the_values_in_order() {
        assert_eq!(quantiles((0..=100).rev().map(f64::from).collect()), [50.0, 99.0, 100.0]);
        assert_eq!(quantiles(Vec::new()), [0.0; 3]);
    }
}
