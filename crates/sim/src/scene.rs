//! The model as shapes that a viewer can draw without knowing physics.

use crate::appearance::{checker, color, light_up};
use mujoco_rs::prelude::*;
use turnkey_core::{Geometry, Part, Pose, Scene, Shape};

/// Geoms and sites in groups above this one are there to be touched or measured, not seen.
const LAST_SEEN_GROUP: i32 = 2;
/// A plane is drawn as a slab of at most this half width, m.
const PLANE_HALF_WIDTH: f32 = 0.6;
const SLAB_HALF_THICKNESS: f32 = 0.005;
/// The site that marks the valve in ROBEL's model; ours has a geom.
const MARK: &str = "valve_mark";

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
        let mut drawing = Self { scene: Scene::default(), sources: Vec::new() };
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
            let plane = matches!(model.geom_type()[geom], MjtGeomBase::mjGEOM_PLANE);
            drawing.sources.push(if plane { Source::Slab(geom) } else { Source::Geom(geom) });
            let texture = if plane { checker(model, model.geom_matid()[geom]) } else { None };
            drawing.scene.shapes.push(Shape { part: part(&name), name, geometry, color, texture });
        }
        if let Some(site) = model.name_to_id(MjtObjBase::mjOBJ_SITE, MARK) {
            let [radius, half_length, _] = model.site_size()[site].map(|size| size as f32);
            let color = color(model, model.site_matid()[site], model.site_rgba()[site]);
            drawing.sources.push(Source::Site(site));
            let geometry = Geometry::Capsule { radius, half_length };
            drawing.scene.shapes.push(Shape { name: MARK.into(), part: Part::Mark, geometry, color, texture: None });
        }
        light_up(model, &mut drawing.scene);
        drawing
    }

    /// What the shapes are in the model, in the scene's order: type and index.
    pub(crate) fn elements(&self) -> Vec<(i32, i32)> {
        let element = |source: &Source| match *source {
            Source::Geom(geom) | Source::Slab(geom) => (MjtObj::mjOBJ_GEOM as i32, geom as i32),
            Source::Site(site) => (MjtObj::mjOBJ_SITE as i32, site as i32),
        };
        self.sources.iter().map(element).collect()
    }

    /// Where the shapes are now, in the scene's order.
    pub(crate) fn poses(&self, data: &MjData<Box<MjModel>>) -> impl Iterator<Item = Pose> {
        let pose = move |source: &Source| match *source {
            Source::Geom(geom) => pose(data.geom_xpos()[geom], data.geom_xmat()[geom], 0.0),
            Source::Slab(geom) => pose(data.geom_xpos()[geom], data.geom_xmat()[geom], SLAB_HALF_THICKNESS),
            Source::Site(site) => pose(data.site_xpos()[site], data.site_xmat()[site], 0.0),
        };
        self.sources.iter().map(pose)
    }
}

/// What a shape of this name belongs to, in either model.
fn part(name: &str) -> Part {
    match name.split(['/', '_']).next().unwrap_or(name) {
        _ if name.ends_with("mark") => Part::Mark,
        _ if name.starts_with("valve_motor") || name.starts_with("valve_base") => Part::Other,
        "valve" => Part::Valve,
        "table" | "floor" => Part::Table,
        "claw" | "finger" | "mount" => Part::Claw,
        // ROBEL's fingers: FFbase, FF10, FFL11 and so on.
        finger if ["FF", "MF", "TH"].iter().any(|of| finger.starts_with(of)) => Part::Claw,
        _ => Part::Other,
    }
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
