//! A hand that reaches into the picture.

use super::lay_over;
use serde::{Deserialize, Serialize};
use std::f32::consts::{FRAC_PI_2, TAU};
use turnkey_core::{FrameSize, Rng};

/// A hand with its arm, seen from above. It comes straight from an edge of the picture, sways a little, and goes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Hand {
    /// Breadth of the palm, heights.
    size: f32,
    reach: f32,
    period_secs: f32,
    /// The way that it comes: 0 from the left, then in quarter turns clockwise.
    edge: u8,
    /// Where along the edge, 0 to 1.
    place: f32,
    /// Away from straight in, rad.
    tilt: f32,
    /// Part of the period that has passed at first.
    phase: f32,
    /// A left hand rather than a right one.
    left: bool,
    /// Red, green, blue, levels of 255.
    color: [f32; 3],
}

/// Skin from light to dark, levels of 255.
const SKIN: [[f32; 3]; 4] = [[236.0, 188.0, 160.0], [214.0, 160.0, 126.0], [160.0, 108.0, 78.0], [98.0, 64.0, 48.0]];

/// A bar with round ends: from, to (along the hand and across it, in breadths of the palm, from the middle fingertip
/// back), and radius.
type Bar = ([f32; 2], [f32; 2], f32);

const BARS: [Bar; 7] = [
    ([-1.95, 0.0], [-40.0, 0.0], 0.34),   // arm
    ([-1.25, 0.0], [-1.65, 0.0], 0.48),   // palm
    ([-1.0, -0.36], [-0.22, -0.46], 0.1), // fingers
    ([-1.0, -0.12], [-0.1, -0.15], 0.11),
    ([-1.0, 0.12], [-0.14, 0.16], 0.11),
    ([-1.0, 0.34], [-0.38, 0.46], 0.09),
    ([-1.45, -0.38], [-0.95, -0.78], 0.12), // thumb
];

/// Nothing of the hand is further than this across it, in breadths of the palm.
const REACH_ACROSS: f32 = 0.95;

/// Where the hand is, px.
struct Pose {
    tip: [f32; 2],
    /// The direction in which it reaches, of length 1.
    along: [f32; 2],
    /// Breadth of the palm.
    palm: f32,
}

impl Hand {
    pub(super) fn draw(size: f32, reach: f32, period_secs: f32, rng: &mut Rng) -> Self {
        let skin = SKIN[rng.below(SKIN.len())];
        let light = rng.uniform(0.8, 1.08) as f32;
        Self {
            size,
            reach,
            period_secs,
            edge: rng.below(4) as u8,
            place: rng.uniform(0.25, 0.75) as f32,
            tilt: rng.uniform(-0.35, 0.35) as f32,
            phase: rng.unit() as f32,
            left: rng.unit() < 0.5,
            color: skin.map(|level| (level * light).min(255.0)),
        }
    }

    pub(super) fn paint(&self, size: FrameSize, pixels: &mut [u8], seconds: f32) {
        let pose = self.pose(size, seconds);
        let side = if self.left { -1.0 } else { 1.0 };
        for (y, row) in pixels.chunks_exact_mut(3 * size.width).enumerate() {
            let down = y as f32 + 0.5 - pose.tip[1];
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let right = x as f32 + 0.5 - pose.tip[0];
                let along = (pose.along[0] * right + pose.along[1] * down) / pose.palm;
                let across = side * (pose.along[0] * down - pose.along[1] * right) / pose.palm;
                // A pixel's breadth is left for the soft edge.
                if along < 1.0 / pose.palm && across.abs() < REACH_ACROSS + 1.0 / pose.palm {
                    self.paint_pixel(pixel, distance([along, across]), pose.palm);
                }
            }
        }
    }

    /// Skin over a pixel `distance` breadths of the palm outside of the hand: darker towards its outline, as round things
    /// are.
    fn paint_pixel(&self, pixel: &mut [u8], distance: f32, palm: f32) {
        let opacity = (0.5 - distance * palm).clamp(0.0, 1.0);
        if opacity > 0.0 {
            let shade = 0.62 + 0.38 * (-distance / 0.12).clamp(0.0, 1.0);
            lay_over(pixel, self.color.map(|level| shade * level), opacity);
        }
    }

    fn pose(&self, size: FrameSize, seconds: f32) -> Pose {
        let (width, height) = (size.width as f32, size.height as f32);
        let palm = (self.size * height).max(1.0);
        let turns = (seconds / self.period_secs.max(1e-3) + self.phase).fract();
        let in_picture = 0.5 - 0.5 * (TAU * turns).cos();
        let sway = 0.15 * palm * (2.0 * TAU * turns).sin();
        let (start, depth, breadth) = match self.edge % 4 {
            0 => ([0.0, self.place * height], width, [0.0, 1.0]),
            1 => ([self.place * width, 0.0], height, [1.0, 0.0]),
            2 => ([width, self.place * height], width, [0.0, 1.0]),
            _ => ([self.place * width, height], height, [1.0, 0.0]),
        };
        let (sin, cos) = (FRAC_PI_2 * f32::from(self.edge % 4) + self.tilt).sin_cos();
        // Out of the picture by a finger's breadth where it turns round.
        let deep = self.reach * depth * in_picture - 0.2 * palm * (1.0 - in_picture);
        let tip = [start[0] + deep * cos + sway * breadth[0], start[1] + deep * sin + sway * breadth[1]];
        Pose { tip, along: [cos, sin], palm }
    }
}

