//! Triangles to samples.

use super::vector::{Rotation, Vector, add, cross, dot, scale, sub, unit};
use turnkey_core::Camera;

/// Nothing nearer to a camera than this is drawn, m.
const NEAR: f32 = 0.02;
/// The mark of samples that show nothing.
pub(super) const NOTHING: u16 = u16::MAX;

/// From the world to samples: along `ahead`, with what lies at `right` and `down` of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    eye: Vector,
    right: Vector,
    down: Vector,
    ahead: Vector,
    /// Samples a metre, at a distance of 1 m where the view is a perspective.
    scale: f32,
    center: [f32; 2],
    perspective: bool,
}

/// A point as it is seen: where, and how far ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) depth: f32,
}

impl View {
    /// What a pinhole camera sees on `width` by `height` samples.
    pub(super) fn perspective(camera: &Camera, width: usize, height: usize) -> Self {
        let [right, up, back] = Rotation::from_quaternion(camera.pose.rotation).axes();
        Self {
            eye: camera.pose.position,
            right,
            down: scale(up, -1.0),
            ahead: scale(back, -1.0),
            scale: camera.focal_length(height),
            center: [0.5 * width as f32, 0.5 * height as f32],
            perspective: true,
        }
    }

    /// What light in `direction` sees of a ball, on `size` by `size` samples.
    pub(super) fn parallel(direction: Vector, center: Vector, radius: f32, size: usize) -> Self {
        let ahead = unit(direction);
        let aside = if ahead[0].abs() < 0.9 { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0] };
        let right = unit(cross(ahead, aside));
        Self {
            eye: sub(center, scale(ahead, 2.0 * radius)),
            right,
            down: cross(ahead, right),
            ahead,
            scale: 0.5 * size as f32 / radius,
            center: [0.5 * size as f32; 2],
            perspective: false,
        }
    }

    /// A point of the world along the view's own axes: right, down, ahead, m.
    fn local(&self, point: Vector) -> Vector {
        let away = sub(point, self.eye);
        [dot(away, self.right), dot(away, self.down), dot(away, self.ahead)]
    }

    fn project(&self, [x, y, depth]: Vector) -> Seen {
        let scale = if self.perspective { self.scale / depth } else { self.scale };
        Seen { x: self.center[0] + scale * x, y: self.center[1] + scale * y, depth }
    }

    /// Where a point of the world is seen.
    pub(super) fn see(&self, point: Vector) -> Seen {
        self.project(self.local(point))
    }

    /// The point of the world that is seen at a sample.
    pub(super) fn point(&self, Seen { x, y, depth }: Seen) -> Vector {
        let scaled = if self.perspective { depth / self.scale } else { 1.0 / self.scale };
        let across =
            add(scale(self.right, (x - self.center[0]) * scaled), scale(self.down, (y - self.center[1]) * scaled));
        add(self.eye, add(across, scale(self.ahead, depth)))
    }
}

/// One sample: what is seen there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Grows with nearness: 1 over depth in a perspective, minus depth otherwise.
    nearness: f32,
    pub(super) mark: u16,
    pub(super) normal: Vector,
}

/// Samples, and what is nearest at each.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    samples: Vec<Sample>,
    projected: Vec<(Vector, Seen)>,
    perspective: bool,
}

/// A corner that is ready to be drawn.
#[derive(Clone, Copy)]
struct Corner {
    x: f32,
    y: f32,
    nearness: f32,
    normal: Vector,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let empty = Sample { nearness: f32::NEG_INFINITY, mark: NOTHING, normal: [0.0; 3] };
        Self { width, height, samples: vec![empty; width * height], projected: Vec::new(), perspective: true }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn clear(&mut self) {
        self.samples.iter_mut().for_each(|sample| (sample.nearness, sample.mark) = (f32::NEG_INFINITY, NOTHING));
    }

    pub(super) fn sample(&self, x: usize, y: usize) -> &Sample {
        &self.samples[y * self.width + x]
    }

    /// How far ahead the nearest thing at a sample is.
    pub(super) fn depth(&self, sample: &Sample) -> f32 {
        if self.perspective { 1.0 / sample.nearness } else { -sample.nearness }
    }

