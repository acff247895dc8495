//! The convolution layers whose channels do not mix.

use super::axes::{as_image, as_series, not_causal, outputs, row, series};
use super::convolved::{convolve_depthwise, convolved, same_adds, some_filters};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::weighted::regularized;
use super::{
    Activation, Constraint, DataFormat, Initializer, Layer, Pair, Regularizer, Single, Weight,
};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A depthwise layer: what differs between series and images.
macro_rules! depthwise_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        strides $one:expr, $strides:expr => $strided:tt;
        same => $same:tt;
        multiplied => $multiplied:tt;
        dilated => $dilated:tt
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// Windows of this size, for every channel its own filter.
            new(kernel_size: $size as $given, $convert);
            example $input => $made => $output;
            options {
                /// How many filters, and so outputs, every channel has.
                depth_multiplier: usize = 1, 2 => $multiplied;
                /// How far the window moves from one output to the next.
                strides: $size as $given, $convert = $one, $strides => $strided;
                /// What happens at the border.
                padding: Padding = Padding::Valid, Same => $same;
                /// How far apart the places of a window are: with 2, every second one.
                dilation_rate: $size as $given, $convert = $one, 2 => $dilated;
                /// The function applied to the output.
                activation: Activation = Activation::Linear, Relu;
                /// Whether a bias is added.
                use_bias: bool = true, false;
                /// How the kernel's first values are drawn.
                depthwise_initializer: Initializer = Initializer::GlorotUniform, Initializer::Ones;
                /// How the bias's first values are drawn.
                bias_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
                /// A penalty on the kernel.
                depthwise_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
                /// A penalty on the bias.
                bias_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.02);
                /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
                activity_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
                /// What the kernel is kept within.
                depthwise_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
                /// What the bias is kept within.
                bias_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
            }
            formats data_format;
            fixed {}
            // What Keras 2 wrote of the class that this one was derived from.
            ignored ["filters", "groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"]
        }

        impl $layer {
            /// Checks the options, and gives the number of outputs of every pixel.
            fn channels(&self, c: usize) -> Result<usize, $crate::error::Reason> {
                some_filters(self.depth_multiplier)?;
                not_causal(self.padding)?;
                let all = [self.depthwise_regularizer, self.bias_regularizer, self.activity_regularizer];
                all.into_iter().flatten().try_for_each(Regularizer::check)?;
                let channels = c.checked_mul(self.depth_multiplier);
                channels.ok_or_else(|| format!("{} filters for each of {c} channels are too many", self.depth_multiplier).into())
            }

            /// The weights for inputs with `c` channels.
            fn kernel_and_bias(&self, c: usize) -> Vec<Weight> {
                let shape = [&self.kernel_size[..], &[c, self.depth_multiplier]].concat();
                let kernel = Weight::new("kernel", &shape[..], self.depthwise_initializer)
                    .regularizer(self.depthwise_regularizer)
                    .constraint(self.depthwise_constraint.clone());
                let bias = Weight::new("bias", [c * self.depth_multiplier], self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                let weights = [Some(kernel), self.use_bias.then_some(bias)];
                weights.into_iter().flatten().collect()
            }
        }
    };
}

depthwise_layer! {
    /// A convolution whose channels do not mix: every channel is filtered by `depth_multiplier` filters of its own. Images
    /// `[h, w, c]` become `[oh, ow, c depth_multiplier]`, the outputs of a channel side by side.
    ///
    /// Its weights are `kernel [kh, kw, c, depth_multiplier]` and `bias [c depth_multiplier]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8])
    ///     .add(DepthwiseConv2d::new(3).padding(Same).activation(Relu).name("filters"))
    ///     .build(0)?;
    /// assert_eq!(model.weight("filters", "kernel")?.shape(), [3, 3, 8, 1]);
    /// assert_eq!(model.count_params(), 3 * 3 * 8 + 8);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    DepthwiseConv2d = "DepthwiseConv2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 8, 4] => DepthwiseConv2d::new([3, 2]) => [6, 7, 4];
    strides [1, 1], 2 => [3, 4, 4];
    same => [8, 8, 4];
    multiplied => [6, 7, 8];
    dilated => [4, 6, 4]
}

