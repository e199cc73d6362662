//! The camera's side of drawing: from the world to samples of the picture, and back.

use super::linear::{Rigid, Vec3, along, scaled};
use super::raster::Corner;
use turnkey_core::{Camera, FrameSize};

/// Nearer than this, m, nothing is seen.
const NEAR: f32 = 0.01;

/// A camera and a grid of samples.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) from_world: Rigid,
    to_world: Rigid,
    /// Focal length, samples.
    focal: f32,
    /// Column and row of the optical axis.
    middle: [f32; 2],
    /// How far the picture reaches aside and up, as a part of the distance; and what turns a distance from
    /// the edges of that into one at right angles to them.
    reach: [f32; 2],
    slant: [f32; 2],
}

impl Sight {
    /// `samples` to either side of a pixel.
    pub(super) fn new(camera: &Camera, size: FrameSize, samples: usize) -> Self {
        let (width, height) = (size.width * samples, size.height * samples);
        let focal = camera.focal_length(height);
        let to_world = Rigid::from_pose(&camera.pose);
        let half = [0.5 * width as f32, 0.5 * height as f32];
        let reach = half.map(|half| half / focal);
        Self {
            from_world: to_world.inverse(),
            to_world,
            focal,
            middle: half.map(|half| half - 0.5),
            reach,
            slant: reach.map(|reach| (1.0 + reach * reach).sqrt()),
        }
    }

    /// Where a point of the camera's frame is in the picture.
    pub(super) fn project(&self, [x, y, z]: Vec3) -> Corner {
        let nearness = -1.0 / z;
        [self.middle[0] + self.focal * x * nearness, self.middle[1] - self.focal * y * nearness, nearness]
    }

    /// Whether any of a ball, given in the camera's frame, may be in the picture.
    pub(super) fn may_see(&self, [x, y, z]: Vec3, radius: f32) -> bool {
        let ahead = -z;
        let beside = |x: f32, axis: usize| x.abs() - self.reach[axis] * ahead > radius * self.slant[axis];
        ahead + radius > NEAR && !beside(x, 0) && !beside(y, 1)
    }

    /// Whether all of a ball is far enough for none of it to be cut off.
    pub(super) fn is_whole(&self, [_, _, z]: Vec3, radius: f32) -> bool {
        -z - radius > NEAR
    }

    /// The lines of sight, in the world.
    pub(super) fn rays(&self) -> Rays {
        let step = 1.0 / self.focal;
        let base = [-self.middle[0] * step, self.middle[1] * step, -1.0];
        Rays {
            eye: self.to_world.shift,
            base: self.to_world.direction(base),
            across: self.to_world.direction([step, 0.0, 0.0]),
            down: self.to_world.direction([0.0, -step, 0.0]),
        }
    }
}

/// What is seen at a column and a row at a distance along the optical axis is at
/// `eye + distance * (base + column * across + row * down)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rays {
    eye: Vec3,
    base: Vec3,
    across: Vec3,
    down: Vec3,
}

impl Rays {
    /// The same lines in another frame.
    pub(super) fn seen_from(&self, frame: &Rigid) -> Self {
        Self {
            eye: frame.point(self.eye),
            base: frame.direction(self.base),
            across: frame.direction(self.across),
            down: frame.direction(self.down),
        }
    }

    pub(super) fn row(&self, row: usize) -> RowOfRays {
        RowOfRays { eye: self.eye, base: along(self.base, self.down, row as f32), across: self.across }
    }
}

/// The lines of sight of one row of samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowOfRays {
    eye: Vec3,
    base: Vec3,
    across: Vec3,
}

impl RowOfRays {
    /// What is seen at a column at a distance, m, along the optical axis.
    #[inline(always)]
    pub(super) fn at(&self, column: f32, distance: f32) -> Vec3 {
        along(self.eye, along(self.base, self.across, column), distance)
    }
}

/// The part of a triangle, in the camera's frame, that is not too near: up to four corners, and how many.
pub(super) fn clip(triangle: [Vec3; 3]) -> ([Vec3; 4], usize) {
    let (mut kept, mut count) = ([[0.0; 3]; 4], 0);
    let mut keep = |corner: Vec3| {
        kept[count] = corner;
        count += 1;
    };
    for (index, from) in triangle.iter().enumerate() {
        let to = triangle[(index + 1) % 3];
        let (ahead, next) = (-from[2] - NEAR, -to[2] - NEAR);
        if ahead >= 0.0 {
            keep(*from);
        }
        if (ahead >= 0.0) != (next >= 0.0) {
            let part = ahead / (ahead - next);
            keep(along(scaled(*from, 1.0 - part), to, part));
        }
    }
    (kept, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_of_sight_leads_to_is_projected_to_where_it_began() {
        let camera = Camera::looking_at([0.3, -0.2, 0.5], [0.0, 0.0, 0.1], 0.8);
        let sight = Sight::new(&camera, FrameSize { width: 60, height: 40 }, 2);
        let point = sight.rays().row(31).at(70.0, 0.45);
        let back = sight.project(sight.from_world.point(point));
        assert!([70.0, 31.0, 1.0 / 0.45].iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-3), "{back:?}");
    }

    #[test]
    fn a_triangle_across_the_near_plane_keeps_what_is_in_front() {
        let (corners, count) = clip([[0.0, 0.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 0.0, -1.0]]);
        assert_eq!(count, 4);
        assert!(corners.iter().all(|corner| corner[2] < -0.99 * NEAR), "{corners:?}");
        assert_eq!(clip([[0.0, 0.0, 1.0]; 3]).1, 0);
    }
}
