//! The convolution layer.

use super::layer::image;
use super::{
    Activation, Config, Context, Initializer, Layer, Options, Pair, Regularizer, Weight, as_config,
};
use crate::autograd::Var;
use crate::kernels::{Algorithm, Padding, Window};
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use serde_json::json;

/// A convolution with its bias and activation: images `[h, w, c_in]` become `[oh, ow, filters]`.
///
/// Its weights are `kernel [kh, kw, c_in, filters]` and `bias [filters]`; the formula is that of
/// [`Var::conv2d`]. Keras's defaults: stride 1, `valid` padding, no activation, a bias, a
/// Glorot-uniform kernel, no penalty.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([16, 16, 1])
///     .add(Conv2d::new(8, 5).padding(Same).activation(Relu).kernel_regularizer(L2(0.01)).name("conv_1"))
///     .build(0)?;
/// assert_eq!(model.weight("conv_1", "kernel")?.shape(), [5, 5, 1, 8]);
/// assert_eq!(model.count_params(), 5 * 5 * 8 + 8);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d {
    filters: usize,
    kernel_size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    algorithm: Algorithm,
    activation: Activation,
    use_bias: bool,
    kernel_initializer: Initializer,
    bias_initializer: Initializer,
    kernel_regularizer: Option<Regularizer>,
    bias_regularizer: Option<Regularizer>,
    trainable: bool,
    name: Option<String>,
}

impl Conv2d {
    /// A layer of `filters` filters of a size such as `5` or `[5, 3]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, [5, 3])).build(1)?;
    /// assert_eq!(model.output_shape(), [4, 6, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(filters: usize, kernel_size: impl Pair) -> Self {
        Conv2d {
            filters,
            kernel_size: kernel_size.pair(),
            strides: [1, 1],
            padding: Padding::Valid,
            algorithm: Algorithm::default(),
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
            kernel_regularizer: None,
            bias_regularizer: None,
            trainable: true,
            name: None,
        }
    }

    /// How far the window moves from one output to the next.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).strides(2)).build(1)?;
    /// assert_eq!(model.output_shape(), [3, 3, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn strides(mut self, strides: impl Pair) -> Self {
        self.strides = strides.pair();
        self
    }

    /// What happens at the border.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).padding(Same)).build(1)?;
    /// assert_eq!(model.output_shape(), [8, 8, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// How the convolution is computed: a choice between speed and rounding errors for windows of 3 by 3 over many
    /// channels. It is no part of the model, and files do not keep it.
    ///
    /// ```
    /// use cinta::{Algorithm, prelude::*};
    /// let with = |layer| Sequential::new([8, 8, 64]).add(layer).build(0);
    /// let direct = Conv2d::new(64, 3).algorithm(Algorithm::Direct);
    /// assert!(format!("{direct:?}").contains("Direct"));
    /// let exact = with(direct)?;
    /// let fast = with(Conv2d::new(64, 3))?;
    /// let images = Tensor::uniform([2, 8, 8, 64], 0.0, 1.0, &mut Stream::new(1));
    /// assert!(exact.predict(&images)?.all_close(&fast.predict(&images)?, 1e-4, 1e-4));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        options.only("data_format", &json!("channels_last"))?;
        options.only("dilation_rate", &json!([1, 1]))?;
        options.only("groups", &json!(1))?;
        let layer = Conv2d {
            filters: options.count("filters")?,
            kernel_size: options.pair("kernel_size")?,
            strides: options.pair_or("strides", [1, 1])?,
            padding: options.padding()?,
            algorithm: Algorithm::default(),
            activation: options.activation()?,
            use_bias: options.flag("use_bias", true)?,
            kernel_initializer: options
                .initializer("kernel_initializer", Initializer::GlorotUniform)?,
            bias_initializer: options.initializer("bias_initializer", Initializer::Zeros)?,
            kernel_regularizer: options.regularizer("kernel_regularizer")?,
            bias_regularizer: options.regularizer("bias_regularizer")?,
            trainable: options.flag("trainable", true)?,
            name: None,
        };
        options.finish()?;
        Ok(layer)
    }

    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        relu: bool,
    ) -> Var<'t, T> {
        let none = Var::constant(Tensor::zeros([self.filters]));
        let Conv2d { strides, padding, algorithm, .. } = *self;
        let convolution =
            Convolution { strides, padding, algorithm, relu, ..Convolution::default() };
        x.convolve(&weights[0], weights.get(1).unwrap_or(&none), convolution)
    }
}

super::weighted_layer_options!(Conv2d);

impl<T: Scalar> Layer<T> for Conv2d {
    fn class_name(&self) -> &str {
        "Conv2D"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({
            "trainable": self.trainable,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding.name(),
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "activation": self.activation.keras_name(),
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer.config(),
            "bias_initializer": self.bias_initializer.config(),
            "kernel_regularizer": self.kernel_regularizer.map(Regularizer::config),
            "bias_regularizer": self.bias_regularizer.map(Regularizer::config),
            "activity_regularizer": null,
            "kernel_constraint": null,
            "bias_constraint": null,
        }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let [h, w, _] = image(input)?;
        if self.filters == 0 {
            return Err("0 filters give no output; use at least 1".to_owned());
        }
        self.check_regularizers()?;
        let [oh, ow] = Window::new([h, w], self.kernel_size, self.strides, self.padding)?.output();
        Ok(Shape::from([oh, ow, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let [kh, kw] = self.kernel_size;
        self.kernel_and_bias(Shape::from([kh, kw, input[2], self.filters]), self.filters)
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        match self.activation {
            Activation::Relu => self.convolve(weights, x, true),
            other => other.of(&self.convolve(weights, x, false)),
        }
    }

    fn logits<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Option<(Activation, Var<'t, T>)> {
        self.activation.takes_logits().then(|| (self.activation, self.convolve(weights, x, false)))
    }
}
