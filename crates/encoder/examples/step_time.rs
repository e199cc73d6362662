//! Milliseconds of an encoder, forward and with the way back, by our kernels and by what burn composes of its own:
//! `cargo run --release -p turnkey-encoder --example step_time`. RAYON_NUM_THREADS=1 for one thread.

use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;
use std::time::Instant;
use turnkey_core::{FrameSize, PictureShape, Rng};
use turnkey_encoder::{EncoderName, encode};

const BATCH: usize = 128;
const ROUNDS: usize = 15;

fn main() {
    for (name, side, stack) in [
        (EncoderName::Fast, 32, 3),
        (EncoderName::Fast, 48, 1),
        (EncoderName::Fast, 48, 3),
        (EncoderName::Paper, 32, 1),
        (EncoderName::Drq, 64, 3),
    ] {
        let pictures = PictureShape { size: FrameSize { width: side, height: side }, stack };
        let shape = Arc::new(name.fit(pictures).expect("pictures that are large enough"));
        let mut rng = Rng::new(0, "step time");
        let mut numbers = vec![0.0; BATCH * shape.inputs()];
        rng.fill_normal(&mut numbers);
        let input: Tensor<2> = Tensor::from_data(TensorData::new(numbers, [BATCH, shape.inputs()]), &Device::flex());
        let theta: Tensor<1> =
            Tensor::from_data(TensorData::new(shape.draw(&mut rng), [shape.parameters()]), &Device::flex());
        let forward = median(|| drop(encode(input.clone(), theta.clone(), &shape)));
        let both = median(|| {
            let theta = Tensor::from_inner(theta.clone()).require_grad();
            let out = encode(Tensor::from_inner(input.clone()), theta.clone(), &shape);
            let gradients = out.square().sum().backward();
            drop(theta.grad(&gradients));
        });
        println!("{name:?} on {side}x{side}x{}: {forward:.2} ms forward, {both:.2} ms with the way back", 3 * stack);
    }
}

/// Milliseconds, the median of so many rounds.
fn median(mut run: impl FnMut()) -> f64 {
    run();
    let mut all: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[ROUNDS / 2]
}
