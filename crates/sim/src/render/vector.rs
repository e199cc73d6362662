//! Three numbers, and how they turn.

/// A point or a direction: x, y, z.
pub(super) type Vector = [f32; 3];

pub(super) fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scale(a: Vector, by: f32) -> Vector {
    a.map(|x| x * by)
}

pub(super) fn dot(a: Vector, b: Vector) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The same direction with length 1; up, where there is none.
pub(super) fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    if length > 1e-12 { scale(a, 1.0 / length) } else { [0.0, 0.0, 1.0] }
}

/// A rotation, as the rows of its matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation([Vector; 3]);

impl Rotation {
    /// From a quaternion x, y, z, w of length 1.
    pub(super) fn from_quaternion([x, y, z, w]: [f32; 4]) -> Self {
        Self([
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ])
    }

    /// The direction turned.
    pub(super) fn apply(&self, v: Vector) -> Vector {
        self.0.map(|row| dot(row, v))
    }

    /// What x, y and z become.
    pub(super) fn axes(&self) -> [Vector; 3] {
        std::array::from_fn(|axis| self.0.map(|row| row[axis]))
    }
}

/// The quaternion of a rotation about `vector` by its length, rad.
pub(super) fn quaternion_of(vector: Vector) -> [f32; 4] {
    let angle = dot(vector, vector).sqrt();
    let [x, y, z] = scale(unit(vector), (0.5 * angle).sin());
    [x, y, z, (0.5 * angle).cos()]
}

/// First `b`, then `a`.
pub(super) fn after([ax, ay, az, aw]: [f32; 4], [bx, by, bz, bw]: [f32; 4]) -> [f32; 4] {
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}