    /// Draws triangles whose corners are in the world.
    pub(super) fn draw(
        &mut self,
        view: &View,
        mark: u16,
        corners: &[Vector],
        normals: &[Vector],
        triangles: &[[u32; 3]],
    ) {
        self.perspective = view.perspective;
        let mut projected = std::mem::take(&mut self.projected);
        projected.clear();
        projected.extend(corners.iter().map(|corner| {
            let local = view.local(*corner);
            (local, view.project(local))
        }));
        for triangle in triangles {
            let at = triangle.map(|i| i as usize);
            if at.iter().all(|i| projected[*i].0[2] > NEAR) {
                self.fill(at.map(|i| corner(view, projected[i].1, normals[i])), mark);
            } else {
                self.clipped(view, at.map(|i| (projected[i].0, normals[i])), mark);
            }
        }
        self.projected = projected;
    }

    /// Draws what of a triangle is farther than the near plane.
    fn clipped(&mut self, view: &View, corners: [(Vector, Vector); 3], mark: u16) {
        let mut kept: Vec<Corner> = Vec::with_capacity(4);
        for i in 0..3 {
            let ((a, normal), (b, _)) = (corners[i], corners[(i + 1) % 3]);
            if a[2] > NEAR {
                kept.push(corner(view, view.project(a), normal));
            }
            if (a[2] > NEAR) != (b[2] > NEAR) {
                let share = (NEAR - a[2]) / (b[2] - a[2]);
                let cut = add(a, scale(sub(b, a), share));
                kept.push(corner(view, view.project([cut[0], cut[1], NEAR]), normal));
            }
        }
        for i in 2..kept.len() {
            self.fill([kept[0], kept[i - 1], kept[i]], mark);
        }
    }

    /// Draws one triangle where it faces the view and nothing nearer is there.
    fn fill(&mut self, [a, b, c]: [Corner; 3], mark: u16) {
        // Twice the area, positive where the corners go round clockwise with y down: seen from outside.
        let area = (c.x - a.x) * (b.y - a.y) - (b.x - a.x) * (c.y - a.y);
        if area <= 0.0 {
            return;
        }
        let bound = |values: [f32; 3], end: usize| {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min) - 0.5;
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 0.5;
            (low.ceil().max(0.0) as usize, ((high.floor() + 1.0).max(0.0) as usize).min(end))
        };
        let (left, right) = bound([a.x, b.x, c.x], self.width);
        let (top, bottom) = bound([a.y, b.y, c.y], self.height);
        let inverse = 1.0 / area;
        // Each corner's share grows linearly across the picture.
        let edge = |p: Corner, q: Corner| ((q.y - p.y) * inverse, (p.x - q.x) * inverse);
        let ((bx, by), (cx, cy)) = (edge(c, a), edge(a, b));
        for y in top..bottom {
            let (dx, dy) = (left as f32 + 0.5 - a.x, y as f32 + 0.5 - a.y);
            // Shares of b and c at the row's first sample.
            let (mut of_b, mut of_c) = (bx * dx + by * dy, cx * dx + cy * dy);
            let row = &mut self.samples[y * self.width..][..self.width];
            for sample in row.get_mut(left..right).unwrap_or_default() {
                let of_a = 1.0 - of_b - of_c;
                if of_a >= 0.0 && of_b >= 0.0 && of_c >= 0.0 {
                    let nearness = of_a * a.nearness + of_b * b.nearness + of_c * c.nearness;
                    if nearness > sample.nearness {
                        let normal =
                            std::array::from_fn(|i| of_a * a.normal[i] + of_b * b.normal[i] + of_c * c.normal[i]);
                        *sample = Sample { nearness, mark, normal };
                    }
                }
                of_b += bx;
                of_c += cx;
            }
        }
    }
}

fn corner(view: &View, seen: Seen, normal: Vector) -> Corner {
    let nearness = if view.perspective { 1.0 / seen.depth } else { -seen.depth };
    Corner { x: seen.x, y: seen.y, nearness, normal }
}
