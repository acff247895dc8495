//! A classifier of series: sines, squares and saws with noise, told apart by convolutions.
//!
//! `cargo run --release --example series`

use cinta::prelude::*;

const STEPS: usize = 64;

/// One period from -1 to 1 of each kind, at a place from 0 to 1.
const KINDS: [fn(f64) -> f64; 3] = [
    |place| (2.0 * std::f64::consts::PI * place).sin(),
    |place| if place < 0.5 { 1.0 } else { -1.0 },
    |place| 2.0 * place - 1.0,
];

/// `n` series `[n, 64, 1]` of 2 to 5 periods that begin anywhere, and their kinds.
fn series(n: usize, seed: u64) -> Result<Dataset, Error> {
    let mut stream = Stream::new(seed);
    let periods: Tensor = Tensor::uniform([n], 2.0, 5.0, &mut stream);
    let phases: Tensor = Tensor::uniform([n], 0.0, 1.0, &mut stream);
    let noise: Tensor = Tensor::normal([n, STEPS, 1], 0.0, 0.6, &mut stream);
    let clean = Tensor::from_fn([n, STEPS, 1], |at| {
        let (i, step) = (at[0], at[1] as f64 / STEPS as f64);
        let place = f64::from(periods.at([i])) * step + f64::from(phases.at([i]));
        KINDS[i % 3](place.fract()) as f32
    });
    let kinds: Vec<usize> = (0..n).map(|i| i % 3).collect();
    Dataset::new(clean + noise, datasets::one_hot(&kinds, 3)?)
}

fn main() -> Result<(), Error> {
    let (train, test) = (series(900, 1)?, series(600, 2)?);
    let mut model = Sequential::new([STEPS, 1]);
    for _ in 0..3 {
        // Normalised activations let the learning rate be large; the normalisation has a shift of its own in place of the bias.
        model = model
            .add(Conv1d::new(16, 5).padding(Same).use_bias(false))
            .add(BatchNormalization::new().momentum(0.9))
            .add(Relu);
    }
    // Where in the series something was found does not matter.
    let mut model = model
        .add(GlobalAveragePooling1d::new())
        .add(Dense::new(3).activation(Softmax))
        .build(11)?;
    println!("{}", model.summary());
    model.compile(Compile::new(Adam::new(0.01), CategoricalCrossentropy::new()).metric(Accuracy));

    // The rate falls when the validation gets no better, and training ends when that does not help.
    let mut slower = ReduceLrOnPlateau::new("val_loss").patience(3).factor(0.5);
    let mut stop = EarlyStopping::new("val_loss").patience(8).restore_best_weights(true);
    model.fit(
        &train,
        Fit {
            epochs: 10,
            validation_split: 0.2,
            verbose: Verbose::Line,
            callbacks: &mut [&mut slower, &mut stop],
            ..Fit::default()
        },
    )?;
    let scores = model.evaluate(&test)?;
    println!("test {scores}");
    assert!(scores["accuracy"] > 0.9, "it has not learnt");
    Ok(())
}
