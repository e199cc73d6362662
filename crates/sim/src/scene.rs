//! The model as shapes that a viewer can draw without knowing physics.

use mujoco_rs::prelude::*;
use turnkey_core::{Geometry, Light, Part, Pose, Scene, Shape, Texture};

/// Geoms and sites in groups above this one are there to be touched or measured, not seen.
const LAST_SEEN_GROUP: i32 = 2;
/// A plane is drawn as a slab of at most this half width, m.
const PLANE_HALF_WIDTH: f32 = 0.6;
const SLAB_HALF_THICKNESS: f32 = 0.005;
/// The site that marks the valve in ROBEL's model; ours has a geom.
const MARK: &str = "valve_mark";

/// What covers the table: squares of 6 cm, hardly different.
const TABLE: Texture = Texture::Checker { colors: [[0.60, 0.55, 0.49], [0.57, 0.52, 0.46]], period: 0.06 };

/// Something that is drawn, by its index in the model.
#[derive(Clone, Copy)]
enum Source {
    Geom(usize),
    Slab(usize),
    Site(usize),
}

/// What is drawn, and where each shape's pose comes from.
pub(crate) struct Drawing {
    pub(crate) scene: Scene,
    sources: Vec<Source>,
}

impl Drawing {
    pub(crate) fn new(model: &MjModel) -> Self {
        let (lights, ambient) = lights(model);
        let scene = Scene { lights, ambient, ..Scene::default() };
        let mut drawing = Self { scene, sources: Vec::new() };
        for geom in 0..model.geom_type().len() {
            let color = color(model, model.geom_matid()[geom], model.geom_rgba()[geom]);
            if model.geom_group()[geom] > LAST_SEEN_GROUP || color[3] == 0.0 {
                continue;
            }
            let Some(geometry) = geom_geometry(model, geom) else { continue };
            let name = model.id_to_name(MjtObjBase::mjOBJ_GEOM, geom).filter(|name| !name.is_empty());
            let body = model.geom_bodyid()[geom] as usize;
            let body = model.id_to_name(MjtObjBase::mjOBJ_BODY, body).unwrap_or("body");
            let name = name.map_or_else(|| format!("{body}/{geom}"), str::to_owned);
            let texture = (part(&name) == Part::Table).then(|| TABLE);
            let plane = matches!(model.geom_type()[geom], MjtGeomBase::mjGEOM_PLANE);
            drawing.sources.push(if plane { Source::Slab(geom) } else { Source::Geom(geom) });
            drawing.scene.shapes.push(Shape { part: part(&name), name, geometry, color, texture });
        }
        if let Some(site) = model.name_to_id(MjtObjBase::mjOBJ_SITE, MARK) {
            let [radius, half_length, _] = model.site_size()[site].map(|size| size as f32);
            let color = color(model, model.site_matid()[site], model.site_rgba()[site]);
            drawing.sources.push(Source::Site(site));
            let geometry = Geometry::Capsule { radius, half_length };
            drawing.scene.shapes.push(Shape { name: MARK.into(), part: Part::Mark, geometry, color, texture: None });
        }
        drawing
    }

    /// Where the shapes are now, in the scene's order.
    pub(crate) fn poses(&self, data: &MjData<Box<MjModel>>) -> Vec<Pose> {
        let pose = |source: &Source| match *source {
            Source::Geom(geom) => pose(data.geom_xpos()[geom], data.geom_xmat()[geom], 0.0),
            Source::Slab(geom) => pose(data.geom_xpos()[geom], data.geom_xmat()[geom], SLAB_HALF_THICKNESS),
            Source::Site(site) => pose(data.site_xpos()[site], data.site_xmat()[site], 0.0),
        };
        self.sources.iter().map(pose).collect()
    }
}

/// The model's lights that shine from far away, and what every surface sends back without them. A light at the
/// viewer's own head has no place in a real room: its share comes from everywhere instead.
fn lights(model: &MjModel) -> (Vec<Light>, [f32; 3]) {
    let light = |i: usize| Light {
        direction: model.light_dir()[i].map(|part| part as f32),
        color: model.light_diffuse()[i],
        casts_shadow: model.light_castshadow()[i],
    };
    let mut lights: Vec<Light> = (0..model.light_dir().len()).map(light).collect();
    if !lights.iter().any(|light| light.casts_shadow) {
        lights.push(Light { direction: [-0.45, 0.32, -0.83], color: [0.5; 3], casts_shadow: true });
    }
    let head = &model.vis().headlight;
    (lights, std::array::from_fn(|i| head.ambient[i] + 0.5 * head.diffuse[i]))
}

