//! What can be wrong with a benchmark.

use std::path::PathBuf;

/// A benchmark that can't be made or started.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// Its model isn't there.
    #[error(
        "the model {path} can't be read: {source}.\n  fix: fetch Gymnasium's models by `cargo xtask setup`, or have \
         TURNKEY_BENCHMARKS_DIR name the folder that they are in"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Nothing says where models are.
    #[error(
        "no folder with Gymnasium's models: expected TURNKEY_BENCHMARKS_DIR to name one in a build without set-up.\n  fix: \
         `cargo xtask setup` fetches them, and a build after it knows where they are"
    )]
    NoFolder,
    /// MuJoCo doesn't take it.
    #[error("{path} is no model that MuJoCo takes: {reason}.\n  fix: fetch it anew by `cargo xtask setup`")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What MuJoCo says.
        reason: String,
    },
    /// It has other sizes than this benchmark.
    #[error("{path} is another model: expected {expected}, got {actual}.\n  fix: fetch it anew by `cargo xtask setup`")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The sizes of the benchmark.
        expected: String,
        /// The model's.
        actual: String,
    },
    /// A state that doesn't fit the model.
    #[error("a state of {of}: expected {expected}, got {actual}")]
    State {
        /// The benchmark.
        of: &'static str,
        /// What fits.
        expected: String,
        /// What came.
        actual: String,
    },
}
