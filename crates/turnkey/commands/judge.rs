//! The commands that judge a trained policy, on the twin or on a rig.

use crate::checkpoint::Checkpoint;
use crate::cli::on::{On, PlantName};
use crate::cli::{Evaluate, Robustness};
use crate::config::{Config, ValveBy, ValveStart};
use crate::evaluation::{Evaluation, evaluate};
use crate::pace::Pace;
use crate::printing::{print, print_json};
use crate::priority;
use crate::robustness::{self, Answer, Arm, World};
use crate::run_folder::RunFolder;
use crate::screen;
use crate::setup::{Dress, disturbed_environment, environment, learner, paced_environment, recording};
use crate::stop::Stop;
use anyhow::{Context, Result, ensure};
use rayon::ThreadPool;
use std::sync::Arc;
use std::time::Duration;
use turnkey_core::{Environment, Snapshot as _, Spec};
use turnkey_env::DisturbanceConfig;
use turnkey_sac::Sac;

/// Evaluates a trained policy and says how good it is.
pub(super) fn evaluate_run(arguments: &Evaluate) -> Result<()> {
    let folder = RunFolder::open(&arguments.run)?;
    let config = Config::load(&folder.path().join("config.toml"), &arguments.set)?;
    if arguments.on.plant == Some(PlantName::Rig) {
        return evaluate_on_rig(arguments, &folder, &config);
    }
    let config = config.with_rig(arguments.on.begun(None)?)?;
    // Without ranges the only corner is the dynamics as they are.
    let corners = if arguments.corners { config.claw()?.twin.corners() } else { Vec::new() };
    ensure!(
        !arguments.corners || corners.len() > 1,
        "--corners: expected ranges under [twin.randomisation], found none.\n  fix: leave --corners out, or --set ranges, such as \
         twin.randomisation.sliding_friction=[0.1,0.4]"
    );
    let mut judge = environment(&config)?;
    let (mut learner, step) = trained(&folder, &config, judge.spec())?;
    let mut results = vec![("as configured".to_owned(), evaluate(&mut learner, judge.as_mut(), arguments.episodes)?)];
    for corner in corners {
        let mut judge = environment(&config.clone().with_twin(corner.config)?)?;
        results.push((corner.name, evaluate(&mut learner, judge.as_mut(), arguments.episodes)?));
    }
    show_evaluations(arguments, &folder, step, &results)
}

/// The same on a rig, in real time. Torque is off at the end, whatever ends it.
fn evaluate_on_rig(arguments: &Evaluate, folder: &RunFolder, config: &Config) -> Result<()> {
    ensure!(!arguments.corners, "--corners: expected the twin, whose dynamics can be chosen, got --plant rig");
    let rig = RigWorld::new(&arguments.on, config)?;
    let mut judge = rig.environment(Dress::Plain)?;
    let (mut learner, step) = trained(folder, config, judge.spec())?;
    let done = evaluate(&mut learner, judge.as_mut(), arguments.episodes);
    // Of both, the one that a person must do something about comes first.
    judge.release().context("the rig may not be released: cut its power")?;
    show_evaluations(arguments, folder, step, &[("the rig's".to_owned(), done?)])
}

/// A rig that a policy is judged on, by a thread that comes first for as long as this lives.
struct RigWorld {
    config: Config,
    stop: Stop,
    _alone: Option<ThreadPool>,
}

impl RigWorld {
    /// The rig that the command line names, or the one that the run was on.
    fn new(on: &On, config: &Config) -> Result<Self> {
        let rig = on.begun(config.rig())?;
        let (config, stop) = (config.clone().in_real_time()?.with_rig(rig)?, Stop::on_signals()?);
        let _alone = priority::alone();
        if let Err(error) = priority::real_time() {
            tracing::warn!("no real-time priority ({error}): other programs will make steps late");
        }
        Ok(Self { config, stop, _alone })
    }

    /// Whether an episode begins with the valve where its seed says.
    fn turns_the_valve(&self) -> Result<bool> {
        let valve = self.config.rig().map_or(ValveBy::Servo, |rig| rig.valve);
        Ok(ValveStart::of(valve, &self.config.claw()?.task)? != ValveStart::WhereItIs)
    }

