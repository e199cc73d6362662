//! `turnkey camera list`.

use super::List;
#[cfg(feature = "camera")]
use crate::printing::{print, print_json};
use anyhow::Result;
#[cfg(feature = "camera")]
use std::fmt::Write as _;

#[cfg(not(feature = "camera"))]
pub(super) fn list(_arguments: &List) -> Result<()> {
    anyhow::bail!(
        "expected a program that knows the system's cameras, got one that was built without the feature `camera`\n  \
         fix: build with it: `cargo build --release`, or `--no-default-features --features camera`"
    )
}

#[cfg(feature = "camera")]
pub(super) fn list(arguments: &List) -> Result<()> {
    let cameras = turnkey_camera::list();
    if arguments.json {
        return print_json(&cameras);
    }
    if cameras.is_empty() {
        return print("no camera\n  fix: plug one in, and see that /dev/video0 is there\n");
    }
    let mut text = String::new();
    for camera in cameras {
        writeln!(text, "{}  {}", camera.device.display(), camera.name)?;
        if let Some(name) = &camera.by_id {
            writeln!(text, "  device = {:?}", name.display().to_string())?;
        }
        if let Some(trouble) = &camera.trouble {
            writeln!(text, "  nothing more is known: {trouble}")?;
        }
        for format in &camera.formats {
            for size in &format.sizes {
                let rates: Vec<String> = size.rates.iter().map(|rate| format!("{rate:.4}")).collect();
                let rates = rates.iter().map(|rate| rate.trim_end_matches('0').trim_end_matches('.'));
                let rates = rates.collect::<Vec<_>>().join(", ");
                writeln!(
                    text,
                    "  {:<6} {:>5}x{:<5} at {rates} a second",
                    format.format.to_string(),
                    size.width,
                    size.height
                )?;
            }
        }
        if !camera.other_formats.is_empty() {
            writeln!(text, "  not used: {}", camera.other_formats.join(", "))?;
        }
        for (name, value, least, greatest) in &camera.controls {
            writeln!(text, "  {name}: {value} ({least} to {greatest})")?;
        }
    }
    print(&text)
}
