//! `cargo xtask vm`: the release binary with a camera and a serial adapter of a kernel that is not ours. QEMU boots Debian's
//! stock kernel; in it `vivid` is /dev/video0 and QEMU's FTDI adapter is /dev/ttyUSB0, at whose other end emulated servos
//! answer on this machine. `tests/vm/` says what is asked.

mod debian;
mod image;

use crate::count::Count;
use crate::failure::{Failure, Result};
use crate::process::{self, works};
use crate::project::Project;
use crate::smoke::Temporary;
use debian::Debian;
use image::Image;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const QEMU: &str = "qemu-system-x86_64";
/// What the machine needs that Debian's kernel hasn't built in.
const DRIVERS: &[&str] = &["vivid", "xhci_pci", "ftdi_sio"];
/// What the claw's file says otherwise in the machine. QEMU keeps to a table of speeds by which 1,000,000 baud becomes 921,600,
/// at which no servo answers; and an emulated processor is slow.
const SETTINGS: &[(&str, &str)] = &[("baud", "2_000_000"), ("max_reading_age_secs", "1.0"), ("watchdog_secs", "2.0")];
/// A machine that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(240);
/// How long the emulated servos may take until their port is there.
const PORT: Duration = Duration::from_secs(20);

/// Runs the machine; with `--binary PATH`, with that program instead of the release binary.
///
/// # Errors
/// When an argument is unknown, or a step failed. That there can be no such machine here is a line, and no error.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let binary = match arguments {
        [] => None,
        [flag, path] if flag == "--binary" => Some(PathBuf::from(path)),
        _ => {
            return Err(Failure::new("unknown arguments of `cargo xtask vm`")
                .expected("nothing, or --binary with a program that was built with the feature camera")
                .came(arguments.join(" ")));
        }
    };
    let steps = check(project, binary.as_deref())?;
    if steps.failed > 0 {
        return Err(Failure::new("the virtual machine found something wrong")
            .expected("every step to be ok")
            .came(format!("{} of {} that failed", steps.failed, steps.passed + steps.failed))
            .fix("the step's own words are above"));
    }
    Ok(())
}