    /// The run's task on it.
    fn environment(&self, dress: Dress<'_>) -> Result<Box<dyn Environment + Send>> {
        let pace = Pace::new(Duration::from_secs_f64(self.config.claw()?.task.period_secs));
        let stop = self.stop.clone();
        paced_environment(&self.config, &pace, Arc::new(move || stop.asked()), dress)
    }
}

fn show_evaluations(
    arguments: &Evaluate,
    folder: &RunFolder,
    step: u64,
    results: &[(String, Evaluation)],
) -> Result<()> {
    if arguments.json {
        let rows: Vec<_> = results
            .iter()
            .map(|(name, evaluation)| {
                serde_json::json!({
                    "run": folder.name(), "step": step, "dynamics": name, "evaluation": evaluation,
                })
            })
            .collect();
        print_json(&rows)?;
    } else {
        for (name, evaluation) in results {
            print(&format!("{} at step {step}, dynamics {name}\n{evaluation}\n", folder.name()))?;
        }
    }
    Ok(())
}

/// The learner of a run's newest checkpoint, and the step it is of.
fn trained(folder: &RunFolder, config: &Config, spec: &Spec) -> Result<(Sac, u64)> {
    let path = folder.path().display();
    let checkpoint = Checkpoint::newest(folder)?
        .with_context(|| format!("{path} has no checkpoint yet.\n  fix: let it train up to its first one"))?;
    let (mut learner, _) = learner(config, spec)?;
    learner.restore(&checkpoint.learner).with_context(|| {
        format!(
            "the learner of {path} doesn't fit.\n  fix: leave networks and observations as {path}/config.toml has them"
        )
    })?;
    Ok((learner, checkpoint.step))
}

/// Tests a policy under visual disturbances, and writes page and recording.
pub(super) fn test_robustness(arguments: &Robustness) -> Result<()> {
    let arms = robustness::arms(&arguments.families)?;
    let folder = RunFolder::open(&arguments.run)?;
    let of_run = folder.load_config()?;
    let config = of_run.clone().with_rig(None)?;
    let spec = environment(&config)?.spec().clone();
    let (mut learner, step) = trained(&folder, &config, &spec)?;
    let out = arguments.out.clone().unwrap_or_else(|| folder.path().join("robustness"));
    std::fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let sink = recording(&format!("{}-robustness", folder.name()), &out.join("recording.rrd"), &config)?;
    let mut judge = |arms: Vec<Arm>, world: World<'_>, paired: bool| {
        let run = (folder.name(), step);
        robustness::test(run, (&config, world, paired), &mut learner, arms, arguments.episodes, &out, sink.as_ref())
    };
    let found = if arguments.on.plant == Some(PlantName::Rig) {
        let rig = RigWorld::new(&arguments.on, &of_run)?;
        // Frames first: their arms are played in the world as it is, which a person changes for the others.
        let (scenes, mut arms): (Vec<_>, Vec<_>) = arms.into_iter().partition(|arm| !arm.disturbance.scene.is_empty());
        arms.extend(scenes);
        let paired = rig.turns_the_valve()?;
        let world: World<'_> = &mut |arm| {
            ensure!(!rig.stop.asked(), "stopped; what was found so far is in {}", out.display());
            screen::settle();
            // Who is asked has all the time there is; nothing is held meanwhile.
            if robustness::ask(arm, &mut std::io::stdin().lock(), &mut std::io::stderr())? == Answer::Skip {
                return Ok(None);
            }
            let frames = arm.disturbance.frames.clone();
            let frames = DisturbanceConfig { frames, ..DisturbanceConfig::default() };
            Ok(Some(rig.environment(Dress::As(&frames))?))
        };
        judge(arms, world, paired)?
    } else {
        arguments.on.begun(None)?;
        judge(arms, &mut |arm| Ok(Some(disturbed_environment(&config, Dress::As(&arm.disturbance))?)), true)?
    };
    if arguments.json {
        print_json(&found)?;
    } else {
        let table = robustness::table(&found);
        print(&format!("{table}page, pictures, JSON and recording are in {}\n", out.display()))?;
    }
    Ok(())
}
