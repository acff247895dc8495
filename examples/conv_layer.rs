//! Lecture 9.2, *Filtros convolucionales para redes neuronales*: a filter over an image, then several.
//!
//! `cargo run --release --example conv_layer`

use cinta::{Padding, Tensor, Var};

fn main() {
    // An image of 5x5 pixels, and a filter of 3x3 weights.
    let image = Tensor::from([
        [0.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 1.0, 0.0],
    ]);
    let theta = Tensor::from([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]);
    println!("the image\n{image}\n\nthe filter\n{theta}\n");

    // The first unit: the filter over the patch at the top left. The second: one pixel to the right.
    for (unit, left) in [("a_1", 0), ("a_2", 1)] {
        let patch = image.slice(0, 0..3).slice(1, left..left + 3);
        println!("{unit} = {}, from the patch\n{patch}\n", (&patch * &theta).sum(..).item());
    }

    // All of them, as a layer computes them: images are [n, h, w, c], kernels [kh, kw, c_in, c_out].
    let layer = |kernel: &Tensor, filters: usize| {
        let x = Var::constant(image.reshape([1, 5, 5, 1]));
        let bias = Var::constant(Tensor::zeros([filters]));
        x.conv2d(&Var::constant(kernel.clone()), &bias, [1, 1], Padding::Valid).into_value()
    };
    let units = layer(&theta.reshape([3, 3, 1, 1]), 1);
    println!("the 9 units, laid out as the image\n{}\n", units.reshape([3, 3]));

    // More filters: each gives 9 units of its own. One for strokes that go down, across, and along two diagonals.
    let across = theta.t();
    let falling = Tensor::eye(3);
    let rising = falling.flip(1);
    let filters = [&theta, &across, &falling, &rising];
    // [4, 3, 3] -> [3, 3, 1, 4]
    let stacked: Vec<Tensor> = filters.map(|filter| filter.reshape([1, 3, 3])).into();
    let kernel = Tensor::concat(&stacked).permute([1, 2, 0]).reshape([3, 3, 1, 4]);
    let units = layer(&kernel, 4);
    println!("with 4 filters, the layer's output has the shape {}", units.shape());
    for (i, name) in ["down", "across", "falling", "rising"].into_iter().enumerate() {
        println!("\n{name}\n{}", units.slice(3, i..i + 1).reshape([3, 3]));
    }

    // Few weights, shared by all places.
    println!("\nweights: 4 filters x 3 x 3 + 4 biases = {}", 4 * 9 + 4);
    println!("a dense layer from 25 pixels to 36 units has 25 x 36 + 36 = {}", 25 * 36 + 36);
}
