//! The long short-term memory.

use super::recipe::described;
use super::recurrent::{recurrent, recurrent_recipe};
use super::{Activation, Context, Layer, Weight};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recurrent_recipe! {
    /// A long short-term memory (Hochreiter and Schmidhuber, 1997), as [`Var::lstm`]. Sequences `[steps, features]` become the
    /// last state `[units]`, or all of them.
    ///
    /// Its weights are `kernel [features, 4 units]`, `recurrent_kernel [units, 4 units]` and `bias [4 units]`, for the gates
    /// input, forget, new and output. Keras's defaults: tanh, a sigmoid for the gates, a bias that is 1 for the forget gate, a
    /// Glorot-uniform kernel, an orthogonal recurrent kernel. A mask leaves out steps: they do not change the state.
    /// `stateful` and `return_state` are not supported.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([7, 3]).add(Lstm::new(2)).add(Dense::new(1)).build(0)?;
    /// assert_eq!(model.weight("lstm", "kernel")?.shape(), [3, 8]);
    /// assert_eq!(model.weight("lstm", "bias")?.to_vec(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Lstm = "LSTM";
    gates 4;
    options {
        /// The function of the gates.
        recurrent_activation: Activation = Activation::Sigmoid, Tanh;
        /// Whether the bias of the forget gate begins with 1, so that the layer remembers at first.
        unit_forget_bias: bool = true, false;
    }
}

impl<T: Scalar> Layer<T> for Lstm {
    described!();
    recurrent!();

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let units = self.units;
        let mut weights = self.kernels_and_bias(input, [4 * units].into());
        if self.unit_forget_bias
            && let Some(bias) = weights.get_mut(2)
        {
            bias.ones = units..2 * units;
        }
        weights
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        let none = Var::constant(Tensor::zeros([4 * self.units]));
        let weights = [&weights[0], &weights[1], weights.get(2).unwrap_or(&none)];
        let [activation, recurrent] =
            [self.activation, self.recurrent_activation].map(Activation::nonlinearity);
        self.around().run(
            x,
            weights,
            cx,
            |x, mask| x.lstm(weights, [&activation, &recurrent], mask),
            |dropping| dropping.lstm(self.activation, self.recurrent_activation),
        )
    }
}