/// How far a point is outside of the hand; negative within.
fn distance([along, across]: [f32; 2]) -> f32 {
    // Behind the wrist there is only the arm, which is most of what is seen.
    let bars = if along < -2.3 { &BARS[..1] } else { &BARS[..] };
    bars.iter().map(|bar| to_bar([along, across], bar)).fold(f32::INFINITY, f32::min)
}

fn to_bar(point: [f32; 2], (from, to, radius): &Bar) -> f32 {
    let (axis, way) = ([to[0] - from[0], to[1] - from[1]], [point[0] - from[0], point[1] - from[1]]);
    let part = (way[0] * axis[0] + way[1] * axis[1]) / (axis[0] * axis[0] + axis[1] * axis[1]);
    let part = part.clamp(0.0, 1.0);
    let (along, across) = (way[0] - part * axis[0], way[1] - part * axis[1]);
    (along * along + across * across).sqrt() - radius
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: FrameSize = FrameSize { width: 60, height: 40 };

    fn painted(hand: &Hand, seconds: f32) -> Vec<[usize; 2]> {
        let mut pixels = vec![0; SIZE.bytes()];
        hand.paint(SIZE, &mut pixels, seconds);
        (0..SIZE.width * SIZE.height).filter(|i| pixels[3 * i] > 0).map(|i| [i % SIZE.width, i / SIZE.width]).collect()
    }

    #[test]
    fn it_comes_from_its_edge_as_far_as_it_reaches_and_goes_back_out() {
        for edge in 0..4 {
            let mut hand = Hand::draw(0.3, 0.6, 4.0, &mut Rng::new(u64::from(edge), "test"));
            (hand.edge, hand.phase, hand.tilt) = (edge, 0.0, 0.0);
            assert!(painted(&hand, 0.0).len() < 20, "edge {edge}");
            let depths: Vec<usize> = painted(&hand, 2.0)
                .into_iter()
                .map(|[x, y]| [x, y, SIZE.width - 1 - x, SIZE.height - 1 - y][usize::from(edge)])
                .collect();
            let depth = if edge % 2 == 0 { SIZE.width } else { SIZE.height };
            let deepest = *depths.iter().max().unwrap() as f32;
            assert!(depths.contains(&0) && (deepest - 0.6 * depth as f32).abs() < 2.5, "edge {edge}: {deepest}");
            assert!(painted(&hand, 4.0).len() < 20, "edge {edge}");
        }
    }

    #[test]
    fn nothing_of_it_is_outside_of_where_it_is_looked_for() {
        for i in 0..400 {
            for j in 0..400 {
                let point = [f32::from(i as i16) * 0.01 - 3.0, f32::from(j as i16) * 0.01 - 2.0];
                if distance(point) < -1e-5 {
                    assert!(point[0] < 1e-3 && point[1].abs() < REACH_ACROSS, "{point:?}");
                    assert!(point[0] > -2.3 || BARS[1..].iter().all(|bar| to_bar(point, bar) > 0.0), "{point:?}");
                }
            }
        }
    }
}
