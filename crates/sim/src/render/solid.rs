//! Shapes as triangles, few enough for pictures of 32 to 84 pixels.

use super::linear::{Vec3, add, cross, dot, length, scaled, sub, unit};
use std::collections::BTreeMap;
use std::f32::consts::{FRAC_PI_2, PI, TAU};
use turnkey_core::Geometry;

/// Sides of what is round, from the thinnest to the thickest.
const SIDES: [usize; 2] = [12, 20];
/// What has at least this radius, m, gets the larger number of sides.
const THICK: f32 = 0.015;
/// Rings of triangles from a round end's rim to its pole.
const RINGS: usize = 3;
/// Meshes with more triangles than this are simplified.
const MESH_TRIANGLES: usize = 1000;
/// Corners of a large mesh in the same cube of this side, m, become one.
const CLUSTER: f32 = 0.004;

/// One triangle, counter-clockwise seen from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Triangle {
    pub(super) corners: [u32; 3],
    /// Length 1, outwards.
    pub(super) normal: Vec3,
}

/// A shape's surface in its own frame, m.
#[derive(Clone, Debug, Default)]
pub(super) struct Solid {
    pub(super) vertices: Vec<Vec3>,
    /// A normal for each vertex, where the surface is round; none where it has edges.
    pub(super) normals: Vec<Vec3>,
    pub(super) triangles: Vec<Triangle>,
    /// A ball around it: its centre and radius.
    pub(super) center: Vec3,
    pub(super) radius: f32,
}

impl Solid {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let (mut solid, faces) = match geometry {
            Geometry::Sphere { radius } => round(*radius, &capsule_profile(*radius, 0.0)),
            Geometry::Capsule { radius, half_length } => round(*radius, &capsule_profile(*radius, *half_length)),
            Geometry::Cylinder { radius, half_length } => round(*radius, &cylinder_profile(*radius, *half_length)),
            Geometry::Box { half_sizes } => cuboid(*half_sizes),
            Geometry::Mesh { vertices, triangles } if triangles.len() > MESH_TRIANGLES => {
                clustered(vertices, triangles)
            }
            Geometry::Mesh { vertices, triangles } => (with_vertices(vertices.clone()), triangles.clone()),
        };
        solid.triangles = faces.into_iter().filter_map(|corners| solid.triangle(corners)).collect();
        solid.bound();
        solid
    }

    /// The triangle between three vertices; none, if it has no area or a corner that isn't there.
    fn triangle(&self, corners: [u32; 3]) -> Option<Triangle> {
        let corner = |index: usize| self.vertices.get(corners[index] as usize).copied();
        let (a, b, c) = (corner(0)?, corner(1)?, corner(2)?);
        let (ab, ac) = (sub(b, a), sub(c, a));
        let normal = cross(ab, ac);
        // Against the sides' lengths: a corner twice over, but for rounding, is no triangle.
        (length(normal) > 1e-5 * dot(ab, ab).max(dot(ac, ac))).then(|| Triangle { corners, normal: unit(normal) })
    }

    fn bound(&mut self) {
        let end = |pick: fn(f32, f32) -> f32| -> Vec3 {
            std::array::from_fn(|axis| self.vertices.iter().map(|vertex| vertex[axis]).reduce(pick).unwrap_or(0.0))
        };
        self.center = scaled(add(end(f32::min), end(f32::max)), 0.5);
        self.radius = self.vertices.iter().map(|vertex| length(sub(*vertex, self.center))).fold(0.0, f32::max);
    }
}

type Faces = Vec<[u32; 3]>;

fn with_vertices(vertices: Vec<Vec3>) -> Solid {
    Solid { vertices, ..Solid::default() }
}

/// A point of a round solid's outline: distance from the axis, height, and its normal's angle above the
/// horizontal.
type Outline = [f32; 3];

fn capsule_profile(radius: f32, half_length: f32) -> Vec<Outline> {
    let point = |angle: f32, middle: f32| [radius * angle.cos(), middle + radius * angle.sin(), angle];
    let angle = |ring: usize| FRAC_PI_2 * ring as f32 / RINGS as f32;
    let lower = (0..=RINGS).rev().map(|ring| point(-angle(ring), -half_length));
    let upper = (0..=RINGS).map(|ring| point(angle(ring), half_length));
    lower.chain(upper.skip(usize::from(half_length == 0.0))).collect()
}

