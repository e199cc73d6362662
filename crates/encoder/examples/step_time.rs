//! Milliseconds of the encoder, forward and forward with backward, at a batch of 128 on one thread: our kernels
//! beside what burn composes on its CPU backend. `cargo run --release --workspace --example step_time`.

use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;
use std::time::Instant;
use turnkey_core::{FrameSize, Rng};
use turnkey_encoder::{EncoderName, EncoderShape, encode_bytes, encode_composed, first_parameters, seen};

const BATCH: usize = 128;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first pool of this process");
    println!("batch {BATCH}, one thread, ms (the fastest, and the median)");
    for (name, side, channels) in [
        (EncoderName::Fast, 48, 3),
        (EncoderName::Fast, 48, 9),
        (EncoderName::Fast, 32, 9),
        (EncoderName::Paper, 32, 9),
        (EncoderName::Drq, 64, 9),
    ] {
        let size = FrameSize { width: side, height: side };
        let shape = EncoderShape::new(size, channels, name.config(size)).expect("a preset fits these sizes");
        measure(name, Arc::new(shape));
    }
}

fn measure(name: EncoderName, shape: Arc<EncoderShape>) {
    let mut rng = Rng::new(1, "step time");
    let pictures: Vec<u8> = (0..BATCH * shape.inputs()).map(|_| rng.bits() as u8).collect();
    let theta = first_parameters(&shape, &mut rng);
    let theta = Tensor::from_data(TensorData::new(theta, [shape.parameters()]), &Device::flex());
    let numbers: Vec<f32> = pictures.iter().map(|byte| seen(*byte)).collect();
    let numbers = Tensor::from_data(TensorData::new(numbers, [BATCH, shape.inputs()]), &Device::flex());
    let pictures = Arc::new(pictures);
    let fused = |theta: Tensor<1>| encode_bytes(&pictures, theta, &shape);
    let composed = |theta: Tensor<1>| encode_composed(numbers.clone(), theta, &shape);
    let tracked = |theta: Tensor<1>| encode_composed(Tensor::from_inner(numbers.clone()), theta, &shape);
    println!("{name:?} {} x {} channels, {} parameters", shape.size(), shape.channels(), shape.parameters());
    for (what, repeats, forward, both) in [
        ("kernels", 60, time(60, || drop(fused(theta.clone()).into_data())), time(60, || both(&theta, fused))),
        ("burn", 5, time(5, || drop(composed(theta.clone()).into_data())), time(5, || both(&theta, tracked))),
    ] {
        println!("    {what:8} forward {forward}, forward and backward {both} ({repeats} times each)");
    }
}

/// A forward and a backward pass.
fn both(theta: &Tensor<1>, run: impl Fn(Tensor<1>) -> Tensor<2>) {
    let theta = Tensor::from_inner(theta.clone()).require_grad();
    let mut gradients = run(theta.clone()).sum().backward();
    theta.grad_remove(&mut gradients).expect("the features depend on the parameters");
}

fn time(repeats: usize, mut run: impl FnMut()) -> String {
    run();
    let mut all: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    all.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2})", all[0], all[repeats / 2])
}
