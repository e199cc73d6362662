//! How far a policy that sees pictures can be trusted when they change: each disturbance at rising strengths, on the
//! same episodes as an undisturbed control.

mod page;
mod person;

pub use person::{Answer, ask};

use crate::config::Config;
use crate::evaluation::{EVALUATION_SEEDS, Rollout, rollouts};
use crate::run_folder::write_json;
use crate::statistics::{Interval, bootstrap, mean, mean_difference, median, rate_difference, wilson};
use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use turnkey_core::{AttentionRecord, Environment, Frame, Mode, Policy, Record, Rng, Sink};
use turnkey_env::{DisturbanceConfig, SceneFamily};
use turnkey_picture::{FramePerturbation, png_from_frame};
use turnkey_sac::Sac;

/// Strengths of a scene's family.
const SCENE_STRENGTHS: [f64; 3] = [1.0 / 3.0, 2.0 / 3.0, 1.0];
/// A family breaks the policy where it costs at least this share of all episodes, beyond doubt.
const BREAKS: f64 = 0.25;

/// One disturbance at one strength.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The family's name.
    pub family: String,
    /// 1 for the weakest.
    pub strength: usize,
    /// What it does.
    pub disturbance: DisturbanceConfig,
}

/// What an arm's episodes gave.
#[derive(Clone, Debug, Serialize)]
pub struct ArmResult {
    /// The family's name.
    pub family: String,
    /// 1 for the weakest; 0 for the control.
    pub strength: usize,
    /// What it does.
    pub disturbance: DisturbanceConfig,
    /// Successes over episodes, with Wilson's 95% interval.
    pub success_rate: Interval,
    /// Success less the control's, with Newcombe's interval.
    pub success_difference: Interval,
    /// Median absolute error at the end, rad, with a bootstrap interval.
    pub median_error: Interval,
    /// Absolute error at the end less the control's, rad, a mean with a bootstrap interval.
    pub error_difference: Interval,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// The picture's file, beside the page.
    pub picture: String,
}

/// What an arm does to the policy, by the interval of its paired difference of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No loss is shown.
    Holds,
    /// It loses some episodes.
    Suffers,
    /// It loses a quarter of all episodes or more.
    Breaks,
}

impl Verdict {
    fn of(difference: Interval) -> Self {
        if difference.high < -BREAKS {
            Self::Breaks
        } else if difference.high < 0.0 {
            Self::Suffers
        } else {
            Self::Holds
        }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Suffers => "suffers",
            Self::Breaks => "BREAKS",
        }
    }
}

/// Everything that a test of robustness gave.
#[derive(Clone, Debug, Serialize)]
pub struct Robustness {
    /// The run.
    pub run: String,
    /// The checkpoint's step.
    pub step: u64,
    /// Episodes an arm, on the same seeds.
    pub episodes: u64,
    /// Whether each episode begins as the control's of its number did: not where nothing turns the valve back.
    pub paired: bool,
    /// Success without disturbance.
    pub control: ArmResult,
    /// Family by family, weakest first.
    pub arms: Vec<ArmResult>,
    /// Arms without figures, and why.
    pub left_out: Vec<String>,
}

/// The arms: every family of scenes and frames, or those named.
///
/// # Errors
/// When a name is of no family; the error lists those there are.
pub fn arms(named: &[String]) -> Result<Vec<Arm>> {
    let scene = SceneFamily::ALL.into_iter().flat_map(|family| {
        SCENE_STRENGTHS.into_iter().enumerate().map(move |(i, strength)| Arm {
            family: family.name(),
            strength: i + 1,
            disturbance: DisturbanceConfig { scene: BTreeMap::from([(family, strength)]), ..Default::default() },
        })
    });
    let frames = FramePerturbation::ALL.iter().flat_map(|family| {
        family.strengths.iter().enumerate().map(move |(i, perturbation)| Arm {
            family: format!("frame_{}", family.name),
            strength: i + 1,
            disturbance: DisturbanceConfig { frames: vec![*perturbation], ..Default::default() },
        })
    });
    let all: Vec<Arm> = scene.chain(frames).collect();
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|arm| arm.family == **name)) {
        let mut there: Vec<_> = all.iter().map(|arm| arm.family.as_str()).collect();
        there.dedup();
        anyhow::bail!("--families: expected some of {}, got {unknown:?}", there.join(", "));
    }
    Ok(all.into_iter().filter(|arm| named.is_empty() || named.contains(&arm.family)).collect())
}

/// What an arm is played in; none where that arm is left out.
pub type World<'a> = &'a mut dyn FnMut(&Arm) -> Result<Option<Box<dyn Environment>>>;

