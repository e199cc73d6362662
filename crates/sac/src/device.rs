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
    /// The first CUDA GPU, through libtorch; in builds with the feature `tch` and a libtorch that knows CUDA.
    TchCuda,
    /// The first CUDA GPU, through CubeCL; in builds with the feature `cuda`.
    Cuda,
}

/// Why there is no such device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoDevice {
    /// The program was built without this feature.
    Feature(&'static str),
    /// The libtorch that the program runs with finds no GPU.
    #[cfg(feature = "tch")]
    Gpu,
}

impl std::fmt::Display for NoDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feature(feature) => {
                write!(f, "{feature}, which this program was built without (cargo build --features {feature})")
            }
            #[cfg(feature = "tch")]
            Self::Gpu => write!(
                f,
                "tch_cuda, and libtorch finds no GPU: it needs a driver, and libtorch_cuda.so beside libtorch_cpu.so in the \
                 folder that LD_LIBRARY_PATH names"
            ),
        }
    }
}

impl DeviceName {
    /// The device.
    ///
    /// # Errors
    /// When this build has no such device, or the machine.
    pub(crate) fn device(self) -> Result<Device, NoDevice> {
        match self {
            Self::Auto | Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "tch")]
            #[expect(deprecated, reason = "burn's next release drops libtorch; until then it is the fast one here")]
            Self::Tch => Ok(Device::libtorch()),
            #[cfg(feature = "tch")]
            #[expect(deprecated, reason = "as above")]
            Self::TchCuda if tch::Cuda::is_available() => Ok(Device::libtorch_cuda(0)),
            #[cfg(feature = "tch")]
            Self::TchCuda => Err(NoDevice::Gpu),
            #[cfg(not(feature = "tch"))]
            Self::Tch | Self::TchCuda => Err(NoDevice::Feature("tch")),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => Err(NoDevice::Feature("cuda")),
        }
    }
}
