//! Keeping to a period: absolute deadlines, and how late each was met.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use turnkey_core::{
    Failure, FrameSize, Health, JointGoal, JointLimits, Plant, Pose, Reading, Scene, SceneEdit, Snapshot,
    SnapshotError, Start,
};

/// A clock that can be waited by.
pub trait Clock: Send {
    /// Time since some moment before the first question. Never goes back.
    fn now(&mut self) -> Duration;

    /// Returns at `deadline` at the earliest: at once where it has passed.
    fn sleep_until(&mut self, deadline: Duration);
}

/// The system's monotonic clock. The last moment before a deadline is spun through, since a sleeping thread is woken
/// late by some 50 us even where it comes first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

/// How long before a deadline waiting becomes spinning: about 1% of a core at 50 Hz.
const SPIN: Duration = Duration::from_micros(200);

impl Clock for Monotonic {
    fn now(&mut self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid place for a timespec, and this clock is always there.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
    }

    fn sleep_until(&mut self, deadline: Duration) {
        let wake = deadline.saturating_sub(SPIN);
        let at = libc::timespec {
            tv_sec: wake.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: wake.subsec_nanos().into(),
        };
        while self.now() < wake {
            // SAFETY: `at` is a valid timespec; no remainder is asked for. A signal wakes early, hence the loop.
            unsafe {
                libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const at, std::ptr::null_mut())
            };
        }
        while self.now() < deadline {
            std::hint::spin_loop();
        }
    }
}

/// The schedule of control, one deadline a period. Whoever ends a step waits by it; whoever records asks how late that
/// was. Clones are the same schedule.
///
/// Deadlines are a period apart whatever the steps between take, so that lateness doesn't add up. After a step that was
/// late by more than half a period the schedule starts again from there: the next step would else be the shorter for
/// it, and what is learned from steps of another length is wrong.
#[derive(Clone)]
pub struct Pace(Arc<Mutex<Schedule>>);

struct Schedule {
    clock: Box<dyn Clock>,
    period: Duration,
    deadline: Option<Duration>,
    lateness: Option<Duration>,
    /// How much later than planned the present step began, where that was too late to end it in time.
    begun_late: Duration,
}

impl Pace {
    /// A schedule of this period by the system's clock.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self::by(Monotonic, period)
    }

    /// A schedule of this period by `clock`.
    #[must_use]
    pub fn by(clock: impl Clock + 'static, period: Duration) -> Self {
        Self(Arc::new(Mutex::new(Schedule {
            clock: Box::new(clock),
            period,
            deadline: None,
            lateness: None,
            begun_late: Duration::ZERO,
        })))
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The period.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.schedule().period
    }

    /// Starts the schedule again: the next deadline is one period from now.
    pub fn begin(&self) {
        let mut schedule = self.schedule();
        let now = schedule.clock.now();
        (schedule.deadline, schedule.lateness) = (Some(now + schedule.period), None);
        schedule.begun_late = Duration::ZERO;
    }

    /// Says that a step's action begins now, where something came between it and the last deadline. Where less than half a
    /// period is left, the schedule starts again from here, and the step is late by as much.
    pub fn begin_step(&self) {
        let mut schedule = self.schedule();
        let (now, period) = (schedule.clock.now(), schedule.period);
        if let Some(deadline) = schedule.deadline
            && deadline < now + period / 2
        {
            schedule.begun_late = now + period - deadline;
            schedule.deadline = Some(now + period);
        }
    }

    /// Waits for the deadline and sets the next one. Gives how late it was.
    pub fn wait(&self) -> Duration {
        let mut schedule = self.schedule();
        let period = schedule.period;
        let deadline = schedule.deadline.unwrap_or_else(|| schedule.clock.now() + period);
        schedule.clock.sleep_until(deadline);
        let now = schedule.clock.now();
        let lateness = now.saturating_sub(deadline);
        schedule.deadline = Some(if lateness > period / 2 { now } else { deadline } + period);
        let lateness = lateness + std::mem::take(&mut schedule.begun_late);
        schedule.lateness = Some(lateness);
        lateness
    }

    /// How late the last step was, once.
    #[must_use]
    pub fn lateness(&self) -> Option<Duration> {
        self.schedule().lateness.take()
    }
}

/// A plant that takes no time of its own, made to take as long as a real one: [`Plant::step`] ends with the period.
#[derive(Clone)]
pub struct Paced<P> {
    plant: P,
    pace: Pace,
}

impl<P: Plant> Paced<P> {
    /// The plant, kept to this pace.
    #[must_use]
    pub fn new(plant: P, pace: Pace) -> Self {
        Self { plant, pace }
    }
}

impl<P: Plant> Plant for Paced<P> {
    fn limits(&self) -> &JointLimits {
        self.plant.limits()
    }

