//! `turnkey camera align`: finds where the camera is, by laying the twin's picture over its own.

use super::fit::{Fit, likeness};
use super::{Align, configured, first_picture, write_png};
use crate::printing::print;
use crate::run_folder::write_durably;
use anyhow::{Context as _, Result, bail, ensure};
use std::path::Path;
use turnkey_camera::{CameraConfig, Nudge, RawBuffer, View, source};
use turnkey_core::{Frame, FrameSize, JOINTS, Plant as _, Pose, Scene, Stamp, Start};
use turnkey_picture::{Pipeline, PipelineConfig};
use turnkey_sim::{Renderer, Twin, TwinConfig};

/// Pixels to a side of the pictures that are laid over each other, and of those that are compared: more show no more.
const SHOWN_SIDE: usize = 480;
const COMPARED_SIDE: usize = 96;

pub(super) fn align(arguments: &Align) -> Result<()> {
    let config = configured(&arguments.camera)?;
    let mut view = config.raw().view.unwrap_or_default().nudged(&nudge(arguments)?);
    let mut checked = with_view(&config, view)?;
    let mut source = source(&config)?;
    source.open()?;
    let (raw, _) = first_picture(&config, source.as_mut())?;
    drop(source);
    let stage = Stage::at_home()?;
    let compared = shrunk(&raw, COMPARED_SIDE)?;
    if arguments.fit {
        let fit = Fit::search(&compared, view, |view| stage.seen(view, compared.size()));
        print(&format!("fit: likeness {:.3} -> {:.3} after {} pictures\n", fit.before, fit.likeness, fit.pictures))?;
        view = fit.view;
        checked = with_view(&config, view)?;
    } else {
        let likeness = likeness(&compared, &stage.seen(&view, compared.size()));
        print(&format!("likeness {likeness:.3}: 1 is the same picture\n"))?;
    }
    let shown = shrunk(&raw, SHOWN_SIDE)?;
    write_png(&side_by_side(&shown, &stage.seen(&view, shown.size())), &arguments.out)?;
    let out = arguments.out.display();
    print(&format!("{out}: left the camera, in the middle the twin over it, right the twin\n{}", table(&view)))?;
    if arguments.save {
        save(&arguments.camera.config, &checked, &view)?;
        print(&format!("saved in {}\n", arguments.camera.config.display()))?;
    }
    Ok(())
}

fn nudge(arguments: &Align) -> Result<Nudge> {
    let shift = match arguments.shift[..] {
        [] => [0.0; 3],
        [x, y, z] => [x, y, z],
        _ => bail!("--shift: expected three numbers of metres, x,y,z, got {}", arguments.shift.len()),
    };
    ensure!(
        arguments.focal > 0.0 && arguments.focal.is_finite(),
        "--focal: expected a factor above 0, got {}",
        arguments.focal
    );
    let Align { azimuth, elevation, distance, focal, .. } = *arguments;
    Ok(Nudge { azimuth_degrees: azimuth, elevation_degrees: elevation, distance, shift, focal })
}

/// The same camera there, if it can be there.
fn with_view(config: &CameraConfig, view: View) -> Result<CameraConfig> {
    let mut raw = config.raw().clone();
    raw.view = Some(view);
    Ok(raw.check("the view after these changes")?)
}

/// A picture so large at most.
fn shrunk(raw: &RawBuffer, side: usize) -> Result<Frame> {
    let FrameSize { width, height } = raw.size;
    let longest = width.max(height).max(side);
    let output = FrameSize { width: (width * side / longest).max(1), height: (height * side / longest).max(1) };
    let mut pipeline = Pipeline::new(PipelineConfig { crop: None, output })?;
    Ok(pipeline.process(&raw.frame(raw.captured))?)
}

/// The twin, standing still.
struct Stage {
    scene: Scene,
    poses: Vec<Pose>,
}

impl Stage {
    fn at_home() -> Result<Self> {
        let mut twin = Twin::new(TwinConfig::default()).context("the twin can't be made")?;
        twin.reset(&Start { joints: [0.0; JOINTS], valve: 0.0, seed: 0 }).context("the twin can't stand as at home")?;
        let scene = twin.scene().context("a twin knows its shape")?.clone();
        Ok(Self { scene, poses: twin.poses() })
    }

    fn seen(&self, view: &View, size: FrameSize) -> Frame {
        Renderer::new(&self.scene, view.camera(), size, false).render(&self.poses, Stamp::default())
    }
}

