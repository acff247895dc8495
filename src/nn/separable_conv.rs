//! The convolution layers that filter every channel first, and mix the channels then.

use super::axes::{as_image, as_series, outputs, row, series};
use super::convolved::{convolve, convolve_depthwise, convolved, some_filters};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::weighted::regularized;
use super::{Activation, Constraint, Initializer, Layer, Pair, Regularizer, Single, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A separable layer: what differs between series and images.
macro_rules! separable_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        strides $one:expr, $strides:expr => $strided:tt;
        same => $same:tt;
        dilated => $dilated:tt
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// Windows of this size, whose outputs `filters` filters mix.
            new(filters: usize, kernel_size: $size as $given, $convert);
            example $input => $made => $output;
            options {
                /// How far the window moves from one output to the next.
                strides: $size as $given, $convert = $one, $strides => $strided;
                /// What happens at the border.
                padding: Padding = Padding::Valid, Same => $same;
                /// How far apart the places of a window are: with 2, every second one.
                dilation_rate: $size as $given, $convert = $one, 2 => $dilated;
                /// How many filters every channel has before channels are mixed.
                depth_multiplier: usize = 1, 2;
                /// The function applied to the output.
                activation: Activation = Activation::Linear, Relu;
                /// Whether a bias is added.
                use_bias: bool = true, false;
                /// How the first values of the channels' filters are drawn.
                depthwise_initializer: Initializer = Initializer::GlorotUniform, Initializer::Ones;
                /// How the first values of the filters are drawn that mix channels.
                pointwise_initializer: Initializer = Initializer::GlorotUniform, Initializer::Ones;
                /// How the bias's first values are drawn.
                bias_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
                /// A penalty on the channels' filters.
                depthwise_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
                /// A penalty on the filters that mix channels.
                pointwise_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
                /// A penalty on the bias.
                bias_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.02);
                /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
                activity_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
                /// What the channels' filters are kept within.
                depthwise_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
                /// What the filters that mix channels are kept within.
                pointwise_constraint: Option<Constraint> as Constraint, into = None, Constraint::unit_norm();
                /// What the bias is kept within.
                bias_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
            }
            formats data_format;
            fixed {}
            // What Keras 2 wrote of the class that this one was derived from.
            ignored ["groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"]
        }

        impl $layer {
            fn check(&self, c: usize) -> Result<(), $crate::error::Reason> {
                some_filters(self.filters)?;
                some_filters(self.depth_multiplier)?;
                let all = [
                    self.depthwise_regularizer, self.pointwise_regularizer, self.bias_regularizer,
                    self.activity_regularizer,
                ];
                all.into_iter().flatten().try_for_each(Regularizer::check)?;
                match c.checked_mul(self.depth_multiplier) {
                    Some(_) => Ok(()),
                    None => Err(format!("{} filters for each of {c} channels are too many", self.depth_multiplier).into()),
                }
            }

            /// The weights for inputs with `c` channels.
            fn kernels_and_bias(&self, c: usize) -> Vec<Weight> {
                let depthwise = [&self.kernel_size[..], &[c, self.depth_multiplier]].concat();
                let pointwise = [&self.kernel_size.map(|_| 1)[..], &[c * self.depth_multiplier, self.filters]].concat();
                let depthwise = Weight::new("depthwise_kernel", &depthwise[..], self.depthwise_initializer)
                    .regularizer(self.depthwise_regularizer)
                    .constraint(self.depthwise_constraint.clone());
                let pointwise = Weight::new("pointwise_kernel", &pointwise[..], self.pointwise_initializer)
                    .regularizer(self.pointwise_regularizer)
                    .constraint(self.pointwise_constraint.clone());
                let bias = Weight::new("bias", [self.filters], self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                let weights = [Some(depthwise), Some(pointwise), self.use_bias.then_some(bias)];
                weights.into_iter().flatten().collect()
            }
        }
    };
}

separable_layer! {
    /// A [`DepthwiseConv2d`](super::layers::DepthwiseConv2d), then a [`Conv2d`](super::layers::Conv2d) with windows of one pixel:
    /// images `[h, w, c]` become `[oh, ow, filters]` with far fewer weights than one convolution would have.
    ///
    /// Its weights are `depthwise_kernel [kh, kw, c, depth_multiplier]`, `pointwise_kernel [1, 1, c depth_multiplier, filters]`
    /// and `bias [filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8])
    ///     .add(SeparableConv2d::new(32, 3).padding(Same).activation(Relu).name("filters"))
    ///     .build(0)?;
    /// assert_eq!(model.weight("filters", "pointwise_kernel")?.shape(), [1, 1, 8, 32]);
    /// assert_eq!(model.count_params(), 3 * 3 * 8 + 8 * 32 + 32);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    SeparableConv2d = "SeparableConv2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 8, 4] => SeparableConv2d::new(6, [3, 2]) => [6, 7, 6];
    strides [1, 1], 2 => [3, 4, 6];
    same => [8, 8, 6];
    dilated => [4, 6, 6]
}

