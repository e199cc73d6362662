//! The learner's pace.

use super::super::journal::Entry;
use super::super::telemetry::telemetry;
use super::*;
use crossbeam::channel::{bounded, unbounded};
use turnkey_core::{Action, End, Frame, FrameSize, Observation, PictureShape, Sink, Stamp};
use turnkey_replay::Widths;

struct Nowhere;

impl Sink for Nowhere {
    fn record(&self, _record: Record) {}
}

/// A learner of three updates a step after ten steps of warm-up, in a folder of its own.
fn learning(folder: &std::path::Path) -> (Learning, Sender<Experience>, Receiver<Entry>) {
    let text = "[run]\nmode = 'asynchronous'\nsteps = 100\nwarmup_steps = 10\nupdates_per_step = 3\n\
                evaluation_period = 100\ncheckpoint_period = 25\n[task]\nname = 'turn_random'\n\
                [sac]\nactor_hidden = [4]\ncritic_hidden = [4]\nbatch_size = 4\n";
    let config = Config::from_table(toml::from_str(text).unwrap()).unwrap();
    let learner = Sac::new(&config.sac, 2, 1, 0).unwrap();
    let (sender, transitions) = bounded(1000);
    let (journal, entries) = bounded(1000);
    let learning = Learning {
        folder: RunFolder::create(&folder.join("run"), &config, None).unwrap(),
        learner,
        updates_before: 0,
        replay: Replay::new(1000, Widths { observation: 2, action: 1, pictures: None }).unwrap(),
        batch: Batch::zeros(4, 2, 1),
        sampling: Rng::new(0, "sampling"),
        augmentation: None,
        transitions,
        journal,
        watchers: telemetry(Box::new(Nowhere)).0,
        weights: Weights::default(),
        shared: Arc::default(),
        reporter: Reporter::new(100, true),
        sums: Sums::default(),
        saved: None,
        published: Instant::now(),
        period: Duration::from_millis(100),
        config,
    };
    (learning, sender, entries)
}

/// The policy that was published last; one of no transitions before the first.
fn taken(weights: &Weights) -> Published {
    let mut copy = Published { actor: Sac::new(&turnkey_sac::SacConfig::default(), 2, 1, 0).unwrap().actor(), rows: 0 };
    weights.take(&mut copy);
    copy
}

fn transition(number: u64) -> Experience {
    let seen = |number: u64| Observation::from(vec![number as f32 / 100.0, 1.0]);
    let end = number.is_multiple_of(20).then_some(End::Truncated);
    let (observation, next) = (seen(number), seen(number + 1));
    Experience::Transition(Arc::new(Transition { observation, action: Action(vec![0.1]), reward: -1.0, next, end }))
}

/// A journal that writes nothing and says that everything is written.
fn write_nothing(entries: Receiver<Entry>) {
    for entry in entries {
        if let Entry::Sync(answer) = entry {
            answer.send(u64::MAX).unwrap();
        }
    }
}

#[test]
fn what_is_owed_is_made_up_for_at_the_end_and_not_where_somebody_asked_to_stop() {
    for complete in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (learning, sender, entries) = learning(folder.path());
        let (run, shared, weights) = (learning.folder.clone(), learning.shared.clone(), learning.weights.clone());
        // All come at once, as after a learner was stuck.
        (1..=60).for_each(|number| sender.send(transition(number)).unwrap());
        shared.complete.store(complete, SeqCst);
        drop(sender);
        let writer = std::thread::spawn(|| write_nothing(entries));
        let (tell, told) = bounded(1);
        learning.run(&Stop::default(), tell).unwrap();
        writer.join().unwrap();
        told.recv().unwrap();
        let newest = taken(&weights);
        let updates = if complete { 150 } else { 0 };
        assert_eq!((newest.rows, newest.actor.updates()), (60, updates));
        assert_eq!(shared.owed.load(SeqCst), 150 - updates);
        assert_eq!(Checkpoint::newest(&run).unwrap().unwrap().step, 60);
    }
}

