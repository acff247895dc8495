//! Recurrent layers that drop parts of their state in training. Each gate sees other parts of it, and of the input, so that this goes step by step, as a
//! composition of small operations.

use super::Activation;
use crate::autograd::Var;
use crate::ops::stepwise;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// A recurrent layer's input and weights, with what is kept of its state.
pub(super) struct Dropping<'a, 't, T: Scalar> {
    /// `[n, steps, features]`, as each gate sees it, or one for all gates.
    pub x: &'a [Var<'t, T>],
    pub mask: Option<&'a Tensor<T>>,
    /// Kernel, recurrent kernel and bias.
    pub weights: [&'a Var<'t, T>; 3],
    /// `[n, gates, units]`: what the state is multiplied with, for each gate.
    pub kept: Var<'t, T>,
    /// The states before the first step; where there is one, twice.
    pub start: [&'a Var<'t, T>; 2],
}

impl<'t, T: Scalar> Dropping<'_, 't, T> {
    fn units(&self) -> usize {
        self.kept.shape()[2]
    }

    /// The columns of a gate.
    fn part(&self, sums: &Var<'t, T>, gate: usize) -> Var<'t, T> {
        let (units, last) = (self.units(), sums.shape().rank() - 1);
        sums.slice(last, gate * units..(gate + 1) * units)
    }

    /// A row of the bias, which has one or two.
    fn bias(&self, row: usize) -> Var<'t, T> {
        let columns = self.weights[0].shape()[1];
        let rows = self.weights[2].value().len() / columns;
        self.weights[2].reshape([rows, columns]).slice(0, row..row + 1).reshape([columns])
    }

    /// What is kept of a state for a gate.
    fn seen(&self, h: &Var<'t, T>, gate: usize) -> Var<'t, T> {
        h * self.kept.slice(1, gate..gate + 1).reshape(h.shape())
    }

    /// The product of that with the gate's columns of the recurrent kernel.
    fn product(&self, h: &Var<'t, T>, gate: usize) -> Var<'t, T> {
        self.seen(h, gate).matmul(&self.part(self.weights[1], gate))
    }

    /// The first state after each step and the second one after the last, with the sums of the inputs of each step and both
    /// states in `cell`.
    fn states(
        &self,
        cell: impl Fn(&Var<'t, T>, &[Var<'t, T>; 2]) -> [Var<'t, T>; 2],
    ) -> [Var<'t, T>; 2] {
        let [n, steps, features] = self.x[0].value().dims();
        let rows = |x: &Var<'t, T>| x.reshape([n * steps, features]);
        let (kernel, bias) = (self.weights[0], self.bias(0));
        let sums = match self.x {
            [x] => rows(x).dense(kernel, &bias),
            each => {
                let of =
                    |(gate, x)| rows(x).dense(&self.part(kernel, gate), &self.part(&bias, gate));
                let sums: Vec<_> = each.iter().enumerate().map(of).collect();
                Var::concat(&sums.iter().collect::<Vec<_>>(), 1)
            }
        };
        let columns = sums.shape()[1];
        stepwise(&sums.reshape([n, steps, columns]), self.start, self.mask, cell)
    }

    /// As [`Var::simple_rnn`].
    pub(super) fn simple_rnn(&self, activation: Activation) -> [Var<'t, T>; 2] {
        self.states(|sums, [h, _]| {
            let h = activation.of(&(sums + self.product(h, 0)));
            [h.clone(), h]
        })
    }

    /// As [`Var::lstm`].
    pub(super) fn lstm(&self, activation: Activation, recurrent: Activation) -> [Var<'t, T>; 2] {
        self.states(|sums, [h, c]| {
            let gate = |gate: usize| self.part(sums, gate) + self.product(h, gate);
            let [input, forget, output] = [0, 1, 3].map(|it| recurrent.of(&gate(it)));
            let c = forget * c + input * activation.of(&gate(2));
            [output * activation.of(&c), c]
        })
    }

    /// As [`Var::gru`].
    pub(super) fn gru(&self, activation: Activation, recurrent: Activation) -> [Var<'t, T>; 2] {
        let after = (self.weights[2].shape().rank() == 2).then(|| self.bias(1));
        self.states(|sums, [h, _]| {
            let product = |gate: usize| match &after {
                Some(bias) => self.product(h, gate) + self.part(bias, gate),
                None => self.product(h, gate),
            };
            let [z, r] = [0, 1].map(|gate| recurrent.of(&(self.part(sums, gate) + product(gate))));
            let inner = match &after {
                Some(_) => r * product(2),
                None => (r * self.seen(h, 2)).matmul(&self.part(self.weights[1], 2)),
            };
            let new = activation.of(&(self.part(sums, 2) + inner));
            let h = &z * h + (z * -T::one() + T::one()) * new;
            [h.clone(), h]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;

    /// Where everything is kept, it is the operation over whole sequences.
    #[test]
    fn nothing_dropped() {
        let random = |shape: &[usize], seed| {
            Var::constant(Tensor::<f64>::uniform(shape, -1.0, 1.0, &mut Stream::new(seed)))
        };
        let x = random(&[3, 4, 5], 1);
        let mask = Tensor::from_fn([3, 4], |at| if (at[0] + at[1]) % 3 == 0 { 0.0 } else { 1.0 });
        let (tanh, sigmoid) = (Activation::Tanh, Activation::Sigmoid);
        let both = [tanh, sigmoid].map(Activation::nonlinearity);
        let both = [&both[0], &both[1]];
        for (gates, bias) in [(1, vec![2]), (4, vec![8]), (3, vec![6]), (3, vec![2, 6])] {
            let [kernel, recurrent, bias] =
                [random(&[5, gates * 2], 2), random(&[2, gates * 2], 3), random(&bias, 4)];
            let weights = [&kernel, &recurrent, &bias];
            for mask in [None, Some(&mask)] {
                let kept = Var::constant(Tensor::ones([3, gates, 2]));
                let [h, c] = [5, 6].map(|seed| random(&[3, 2], seed));
                let start = if gates == 4 { [&h, &c] } else { [&h, &h] };
                let x_of_all = std::slice::from_ref(&x);
                let dropping = Dropping { x: x_of_all, mask, weights, kept, start };
                let (y, expected) = match gates {
                    1 => (dropping.simple_rnn(tanh), x.simple_rnn_from(&h, weights, both[0], mask)),
                    4 => {
                        let ([y, last], [all, carry]) =
                            (dropping.lstm(tanh, sigmoid), x.lstm_from(start, weights, both, mask));
                        assert!(last.value().all_close(carry.value(), 1e-12, 1e-12));
                        ([y, last], all)
                    }
                    _ => (dropping.gru(tanh, sigmoid), x.gru_from(&h, weights, both, mask)),
                };
                assert!(y[0].value().all_close(expected.value(), 1e-12, 1e-12));
            }
        }
    }

    /// A gate that sees nothing of the state is as one without its columns of the recurrent kernel; one that sees nothing of the input,
    /// as one without those of the kernel.
    #[test]
    fn everything_dropped_for_one_gate() {
        let random = |shape: &[usize], seed| {
            Var::constant(Tensor::<f64>::uniform(shape, -1.0, 1.0, &mut Stream::new(seed)))
        };
        let (x, kernel, bias) = (random(&[3, 4, 5], 1), random(&[5, 8], 2), random(&[8], 4));
        let recurrent = random(&[2, 8], 3);
        let without = |weights: &Var<'static, f64>, gate: usize| {
            let cut = |at: &[usize]| if at[1] / 2 == gate { 0.0 } else { 1.0 };
            weights * Var::constant(Tensor::from_fn(weights.shape(), cut))
        };
        let seen: Vec<_> =
            (0..4).map(|gate| if gate == 2 { &x * 0.0 } else { x.clone() }).collect();
        let kept = Tensor::from_fn([3, 4, 2], |at| if at[1] == 1 { 0.0 } else { 1.0 });
        let kept = Var::constant(kept);
        let (tanh, sigmoid) = (Activation::Tanh, Activation::Sigmoid);
        let weights = [&kernel, &recurrent, &bias];
        let zeros = &Var::constant(Tensor::zeros([3, 2]));
        let start = [zeros, zeros];
        let [y, _] = Dropping { x: &seen, mask: None, weights, kept, start }.lstm(tanh, sigmoid);
        let both = [tanh, sigmoid].map(Activation::nonlinearity);
        let cut = [&without(&kernel, 2), &without(&recurrent, 1), &bias];
        let expected = x.lstm(cut, [&both[0], &both[1]], None);
        assert!(y.value().all_close(expected.value(), 1e-12, 1e-12));
    }
}
