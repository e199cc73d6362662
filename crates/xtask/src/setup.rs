//! `cargo xtask setup`: fetches the native parts with pip, without root, into a folder of the project.
//!
//! A part is unpacked beside its place and renamed into it, its stamp with it: what is there is whole, whenever
//! a fetch was cut short. A stamp that names the wanted version makes the next run a matter of milliseconds.

use crate::clients;
use crate::failure::{Failure, Result};
use crate::parts::{PARTS, Part};
use crate::process::{self, Said};
use crate::project::Project;
use crate::python::Python;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

const STAMP: &str = ".made-from";
const UNPACK: &str = include_str!("unpack.py");

/// Fetches what is missing: all parts that a build needs, and the optional ones named in `arguments`.
///
/// # Errors
/// When a name is unknown, or a part can't be fetched.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.iter().find(|name| PARTS.iter().all(|part| !part.is_asked_for(name))) {
        let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        return Err(Failure::new("no such native part").expected(names.join(", ")).came(unknown.as_str()));
    }
    let wanted = PARTS.iter().filter(|part| !part.optional || arguments.iter().any(|name| part.is_asked_for(name)));
    let mut fetched = 0;
    for part in wanted {
        fetched += usize::from(fetch_if_missing(project, part)?);
    }
    clients::ensure(project);
    if fetched == 0 {
        println!("native parts: all there, in {}", project.native().display());
    }
    Ok(())
}

/// Fetches what a build needs and isn't there; silent when everything is.
///
/// # Errors
/// When a part can't be fetched.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    PARTS.iter().filter(|part| !part.optional).try_for_each(|part| fetch_if_missing(project, part).map(|_| ()))
}

/// Fetches the part called `name`, should it be missing.
///
/// # Errors
/// When it can't be fetched.
pub(crate) fn part(project: &Project, name: &str) -> Result<()> {
    PARTS.iter().filter(|part| part.name == name).try_for_each(|part| fetch_if_missing(project, part).map(|_| ()))
}

fn fetch_if_missing(project: &Project, part: &Part) -> Result<bool> {
    let (sha256, options) = part.here().map_err(|known| {
        Failure::new(format!("no {} for this machine", part.requirement))
            .expected(known)
            .came(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH))
            .fix("build on one of those machines, a container or a virtual machine with one")
    })?;
    let place = project.native().join(part.name);
    let stamp = format!("{} sha256:{sha256}\n", part.requirement);
    let current = || fs::read_to_string(place.join(STAMP)).is_ok_and(|text| text == stamp);
    if current() {
        return Ok(false);
    }
    let start = Instant::now();
    eprintln!("fetching {} ({})", part.requirement, part.purpose);
    let python = Python::find()?;
    let scratch = Scratch::beside(&place)?;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let archive = download(&python, part, &options, &scratch.0)?;
    let made = unpack(&python, part, sha256, &archive, &scratch.0)?;
    fs::write(made.join(STAMP), &stamp).map_err(|error| Failure::io("a native part's stamp", &made, &error))?;
    if let Err(failure) = put(&made, &place, &scratch.0)
        && !current()
    {
        return Err(failure);
    }
    eprintln!("  {} is in {} ({:.1} s)", part.name, place.display(), start.elapsed().as_secs_f64());
    Ok(true)
}

/// A folder that goes away with the value, whatever happened.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// One beside `place`, to make there what will be renamed to it; what killed runs left goes first.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn beside(place: &Path) -> Result<Self> {
        sweep(place);
        let folder = place.with_extension(format!("unfinished-{}", std::process::id()));
        let wheel = folder.join("wheel");
        fs::create_dir_all(&wheel).map_err(|error| Failure::io("no folder for native parts", &folder, &error))?;
        Ok(Self(folder))
    }
}

