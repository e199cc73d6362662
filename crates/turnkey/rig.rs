//! The rig: the claw and its valve on a serial port, as a plant. Start reading at [`Rig::step`][Plant::step] and
//! [`Rig::reset`][Plant::reset].
//!
//! A step tells the servos a goal, waits for the deadline, and reads. A reset takes as long as it takes: fingers out of
//! the way, valve turned by its own servo where it has one, all checked. Whatever goes wrong, torque is off before the error is known, and
//! the next reset recovers the claw where that is safe.

mod error;
mod eye;
mod figures;
mod reset;
mod shadow;

pub use error::RigError;
pub use figures::{Account, RigFigures};

use crate::config::{ClawWorld, RigConfig, ValveBy, ValveStart};
use crate::pace::Pace;
use crate::screen;
use crate::stop::stay_awake;
use eye::{Eye, Look};
use shadow::Shadow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use turnkey_claw::{Claw, ClawConfig, ClawError, ClawReading, Disabled, Enabled};
use turnkey_core::{
    Failure, FrameSize, Health, JointGoal, JointLimits, Kind, Plant, Pose, Reading, Scene, Snapshot, SnapshotError,
    Start,
};

/// How often servos that don't confirm a release are asked again: one that restarts is back after a tenth of a second.
const RELEASES: u32 = 3;
/// How long is waited between.
const RESTART: Duration = Duration::from_millis(300);
/// The least time that servos have to answer, on a computer that does other things too.
const LEAST_PATIENCE: Duration = Duration::from_millis(200);

/// Says whether somebody wants the plant released now, whatever it is doing.
pub type Interrupted = Arc<dyn Fn() -> bool + Send + Sync>;

/// The claw in one of its states.
enum Hold {
    /// With torque, unless it has had an error.
    On(Claw<Enabled>),
    /// Every servo has confirmed that its torque is off.
    Off(Claw<Disabled>),
    /// Its torque should be off, and not every servo has confirmed it.
    Unknown,
}

/// A claw and its valve on a serial port.
pub struct Rig {
    claw: ClawConfig,
    limits: JointLimits,
    reset_radians_per_sec: f64,
    valve_start: ValveStart,
    pace: Pace,
    interrupted: Interrupted,
    /// What all stamps are counted from.
    epoch: Instant,
    hold: Hold,
    /// Whether nothing has gone wrong since the servos were last checked.
    sound: bool,
    /// Whether the last error was none that recoveries are counted by: one of the bus, or one that a person has put right.
    afresh: bool,
    /// Whether a person was asked for something since the claw was last held.
    asked: bool,
    /// How often fingers were moved about to get free.
    shakes: u64,
    /// The newest reading, without its picture.
    last: Option<Reading>,
    health: Option<Health>,
    eye: Option<Eye>,
    shadow: Option<Shadow>,
}

impl Rig {
    /// Opens the claw's port and checks its servos, without torque, and its camera where the task is seen in pictures or the valve
    /// is known by its mark. Its limits are the claw's own, narrowed to the twin's, so that an action means the same on both.
    /// From here on Ctrl-Z doesn't put the process to sleep, and no held terminal keeps it waiting.
    ///
    /// # Errors
    /// When the claw's file, a servo or the camera's file is not as it must be, or nothing tells the valve's angle.
    pub fn open(config: &RigConfig, run: &ClawWorld, pace: &Pace, interrupted: Interrupted) -> Result<Self, RigError> {
        stay_awake();
        screen::write_apart();
        let (twin, seen) = (&run.twin, run.twin.camera.as_ref().map(|camera| camera.size));
        let file = || config.claw.clone();
        let mut claw = ClawConfig::load(&config.claw)?;
        if let Some(port) = &config.port {
            claw = claw.with_port(port);
        }
        match (config.valve, claw.valve()) {
            (ValveBy::Servo, None) => return Err(RigError::NoValve { file: file() }),
            (ValveBy::Mark, Some(_)) => return Err(RigError::ServoAndMark { file: file() }),
            (ValveBy::Servo, Some(_)) | (ValveBy::Mark, None) => {}
        }
        let refuse = |reason: String| RigError::Limits { file: file(), reason };
        let twins = twin.joint_limits().map_err(|e| refuse(e.to_string()))?;
        let limits = overlap(claw.limits(), &twins).map_err(|e| refuse(e.to_string()))?;
        let epoch = Instant::now();
        let camera = config.camera.as_ref().filter(|_| seen.is_some() || config.valve == ValveBy::Mark);
        let eye = camera.map(|file| Eye::open(file, seen, config.valve, epoch)).transpose()?;
        let mut limp = Claw::open(&claw)?;
        limp.set_epoch(epoch);
        // From here on, whoever loses power has lost it while this program had them.
        limp.was_without_power()?;
        Ok(Self {
            limits,
            reset_radians_per_sec: config.reset_radians_per_sec,
            valve_start: ValveStart::of(config.valve, &run.task).map_err(|error| RigError::Task(error.to_string()))?,
            pace: pace.clone(),
            interrupted,
            epoch,
            hold: Hold::Off(limp),
            sound: true,
            afresh: false,
            asked: false,
            shakes: 0,
            last: None,
            health: None,
            eye,
            // Without a twin to draw there are still curves.
            shadow: Shadow::new(twin).inspect_err(|e| tracing::warn!("the claw can't be drawn: {e}")).ok(),
            claw,
        })
    }

