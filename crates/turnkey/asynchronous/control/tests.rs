//! Control against parts that are stuck, late, broken or told what to do. Time is a clock that only waiting moves.

use super::*;
use crate::asynchronous::telemetry::{Telemetry, telemetry};
use crate::config::RigConfig;
use crate::orders::Order;
use crate::pace::{Paced, fake::Fake};
use crossbeam::channel::bounded;
use std::path::Path;
use std::sync::Mutex;
use turnkey_core::{
    Failure, JointGoal, JointLimits, Kind, Plant, Reading, Sink, Snapshot, SnapshotError, Start, Task as _,
};
use turnkey_env::{ClawEnvironment, FirstOrderPlant, ValveTask};
use turnkey_sac::Sac;

const PERIOD: Duration = Duration::from_millis(100);
const EPISODE: u64 = 40;

/// What happened to a plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Reset,
    Step,
    Release,
}
use Event::{Release, Reset};

/// What else happens as a plant takes a step, which is given its number from 1 on.
type Aside = Box<dyn FnMut(u64) -> Result<(), Failure> + Send>;

/// A plant that keeps account, and has things happen at chosen steps.
struct Staged {
    plant: FirstOrderPlant,
    events: Arc<Mutex<Vec<Event>>>,
    aside: Aside,
    steps: u64,
    /// How often it refuses to be released.
    refusals: u32,
}

impl Snapshot for Staged {
    fn save(&self) -> Vec<u8> {
        self.plant.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        self.plant.restore(state)
    }
}

impl Plant for Staged {
    fn limits(&self) -> &JointLimits {
        self.plant.limits()
    }

    fn period(&self) -> Duration {
        self.plant.period()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        self.events.lock().unwrap().push(Reset);
        self.plant.reset(start)
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        self.events.lock().unwrap().push(Event::Step);
        self.steps += 1;
        (self.aside)(self.steps)?;
        self.plant.step(goal)
    }

