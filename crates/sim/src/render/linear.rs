//! Vectors and rigid motions of three dimensions, as little as the renderer needs.

use turnkey_core::Pose;

pub(super) type Vec3 = [f32; 3];

pub(super) fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scaled(a: Vec3, factor: f32) -> Vec3 {
    [a[0] * factor, a[1] * factor, a[2] * factor]
}

/// `a + factor * b`.
pub(super) fn along(a: Vec3, b: Vec3, factor: f32) -> Vec3 {
    [a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]]
}

pub(super) fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn length(a: Vec3) -> f32 {
    dot(a, a).sqrt()
}

/// `a` at length 1; straight up, if it has no length.
pub(super) fn unit(a: Vec3) -> Vec3 {
    match length(a) {
        length if length > 0.0 => scaled(a, 1.0 / length),
        _ => [0.0, 0.0, 1.0],
    }
}

/// A rotation, by the rows of its matrix, and then a shift.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rigid {
    pub(super) rows: [Vec3; 3],
    pub(super) shift: Vec3,
}

impl Rigid {
    /// From a pose's own frame into the world.
    pub(super) fn from_pose(pose: &Pose) -> Self {
        let [x, y, z, w] = pose.rotation;
        let rows = [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ];
        Self { rows, shift: pose.position }
    }

    pub(super) fn direction(&self, a: Vec3) -> Vec3 {
        [dot(self.rows[0], a), dot(self.rows[1], a), dot(self.rows[2], a)]
    }

    pub(super) fn point(&self, a: Vec3) -> Vec3 {
        add(self.direction(a), self.shift)
    }

    fn columns(&self) -> [Vec3; 3] {
        std::array::from_fn(|column| std::array::from_fn(|row| self.rows[row][column]))
    }

    /// The way back.
    pub(super) fn inverse(&self) -> Self {
        let back = Self { rows: self.columns(), shift: [0.0; 3] };
        Self { shift: scaled(back.direction(self.shift), -1.0), ..back }
    }

    /// First `first`, then this.
    pub(super) fn after(&self, first: &Self) -> Self {
        let columns = first.columns().map(|column| self.direction(column));
        let rows = std::array::from_fn(|row| std::array::from_fn(|column| columns[column][row]));
        Self { rows, shift: self.point(first.shift) }
    }
}

/// The rotation of a rotation vector (rad).
pub(super) fn rotation(vector: Vec3) -> [f32; 4] {
    let angle = length(vector);
    let [x, y, z] = scaled(unit(vector), (0.5 * angle).sin());
    [x, y, z, (0.5 * angle).cos()]
}

/// The quaternion of turning by `b`, then by `a`.
pub(super) fn product(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    let ([ax, ay, az, aw], [bx, by, bz, bw]) = (a, b);
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}
