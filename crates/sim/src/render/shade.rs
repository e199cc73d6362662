//! From what is seen at every sample to the colours of pixels.

use super::light::{Fallen, Lighting};
use super::linear::{Rigid, Vec3, add, along, scaled, sub, unit};
use super::raster::Visible;
use super::shadow::ShadowMap;
use super::sight::RowOfRays;
use super::stage::{Prop, Stage};
use super::texture::Cover;

/// A triangle that is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// Which of the props it belongs to.
    pub(super) prop: u32,
    pub(super) light: FaceLight,
}

/// What light falls onto a triangle.
#[derive(Clone, Copy, Debug)]
pub(super) enum FaceLight {
    /// The same everywhere.
    Flat(Fallen),
    /// By its normal times its nearness, which is linear over the picture: at sample 0, by column, by row.
    Round([Vec3; 3]),
}

/// All that a pixel's colour depends on.
pub(super) struct Shading<'a> {
    pub(super) stage: &'a Stage,
    pub(super) visible: &'a Visible,
    pub(super) faces: &'a [Face],
    pub(super) places: &'a [Rigid],
    pub(super) shadow: Option<&'a ShadowMap>,
    /// Samples to either side of a pixel.
    pub(super) samples: usize,
}

/// What one row of samples has in common.
struct Row<'a> {
    number: usize,
    sight: RowOfRays,
    /// The same lines as the light that casts shadows sees them.
    from_light: Option<(&'a ShadowMap, RowOfRays)>,
}

impl Shading<'_> {
    /// Fills `pixels`, `[height, width, 3]`. `sums` is room for a row of them.
    pub(super) fn resolve(&self, pixels: &mut [u8], sums: &mut Vec<Vec3>) {
        let rays = self.stage.sight.rays();
        let from_light = self.shadow.map(|shadow| (shadow, rays.seen_from(&shadow.into)));
        let width = self.visible.width / self.samples;
        let scale = 255.0 / (self.samples * self.samples) as f32;
        for (index, line) in pixels.chunks_exact_mut(3 * width.max(1)).enumerate() {
            sums.clear();
            sums.resize(width, [0.0; 3]);
            for number in self.samples * index..self.samples * (index + 1) {
                let row_of_light = from_light.as_ref().map(|(shadow, rays)| (*shadow, rays.row(number)));
                self.add_row(&Row { number, sight: rays.row(number), from_light: row_of_light }, sums);
            }
            for (byte, sum) in line.iter_mut().zip(sums.as_flattened()) {
                *byte = (sum * scale + 0.5) as u8;
            }
        }
    }

    /// Adds a row of samples to the pixels they belong to.
    fn add_row(&self, row: &Row, sums: &mut [Vec3]) {
        let first = row.number * self.visible.width;
        let nearness = self.visible.nearness[first..][..self.visible.width].chunks_exact(self.samples);
        let faces = self.visible.faces[first..][..self.visible.width].chunks_exact(self.samples);
        let mut column = 0;
        for ((sum, nearness), faces) in sums.iter_mut().zip(nearness).zip(faces) {
            for (&near, &face) in nearness.iter().zip(faces) {
                let color = match face {
                    0 => self.behind(column, row.number),
                    face => self.sample(&self.faces[face as usize - 1], row, column as f32, near),
                };
                *sum = add(*sum, color.map(|part| if part < 1.0 { part } else { 1.0 }));
                column += 1;
            }
        }
    }

    #[inline(always)]
    fn sample(&self, face: &Face, row: &Row, column: f32, near: f32) -> Vec3 {
        let fallen = face.light.at(&self.stage.lighting, column, row.number as i32 as f32);
        let distance = 1.0 / near;
        let is_lit = fallen.reachable
            && row.from_light.as_ref().is_none_or(|(shadow, rays)| shadow.reaches(rays.at(column, distance)));
        let light = if is_lit { fallen.lit } else { fallen.unlit };
        let color = match &self.stage.props[face.prop as usize] {
            Prop { cover: Cover::Plain(color), .. } => *color,
            prop => self.covered(prop, face.prop as usize, row.sight.at(column, distance)),
        };
        [light[0] * color[0], light[1] * color[1], light[2] * color[2]]
    }

    /// The colour of a covered shape at a place in the world.
    fn covered(&self, prop: &Prop, index: usize, place: Vec3) -> Vec3 {
        if prop.in_world {
            return prop.cover.at(place[0], place[1]);
        }
        // Slanted, so that a cover shows on all six sides of a box.
        let [x, y, z] = self.places[index].inverse().point(place);
        prop.cover.at(x + z, y + z)
    }

    fn behind(&self, column: i32, row: usize) -> Vec3 {
        let (width, height) = (self.visible.width as f32, self.visible.height as f32);
        let (across, down) = ((column as f32 + 0.5) / width, (row as f32 + 0.5) / height);
        self.stage.background.behind(across, down, width / height)
    }
}

impl FaceLight {
    #[inline(always)]
    fn at(&self, lighting: &Lighting, x: f32, y: f32) -> Fallen {
        match self {
            Self::Flat(fallen) => *fallen,
            Self::Round([base, across, down]) => lighting.on(unit(along(along(*base, *across, x), *down, y))),
        }
    }

    /// Of a round triangle, from its corners in the picture and the normals there, whose area is
    /// `doubled_area`.
    pub(super) fn round(corners: [Vec3; 3], normals: [Vec3; 3], doubled_area: f32) -> Self {
        let [a, b, c] = corners;
        let normal = |index: usize| scaled(normals[index], corners[index][2]);
        let (p, q, r) = (normal(0), sub(normal(1), normal(0)), sub(normal(2), normal(0)));
        let scale = 1.0 / doubled_area;
        let across = sub(scaled(q, scale * (c[1] - a[1])), scaled(r, scale * (b[1] - a[1])));
        let down = sub(scaled(r, scale * (b[0] - a[0])), scaled(q, scale * (c[0] - a[0])));
        Self::Round([along(along(p, across, -a[0]), down, -a[1]), across, down])
    }
}