separable_layer! {
    /// [`SeparableConv2d`] for series: `[steps, c]` become `[outputs, filters]`. As [`Conv1d`](super::layers::Conv1d), and as Keras 2, it
    /// can have the padding [`Causal`](Padding::Causal).
    ///
    /// Its weights are `depthwise_kernel [k, c, depth_multiplier]`, `pointwise_kernel [1, c depth_multiplier, filters]` and
    /// `bias [filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 8]).add(SeparableConv1d::new(32, 3)).build(0)?;
    /// assert_eq!(model.count_params(), 3 * 8 + 8 * 32 + 32);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    SeparableConv1d = "SeparableConv1D";
    new([usize; 1] as impl Single, single);
    example [8, 4] => SeparableConv1d::new(6, 3) => [6, 6];
    strides [1], 2 => [3, 6];
    same => [8, 6];
    dilated => [4, 6]
}

impl SeparableConv2d {
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let SeparableConv2d { strides, padding, dilation_rate: dilation, .. } = *self;
        let depthwise = Convolution { strides, padding, dilation, ..Convolution::default() };
        let filtered = convolve_depthwise(x, &weights[0], None, depthwise, Finish::Plain);
        convolve(&filtered, &weights[1], weights.get(2), Convolution::default(), finish)
    }
}

impl<T: Scalar> Layer<T> for SeparableConv2d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [h, w, c] = image(input)?;
        self.check(c)?;
        let SeparableConv2d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [h, w] = outputs([h, w], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([h, w, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.kernels_and_bias(input[2])
    }

    convolved!();
}

impl SeparableConv1d {
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let SeparableConv1d { strides: [stride], padding, dilation_rate: [dilation], .. } = *self;
        let (strides, dilation) = ([1, stride], [1, dilation]);
        let depthwise = Convolution { strides, padding, dilation, ..Convolution::default() };
        let filtered =
            convolve_depthwise(&as_image(x), &row(&weights[0]), None, depthwise, Finish::Plain);
        let pointwise = row(&weights[1]);
        let y = convolve(&filtered, &pointwise, weights.get(2), Convolution::default(), finish);
        as_series(&y)
    }
}

impl<T: Scalar> Layer<T> for SeparableConv1d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [steps, c] = series(input)?;
        self.check(c)?;
        let SeparableConv1d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [steps] = outputs([steps], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([steps, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.kernels_and_bias(input[1])
    }

    convolved!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::config::{as_config, json};
    use crate::nn::{Context, Mode};
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let rng = &mut Stream::new(3);
        let mut draw = |shape: &[usize]| Tensor::<f64>::uniform(shape, -1.0, 1.0, rng);
        let cx = || Context::new(Mode::Infer);
        let images = SeparableConv2d::new(4, [2, 3]).depth_multiplier(2).padding(Padding::Same);
        gradcheck(
            |[x, depthwise, pointwise, bias]| {
                let weights = [depthwise, pointwise, bias].map(Var::clone);
                images.forward(&weights, x, &mut cx())
            },
            [draw(&[2, 4, 5, 3]), draw(&[2, 3, 3, 2]), draw(&[1, 1, 6, 4]), draw(&[4])],
        )
        .unwrap();
        let series = SeparableConv1d::new(2, 2).padding(Padding::Causal).use_bias(false);
        gradcheck(
            |[x, depthwise, pointwise]| {
                series.forward(&[depthwise, pointwise].map(Var::clone), x, &mut cx()).square()
            },
            [draw(&[2, 5, 3]), draw(&[2, 3, 1]), draw(&[1, 3, 2])],
        )
        .unwrap();
    }

    /// A file of Keras 2.15 has options of the class that this one was derived from.
    #[test]
    fn what_keras_2_wrote() {
        let glorot = json!({ "class_name": "GlorotUniform", "config": { "seed": null } });
        let config = as_config(json!({
            "trainable": true, "filters": 8, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
            "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "linear",
            "use_bias": true, "bias_initializer": { "class_name": "Zeros", "config": {} },
            "bias_regularizer": null, "activity_regularizer": null, "bias_constraint": null,
            "depth_multiplier": 1, "depthwise_initializer": glorot, "pointwise_initializer": glorot,
            "depthwise_regularizer": null, "pointwise_regularizer": null, "depthwise_constraint": null,
            "pointwise_constraint": null, "kernel_initializer": glorot, "kernel_regularizer": null,
            "kernel_constraint": null
        }));
        let read = SeparableConv2d::from_config(&config).unwrap();
        let expected = SeparableConv2d::new(8, 3).padding(Padding::Same);
        assert_eq!(format!("{read:?}"), format!("{expected:?}"));
    }
}
