//! Where the light that casts shadows reaches: a map of depths as the light sees the scene.

use super::linear::{Rigid, Vec3, cross, dot, scaled, unit};
use super::raster::{doubled_area, scan};
use super::solid::Solid;

/// The map covers a square of this half width, m, about [`CENTER`]; outside of it there are no shadows.
const HALF_WIDTH: f32 = 0.3;
const CENTER: Vec3 = [-0.02, 0.0, 0.12];
/// Samples along a side, for each of the picture's: about as fine as the picture itself where the valve is.
const SAMPLES_BY_PICTURE: f32 = 1.5;
/// And at least and at most so many.
const SAMPLES: [usize; 2] = [64, 512];
/// How much nearer to the light the shadow's maker must be, m.
const BIAS: f32 = 0.001;
/// Of the map where nothing is.
const NOTHING: f32 = f32::NEG_INFINITY;

/// A map of the surfaces that look *away* from the light. Those are in the dark anyway, so that no lit surface
/// falls into its own shadow for want of precision.
pub(super) struct ShadowMap {
    /// From the world to columns, rows and nearness to the light (m).
    pub(super) into: Rigid,
    /// Samples along a side, and to a metre.
    side: usize,
    per_metre: f32,
    /// `[side, side]`, nearness to the light, m.
    nearness: Vec<f32>,
}

impl ShadowMap {
    /// Of a light that shines from the direction `towards`, of length 1, for a picture with this many samples to
    /// its longer side.
    pub(super) fn new(towards: Vec3, picture: usize) -> Self {
        let side = ((SAMPLES_BY_PICTURE * picture as f32) as usize).clamp(SAMPLES[0], SAMPLES[1]);
        let aside = if towards[2].abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
        let right = unit(cross(aside, towards));
        let per_metre = side as f32 / (2.0 * HALF_WIDTH);
        let rows = [scaled(right, per_metre), scaled(cross(towards, right), per_metre), towards];
        let middle = 0.5 * side as f32 - 0.5;
        let shift = [middle - dot(rows[0], CENTER), middle - dot(rows[1], CENTER), 0.0];
        Self { into: Rigid { rows, shift }, side, per_metre, nearness: vec![NOTHING; side * side] }
    }

    pub(super) fn clear(&mut self) {
        self.nearness.fill(NOTHING);
    }

    /// Adds a solid at a place. `corners` is room for its vertices.
    pub(super) fn add(&mut self, solid: &Solid, to_world: &Rigid, corners: &mut Vec<Vec3>) {
        let into = self.into.after(to_world);
        let (center, radius) = (into.point(solid.center), solid.radius * self.per_metre);
        if center[..2].iter().any(|x| *x < -radius || *x > self.side as f32 + radius) {
            return;
        }
        corners.clear();
        corners.extend(solid.vertices.iter().map(|vertex| into.point(*vertex)));
        for triangle in &solid.triangles {
            let corners = triangle.corners.map(|corner| corners[corner as usize]);
            // The map's rows count upwards: what looks away from the light goes clockwise.
            if doubled_area(corners) < 0.0 {
                self.fill(corners);
            }
        }
    }

    fn fill(&mut self, corners: [Vec3; 3]) {
        let Self { side, nearness, .. } = self;
        scan(corners, *side, *side, |first, count, mut near, step| {
            for held in &mut nearness[first..first + count] {
                *held = if near > *held { near } else { *held };
                near += step;
            }
        });
    }

    /// Whether the light reaches a place, given in the map's columns, rows and nearness.
    pub(super) fn reaches(&self, [column, row, near]: Vec3) -> bool {
        // By way of i32, which keeps what is left of the map from becoming its first column.
        let (column, row) = ((column + 0.5) as i32 as usize, (row + 0.5) as i32 as usize);
        let inside = column < self.side && row < self.side;
        !inside || self.nearness[row * self.side + column] <= near + BIAS
    }
}
