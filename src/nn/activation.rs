//! Activations, as an option of a layer and as a layer.

use super::layers::{Elu, LeakyRelu, Relu, Softmax};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::config::{Config, Options, Value, as_config, json, keras_object, object};
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// The table of activations: each with its name in Keras, other names that are read, and its function.
macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $name:literal $(or $alias:literal)? => $function:expr;
    )*) => {
        /// A function applied to a layer's output; used alone, it is a layer of its own. Their names are in the prelude.
        ///
        /// ```
        /// use cinta::prelude::*;
        /// let model = Sequential::new([4]).add(Dense::new(2).activation(Gelu)).add(Softmax).build(0)?;
        /// assert_eq!(model.get_layer("activation")?.class_name(), "Activation");
        /// # Ok::<(), cinta::Error>(())
        /// ```
        ///
        /// What has options is a layer: [`layers::LeakyRelu`](crate::layers::LeakyRelu), [`layers::Relu`](crate::layers::Relu) and
        /// others. These two can be activations as well, `Dense::new(2).activation(LeakyRelu::new().negative_slope(0.1))`.
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[non_exhaustive]
        pub enum Activation {
            $($(#[$doc])* $variant,)*
            /// A rectifier with options: [`Var::rectifier`](crate::Var::rectifier).
            Rectifier(Rectifier),
        }

        /// The activations, as Keras's `keras.activations`; all of them are in the prelude.
        ///
        /// They are constants, so that a name such as `Relu` can mean both: the value is the activation, and the type, as
        /// in `Relu::new()`, is the layer with options.
        #[allow(non_upper_case_globals, reason = "they stand for the variants")]
        pub mod activations {
            use super::Activation;
            $($(#[$doc])* pub const $variant: Activation = Activation::$variant;)*
        }

        #[cfg(test)]
        const ALL: &[Activation] = &[$(Activation::$variant,)*];

        impl Activation {
            /// Keras's name; that of the class, if it has options.
            ///
            /// ```
            /// assert_eq!(cinta::Activation::Relu.keras_name(), "relu");
            /// ```
            pub fn keras_name(self) -> &'static str {
                match self {
                    $(Activation::$variant => $name,)*
                    Activation::Rectifier(_) => Relu::CLASS,
                }
            }

            /// Reads Keras's name.
            fn from_name(name: &str) -> Result<Self, $crate::error::Reason> {
                match name {
                    $($name $(| $alias)? => Ok(Activation::$variant),)*
                    // These two change the shape or need numbers, so that Keras's layers cannot do with them either.
                    "glu" | "threshold" => {
                        Err(format!("the activation {name:?} is not one that a layer can have").into())
                    }
                    "sparsemax" => Err(
                        "the activation \"sparsemax\" is not supported: Keras's does not sum to 1, as that of the paper does, \
                         Var::sparsemax".into(),
                    ),
                    _ => {
                        let known = [$($name),*].join(", ");
                        Err(format!("the activation {name:?} is not supported; supported are {known}").into())
                    }
                }
            }

            /// The function's value for every element.
            ///
            /// ```
            /// use cinta::{Activation, Tensor, Var};
            /// let x = Var::constant(Tensor::from([-1.0, 2.0]));
            /// assert_eq!(Activation::Relu.of(&x).value().to_vec(), [0.0, 2.0]);
            /// ```
            pub fn of<'t, T: Scalar>(self, x: &Var<'t, T>) -> Var<'t, T> {
                let function: fn(&Var<'t, T>) -> Var<'t, T> = match self {
                    $(Activation::$variant => $function,)*
                    Activation::Rectifier(rectifier) => return x.rectifier(rectifier),
                };
                function(x)
            }
        }
    };
}

activations! {
    /// `y = x`.
    Linear = "linear" => |x| x.clone();
    /// `y = max(x, 0)`: [`Var::relu`](crate::Var::relu).
    Relu = "relu" => |x| x.relu();
    /// `y = min(max(x, 0), 6)`: [`Var::clamp`](crate::Var::clamp).
    Relu6 = "relu6" => |x| x.clamp(T::zero(), T::lit(6.0));
    /// `y = x` where `x > 0`, else `0.2 x`: [`Var::leaky_relu`](crate::Var::leaky_relu).
    LeakyRelu = "leaky_relu" => |x| x.leaky_relu(0.2);
    /// `y = x` where `x > 0`, else `exp(x) - 1`: [`Var::elu`](crate::Var::elu).
    Elu = "elu" => |x| x.elu();
    /// The same as `Elu`: only with another `alpha` than 1, which no layer has, it would be different.
    Celu = "celu" => |x| x.elu();
    /// `y = 1.0507 x` where `x > 0`, else `1.0507 1.6733 (exp(x) - 1)`: [`Var::selu`](crate::Var::selu).
    Selu = "selu" => |x| x.selu();
    /// `y = x P(x)`, where `P(x)` is the share of the standard normal distribution below `x`: [`Var::gelu`](crate::Var::gelu).
    Gelu = "gelu" => |x| x.gelu(false);
    /// The approximation of `Gelu` with a hyperbolic tangent: [`Var::gelu`](crate::Var::gelu). The name `gelu_tanh` is this crate's own: Keras
    /// has the function, but no name for it that a file could have.
    GeluTanh = "gelu_tanh" => |x| x.gelu(true);
    /// `y = x / (1 + exp(-x))`, also called swish: [`Var::silu`](crate::Var::silu).
    Silu = "silu" or "swish" => |x| x.silu();
    /// `y = x tanh(ln(1 + exp(x)))` (Misra, *Mish*, 2019).
    Mish = "mish" => |x| x * x.softplus().tanh();
    /// `y = ln(1 + exp(x))`: [`Var::softplus`](crate::Var::softplus).
    Softplus = "softplus" => |x| x.softplus();
    /// `y = (x + sqrt(x^2 + 4)) / 2`: [`Var::squareplus`](crate::Var::squareplus).
    Squareplus = "squareplus" => |x| x.squareplus();
    /// `y = 0` up to -1, `(x + 1)^2 / 4` between -1 and 1, and `x` from there on: [`Var::sparse_plus`](crate::Var::sparse_plus).
    SparsePlus = "sparse_plus" => |x| x.sparse_plus();
    /// `y = exp(x)`: [`Var::exp`](crate::Var::exp).
    Exponential = "exponential" => |x| x.exp();
    /// `y = 1 / (1 + exp(-x))`: [`Var::sigmoid`](crate::Var::sigmoid).
    Sigmoid = "sigmoid" => |x| x.sigmoid();
    /// `y = -ln(1 + exp(-x))`, the logarithm of `Sigmoid`.
    LogSigmoid = "log_sigmoid" => |x| -(-x).softplus();
    /// `y = x / 6 + 1 / 2`, limited to the range from 0 to 1.
    HardSigmoid = "hard_sigmoid" => |x| hard_sigmoid(x, 6.0);
    /// `y = x / 5 + 1 / 2`, limited to the range from 0 to 1: what `hard_sigmoid` was until Keras 2. Files of that time are read like this. The
    /// name is this crate's own: Keras 3 has no such function, and refuses a file with this name rather than to compute another one.
    HardSigmoidKeras2 = "hard_sigmoid_keras2" => |x| hard_sigmoid(x, 5.0);
    /// `y = (x + 1) / 2`, limited to the range from 0 to 1.
    SparseSigmoid = "sparse_sigmoid" => |x| hard_sigmoid(x, 2.0);
    /// `y = x` times `HardSigmoid` of x, also called hard swish (Howard et al., *Searching for MobileNetV3*, 2019).
    HardSilu = "hard_silu" or "hard_swish" => |x| x * hard_sigmoid(x, 6.0);
    /// `y = tanh(x)`: [`Var::tanh`](crate::Var::tanh).
    Tanh = "tanh" => |x| x.tanh();
    /// `y = x`, limited to the range from -1 to 1: [`Var::clamp`](crate::Var::clamp).
    HardTanh = "hard_tanh" => |x| x.clamp(-T::one(), T::one());
    /// `y = x - tanh(x)`.
    TanhShrink = "tanh_shrink" => |x| x - x.tanh();
    /// `y = x` where `|x| > 0.5`, else 0.
    HardShrink = "hard_shrink" => |x| {
        let half = T::lit(0.5);
        x.threshold(half, T::zero()) - (-x).threshold(half, T::zero())
    };
    /// `y = x - 0.5` where `x > 0.5`, `x + 0.5` where `x < -0.5`, else 0.
    SoftShrink = "soft_shrink" => |x| x - x.clamp(T::lit(-0.5), T::lit(0.5));
    /// `y = x / (1 + |x|)`: [`Var::softsign`](crate::Var::softsign).
    Softsign = "softsign" => |x| x.softsign();
    /// `y_i = exp(x_i) / sum of exp(x_j)` along the last axis: [`Var::softmax`](crate::Var::softmax).
    Softmax = "softmax" => |x| x.softmax();
    /// The logarithm of `Softmax`: [`Var::log_softmax`](crate::Var::log_softmax).
    LogSoftmax = "log_softmax" => |x| x.log_softmax();
}

/// `x / width + 1 / 2`, limited to the range from 0 to 1.
fn hard_sigmoid<'t, T: Scalar>(x: &Var<'t, T>, width: f64) -> Var<'t, T> {
    (x / T::lit(width) + T::lit(0.5)).clamp(T::zero(), T::one())
}

