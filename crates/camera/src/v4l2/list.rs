//! Which cameras the system has, and what they can do.

use crate::CameraFormat;
use nokhwa_bindings_linux::query;
use serde::Serialize;
use std::path::{Path, PathBuf};
use v4l::control::{Flags, Type};
use v4l::device::Device;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture as _;

/// A camera of the system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Such as /dev/video0.
    pub device: PathBuf,
    /// The name in /dev/v4l/by-id, which stays the same, where there is one.
    pub by_id: Option<PathBuf>,
    /// What it calls itself.
    pub name: String,
    /// Its formats that can be used.
    pub formats: Vec<FoundFormat>,
    /// Its formats that can't.
    pub other_formats: Vec<String>,
    /// Its controls: name, value, least, greatest.
    pub controls: Vec<(String, i64, i64, i64)>,
    /// Why nothing more is known of it.
    pub trouble: Option<String>,
}

/// A format that a camera has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundFormat {
    /// The format.
    pub format: CameraFormat,
    /// Its sizes.
    pub sizes: Vec<FoundSize>,
}

/// A size that a camera has in a format.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundSize {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pictures a second, at which it has that.
    pub rates: Vec<f64>,
}

/// The system's cameras, in the order of their numbers. Nodes that give no pictures are left out.
#[must_use]
pub fn list() -> Vec<Found> {
    let mut nodes: Vec<(u32, String)> = query()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|info| Some((info.index().as_index().ok()?, info.human_name())))
        .collect();
    nodes.sort();
    nodes.into_iter().filter_map(|(index, name)| look(index, name)).collect()
}

fn look(index: u32, name: String) -> Option<Found> {
    let device = PathBuf::from(format!("/dev/video{index}"));
    let by_id = by_id(&device);
    let mut found = Found {
        device,
        by_id,
        name,
        formats: Vec::new(),
        other_formats: Vec::new(),
        controls: Vec::new(),
        trouble: None,
    };
    let opened = match Device::new(index as usize) {
        Ok(opened) => opened,
        Err(error) => {
            found.trouble = Some(error.to_string());
            return Some(found);
        }
    };
    // Metadata and output nodes have no formats of pictures.
    let formats = opened.enum_formats().ok().filter(|formats| !formats.is_empty())?;
    for format in formats {
        match CameraFormat::ALL.into_iter().find(|known| super::fourcc(*known) == format.fourcc) {
            Some(known) => found.formats.push(FoundFormat { format: known, sizes: sizes(&opened, format.fourcc) }),
            None => found.other_formats.push(format.fourcc.to_string()),
        }
    }
    found.controls = controls(&opened);
    Some(found)
}

fn sizes(device: &Device, fourcc: v4l::FourCC) -> Vec<FoundSize> {
    let mut sizes: Vec<(u32, u32)> = Vec::new();
    for size in device.enum_framesizes(fourcc).unwrap_or_default() {
        match size.size {
            FrameSizeEnum::Discrete(size) => sizes.push((size.width, size.height)),
            FrameSizeEnum::Stepwise(range) => {
                sizes.extend([(range.min_width, range.min_height), (range.max_width, range.max_height)]);
            }
        }
    }
    sizes
        .into_iter()
        .map(|(width, height)| FoundSize { width, height, rates: rates(device, fourcc, width, height) })
        .collect()
}

fn rates(device: &Device, fourcc: v4l::FourCC, width: u32, height: u32) -> Vec<f64> {
    let rate = |interval: v4l::Fraction| f64::from(interval.denominator) / f64::from(interval.numerator.max(1));
    let mut rates: Vec<f64> = device
        .enum_frameintervals(fourcc, width, height)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|interval| match interval.interval {
            FrameIntervalEnum::Discrete(interval) => vec![rate(interval)],
            FrameIntervalEnum::Stepwise(range) => vec![rate(range.max), rate(range.min)],
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    rates
}

/// Those that hold a number or a switch.
fn controls(device: &Device) -> Vec<(String, i64, i64, i64)> {
    let numbers = [Type::Integer, Type::Integer64, Type::Menu, Type::IntegerMenu, Type::Boolean];
    let known = device.query_controls().unwrap_or_default();
    let held = known.into_iter().filter(|control| {
        numbers.contains(&control.typ) && !control.flags.intersects(Flags::DISABLED | Flags::WRITE_ONLY)
    });
    held.filter_map(|control| {
        let value = match device.control(control.id).ok()?.value {
            v4l::control::Value::Integer(value) => value,
            v4l::control::Value::Boolean(value) => i64::from(value),
            _ => return None,
        };
        Some((control.name, value, control.minimum, control.maximum))
    })
    .collect()
}

fn by_id(device: &Path) -> Option<PathBuf> {
    let links = std::fs::read_dir("/dev/v4l/by-id").ok()?;
    links.flatten().map(|link| link.path()).find(|link| std::fs::canonicalize(link).is_ok_and(|to| to == device))
}