    /// The claw, which a reset has given torque.
    fn held(&mut self) -> Result<&mut Claw<Enabled>, RigError> {
        match &mut self.hold {
            Hold::On(claw) => Ok(claw),
            Hold::Off(_) | Hold::Unknown => Err(RigError::NotHeld),
        }
    }

    /// Gives the claw torque, where it has none; after an error it is recovered first.
    fn take_hold(&mut self) -> Result<(), RigError> {
        if matches!(&self.hold, Hold::On(claw) if claw.fault().is_none()) {
            return Ok(());
        }
        self.let_go()?;
        if std::mem::take(&mut self.afresh) {
            // How often servos were restarted before is forgotten.
            self.hold = Hold::Unknown;
            self.let_go()?;
        }
        let Hold::Off(mut limp) = std::mem::replace(&mut self.hold, Hold::Unknown) else {
            return Err(RigError::NotHeld);
        };
        // Whoever switched it off has to say that it may move again, unless a person was asked for something else since.
        if limp.was_without_power()? && !self.asked {
            self.hold = Hold::Off(limp);
            return Err(RigError::PowerCut);
        }
        let recovers = !std::mem::replace(&mut self.sound, false);
        let claw = if recovers { limp.restore()? } else { limp.enable()? };
        (self.hold, self.sound, self.asked) = (Hold::On(claw), true, false);
        Ok(())
    }

    /// Switches torque off until every servo has confirmed it.
    fn let_go(&mut self) -> Result<(), ClawError> {
        let limp = match std::mem::replace(&mut self.hold, Hold::Unknown) {
            Hold::On(claw) => claw.release()?,
            Hold::Off(limp) => limp,
            Hold::Unknown => {
                self.sound = false;
                let mut limp = Claw::open_limp(&self.claw)?;
                limp.set_epoch(self.epoch);
                limp
            }
        };
        self.hold = Hold::Off(limp);
        Ok(())
    }

    /// What an error comes to once everything was tried to have torque off.
    fn failed(&mut self, error: RigError) -> RigError {
        // What stopped a finger is no fault of its servo's.
        let servos_are_well = error.is_of_fingers() || error.is_stopped() || matches!(error, RigError::Camera(_));
        self.sound &= servos_are_well;
        // Servos that shut down again and again need a person; those that were not understood do not.
        let shut_down = matches!(error, RigError::Claw(ClawError::Alert { .. })) && error.kind() == Kind::Retry;
        self.afresh = !servos_are_well && !shut_down;
        self.health = None;
        let for_a_person = error.kind() == Kind::Stop && !error.is_stopped();
        let RigError::Claw(ClawError::NotReleased { .. }) = &error else {
            self.asked |= for_a_person;
            return error;
        };
        if self.let_go_again().is_ok() {
            return RigError::Regained { after: error.to_string() };
        }
        self.asked |= for_a_person;
        error
    }