    fn release(&mut self) -> Result<(), Failure> {
        self.events.lock().unwrap().push(Release);
        let refuses = self.refusals > 0;
        self.refusals = self.refusals.saturating_sub(1);
        if refuses { Err(Failure::new(Kind::Stop, "the bus is gone")) } else { Ok(()) }
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn record(&self, _record: Record) {}
}

/// Control, and the other ends of everything it has to do with.
struct Stage {
    control: Control,
    clock: Fake,
    events: Arc<Mutex<Vec<Event>>>,
    orders: Orders,
    journal: Receiver<Entry>,
    transitions: Receiver<Experience>,
    _telemetry: Telemetry,
}

/// Everything in place for so many steps, with queues of this length.
fn stage(steps: u64, queue: usize, aside: impl FnOnce(&Fake, &Orders) -> Aside) -> Stage {
    stage_that(0, steps, queue, aside)
}

/// The same with a plant that refuses to be released so often.
fn stage_that(refusals: u32, steps: u64, queue: usize, aside: impl FnOnce(&Fake, &Orders) -> Aside) -> Stage {
    let text = format!(
        "[run]\nmode = 'asynchronous'\nsteps = {steps}\nwarmup_steps = 10\nevaluation_period = 1000000\n\
         checkpoint_period = 100\nevaluation_episodes = 1\nfinal_episodes = 1\n[task]\nname = 'turn_random'\n\
         [sac]\nactor_hidden = [4]\ncritic_hidden = [4]\n"
    );
    let config = Config::from_table(toml::from_str(&text).unwrap()).unwrap();
    let (clock, orders, events) = (Fake::default(), Orders::default(), Arc::<Mutex<Vec<Event>>>::default());
    let pace = Pace::by(clock.clone(), PERIOD);
    let plant = Staged {
        plant: FirstOrderPlant::new(),
        events: events.clone(),
        aside: aside(&clock, &orders),
        steps: 0,
        refusals,
    };
    let task = ValveTask::new(config.claw().unwrap().task.clone()).unwrap();
    let environment = ClawEnvironment::new(Paced::new(plant, pace.clone()), task).unwrap();
    let (observation, action) = (environment.spec().observation.len(), environment.spec().action.len());
    let (watchers, telemetry) = telemetry(Box::new(Nowhere));
    let (entries, journal) = bounded(queue);
    let (learner, transitions) = bounded(queue);
    let control = Control {
        environment: Box::new(environment),
        pace,
        orders: orders.clone(),
        weights: Weights::default(),
        shared: Arc::default(),
        outlets: Outlets { journal: entries, learner: Some(learner), watchers },
        policy: Published { actor: Sac::new(&config.sac, observation, action, 0).unwrap().actor(), rows: 0 },
        exploration: Exploration::new(&config.exploration, action, 0),
        episode_seeds: Rng::new(0, "episodes"),
        step: 0,
        begun_at: 0,
        evaluated_at: 0,
        episodes: 0,
        lateness: Lateness::new(PERIOD),
        window: Window::new(PERIOD),
        rig: None,
        minutes_before: 0.0,
        started: Instant::now(),
        config,
    };
    Stage { control, clock, events, orders, journal, transitions, _telemetry: telemetry }
}

fn nothing(_: &Fake, _: &Orders) -> Aside {
    Box::new(|_| Ok(()))
}

/// Runs control to its end, beside a learner that has learned everything already. One that hangs is a failure.
fn run(control: Control) -> Result<Ended> {
    let (learned, done) = bounded(1);
    learned.send(()).unwrap();
    let (tell, told) = bounded(1);
    std::thread::spawn(move || drop(tell.send(control.run(&Stop::default(), &done))));
    told.recv_timeout(Duration::from_secs(120)).expect("control waited for somebody")
}

fn transitions_in(journal: &Receiver<Entry>) -> Vec<Arc<Transition>> {
    let entries = journal.try_iter();
    entries.filter_map(|entry| if let Entry::Transition(row) = entry { Some(row) } else { None }).collect()
}

#[test]
fn a_stuck_learner_disk_and_viewer_delay_no_step() {
    // Nobody takes anything from any queue, and more is shown than the viewer's holds.
    let steps = 1500;
    let Stage { control, clock, journal, transitions, .. } = stage(steps, 10_000, nothing);
    let watchers = control.outlets.watchers.clone();
    let ended = run(control).unwrap();
    assert_eq!((ended.finish, ended.steps), (Finish::Complete, steps));
    let (all, figures) = (steps + EPISODE, ended.lateness);
    assert_eq!((figures.steps, figures.lateness_max_ms, figures.missed_deadlines), (all, 0.0, 0));
    assert_eq!(clock.time(), PERIOD * all as u32, "each step took its period");
    assert!(watchers.dropped() > 0, "the viewer's queue was never full");

    // What waits there is every step, once and in order.
    let (written, learned) = (transitions_in(&journal), transitions.try_iter().collect::<Vec<_>>());
    assert_eq!(written.len() as u64, steps);
    assert_eq!(written.iter().cloned().map(Experience::Transition).collect::<Vec<_>>(), learned);
    for pair in written.windows(2) {
        assert!(pair[0].end.is_some() || pair[0].next == pair[1].observation, "a step is missing, or came twice");
    }
}

#[test]
fn a_queue_that_is_full_ends_the_run_with_the_plant_released() {
    let Stage { control, events, journal, transitions: _kept, .. } = stage(1000, 50, nothing);
    let error = format!("{:#}", run(control).unwrap_err());
    assert!(error.contains("the disk is stuck: 50 entries wait"), "{error}");
    assert_eq!(events.lock().unwrap().last(), Some(&Release));
    assert!(transitions_in(&journal).len() > 40);
}

#[test]
fn a_thread_that_is_gone_ends_the_run_with_the_plant_released() {
    let Stage { control, events, journal: _kept, transitions, .. } = stage(1000, 5000, nothing);
    drop(transitions);
    assert!(run(control).unwrap_err().is::<Abandoned>(), "the error to show is the other thread's");
    assert_eq!(events.lock().unwrap().last(), Some(&Release));
}

#[test]
fn a_plant_that_fails_is_released_before_the_error_goes_on_and_its_step_is_no_transition() {
    let stage = stage(1000, 5000, |_, _| {
        Box::new(|step| if step == 7 { Err(Failure::new(Kind::Stop, "servo 12 is gone")) } else { Ok(()) })
    });
    let error = format!("{:#}", run(stage.control).unwrap_err());
    assert!(error.contains("servo 12 is gone"), "{error}");
    assert_eq!(stage.events.lock().unwrap().last(), Some(&Release));
    assert_eq!(transitions_in(&stage.journal).len(), 6);
}

#[test]
fn a_plant_that_can_not_be_released_is_the_first_thing_said() {
    let stage = stage_that(u32::MAX, 1000, 5000, |_, _| {
        Box::new(|step| if step == 3 { Err(Failure::new(Kind::Stop, "servo 12 is gone")) } else { Ok(()) })
    });
    let error = format!("{:#}", run(stage.control).unwrap_err());
    assert!(error.starts_with("the plant may not be released: cut its power: the bus is gone"), "{error}");
    assert!(error.contains("servo 12 is gone"), "{error}");
    assert!(!stage.orders.released(), "somebody who ordered a stop would be told that it is released");
}

#[test]
fn a_late_step_is_counted_and_one_far_too_late_releases_the_plant_and_says_why() {
    let mut delays = [(3, 30), (5, 250), (9, 1100)].into_iter().peekable();
    let stage = stage(1000, 5000, |clock, _| {
        let clock = clock.clone();
        Box::new(move |step| {
            if let Some((_, ms)) = delays.next_if(|(at, _)| *at == step) {
                clock.pass(PERIOD + Duration::from_millis(ms));
            }
            Ok(())
        })
    });
    let (events, journal) = (stage.events.clone(), stage.journal.clone());
    let error = format!("{:#}", run(stage.control).unwrap_err());
    assert!(error.contains("1.100 s late") && error.contains("lateness_limit_secs = 1"), "{error}");
    assert_eq!(events.lock().unwrap().last(), Some(&Release));
    assert_eq!(transitions_in(&journal).len(), 8, "the late step is nothing to learn from");
}

#[test]
fn a_stop_releases_the_plant_before_another_step_and_leaves() {
    let stage = stage(1000, 5000, |_, orders| {
        let orders = orders.clone();
        Box::new(move |step| {
            if step == 5 {
                orders.give(Order::Stop);
            }
            Ok(())
        })
    });
    let (events, orders) = (stage.events.clone(), stage.orders.clone());
    let ended = run(stage.control).unwrap();
    assert_eq!((ended.finish, ended.steps), (Finish::Stopped, 5));
    let events = events.lock().unwrap();
    assert_eq!(events.iter().position(|event| *event == Release), Some(6), "a reset and five steps before it");
    assert!(orders.released() && !events[6..].contains(&Event::Step));
}

#[test]
fn an_emergency_and_a_pause_wait_with_a_released_plant_for_a_person_to_resume() {
    for (order, steps_before) in [(Order::Emergency, 5), (Order::Pause, EPISODE)] {
        let stage = stage(60, 5000, |_, orders| {
            let orders = orders.clone();
            Box::new(move |step| {
                if step == 5 {
                    orders.give(order);
                }
                Ok(())
            })
        });
        let orders = stage.orders.clone();
        let person = std::thread::spawn(move || {
            while !orders.released() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(30));
            assert!(orders.released(), "it went on by itself");
            orders.give(Order::Resume);
        });
        let ended = run(stage.control).unwrap();
        person.join().unwrap();
        assert_eq!((ended.finish, ended.steps), (Finish::Complete, 60));
        let events = stage.events.lock().unwrap();
        let released = events.iter().position(|event| *event == Release).unwrap() as u64;
        assert_eq!(released, 1 + steps_before, "{order}");
        assert!(events[released as usize + 1..].contains(&Reset), "it goes on with a new episode");
    }
}

