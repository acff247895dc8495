//! The gated recurrent unit, through time: with gates `z` and `r` of each step, `h_t = z h_(t-1) + (1 - z) g`.

use super::{Nonlinearity, Sizes, counted, skipped};
use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::steps::Steps;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;

struct Gru<T: Scalar> {
    activation: Nonlinearity<T>,
    recurrent_activation: Nonlinearity<T>,
    mask: Option<Tensor<T>>,
}

/// Numbers of a step are `[n, units]`, those of its gates `[n, 3 units]`.
pub(super) struct Saved<T: Scalar> {
    sizes: Sizes,
    x: Tensor<T>, // [steps n, features]
    kernel: Tensor<T>,
    recurrent: Tensor<T>,
    bias: Shape,
    /// `[(steps + 1) n, units]`, from the state before the first step.
    states: Tensor<T>,
    /// `z`, `r` and `g` of each step, and what went into their functions, where that is needed.
    gates: Buffer<T>,
    sums: Buffer<T>,
    /// What the reset gate multiplies, or has multiplied: see [`Reset`].
    inner: Buffer<T>,
}

/// Where the reset gate stands: before the product with the recurrent kernel, or after it. Only then that product has a bias of
/// its own, so that the shape of the bias tells.
#[derive(Clone, Copy, PartialEq)]
enum Reset {
    /// `g = a(x_g + (r h) R_g)`; what is kept is `r h`.
    Before,
    /// `g = a(x_g + r (h R_g + b_g))`; what is kept is what `r` multiplies.
    After,
}

impl Reset {
    fn of(bias: Shape) -> Self {
        if bias.rank() == 2 { Reset::After } else { Reset::Before }
    }
}

impl<T: Scalar> Gru<T> {
    /// The functions of the gates, with their columns.
    fn part(&self, gate: usize, units: usize) -> (&Nonlinearity<T>, Range<usize>) {
        let function = if gate == 2 { &self.activation } else { &self.recurrent_activation };
        (function, gate * units..(gate + 1) * units)
    }
}

impl<T: Scalar> Op<T, 5> for Gru<T> {
    const NAME: &'static str = "gru";
    type Saved = Saved<T>;