fn cylinder_profile(radius: f32, half_length: f32) -> Vec<Outline> {
    let side = [[radius, -half_length, 0.0], [radius, half_length, 0.0]];
    let lower = [[0.0, -half_length, -FRAC_PI_2], [radius, -half_length, -FRAC_PI_2]];
    let upper = [[radius, half_length, FRAC_PI_2], [0.0, half_length, FRAC_PI_2]];
    [lower, side, upper].concat()
}

/// What an outline sweeps, turned about z. Corners lie a little outside of the true surface and sides a
/// little inside, so that the silhouette is as wide as it should be on average.
fn round(radius: f32, outline: &[Outline]) -> (Solid, Faces) {
    let sides = SIDES[usize::from(radius >= THICK)];
    let wider = 2.0 / (1.0 + (PI / sides as f32).cos());
    let mut solid = Solid::default();
    for [distance, height, slope] in outline {
        for side in 0..sides {
            let (sin, cos) = (TAU * side as f32 / sides as f32).sin_cos();
            solid.vertices.push([wider * distance * cos, wider * distance * sin, *height]);
            solid.normals.push([slope.cos() * cos, slope.cos() * sin, slope.sin()]);
        }
    }
    let vertex = |ring: usize, side: usize| (ring * sides + side % sides) as u32;
    let quad = |(ring, side)| {
        let [a, b] = [vertex(ring, side), vertex(ring, side + 1)];
        let [c, d] = [vertex(ring + 1, side + 1), vertex(ring + 1, side)];
        [[a, b, c], [a, c, d]]
    };
    let rings = 0..outline.len() - 1;
    (solid, rings.flat_map(|ring| (0..sides).map(move |side| (ring, side))).flat_map(quad).collect())
}

fn cuboid([x, y, z]: Vec3) -> (Solid, Faces) {
    let sign = |bit: usize| if bit == 0 { -1.0 } else { 1.0 };
    let corner = |index: usize| [x * sign(index & 1), y * sign(index & 2), z * sign(index & 4)];
    let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let faces = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
    (with_vertices((0..8).map(corner).collect()), faces)
}

/// A mesh with its corners merged cube by cube; triangles that lose their area go.
fn clustered(vertices: &[Vec3], triangles: &[[u32; 3]]) -> (Solid, Faces) {
    let mut clusters: BTreeMap<[i32; 3], (u32, Vec3, f32)> = BTreeMap::new();
    let mut cluster_of = Vec::with_capacity(vertices.len());
    for vertex in vertices {
        let next = clusters.len() as u32;
        let cube = vertex.map(|number| (number / CLUSTER).floor() as i32);
        let (index, sum, count) = clusters.entry(cube).or_insert((next, [0.0; 3], 0.0));
        *sum = add(*sum, *vertex);
        *count += 1.0;
        cluster_of.push(*index);
    }
    let mut merged = vec![[0.0; 3]; clusters.len()];
    for (index, sum, count) in clusters.into_values() {
        merged[index as usize] = scaled(sum, 1.0 / count);
    }
    let corner = |index: u32| cluster_of.get(index as usize).copied().unwrap_or(u32::MAX);
    let mut faces: Faces = triangles.iter().map(|face| face.map(corner)).collect();
    faces.retain(|[a, b, c]| a != b && b != c && a != c);
    faces.sort_unstable();
    faces.dedup();
    (with_vertices(merged), faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_closed_and_its_triangles_look_outwards() {
        for geometry in [
            Geometry::Sphere { radius: 0.02 },
            Geometry::Capsule { radius: 0.01, half_length: 0.03 },
            Geometry::Cylinder { radius: 0.02, half_length: 0.03 },
            Geometry::Box { half_sizes: [0.01, 0.02, 0.03] },
        ] {
            let solid = Solid::new(&geometry);
            let corner = |index: u32| solid.vertices[index as usize];
            // Normals weighted by area add up to nothing exactly where a surface is closed.
            let mut sum = [0.0; 3];
            for triangle in &solid.triangles {
                let [a, b, c] = triangle.corners.map(corner);
                sum = add(sum, cross(sub(b, a), sub(c, a)));
                assert!(dot(triangle.normal, add(a, add(b, c))) > 0.0, "{geometry:?}: {triangle:?}");
            }
            assert!(length(sum) < 1e-7, "{geometry:?}: {sum:?}");
        }
    }

    #[test]
    fn a_mesh_with_corners_that_are_not_there_loses_those_triangles() {
        let vertices = vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        let geometry = Geometry::Mesh { vertices, triangles: vec![[0, 1, 2], [0, 1, 3]] };
        assert_eq!(Solid::new(&geometry).triangles.len(), 1);
    }
}
