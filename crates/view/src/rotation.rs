//! Rotations by unit quaternions x, y, z, w.

use turnkey_core::Pose;

/// `pose` turned by `angle` (rad) about the vertical through `axis`.
pub(crate) fn turned(pose: &Pose, axis: [f32; 3], angle: f32) -> Pose {
    let (sin, cos) = (0.5 * angle).sin_cos();
    let turn = [0.0, 0.0, sin, cos];
    let arm = std::array::from_fn(|i| pose.position[i] - axis[i]);
    let arm = rotated(turn, arm);
    Pose { position: std::array::from_fn(|i| axis[i] + arm[i]), rotation: product(turn, pose.rotation) }
}

/// `vector` rotated by a unit quaternion x, y, z, w.
pub(crate) fn rotated([x, y, z, w]: [f32; 4], vector: [f32; 3]) -> [f32; 3] {
    let [vx, vy, vz] = vector;
    let [rx, ry, rz, _] = product(product([x, y, z, w], [vx, vy, vz, 0.0]), [-x, -y, -z, w]);
    [rx, ry, rz]
}

fn product([ax, ay, az, aw]: [f32; 4], [bx, by, bz, bw]: [f32; 4]) -> [f32; 4] {
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near<const N: usize>(a: [f32; N], b: [f32; N]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn a_quarter_turn_about_an_axis_goes_counter_clockwise_seen_from_above() {
        let pose = Pose { position: [2.0, 1.0, 0.5], rotation: [0.0, 0.0, 0.0, 1.0] };
        let pose = turned(&pose, [1.0, 1.0, 0.0], std::f32::consts::FRAC_PI_2);
        assert!(near(pose.position, [1.0, 2.0, 0.5]), "{pose:?}");
        assert!(near(rotated(pose.rotation, [1.0, 0.0, 0.0]), [0.0, 1.0, 0.0]), "{pose:?}");
    }
}