    fn turns_valve(&self) -> bool {
        self.plant.turns_valve()
    }

    fn period(&self) -> Duration {
        self.plant.period()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        let reading = self.plant.reset(start)?;
        self.pace.begin();
        Ok(reading)
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        let reading = self.plant.step(goal)?;
        self.pace.wait();
        Ok(reading)
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.plant.release()
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.plant.frame_size()
    }

    fn health(&self) -> Option<Health> {
        self.plant.health()
    }

    fn scene(&self) -> Option<&Scene> {
        self.plant.scene()
    }

    fn edit_scene(&mut self, edits: &[SceneEdit]) -> Result<(), Failure> {
        self.plant.edit_scene(edits)
    }

    fn poses(&self) -> Vec<Pose> {
        self.plant.poses()
    }
}

impl<P: Plant> Snapshot for Paced<P> {
    fn save(&self) -> Vec<u8> {
        self.plant.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        self.plant.restore(state)
    }
}

/// A clock for tests, which moves only when it is told to, or waited by.
#[cfg(test)]
pub(crate) mod fake {
    use super::{Clock, Duration};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    pub(crate) struct Fake(Arc<Mutex<Duration>>);

    impl Fake {
        pub(crate) fn pass(&self, time: Duration) {
            *self.0.lock().unwrap() += time;
        }

        pub(crate) fn time(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    impl Clock for Fake {
        fn now(&mut self) -> Duration {
            self.time()
        }

        fn sleep_until(&mut self, deadline: Duration) {
            let mut now = self.0.lock().unwrap();
            *now = deadline.max(*now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::Fake;
    use super::*;
    use turnkey_env::FirstOrderPlant;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn steps_end_a_period_apart_whatever_they_take() {
        let clock = Fake::default();
        let pace = Pace::by(clock.clone(), MS(100));
        pace.begin();
        for (step, work) in [0, 99, 30, 100, 7].into_iter().enumerate() {
            clock.pass(MS(work));
            assert_eq!((pace.wait(), pace.lateness()), (MS(0), Some(MS(0))));
            assert_eq!(clock.time(), MS(100 * (step as u64 + 1)));
        }
        assert_eq!(pace.lateness(), None, "it was asked already");
    }

    #[test]
    fn lateness_does_not_add_up() {
        let clock = Fake::default();
        let pace = Pace::by(clock.clone(), MS(100));
        pace.begin();
        clock.pass(MS(140));
        assert_eq!(pace.wait(), MS(40));
        clock.pass(MS(10));
        assert_eq!((pace.wait(), clock.time()), (MS(0), MS(200)));
    }

    #[test]
    fn after_a_missed_deadline_no_step_is_cut_short_to_catch_up() {
        let clock = Fake::default();
        let pace = Pace::by(clock.clone(), MS(100));
        pace.begin();
        clock.pass(MS(375));
        assert_eq!(pace.wait(), MS(275));
        assert_eq!((pace.wait(), clock.time()), (MS(0), MS(475)), "a whole period after the late one");
    }

    #[test]
    fn a_step_that_begins_too_late_has_a_whole_period_and_is_late_by_as_much() {
        let clock = Fake::default();
        let pace = Pace::by(clock.clone(), MS(100));
        pace.begin();
        pace.wait();
        clock.pass(MS(49)); // readings that took their time: the step is shorter by that
        pace.begin_step();
        assert_eq!((pace.wait(), clock.time()), (MS(0), MS(200)));
        clock.pass(MS(120)); // beyond the next deadline
        pace.begin_step();
        assert_eq!((pace.wait(), clock.time()), (MS(120), MS(420)));
        assert_eq!(pace.lateness(), Some(MS(120)));
        clock.pass(MS(10));
        assert_eq!((pace.wait(), clock.time()), (MS(0), MS(520)), "counted once");
    }

    #[test]
    fn a_reset_takes_as_long_as_it_takes_and_the_first_step_after_it_a_period() {
        let clock = Fake::default();
        let plant = FirstOrderPlant::new();
        let mut paced = Paced::new(plant.clone(), Pace::by(clock.clone(), plant.period()));
        let start = Start { joints: [0.0; 9], valve: 0.0, seed: 1 };
        for _ in 0..2 {
            clock.pass(MS(12_345));
            let reading = paced.reset(&start).unwrap();
            let before = clock.time();
            let goal = paced.limits().clip(&[0.1; 9], &reading.positions);
            paced.step(&goal).unwrap();
            assert_eq!(clock.time() - before, plant.period());
        }
    }

    #[test]
    fn the_systems_clock_is_waited_by() {
        let mut clock = Monotonic;
        let deadline = clock.now() + MS(3);
        clock.sleep_until(deadline);
        assert!(clock.now() >= deadline);
        clock.sleep_until(deadline); // passed: at once
    }
}
