//! The claw and its valve in 3D.
//!
//! Shapes of one kind share an entity, and all their poses one log call: a claw of forty shapes costs half
//! a dozen calls a step.

use crate::paths::CLAW;
use crate::rotation::turned;
use crate::shapes::{log_poses, log_shapes, size};
use rerun::{RecordingStream, RecordingStreamResult};
use std::sync::Arc;
use turnkey_core::{ControlRecord, Geometry, Pose, Scene, Shape};

/// The ghost of the valve's mark, where the target wants it.
const GHOST: &str = "claw/target";
const GHOST_COLOR: [f32; 4] = [0.1, 0.9, 0.45, 0.9];
/// Larger shapes than this (m) are ground to stand on, and not what the camera looks at.
const GROUND_SIZE: f32 = 0.3;

/// What a camera has to show, m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Framing {
    pub(crate) center: [f32; 3],
    pub(crate) radius: f32,
}

/// Draws a scene's shapes, grouped by kind.
pub(crate) struct SceneWriter {
    scene: Arc<Scene>,
    groups: Vec<Group>,
    ghost: Option<Ghost>,
}

/// Shapes that are drawn as one entity.
struct Group {
    entity: String,
    shapes: Vec<usize>,
}

struct Ghost {
    group: Group,
    /// The shape that the valve's axis goes through.
    hub: Option<usize>,
}

impl SceneWriter {
    /// Logs the shapes without their poses.
    pub(crate) fn new(stream: &RecordingStream, scene: &Arc<Scene>) -> RecordingStreamResult<Self> {
        stream.log_static(CLAW, &rerun::ViewCoordinates::RIGHT_HAND_Z_UP())?;
        let groups = groups(&scene.shapes);
        for group in &groups {
            let shapes: Vec<_> = group.shapes.iter().map(|i| &scene.shapes[*i]).collect();
            log_shapes(stream, &group.entity, &shapes)?;
        }
        let ghost = ghost(&scene.shapes);
        if let Some(Ghost { group, .. }) = &ghost {
            let shape = Shape { name: "target".into(), color: GHOST_COLOR, ..scene.shapes[group.shapes[0]].clone() };
            log_shapes(stream, &group.entity, &[&shape])?;
        }
        Ok(Self { scene: scene.clone(), groups, ghost })
    }

    /// Logs where the shapes are. A record without a pose for every shape moves nothing.
    pub(crate) fn poses(&self, stream: &RecordingStream, record: &ControlRecord) -> RecordingStreamResult<()> {
        if record.poses.len() != self.scene.shapes.len() {
            return Ok(());
        }
        for group in &self.groups {
            let poses = group.shapes.iter().map(|i| record.poses[*i]).collect::<Vec<_>>();
            log_poses(stream, &group.entity, &self.scene.shapes[group.shapes[0]].geometry, &poses, |i| {
                &self.scene.shapes[group.shapes[i]].geometry
            })?;
        }
        if let Some(Ghost { group, hub }) = &self.ghost {
            let mark = group.shapes[0];
            let axis = hub.map_or([0.0; 3], |hub| record.poses[hub].position);
            let pose = turned(&record.poses[mark], axis, record.angular_error as f32);
            let geometry = &self.scene.shapes[mark].geometry;
            log_poses(stream, &group.entity, geometry, &[pose], |_| geometry)?;
        }
        Ok(())
    }

    /// What a camera has to show of the claw, where its shapes are known to be.
    pub(crate) fn framing(&self, poses: &[Pose]) -> Option<Framing> {
        let shapes = self.scene.shapes.iter().zip(poses).filter(|(shape, _)| size(&shape.geometry) < GROUND_SIZE);
        let positions: Vec<_> = shapes.map(|(_, pose)| pose.position).collect();
        let end = |axis: usize, end: fn(f32, f32) -> f32| positions.iter().map(|position| position[axis]).reduce(end);
        let (mut center, mut squares) = ([0.0; 3], 0.0);
        for (axis, center) in center.iter_mut().enumerate() {
            let (low, high) = (end(axis, f32::min)?, end(axis, f32::max)?);
            *center = 0.5 * (low + high);
            squares += (0.5 * (high - low)).powi(2);
        }
        Some(Framing { center, radius: squares.sqrt() + 0.05 })
    }
}

