//! `turnkey benchmark`: trains on Gymnasium's environments, seed by seed, and shows what came of it beside what others came
//! to. Start reading at [`run`].

mod beside;

use crate::cli::Benchmark;
use crate::config::{Config, World};
use crate::plot::{Curve, points, returns};
use crate::printing::print;
use crate::run_folder::RunFolder;
use crate::statistics::{Interval, mean, student};
use crate::stop::Stop;
use anyhow::{Context, Result, anyhow, ensure};
use beside::Reading;
use serde::Deserialize;
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use turnkey_benchmarks::BenchmarkName;

/// What our own curves are called.
const OURS: &str = "turnkey";

/// One seed on one environment.
#[derive(Clone, Debug)]
struct Job {
    environment: BenchmarkName,
    seed: u64,
    config: Config,
    folder: PathBuf,
}

impl Job {
    fn new(arguments: &Benchmark, environment: BenchmarkName, seed: u64) -> Result<Self> {
        let config = Config::load(&arguments.config, &changes(arguments, environment))?.with_seed(seed);
        ensure!(
            matches!(&config.world, World::Benchmark(benchmark) if benchmark.name == environment),
            "--set: expected {environment} to stay {environment}, which is named before the options, got another environment"
        );
        let folder = arguments.runs_dir.join(format!("{environment}-seed-{seed}"));
        Ok(Self { environment, seed, config, folder })
    }

    /// What it came to, if it has taken all its steps.
    ///
    /// # Errors
    /// When its folder has another configuration's run, or what isn't one.
    fn finished(&self) -> Result<Option<Summary>> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let run = RunFolder::open(&self.folder)?;
        run.expect_made_with(&self.config)?;
        let path = run.summary();
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let done: Summary = serde_json::from_str(&text).with_context(|| format!("{} is no summary", path.display()))?;
        Ok((done.steps >= self.config.run.steps).then_some(done))
    }
}

/// What a finished run's summary has that is shown here.
#[derive(Debug, Deserialize)]
struct Summary {
    steps: u64,
    minutes: f64,
    #[serde(rename = "final")]
    last: Last,
}

#[derive(Debug, Deserialize)]
struct Last {
    mean_return: Interval,
}

/// Trains what isn't trained yet, `jobs` runs at a time on `threads` threads each, then draws the curves and prints the table.
///
/// # Errors
/// When the configuration is wrong, or a run failed.
pub fn run(arguments: &Benchmark, threads: usize) -> Result<()> {
    ensure!(arguments.jobs > 0, "--jobs: expected 1 or more, got 0");
    let readings = arguments.beside.iter().map(|file| beside::read(file)).collect::<Result<Vec<_>>>()?.concat();
    let place = arguments.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    ensure!(
        place.is_none_or(Path::is_dir),
        "--out: expected a picture in a folder that is there, got {}",
        arguments.out.display()
    );
    let mut environments: Vec<BenchmarkName> = Vec::new();
    for name in &arguments.environments {
        if !environments.contains(name) {
            environments.push(*name);
        }
    }
    let pairs = environments.iter().flat_map(|name| arguments.seeds.0.clone().map(move |seed| (*name, seed)));
    let jobs = pairs.map(|(name, seed)| Job::new(arguments, name, seed)).collect::<Result<Vec<_>>>()?;
    train(arguments, threads, &jobs)?;
    print(&table(&environments, &jobs, &readings)?)?;
    let curves = environments.iter().map(|name| Ok((name.to_string(), curves(*name, &jobs, &readings)?)));
    let mut curves: Vec<(String, Vec<Curve>)> = curves.collect::<Result<_>>()?;
    curves.retain(|(_, curves)| curves.iter().any(|curve| curve.seeds.iter().any(|seed| !seed.is_empty())));
    if curves.is_empty() {
        return print("there are no curves: no run was evaluated on the way\n");
    }
    returns(&curves, &arguments.out)?;
    print(&format!("curves are in {}\n", arguments.out.display()))
}

/// What is changed of the configuration for a run.
fn changes(arguments: &Benchmark, environment: BenchmarkName) -> Vec<String> {
    let mut changes = vec![format!("benchmark.name={environment}"), format!("run.steps={}", arguments.steps)];
    changes.extend(arguments.set.iter().cloned());
    changes
}

