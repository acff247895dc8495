//! The layer that puts a penalty on what passes through it.

use super::recipe::{described, recipe};
use super::{Context, Layer, Regularizer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// Passes its input on, and adds a penalty on it to the loss: `l1` times the sum of `|x|` plus `l2` times that of `x^2`, summed over
    /// each sample, as a mean over the batch.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = ActivityRegularization::new().l2(0.5);
    /// let mut model = Sequential::new([2]).add(layer).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// let data = Dataset::new(Tensor::from([[1.0, 3.0]]), Tensor::from([[1.0, 3.0]]))?;
    /// assert_eq!(model.evaluate(&data)?["loss"], 5.0); // 0.5 (1 + 9)
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct ActivityRegularization = "ActivityRegularization";
    /// Without any penalty yet.
    new();
    example [8] => ActivityRegularization::new() => [8];
    options {
        /// The factor of the sum of `|x|`.
        l1: f64 = 0.0, 0.01;
        /// The factor of the sum of `x^2`.
        l2: f64 = 0.0, 0.02;
    }
    fixed {}
    // Keras 2 wrote the same numbers here once more.
    ignored ["activity_regularizer"]
}

impl ActivityRegularization {
    fn regularizer(&self) -> Regularizer {
        Regularizer::L1L2 { l1: self.l1, l2: self.l2 }
    }
}

impl<T: Scalar> Layer<T> for ActivityRegularization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.regularizer().check().map(|()| input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        x.clone()
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        Some(self.regularizer())
    }
}