    /// Tries again to switch torque off, after servos that didn't confirm it have had time to restart.
    fn let_go_again(&mut self) -> Result<(), ClawError> {
        for _ in 1..RELEASES {
            std::thread::sleep(RESTART);
            if self.let_go().is_ok() {
                return Ok(());
            }
        }
        std::thread::sleep(RESTART);
        self.let_go()
    }

    fn try_step(&mut self, goal: &JointGoal) -> Result<(ClawReading, Option<Look>), RigError> {
        if (self.interrupted)() {
            self.let_go()?;
            return Err(ClawError::Stopped.into());
        }
        let since = self.last.as_ref().map_or(Duration::ZERO, |reading| reading.stamp.0);
        let (epoch, pace) = (self.epoch, self.pace.clone());
        let claw = self.held()?;
        pace.begin_step();
        let begun = Instant::now();
        let told = claw.write(goal)?;
        let writing = begun.elapsed();
        pace.wait();
        let due = Instant::now();
        let reading = claw.read(due + pace.period().max(LEAST_PATIENCE))?;
        let cycle = writing + due.elapsed();
        let look = self.look(begun)?;
        self.health = Some(Health {
            told: *told.radians(),
            joint_age: begun.saturating_duration_since(epoch).saturating_sub(since),
            cycle,
            amperes: reading.currents,
            celsius: reading.celsius,
            volts: reading.volts,
            picture: look.as_ref().map(|look| look.health(epoch + reading.stamp.0)),
        });
        Ok((reading, look))
    }

    fn keep(&mut self, reading: ClawReading, look: Option<Look>) -> Reading {
        let ClawReading { stamp, positions, velocities, torques, valve, .. } = reading;
        let valve = valve.or_else(|| look.as_ref()?.valve(self.epoch));
        let frame = look.and_then(|look| look.frame);
        let reading = Reading { stamp, positions, velocities, torques, valve, frame: None };
        self.last = Some(reading.clone());
        Reading { frame, ..reading }
    }
}

/// Where both allow a joint to go.
fn overlap(a: &JointLimits, b: &JointLimits) -> Result<JointLimits, turnkey_core::LimitsError> {
    let least = |a: &[f64; 9], b: &[f64; 9]| std::array::from_fn(|i| a[i].min(b[i]));
    let most = |a: &[f64; 9], b: &[f64; 9]| std::array::from_fn(|i| a[i].max(b[i]));
    JointLimits::new(most(a.low(), b.low()), least(a.high(), b.high()), least(a.max_step(), b.max_step()))
}

impl Plant for Rig {
    fn limits(&self) -> &JointLimits {
        &self.limits
    }

    fn period(&self) -> Duration {
        self.pace.period()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        self.health = None;
        self.wait_for_sight().map_err(|error| self.failed(error))?;
        let reading = self.bring(start)?;
        let look = self.look(Instant::now()).map_err(|error| self.failed(error))?;
        self.pace.begin();
        Ok(self.keep(reading, look))
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        let (reading, look) = self.try_step(goal).map_err(|error| self.failed(error))?;
        Ok(self.keep(reading, look))
    }

    fn turns_valve(&self) -> bool {
        self.valve_start == ValveStart::Servo
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.eye.as_ref().and_then(Eye::shown)
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.health = None;
        // Nobody can do more about it than a person, whatever it is.
        self.let_go().or_else(|_| self.let_go_again()).map_err(|error| Failure::new(Kind::Stop, error))
    }

    fn health(&self) -> Option<Health> {
        self.health.clone()
    }

    fn scene(&self) -> Option<&Scene> {
        self.shadow.as_ref().map(Shadow::scene)
    }

    fn poses(&self) -> Vec<Pose> {
        let known = self.shadow.as_ref().zip(self.last.as_ref());
        known.map_or_else(Vec::new, |(shadow, reading)| shadow.poses(reading))
    }
}

impl Snapshot for Rig {
    /// Nothing: what is in the world can't be saved.
    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _state: &[u8]) -> Result<(), SnapshotError> {
        Err(SnapshotError::new("rig", "a claw in the world can't be put back to an earlier state"))
    }
}