/// Same kinds together; each mesh, with what has the same triangles and colour, on its own.
fn groups(shapes: &[Shape]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (i, shape) in shapes.iter().enumerate() {
        match groups.iter_mut().find(|group| joins(&shapes[group.shapes[0]], shape)) {
            Some(group) => group.shapes.push(i),
            None => groups.push(Group { entity: entity(shape, groups.len()), shapes: vec![i] }),
        }
    }
    groups
}

fn joins(first: &Shape, shape: &Shape) -> bool {
    match (&first.geometry, &shape.geometry) {
        (Geometry::Mesh { .. }, Geometry::Mesh { .. }) => {
            first.color == shape.color && first.geometry == shape.geometry
        }
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn entity(shape: &Shape, number: usize) -> String {
    match shape.geometry {
        Geometry::Sphere { .. } => format!("{CLAW}/spheres"),
        Geometry::Capsule { .. } => format!("{CLAW}/capsules"),
        Geometry::Cylinder { .. } => format!("{CLAW}/cylinders"),
        Geometry::Box { .. } => format!("{CLAW}/boxes"),
        Geometry::Mesh { .. } => format!("{CLAW}/mesh_{number}"),
    }
}

fn ghost(shapes: &[Shape]) -> Option<Ghost> {
    let mark = shapes.iter().position(|shape| shape.name.starts_with("valve") && shape.name.ends_with("mark"))?;
    let hub = shapes.iter().position(|shape| shape.name == "valve/hub");
    Some(Ghost { group: Group { entity: GHOST.into(), shapes: vec![mark] }, hub })
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Part;

    fn shape(name: &str, geometry: Geometry, red: f32) -> Shape {
        Shape { name: name.into(), geometry, part: Part::Other, color: [red, 0.0, 0.0, 1.0], texture: None }
    }

    #[test]
    fn shapes_of_one_kind_share_an_entity_and_meshes_one_with_their_like() {
        let mesh = |x| Geometry::Mesh { vertices: vec![[x, 0.0, 0.0]; 3], triangles: vec![[0, 1, 2]] };
        let shapes = [
            shape("a", Geometry::Sphere { radius: 0.1 }, 0.0),
            shape("b", mesh(1.0), 0.0),
            shape("c", Geometry::Sphere { radius: 0.2 }, 1.0),
            shape("d", mesh(2.0), 0.0),
            shape("e", mesh(1.0), 0.0),
            shape("f", mesh(1.0), 1.0),
        ];
        let groups: Vec<_> = groups(&shapes).into_iter().map(|group| (group.entity, group.shapes)).collect();
        let expected = [
            ("claw/spheres", vec![0, 2]),
            ("claw/mesh_1", vec![1, 4]),
            ("claw/mesh_2", vec![3]),
            ("claw/mesh_3", vec![5]),
        ];
        assert_eq!(groups, expected.map(|(entity, shapes)| (entity.to_owned(), shapes)));
    }

    #[test]
    fn a_camera_frames_the_claw_and_not_the_table() {
        let table = shape("table", Geometry::Box { half_sizes: [0.6, 0.6, 0.01] }, 0.0);
        let tips = ["left", "right"].map(|name| shape(name, Geometry::Sphere { radius: 0.01 }, 0.0));
        let shapes = [table].into_iter().chain(tips).collect();
        let scene =
            SceneWriter { scene: Arc::new(Scene { shapes, ..Scene::default() }), groups: Vec::new(), ghost: None };
        let at = |x| Pose { position: [x, 0.0, 0.1], rotation: [0.0, 0.0, 0.0, 1.0] };
        let framing = scene.framing(&[at(9.0), at(0.0), at(0.2)]).unwrap();
        assert_eq!(framing.center, [0.1, 0.0, 0.1]);
        assert!((framing.radius - 0.15).abs() < 1e-6);
        assert_eq!(scene.framing(&[]), None);
    }
}
