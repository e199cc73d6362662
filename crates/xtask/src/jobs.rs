//! Several long programs at a time, each with its words in a file.

use crate::failure::{Failure, Result};
use crate::process;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// A program to run.
pub(crate) struct Job {
    /// What people call it.
    pub(crate) name: String,
    /// The program.
    pub(crate) command: Command,
    /// Where its standard output and standard error go, after what is there already.
    pub(crate) output: PathBuf,
    /// Where its standard error goes, if elsewhere. The output then begins anew.
    pub(crate) errors: Option<PathBuf>,
}

/// Runs all jobs, at most `at_once` together, and calls `finished` with the name of each that ended well.
/// A stopped run of this function leaves its jobs' own files: they get the terminal's interrupt themselves.
///
/// # Errors
/// At the end, with the names of the jobs that failed; the others have run.
pub(crate) fn run(jobs: Vec<Job>, at_once: usize, finished: impl Fn(&str) -> Result<()> + Sync) -> Result<()> {
    let (queue, failed) = (Mutex::new(VecDeque::from(jobs)), Mutex::new(Vec::new()));
    let next = || queue.lock().ok()?.pop_front();
    let work = || {
        while let Some(mut job) = next() {
            let start = Instant::now();
            println!("{}: started; its words go to {}", job.name, job.output.display());
            match run_one(&mut job).and_then(|()| finished(&job.name)) {
                Ok(()) => println!("{}: done in {:.1} min", job.name, start.elapsed().as_secs_f64() / 60.0),
                Err(failure) => {
                    println!("{}: {failure}", job.name);
                    failed.lock().expect("no holder of this lock panics").push(job.name);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new("some runs failed")
        .came(failed.join(", "))
        .fix("see their words above, then run the same command again: finished runs stay"))
}

fn run_one(job: &mut Job) -> Result<()> {
    let output = open(&job.output)?;
    // The program inherits this lock with its output: it holds while the program lives, even without us.
    output.try_lock().map_err(|error| {
        Failure::new(format!("{} is running already", job.name))
            .expected(format!("nothing that writes to {}", job.output.display()))
            .came(error.to_string())
            .fix("wait for it, or end it")
    })?;
    let errors = match &job.errors {
        Some(path) => output.set_len(0).map_err(|error| kept(&job.output, &error)).and_then(|()| open(path))?,
        None => output.try_clone().map_err(|error| kept(&job.output, &error))?,
    };
    job.command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let status = job.command.status().map_err(|error| process::not_started(&job.command, &error))?;
    if status.success() {
        return Ok(());
    }
    let words = fs::read_to_string(job.errors.as_ref().unwrap_or(&job.output)).unwrap_or_default();
    let lines: Vec<&str> = words.lines().collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n");
    Err(Failure::new(format!("`{}` failed", process::spelled(&job.command))).came(format!("{status}\n{last}")))
}

fn open(path: &Path) -> Result<File> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| File::options().create(true).append(true).open(path)).map_err(|error| kept(path, &error))
}

fn kept(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io("a run's words can't be kept", path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_runs_and_those_that_fail_are_named() {
        let folder = std::env::temp_dir().join(format!("xtask-jobs-{}", std::process::id()));
        let job = |name: &str, script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Job { name: name.into(), command, output: folder.join(name), errors: None }
        };
        let jobs = vec![job("good", "echo yes"), job("bad", "echo no; exit 3"), job("late", "echo yes")];
        let done = Mutex::new(Vec::new());
        let outcome = run(jobs, 2, |name| {
            done.lock().unwrap().push(name.to_string());
            Ok(())
        });
        assert!(outcome.unwrap_err().to_string().contains("bad"));
        let mut done = done.into_inner().unwrap();
        done.sort();
        assert_eq!(done, ["good", "late"]);
        assert_eq!(fs::read_to_string(folder.join("bad")).unwrap(), "no\n");
        let held = open(&folder.join("good")).unwrap();
        held.lock().unwrap();
        assert!(run_one(&mut job("good", "true")).unwrap_err().to_string().contains("running already"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
