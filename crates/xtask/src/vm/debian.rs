//! What comes from Debian: a stock kernel with its modules, and busybox. apt fetches them, without root and uninstalled.

use crate::failure::{Failure, Result};
use crate::process::{self, works};
use crate::project::Project;
use crate::setup::Scratch;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian's kernel for this kind of machine: a package that depends on the newest.
const KERNEL: &str = "linux-image-amd64";

/// A kernel, the folder of its modules, and busybox.
pub(super) struct Debian {
    pub(super) kernel: PathBuf,
    pub(super) busybox: PathBuf,
    modules: BTreeMap<String, PathBuf>,
}

/// Fetches what isn't there yet; else a line that says what is missing, and what to install. No failure: nothing but this test needs it.
pub(super) fn ensure(project: &Project) -> std::result::Result<Debian, String> {
    let home = project.path("native/virtual-machine");
    if !home.join("busybox").is_dir() || !home.join("kernel").is_dir() {
        for program in ["apt-get", "apt-cache", "dpkg-deb"] {
            if !works(Command::new(program).arg("--version")) {
                return Err(format!("no {program}: its kernel is Debian's, and apt fetches it"));
            }
        }
        let depends = process::listen(Command::new("apt-cache").args(["depends", KERNEL])).map(|said| said.output);
        let depends = depends.unwrap_or_default();
        let image = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).next();
        let image = image.ok_or_else(|| format!("apt knows no {KERNEL}: `sudo apt-get update`, on Debian"))?;
        fetch(&home, "kernel", image)?;
        fetch(&home, "busybox", "busybox-static")?;
    }
    let mut files = Vec::new();
    ["kernel", "busybox"].iter().for_each(|name| walk(&home.join(name), &mut files));
    if files.iter().any(|path| is_packed(path)) && !works(Command::new("xz").arg("--version")) {
        return Err("no xz, which unpacks its kernel's modules: `sudo apt-get install xz-utils`".into());
    }
    let find = |part: &str| {
        files
            .iter()
            .find(|path| path.to_string_lossy().contains(part))
            .cloned()
            .ok_or_else(|| format!("no {part} in {}: remove that folder, and it is fetched anew", home.display()))
    };
    Ok(Debian { kernel: find("boot/vmlinuz-")?, busybox: find("bin/busybox")?, modules: modules(&files) })
}

/// Downloads a package and unpacks it into `home/name`, whole or not at all.
fn fetch(home: &Path, name: &str, package: &str) -> std::result::Result<(), String> {
    let place = home.join(name);
    if place.is_dir() {
        return Ok(());
    }
    println!("fetching {package}, for the virtual machine");
    let scratch = Scratch::beside(&place).map_err(|failure| failure.to_string())?;
    let outcome =
        unpack(&scratch.0, package).and_then(|made| fs::rename(made, &place).map_err(|error| error.to_string()));
    outcome.map_err(|words| format!("{package} was not fetched: {words}"))
}

fn unpack(scratch: &Path, package: &str) -> std::result::Result<PathBuf, String> {
    let said = process::listen(Command::new("apt-get").current_dir(scratch).args(["-qq", "download", package]));
    let said = said.map_err(|failure| failure.to_string())?;
    let mut files = Vec::new();
    walk(scratch, &mut files);
    let archive = files.iter().find(|path| path.extension().is_some_and(|end| end == "deb"));
    let last = || said.errors.trim().lines().last().unwrap_or("apt-get said nothing").to_owned();
    let archive = archive.filter(|_| said.ok).ok_or_else(last)?;
    let made = scratch.join("made");
    let said = process::listen(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(&made));
    match said {
        Ok(said) if said.ok => Ok(made),
        Ok(said) => Err(said.errors.trim().to_owned()),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Every file below `folder`, in no order.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => (),
        }
    }
}

/// Kernel modules by name. The kernel writes names with `_` where files may have `-`.
fn modules(files: &[PathBuf]) -> BTreeMap<String, PathBuf> {
    let named = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let name = name.strip_suffix(".ko").or_else(|| name.strip_suffix(".ko.xz"))?;
        Some((name.replace('-', "_"), path.clone()))
    };
    files.iter().filter_map(named).collect()
}

impl Debian {
    /// The modules called `wanted` and all that they need, each after what it needs: names and contents.
    ///
    /// # Errors
    /// When one can't be read. What isn't a module is taken to be in the kernel.
    pub(super) fn modules(&self, wanted: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut loaded = Vec::new();
        wanted.iter().try_for_each(|name| self.load(name, &mut loaded))?;
        Ok(loaded)
    }

    fn load(&self, name: &str, loaded: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
        let name = name.replace('-', "_");
        let Some(path) = self.modules.get(&name).filter(|_| loaded.iter().all(|(other, _)| *other != name)) else {
            return Ok(());
        };
        let content = match is_packed(path) {
            true => unpacked(path)?,
            false => fs::read(path).map_err(|error| Failure::io("a kernel module was not read", path, &error))?,
        };
        needs(&content).iter().try_for_each(|need| self.load(need, loaded))?;
        loaded.push((name, content));
        Ok(())
    }
}

fn is_packed(module: &Path) -> bool {
    module.extension().is_some_and(|end| end == "xz")
}

/// A module that is packed by xz.
fn unpacked(module: &Path) -> Result<Vec<u8>> {
    let mut command = Command::new("xz");
    command.arg("-dc").arg(module).stdin(Stdio::null());
    let output = command.output().map_err(|error| process::not_started(&command, &error))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(Failure::new("a kernel module was not unpacked")
            .expected(format!("{}, packed by xz", module.display()))
            .came(String::from_utf8_lossy(&output.stderr))
            .fix("remove native/virtual-machine, and it is fetched anew")),
    }
}

/// What a module says that it depends on: `depends=a,b` among its texts.
fn needs(module: &[u8]) -> Vec<String> {
    let key = b"\0depends=";
    let Some(at) = module.windows(key.len()).position(|window| window == key) else { return Vec::new() };
    let text = module[at + key.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoke::Temporary;

    #[test]
    fn modules_come_after_what_they_need_and_once_and_a_damaged_one_is_a_failure() {
        let folder = Temporary::new("modules").unwrap();
        for (name, needs) in [("usb-core", ""), ("serial", "usb_core"), ("ftdi", "serial,usb-core")] {
            fs::write(folder.path(&format!("{name}.ko")), format!("license=GPL\0depends={needs}\0name={name}\0"))
                .unwrap();
        }
        fs::write(folder.path("cut-short.ko.xz"), "what xz can't read").unwrap();
        let mut files = Vec::new();
        walk(&folder.path(""), &mut files);
        let debian = Debian { kernel: PathBuf::new(), busybox: PathBuf::new(), modules: modules(&files) };
        let names =
            |wanted: &[&str]| debian.modules(wanted).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&["ftdi", "usb-core", "built_in"]), ["usb_core", "serial", "ftdi"]);
        let failure = debian.modules(&["cut_short"]).unwrap_err().to_string();
        assert!(failure.contains("cut-short.ko.xz"), "{failure}");
    }
}
