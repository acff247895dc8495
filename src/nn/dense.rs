//! The fully connected layer.

use super::convolved::{activated_by, or_zeros, rectified_by};
use super::recipe::described;
use super::weighted::{regularized, weighted_recipe};
use super::{Activation, Context, Layer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::gemm::Finish;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::Shape;

weighted_recipe! {
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
    pub struct Dense = "Dense";
    /// A layer with `units` outputs.
    new(units: usize);
    example [3] => Dense::new(2) => [2];
    options {}
    fixed { "quantization_config": null }
    ignored []
}

impl Dense {
    fn product<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let (kernel, bias) = (&weights[0], &or_zeros(weights.get(1), self.units));
        let shape = x.shape();
        let [rows @ .., inputs] = &*shape else { unreachable!("a batch has an axis of samples") };
        if rows.len() == 1 {
            return x.dense_with(kernel, bias, finish);
        }
        let rows_of_all = x.reshape([rows.iter().product(), *inputs]);
        let y = rows_of_all.dense_with(kernel, bias, finish);
        y.reshape(&[rows, &[self.units]].concat()[..])
    }
}

impl<T: Scalar> Layer<T> for Dense {
    described!(without "activity_regularizer": null);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if self.units == 0 {
            return Err("0 units give no output; use at least 1".into());
        }
        self.check_regularizers()?;
        let mut output = input.to_vec();
        match output.last_mut() {
            Some(last) => *last = self.units,
            None => {
                return Err("needs at least one axis, and one sample is a single number".into());
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
        activated_by(self.activation, |finish| self.product(weights, x, finish))
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        self.product(weights, x, Finish::Plain)
    }

    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        rectified_by(rectifier, |finish| self.product(weights, x, finish))
    }

    fn activation(&self, _: Shape) -> Activation {
        self.activation
    }
}
