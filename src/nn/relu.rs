//! Rectifiers with options, as layers.

use super::recipe::{described, recipe};
use super::{Activation, Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The rectifier as a layer of its own: `y = x` where `x > threshold`, but `max_value` at most, and `y = negative_slope (x -
    /// threshold)` elsewhere.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(Relu::new().max_value(6.0)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[-1.0, 2.0, 8.0]]))?.to_vec(), [0.0, 2.0, 6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Relu = "ReLU";
    /// `y = max(x, 0)`.
    new();
    example [8] => Relu::new() => [8];
    options {
        /// The largest value, if there is one.
        max_value: Option<f64> as f64, into = None, 6.0;
        /// The slope below the threshold.
        negative_slope: f64 = 0.0, 0.1;
        /// Where the function leaves its lower branch.
        threshold: f64 = 0.0, 1.0;
    }
    fixed {}
    ignored []
}

recipe! {
    /// The rectifier that lets a little through: `y = x` where `x > 0`, else `y = negative_slope x`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(LeakyRelu::new().negative_slope(0.5)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[-1.0, 2.0]]))?.to_vec(), [-0.5, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct LeakyRelu = "LeakyReLU";
    /// With a slope of 0.3; that of the activation `LeakyRelu` is 0.2, as in Keras.
    new();
    example [8] => LeakyRelu::new() => [8];
    options {
        /// The slope below 0.
        negative_slope: f64 = 0.3, 0.1;
    }
    fixed {}
    // Keras 2's name.
    also { "alpha": negative_slope }
    ignored []
}

impl Relu {
    fn rectifier(&self) -> Rectifier {
        let Relu { negative_slope, max_value, threshold, .. } = *self;
        Rectifier { negative_slope, max_value, threshold }
    }
}

impl LeakyRelu {
    fn rectifier(&self) -> Rectifier {
        Rectifier { negative_slope: self.negative_slope, ..Rectifier::default() }
    }
}

impl From<Rectifier> for Relu {
    fn from(Rectifier { negative_slope, max_value, threshold }: Rectifier) -> Self {
        Relu { negative_slope, max_value, threshold, ..Relu::new() }
    }
}

/// None of the numbers is negative or not finite.
fn check(rectifier: Rectifier) -> Result<(), Reason> {
    let Rectifier { negative_slope, max_value, threshold } = rectifier;
    let numbers = [
        ("negative_slope", Some(negative_slope)),
        ("max_value", max_value),
        ("threshold", Some(threshold)),
    ];
    let senseless = |x: f64| !x.is_finite() || x < 0.0;
    match numbers.into_iter().find(|(_, number)| number.is_some_and(senseless)) {
        Some((name, Some(number))) => {
            Err(format!("{name} = {number} is not a finite number of at least 0").into())
        }
        _ => Ok(()),
    }
}

/// Both layers apply their rectifier, and can be the activation of another layer.
macro_rules! rectifying {
    ($($layer:ident)*) => {$(
        impl From<$layer> for Activation {
            fn from(layer: $layer) -> Self {
                match layer.rectifier() {
                    plain if plain == Rectifier::default() => Activation::Relu,
                    rectifier => Activation::Rectifier(rectifier),
                }
            }
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                check(self.rectifier()).map(|()| input)
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                x.rectifier(self.rectifier())
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
                self.clone().into()
            }
        }
    )*};
}

rectifying! { Relu LeakyRelu }
