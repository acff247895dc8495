//! The gated recurrent unit.

use super::recipe::described;
use super::recurrent::{recurrent, recurrent_recipe};
use super::{Activation, Context, Layer, MultiLayer, Weight, one_input};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recurrent_recipe! {
    /// Gated recurrent units (Cho and others, 2014), as [`Var::gru`]. Sequences `[steps, features]` become the last state
    /// `[units]`, or all of them.
    ///
    /// Its weights are `kernel [features, 3 units]`, `recurrent_kernel [units, 3 units]` and `bias [2, 3 units]`, for the
    /// gates update, reset and new; without [`reset_after`](Self::reset_after), the bias is `[3 units]`. Keras's defaults: tanh, a
    /// sigmoid for the gates, a bias, a Glorot-uniform kernel, an orthogonal recurrent kernel. A mask leaves out steps: they
    /// do not change the state. With `return_state` its last state is an output as well. Given a state behind
    /// the sequences, it begins with that: `Gru::new(4).of([&x, &h])`. `stateful` is not supported.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([7, 3]).add(Gru::new(4)).add(Dense::new(1)).build(0)?;
    /// assert_eq!(model.weight("gru", "bias")?.shape(), [2, 12]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Gru = "GRU";
    gates 3;
    options {
        /// The function of the gates.
        recurrent_activation: Activation = Activation::Sigmoid, Tanh;
        /// Whether the reset gate stands after the product with the recurrent kernel, and not before.
        reset_after: bool = true, false;
    }
}

impl Gru {
    fn bias(&self) -> Shape {
        let columns = 3 * self.units;
        if self.reset_after { Shape::from([2, columns]) } else { Shape::from([columns]) }
    }
}

impl<T: Scalar> Layer<T> for Gru {
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for Gru {
    described!();
    recurrent!();

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        self.kernels_and_bias(inputs[0], self.bias())
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let none = Var::constant(Tensor::zeros(self.bias()));
        let weights = [&weights[0], &weights[1], weights.get(2).unwrap_or(&none)];
        let [activation, recurrent] =
            [self.activation, self.recurrent_activation].map(Activation::nonlinearity);
        self.around().run(
            inputs,
            weights,
            cx,
            |x, [start, _], mask| {
                let y = x.gru_from(start, weights, [&activation, &recurrent], mask);
                [y.clone(), y]
            },
            |dropping| dropping.gru(self.activation, self.recurrent_activation),
        )
    }
}