/// What a shape of this name belongs to, in either model.
fn part(name: &str) -> Part {
    match name.split(['/', '_']).next().unwrap_or(name) {
        _ if name.ends_with("mark") => Part::Mark,
        _ if name.starts_with("valve_motor") => Part::Other,
        "valve" => Part::Valve,
        "table" => Part::Table,
        "claw" | "finger" | "FF" | "MF" | "TH" | "mount" => Part::Claw,
        _ => Part::Other,
    }
}

fn color(model: &MjModel, material: i32, rgba: [f32; 4]) -> [f32; 4] {
    usize::try_from(material).map_or(rgba, |material| {
        let color = model.mat_rgba()[material];
        // A textured material is white; its picture's mean colour is what a plain shape can show.
        let texture = usize::try_from(model.mat_texid()[material][MjtTextureRole::mjTEXROLE_RGB as usize]);
        texture.ok().and_then(|texture| mean_color(model, texture)).unwrap_or(color)
    })
}

fn mean_color(model: &MjModel, texture: usize) -> Option<[f32; 4]> {
    let (start, channels) = (model.tex_adr()[texture] as usize, model.tex_nchannel()[texture] as usize);
    let pixels = model.tex_height()[texture] as usize * model.tex_width()[texture] as usize;
    let bytes = model.tex_data().get(start..start + pixels * channels).filter(|_| channels >= 3 && pixels > 0)?;
    let mean = |channel: usize| {
        bytes.iter().skip(channel).step_by(channels).map(|&byte| f64::from(byte)).sum::<f64>() / pixels as f64 / 255.0
    };
    Some([mean(0) as f32, mean(1) as f32, mean(2) as f32, 1.0])
}

fn geom_geometry(model: &MjModel, geom: usize) -> Option<Geometry> {
    let [a, b, c] = model.geom_size()[geom].map(|size| size as f32);
    Some(match model.geom_type()[geom] {
        MjtGeomBase::mjGEOM_PLANE => {
            let half = |size: f32| if size > 0.0 { size.min(PLANE_HALF_WIDTH) } else { PLANE_HALF_WIDTH };
            Geometry::Box { half_sizes: [half(a), half(b), SLAB_HALF_THICKNESS] }
        }
        MjtGeomBase::mjGEOM_SPHERE => Geometry::Sphere { radius: a },
        MjtGeomBase::mjGEOM_CAPSULE => Geometry::Capsule { radius: a, half_length: b },
        MjtGeomBase::mjGEOM_CYLINDER => Geometry::Cylinder { radius: a, half_length: b },
        MjtGeomBase::mjGEOM_BOX => Geometry::Box { half_sizes: [a, b, c] },
        MjtGeomBase::mjGEOM_MESH => mesh(model, usize::try_from(model.geom_dataid()[geom]).ok()?),
        _ => return None,
    })
}

fn mesh(model: &MjModel, mesh: usize) -> Geometry {
    let part = |start: &[i32], length: &[i32]| start[mesh] as usize..(start[mesh] + length[mesh]) as usize;
    let vertices = model.mesh_vert()[part(model.mesh_vertadr(), model.mesh_vertnum())].to_vec();
    let faces = &model.mesh_face()[part(model.mesh_faceadr(), model.mesh_facenum())];
    Geometry::Mesh { vertices, triangles: faces.iter().map(|face| face.map(|corner| corner as u32)).collect() }
}

/// A MuJoCo pose, moved by `below` (m) against its own z.
fn pose(position: [f64; 3], matrix: [f64; 9], below: f32) -> Pose {
    let mut quaternion = [0.0; 4];
    mujoco_rs::wrappers::fun::utility::mju_mat_2_quat(&mut quaternion, &matrix);
    let [w, x, y, z] = quaternion.map(|number| number as f32);
    let column = [matrix[2], matrix[5], matrix[8]];
    let position = std::array::from_fn(|axis| position[axis] as f32 - below * column[axis] as f32);
    Pose { position, rotation: [x, y, z, w] }
}
