//! The servos on the bus while their joints are moved by hand.

use anyhow::{Result, bail, ensure};
use turnkey_claw::{Bus, ControlTable};
use turnkey_core::servo::{RADIANS_PER_TICK, ServoModel, ServoName};
use turnkey_core::{JOINTS, ServoId};

/// A joint that was moved turned its servo by more than this, ticks: 5 degrees.
const MOVED: i32 = 57;

/// A servo that nobody touches stays within this, ticks.
const STILL: i32 = 5;

/// No hand turns a servo further than this, ticks: 240 turns.
const MOST_TICKS: i32 = 1_000_000;

/// One servo that answers.
#[derive(Clone, Copy, Debug)]
struct Servo {
    id: ServoId,
    model: ServoName,
    homing_offset: i32,
    taken: bool,
}

/// All that answer, and which of them have found their joint.
pub(super) struct Servos {
    pub(super) bus: Bus,
    servos: Vec<Servo>,
}

impl Servos {
    /// Finds them, and refuses those that can't be calibrated.
    ///
    /// # Errors
    /// When there are fewer than nine, two with one id, one whose model is not known, or one in reverse mode.
    pub(super) fn find(mut bus: Bus) -> Result<Self> {
        let found = bus.scan()?;
        let port = bus.port().to_owned();
        if found.len() < JOINTS {
            let ids = super::super::ids(found.iter().map(|one| one.id));
            bail!(
                "{port}: expected a servo for each of {JOINTS} joints at {} baud, got {}: {ids}\n  fix: `turnkey claw \
                 scan` shows who answers, and at which baud rate; `set-id` and `set-baud` make them alike",
                bus.baud_rate(),
                found.len()
            );
        }
        if let Some(one) = found.iter().find(|one| one.garbled) {
            bail!("{port}: expected one servo with id {}, got damaged answers\n  fix: `turnkey claw scan`", one.id.0);
        }
        let mut servos = Vec::new();
        for one in found {
            let Some(model) = one.model.and_then(ServoModel::with_number) else {
                bail!(
                    "servo {}: expected a model in the table of servo models, got model number {:?}\n  fix: \
                     docs/ARCHITECTURE.md says how to add one",
                    one.id.0,
                    one.model
                );
            };
            if bus.read(one.id, ControlTable::DRIVE_MODE)? & 1 != 0 {
                bail!(
                    "servo {}: expected drive mode 0, got reverse mode\n  fix: `turnkey claw doctor --fix`; which way a \
                     servo turns its joint is the file's to say",
                    one.id.0
                );
            }
            let homing_offset = bus.read(one.id, ControlTable::HOMING_OFFSET)?;
            servos.push(Servo { id: one.id, model: model.name, homing_offset, taken: false });
        }
        Ok(Self { bus, servos })
    }

    /// Who they are.
    pub(super) fn ids(&self) -> Vec<ServoId> {
        self.servos.iter().map(|servo| servo.id).collect()
    }

    /// What each encoder says, without the homing offset, ticks.
    ///
    /// # Errors
    /// When a servo does not answer, or says what no hand can have turned it to.
    pub(super) fn encoders(&mut self) -> Result<Vec<i32>> {
        let Self { bus, servos } = self;
        let read = |servo: &Servo| {
            let position = bus.read(servo.id, ControlTable::PRESENT_POSITION)?;
            let ticks = position.saturating_sub(servo.homing_offset);
            ensure!(
                ticks.saturating_abs() <= MOST_TICKS,
                "servo {}: expected at most {MOST_TICKS} ticks either way, got {ticks}\n  fix: `turnkey claw reboot {}`, \
                 which counts its turns anew",
                servo.id.0,
                servo.id.0
            );
            Ok(ticks)
        };
        servos.iter().map(read).collect()
    }

    /// Which servo without a joint was turned since `before`, by its place.
    pub(super) fn moved(&self, before: &[i32], now: &[i32]) -> Result<usize, String> {
        let by = |place: usize| (now[place] - before[place]).abs();
        let mut free: Vec<usize> = (0..self.servos.len()).filter(|place| !self.servos[*place].taken).collect();
        free.sort_by_key(|place| -by(*place));
        match free[..] {
            [first, second, ..] if by(first) > MOVED && 2 * by(second) > by(first) => {
                let [first, second] = [first, second].map(|place| self.servos[place].id.0);
                Err(format!("servos {first} and {second} both moved: move this joint alone"))
            }
            [first, ..] if by(first) > MOVED => Ok(first),
            _ => Err("no servo that is still without a joint moved by 5 degrees: move it further".into()),
        }
    }

    /// Who is at this place, and of which model.
    pub(super) fn at(&self, place: usize) -> (ServoId, ServoName) {
        (self.servos[place].id, self.servos[place].model)
    }

    /// The servo at this place has its joint.
    pub(super) fn take(&mut self, place: usize) {
        self.servos[place].taken = true;
    }

    /// The place of a servo without a joint that has this id.
    pub(super) fn free(&self, id: u8) -> Option<usize> {
        self.servos.iter().position(|servo| servo.id.0 == id && !servo.taken)
    }

    /// Whether any is still without a joint.
    pub(super) fn any_free(&self) -> bool {
        self.servos.iter().any(|servo| !servo.taken)
    }

    /// What a person sees while a joint is moved: the servo that turned furthest since `before`, and how far.
    ///
    /// # Errors
    /// When a servo does not answer.
    pub(super) fn live(&mut self, before: &[i32]) -> Result<String> {
        let now = self.encoders()?;
        let free = (0..now.len()).filter(|place| !self.servos[*place].taken);
        let furthest = free.max_by_key(|place| (now[*place] - before[*place]).abs());
        Ok(match furthest.filter(|place| (now[*place] - before[*place]).abs() > STILL) {
            Some(place) => {
                let angle = f64::from(now[place] - before[place]) * RADIANS_PER_TICK;
                format!("servo {}: {angle:+.3} rad", self.servos[place].id.0)
            }
            None => "nothing has moved yet".to_owned(),
        })
    }
}
