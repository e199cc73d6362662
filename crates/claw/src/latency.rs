//! How long a USB adapter holds bytes back before it sends them on.

use crate::finding::{Finding, Severity};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel shows USB serial adapters.
const DEVICES: &str = "/sys/bus/usb-serial/devices";

/// An adapter's latency timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbLatency {
    /// The file that holds it.
    pub file: PathBuf,
    /// Milliseconds.
    pub millis: u32,
}

impl UsbLatency {
    /// The timer of the adapter behind `port`, if it is one that has a timer.
    #[must_use]
    pub fn of(port: &str) -> Option<Self> {
        Self::below(Path::new(DEVICES), port)
    }

    fn below(devices: &Path, port: &str) -> Option<Self> {
        // Ports in /dev/serial/by-id are links.
        let device = fs::canonicalize(port).ok()?;
        let file = devices.join(device.file_name()?).join("latency_timer");
        let millis = fs::read_to_string(&file).ok()?.trim().parse().ok()?;
        Some(Self { file, millis })
    }

    /// What is wrong with it, and how to mend it.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        (self.millis > 1).then(|| Finding {
            severity: Severity::Advice,
            at: "USB adapter".into(),
            what: "latency timer".into(),
            expected: "1 ms".into(),
            found: format!("{} ms, which each reading of the servos waits", self.millis),
            fix: format!("`echo 1 | sudo tee {}`, or a udev rule (docs/hardware.md)", self.file.display()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_is_found_through_a_link_to_the_port() {
        let folder = tempfile::tempdir().unwrap();
        let port = folder.path().join("ttyUSB7");
        fs::write(&port, "").unwrap();
        let link = folder.path().join("usb-FTDI_claw");
        std::os::unix::fs::symlink(&port, &link).unwrap();
        let device = folder.path().join("devices/ttyUSB7");
        fs::create_dir_all(&device).unwrap();
        fs::write(device.join("latency_timer"), "16\n").unwrap();
        let latency = UsbLatency::below(&folder.path().join("devices"), link.to_str().unwrap()).unwrap();
        assert_eq!(latency.millis, 16);
        let finding = latency.finding().unwrap();
        assert!(finding.fix.contains("ttyUSB7/latency_timer"), "{finding}");
        assert_eq!(UsbLatency { millis: 1, ..latency }.finding(), None);
    }

    #[test]
    fn a_port_without_a_timer_has_none() {
        assert_eq!(UsbLatency::of("/dev/null"), None);
        assert_eq!(UsbLatency::of("/nowhere"), None);
    }
}
