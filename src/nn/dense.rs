//! The fully connected layer.

use super::{
    Activation, Config, Context, Initializer, Layer, Options, Regularizer, Weight, as_config,
};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use serde_json::json;

/// A fully connected layer: `y = activation(x kernel + bias)` along the last axis, so that
/// `[.., inputs]` becomes `[.., units]`.
///
/// Its weights are `kernel [inputs, units]` and `bias [units]`. Keras's defaults: no activation, a
/// bias, a Glorot-uniform kernel, no penalty.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([108]).add(Dense::new(50).activation(Relu)).build(0)?;
/// assert_eq!(model.count_params(), 108 * 50 + 50);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dense {
    units: usize,
    activation: Activation,
    use_bias: bool,
    kernel_initializer: Initializer,
    bias_initializer: Initializer,
    kernel_regularizer: Option<Regularizer>,
    bias_regularizer: Option<Regularizer>,
    trainable: bool,
    name: Option<String>,
}

impl Dense {
    /// A layer with `units` outputs.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(Dense::new(2)).build(1)?;
    /// assert_eq!(model.count_params(), 3 * 2 + 2);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(units: usize) -> Self {
        Dense {
            units,
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

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        let layer = Dense {
            units: options.count("units")?,
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

    fn product<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        relu: bool,
    ) -> Var<'t, T> {
        let none = Var::constant(Tensor::zeros([self.units]));
        let (kernel, bias) = (&weights[0], weights.get(1).unwrap_or(&none));
        let shape = x.shape();
        let [rows @ .., inputs] = &*shape else { unreachable!("a batch has an axis of samples") };
        if rows.len() == 1 {
            return x.dense(kernel, bias, relu);
        }
        let y = x.reshape([rows.iter().product(), *inputs]).dense(kernel, bias, relu);
        y.reshape(&[rows, &[self.units]].concat()[..])
    }
}

super::weighted_layer_options!(Dense);

impl<T: Scalar> Layer<T> for Dense {
    fn class_name(&self) -> &str {
        "Dense"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({
            "trainable": self.trainable,
            "units": self.units,
            "activation": self.activation.keras_name(),
            "use_bias": self.use_bias,
            "kernel_initializer": self.kernel_initializer.config(),
            "bias_initializer": self.bias_initializer.config(),
            "kernel_regularizer": self.kernel_regularizer.map(Regularizer::config),
            "bias_regularizer": self.bias_regularizer.map(Regularizer::config),
            "kernel_constraint": null,
            "bias_constraint": null,
            "quantization_config": null,
        }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        if self.units == 0 {
            return Err("0 units give no output; use at least 1".to_owned());
        }
        self.check_regularizers()?;
        let mut output = input.to_vec();
        match output.last_mut() {
            Some(last) => *last = self.units,
            None => {
                return Err("needs at least one axis, and one sample is a single number".to_owned());
            }
        }
        Ok(Shape::new(&output))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.kernel_and_bias(Shape::from([input[input.rank() - 1], self.units]), self.units)
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        match self.activation {
            Activation::Relu => self.product(weights, x, true),
            other => other.of(&self.product(weights, x, false)),
        }
    }

    fn logits<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Option<(Activation, Var<'t, T>)> {
        self.activation.takes_logits().then(|| (self.activation, self.product(weights, x, false)))
    }
}