    fn forward(
        &self,
        [x, kernel, recurrent, bias, start]: [&Tensor<T>; 5],
        wanted: [bool; 5],
    ) -> (Tensor<T>, Saved<T>) {
        let inputs = [x, kernel, recurrent, bias];
        let sizes = Sizes::of("gru", 3, true, inputs, self.mask.as_ref());
        let Sizes { n, steps, units, .. } = sizes;
        let (reset, stride) = (Reset::of(bias.shape()), 3 * units);
        let (x, recurrent) = (sizes.time_major(x), recurrent.row_major());
        let (bias, bias_shape) = (bias.row_major(), bias.shape());
        // The bias of the recurrent products, or nothing.
        let (first, second) = match reset {
            Reset::Before => (bias, None),
            Reset::After => {
                let halves = bias.as_slice().expect("row-major").split_at(stride);
                (Tensor::new([stride], halves.0), Some(halves.1.to_vec()))
            }
        };
        let mut gates = sizes.inputs(&x, kernel, &first);
        let both = recurrent.slice(1, 0..2 * units).row_major();
        let last = recurrent.slice(1, 2 * units..stride).row_major();
        let (both, last) =
            (both.as_slice().expect("row-major"), last.as_slice().expect("row-major"));
        let of_gates = Steps::new(both, [units, 2 * units], [n, steps], [units, stride]);
        let of_new = match reset {
            Reset::Before => Steps::new(last, [units, units], [n, steps], [units, stride]),
            Reset::After => Steps::new(last, [units, units], [n, steps], [units, units]),
        };
        let counted = counted(self.mask.as_ref());
        let mut states = sizes.states("gru", start);
        let other = self.activation.needs_inputs() || self.recurrent_activation.needs_inputs();
        let keep = other && wanted.contains(&true);
        let mut sums = sizes.room(keep, stride);
        let mut inner = sizes.room(true, units);
        for t in 0..steps {
            let (step, all) = (sizes.step(t, units), sizes.step(t, stride));
            let (before, h) = states.split_at_mut(step.end);
            let (before, h) = (&before[step.clone()], &mut h[..n * units]);
            let (gates, inner) = (&mut gates[all.clone()], &mut inner[step]);
            let sums = if keep { &mut sums[all] } else { &mut [] };
            if let Some(bias) = &second {
                for row in gates.chunks_exact_mut(stride) {
                    row.iter_mut().zip(&bias[..2 * units]).for_each(|(sum, &b)| *sum += b);
                }
            }
            of_gates.add(before, gates);
            for gate in [0, 1] {
                let (function, columns) = self.part(gate, units);
                function.apply(gates, sums, stride, columns);
            }
            match &second {
                None => {
                    for (i, gates) in gates.chunks_exact(stride).enumerate() {
                        for j in 0..units {
                            inner[i * units + j] = gates[units + j] * before[i * units + j];
                        }
                    }
                    if n > 0 {
                        of_new.add(inner, &mut gates[2 * units..]);
                    }
                }
                Some(bias) => {
                    inner
                        .chunks_exact_mut(units)
                        .for_each(|row| row.copy_from_slice(&bias[2 * units..]));
                    of_new.add(before, inner);
                    let rows = gates.chunks_exact_mut(stride).zip(inner.chunks_exact(units));
                    for (gates, inner) in rows {
                        for j in 0..units {
                            gates[2 * units + j] += gates[units + j] * inner[j];
                        }
                    }
                }
            }
            let (function, columns) = self.part(2, units);
            function.apply(gates, sums, stride, columns);
            for (i, gates) in gates.chunks_exact(stride).enumerate() {
                for j in 0..units {
                    let [z, new] = [gates[j], gates[2 * units + j]];
                    h[i * units + j] = z * before[i * units + j] + (T::one() - z) * new;
                }
            }
            for i in skipped(counted.as_ref(), sizes.step(t, 1)) {
                let row = i * units..(i + 1) * units;
                h[row.clone()].copy_from_slice(&before[row]);
            }
        }
        let states = Tensor::from_buffer([(steps + 1) * n, units], states);
        let y = sizes.sample_major(&sizes.after(&states));
        let (kernel, bias) = (kernel.clone(), bias_shape);
        (y, Saved { sizes, x, kernel, recurrent, bias, states, gates, sums, inner })
    }

