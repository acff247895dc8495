//! The long short-term memory, through time: from sums `[i, f, g, o]` of each step,
//! `c_t = s(f) c_(t-1) + s(i) a(g)` and `h_t = s(o) a(c_t)`.

use super::{Nonlinearity, Sizes, counted, skipped};
use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::steps::Steps;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use std::ops::Range;

struct Lstm<T: Scalar> {
    activation: Nonlinearity<T>,
    recurrent_activation: Nonlinearity<T>,
    mask: Option<Tensor<T>>,
    /// Whether the last `c` comes behind all `h`, as if it was one more step.
    carries: bool,
}

/// Numbers of a step are `[n, units]`, those of its gates `[n, 4 units]`.
pub(super) struct Saved<T: Scalar> {
    sizes: Sizes,
    x: Tensor<T>, // [steps n, features]
    kernel: Tensor<T>,
    recurrent: Tensor<T>,
    /// `[(steps + 1) n, units]`, from the state before the first step.
    states: Tensor<T>,
    /// The same for `c`.
    carries: Buffer<T>,
    /// The gates of each step, and what went into their functions, where that is needed.
    gates: Buffer<T>,
    sums: Buffer<T>,
    /// `a(c)` of each step.
    bent: Buffer<T>,
}

impl<T: Scalar> Lstm<T> {
    fn new(
        [activation, recurrent_activation]: [&Nonlinearity<T>; 2],
        mask: Option<&Tensor<T>>,
        carries: bool,
    ) -> Self {
        Lstm {
            activation: activation.clone(),
            recurrent_activation: recurrent_activation.clone(),
            mask: mask.cloned(),
            carries,
        }
    }

    /// The functions of the gates, with their columns.
    fn parts(&self, units: usize) -> [(&Nonlinearity<T>, Range<usize>); 4] {
        let of = |gate: usize| {
            let function = if gate == 2 { &self.activation } else { &self.recurrent_activation };
            (function, gate * units..(gate + 1) * units)
        };
        [of(0), of(1), of(2), of(3)]
    }
}

impl<T: Scalar> Op<T, 6> for Lstm<T> {
    const NAME: &'static str = "lstm";
    type Saved = Saved<T>;

    fn forward(
        &self,
        [x, kernel, recurrent, bias, h, c]: [&Tensor<T>; 6],
        wanted: [bool; 6],
    ) -> (Tensor<T>, Saved<T>) {
        let inputs = [x, kernel, recurrent, bias];
        let sizes = Sizes::of("lstm", 4, false, inputs, self.mask.as_ref());
        let Sizes { n, steps, units, .. } = sizes;
        let (x, recurrent) = (sizes.time_major(x), recurrent.row_major());
        let mut gates = sizes.inputs(&x, kernel, bias);
        let matrix = recurrent.as_slice().expect("row-major");
        let recur = Steps::new(matrix, [units, 4 * units], [n, steps], [units, 4 * units]);
        let counted = counted(self.mask.as_ref());
        let (mut states, mut carries) = (sizes.states("lstm", h), sizes.states("lstm", c));
        let other = self.activation.needs_inputs() || self.recurrent_activation.needs_inputs();
        let keep = other && wanted.contains(&true);
        let mut sums = sizes.room(keep, 4 * units);
        let mut bent = sizes.room(true, units);
        for t in 0..steps {
            let (step, all) = (sizes.step(t, units), sizes.step(t, 4 * units));
            let (before, h) = states.split_at_mut(step.end);
            let (before, h) = (&before[step.clone()], &mut h[..n * units]);
            let (carried, c) = carries.split_at_mut(step.end);
            let (carried, c) = (&carried[step.clone()], &mut c[..n * units]);
            let gates = &mut gates[all.clone()];
            recur.add(before, gates);
            let sums = if keep { &mut sums[all] } else { &mut [] };
            for (function, columns) in self.parts(units) {
                function.apply(gates, sums, 4 * units, columns);
            }
            for (i, gates) in gates.chunks_exact(4 * units).enumerate() {
                for j in 0..units {
                    let (input, forget) = (gates[j], gates[units + j]);
                    let new = gates[2 * units + j];
                    let at = i * units + j;
                    c[at] = forget * carried[at] + input * new;
                }
            }
            let bent = &mut bent[step];
            bent.copy_from_slice(c);
            self.activation.apply(bent, &mut [], units, 0..units);
            for (i, gates) in gates.chunks_exact(4 * units).enumerate() {
                let row = i * units..(i + 1) * units;
                let outputs = gates[3 * units..].iter().zip(&bent[row.clone()]);
                h[row].iter_mut().zip(outputs).for_each(|(h, (&o, &a))| *h = o * a);
            }
            for i in skipped(counted.as_ref(), sizes.step(t, 1)) {
                let row = i * units..(i + 1) * units;
                h[row.clone()].copy_from_slice(&before[row.clone()]);
                c[row.clone()].copy_from_slice(&carried[row]);
            }
        }
        let states = Tensor::from_buffer([(steps + 1) * n, units], states);
        let mut y = sizes.after(&states);
        if self.carries {
            let last = &carries[sizes.step(steps, units)];
            y = Tensor::concat(&[y, Tensor::new([n, units], last)]);
        }
        let given = Sizes { steps: steps + usize::from(self.carries), ..sizes };
        let y = given.sample_major(&y);
        let kernel = kernel.clone();
        (y, Saved { sizes, x, kernel, recurrent, states, carries, gates, sums, bent })
    }

