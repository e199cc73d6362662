//! What to draw of a rig: the twin, put where the servos say the claw is.

use std::sync::Mutex;
use turnkey_core::{Plant as _, Pose, Reading, Scene, Start};
use turnkey_sim::{Twin, TwinConfig, TwinError};

/// A twin that moves nothing.
pub(super) struct Shadow(Mutex<Twin>, Scene);

impl Shadow {
    /// The twin's shapes.
    pub(super) fn new(config: &TwinConfig) -> Result<Self, TwinError> {
        let twin = Twin::new(TwinConfig { camera: None, ..config.clone() })?;
        let scene = twin.scene().cloned().unwrap_or_default();
        Ok(Self(Mutex::new(twin), scene))
    }

    pub(super) fn scene(&self) -> &Scene {
        &self.1
    }

    /// Where the shapes are at this reading; nowhere, if the twin can't be put there.
    pub(super) fn poses(&self, reading: &Reading) -> Vec<Pose> {
        let Ok(mut twin) = self.0.lock() else { return Vec::new() };
        let valve = reading.valve.map_or(0.0, |valve| valve.angle);
        let start = Start { joints: reading.positions, valve, seed: 0 };
        twin.reset(&start).map_or_else(|_| Vec::new(), |_| twin.poses())
    }
}
