//! Whatever bytes come, a frame or an error comes out.

use turnkey_core::{Frame, FrameSize, Kind, Rng, Stamp};
use turnkey_picture::{Crop, MAX_SIDE, Pipeline, PipelineConfig, RawFormat, RawFrame, jpeg_from_frame, png_from_frame};

const FORMATS: [RawFormat; 5] = [RawFormat::Rgb8, RawFormat::Gray8, RawFormat::Yuyv, RawFormat::Jpeg, RawFormat::Png];

const SIZE: FrameSize = FrameSize { width: 40, height: 26 };

fn pipeline() -> Pipeline {
    let crop = Some(Crop { left: 3, top: 2, width: 30, height: 20 });
    Pipeline::new(PipelineConfig { crop, output: FrameSize { width: 12, height: 12 } }).unwrap()
}

fn process(pipeline: &mut Pipeline, format: RawFormat, size: FrameSize, bytes: &[u8]) -> Result<Frame, Kind> {
    let frame = pipeline.process(&RawFrame { format, size, bytes, stamp: Stamp::default() });
    frame.map_err(|error| {
        let text = error.to_string();
        assert!(text.contains("expected") && text.contains("got"), "{text}");
        error.kind()
    })
}

/// A picture of everything: shades, edges and noise.
fn picture(rng: &mut Rng) -> Frame {
    let pixels: Vec<u8> = (0..SIZE.bytes()).map(|i| (i as u8).wrapping_mul(3) ^ (rng.below(40) as u8)).collect();
    Frame::new(Stamp::default(), SIZE, pixels).unwrap()
}

#[test]
fn random_bytes_of_any_length_and_size_are_a_frame_or_an_error() {
    let mut rng = Rng::new(1, "malformed");
    let mut pipeline = pipeline();
    let sides = [0, 1, 2, 5, 40, 640, MAX_SIDE, MAX_SIDE + 1, usize::MAX / 2, usize::MAX];
    for i in 0..20_000 {
        let bytes: Vec<u8> = (0..rng.below(400)).map(|_| rng.bits() as u8).collect();
        let size = FrameSize { width: sides[rng.below(sides.len())], height: sides[rng.below(sides.len())] };
        let format = FORMATS[i % FORMATS.len()];
        let _ = process(&mut pipeline, format, size, &bytes);
    }
}

#[test]
fn files_with_changed_missing_and_added_bytes_are_a_frame_or_an_error() {
    let mut rng = Rng::new(2, "malformed");
    let mut pipeline = pipeline();
    let mut accepted = 0;
    for _ in 0..200 {
        let frame = picture(&mut rng);
        let quality = 1 + rng.below(100) as u8;
        let mut files = vec![
            (RawFormat::Jpeg, SIZE, jpeg_from_frame(&frame, quality).unwrap()),
            (RawFormat::Png, SIZE, png_from_frame(&frame).unwrap()),
        ];
        // Files of other programs have what our encoder never writes: restarts, subsampled colours, scans in turn.
        let other = ["422", "420", "restarts", "progressive", "grey"][rng.below(5)];
        let path = format!("{}/tests/golden/{other}.jpg", env!("CARGO_MANIFEST_DIR"));
        files.push((RawFormat::Jpeg, FrameSize { width: 40, height: 30 }, std::fs::read(path).unwrap()));
        for (format, size, whole) in files {
            process(&mut pipeline, format, size, &whole).unwrap();
            for _ in 0..20 {
                let damaged = mutated(whole.clone(), &mut rng);
                accepted += usize::from(process(&mut pipeline, format, size, &damaged).is_ok());
            }
        }
    }
    // JPEG has no checksum: some damage is a picture, if another one.
    assert!((1..6000).contains(&accepted), "{accepted} of 12000");
}

/// Changes up to eight places: most of them in the first 700 bytes, where the headers are.
fn mutated(mut bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..=rng.below(8) {
        let end = if rng.unit() < 0.7 { bytes.len().min(700) } else { bytes.len() };
        let at = rng.below(end.max(1)).min(bytes.len().saturating_sub(1));
        match rng.below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => drop(bytes.drain(at..(at + rng.below(9)).min(bytes.len()))),
            2 => bytes.splice(at..at, (0..rng.below(9)).map(|_| 0xff)).for_each(drop),
            3 => bytes[at] = [0x00, 0xff, 0xd8, 0xd9, 0xda, 0xc4, 0xc0, 0x7f][rng.below(8)],
            4 => bytes[at] ^= 1 << rng.below(8),
            _ => bytes[at] = rng.bits() as u8,
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

#[test]
fn damage_on_the_way_may_be_tried_again_and_a_wrong_setting_may_not() {
    let mut pipeline = pipeline();
    let jpeg = jpeg_from_frame(&picture(&mut Rng::new(3, "malformed")), 80).unwrap();
    let other = FrameSize { width: 41, height: 26 };
    for (format, size, bytes, kind) in [
        (RawFormat::Jpeg, SIZE, &jpeg[..jpeg.len() / 2], Kind::Retry),
        (RawFormat::Rgb8, SIZE, &jpeg[..], Kind::Retry),
        (RawFormat::Png, SIZE, &jpeg[..], Kind::Retry),
        (RawFormat::Jpeg, other, &jpeg[..], Kind::Stop),
        (RawFormat::Jpeg, FrameSize { width: 20, height: 20 }, &jpeg[..], Kind::Stop),
    ] {
        assert_eq!(process(&mut pipeline, format, size, bytes), Err(kind), "{format} {size}");
    }
}

#[test]
fn a_small_file_that_claims_a_large_picture_costs_no_time_when_another_size_was_announced() {
    let mut jpeg = jpeg_from_frame(&picture(&mut Rng::new(4, "malformed")), 80).unwrap();
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(process(&mut pipeline(), RawFormat::Jpeg, SIZE, &jpeg), Err(Kind::Stop));
}