/// Runs a process for each seed that isn't finished, so that every run has cores of its own.
fn train(arguments: &Benchmark, threads: usize, jobs: &[Job]) -> Result<()> {
    let stop = Stop::on_signals()?;
    let mut open = VecDeque::new();
    for job in jobs {
        if job.finished()?.is_none() {
            open.push_back(job.clone());
        }
    }
    let (count, queue, failed) = (open.len(), Mutex::new(open), Mutex::new(Vec::new()));
    print(&format!("{count} of {} runs to train, {} at a time\n", jobs.len(), arguments.jobs))?;
    // Who reads may have gone; that is no reason to leave a run.
    let say = |text: String| drop(print(&(text + "\n")));
    let next = || if stop.asked() { None } else { queue.lock().ok()?.pop_front() };
    thread::scope(|scope| {
        for _ in 0..arguments.jobs.min(count) {
            scope.spawn(|| {
                while let Some(job) = next() {
                    let name = format!("{} seed {}", job.environment, job.seed);
                    say(format!("{name}: begins; its words go to {}", words(&job).display()));
                    let done = start(arguments, threads, &job).and_then(|child| wait(child, &job, &stop));
                    match done.and_then(|()| job.finished()) {
                        Ok(Some(Summary { minutes, last, .. })) => {
                            say(format!(
                                "{name}: mean return {:.0} after {minutes:.1} minutes",
                                last.mean_return.value
                            ));
                        }
                        Ok(None) if stop.asked() => {}
                        other => {
                            let early = || anyhow!("somebody stopped it, with a checkpoint");
                            say(format!("{name}: {:#}", other.err().unwrap_or_else(early)));
                            failed.lock().unwrap_or_else(|held| held.into_inner()).push(name);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    ensure!(!stop.asked(), "stopped, with a checkpoint of each run.\n  fix: the same command goes on");
    ensure!(
        failed.is_empty(),
        "runs failed: {}.\n  fix: see above, then the same command again: finished runs stay",
        failed.join(", ")
    );
    Ok(())
}

fn start(arguments: &Benchmark, threads: usize, job: &Job) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("this program can't find itself")?);
    command.args(["--threads", &threads.to_string(), "train"]).arg(&arguments.config).arg("--quiet");
    command.args(changes(arguments, job.environment).iter().flat_map(|change| ["--set", change.as_str()]));
    command.args(["--seed", &job.seed.to_string()]);
    command.arg("--runs-dir").arg(&arguments.runs_dir).arg("--name");
    command.arg(job.folder.file_name().context("a run's folder has a name")?);
    if job.folder.exists() {
        command.arg("--resume");
    }
    let path = words(job);
    std::fs::create_dir_all(&arguments.runs_dir)?;
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("{} can't be written", path.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().context("a run can't be started")
}

/// Where a run's words go.
fn words(job: &Job) -> PathBuf {
    job.folder.with_added_extension("log")
}

/// Waits for a run. One that is asked to stop leaves with a checkpoint.
fn wait(mut child: Child, job: &Job, stop: &Stop) -> Result<()> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().context("a run can't be waited for")? {
            let said = std::fs::read_to_string(words(job)).unwrap_or_default();
            let last = said.lines().skip(said.lines().count().saturating_sub(4)).collect::<Vec<_>>().join("\n");
            ensure!(status.success(), "the run ended with {status}; its last words:\n{last}");
            return Ok(());
        }
        if stop.asked() && !told {
            // A terminal tells all of them; whoever stops this process alone means them too.
            told = true;
            // SAFETY: kill has no memory to be unsafe about, and the child isn't waited for yet: its id is its own.
            unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Our curve, and those of others in the same environment.
fn curves(name: BenchmarkName, jobs: &[Job], readings: &[Reading]) -> Result<Vec<Curve>> {
    let of_ours = jobs.iter().filter(|job| job.environment == name);
    let seeds = of_ours.map(|job| points(&RunFolder::open(&job.folder)?)).collect::<Result<Vec<_>>>()?;
    let mut curves = vec![Curve { label: OURS.into(), seeds }];
    let drawn = |reading: &&Reading| reading.environment == name.id() && !reading.evaluations.is_empty();
    for reading in readings.iter().filter(drawn) {
        match curves.iter_mut().find(|curve| curve.label == reading.label) {
            Some(curve) => curve.seeds.push(reading.evaluations.clone()),
            None => curves.push(Curve { label: reading.label.clone(), seeds: vec![reading.evaluations.clone()] }),
        }
    }
    Ok(curves)
}

/// A learner in an environment.
struct Row<'a> {
    label: &'a str,
    seeds: usize,
    /// Of the shortest run.
    steps: u64,
    /// The final mean return of each run.
    finals: Vec<f64>,
}

impl<'a> Row<'a> {
    fn new(label: &'a str) -> Self {
        Self { label, seeds: 0, steps: u64::MAX, finals: Vec::new() }
    }

    fn add(&mut self, seeds: usize, steps: u64, mean_return: f64) {
        self.seeds += seeds;
        self.steps = self.steps.min(steps);
        self.finals.push(mean_return);
    }
}

/// The final returns, in a line for each environment and learner.
fn table(environments: &[BenchmarkName], jobs: &[Job], readings: &[Reading]) -> Result<String> {
    let wide = readings.iter().map(|reading| reading.label.chars().count()).fold(OURS.len(), usize::max);
    let mut text = format!(
        "{:<16} {:<wide$} {:>5} {:>9}  mean return at the end, 95% interval over seeds\n",
        "environment", "learner", "seeds", "steps"
    );
    for name in environments {
        let mut rows = vec![Row::new(OURS)];
        for job in jobs.iter().filter(|job| job.environment == *name) {
            let done = job.finished()?.with_context(|| format!("{} is not finished", job.folder.display()))?;
            rows[0].add(1, done.steps, done.last.mean_return.value);
        }
        for reading in readings.iter().filter(|reading| reading.environment == name.id()) {
            let index = rows.iter().position(|row| row.label == reading.label).unwrap_or_else(|| {
                rows.push(Row::new(&reading.label));
                rows.len() - 1
            });
            rows[index].add(reading.seeds, reading.steps, reading.last);
        }
        for Row { label, seeds, steps, finals } in rows {
            let Interval { low, high, .. } = student(&finals);
            let spread = if finals.len() > 1 { format!(" [{low:.0}, {high:.0}]") } else { String::new() };
            text += &format!("{name:<16} {label:<wide$} {seeds:>5} {steps:>9}  {:.0}{spread}\n", mean(&finals));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use turnkey_benchmarks::{BenchmarkName, Locomotion};
    use turnkey_env::conformance::check_environment_within;

    #[test]
    fn every_benchmark_keeps_an_environments_promises() {
        for name in BenchmarkName::ALL {
            // Humanoid's forces are in N, as Gymnasium gives them to see.
            check_environment_within(1e6, || Locomotion::new(name).unwrap());
        }
    }
}