#[test]
fn on_a_rig_a_release_that_nobody_confirmed_is_tried_again_until_a_person_says_resume() {
    let staged = stage_that(2, 30, 10_000, |_, orders| {
        let orders = orders.clone();
        Box::new(move |step| {
            if step == 10 {
                orders.give(Order::Emergency);
            }
            Ok(())
        })
    });
    let Stage { mut control, events, orders, .. } = staged;
    control.rig = Some(OnRig::new(&RigConfig::of(Path::new("claw.toml")), PERIOD));
    let person = std::thread::spawn(move || {
        while !orders.released() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(orders.rests(), "it went on by itself");
        orders.give(Order::Resume);
    });
    assert_eq!(run(control).unwrap().steps, 30);
    person.join().unwrap();
    let events = events.lock().unwrap();
    let releases = events.iter().skip_while(|event| **event != Release).take_while(|event| **event == Release).count();
    assert!(releases >= 3, "{events:?}");
}

#[test]
fn an_order_to_discard_takes_the_episode_out_and_begins_the_next_one() {
    let stage = stage(150, 5000, |_, orders| {
        let orders = orders.clone();
        Box::new(move |step| {
            // In the second episode, after its 12th step.
            if step == EPISODE + 12 {
                orders.give(Order::Discard);
            }
            Ok(())
        })
    });
    let (events, journal) = (stage.events.clone(), stage.journal.clone());
    run(stage.control).unwrap();
    assert_eq!(events.lock().unwrap()[EPISODE as usize + 14], Reset);
    let discarded = EPISODE..EPISODE + 12;
    let told: Vec<Experience> = stage.transitions.try_iter().collect();
    assert_eq!(told[discarded.end as usize], Experience::Discard(discarded.clone()), "after its last step");
    let entries: Vec<Entry> = journal.try_iter().collect();
    let written = entries.iter().filter(|entry| matches!(entry, Entry::Transition(_))).count();
    let ranges = entries.iter().filter_map(|entry| if let Entry::Discard(rows) = entry { Some(rows) } else { None });
    assert_eq!((written, ranges.collect::<Vec<_>>()), (150, vec![&discarded]), "steps stay counted");
}