/// Removes what killed runs left beside `place`; a run that is still going keeps its own.
fn sweep(place: &Path) {
    let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else { return };
    let prefix = format!("{}.unfinished-", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name();
        let process = left.to_string_lossy().strip_prefix(&prefix).map(|id| Path::new("/proc").join(id));
        if process.is_some_and(|process| Path::new("/proc/self").exists() && !process.exists()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on its being gone: a name of its own keeps the next run out of its way.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The wheel, by the first of the ways that gives it. ROBEL's metadata has a version range that pip refuses
/// since 24.1, although nothing of it is needed to take the archive: pip's older resolver doesn't look, and
/// where that is gone, pip 24.0 runs from its own wheel, uninstalled. All of them follow the user's pip
/// configuration.
fn download(python: &Python, part: &Part, options: &[&str], scratch: &Path) -> Result<PathBuf> {
    let wheel = scratch.join("wheel");
    let pip = ["-m", "pip"];
    let (said, archive) = python.download(&pip, options, part.requirement, &wheel)?;
    if let Some(archive) = archive {
        return Ok(archive);
    }
    if !said.errors.contains("invalid metadata") && !said.errors.contains("24.1") {
        return Err(not_fetched(part, &said, scratch));
    }
    let lenient: Vec<&str> = options.iter().copied().chain(["--use-deprecated=legacy-resolver"]).collect();
    if let (_, Some(archive)) = python.download(&pip, &lenient, part.requirement, &wheel)? {
        return Ok(archive);
    }
    let older = scratch.join("pip");
    let (said, archive) = python.download(&pip, &[], "pip==24.0", &older)?;
    let Some(archive) = archive else { return Err(not_fetched(part, &said, scratch)) };
    let older_pip = format!("{}/pip", archive.display());
    let (said, archive) = python.download(&[&older_pip], options, part.requirement, &wheel)?;
    archive.ok_or_else(|| not_fetched(part, &said, scratch))
}

/// What pip's failure means, and what to do.
fn not_fetched(part: &Part, said: &Said, scratch: &Path) -> Failure {
    let words = &said.errors;
    let has = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    let failure = Failure::new(format!("{} was not fetched", part.requirement));
    if has(&["No space left on device", "Disk quota exceeded"]) {
        let folder = scratch.parent().unwrap_or(scratch).display().to_string();
        return failure
            .expected(format!("room for it ({}) in {folder} and in the folder for temporary files", part.purpose))
            .came(last_lines(words))
            .fix("free some room, then run `cargo xtask setup` again: nothing half-done is kept");
    }
    let unreachable = ["Connection", "connection", "name resolution", "Max retries", "timed out", "ProxyError", "SSL"];
    let failure = failure.expected("pip to download it from the package index it is configured with");
    if has(&unreachable) {
        return failure.came(format!("the package index could not be reached:\n{}", last_lines(words))).fix(
            "connect this machine to the network, or set pip's proxy or index (`pip config`), \
                 then run `cargo xtask setup` again",
        );
    }
    failure.came(last_lines(words)).fix(format!(
        "see that `python3 -m pip download --no-deps {}` works, then run `cargo xtask setup` again",
        part.requirement
    ))
}

fn last_lines(words: &str) -> String {
    let lines: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "nothing: pip ended without a word".into();
    }
    lines[lines.len().saturating_sub(2)..].join("\n")
}

fn unpack(python: &Python, part: &Part, sha256: &str, archive: &Path, scratch: &Path) -> Result<PathBuf> {
    let made = scratch.join("made");
    fs::create_dir_all(&made).map_err(|error| Failure::io("no folder to unpack into", &made, &error))?;
    let mut command = python.command();
    command.args(["-c", UNPACK]).arg(archive).arg(sha256).arg(&made).args(part.members);
    let said = process::listen(&mut command)?;
    if !said.ok && said.output.trim().len() == 64 {
        return Err(Failure::new(format!("{} is not the archive it should be; it was not used", part.requirement))
            .expected(format!("sha256 {sha256}"))
            .came(format!("sha256 {}", said.output.trim()))
            .fix(
                "look at which package index pip is configured with (`python3 -m pip config list`): \
                 it serves another archive",
            ));
    }
    if !said.ok {
        return Err(Failure::new(format!("the archive of {} was not unpacked", part.requirement))
            .expected(format!("its files in {}", made.display()))
            .came(last_lines(&said.errors))
            .fix("free some room if the disk is full, then run `cargo xtask setup` again"));
    }
    for (name, text) in part.texts {
        let at = made.join(name);
        at.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .map_err(|error| Failure::io("a native part's folder", &at, &error))?;
        fs::write(&at, text).map_err(|error| Failure::io("a native part's file", &at, &error))?;
    }
    for (name, target) in part.links {
        link(target, &made.join(name))?;
    }
    Ok(made)
}

fn link(target: &str, at: &Path) -> Result<()> {
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(target, at);
    #[cfg(not(unix))]
    let made = fs::copy(at.with_file_name(target), at).map(|_| ());
    made.map_err(|error| Failure::io("a link was not made", at, &error))
}

/// Renames `made` to `place`, moving what stood there out of the way first.
fn put(made: &Path, place: &Path, scratch: &Path) -> Result<()> {
    let io = |error| Failure::io("a native part was not put in its place", place, &error);
    if place.symlink_metadata().is_ok() {
        fs::rename(place, scratch.join("replaced")).map_err(io)?;
    }
    fs::rename(made, place).map_err(io)
}
