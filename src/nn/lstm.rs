//! The long short-term memory.

use super::recipe::described;
use super::recurrent::{recurrent, recurrent_recipe};
use super::{Activation, Context, Layer, MultiLayer, Weight, one_input};
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
    /// With `return_state` its last states `h` and `c` are outputs as well. Given states behind the sequences, it begins with these:
    /// `Lstm::new(4).of([&x, &h, &c])`. `stateful` is not supported.
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
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for Lstm {
    described!();
    recurrent!();

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let units = self.units;
        let mut weights = self.kernels_and_bias(inputs[0], [4 * units].into());
        if self.unit_forget_bias
            && let Some(bias) = weights.get_mut(2)
        {
            bias.ones = units..2 * units;
        }
        weights
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let none = Var::constant(Tensor::zeros([4 * self.units]));
        let weights = [&weights[0], &weights[1], weights.get(2).unwrap_or(&none)];
        let [activation, recurrent] =
            [self.activation, self.recurrent_activation].map(Activation::nonlinearity);
        self.around().run(
            inputs,
            weights,
            cx,
            |x, start, mask| match inputs.len() == 1 && !self.return_state {
                true => {
                    let y = x.lstm(weights, [&activation, &recurrent], mask);
                    [y.clone(), y]
                }
                false => x.lstm_from(start, weights, [&activation, &recurrent], mask),
            },
            |dropping| dropping.lstm(self.activation, self.recurrent_activation),
        )
    }
}
