//! Shapes and poses in rerun's words.

use crate::rotation::rotated;
use rerun::components::FillMode;
use rerun::datatypes::{Quaternion, Vec3D};
use rerun::{Boxes3D, Capsules3D, Color, Cylinders3D, Ellipsoids3D, InstancePoses3D, Mesh3D};
use rerun::{RecordingStream, RecordingStreamResult};
use turnkey_core::{Geometry, Pose, Shape};

/// Logs the forms of shapes of one kind, without their poses.
pub(crate) fn log_shapes(stream: &RecordingStream, entity: &str, shapes: &[&Shape]) -> RecordingStreamResult<()> {
    let colors: Vec<_> = shapes.iter().map(|shape| color(shape.color)).collect();
    let names: Vec<_> = shapes.iter().map(|shape| shape.name.as_str()).collect();
    let first = &shapes[0].geometry;
    let numbers = |of: fn(&Geometry) -> f32| shapes.iter().map(|shape| of(&shape.geometry)).collect::<Vec<_>>();
    let halves = || shapes.iter().map(|shape| half_sizes(&shape.geometry));
    match first {
        Geometry::Sphere { .. } => stream.log_static(
            entity,
            &Ellipsoids3D::from_half_sizes(halves())
                .with_colors(colors)
                .with_labels(names)
                .with_show_labels(false)
                .with_fill_mode(FillMode::Solid),
        ),
        Geometry::Box { .. } => stream.log_static(
            entity,
            &Boxes3D::from_half_sizes(halves())
                .with_colors(colors)
                .with_labels(names)
                .with_show_labels(false)
                .with_fill_mode(FillMode::Solid),
        ),
        Geometry::Capsule { .. } => stream.log_static(
            entity,
            &Capsules3D::from_lengths_and_radii(numbers(length), numbers(radius))
                .with_colors(colors)
                .with_labels(names)
                .with_show_labels(false)
                .with_fill_mode(FillMode::Solid),
        ),
        Geometry::Cylinder { .. } => stream.log_static(
            entity,
            &Cylinders3D::from_lengths_and_radii(numbers(length), numbers(radius))
                .with_colors(colors)
                .with_labels(names)
                .with_show_labels(false)
                .with_fill_mode(FillMode::Solid),
        ),
        Geometry::Mesh { vertices, triangles } => stream.log_static(entity, &mesh(vertices, triangles, colors[0])),
    }
}

/// Logs where the shapes of one kind are; `geometry` says how long the i-th is.
pub(crate) fn log_poses<'a>(
    stream: &RecordingStream,
    entity: &str,
    kind: &Geometry,
    poses: &[Pose],
    geometry: impl Fn(usize) -> &'a Geometry,
) -> RecordingStreamResult<()> {
    let positions = || poses.iter().map(|pose| Vec3D(pose.position));
    let rotations = poses.iter().map(|pose| Quaternion(pose.rotation));
    match kind {
        Geometry::Sphere { .. } => stream.log(entity, &Ellipsoids3D::update_fields().with_centers(positions())),
        Geometry::Box { .. } => {
            stream.log(entity, &Boxes3D::update_fields().with_centers(positions()).with_quaternions(rotations))
        }
        Geometry::Cylinder { .. } => {
            stream.log(entity, &Cylinders3D::update_fields().with_centers(positions()).with_quaternions(rotations))
        }
        Geometry::Capsule { .. } => {
            // rerun's capsules start at one end.
            let ends = poses.iter().enumerate().map(|(i, pose)| {
                let back = rotated(pose.rotation, [0.0, 0.0, -0.5 * length(geometry(i))]);
                Vec3D(std::array::from_fn(|axis| pose.position[axis] + back[axis]))
            });
            stream.log(entity, &Capsules3D::update_fields().with_translations(ends).with_quaternions(rotations))
        }
        Geometry::Mesh { .. } => {
            stream.log(entity, &InstancePoses3D::new().with_translations(positions()).with_quaternions(rotations))
        }
    }
}

/// Triangles with corners of their own, so that edges look sharp.
fn mesh(vertices: &[[f32; 3]], triangles: &[[u32; 3]], color: Color) -> Mesh3D {
    let known = triangles.iter().filter_map(|triangle| {
        let [a, b, c] = triangle.map(|corner| vertices.get(corner as usize).copied());
        Some([a?, b?, c?])
    });
    let corners: Vec<_> = known.collect();
    let normals = corners.iter().flat_map(|triangle| [normal(triangle); 3]).collect::<Vec<_>>();
    Mesh3D::new(corners.into_iter().flatten()).with_vertex_normals(normals).with_albedo_factor(color.0)
}

fn normal([a, b, c]: &[[f32; 3]; 3]) -> [f32; 3] {
    let side = |to: &[f32; 3]| std::array::from_fn::<f32, 3, _>(|axis| to[axis] - a[axis]);
    let ([ux, uy, uz], [vx, vy, vz]) = (side(b), side(c));
    let normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    let length = normal.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    normal.map(|x| x / length)
}

fn radius(geometry: &Geometry) -> f32 {
    half_sizes(geometry)[0]
}

/// Length of the straight part along z, m.
fn length(geometry: &Geometry) -> f32 {
    match geometry {
        Geometry::Capsule { half_length, .. } | Geometry::Cylinder { half_length, .. } => 2.0 * half_length,
        _ => 0.0,
    }
}

fn half_sizes(geometry: &Geometry) -> [f32; 3] {
    match geometry {
        Geometry::Sphere { radius } => [*radius; 3],
        Geometry::Capsule { radius, half_length } => [*radius, *radius, radius + half_length],
        Geometry::Cylinder { radius, half_length } => [*radius, *radius, *half_length],
        Geometry::Box { half_sizes } => *half_sizes,
        Geometry::Mesh { vertices, .. } => {
            std::array::from_fn(|axis| vertices.iter().map(|vertex| vertex[axis].abs()).fold(0.0, f32::max))
        }
    }
}

/// The greatest distance of a shape's surface from its frame along an axis, m.
pub(crate) fn size(geometry: &Geometry) -> f32 {
    half_sizes(geometry).into_iter().fold(0.0, f32::max)
}

fn color(rgba: [f32; 4]) -> Color {
    let [r, g, b, a] = rgba.map(|part| (255.0 * part.clamp(0.0, 1.0)).round() as u8);
    Color::from_unmultiplied_rgba(r, g, b, a)
}
