//! The layer that stretches the values of images.

use super::layer::image;
use super::random_layer::{clipped, in_range, number, ordered};
use super::random_tones::BYTES;
use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// Stretches every channel of every image over the whole range of values: the smallest value becomes the smallest possible one, and the largest the
    /// largest. A channel of one value stays as it is.
    ///
    /// Unlike the layers that are random, it does so in training and in prediction.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 3, 1]).add(AutoContrast::new()).build(0)?;
    /// let x = Tensor::from([10.0, 20.0, 30.0]).reshape([1, 1, 3, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [0.0, 127.5, 255.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct AutoContrast = "AutoContrast";
    /// Of values from 0 to 255.
    new();
    example [8, 8, 3] => AutoContrast::new() => [8, 8, 3];
    options {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    }
    // With the channels first, Keras looks for the smallest value in other axes.
    fixed { "data_format": "channels_last" }
    ignored ["bounding_box_format"]
}

impl<T: Scalar> Layer<T> for AutoContrast {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        match image(input)? {
            [0, ..] | [_, 0, _] => Err(format!("an image of shape {input} has no pixels").into()),
            _ => Ok(input),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [n, _, _, c] = x.value().dims();
        let range = ordered(self.value_range);
        let bytes = in_range(x, range, BYTES);
        let [low, high] = [bytes.min([1, 2]), bytes.max([1, 2])].map(|it| it.reshape([n, 1, 1, c]));
        let length = &high - &low;
        let flat = length.value().equal(T::zero());
        let scale = number(255.0) / Var::select(&flat, &number(1.0), &length);
        let offset = -(&low * &scale);
        let stretched = clipped(&(bytes * scale + offset), BYTES);
        Var::select(&flat, x, &in_range(&stretched, BYTES, range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let layer = AutoContrast::new().value_range([-1.0, 2.0]);
        let x: Tensor<f64> = Tensor::uniform([2, 3, 2, 2], -1.0, 1.0, &mut Stream::new(3));
        let infer = || Context::new(Mode::Infer);
        gradcheck(|[x]| layer.forward(&[], x, &mut infer()).square(), [x]).unwrap();
        let flat = Var::constant(Tensor::<f64>::full([1, 2, 2, 1], 0.5));
        assert_eq!(layer.forward(&[], &flat, &mut infer()).value(), flat.value());
    }
}
