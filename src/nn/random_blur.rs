//! Layers that blur and sharpen images at random while training.

use super::random_layer::{by_sample, clipped, number, ordered, random_layer, some_of};
use super::{Pair, UnitFactor};
use crate::autograd::Var;
use crate::scalar::Scalar;

random_layer!(
    /// While training, every image becomes sharper or softer: `x + (1 - 2 f) (s - x)`, with `f` drawn from `factor` and `s` the mean of a pixel (five times)
    /// and those around it, which are 0 beyond the border. What leaves the range of values is cut off.
    RandomSharpness, "RandomSharpness", new(factor: UnitFactor as impl Into<UnitFactor>, into), RandomSharpness::new(0.5),
    {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, _| layer.factor.check("factor"),
    of 1 random numbers |layer, x, drawn| {
        let ones = vec![[1.0; 3].to_vec(); drawn.len()];
        let around = along(&along(x, 1, &ones), 2, &ones);
        let smooth = (around + x * number(4.0)) / number(13.0);
        let soft = by_sample(drawn.iter().map(|&[place]| 1.0 - 2.0 * layer.factor.at(place)));
        clipped(&(x + soft * (smooth - x)), ordered(layer.value_range))
    }
);

random_layer!(
    /// While training, some images are blurred, with a probability that is itself drawn from `factor` for each image: each pixel becomes the mean of those
    /// around it with the weights of a normal distribution, in both directions. What leaves the range of values is cut off.
    ///
    /// Beyond the border there are zeros. Each image has standard deviations of its own; in Keras, those of a batch are the same.
    RandomGaussianBlur, "RandomGaussianBlur", new(), RandomGaussianBlur::new(),
    {
        /// How probable it is.
        factor: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(1.0), 0.5;
        /// How many pixels wide and high the window is: odd numbers. (Not high and wide.)
        kernel_size: [usize; 2] as impl Pair, pair = [3, 3], (5, 3);
        /// The standard deviations, in pixels.
        sigma: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(1.0), 0.5;
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, _| {
        layer.factor.check("factor")?;
        layer.sigma.check("sigma")?;
        match layer.kernel_size.iter().all(|size| size % 2 == 1) {
            true => Ok(()),
            false => Err(format!("kernel_size = {:?} are not odd numbers", layer.kernel_size).into()),
        }
    },
    of 4 random numbers |layer, x, drawn| {
        let [columns, rows] = [0, 1].map(|axis| {
            let weights = |drawn: &[f64; 4]| {
                normal(layer.kernel_size[axis], layer.sigma.at(drawn[2 + axis]) + 1e-6)
            };
            drawn.iter().map(weights).collect::<Vec<_>>()
        });
        let blurred = along(&along(x, 2, &columns), 1, &rows);
        let which = drawn.iter().map(|&[p, place, ..]| place < layer.factor.at(p));
        clipped(&some_of(which, &blurred, x), layer.value_range)
    }
);

/// The weights of a window of so many pixels.
fn normal(size: usize, sigma: f64) -> Vec<f64> {
    let middle = (size as f64 - 1.0) / 2.0;
    let weights = (0..size).map(|at| (-0.5 * ((at as f64 - middle) / sigma).powi(2)).exp());
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Sums over a window along one axis of images, with weights of each image's own: `y[i] = sum(w[k] x[i + k - size / 2])`.
fn along<'t, T: Scalar>(x: &Var<'t, T>, axis: usize, weights: &[Vec<f64>]) -> Var<'t, T> {
    let (size, length) = (weights.first().map_or(1, Vec::len), x.shape()[axis]);
    let mut border = [[0; 2]; 4];
    border[axis] = [size / 2; 2];
    let wide = x.pad_constant(&border, T::zero());
    let part = |k: usize| {
        wide.slice(axis, k..k + length) * by_sample(weights.iter().map(|weights| weights[k]))
    };
    (1..size).fold(part(0), |sum, k| sum + part(k))
}
