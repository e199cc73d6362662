//! Pictures of the twin, written side by side as one PPM file, and how many of them a second:
//! `cargo run --release -p turnkey-sim --example pictures -- [FILE [SIDE]]`.

use std::time::Instant;
use turnkey_core::{FrameSize, JointVector, Plant as _, Rng, Start};
use turnkey_sim::{CameraConfig, Twin, TwinConfig};

const COLUMNS: usize = 6;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next();
    let side = arguments.next().map_or(Ok(48), |text| text.parse()).expect("a number of pixels");
    if let Some(file) = file {
        let (width, pixels) = sheet(side);
        let mut bytes = format!("P6\n{width} {}\n255\n", pixels.len() / width / 3).into_bytes();
        bytes.extend(pixels);
        std::fs::write(&file, bytes).expect("a file that can be written");
        println!("wrote {file}");
    }
    for side in [32, 48, 64, 84] {
        println!("{side}x{side}: {:.0} pictures a second", rate(side));
    }
}

fn twin(side: usize) -> Twin {
    let size = FrameSize { width: side, height: side };
    let camera = Some(CameraConfig { size, ..CameraConfig::default() });
    Twin::new(TwinConfig { camera, ..TwinConfig::default() }).expect("the default twin")
}

fn start(seed: u64) -> Start {
    let mut rng = Rng::new(seed, "pictures");
    let joints: JointVector = std::array::from_fn(|joint| {
        let rest = [0.0, -1.05, 1.05][joint % 3];
        rest + if seed == 0 { 0.0 } else { rng.uniform(-0.4, 0.4) }
    });
    Start { joints, valve: std::f64::consts::TAU * seed as f64 / (2 * COLUMNS) as f64, seed }
}

/// Two rows of pictures at angles of the valve around the circle.
fn sheet(side: usize) -> (usize, Vec<u8>) {
    let mut twin = twin(side);
    let width = COLUMNS * side;
    let mut pixels = vec![0; 3 * width * 2 * side];
    for i in 0..2 * COLUMNS {
        let frame = twin.reset(&start(i as u64)).expect("a reset").frame.expect("a picture");
        for (y, row) in frame.pixels().chunks_exact(3 * side).enumerate() {
            let at = 3 * ((i / COLUMNS * side + y) * width + i % COLUMNS * side);
            pixels[at..at + 3 * side].copy_from_slice(row);
        }
    }
    (width, pixels)
}

/// Pictures a second, the physics' forward pass of a reset included.
fn rate(side: usize) -> f64 {
    let mut twin = twin(side);
    let (begin, mut pictures) = (Instant::now(), 0);
    while begin.elapsed().as_secs_f64() < 1.0 {
        twin.reset(&start(pictures % 12)).expect("a reset");
        pictures += 1;
    }
    pictures as f64 / begin.elapsed().as_secs_f64()
}
