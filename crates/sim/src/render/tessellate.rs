//! Shapes as triangles.

use super::vector::{Vector, cross, sub, unit};
use std::f32::consts::{PI, TAU};
use turnkey_core::Geometry;

/// Sides of a round shape's cross section.
const SIDES: usize = 16;
/// Rings of a hemisphere.
const RINGS: usize = 4;

/// Triangles with a normal at each corner.
#[derive(Clone, Debug, Default)]
pub(super) struct Solid {
    pub(super) corners: Vec<Vector>,
    pub(super) normals: Vec<Vector>,
    /// Counter-clockwise seen from outside.
    pub(super) triangles: Vec<[u32; 3]>,
}

impl Solid {
    /// A shape's surface, in its own frame.
    pub(super) fn new(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Sphere { radius } => Self::capsule(*radius, 0.0),
            Geometry::Capsule { radius, half_length } => Self::capsule(*radius, *half_length),
            Geometry::Cylinder { radius, half_length } => Self::cylinder(*radius, *half_length),
            Geometry::Box { half_sizes } => Self::cuboid(*half_sizes),
            Geometry::Mesh { vertices, triangles } => Self::mesh(vertices, triangles),
        }
    }

    /// Rings around z from (radius, height, normal's radial and z part), each joined to the one before.
    fn lathe(profile: &[(f32, f32, f32, f32)]) -> Self {
        let mut solid = Self::default();
        for (ring, &(radius, z, out, up)) in profile.iter().enumerate() {
            for side in 0..SIDES {
                let (sin, cos) = (TAU * side as f32 / SIDES as f32).sin_cos();
                solid.corners.push([radius * cos, radius * sin, z]);
                solid.normals.push([out * cos, out * sin, up]);
                if ring > 0 {
                    let at = |ring: usize, side: usize| (ring * SIDES + side % SIDES) as u32;
                    let [a, b] = [at(ring - 1, side), at(ring - 1, side + 1)];
                    let [c, d] = [at(ring, side), at(ring, side + 1)];
                    solid.triangles.extend([[a, b, d], [a, d, c]]);
                }
            }
        }
        solid
    }

    fn capsule(radius: f32, half_length: f32) -> Self {
        let radius = round(radius);
        let half = |from: f32, z: f32| {
            (0..=RINGS).map(move |ring| {
                let (sin, cos) = (from + 0.5 * PI * ring as f32 / RINGS as f32).sin_cos();
                (radius * cos, z + radius * sin, cos, sin)
            })
        };
        Self::lathe(&half(-0.5 * PI, -half_length).chain(half(0.0, half_length)).collect::<Vec<_>>())
    }

    fn cylinder(radius: f32, half_length: f32) -> Self {
        let (r, h) = (round(radius), half_length);
        Self::lathe(&[
            (0.0, -h, 0.0, -1.0),
            (r, -h, 0.0, -1.0),
            (r, -h, 1.0, 0.0),
            (r, h, 1.0, 0.0),
            (r, h, 0.0, 1.0),
            (0.0, h, 0.0, 1.0),
        ])
    }

    fn cuboid(half: Vector) -> Self {
        let corner = |i: usize| std::array::from_fn(|axis| if i >> axis & 1 == 1 { half[axis] } else { -half[axis] });
        let corners: Vec<Vector> = (0..8).map(corner).collect();
        let faces = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];
        let triangles: Vec<[u32; 3]> = faces.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
        Self::mesh(&corners, &triangles)
    }

    /// Triangles with edges: each has corners and a normal of its own.
    fn mesh(vertices: &[Vector], triangles: &[[u32; 3]]) -> Self {
        let mut solid = Self::default();
        for triangle in triangles {
            let at = |i: u32| vertices.get(i as usize).copied();
            let [Some(a), Some(b), Some(c)] = triangle.map(at) else { continue };
            let (first, normal) = (solid.corners.len() as u32, unit(cross(sub(b, a), sub(c, a))));
            solid.corners.extend([a, b, c]);
            solid.normals.extend([normal; 3]);
            solid.triangles.push([first, first + 1, first + 2]);
        }
        solid
    }
}

/// The radius of a polygon that covers as much as a circle of this radius.
fn round(radius: f32) -> f32 {
    let angle = TAU / SIDES as f32;
    radius * (angle / angle.sin()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::vector::{add, dot, scale};

    #[test]
    fn triangles_face_outwards_and_enclose_what_the_shape_holds() {
        for (geometry, volume) in [
            (Geometry::Sphere { radius: 0.02 }, 4.0 / 3.0 * PI * 0.02_f32.powi(3)),
            (Geometry::Cylinder { radius: 0.01, half_length: 0.03 }, PI * 0.01_f32.powi(2) * 0.06),
            (Geometry::Box { half_sizes: [0.01, 0.02, 0.03] }, 8.0 * 6e-6),
            (
                Geometry::Capsule { radius: 0.01, half_length: 0.02 },
                PI * 0.01_f32.powi(2) * 0.04 + 4.0 / 3.0 * PI * 0.01_f32.powi(3),
            ),
        ] {
            let solid = Solid::new(&geometry);
            let signed = |t: &[u32; 3]| {
                let [a, b, c] = t.map(|i| solid.corners[i as usize]);
                dot(a, cross(b, c)) / 6.0
            };
            let found: f32 = solid.triangles.iter().map(signed).sum();
            assert!((found / volume - 1.0).abs() < 0.05, "{geometry:?}: {found} of {volume}");
            for triangle in &solid.triangles {
                let [a, b, c] = triangle.map(|i| solid.corners[i as usize]);
                let (face, [p, q, r]) = (cross(sub(b, a), sub(c, a)), triangle.map(|i| solid.normals[i as usize]));
                assert!(dot(face, scale(add(add(p, q), r), 1.0)) >= -1e-9, "{geometry:?}: a normal points inwards");
            }
        }
    }
}