/// The camera's picture, both laid over each other, and the twin's, which are of one size.
fn side_by_side(camera: &Frame, twin: &Frame) -> Frame {
    let FrameSize { width, height } = camera.size();
    let mut pixels = Vec::with_capacity(3 * camera.size().bytes());
    for (left, right) in camera.pixels().chunks_exact(3 * width).zip(twin.pixels().chunks_exact(3 * width)) {
        pixels.extend_from_slice(left);
        pixels.extend(left.iter().zip(right).map(|(a, b)| ((u16::from(*a) + u16::from(*b)) / 2) as u8));
        pixels.extend_from_slice(right);
    }
    Frame::new(camera.stamp(), FrameSize { width: 3 * width, height }, pixels).expect("three pictures of the same size")
}

/// A view as its table in a camera's file.
fn table(view: &View) -> String {
    let metres = |[x, y, z]: [f32; 3]| format!("[{x:.4}, {y:.4}, {z:.4}]");
    format!(
        "[view]\nposition = {}\nlook_at = {}\nvertical_fov_degrees = {:.2}\n",
        metres(view.position),
        metres(view.look_at),
        view.vertical_fov_degrees
    )
}

/// Puts a view into a camera's file in place of the one there, and leaves everything else as it is, comments too; those of
/// the old view are lost.
fn save(path: &Path, config: &CameraConfig, view: &View) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: expected to be read", path.display()))?;
    let new = with_table(&text, &table(view));
    let name = path.display().to_string();
    let found = CameraConfig::parse(&new, &name)?;
    let unchanged = |config: &CameraConfig| {
        let mut raw = config.raw().clone();
        (raw.view, raw.device) = (None, String::new());
        raw
    };
    ensure!(
        unchanged(&found) == unchanged(config),
        "{name}: expected [view] to be a table of its own, got another form; it was not changed\n  fix: write it there yourself"
    );
    write_durably(path, new.as_bytes()).with_context(|| {
        format!("{name}: expected to be written\n  fix: see that the file and its folder are yours; nothing is changed")
    })
}

/// `text` with `table` in place of its `[view]`, or behind everything.
fn with_table(text: &str, table: &str) -> String {
    let mut lines = text.lines();
    let is_table = |line: &&str| line.trim_start().starts_with('[');
    let mut kept: Vec<&str> = lines.by_ref().take_while(|line| !line.trim_start().starts_with("[view]")).collect();
    let rest: Vec<&str> = lines.skip_while(|line| !is_table(line)).collect();
    while kept.last().is_some_and(|line| line.trim().is_empty()) {
        kept.pop();
    }
    let rest = if rest.is_empty() { String::new() } else { format!("\n{}\n", rest.join("\n")) };
    format!("{}\n\n{table}{rest}", kept.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_view_that_a_picture_was_taken_from() {
        let stage = Stage::at_home().unwrap();
        let size = FrameSize { width: 96, height: 72 };
        let seen_from = |position, look_at| View { position, look_at, ..View::default() };
        let truth = seen_from([0.2, -0.2, 0.36], [0.02, 0.01, 0.1]);
        // A camera of other brightness and contrast.
        let pixels: Vec<u8> = stage.seen(&truth, size).pixels().iter().map(|level| 40 + level / 2).collect();
        let camera = Frame::new(Stamp::default(), size, pixels).unwrap();
        let fit = Fit::search(&camera, seen_from([0.25, -0.1, 0.3], [0.0, 0.0, 0.1]), |view| stage.seen(view, size));
        assert!(fit.before < 0.6 && fit.likeness > 0.9, "{fit:?}");
        let apart = View { look_at: truth.position, ..fit.view }.distance();
        assert!(apart < 0.01, "{apart} m from {truth:?}: {fit:?}");
    }

    #[test]
    fn a_view_that_nobody_gave_is_the_twins_cameras() {
        let turnkey_sim::CameraConfig { position, look_at, vertical_fov_degrees, .. } = Default::default();
        assert_eq!(View::default(), View { position, look_at, vertical_fov_degrees });
    }

    #[test]
    fn a_view_is_put_in_place_of_the_old_one_and_comments_stay() {
        let new = "[view]\nlook_at = 1\n";
        for (text, wanted) in [
            ("a = 1 # one\n", "a = 1 # one\n\n[view]\nlook_at = 1\n"),
            ("a = 1\n\n[view]  # old\nlook_at = 0\n", "a = 1\n\n[view]\nlook_at = 1\n"),
            (
                "a = 1\n[view]\nx = 0\n\n[watchdog] # w\ny = 2\n",
                "a = 1\n\n[view]\nlook_at = 1\n\n[watchdog] # w\ny = 2\n",
            ),
        ] {
            assert_eq!(with_table(text, new), wanted);
            assert_eq!(with_table(wanted, new), wanted, "again");
        }
    }
}
