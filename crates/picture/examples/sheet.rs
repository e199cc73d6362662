//! Writes a picture of every perturbation at its strengths, to look at: `cargo run --release -p turnkey-picture
//! --example sheet -- sheet.png [SIZE] [SEED]`. A row is a family, from mild to severe, twice: in the clean picture's
//! first frame and two seconds later. The first row is the picture without any. Also says how long each takes.

use std::time::{Duration, Instant};
use turnkey_core::{Frame, FrameSize, Stamp};
use turnkey_picture::{Draw, Family, FramePerturbation, Perturber, PerturberConfig, png_from_frame};

/// Every pixel becomes a square with sides of so many.
const ZOOM: usize = 2;
const GAP: usize = 2;
const STEPS: usize = 21;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("which file to write to?")?;
    let side = arguments.get(1).map_or(Ok(48), |side| side.parse())?;
    let seed = arguments.get(2).map_or(Ok(1), |seed| seed.parse())?;
    let size = FrameSize { width: side, height: side };
    let mut rows = vec![vec![scene(0, size), scene(STEPS - 1, size)]];
    for Family { name, strengths } in FramePerturbation::ALL {
        let (frames, times): (Vec<[Frame; 2]>, Vec<String>) = strengths
            .iter()
            .map(|strength| episode(*strength, seed, size))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .unzip();
        println!("{name:>16}: {}", times.join(", "));
        rows.push((0..2).flat_map(|i| frames.iter().map(move |pair| pair[i].clone())).collect());
    }
    std::fs::write(path, png_from_frame(&sheet(&rows, size)?)?)?;
    Ok(())
}

/// The first and the last frame of an episode, and the mean time of a frame.
fn episode(
    strength: FramePerturbation,
    seed: u64,
    size: FrameSize,
) -> Result<([Frame; 2], String), Box<dyn std::error::Error>> {
    let config = PerturberConfig { perturbations: vec![strength], draw: Draw::Full };
    let mut perturber = Perturber::new(config, seed)?;
    let clean: Vec<Frame> = (0..STEPS).map(|i| scene(i, size)).collect();
    let frames: Vec<Frame> = clean.iter().map(|frame| perturber.apply(frame.clone())).collect();
    let begun = Instant::now();
    for frame in clean.iter().cycle().take(10 * STEPS) {
        perturber.apply(frame.clone());
    }
    let each = begun.elapsed() / (10 * STEPS) as u32;
    Ok(([frames[0].clone(), frames[STEPS - 1].clone()], format!("{:.1} us", 1e6 * each.as_secs_f64())))
}

/// A table in the light with a valve on it that turns, and a wall behind.
fn scene(i: usize, size: FrameSize) -> Frame {
    let angle = 0.05 * i as f32;
    let color = |x: f32, y: f32| -> [f32; 3] {
        let (u, v) = (x - 0.5, y - 0.55);
        let radius = u.hypot(v);
        let turned = (v.atan2(u) - angle).rem_euclid(std::f32::consts::TAU / 3.0);
        match () {
            () if radius < 0.06 => [225.0, 175.0, 40.0],
            () if radius < 0.28 && turned < 0.5 => [200.0, 45.0, 40.0],
            () if radius < 0.2 => [70.0, 90.0, 160.0],
            () if y < 0.2 => [95.0, 120.0 - 60.0 * y, 110.0],
            () if ((8.0 * x) as i32 + (8.0 * y) as i32) % 2 == 0 => [178.0, 165.0, 145.0 + 40.0 * x],
            () => [150.0, 140.0, 122.0 + 40.0 * x],
        }
    };
    let mut pixels = Vec::with_capacity(size.bytes());
    for y in 0..size.height {
        for x in 0..size.width {
            // The mean of four by four points, so that edges are as soft as a camera's.
            let points = (0..16).map(|k| {
                let at = |pixel: usize, part: usize, of: usize| (pixel as f32 + (part as f32 + 0.5) / 4.0) / of as f32;
                color(at(x, k % 4, size.width), at(y, k / 4, size.height))
            });
            let sum = points.fold([0.0; 3], |sum, c| [sum[0] + c[0], sum[1] + c[1], sum[2] + c[2]]);
            pixels.extend(sum.map(|sum| (sum / 16.0) as u8));
        }
    }
    Frame::new(Stamp(Duration::from_millis(100 * i as u64)), size, pixels).expect("a frame is as large as its size")
}

/// All frames in one picture, row by row.
fn sheet(rows: &[Vec<Frame>], size: FrameSize) -> Result<Frame, Box<dyn std::error::Error>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = FrameSize { width: ZOOM * size.width + GAP, height: ZOOM * size.height + GAP };
    let all = FrameSize { width: columns * cell.width, height: rows.len() * cell.height };
    let mut pixels = vec![255; all.bytes()];
    for (row, frames) in rows.iter().enumerate() {
        for (column, frame) in frames.iter().enumerate() {
            for y in 0..ZOOM * size.height {
                for x in 0..ZOOM * size.width {
                    let to = 3 * ((row * cell.height + y) * all.width + column * cell.width + x);
                    let from = 3 * (y / ZOOM * size.width + x / ZOOM);
                    pixels[to..to + 3].copy_from_slice(&frame.pixels()[from..from + 3]);
                }
            }
        }
    }
    Ok(Frame::new(Stamp::default(), all, pixels)?)
}