    // From the last step to the first: do = dh a(c), dc += a'(c) dh o, di = dc g, df = dc c_(t-1), dg = dc i; with the slopes
    // of the functions, these are the gradients ds of the sums. dc_(t-1) = dc f and dh_(t-1) = dy_(t-1) + ds recurrent_kernel'
    // What follows from ds is the same for all such operations: `Sizes::gradients`.
    fn backward(
        &self,
        saved: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 6],
    ) -> [Option<Tensor<T>>; 6] {
        let Saved { sizes, x, kernel, recurrent, states, carries, gates, sums, bent } = saved;
        let Sizes { n, steps, units, .. } = sizes;
        let dy = sizes.time_major(&dy);
        let dy = dy.as_slice().expect("row-major");
        let turned = recurrent.t().row_major();
        let matrix = turned.as_slice().expect("row-major");
        let back = Steps::new(matrix, [4 * units, units], [n, steps], [4 * units, units]);
        let counted = counted(self.mask.as_ref());
        let mut ds = sizes.room(true, 4 * units);
        let zeros = || Buffer::zeroed(n * units);
        let (mut dh, mut dc, mut da) = (zeros(), zeros(), zeros());
        if self.carries {
            dc.copy_from_slice(&dy[sizes.step(steps, units)]);
        }
        for t in (0..steps).rev() {
            let (step, all) = (sizes.step(t, units), sizes.step(t, 4 * units));
            dh.iter_mut().zip(&dy[step.clone()]).for_each(|(dh, &dy)| *dh += dy);
            let (ds, gates) = (&mut ds[all.clone()], &gates[all.clone()]);
            let (carried, bent) = (&carries[step.clone()], &bent[step]);
            let c = &carries[sizes.step(t + 1, units)];
            let rows = || gates.chunks_exact(4 * units).enumerate();
            for (i, gates) in rows() {
                let row = i * units..(i + 1) * units;
                let da = da[row.clone()].iter_mut().zip(&dh[row]);
                da.zip(&gates[3 * units..]).for_each(|((da, &dh), &o)| *da = dh * o);
            }
            self.activation.pull(bent, c, &mut da, units, 0..units);
            for ((i, gates), ds) in rows().zip(ds.chunks_exact_mut(4 * units)) {
                if counted.as_ref().is_some_and(|counted| !counted[t * n + i]) {
                    ds.fill(T::zero());
                    continue;
                }
                for j in 0..units {
                    let (input, forget) = (gates[j], gates[units + j]);
                    let new = gates[2 * units + j];
                    let at = i * units + j;
                    let d = dc[at] + da[at];
                    ds[j] = d * new;
                    ds[units + j] = d * carried[at];
                    ds[2 * units + j] = d * input;
                    ds[3 * units + j] = dh[at] * bent[at];
                    dc[at] = d * forget;
                    dh[at] = T::zero();
                }
            }
            let sums = if sums.is_empty() { &[] } else { &sums[all] };
            for (function, columns) in self.parts(units) {
                function.pull(gates, sums, ds, 4 * units, columns);
            }
            // What is left in dh belongs to samples that skip this step.
            back.add(ds, &mut dh);
        }
        let ds = Tensor::from_buffer([steps * n, 4 * units], ds);
        let [w0, w1, w2, w3, h, c] = wanted;
        let [dx, dkernel, drecurrent, dbias] =
            sizes.gradients([&x, &kernel, &states, &ds], [w0, w1, w2, w3]);
        let start = |values| Tensor::from_buffer([n, units], values);
        [dx, dkernel, drecurrent, dbias, h.then(|| start(dh)), c.then(|| start(dc))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The states `[n, steps, units]` of a long short-term memory (Hochreiter and Schmidhuber, 1997; with forget gates) over
    /// sequences `[n, steps, features]`. Each step adds up `x_t kernel + h_(t-1) recurrent_kernel + bias`, the sums of four
    /// gates: `i`, `f`, `g`, `o`. With the activation `a` and the recurrent activation `s`,
    /// `c_t = s(f) c_(t-1) + s(i) a(g)` and `h_t = s(o) a(c_t)`, from states of zeros.
    ///
    /// The weights are a kernel `[features, 4 units]`, a recurrent kernel `[units, 4 units]` and a bias `[4 units]`. A step
    /// for which the mask `[n, steps]` is 0 leaves both states as they are.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity::{Linear, Sigmoid}, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[2.0], [4.0]]]));
    /// let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0, 0.0]])); // for what is new alone
    /// let recurrent_kernel = Var::constant(Tensor::zeros([1, 4]));
    /// let bias = Var::constant(Tensor::zeros([4])); // all gates are half open
    /// let y = x.lstm([&kernel, &recurrent_kernel, &bias], [&Linear, &Sigmoid], None);
    /// assert_eq!(y.value().to_vec(), [0.5, 1.25]); // halves of c = 1 and of c = 0.5 + 2
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn lstm(
        &self,
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        [activation, recurrent_activation]: [&Nonlinearity<T>; 2],
        mask: Option<&Tensor<T>>,
    ) -> Var<'t, T> {
        let op = Lstm::new([activation, recurrent_activation], mask, false);
        let start = Sizes::zeros(self, recurrent_kernel);
        apply(op, [self, kernel, recurrent_kernel, bias, &start, &start])
    }

    /// The same from states `h` and `c`, `[n, units]` each, before the first step: where other sequences have ended, for example.
    /// Gives the states `h` of all steps `[n, steps, units]`, and `c` after the last step, where the next ones can go on.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity::{Linear, Sigmoid}, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[2.0], [4.0]]]));
    /// let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0, 0.0]])); // for what is new alone
    /// let recurrent_kernel = Var::constant(Tensor::zeros([1, 4]));
    /// let bias = Var::constant(Tensor::zeros([4])); // all gates are half open
    /// let start = [1.0, 6.0].map(|state| Var::constant(Tensor::from([[state]])));
    /// let weights = [&kernel, &recurrent_kernel, &bias];
    /// let [h, c] = x.lstm_from([&start[0], &start[1]], weights, [&Linear, &Sigmoid], None);
    /// assert_eq!(h.value().to_vec(), [2.0, 2.0]); // halves of c = 3 + 1 and of c = 2 + 2
    /// assert_eq!(c.value().to_vec(), [4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn lstm_from(
        &self,
        [h, c]: [&Var<'t, T>; 2],
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        [activation, recurrent_activation]: [&Nonlinearity<T>; 2],
        mask: Option<&Tensor<T>>,
    ) -> [Var<'t, T>; 2] {
        let op = Lstm::new([activation, recurrent_activation], mask, true);
        let all = apply(op, [self, kernel, recurrent_kernel, bias, h, c]);
        let [n, beyond, units] = all.value().dims();
        let last = all.slice(1, beyond - 1..beyond).reshape([n, units]);
        [all.slice(1, 0..beyond - 1), last]
    }
}

