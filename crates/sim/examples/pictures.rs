//! Our pictures of the views in `tests/golden/silhouettes.txt`, as PPM files, for looking at and for comparing:
//! `cargo run --release -p turnkey-sim --example pictures -- FOLDER [SIDE]`, SIDE being 256 pixels if left out.

use std::path::Path;
use turnkey_core::{FrameSize, Plant, Start};
use turnkey_sim::{CameraConfig, Twin, TwinConfig};

const VIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/silhouettes.txt");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("expected a folder to write to")?;
    let side = arguments.next().map_or(Ok(256), |side| side.parse())?;
    std::fs::create_dir_all(&folder)?;
    for line in std::fs::read_to_string(VIEWS)?.lines() {
        let (name, numbers) = line.split_once(' ').ok_or("expected a name and numbers")?;
        let numbers: Vec<f32> = numbers.split(' ').map_while(|number| number.parse().ok()).collect();
        let [x, y, z, to_x, to_y, to_z, vertical_fov_degrees, base, middle, top, valve] = numbers[..] else {
            return Err(format!("{name}: expected 11 numbers, found {}", numbers.len()).into());
        };
        let camera = CameraConfig {
            size: FrameSize { width: side, height: side },
            position: [x, y, z],
            look_at: [to_x, to_y, to_z],
            vertical_fov_degrees,
            ..CameraConfig::default()
        };
        let mut twin = Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() })?;
        let joints = std::array::from_fn(|joint| f64::from([base, middle, top][joint % 3]));
        let start = Start { joints, valve: f64::from(valve), seed: 0 };
        let frame = twin.reset(&start)?.frame.ok_or("a twin with a camera takes pictures")?;
        let mut bytes = format!("P6 {side} {side} 255\n").into_bytes();
        bytes.extend_from_slice(frame.pixels());
        std::fs::write(Path::new(&folder).join(format!("{name}.ppm")), bytes)?;
    }
    Ok(())
}
