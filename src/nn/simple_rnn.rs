//! The simple recurrent layer.

use super::recipe::described;
use super::recurrent::{recurrent, recurrent_recipe};
use super::{Context, Layer, MultiLayer, Weight, one_input};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recurrent_recipe! {
    /// A simple recurrent layer: in each step, `h = activation(x kernel + h recurrent_kernel + bias)`, as
    /// [`Var::simple_rnn`]. Sequences `[steps, features]` become the last state `[units]`, or all of them.
    ///
    /// Its weights are `kernel [features, units]`, `recurrent_kernel [units, units]` and `bias [units]`. Keras's defaults:
    /// tanh, a bias, a Glorot-uniform kernel, an orthogonal recurrent kernel. A mask leaves out steps: they do not change the
    /// state. With `return_state` its last state is an output as well. Given a state behind the sequences, it begins with
    /// that: `SimpleRnn::new(4).of([&x, &h])`. `stateful` is not supported.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([7, 3]).add(SimpleRnn::new(4)).add(Dense::new(1)).build(0)?;
    /// assert_eq!(model.weight("simple_rnn", "recurrent_kernel")?.shape(), [4, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct SimpleRnn = "SimpleRNN";
    gates 1;
    options {}
}

impl<T: Scalar> Layer<T> for SimpleRnn {
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for SimpleRnn {
    described!();
    recurrent!();

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        self.kernels_and_bias(inputs[0], [self.units].into())
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let none = Var::constant(Tensor::zeros([self.units]));
        let weights = [&weights[0], &weights[1], weights.get(2).unwrap_or(&none)];
        let activation = self.activation.nonlinearity();
        self.around().run(
            inputs,
            weights,
            cx,
            |x, [start, _], mask| {
                let y = x.simple_rnn_from(start, weights, &activation, mask);
                [y.clone(), y]
            },
            |dropping| dropping.simple_rnn(self.activation),
        )
    }
}
