//! The lines of an episode's file.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use turnkey_core::{ControlRecord, End, Health, JointVector, Step};

/// What an episode is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To gather experience.
    Training,
    /// To see how good a policy is; nothing of it is learned from.
    Evaluation,
}

/// How an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// By its task.
    Whole,
    /// With the last step that the run was to take.
    Enough,
    /// By an order or a request to stop.
    BrokenOff,
    /// By a fault of the rig; the step that failed is not recorded.
    Fault,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Begin {
        /// What it is for.
        purpose: Purpose,
        /// What start and target were drawn from.
        seed: u64,
        /// Environment steps of the run before it.
        step: u64,
        /// What the policy saw first.
        observation: Vec<f32>,
    },
    /// One step.
    Step(Box<StepLine>),
    /// The last.
    End {
        /// How it ended.
        outcome: Outcome,
        /// Whether its last step was a success, of a whole one.
        success: Option<bool>,
    },
}

/// One step, as measured after it; rad, rad/s, N m, A, V, degrees C and s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// Environment steps of the run, this one included; of an evaluation, those before it.
    pub step: u64,
    /// When the joints were read.
    pub stamp_secs: f64,
    /// How long after its deadline the step ended.
    pub lateness_secs: Option<f64>,
    /// How old the reading behind the goal was.
    pub joint_age_secs: f64,
    /// How long telling and reading took.
    pub cycle_secs: f64,
    /// The policy's action.
    pub action: Vec<f32>,
    /// The goal that it meant, within limits.
    pub goal: JointVector,
    /// The goal that the servos were told.
    pub told: JointVector,
    /// Joint angles.
    pub positions: JointVector,
    /// Joint velocities.
    pub velocities: JointVector,
    /// Torques, estimated from currents.
    pub torques: JointVector,
    /// Currents.
    pub amperes: JointVector,
    /// Temperatures.
    pub celsius: JointVector,
    /// Supplies.
    pub volts: JointVector,
    /// The picture, where one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureLine>,
    /// The valve's angle, turns counted.
    pub valve: Option<f64>,
    /// Its velocity.
    pub valve_velocity: Option<f64>,
    /// When it was measured: with the joints by a servo, with a frame by its mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valve_stamp_secs: Option<f64>,
    /// The angle wanted of it.
    pub target: f64,
    /// The reward.
    pub reward: f64,
    /// Its parts.
    pub terms: BTreeMap<String, f64>,
    /// What the policy sees now.
    pub observation: Vec<f32>,
    /// Whether the episode ended by this step, and how.
    pub end: Option<End>,
}

/// A step's picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PictureLine {
    /// Its number at its camera.
    pub number: u64,
    /// How old it was when it was handed over.
    pub age_secs: f64,
    /// Time between it and the joints' reading.
    pub skew_secs: f64,
}

impl StepLine {
    /// What was measured, and what the step gave.
    #[must_use]
    pub fn new(record: &ControlRecord, health: &Health, step: &Step) -> Self {
        let reading = &record.reading;
        Self {
            step: record.step,
            stamp_secs: reading.stamp.0.as_secs_f64(),
            lateness_secs: record.lateness.map(|lateness| lateness.as_secs_f64()),
            joint_age_secs: health.joint_age.as_secs_f64(),
            cycle_secs: health.cycle.as_secs_f64(),
            action: record.action.0.clone(),
            goal: record.goal,
            told: health.told,
            positions: reading.positions,
            velocities: reading.velocities,
            torques: reading.torques,
            amperes: health.amperes,
            celsius: health.celsius,
            volts: health.volts,
            picture: health.picture.map(|picture| PictureLine {
                number: picture.number,
                age_secs: picture.age.as_secs_f64(),
                skew_secs: picture.skew.as_secs_f64(),
            }),
            valve: reading.valve.map(|valve| valve.angle),
            valve_velocity: reading.valve.map(|valve| valve.velocity),
            valve_stamp_secs: reading.valve.map(|valve| valve.stamp.0.as_secs_f64()),
            target: record.target,
            reward: step.reward,
            terms: step.info.terms.iter().map(|(name, part)| ((*name).to_owned(), *part)).collect(),
            observation: step.observation.numbers.clone(),
            end: step.end,
        }
    }
}
