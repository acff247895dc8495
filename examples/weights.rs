//! Lecture 9.4, *Conteo de parámetros* and *Pesos*: the network's weights, counted and drawn.
//!
//! `cargo run --release --all-features --example weights`

mod lecture;

use cinta::plot;
use cinta::prelude::*;
use clap::Parser;
use lecture::{Digits, Trained, picture};

/// Counts the parameters of the lecture's network, and draws the filters that it learned.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    digits: Digits,
    #[command(flatten)]
    network: Trained,
}

fn run(flags: &Flags) -> Result<(), Error> {
    let (train, _) = flags.digits.read()?;
    let model = flags.network.model(&train)?;

    // lapply(get_weights(model_2), dim)
    let weights = model.get_weights();
    println!("\nshapes");
    weights.iter().for_each(|weight| println!("  {}", weight.shape()));
    let counts: Vec<usize> = weights.iter().map(Tensor::len).collect();
    println!("num_params {counts:?}\n");

    // Layer by layer: weights and biases.
    let names = ["conv_1", "conv_2", "dense", "dense_1"];
    let recounted = [5 * 5 * 8, 3 * 3 * 8 * 12, 3 * 3 * 12 * 50, 50 * 10];
    for ((name, pair), recounted) in names.iter().zip(counts.chunks(2)).zip(recounted) {
        let sum = pair[0] + pair[1];
        println!("{name:<8} {:>4} weights + {:>2} biases = {sum:>4}", pair[0], pair[1]);
        assert_eq!(pair[0], recounted);
    }
    println!("total {}\n", model.count_params());

    // The filters of the first layer, as the tibble capa_list begins: unit 1, row by row.
    let first = model.weight("conv_1", "kernel")?;
    println!("unit 1 of conv_1\n{:.3}\n", first.slice(3, 0..1).reshape([5, 5]));
    plot::filters(first).title("Filters of conv_1").save(picture("weights_conv_1.png"))?;

    // Those of the second: the rows are the units of conv_1, the columns those of conv_2.
    let second = model.weight("conv_2", "kernel")?;
    plot::filters(first)
        .columns(1)
        .title("conv_1")
        .beside(
            plot::filters(second).title("conv_2: each image of conv_1 is filtered for each output"),
        )
        .save(picture("weights_conv_2.png"))?;
    plot::filters(&second.slice(3, 0..3))
        .title("Units 1, 2 and 3 of conv_2")
        .save(picture("weights_conv_2_first_units.png"))
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