    // From the last step to the first: dz = dh (h_(t-1) - g), dg = dh (1 - z), dh_(t-1) = dy_(t-1) + dh z + ...; with the slope
    // of a, dg is the gradient of the sum of g. If the reset gate stands
    // after the product q = h_(t-1) R_g + b_g: dr = dg q, and dq = dg r goes back through R_g
    // before it: dq = dg R_g', dr = dq h_(t-1), and dq r goes to dh_(t-1)
    // With their slopes, dz and dr go back through the rest of the recurrent kernel.
    fn backward(
        &self,
        saved: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 5],
    ) -> [Option<Tensor<T>>; 5] {
        let Saved { sizes, x, kernel, recurrent, bias, states, gates, sums, inner } = saved;
        let Sizes { n, steps, units, .. } = sizes;
        let (reset, stride) = (Reset::of(bias), 3 * units);
        let dy = sizes.time_major(&dy);
        let dy = dy.as_slice().expect("row-major");
        let h = states.as_slice().expect("row-major");
        let turned = recurrent.t().row_major();
        let (both, last) = turned.as_slice().expect("row-major").split_at(2 * units * units);
        let of_gates = Steps::new(both, [2 * units, units], [n, steps], [stride, units]);
        let of_new = match reset {
            Reset::Before => Steps::new(last, [units, units], [n, steps], [stride, units]),
            Reset::After => Steps::new(last, [units, units], [n, steps], [units, units]),
        };
        let counted = counted(self.mask.as_ref());
        let mut ds = sizes.room(true, stride);
        // Of the products with R_g, where they are not those of the sums.
        let mut dq = sizes.room(reset == Reset::After, units);
        let mut dh = Buffer::zeroed(n * units);
        let mut through = Buffer::zeroed(n * units);
        for t in (0..steps).rev() {
            let (step, all) = (sizes.step(t, units), sizes.step(t, stride));
            dh.iter_mut().zip(&dy[step.clone()]).for_each(|(dh, &dy)| *dh += dy);
            let (ds, gates) = (&mut ds[all.clone()], &gates[all.clone()]);
            let (before, inner) = (&h[step.clone()], &inner[step.clone()]);
            let skips = |i: usize| counted.as_ref().is_some_and(|counted| !counted[t * n + i]);
            let rows = || gates.chunks_exact(stride).enumerate();
            for ((i, gates), ds) in rows().zip(ds.chunks_exact_mut(stride)) {
                if skips(i) {
                    ds.fill(T::zero());
                    continue;
                }
                for j in 0..units {
                    let (at, z, new) = (i * units + j, gates[j], gates[2 * units + j]);
                    ds[j] = dh[at] * (before[at] - new);
                    ds[2 * units + j] = dh[at] * (T::one() - z);
                    dh[at] *= z;
                }
            }
            let sums = if sums.is_empty() { &[] } else { &sums[all] };
            let (function, columns) = self.part(2, units);
            function.pull(gates, sums, ds, stride, columns);
            match reset {
                Reset::After => {
                    let dq = &mut dq[step];
                    for ((i, gates), ds) in rows().zip(ds.chunks_exact_mut(stride)) {
                        for j in 0..units {
                            let (at, d) = (i * units + j, ds[2 * units + j]);
                            ds[units + j] = d * inner[at];
                            dq[at] = d * gates[units + j];
                        }
                    }
                    of_new.add(dq, &mut dh);
                }
                Reset::Before => {
                    through.fill(T::zero());
                    if n > 0 {
                        of_new.add(&ds[2 * units..], &mut through);
                    }
                    for ((i, gates), ds) in rows().zip(ds.chunks_exact_mut(stride)) {
                        for j in 0..units {
                            let at = i * units + j;
                            ds[units + j] = through[at] * before[at];
                            dh[at] += through[at] * gates[units + j];
                        }
                    }
                }
            }
            for gate in [0, 1] {
                let (function, columns) = self.part(gate, units);
                function.pull(gates, sums, ds, stride, columns);
            }
            of_gates.add(ds, &mut dh);
        }
        let rows = steps * n;
        let ds = Tensor::from_buffer([rows, stride], ds);
        let (of_gates, of_new) = (ds.slice(1, ..2 * units), ds.slice(1, 2 * units..));
        let before = sizes.before(&states).t();
        // What R_g was multiplied with, and what came back from that.
        let (of_new, factors) = match reset {
            Reset::After => (Tensor::from_buffer([rows, units], dq), before.clone()),
            Reset::Before => (of_new, Tensor::from_buffer([rows, units], inner).t()),
        };
        let drecurrent = || {
            let [both, last] = [before.matmul(&of_gates), factors.matmul(&of_new)];
            Tensor::concat(&[both.t(), last.t()]).t()
        };
        let dbias = || match reset {
            Reset::Before => ds.sum(0),
            Reset::After => {
                let parts = [ds.sum(0), of_gates.sum(0), of_new.sum(0)];
                Tensor::concat(&parts).reshape([2, stride])
            }
        };
        [
            wanted[0].then(|| sizes.sample_major(&ds.matmul(&kernel.t()))),
            wanted[1].then(|| x.t().matmul(&ds)),
            wanted[2].then(drecurrent),
            wanted[3].then(dbias),
            wanted[4].then(|| Tensor::from_buffer([n, units], dh)),
        ]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The states `[n, steps, units]` of gated recurrent units (Cho and others, 2014) over sequences `[n, steps, features]`.
    /// With sums `x = x_t kernel + bias` for the gates `z`, `r` and `g`, the recurrent kernel `R`, the activation `a` and the
    /// recurrent activation `s`: `z = s(x_z + h R_z)`, `r = s(x_r + h R_r)`, `g = a(x_g + (r h) R_g)` and
    /// `h_t = z h + (1 - z) g`, where `h` is the state before, from a state of zeros.
    ///
    /// The weights are a kernel `[features, 3 units]`, a recurrent kernel `[units, 3 units]` and a bias `[3 units]`. A bias
    /// `[2, 3 units]` asks for the variant whose reset gate stands after the product: its second row belongs to the products
    /// with `R`, and `g = a(x_g + r (h R_g + b_g))`. A step for which the mask `[n, steps]` is 0 leaves the state as it is.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity::{Linear, Sigmoid}, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[2.0], [4.0]]]));
    /// let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0]]));
    /// let recurrent_kernel = Var::constant(Tensor::zeros([1, 3]));
    /// let bias = Var::constant(Tensor::zeros([3]));
    /// let y = x.gru([&kernel, &recurrent_kernel, &bias], [&Linear, &Sigmoid], None);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.5]); // half of what was, half of what is new
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn gru(
        &self,
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        [activation, recurrent_activation]: [&Nonlinearity<T>; 2],
        mask: Option<&Tensor<T>>,
    ) -> Var<'t, T> {
        let start = Sizes::zeros(self, recurrent_kernel);
        let weights = [kernel, recurrent_kernel, bias];
        self.gru_from(&start, weights, [activation, recurrent_activation], mask)
    }

    /// The same from a state `[n, units]` before the first step: where other sequences have ended, for example. The last of the
    /// states is where the next ones can go on.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity::{Linear, Sigmoid}, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[2.0], [4.0]]]));
    /// let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0]]));
    /// let recurrent_kernel = Var::constant(Tensor::zeros([1, 3]));
    /// let (bias, start) = (Var::constant(Tensor::zeros([3])), Var::constant(Tensor::from([[6.0]])));
    /// let y = x.gru_from(&start, [&kernel, &recurrent_kernel, &bias], [&Linear, &Sigmoid], None);
    /// assert_eq!(y.value().to_vec(), [4.0, 4.0]); // half of what was, half of what is new
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn gru_from(
        &self,
        state: &Var<'t, T>,
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        [activation, recurrent_activation]: [&Nonlinearity<T>; 2],
        mask: Option<&Tensor<T>>,
    ) -> Var<'t, T> {
        let op = Gru {
            activation: activation.clone(),
            recurrent_activation: recurrent_activation.clone(),
            mask: mask.cloned(),
        };
        apply(op, [self, kernel, recurrent_kernel, bias, state])
    }
}

