//! Layers whose windows share no weights.

use super::axes::{as_image, outputs, series};
use super::convolved::some_filters;
use super::layer::image;
use super::recipe::{described, formatted};
use super::weighted::{regularized, weighted_recipe};
use super::{Activation, Context, DataFormat, Layer, Pair, Single, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A layer for series or images: how a sample's size is read, and how a batch becomes images.
macro_rules! locally_connected {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        strides $one:expr, $strides:expr => $strided:tt;
        size $extent:expr;
        images $images:expr, $pair:expr
    ) => {
        weighted_recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// Windows of this size, each of which has `filters` filters.
            new(filters: usize, kernel_size: $size as $given, $convert);
            example $input => $made => $output;
            options {
                /// How far the window moves from one output to the next.
                strides: $size as $given, $convert = $one, $strides => $strided,
                    then "padding": "valid";
            }
            formats data_format;
            fixed { "implementation": 1 }
            ignored []
        }

        impl $layer {
            /// The sizes of the output, and the number of channels.
            fn sizes(&self, input: Shape) -> Result<(Vec<usize>, usize), Reason> {
                let extent: fn(Shape) -> Result<($size, usize), Reason> = $extent;
                let (extent, channels) = extent(input)?;
                let one = self.strides.map(|_| 1);
                let found = outputs(extent, self.kernel_size, self.strides, one, Padding::Valid)?;
                Ok((found.to_vec(), channels))
            }
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();
            formatted!(data_format);
            regularized!();

            fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
                some_filters(self.filters)?;
                self.check_regularizers()?;
                Ok(Shape::new(&[&self.sizes(input)?.0[..], &[self.filters]].concat()))
            }

            fn weights(&self, input: Shape) -> Vec<Weight> {
                let (sizes, channels) = self.sizes(input).expect("output_shape has checked it");
                let inputs = self.kernel_size.iter().product::<usize>() * channels;
                let kernel = Shape::from([sizes.iter().product(), inputs, self.filters]);
                let mut weights = self.kernel_and_bias(kernel, self.filters);
                if let Some(bias) = weights.get_mut(1) {
                    bias.shape = Shape::new(&[&sizes[..], &[self.filters]].concat());
                }
                weights
            }

            fn forward<'t>(
                &self,
                weights: &[Var<'t, T>],
                x: &Var<'t, T>,
                cx: &mut Context<T>,
            ) -> Var<'t, T> {
                self.activation.of(&self.pre_activation(weights, x, cx))
            }

            fn pre_activation<'t>(
                &self,
                weights: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                let (sizes, _) = self.sizes(x.shape().sample()).expect("output_shape has checked it");
                let (images, pair): (fn(&Var<'t, T>) -> Var<'t, T>, fn($size) -> [usize; 2]) = ($images, $pair);
                let format = self.data_format;
                let kernel = kernel_in_order(&weights[0], x.shape()[x.shape().rank() - 1], format);
                let y = products(&images(x), &kernel, pair(self.kernel_size), pair(self.strides));
                let y = y.reshape(&[&x.shape()[..1], &sizes, &[self.filters]].concat()[..]);
                match weights.get(1) {
                    Some(bias) => y + bias_in_order(bias, format),
                    None => y,
                }
            }

            fn activation(&self, _: Shape) -> Activation {
                self.activation
            }
        }
    };
}

/// The kernel `[windows, inputs, filters]` with the inputs in the order of windows with `c` channels that are last. With the channels first,
/// Keras has them in that order.
fn kernel_in_order<'t, T: Scalar>(kernel: &Var<'t, T>, c: usize, format: DataFormat) -> Var<'t, T> {
    let [windows, inputs, filters] = kernel.value().dims();
    match format {
        DataFormat::ChannelsLast => kernel.clone(),
        DataFormat::ChannelsFirst => {
            let places = inputs / c.max(1);
            let kernel = kernel.reshape([windows, c, places, filters]).permute([0, 2, 1, 3]);
            kernel.reshape([windows, inputs, filters])
        }
    }
}

/// The bias `[.., filters]` beside outputs whose channels are last. With the channels first, Keras takes the numbers of this shape for those of
/// `[filters, ..]`, one after the other.
fn bias_in_order<'t, T: Scalar>(bias: &Var<'t, T>, format: DataFormat) -> Var<'t, T> {
    let mut first = bias.shape().to_vec();
    first.rotate_right(1);
    match format {
        DataFormat::ChannelsLast => bias.clone(),
        DataFormat::ChannelsFirst => bias.reshape(&first[..]).move_axis(0, first.len() - 1),
    }
}

