//! Flat memory behind tensors of burn's CPU backend.

use burn::backend::{Flex, flex::FlexTensor, tensor::FloatTensor};
use burn::tensor::{Device, Shape, TensorData};

/// Whether kernels on flat memory run on this device, with or without autodiff.
#[must_use]
pub fn fused(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// The same tensor with its numbers side by side.
#[must_use]
pub fn contiguous(tensor: FloatTensor<Flex>) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// A contiguous tensor's numbers.
///
/// # Panics
/// When it isn't contiguous, or not f32.
#[must_use]
pub fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("made contiguous, and f32 as all of our tensors")
}

/// These numbers as a tensor.
#[must_use]
pub fn owned(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}