compiled!(|x: &Var<T>, w: [&Var<T>; 3], f: &Nonlinearity<T>| (
    x.lstm(w, [f, f], None),
    x.lstm_from([x, x], w, [f, f], None)
));

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
        start: [&Var<'t, f64>; 2],
    ) -> [Var<'t, f64>; 2] {
        let units = recurrent.shape()[0];
        stepwise(x, start, mask, |x, [h, c]| {
            let sums = x.matmul(kernel) + h.matmul(recurrent) + bias;
            let gate = |gate: usize| sums.slice(1, gate * units..(gate + 1) * units);
            let c = s.of(&gate(1)) * c + s.of(&gate(0)) * a.of(&gate(2));
            [s.of(&gate(3)) * a.of(&c), c]
        })
    }

    fn weights(features: usize, units: usize) -> [Tensor<f64>; 3] {
        [
            random(&[features, 4 * units], -1.0, 1.0, 2, 0),
            random(&[units, 4 * units], -1.0, 1.0, 3, 1),
            random(&[4 * units], -1.0, 1.0, 4, 0),
        ]
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[[3.0], [5.0]]]));
        // Sums i = 1, f = 2, g = x, o = h + 1, and no functions.
        let kernel = Var::constant(Tensor::from([[0.0, 0.0, 1.0, 0.0]]));
        let recurrent = Var::constant(Tensor::from([[0.0, 0.0, 0.0, 1.0]]));
        let bias = Var::constant(Tensor::from([1.0, 2.0, 0.0, 1.0]));
        let linear = &Nonlinearity::Linear;
        let y = x.lstm([&kernel, &recurrent, &bias], [linear, linear], None);
        // c = 3, h = 1 3; c = 2 3 + 5, h = (3 + 1) 11.
        assert_close(y.value(), &Tensor::from([[[3.0], [44.0]]]));
    }

    #[test]
    fn gradient() {
        for (a, s) in [(2, 1), (0, 2), (3, 1), (2, 3), (4, 4)] {
            for mask in masks(3, 4) {
                let (a, s) = (nonlinearity(a), nonlinearity(s));
                let [kernel, recurrent, bias] = weights(5, 3);
                let x = random(&[3, 4, 5], -1.0, 1.0, 1, 0);
                gradcheck(
                    |[x, k, r, b]| x.lstm([k, r, b], [&a, &s], mask.as_ref()),
                    [x.clone(), kernel.clone(), recurrent.clone(), bias.clone()],
                )
                .unwrap();
                let start = [5, 6].map(|seed| random(&[3, 3], -1.0, 1.0, seed, 0));
                let [h, c] = start;
                gradcheck(
                    |[x, k, r, b, h, c]| {
                        let [h, c] = x.lstm_from([h, c], [k, r, b], [&a, &s], mask.as_ref());
                        Var::concat(&[&h, &c.reshape([3, 1, 3])], 1)
                    },
                    [x, kernel, recurrent, bias, h, c],
                )
                .unwrap();
            }
        }
    }

    #[test]
    #[should_panic(
        expected = "lstm: sequences [3, 4, 5] need a mask [3, 4], and it has the shape [3]"
    )]
    fn a_mask_of_another_shape() {
        let [kernel, recurrent, bias] = weights(5, 3).map(Var::constant);
        let (x, f) = (Var::constant(Tensor::zeros([3, 4, 5])), &Nonlinearity::Tanh);
        x.lstm([&kernel, &recurrent, &bias], [f, f], Some(&Tensor::ones([3])));
    }

    #[test]
    #[should_panic(expected = "lstm: needs states [3, 3] to begin with, and their shape is [3, 4]")]
    fn a_state_of_another_shape() {
        let [kernel, recurrent, bias] = weights(5, 3).map(Var::constant);
        let (x, f) = (Var::constant(Tensor::zeros([3, 4, 5])), &Nonlinearity::Tanh);
        let state = &Var::constant(Tensor::ones([3, 4]));
        x.lstm_from([state, state], [&kernel, &recurrent, &bias], [f, f], None);
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..5, steps in 1usize..5, features in 1usize..4, units in 1usize..7, kinds in (0u8..5, 0u8..5),
            masked: bool, layout in 0u8..4,
        ) {
            let x = random(&[n, steps, features], -1.0, 1.0, 1, if n == 0 { 0 } else { layout });
            let [kernel, recurrent, bias] = weights(features, units).map(Var::constant);
            let (x, w) = (Var::constant(x), [&kernel, &recurrent, &bias]);
            let mask = masks(n, steps).swap_remove(usize::from(masked));
            let (a, s) = (nonlinearity(kinds.0), nonlinearity(kinds.1));
            let y = x.lstm(w, [&a, &s], mask.as_ref());
            let zeros = &Var::constant(Tensor::zeros([n, units]));
            let [expected, _] = naive(&x, w, [&a, &s], mask.as_ref(), [zeros; 2]);
            assert_close(y.value(), expected.value());

            let [h, c] = [5, 6].map(|seed| Var::constant(random(&[n, units], -1.0, 1.0, seed, 0)));
            let [y, last] = x.lstm_from([&h, &c], w, [&a, &s], mask.as_ref());
            let [expected, carry] = naive(&x, w, [&a, &s], mask.as_ref(), [&h, &c]);
            assert_close(y.value(), expected.value());
            assert_close(last.value(), carry.value());
        }
    }
}