/// Each window of images `[n, h, w, c]` times its own part of the kernel `[windows, kh kw c, filters]`: `[n, windows, filters]`.
fn products<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    [kh, kw]: [usize; 2],
    [down, right]: [usize; 2],
) -> Var<'t, T> {
    let [n, h, w, c] = x.value().dims();
    let rows = x.reshape([n, h, 1, w * c]).unfold(kh, down, 1, Padding::Valid);
    let oh = rows.shape()[1];
    let rows = rows.reshape([n * oh, kh, w, c]).permute([0, 2, 1, 3]);
    let windows = rows.unfold(kw, right, 1, Padding::Valid); // [n oh, ow, kh, kw, c]
    let windows = windows.reshape([n, oh * windows.shape()[1], kh * kw * c]);
    windows.permute([1, 0, 2]).batch_matmul(kernel).permute([1, 0, 2])
}

locally_connected! {
    /// As [`Conv1d`](super::layers::Conv1d), but each window has filters of its own: series `[steps, c]` become `[outputs, filters]`, and the weights are
    /// `kernel [outputs, size c, filters]` and `bias [outputs, filters]`. A layer of Keras 2, which Keras 3 does not know.
    LocallyConnected1d = "LocallyConnected1D";
    new([usize; 1] as impl Single, single);
    example [8, 3] => LocallyConnected1d::new(2, 3) => [6, 2];
    strides [1], 2 => [3, 2];
    size |input| series(input).map(|[steps, c]| ([steps], c));
    images as_image, |[size]| [1, size]
}

locally_connected! {
    /// As [`Conv2d`](super::layers::Conv2d), but each window has filters of its own: images `[h, w, c]` become `[oh, ow, filters]`, and the weights are
    /// `kernel [oh ow, kh kw c, filters]` and `bias [oh, ow, filters]`. A layer of Keras 2, which Keras 3 does not know.
    LocallyConnected2d = "LocallyConnected2D";
    new([usize; 2] as impl Pair, pair);
    example [6, 6, 3] => LocallyConnected2d::new(2, 3) => [4, 4, 2];
    strides [1, 1], 2 => [2, 2, 2];
    size |input| image(input).map(|[h, w, c]| ([h, w], c));
    images Var::clone, |size| size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    /// With the same filters in all places, it is a convolution.
    #[test]
    fn shared_filters() {
        let (x, kernel) = (draw(&[3, 5, 7, 2], 1), draw(&[2, 3, 2, 4], 2));
        let layer = LocallyConnected2d::new(4, [2, 3]).strides([1, 2]).use_bias(false);
        let expected = x.clone();
        let expected = Var::constant(expected).conv2d(
            &Var::constant(kernel.clone()),
            &Var::constant(Tensor::zeros([4])),
            [1, 2],
            Padding::Valid,
        );
        let own = kernel.reshape([1, 12, 4]).broadcast_to([4 * 3, 12, 4]);
        let y =
            layer.forward(&[Var::constant(own)], &Var::constant(x), &mut Context::new(Mode::Infer));
        assert!(y.value().all_close(expected.value(), 1e-12, 1e-12));
    }

    #[test]
    fn gradients() {
        let cx = || Context::new(Mode::Infer);
        let images =
            LocallyConnected2d::new(2, [2, 3]).strides([2, 1]).activation(Activation::Tanh);
        gradcheck(
            |[x, kernel, bias]| images.forward(&[kernel.clone(), bias.clone()], x, &mut cx()),
            [draw(&[2, 5, 4, 2], 1), draw(&[4, 12, 2], 2), draw(&[2, 2, 2], 3)],
        )
        .unwrap();
        let series = LocallyConnected1d::new(2, 3).strides(2);
        gradcheck(
            |[x, kernel, bias]| {
                series.forward(&[kernel.clone(), bias.clone()], x, &mut cx()).square()
            },
            [draw(&[2, 7, 2], 1), draw(&[3, 6, 2], 2), draw(&[3, 2], 3)],
        )
        .unwrap();
    }

    #[test]
    fn what_does_not_fit() {
        let error = |shape: &[usize]| {
            let layer = LocallyConnected2d::new(2, 3);
            let found = Layer::<f32>::output_shape(&layer, Shape::new(shape));
            found.unwrap_err().as_str().to_owned()
        };
        assert!(error(&[6, 2]).contains("one sample has the shape [6, 2]"));
        assert!(error(&[6, 2, 1]).contains('3'));
    }
}