compiled!(|x: &Var<T>, w: [&Var<T>; 3], f: &Nonlinearity<T>| x.gru(w, [f, f], None));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::recurrent::stepwise;
    use crate::ops::recurrent::testing::{masks, nonlinearity};
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    /// The definition, step by step.
    fn naive<'t>(
        x: &Var<'t, f64>,
        [kernel, recurrent, bias]: [&Var<'t, f64>; 3],
        [a, s]: [&Nonlinearity<f64>; 2],
        mask: Option<&Tensor<f64>>,
        start: &Var<'t, f64>,
    ) -> Var<'t, f64> {
        let units = recurrent.shape()[0];
        let after = bias.shape().rank() == 2;
        let biases = bias.reshape([bias.value().len() / (3 * units), 3 * units]);
        let part = |sums: &Var<'t, f64>, gate: usize| {
            sums.slice(sums.shape().rank() - 1, gate * units..(gate + 1) * units)
        };
        let [states, _] = stepwise(x, [start; 2], mask, |x, [h, _]| {
            let x = x.matmul(kernel) + biases.slice(0, 0..1);
            let mut inner = h.matmul(recurrent);
            if after {
                inner = inner + biases.slice(0, 1..2);
            }
            let [z, r] = [0, 1].map(|gate| s.of(&(part(&x, gate) + part(&inner, gate))));
            let new = match after {
                true => r * part(&inner, 2),
                false => (r * h).matmul(&part(recurrent, 2)),
            };
            let new = a.of(&(part(&x, 2) + new));
            let h = &z * h + (-&z + 1.0) * new;
            [h.clone(), h]
        });
        states
    }

    fn weights(features: usize, units: usize, after: bool) -> [Tensor<f64>; 3] {
        let bias = if after { &[2, 3 * units][..] } else { &[3 * units] };
        [
            random(&[features, 3 * units], -1.0, 1.0, 2, 0),
            random(&[units, 3 * units], -1.0, 1.0, 3, 1),
            random(bias, -1.0, 1.0, 4, 0),
        ]
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[[3.0], [5.0]]]));
        // Sums z = 0.5, r = 2, g = x, and no functions; R_g = 10.
        let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0]]));
        let recurrent = Var::constant(Tensor::from([[0.0, 0.0, 10.0]]));
        let linear = &Nonlinearity::Linear;
        let bias = Var::constant(Tensor::from([0.5, 2.0, 0.0]));
        let y = x.gru([&kernel, &recurrent, &bias], [linear, linear], None);
        // h = 1.5; g = 5 + 2 1.5 10 and h = 0.5 1.5 + 0.5 35.
        assert_close(y.value(), &Tensor::from([[[1.5], [18.25]]]));
        // With a bias of 1 beside the product: g = 3 + 2 1, h = 2.5; g = 5 + 2 26, h = 0.5 2.5 + 0.5 57.
        let bias = Var::constant(Tensor::from([[0.5, 2.0, 0.0], [0.0, 0.0, 1.0]]));
        let y = x.gru([&kernel, &recurrent, &bias], [linear, linear], None);
        assert_close(y.value(), &Tensor::from([[[2.5], [29.75]]]));
    }

    #[test]
    fn gradient() {
        for (a, s, after) in [
            (2, 1, true),
            (2, 1, false),
            (0, 2, true),
            (3, 1, true),
            (2, 3, false),
            (3, 3, true),
            (4, 4, false),
        ] {
            for mask in masks(3, 4) {
                let (a, s) = (nonlinearity(a), nonlinearity(s));
                let [kernel, recurrent, bias] = weights(5, 3, after);
                let x = random(&[3, 4, 5], -1.0, 1.0, 1, 0);
                gradcheck(
                    |[x, k, r, b, h]| x.gru_from(h, [k, r, b], [&a, &s], mask.as_ref()),
                    [x, kernel, recurrent, bias, random(&[3, 3], -1.0, 1.0, 5, 0)],
                )
                .unwrap();
            }
        }
    }

    #[test]
    #[should_panic(
        expected = "gru: the kernel [5, 9] has 9 outputs but the bias has the shape [3, 9]"
    )]
    fn a_bias_of_another_shape() {
        let [kernel, recurrent, _] = weights(5, 3, true).map(Var::constant);
        let (x, f) = (Var::constant(Tensor::zeros([3, 4, 5])), &Nonlinearity::Tanh);
        x.gru([&kernel, &recurrent, &Var::constant(Tensor::zeros([3, 9]))], [f, f], None);
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..5, steps in 1usize..5, features in 1usize..4, units in 1usize..7, kinds in (0u8..5, 0u8..5),
            masked: bool, after: bool, layout in 0u8..4,
        ) {
            let x = random(&[n, steps, features], -1.0, 1.0, 1, if n == 0 { 0 } else { layout });
            let [kernel, recurrent, bias] = weights(features, units, after).map(Var::constant);
            let (x, w) = (Var::constant(x), [&kernel, &recurrent, &bias]);
            let mask = masks(n, steps).swap_remove(usize::from(masked));
            let (a, s) = (nonlinearity(kinds.0), nonlinearity(kinds.1));
            let y = x.gru(w, [&a, &s], mask.as_ref());
            let zeros = Var::constant(Tensor::zeros([n, units]));
            assert_close(y.value(), naive(&x, w, [&a, &s], mask.as_ref(), &zeros).value());
            let start = Var::constant(random(&[n, units], -1.0, 1.0, 5, 0));
            let y = x.gru_from(&start, w, [&a, &s], mask.as_ref());
            assert_close(y.value(), naive(&x, w, [&a, &s], mask.as_ref(), &start).value());
        }
    }
}
