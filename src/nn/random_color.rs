//! Layers that change the colours of images at random while training.

use super::factor::{Factor, draws};
use super::layer::image;
use super::random_layer::{by_sample, clipped};
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// While training, every image gets another contrast: `(x - mean) f + mean` with the mean of each channel and a random `f`.
    /// What leaves the range of values is cut off. In `predict` and `evaluate` it does nothing.
    ///
    /// As in Keras 3, `f` lies between `1 - lower` and `1 + upper` where `factor` is `[lower, upper]`, and between 1 and
    /// `1 + factor` where it is one number.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomContrast::new([0.2, 0.2])).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomContrast = "RandomContrast";
    /// By at most this much.
    new(factor: Factor as impl Into<Factor>, above_zero);
    example [8, 8, 3] => RandomContrast::new(0.2) => [8, 8, 3];
    options {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    }
    formats data_format;
    fixed {}
    // The random numbers come from the model's seed; boxes are no input here.
    ignored ["seed", "bounding_box_format"]
}

recipe! {
    /// While training, the same random number is added to all values of an image: a fraction of the range of values, and what leaves
    /// that is cut off. In `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomBrightness::new(0.2)).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomBrightness = "RandomBrightness";
    /// Up to this fraction of the range of values.
    new(factor: Factor as impl Into<Factor>, into);
    example [8, 8, 3] => RandomBrightness::new(0.2) => [8, 8, 3];
    options {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    }
    formats data_format;
    fixed {}
    ignored ["seed", "bounding_box_format"]
}

/// The conversion of a contrast's factor, which Keras lets begin at 0.
trait AboveZero {
    fn above_zero(self) -> Factor;
}

impl<F: Into<Factor>> AboveZero for F {
    fn above_zero(self) -> Factor {
        let [lower, upper] = self.into().ends();
        Factor::from([lower.max(0.0), upper])
    }
}

impl<T: Scalar> Layer<T> for RandomContrast {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        image(input)?;
        self.factor.check("factor", 0.0, 1.0)?;
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let [n, _, _, c] = x.value().dims();
        let Some(draws) = draws::<T, 1>(cx, n) else { return x.clone() };
        let [lower, upper] = self.factor.ends();
        let factor = Factor::from([1.0 - lower, 1.0 + upper]);
        let factors = by_sample(draws.iter().map(|&[place]| factor.at(place)));
        let mean = x.mean([1, 2]).reshape([n, 1, 1, c]);
        clipped(&((x - &mean) * factors + mean), self.value_range)
    }
}

impl<T: Scalar> Layer<T> for RandomBrightness {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        image(input)?;
        self.factor.check("factor", -1.0, 1.0)?;
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let Some(draws) = draws::<T, 1>(cx, x.shape()[0]) else { return x.clone() };
        let [a, b] = self.value_range;
        let range = [a.min(b), a.max(b)];
        let shift = |&[place]: &[f64; 1]| self.factor.at(place) * (range[1] - range[0]);
        clipped(&(x + by_sample(draws.iter().map(shift))), range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    fn train(layer: &impl Layer<f64>, x: &Tensor<f64>, first_sample: usize) -> Tensor<f64> {
        let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample };
        layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(mode)).into_value()
    }

    #[test]
    fn all_values_of_an_image_move_together() {
        let x: Tensor<f64> = Tensor::uniform([40, 3, 4, 2], 100.0, 150.0, &mut Stream::new(3));
        let y = train(&RandomBrightness::new(0.2), &x, 0);
        let moved: Vec<f64> =
            (0..40).map(|i| (y.at([i, 0, 0, 0]) - x.at([i, 0, 0, 0])) / 255.0).collect();
        assert!(moved.iter().all(|by| by.abs() <= 0.2));
        assert!(moved.iter().any(|&by| by < -0.1) && moved.iter().any(|&by| by > 0.1));
        let difference = &y - &x;
        for (i, &by) in moved.iter().enumerate() {
            let of_image = difference.slice(0, i..i + 1);
            assert!(of_image.iter().all(|moved| (moved - by * 255.0).abs() < 1e-9));
        }
        // A batch that is cut in two gives the same.
        assert_eq!(train(&RandomBrightness::new(0.2), &x.slice(0, 30..40), 30), y.slice(0, 30..40));
        let bright = train(&RandomBrightness::new([1.0, 1.0]), &x, 0);
        assert!(bright.iter().all(|value| value == 255.0));
    }

    #[test]
    fn contrast_keeps_the_mean() {
        let x: Tensor<f64> = Tensor::uniform([40, 3, 4, 2], 100.0, 150.0, &mut Stream::new(3));
        for (factor, low, high) in
            [(Factor::from(0.5), 1.0, 1.5), (Factor::from([0.2, 0.5]), 0.8, 1.5)]
        {
            let y = train(&RandomContrast::new(factor), &x, 0);
            assert!(y.mean([1, 2]).all_close(&x.mean([1, 2]), 1e-12, 0.0));
            let spread = |x: &Tensor<f64>| x.max([1, 2]) - x.min([1, 2]);
            let ratios = spread(&y) / spread(&x);
            assert!(ratios.iter().all(|f| (low - 1e-9..=high + 1e-9).contains(&f)));
            assert!(ratios.max(..).item() - ratios.min(..).item() > 0.6 * (high - low));
        }
        assert!(Layer::<f32>::output_shape(&RandomContrast::new(1.5), [2, 2, 1].into()).is_err());
    }
}