#[test]
fn the_newest_weights_are_taken_between_steps() {
    // Before step 21 the learner publishes twice; before step 31, once more.
    let slot = Weights::default();
    let learner = slot.clone();
    let stage = stage(40, 5000, move |_, _| {
        let task = ValveTask::new(turnkey_env::TaskConfig::published(turnkey_env::TaskName::TurnRandom)).unwrap();
        let config = turnkey_sac::SacConfig { actor_hidden: vec![4], critic_hidden: vec![4], ..Default::default() };
        let actor = Sac::new(&config, task.spec().observation.len(), 9, 9).unwrap().actor();
        Box::new(move |step| {
            let rows: &[u64] =
                [(20, &[18, 19][..]), (30, &[29])].into_iter().find(|(at, _)| *at == step).map_or(&[], |x| x.1);
            rows.iter().for_each(|rows| learner.publish(Published { actor: actor.clone(), rows: *rows }));
            Ok(())
        })
    });
    let mut control = stage.control;
    control.weights = slot.clone();
    let journal = stage.journal.clone();
    let _learner = stage.transitions;
    run(control).unwrap();
    let ages: Vec<u64> = journal
        .try_iter()
        .filter_map(|entry| match entry {
            Entry::Line(line) => match *line {
                Line::Timing { timing, .. } => Some(timing.oldest_weights_steps),
                _ => None,
            },
            _ => None,
        })
        .collect();
    // The oldest were those of the beginning, at the last step before new ones came; those after are at most 10 old.
    assert_eq!(ages, [19]);
}
