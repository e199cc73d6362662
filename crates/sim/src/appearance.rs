//! A model's lights and textures, as the renderer knows them.

use mujoco_rs::prelude::*;
use turnkey_core::{Light, Scene, Texture};

/// The light of models that have none of their own: from above and one side, with shadows.
const LAMP: Light = Light { direction: [-0.45, 0.32, -0.83], color: [0.55; 3], casts_shadow: true };

/// Gives the scene the model's lights and background. MuJoCo's headlight goes with the camera; here it shines
/// straight down, as a camera above the table does.
pub(crate) fn light_up(model: &MjModel, scene: &mut Scene) {
    let headlight = &model.vis().headlight;
    for light in (0..model.light_dir().len()).filter(|&light| is_sun(model, light)) {
        scene.lights.push(Light {
            direction: model.light_dir()[light].map(|part| part as f32),
            color: model.light_diffuse()[light],
            casts_shadow: model.light_castshadow()[light],
        });
        let ambient = model.light_ambient()[light];
        scene.ambient = std::array::from_fn(|channel| scene.ambient[channel] + ambient[channel]);
    }
    if scene.lights.is_empty() {
        scene.lights.push(LAMP);
    }
    if headlight.active != 0 {
        scene.ambient = std::array::from_fn(|channel| scene.ambient[channel] + headlight.ambient[channel]);
        scene.lights.push(Light { direction: [0.0, 0.0, -1.0], color: headlight.diffuse, casts_shadow: false });
    }
    let sky = (0..model.tex_type().len()).find(|&texture| model.tex_type()[texture] == MjtTexture::mjTEXTURE_SKYBOX);
    let [r, g, b, _] = sky.and_then(|sky| mean_color(model, sky)).unwrap_or([0.5; 4]);
    scene.background = Some(Texture::Plain([r, g, b]));
}

/// Whether a light is as far away as the sun, and stays where it is.
fn is_sun(model: &MjModel, light: usize) -> bool {
    let directional = model.light_type()[light] == MjtLightType::mjLIGHT_DIRECTIONAL;
    directional && model.light_bodyid()[light] == 0 && model.light_active()[light]
}

/// A geom's colour: red, green, blue, opacity.
pub(crate) fn color(model: &MjModel, material: i32, rgba: [f32; 4]) -> [f32; 4] {
    usize::try_from(material).map_or(rgba, |material| {
        // A textured material is white; its picture's mean colour is what a plain shape can show.
        texture(model, material).and_then(|texture| mean_color(model, texture)).unwrap_or(model.mat_rgba()[material])
    })
}

fn texture(model: &MjModel, material: usize) -> Option<usize> {
    usize::try_from(model.mat_texid()[material][MjtTextureRole::mjTEXROLE_RGB as usize]).ok()
}

/// The checkerboard of a material that has one, on a plane.
pub(crate) fn checker(model: &MjModel, material: i32) -> Option<Texture> {
    let material = usize::try_from(material).ok()?;
    let texture = texture(model, material)?;
    let (pixels, channels) = pixels(model, texture)?;
    let (width, height) = (model.tex_width()[texture] as usize, model.tex_height()[texture] as usize);
    // The middle of each quarter: all that a checkerboard of two by two squares has.
    let quarter = |right: usize, down: usize| -> [u8; 3] {
        let pixel = (height * (1 + 2 * down) / 4) * width + width * (1 + 2 * right) / 4;
        std::array::from_fn(|channel| pixels[pixel * channels + channel])
    };
    let (one, other) = (quarter(0, 0), quarter(1, 0));
    let repeat = model.mat_texrepeat()[material][0];
    let is_checker = one == quarter(1, 1) && other == quarter(0, 1) && one != other;
    if !is_checker || !model.mat_texuniform()[material] || repeat <= 0.0 {
        return None;
    }
    let colors = [one, other].map(|color| color.map(|byte| f32::from(byte) / 255.0));
    // MuJoCo lays a plane's texture `repeat` times over two metres, and it is two squares wide.
    Some(Texture::Checker { colors, period: 1.0 / repeat })
}

/// A texture's bytes, and how many a pixel has: three or more.
fn pixels(model: &MjModel, texture: usize) -> Option<(&[u8], usize)> {
    let (start, channels) = (model.tex_adr()[texture] as usize, model.tex_nchannel()[texture] as usize);
    let pixels = model.tex_height()[texture] as usize * model.tex_width()[texture] as usize;
    let bytes = model.tex_data().get(start..start + pixels * channels)?;
    (channels >= 3 && pixels > 0).then_some((bytes, channels))
}

fn mean_color(model: &MjModel, texture: usize) -> Option<[f32; 4]> {
    let (bytes, channels) = pixels(model, texture)?;
    let count = (bytes.len() / channels) as f64;
    let mean = |channel: usize| {
        bytes.iter().skip(channel).step_by(channels).map(|&byte| f64::from(byte)).sum::<f64>() / count / 255.0
    };
    Some([mean(0) as f32, mean(1) as f32, mean(2) as f32, 1.0])
}
