//! Lecture 9.3, *Capas de agregación (pooling)*: the maximum of each patch, and what it is good for.
//!
//! `cargo run --release --example pooling`

mod lecture;

use cinta::Var;
use cinta::prelude::*;
use clap::Parser;
use lecture::Digits;

/// Takes the maximum of patches, and shows what that is good for.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    digits: Digits,
}

fn pooled(image: &Tensor) -> Tensor {
    let [h, w] = image.dims();
    let x = Var::constant(image.reshape([1, h, w, 1]));
    x.max_pool2d([2, 2], [2, 2], Valid).into_value().reshape([h / 2, w / 2])
}

/// The image, one pixel further right.
fn moved(image: &Tensor) -> Tensor {
    let [h, w] = image.dims();
    Tensor::from_fn([h, w], |at| if at[1] == 0 { 0.0 } else { image.at([at[0], at[1] - 1]) })
}

/// How many values of two tensors differ.
fn differing(a: &Tensor, b: &Tensor) -> usize {
    a.iter().zip(b.iter()).filter(|(a, b)| a != b).count()
}

fn run(flags: &Flags) -> Result<(), Error> {
    let units = Tensor::from([
        [1.0, 0.0, 2.0, 3.0],
        [4.0, 6.0, 6.0, 8.0],
        [3.0, 1.0, 1.0, 0.0],
        [1.0, 2.0, 2.0, 4.0],
    ]);
    println!("units\n{units}\n\nthe maximum of each patch of 2x2\n{}\n", pooled(&units));

    // A vertical stroke, and the same one pixel further right: inside of the same patches, nothing changes.
    let stroke = Tensor::from_fn([6, 6], |at| f32::from(at[1] == 2 && (1..5).contains(&at[0])));
    let shifted = moved(&stroke);
    println!("a stroke\n{stroke}\n\npooled\n{}\n", pooled(&stroke));
    println!("moved by a pixel, {} of 36 pixels differ;", differing(&stroke, &shifted));
    println!("pooled, {} of 9 values differ\n", differing(&pooled(&stroke), &pooled(&shifted)));

    // Real digits: how far an image and the moved one are apart, relative to the image's own length.
    let (_, test) = flags.digits.read()?;
    let distance = |pool: bool| -> f32 {
        let relative = (0..200).map(|i| {
            let image = test.inputs().slice(0, i..i + 1).reshape([16, 16]);
            let pair = [image.clone(), moved(&image)].map(|x| if pool { pooled(&x) } else { x });
            (&pair[0] - &pair[1]).square().sum(..).item().sqrt()
                / pair[0].square().sum(..).item().sqrt()
        });
        relative.sum::<f32>() / 200.0
    };
    println!("moving a digit by a pixel changes its pixels by {:.0} %,", 100.0 * distance(false));
    println!("and the maxima of 2x2 patches by {:.0} %\n", 100.0 * distance(true));

    // And there are fewer values: the layers that follow need fewer parameters.
    let with = Sequential::new([16, 16, 8]).add(MaxPooling2d::new(2)).add(Flatten::new());
    let without = Sequential::new([16, 16, 8]).add(Flatten::new());
    let [with, without] = [with, without].map(|model| model.add(Dense::new(50)).build(1));
    println!(
        "a dense layer of 50 units over 8 images of 16x16 has {} parameters,",
        without?.count_params()
    );
    println!("and over the pooled ones of 8x8 {}", with?.count_params());
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