impl Activation {
    /// Keras's name of the layer's class.
    pub(crate) const CLASS: &'static str = "Activation";

    /// The same as a rectifier with options, if it is one.
    pub(crate) fn rectifier(self) -> Option<Rectifier> {
        let plain = Rectifier::default();
        match self {
            Activation::Relu => Some(plain),
            Activation::Relu6 => Some(Rectifier { max_value: Some(6.0), ..plain }),
            Activation::LeakyRelu => Some(Rectifier { negative_slope: 0.2, ..plain }),
            Activation::Rectifier(rectifier) => Some(rectifier),
            _ => None,
        }
    }

    /// Whether each number of the output follows from one of the input, so that the order of the axes does not matter.
    pub(super) fn is_elementwise(self) -> bool {
        !matches!(self, Activation::Softmax | Activation::LogSoftmax)
    }

    /// Whether a crossentropy can do with what goes in.
    pub(crate) fn takes_logits(self) -> bool {
        matches!(self, Activation::Softmax | Activation::Sigmoid)
    }

    /// Reads what Keras wrote: a name, or a layer with its options.
    pub(super) fn from_value(value: &Value) -> Result<Self, Reason> {
        if let Value::String(name) = value {
            return Self::from_name(name);
        }
        let (class_name, mut config) = object(value)?;
        config.retain(|option, _| option != "name" && option != "dtype");
        let found = match class_name {
            Relu::CLASS => Relu::from_config(&config).map(Activation::from),
            LeakyRelu::CLASS => LeakyRelu::from_config(&config).map(Activation::from),
            Elu::CLASS => Elu::from_config(&config).and_then(Elu::into_activation),
            Softmax::CLASS => Softmax::from_config(&config).and_then(Softmax::into_activation),
            Self::CLASS => Self::from_config(&config),
            _ => {
                Err("this class is not supported as an activation; as a layer of its own it may be"
                    .into())
            }
        };
        found.map_err(|reason| format!("{class_name}: {reason}").into())
    }

