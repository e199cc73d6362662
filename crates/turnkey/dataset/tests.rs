use super::*;
use crate::config::Config;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

const RUN: &str = "[run]\nmode = 'asynchronous'\nsteps = 100\nwarmup_steps = 10\nevaluation_period = 50\n\
    checkpoint_period = 50\n[task]\nname = 'turn_random'\n[rig]\n";

/// A folder with a claw's file, and a dataset of two numbers an observation in it.
fn open(folder: &Path) -> Result<Dataset> {
    let claw = folder.join("claw.toml");
    fs::write(&claw, "port = 'here'").unwrap();
    let config = Config::from_table(toml::from_str(RUN).unwrap()).unwrap();
    let rig = RigConfig { datasets: folder.to_owned(), ..RigConfig::of(&claw) };
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let spec = Spec { observation: names, pictures: None, action: vec!["u".into()], episode_steps: 3 };
    Dataset::open(&rig, &config, "run", spec)
}

fn begin() -> Line {
    Line::Begin { purpose: Purpose::Training, seed: 7, step: 0, observation: vec![0.5, 1.0] }
}

fn step(stamp_secs: f64) -> Line {
    let zero = [0.0; 9];
    Line::Step(Box::new(StepLine {
        step: 1,
        stamp_secs,
        lateness_secs: Some(0.0),
        joint_age_secs: 0.004,
        cycle_secs: 0.005,
        action: vec![0.1],
        goal: zero,
        told: zero,
        positions: zero,
        velocities: zero,
        torques: zero,
        amperes: zero,
        celsius: [30.0; 9],
        volts: [12.0; 9],
        picture: None,
        valve: Some(1.0),
        valve_velocity: Some(0.0),
        valve_stamp_secs: Some(1.0),
        target: 3.0,
        reward: -1.5,
        terms: BTreeMap::from([("distance".to_owned(), -1.5)]),
        observation: vec![0.25, -1.0],
        end: None,
    }))
}

fn end(outcome: Outcome) -> Line {
    Line::End { outcome, success: None }
}

fn add(dataset: &mut Dataset, lines: impl IntoIterator<Item = Line>) {
    lines.into_iter().for_each(|line| dataset.add(&line, None).unwrap());
}

#[test]
fn episodes_are_read_back_and_counted_by_how_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = open(folder.path()).unwrap();
    add(&mut dataset, [begin(), step(0.1), step(0.2), end(Outcome::Whole)]);
    // Between episodes nothing is one's: a reset that failed has no begin.
    add(&mut dataset, [end(Outcome::Fault)]);
    add(&mut dataset, [begin(), step(0.3), end(Outcome::Fault), begin(), step(0.4)]);
    dataset.finish().unwrap();
    let read = check(&folder.path().join("run")).unwrap();
    let expected = Counts {
        ended: 2,
        steps_of_ended: 3,
        whole: 1,
        faults: 1,
        cut_off: 1,
        training_steps: 4,
        evaluation_steps: 0,
        last_episode: 3,
    };
    assert_eq!(read, expected);
    let manifest = Manifest::read(&folder.path().join("run")).unwrap();
    assert_eq!((manifest.episodes, manifest.steps), (2, 3));

    // The next process goes on with the next number, whatever the last one left.
    let cut_off = folder.path().join("run/episode-000003.jsonl");
    fs::write(&cut_off, [&fs::read(&cut_off).unwrap()[..], b"{\"kind\":\"st"].concat()).unwrap();
    let mut dataset = open(folder.path()).unwrap();
    add(&mut dataset, [begin(), step(0.1), end(Outcome::Whole)]);
    dataset.finish().unwrap();
    let read = check(&folder.path().join("run")).unwrap();
    assert_eq!((read.last_episode, read.cut_off, read.training_steps), (4, 1, 5));
    assert_eq!(Manifest::read(&folder.path().join("run")).unwrap().episodes, 3);
}

#[test]
fn what_a_full_disk_does_not_take_is_kept_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = open(folder.path()).unwrap();
    let second = folder.path().join("run/episode-000002.jsonl");
    symlink("/dev/full", &second).unwrap();
    add(&mut dataset, [begin(), step(0.1), end(Outcome::Whole), begin(), step(0.2), end(Outcome::Whole)]);
    let error = format!("{:#}", dataset.flush().unwrap_err());
    assert!(dataset.is_stuck() && error.contains("can't be written"), "{error}");
    add(&mut dataset, [begin(), step(0.3), end(Outcome::Whole)]);
    assert!(dataset.flush().is_err());
    fs::remove_file(&second).unwrap();
    dataset.finish().unwrap();
    assert!(!dataset.is_stuck());
    let read = check(&folder.path().join("run")).unwrap();
    assert_eq!((read.whole, read.training_steps, read.cut_off), (3, 3, 0));
}

#[test]
fn damage_is_found_and_another_tasks_dataset_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = open(folder.path()).unwrap();
    add(&mut dataset, [begin(), step(0.1), step(0.2), end(Outcome::Whole)]);
    dataset.finish().unwrap();
    let (run, file) = (folder.path().join("run"), folder.path().join("run/episode-000001.jsonl"));
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let text = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for (damaged, expected) in [
        (text(&lines[1..]), "begins the episode"),
        (text(&[lines[0], lines[2], lines[1]]), "later stamp"),
        (text(&[lines[0], lines[3], lines[1]]), "nothing after the end"),
        (whole.replace("[0.25,-1.0]", "[0.25]"), "2 numbers, got 1"),
        (whole.replace("-1.5", "\"x\""), "line 2"),
        (text(&lines[..3]), "expected 1 episodes with an end"),
    ] {
        fs::write(&file, damaged).unwrap();
        let error = format!("{:#}", check(&run).unwrap_err());
        assert!(error.contains(expected), "{expected}: {error}");
    }
    fs::write(&file, whole).unwrap();
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    fs::write(run.join("manifest.json"), manifest.replace("\"episode_steps\": 40", "\"episode_steps\": 41")).unwrap();
    assert!(format!("{:#}", open(folder.path()).err().unwrap()).contains("another task"));
}
