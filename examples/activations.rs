//! Lecture 9.4, *Activaciones*: what the filters make of some digits.
//!
//! `cargo run --release --all-features --example activations`

mod lecture;

use cinta::plot;
use cinta::prelude::*;
use clap::Parser;
use lecture::{Digits, Trained, picture};

/// Draws what the lecture's network computes from some digits.
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

    // keras_model(inputs = model_2$input, outputs = get_layer(model_2, 'conv_1')$output)
    let first_50 = train.inputs().slice(0, 0..50);
    let conv_1 = model.up_to("conv_1")?.predict(&first_50)?;
    println!("conv_1 {}", conv_1.shape());
    let label = |digit: usize| train.targets().slice(0, digit - 1..digit).argmax(1)[0];

    // The lecture counts digits from 1.
    for digit in [4, 5, 15, 8, 33] {
        plot::activations(&conv_1, digit - 1)
            .title(format!("conv_1 of digit {digit}, a {}", label(digit)))
            .save(picture(&format!("activations_{digit:02}.png")))?;
    }

    let conv_2 = model.up_to("conv_2")?.predict(&first_50)?;
    println!("conv_2 {}", conv_2.shape());
    for digit in [4, 5, 6, 15, 30, 50] {
        plot::activations(&conv_1, digit - 1)
            .title(format!("conv_1 of digit {digit}, a {}", label(digit)))
            .beside(plot::activations(&conv_2, digit - 1).title("conv_2"))
            .save(picture(&format!("activations_{digit:02}_both.png")))?;
    }
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