    /// A name, or a layer with its options, as Keras writes it.
    pub(super) fn value(self) -> Value {
        match self {
            Activation::Rectifier(rectifier) => {
                let config = Layer::<f32>::config(&Relu::from(rectifier));
                keras_object("keras.layers", Relu::CLASS, Value::Object(config))
            }
            named => json!(named.keras_name()),
        }
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, Reason> {
        let mut options = Options::new(config);
        let mut activation = Activation::Linear;
        options.option("activation", &mut activation)?;
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(activation)
    }
}

impl Default for Activation {
    /// `Linear`.
    fn default() -> Self {
        Activation::Linear
    }
}

impl<T: Scalar> Layer<T> for Activation {
    fn class_name(&self) -> &str {
        Self::CLASS
    }

    fn config(&self) -> Config {
        as_config(json!({ "trainable": true, "activation": self.value() }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        self.of(x)
    }

    fn pre_activation<'t>(
        &self,
        _: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        x.clone()
    }

    fn activation(&self, _: Shape) -> Activation {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        // No kink of any of them lies at these values.
        let x: Tensor<f64> = Tensor::uniform([3, 7], -3.0, 3.0, &mut Stream::new(5));
        let x = x.map(|x| (x * 4.0).floor() / 4.0 + 0.11);
        let rectifier = Rectifier { negative_slope: 0.1, max_value: Some(2.0), threshold: 0.5 };
        for &activation in ALL.iter().chain(&[Activation::Rectifier(rectifier)]) {
            let checked = gradcheck(|[x]| activation.of(x), [x.clone()]);
            assert!(checked.is_ok(), "{activation:?}: {}", checked.unwrap_err());
        }
    }

    #[test]
    fn values_come_back() {
        let rectifier = Rectifier { negative_slope: 0.1, max_value: Some(2.0), threshold: 0.5 };
        for &activation in ALL.iter().chain(&[Activation::Rectifier(rectifier)]) {
            assert_eq!(Activation::from_value(&activation.value()), Ok(activation));
        }
        for (name, activation) in
            [("swish", Activation::Silu), ("hard_swish", Activation::HardSilu)]
        {
            assert_eq!(Activation::from_value(&json!(name)), Ok(activation));
        }
    }

    #[test]
    fn layers_as_activations() {
        let read = |class_name: &str, config: Value| {
            Activation::from_value(&json!({ "class_name": class_name, "config": config }))
        };
        let leaky =
            Activation::Rectifier(Rectifier { negative_slope: 0.1, ..Rectifier::default() });
        assert_eq!(read("LeakyReLU", json!({ "name": "leaky_re_lu", "alpha": 0.1 })), Ok(leaky));
        assert_eq!(read("ReLU", json!({ "max_value": null })), Ok(Activation::Relu));
        assert_eq!(read("ELU", json!({ "alpha": 1.0 })), Ok(Activation::Elu));
        assert_eq!(
            read("Softmax", json!({ "axis": -1, "dtype": "float32" })),
            Ok(Activation::Softmax)
        );
        assert_eq!(read("Activation", json!({ "activation": "tanh" })), Ok(Activation::Tanh));
        for (class_name, config, expected) in [
            ("ELU", json!({ "alpha": 0.5 }), "ELU: with alpha = 0.5"),
            ("Softmax", json!({ "axis": 1 }), "Softmax: along axis"),
            ("PReLU", json!({}), "PReLU: this class is not supported as an activation"),
        ] {
            let error = read(class_name, config).unwrap_err();
            assert!(error.as_str().starts_with(expected), "{error}");
        }
        let error = Activation::from_value(&json!("glu")).unwrap_err();
        assert_eq!(error, "the activation \"glu\" is not one that a layer can have");
    }

    #[test]
    fn the_hard_sigmoids() {
        let x = Var::constant(Tensor::from([-3.0, -2.4, 0.0, 0.5, 2.4, 3.0]));
        let close = |activation: Activation, expected: [f64; 6]| {
            let y = activation.of(&x).into_value();
            assert!(y.all_close(&Tensor::from(expected), 1e-12, 1e-12), "{activation:?}: {y:?}");
        };
        close(Activation::HardSigmoid, [0.0, 0.1, 0.5, 0.5 + 1.0 / 12.0, 0.9, 1.0]);
        close(Activation::HardSigmoidKeras2, [0.0, 0.02, 0.5, 0.6, 0.98, 1.0]);
        close(Activation::SparseSigmoid, [0.0, 0.0, 0.5, 0.75, 1.0, 1.0]);
    }
}
