//! Pictures that numpy, scipy and Pillow made (`golden/make.py`), against ours: within a level, or what the decoder of JPEG
//! needs.

use turnkey_core::{Frame, FrameSize, Stamp};
use turnkey_picture::{Crop, Draw, FramePerturbation, Perturber, PerturberConfig, Pipeline, PipelineConfig};
use turnkey_picture::{RawFormat, RawFrame};

const SIZE: FrameSize = FrameSize { width: 40, height: 30 };

fn drawn(color: impl Fn(usize, usize) -> [usize; 3]) -> Vec<u8> {
    let places = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y)));
    places.flat_map(|(x, y)| color(x, y).map(|level| level as u8)).collect()
}

fn rough() -> Vec<u8> {
    drawn(|x, y| {
        let blue = if (x / 5 + y / 4) % 2 == 1 { 255 } else { x * y % 256 };
        [(x * x + 3 * y) % 256, (5 * x + y * y) % 256, blue]
    })
}

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn process(format: RawFormat, size: FrameSize, bytes: &[u8], crop: Option<Crop>, output: FrameSize) -> Frame {
    let mut pipeline = Pipeline::new(PipelineConfig { crop, output }).unwrap();
    pipeline.process(&RawFrame { format, size, bytes, stamp: Stamp::default() }).unwrap()
}

/// How far the frame is from the picture of this name, at its furthest.
fn furthest(frame: &Frame, name: &str) -> u8 {
    let size = frame.size();
    let golden = process(RawFormat::Png, size, &file(&format!("{name}.png")), None, size);
    frame.pixels().iter().zip(golden.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn areas_are_those_of_numpy() {
    let crop = Crop { left: 3, top: 4, width: 33, height: 23 };
    for (name, crop, width, height) in
        [("area_11x7", None, 11, 7), ("area_crop_9x12", Some(crop), 9, 12), ("area_up_57x31", None, 57, 31)]
    {
        let frame = process(RawFormat::Rgb8, SIZE, &rough(), crop, FrameSize { width, height });
        assert!(furthest(&frame, name) <= 1, "{name}: {}", furthest(&frame, name));
    }
}

#[test]
fn yuyv_has_the_colours_of_bt_601_by_its_definition() {
    let bytes: Vec<u8> = (0..2 * SIZE.width * SIZE.height).map(|i| (i * i / 7 % 256) as u8).collect();
    let frame = process(RawFormat::Yuyv, SIZE, &bytes, None, SIZE);
    assert!(furthest(&frame, "yuyv") <= 1, "{}", furthest(&frame, "yuyv"));
}

#[test]
fn jpegs_of_every_kind_look_as_libjpeg_shows_them() {
    // The decoder turns YCbCr into RGB in fewer bits than libjpeg does: grey is exact, colours come within two levels.
    // Where every second row has no colour of its own, it interpolates otherwise at the edges.
    for (name, levels) in
        [("grey", 0), ("444", 2), ("optimised", 2), ("progressive", 2), ("422", 2), ("restarts", 2), ("420", 6)]
    {
        let frame = process(RawFormat::Jpeg, SIZE, &file(&format!("{name}.jpg")), None, SIZE);
        let furthest = furthest(&frame, &format!("jpeg_{name}"));
        assert!(furthest <= levels, "{name}: {furthest}");
    }
}

#[test]
fn blur_and_levels_are_those_of_scipy_and_numpy() {
    use FramePerturbation::*;
    for (name, perturbation) in [
        ("blur_0.06", Blur { sigma: 0.06 }),
        ("exposure_1.5", Exposure { stops: 1.5 }),
        ("white_balance_1.5_0.6", WhiteBalance { red: 1.5, blue: 0.6 }),
        ("tone_1.7_0.6", Tone { gamma: 1.7, contrast: 0.6 }),
    ] {
        let config = PerturberConfig { perturbations: vec![perturbation], draw: Draw::Full };
        let frame = Frame::new(Stamp::default(), SIZE, rough()).unwrap();
        let furthest = furthest(&Perturber::new(config, 0).unwrap().apply(frame), name);
        assert!(furthest <= 1, "{name}: {furthest}");
    }
}
