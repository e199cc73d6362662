//! Where tensors live.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// What computes the updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceName {
    /// The fastest one for networks on positions: `flex`.
    #[default]
    Auto,
    /// burn's own CPU backend, with our kernels.
    Flex,
    /// libtorch on the CPU; in builds with the feature `tch`.
    Tch,
    /// The first CUDA GPU, through CubeCL; in builds with the feature `cuda`.
    Cuda,
}

impl DeviceName {
    /// The device.
    ///
    /// # Errors
    /// With the name of the feature that this build lacks.
    pub(crate) fn device(self) -> Result<Device, &'static str> {
        match self {
            Self::Auto | Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "tch")]
            #[expect(deprecated, reason = "burn's next release drops libtorch; until then it is the fast one here")]
            Self::Tch => Ok(Device::libtorch()),
            #[cfg(not(feature = "tch"))]
            Self::Tch => Err("tch"),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => Err("cuda"),
        }
    }
}
