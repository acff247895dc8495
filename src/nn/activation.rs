//! Activations, as an option of a layer and as a layer.

use super::{Config, Context, Layer, Options, as_config};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// A function applied to a layer's output; used alone, it is a layer of its own.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(2)).add(Softmax).build(0)?;
/// assert_eq!(model.get_layer("activation")?.class_name(), "Activation");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Activation {
    /// `y = x`.
    #[default]
    Linear,
    /// `y = max(x, 0)`: [`Var::relu`].
    Relu,
    /// `y = x` where `x > 0`, else `exp(x) - 1`: [`Var::elu`].
    Elu,
    /// `y = 1 / (1 + exp(-x))`: [`Var::sigmoid`].
    Sigmoid,
    /// `y = tanh(x)`: [`Var::tanh`].
    Tanh,
    /// `y_i = exp(x_i) / sum of exp(x_j)` along the last axis: [`Var::softmax`].
    Softmax,
}

const ALL: [Activation; 6] = [
    Activation::Linear,
    Activation::Relu,
    Activation::Elu,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Softmax,
];

impl Activation {
    /// Keras's name of the layer's class.
    pub(crate) const CLASS: &'static str = "Activation";

    /// Keras's name.
    ///
    /// ```
    /// assert_eq!(cinta::Activation::Relu.keras_name(), "relu");
    /// ```
    pub fn keras_name(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::Elu => "elu",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Softmax => "softmax",
        }
    }

    /// Whether a crossentropy can do with what goes in.
    pub(super) fn takes_logits(self) -> bool {
        matches!(self, Activation::Softmax | Activation::Sigmoid)
    }

    pub(super) fn from_name(name: &str) -> Result<Self, String> {
        let found = ALL.into_iter().find(|activation| activation.keras_name() == name);
        found.ok_or_else(|| {
            let known = ALL.map(Activation::keras_name).join(", ");
            format!("the activation {name:?} is not supported; supported are {known}")
        })
    }

    /// The function's value for every element.
    ///
    /// ```
    /// use cinta::{Activation, Tensor, Var};
    /// let x = Var::constant(Tensor::from([-1.0, 2.0]));
    /// assert_eq!(Activation::Relu.of(&x).value().to_vec(), [0.0, 2.0]);
    /// ```
    pub fn of<'t, T: Scalar>(self, x: &Var<'t, T>) -> Var<'t, T> {
        match self {
            Activation::Linear => x.clone(),
            Activation::Relu => x.relu(),
            Activation::Elu => x.elu(),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Tanh => x.tanh(),
            Activation::Softmax => x.softmax(),
        }
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        let mut activation = Activation::Linear;
        options.option("activation", &mut activation)?;
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(activation)
    }
}

impl Activation {
    /// Reads one of Keras's layers that are an activation with options, where these have their usual values.
    pub(super) fn from_layer(class_name: &str, config: &Config) -> Result<Self, String> {
        let (activation, usual): (_, &[(&str, f64)]) = match class_name {
            "ReLU" => (Activation::Relu, &[("negative_slope", 0.0), ("threshold", 0.0)]),
            "Softmax" => (Activation::Softmax, &[("axis", -1.0)]),
            _ => (Activation::Elu, &[("alpha", 1.0)]),
        };
        let mut options = Options::new(config);
        for &(name, value) in usual {
            let found = options.number_or(name, value)?;
            if found != value {
                return Err(format!(
                    "the option {name} = {found} is not supported; only {value} is supported"
                ));
            }
        }
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(activation)
    }
}

impl<T: Scalar> Layer<T> for Activation {
    fn class_name(&self) -> &str {
        "Activation"
    }

    fn config(&self) -> Config {
        as_config(json!({ "trainable": true, "activation": self.keras_name() }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        self.of(x)
    }

    fn logits<'t>(
        &self,
        _: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Option<(Activation, Var<'t, T>)> {
        self.takes_logits().then(|| (*self, x.clone()))
    }
}