/// Boots the machine and counts its steps; none where there can be no such machine, after a line that says why.
///
/// # Errors
/// When something that is there can't be used.
pub(crate) fn check(project: &Project, binary: Option<&Path>) -> Result<Count> {
    let debian = match possible().and_then(|()| debian::ensure(project)) {
        Ok(debian) => debian,
        Err(why) => {
            println!("no virtual machine, so no camera and no USB adapter is tested: {}", why.replace('\n', "; "));
            return Ok(Count::default());
        }
    };
    let turnkey = match binary {
        Some(binary) => binary.to_path_buf(),
        None => project.turnkey()?,
    };
    let work = Temporary::new("vm")?;
    let claw = claw(project)?;
    write(&work.path("claw.toml"), claw.as_bytes())?;
    write(&work.path("image"), &image(project, &debian, &turnkey, &claw)?)?;
    let link = work.path("claw");
    let mut emulate = Command::new(&turnkey);
    emulate
        .args(["claw", "emulate", "--instantaneous", "--config"])
        .arg(work.path("claw.toml"))
        .arg("--link")
        .arg(&link);
    let emulate = emulate.stdin(Stdio::null()).stdout(Stdio::null());
    let _servos = Killed(emulate.spawn().map_err(|error| process::not_started(emulate, &error))?);
    let start = Instant::now();
    while !link.exists() {
        if start.elapsed() > PORT {
            return Err(Failure::new("the emulated servos gave no port")
                .expected(format!("{} within {} s", link.display(), PORT.as_secs()))
                .came("nothing there"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    boot(&debian.kernel, &work.path("image"), &link)
}

/// Whether this machine can have one; else why not, and what to install.
fn possible() -> std::result::Result<(), String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(format!("it would be an x86_64, and this is an {}", std::env::consts::ARCH));
    }
    match works(Command::new(QEMU).arg("--version")) {
        true => Ok(()),
        false => Err(format!("no {QEMU}: `sudo apt-get install qemu-system-x86`")),
    }
}

/// The claw's file of the project, with other settings where the machine needs them.
fn claw(project: &Project) -> Result<String> {
    let path = project.path("hardware/claw.toml");
    let text = fs::read_to_string(&path).map_err(|error| Failure::io("no file of a claw", &path, &error))?;
    let lines = text.lines().map(|line| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let other = SETTINGS.iter().find(|(name, _)| *name == key);
        other.map_or_else(|| line.to_owned(), |(name, value)| format!("{name} = {value}"))
    });
    Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
}

fn image(project: &Project, debian: &Debian, turnkey: &Path, claw: &str) -> Result<Vec<u8>> {
    let mut image = Image::default();
    ["proc", "sys", "dev", "tmp"].iter().for_each(|name| image.folder(name));
    for name in ["init", "steps", "camera", "claw", "camera.toml"] {
        image.copy(name, &project.path("tests/vm").join(name))?;
    }
    image.put("claw.toml", claw.as_bytes());
    image.copy("bin/busybox", &debian.busybox)?;
    image.program("bin/turnkey", turnkey)?;
    let mut list = String::new();
    for (name, content) in debian.modules(DRIVERS)? {
        let path = format!("lib/modules/{name}.ko");
        image.put(&path, &content);
        list += &format!("/{path}\n");
    }
    image.put("modules", list.as_bytes());
    Ok(image.finish())
}

/// Runs the machine until it turns itself off, passing its words on.
fn boot(kernel: &Path, image: &Path, port: &Path) -> Result<Count> {
    let mut command = Command::new(QEMU);
    command.args(["-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "768", "-no-reboot"]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"]);
    command.arg("-chardev").arg(format!("serial,id=claw,path={}", port.display()));
    command.args(["-device", "qemu-xhci", "-device", "usb-serial,chardev=claw"]);
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(image);
    command.args(["-append", "console=ttyS0 panic=-1 quiet mitigations=off"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut machine = Killed(command.spawn().map_err(|error| process::not_started(&command, &error))?);
    let output = machine.0.stdout.take();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more where the machine took too long.
        let _ = sender.send(output.map(|output| listen(output, |line| println!("  {line}"))).unwrap_or_default());
    });
    let Ok((steps, ended)) = receiver.recv_timeout(LONGEST) else {
        return Err(Failure::new("the virtual machine hangs")
            .expected(format!("all steps within {} s", LONGEST.as_secs()))
            .came("what is above")
            .fix("give this machine less else to do, then run `cargo xtask vm` again"));
    };
    if !ended {
        println!("  vm: FAILED the machine ended before its last step");
    }
    Ok(Count { failed: steps.failed + usize::from(!ended), ..steps })
}

/// Reads what the machine says, line by line: its steps, and whether it came to the end.
fn listen(output: impl Read, mut show: impl FnMut(&str)) -> (Count, bool) {
    let (mut steps, mut ended) = (Count::default(), false);
    for line in BufReader::new(output).split(b'\n').map_while(std::result::Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        match line.strip_prefix("vm: ").and_then(|said| said.split_whitespace().next()) {
            Some("ok") => steps.passed += 1,
            Some("FAILED") => steps.failed += 1,
            Some("end") => {
                ended = true;
                continue;
            }
            _ => (),
        }
        // What the kernel says as it turns the machine off is no news.
        if !line.is_empty() && !ended {
            show(line);
        }
    }
    (steps, ended)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| Failure::io("a file for the virtual machine was not written", path, &error))
}

/// A program that ends with the value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // One that has ended can't be killed, and that is as well.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_and_a_machine_that_dies_is_known() {
        let said = "kernel\r\nvm: ok one\r\nvm: FAILED two: expected\r\n    | vm: ok not a step\r\nvm: ok three\r\n";
        let mut shown = 0;
        let (steps, ended) = listen(said.as_bytes(), |_| shown += 1);
        assert_eq!((steps, ended, shown), (Count { passed: 2, failed: 1 }, false, 5));
        assert_eq!(listen(&b"vm: ok one\nvm: end\n"[..], |_| ()), (Count { passed: 1, failed: 0 }, true));
    }

    #[test]
    fn the_claws_file_is_the_projects_but_for_what_the_machine_needs() {
        let text = claw(&Project::here()).unwrap();
        for (name, value) in SETTINGS {
            let line = format!("{name} = {value}");
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}");
        }
        assert!(text.contains("id = 40"), "{text}");
    }
}