/// Tests a policy under `arms`, each in its own `world`, and writes table, JSON and page into `folder`, anew after each; each arm's
/// first episode goes to `sink`. A plant is released after each arm. One that breaks off is left out. `paired` says whether
/// the world begins each episode as its seed says.
///
/// # Errors
/// When the policy sees no pictures, the control breaks off, a plant may not be released, or the folder can't be written.
pub fn test(
    (run, step): (String, u64),
    (config, world, paired): (&Config, World<'_>, bool),
    policy: &mut Sac,
    arms: Vec<Arm>,
    episodes: u64,
    folder: &Path,
    sink: &dyn Sink,
) -> Result<Robustness> {
    let claw = config.claw()?;
    ensure!(
        claw.twin.camera.is_some() && claw.task.sees == turnkey_env::Sees::Pixels,
        "{run} learned from the valve's position: expected a run that sees pictures (task.sees = \"pixels\")"
    );
    fs::create_dir_all(folder.join("pictures")).with_context(|| format!("{} can't be made", folder.display()))?;
    let mut shown = 0;
    let mut tried = |arm: &Arm| -> Result<Result<(Vec<Rollout>, String)>> {
        let Some(mut environment) = world(arm)? else { return Ok(Err(anyhow!("a person left it out"))) };
        let played = rollouts(policy, environment.as_mut(), episodes)
            .and_then(|found| Ok((found, show(policy, environment.as_mut(), sink, &mut shown)?)));
        // Of both, the one that a person must do something about comes first.
        environment.release().context("the plant may not be released: cut its power")?;
        let (found, frame) = match played {
            Ok(played) => played,
            Err(error) => return Ok(Err(error)),
        };
        let picture = format!("pictures/{}-{}.png", arm.family, arm.strength);
        fs::write(folder.join(&picture), png_from_frame(&frame)?)
            .with_context(|| format!("{picture} can't be written"))?;
        Ok(Ok((found, picture)))
    };
    let control_arm = Arm { family: "control".into(), strength: 0, disturbance: DisturbanceConfig::default() };
    let (control, picture) = tried(&control_arm)?.context("without the control there is nothing to compare with")?;
    let control_result = result(control_arm, &control, &control, picture, paired);
    let (arms_found, left_out) = (Vec::new(), Vec::new());
    let mut all = Robustness { run, step, episodes, paired, control: control_result, arms: arms_found, left_out };
    write(&all, folder)?;
    for arm in arms {
        match tried(&arm)? {
            Ok((found, picture)) => {
                let result = result(arm, &found, &control, picture, paired);
                tracing::info!("{}", line(&result));
                all.arms.push(result);
            }
            Err(error) => {
                let left_out = format!("{} {}: {error:#}", arm.family, arm.strength);
                tracing::warn!("left out: {left_out}");
                all.left_out.push(left_out);
            }
        }
        write(&all, folder)?;
    }
    Ok(all)
}

/// JSON and page of what there is so far.
fn write(robustness: &Robustness, folder: &Path) -> Result<()> {
    write_json(&folder.join("robustness.json"), robustness)?;
    fs::write(folder.join("index.html"), page::html(robustness))
        .with_context(|| format!("the page in {} can't be written", folder.display()))
}

fn result(arm: Arm, found: &[Rollout], control: &[Rollout], picture: String, paired: bool) -> ArmResult {
    let successes = |all: &[Rollout]| all.iter().map(|rollout| rollout.success).collect::<Vec<_>>();
    let last = |rollout: &Rollout| rollout.errors.last().copied().unwrap_or(f64::NAN);
    let errors = |all: &[Rollout]| all.iter().map(last).collect::<Vec<_>>();
    let pairs = || found.iter().zip(control).map(|(a, b)| last(a) - last(b)).collect::<Vec<_>>();
    let success_difference = rate_difference(&successes(found), &successes(control), paired);
    ArmResult {
        success_rate: wilson(found.iter().filter(|rollout| rollout.success).count(), found.len()),
        verdict: Verdict::of(success_difference),
        success_difference,
        median_error: bootstrap(&errors(found), median),
        error_difference: match paired {
            true => bootstrap(&pairs(), mean),
            false => mean_difference(&errors(found), &errors(control)),
        },
        family: arm.family,
        strength: arm.strength,
        disturbance: arm.disturbance,
        picture,
    }
}

/// Plays the first episode once more for whoever watches, and gives what the policy saw in the middle of it.
fn show(policy: &mut Sac, environment: &mut dyn Environment, sink: &dyn Sink, shown: &mut u64) -> Result<Frame> {
    let mut rng = Rng::new(0, "a deterministic policy draws nothing");
    let mut observation = environment.reset(EVALUATION_SEEDS).context("an episode can't start")?;
    let (mut frame, middle) = (observation.pictures.last().cloned(), environment.spec().episode_steps / 2);
    for step in 0.. {
        let action = policy.act(&observation, Mode::Deterministic, &mut rng);
        let taken = environment.step(&action).context("an episode broke off")?;
        *shown += 1;
        if let Some(mut record) = environment.control_record() {
            record.step = *shown;
            record.poses = environment.poses();
            record.reading.frame = observation.pictures.last().cloned();
            sink.record(Record::Control(Box::new(record)));
            if let Some(overlay) = policy.attention_overlay(&observation, &action) {
                let step = *shown;
                sink.record(Record::Attention(AttentionRecord { step, overlay }));
            }
        }
        if step == middle {
            frame = taken.observation.pictures.last().cloned();
        }
        if taken.end.is_some() {
            break;
        }
        observation = taken.observation;
    }
    frame.context("an episode without pictures")
}

/// An arm in one line of the table.
#[must_use]
pub fn line(arm: &ArmResult) -> String {
    let percent = |x: f64| format!("{:.0}", 100.0 * x);
    let interval = |i: Interval| format!("{:>4}% [{}, {}]", percent(i.value), percent(i.low), percent(i.high));
    format!(
        "{:<24} {:>8}   {:<16} {:<18} {:>6.3} rad   {}",
        arm.family,
        arm.strength,
        interval(arm.success_rate),
        interval(arm.success_difference),
        arm.median_error.value,
        arm.verdict.word()
    )
}

/// The whole table.
#[must_use]
pub fn table(robustness: &Robustness) -> String {
    let Robustness { run, step, episodes, control, arms, left_out, .. } = robustness;
    let head = format!(
        "{:<24} {:>8}   {:<16} {:<18} {:>10}",
        "disturbance", "strength", "success", "against control", "error"
    );
    let lines = std::iter::once(control).chain(arms).map(line);
    let broken: Vec<_> = arms.iter().filter(|arm| arm.verdict == Verdict::Breaks).collect();
    let said = match broken.as_slice() {
        [] => "no disturbance breaks this policy beyond doubt".to_owned(),
        broken => {
            let names = broken.iter().map(|arm| format!("{} {}", arm.family, arm.strength)).collect::<Vec<_>>();
            format!("broken by {}", names.join(", "))
        }
    };
    let without = left_out.iter().map(|arm| format!("left out: {arm}"));
    let all = lines.chain(without).collect::<Vec<_>>().join("\n");
    format!(
        "{run} at step {step}, {episodes} episodes an arm, deterministic policy, 95% intervals\n{head}\n{all}\n{said}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_three_strengths_and_an_unknown_one_is_named() {
        let all = arms(&[]).unwrap();
        for arm in &all {
            assert_eq!(all.iter().filter(|other| other.family == arm.family).count(), 3, "{}", arm.family);
            arm.disturbance.check().unwrap();
        }
        assert_eq!(arms(&["hand".into()]).unwrap().len(), 3);
        let error = arms(&["fog".into()]).unwrap_err().to_string();
        assert!(error.contains("light_direction") && error.contains("\"fog\""), "{error}");
    }

    #[test]
    fn a_verdict_needs_an_interval_and_not_a_mean() {
        let interval = |value, low, high| Interval { value, low, high };
        assert_eq!(Verdict::of(interval(-0.4, -0.6, -0.3)), Verdict::Breaks);
        assert_eq!(Verdict::of(interval(-0.4, -0.6, -0.1)), Verdict::Suffers);
        assert_eq!(Verdict::of(interval(-0.4, -0.9, 0.1)), Verdict::Holds);
    }

    #[test]
    fn an_arm_is_compared_episode_by_episode() {
        let rollout = |success, error| Rollout { length: 2, total: 0.0, errors: vec![1.0, error], success };
        let control = [rollout(true, 0.05), rollout(true, 0.02), rollout(false, 0.5), rollout(true, 0.01)];
        let found = [rollout(false, 0.65), rollout(true, 0.02), rollout(true, 0.1), rollout(false, 0.61)];
        let arm = arms(&["hand".into()]).unwrap().remove(0);
        let result = result(arm, &found, &control, String::new(), true);
        assert_eq!((result.success_rate.value, result.success_difference.value), (0.5, -0.25));
        assert!((result.error_difference.value - 0.2).abs() < 1e-12, "{:?}", result.error_difference);
    }
}
