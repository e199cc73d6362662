//! The project's own random numbers: seeded, named, saved with the run.

use rand_core::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// A seeded generator (xoshiro256++) whose state can be saved. Every consumer of randomness has its own,
/// so that one drawing more never changes what another draws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// The generator for `purpose` in a run with this seed. Different purposes give unrelated streams.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a over the purpose, mixed with the seed by seed_from_u64's own SplitMix64.
        let hash =
            purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self(Xoshiro256PlusPlus::seed_from_u64(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..bound, without bias that a run could notice (multiply and shift).
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "there is no index below 0");
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Standard normal, by the polar method (one of the pair is dropped, so that the state is the
    /// generator's alone).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Fills `out` with standard normal numbers.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        let mut pairs = out.chunks_exact_mut(2);
        for pair in &mut pairs {
            loop {
                let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
                let s = u * u + v * v;
                if s > 0.0 && s < 1.0 {
                    let scale = (-2.0 * s.ln() / s).sqrt();
                    pair[0] = (u * scale) as f32;
                    pair[1] = (v * scale) as f32;
                    break;
                }
            }
        }
        for rest in pairs.into_remainder() {
            *rest = self.normal() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_seeds_give_different_streams_and_repeat() {
        let first = |seed, purpose| Rng::new(seed, purpose).bits();
        assert_eq!(first(1, "task"), first(1, "task"));
        assert_ne!(first(1, "task"), first(1, "replay"));
        assert_ne!(first(1, "task"), first(2, "task"));
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut rng = Rng::new(3, "test");
        let mut xs = vec![0.0; 100_001];
        rng.fill_normal(&mut xs);
        let n = xs.len() as f64;
        let mean = xs.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let variance = xs.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean} variance {variance}");
    }

    #[test]
    fn a_saved_generator_goes_on_where_it_was() {
        let mut rng = Rng::new(4, "test");
        rng.normal();
        let mut copy = rng.clone();
        assert_eq!(copy.bits(), rng.bits());
    }
}
