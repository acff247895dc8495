//! Transfer learning: a model that Keras trained to read digits learns from 50 images which of them are even.
//!
//! `cargo run --release --features keras --example transfer`

use cinta::prelude::*;

/// The same images with two classes: even and odd.
fn parity(data: &Dataset) -> Result<Dataset, Error> {
    let classes: Vec<usize> = data.targets().argmax(1).iter().map(|digit| digit % 2).collect();
    Dataset::new(data.inputs().clone(), datasets::one_hot(&classes, 2)?)
}

fn main() -> Result<(), Error> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/models/digits.keras");
    let keras: Model = Model::load(file)?;
    // All but the last layer: what it has learnt about strokes is of use for other questions as well.
    let features = keras.up_to("features")?;

    let (train, test) = datasets::digits();
    // Somebody has labelled only 50 images.
    let (train, test) = (parity(&train.slice(0..50))?, parity(&test)?);

    // Frozen at first: the new layer begins with random weights, and its first gradients would spoil the old ones.
    let base = features.as_layer().name("base").trainable(false);
    let mut model =
        Sequential::new([16, 16, 1]).add(base).add(Dense::new(2).activation(Softmax)).build(7)?;
    println!("{}", model.summary());
    let compile =
        |rate| Compile::new(Adam::new(rate), CategoricalCrossentropy::new()).metric(Accuracy);
    let fit = |epochs| Fit { epochs, verbose: Verbose::Silent, ..Fit::default() };
    model.compile(compile(0.01));
    model.fit(&train, fit(60))?;
    println!("a new head:   {}", model.evaluate(&test)?);

    // Then all of it, with a small rate: it is almost right already.
    model.set_trainable("base", true)?;
    model.compile(compile(0.0001));
    model.fit(&train, fit(20))?;
    let tuned = model.evaluate(&test)?;
    println!("fine-tuned:   {tuned}");

    // The same network from random weights, which 50 images are too few for.
    let mut fresh = Sequential::new([16, 16, 1])
        .add(Conv2d::new(8, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Conv2d::new(16, 3).activation(Relu))
        .add(BatchNormalization::new())
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dense::new(16).activation(Relu))
        .add(Dense::new(2).activation(Softmax))
        .build(7)?;
    fresh.compile(compile(0.005));
    fresh.fit(&train, fit(100))?;
    let fresh = fresh.evaluate(&test)?;
    println!("from nothing: {fresh}");
    assert!(tuned["accuracy"] > fresh["accuracy"] + 0.05, "nothing was transferred");
    Ok(())
}
