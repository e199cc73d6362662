//! What a run says while it goes.

use crate::evaluation::{Evaluation, ValveFigures};
use crate::metrics::Line;
use crate::progress::{Progress, Status};
use crate::statistics::median;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Instant;
use turnkey_core::LearningRecord;
use turnkey_sac::Metrics;

/// Gradient steps averaged into one line of figures.
const UPDATES_A_LINE: u64 = 200;
/// Episodes behind the figures on the progress bar.
const RECENT: usize = 50;

/// Shows progress and words figures. Nothing of it decides what happens next.
pub struct Reporter {
    /// `None` once finished.
    progress: Option<Progress>,
    status: Status,
    recent: VecDeque<(Option<bool>, Option<f64>)>,
    /// Gradient steps since when.
    steps: u64,
    since: Instant,
}

/// The learner's figures since its last line, kept with a checkpoint so that a resumed run's lines are the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    sums: Metrics,
    count: u64,
}

impl Sums {
    fn add(&mut self, metrics: &Metrics) {
        let add = |sum: &mut f64, x: f64| *sum += x;
        add(&mut self.sums.critic_loss, metrics.critic_loss);
        add(&mut self.sums.q, metrics.q);
        add(&mut self.sums.target_q, metrics.target_q);
        add(&mut self.sums.actor_loss, metrics.actor_loss);
        add(&mut self.sums.entropy, metrics.entropy);
        add(&mut self.sums.temperature, metrics.temperature);
        self.count += 1;
    }

    /// The means, after which it begins anew.
    fn take(&mut self) -> Metrics {
        let Self { sums, count } = std::mem::take(self);
        let n = count as f64;
        Metrics {
            critic_loss: sums.critic_loss / n,
            q: sums.q / n,
            target_q: sums.target_q / n,
            actor_loss: sums.actor_loss / n,
            entropy: sums.entropy / n,
            temperature: sums.temperature / n,
        }
    }
}

/// The learner's averages.
#[derive(Clone, Copy, Debug)]
pub struct LearningLine {
    step: u64,
    updates: u64,
    metrics: Metrics,
    gradient_steps_per_sec: f64,
}

impl LearningLine {
    /// As a line of the metrics file.
    #[must_use]
    pub fn line(self) -> Line {
        let Self { step, updates, metrics, gradient_steps_per_sec } = self;
        Line::Learning { step, updates, metrics, gradient_steps_per_sec }
    }

    /// As a record for the viewer.
    #[must_use]
    pub fn record(self) -> LearningRecord {
        let m = self.metrics;
        LearningRecord {
            step: self.step,
            figures: vec![
                ("critic_loss", m.critic_loss),
                ("actor_loss", m.actor_loss),
                ("q", m.q),
                ("target_q", m.target_q),
                ("entropy", m.entropy),
                ("temperature", m.temperature),
            ],
        }
    }
}

impl Reporter {
    /// Reports of a run of this many steps; `hidden` shows no progress.
    #[must_use]
    pub fn new(steps: u64, hidden: bool) -> Self {
        Self {
            progress: Some(Progress::new(steps, hidden)),
            status: Status::default(),
            recent: VecDeque::with_capacity(RECENT),
            steps: 0,
            since: Instant::now(),
        }
    }

    /// After each environment step.
    pub fn tick(&mut self, step: u64, temperature: f64) {
        self.status.temperature = Some(temperature);
        self.step(step);
    }

    /// After each environment step, where the learner is elsewhere.
    pub fn step(&mut self, step: u64) {
        self.status.step = step;
        if let Some(progress) = &mut self.progress {
            progress.update(&self.status);
        }
    }

    /// After each line of figures that somebody else put together.
    pub fn line(&mut self, line: &Line) {
        match line {
            Line::Episode { episode_return, success, final_error, .. } => {
                self.episode(*episode_return, *success, *final_error);
            }
            Line::Learning { metrics, gradient_steps_per_sec, .. } => {
                self.status.temperature = Some(metrics.temperature);
                self.status.gradient_steps_per_sec = Some(*gradient_steps_per_sec);
            }
            Line::Evaluation { step, evaluation, .. } => self.evaluation(*step, evaluation),
            Line::Timing { .. } | Line::Rig { .. } => {}
        }
    }

    /// Leaves the last figures on the screen, below which others may now write.
    pub fn finish(&mut self) {
        self.progress = None;
    }

    /// After each training episode.
    pub fn episode(&mut self, episode_return: f64, success: Option<bool>, final_error: Option<f64>) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((success, final_error));
        let successes = self.recent.iter().filter(|(success, _)| *success == Some(true)).count();
        let errors: Vec<f64> = self.recent.iter().filter_map(|(_, error)| *error).collect();
        self.status.episode_return = Some(episode_return);
        self.status.success_rate = success.map(|_| successes as f64 / self.recent.len() as f64);
        self.status.median_error = (!errors.is_empty()).then(|| median(&errors));
    }

    /// After each gradient step. Gives a line of the averages in `sums` now and then.
    pub fn learning(&mut self, step: u64, updates: u64, metrics: &Metrics, sums: &mut Sums) -> Option<LearningLine> {
        sums.add(metrics);
        self.steps += 1;
        // By the learner's own count, so that a resumed run has its lines at the same steps.
        if !updates.is_multiple_of(UPDATES_A_LINE) {
            return None;
        }
        let metrics = sums.take();
        let gradient_steps_per_sec = self.steps as f64 / self.since.elapsed().as_secs_f64();
        self.status.gradient_steps_per_sec = Some(gradient_steps_per_sec);
        self.steps = 0;
        self.since = Instant::now();
        Some(LearningLine { step, updates, metrics, gradient_steps_per_sec })
    }

    /// After each evaluation.
    pub fn evaluation(&mut self, step: u64, evaluation: &Evaluation) {
        let (episodes, mean) = (evaluation.episodes, evaluation.mean_return.value);
        match &evaluation.valve {
            Some(ValveFigures { successes, median_error, .. }) => tracing::info!(
                "evaluation at step {step}: success {successes} of {episodes}, median error {:.3} rad, mean return {mean:.1}",
                median_error.value,
            ),
            None => tracing::info!("evaluation at step {step}: mean return {mean:.1} over {episodes} episodes"),
        }
    }
}
