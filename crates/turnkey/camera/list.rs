//! `turnkey camera list`.

use super::List;
use anyhow::Result;

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
        println!("{}", serde_json::to_string_pretty(&cameras)?);
        return Ok(());
    }
    if cameras.is_empty() {
        println!("no camera\n  fix: plug one in, and see that /dev/video0 is there");
    }
    for camera in cameras {
        println!("{}  {}", camera.device.display(), camera.name);
        if let Some(name) = &camera.by_id {
            println!("  device = {:?}", name.display().to_string());
        }
        if let Some(trouble) = &camera.trouble {
            println!("  nothing more is known: {trouble}");
        }
        for format in &camera.formats {
            for size in &format.sizes {
                let rates: Vec<String> = size.rates.iter().map(|rate| format!("{rate:.4}")).collect();
                let rates = rates.iter().map(|rate| rate.trim_end_matches('0').trim_end_matches('.'));
                let rates = rates.collect::<Vec<_>>().join(", ");
                println!("  {:<6} {:>5}x{:<5} at {rates} a second", format.format.to_string(), size.width, size.height);
            }
        }
        if !camera.other_formats.is_empty() {
            println!("  not used: {}", camera.other_formats.join(", "));
        }
        for (name, value, least, greatest) in &camera.controls {
            println!("  {name}: {value} ({least} to {greatest})");
        }
    }
    Ok(())
}