depthwise_layer! {
    /// [`DepthwiseConv2d`] for series: `[steps, c]` become `[outputs, c depth_multiplier]`.
    ///
    /// Its weights are `kernel [k, c, depth_multiplier]` and `bias [c depth_multiplier]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 8]).add(DepthwiseConv1d::new(3)).build(0)?;
    /// assert_eq!(model.count_params(), 3 * 8 + 8);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    DepthwiseConv1d = "DepthwiseConv1D";
    new([usize; 1] as impl Single, single);
    example [8, 4] => DepthwiseConv1d::new(3) => [6, 4];
    strides [1], 2 => [3, 4];
    same => [8, 4];
    multiplied => [6, 8];
    dilated => [4, 4]
}

impl DepthwiseConv2d {
    /// The same convolution of images without their border of zeros, which it adds itself, if there is one.
    pub(crate) fn padded(&self, image: [usize; 2], border: [[usize; 2]; 2]) -> Option<Self> {
        let DepthwiseConv2d { kernel_size, strides, dilation_rate, .. } = *self;
        let fits = self.padding == Padding::Valid
            && self.data_format == DataFormat::ChannelsLast
            && same_adds(border, image, kernel_size, strides, dilation_rate);
        fits.then(|| self.clone().padding(Padding::Same))
    }

    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let DepthwiseConv2d { strides, padding, dilation_rate: dilation, .. } = *self;
        let convolution = Convolution { strides, padding, dilation, ..Convolution::default() };
        convolve_depthwise(x, &weights[0], weights.get(1), convolution, finish)
    }
}

impl<T: Scalar> Layer<T> for DepthwiseConv2d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [h, w, c] = image(input)?;
        let channels = self.channels(c)?;
        let DepthwiseConv2d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [h, w] = outputs([h, w], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([h, w, channels]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.kernel_and_bias(input[2])
    }

    convolved!();
}

impl DepthwiseConv1d {
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let DepthwiseConv1d { strides: [stride], padding, dilation_rate: [dilation], .. } = *self;
        let (strides, dilation) = ([1, stride], [1, dilation]);
        let convolution = Convolution { strides, padding, dilation, ..Convolution::default() };
        let kernel = row(&weights[0]);
        as_series(&convolve_depthwise(&as_image(x), &kernel, weights.get(1), convolution, finish))
    }
}

impl<T: Scalar> Layer<T> for DepthwiseConv1d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [steps, c] = series(input)?;
        let channels = self.channels(c)?;
        let DepthwiseConv1d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [steps] = outputs([steps], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([steps, channels]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.kernel_and_bias(input[1])
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
        let images =
            DepthwiseConv2d::new([2, 3]).depth_multiplier(2).strides([1, 2]).padding(Padding::Same);
        gradcheck(
            |[x, kernel, bias]| images.forward(&[kernel.clone(), bias.clone()], x, &mut cx()),
            [draw(&[2, 4, 5, 3]), draw(&[2, 3, 3, 2]), draw(&[6])],
        )
        .unwrap();
        let series = DepthwiseConv1d::new(2).dilation_rate(2).use_bias(false);
        gradcheck(
            |[x, kernel]| series.forward(std::slice::from_ref(kernel), x, &mut cx()).square(),
            [draw(&[2, 5, 3]), draw(&[2, 3, 1])],
        )
        .unwrap();
    }

    /// A file of Keras 2.15 has options of the class that this one was derived from.
    #[test]
    fn what_keras_2_wrote() {
        let config = as_config(json!({
            "trainable": true, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same",
            "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "relu",
            "use_bias": false, "bias_initializer": { "class_name": "Zeros", "config": {} },
            "bias_regularizer": null, "activity_regularizer": null, "bias_constraint": null,
            "depth_multiplier": 1, "depthwise_regularizer": null, "depthwise_constraint": null,
            "depthwise_initializer": { "class_name": "GlorotUniform", "config": { "seed": null } }
        }));
        let expected =
            DepthwiseConv2d::new(3).strides(2).padding(Padding::Same).activation(Activation::Relu);
        let read = DepthwiseConv2d::from_config(&config).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", expected.use_bias(false)));
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: DepthwiseConv2d| {
            Layer::<f32>::output_shape(&layer, Shape::from([4, 4, 3])).unwrap_err()
        };
        assert!(
            error(DepthwiseConv2d::new(3).depth_multiplier(0)).as_str().starts_with("0 filters")
        );
        assert!(
            error(DepthwiseConv2d::new(5)).as_str().starts_with("the window of 5x5 does not fit")
        );
        assert!(
            error(DepthwiseConv2d::new(3).padding(Padding::Causal)).as_str().contains("causal")
        );
        assert!(
            error(DepthwiseConv2d::new(3).depth_multiplier(usize::MAX))
                .as_str()
                .contains("too many")
        );
    }
}