#[test]
fn the_learner_waits_for_the_robot_and_makes_no_more_updates_than_the_ratio_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let (learning, sender, entries) = learning(folder.path());
    let (weights, shared) = (learning.weights.clone(), learning.shared.clone());
    let (tell, _told) = bounded(1);
    let mut newest = taken(&weights);
    std::thread::scope(|scope| {
        scope.spawn(|| write_nothing(entries));
        let learner = scope.spawn(|| learning.run(&Stop::default(), tell));
        for number in 1..=30 {
            sender.send(transition(number)).unwrap();
            let wanted = 3 * number.saturating_sub(10);
            // Given all the time it wants, it comes to this many, and stays there.
            while (newest.rows, newest.actor.updates()) != (number, wanted) {
                weights.take(&mut newest);
                let (rows, updates) = (newest.rows, newest.actor.updates());
                assert!(updates <= wanted, "{updates} updates from {rows} at {number}");
                std::thread::yield_now();
            }
        }
        shared.complete.store(true, SeqCst);
        drop(sender);
        learner.join().unwrap().unwrap();
    });
}

#[test]
fn what_was_discarded_is_not_learned_from_and_the_learner_waits_where_nothing_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (mut learning, ..) = learning(folder.path());
    (1..=20).for_each(|number| learning.take(transition(number)).unwrap());
    assert_eq!(learning.owed(), 30);
    learning.take(Experience::Discard(0..20)).unwrap();
    assert_eq!(learning.owed(), 0, "nothing to learn from");
    learning.take(transition(21)).unwrap();
    assert_eq!(learning.owed(), 33);
    learning.replay.sample(&mut learning.batch, &mut learning.sampling).unwrap();
    assert!(learning.batch.observations.chunks(2).all(|seen| seen[0] == 0.21), "{:?}", learning.batch.observations);
}

/// Keeps records for who asks, and wants control steps or not.
struct Kept(Sender<Record>, bool);

impl Sink for Kept {
    fn record(&self, record: Record) {
        self.0.send(record).unwrap();
    }

    fn wants_control(&self) -> bool {
        self.1
    }
}

#[test]
fn who_watches_is_shown_what_the_critics_attend_to_in_the_newest_step_alone() {
    let shape = PictureShape { size: FrameSize { width: 32, height: 32 }, stack: 2 };
    let pixels = (0..shape.size.bytes()).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>();
    let frame = Frame::new(Stamp::default(), shape.size, pixels).unwrap();
    let seen = Observation { numbers: vec![0.1, 0.2], pictures: vec![frame; 2] };
    let (action, next) = (Action(vec![0.1]), seen.clone());
    let transition = Arc::new(Transition { observation: seen, action, reward: 0.0, next, end: None });
    for wanted in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (mut learning, sender, _entries) = learning(folder.path());
        learning.learner = Sac::seeing(&learning.config.sac, 2, Some(shape), 1, 0).unwrap();
        learning.replay = Replay::new(100, Widths { observation: 2, action: 1, pictures: Some(shape) }).unwrap();
        let (keep, kept) = unbounded();
        let (watchers, telemetry) = telemetry(Box::new(Kept(keep, wanted)));
        learning.watchers = watchers;
        // One that is not the newest any more, and one that is.
        sender.send(Experience::Transition(transition.clone())).unwrap();
        learning.take(Experience::Transition(transition.clone())).unwrap();
        let newest = learning.transitions.recv().unwrap();
        learning.take(newest).unwrap();
        drop(learning);
        telemetry.run().unwrap();
        let shown: Vec<_> = kept.try_iter().collect();
        match (wanted, &shown[..]) {
            (true, [Record::Attention(record)]) => {
                assert_eq!((record.step, record.overlay.size()), (2, shape.size));
                assert!(record.overlay.pixels().chunks(3).any(|rgb| rgb[0] > rgb[1]), "something is red");
            }
            (false, []) => {}
            _ => panic!("{wanted}: {shown:?}"),
        }
    }
}
