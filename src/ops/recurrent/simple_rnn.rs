//! `h_t = f(x_t kernel + h_(t-1) recurrent_kernel + bias)`, through time.

use super::{Nonlinearity, Sizes, counted, skipped};
use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::steps::Steps;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct SimpleRnn<T: Scalar> {
    activation: Nonlinearity<T>,
    mask: Option<Tensor<T>>,
}

pub(super) struct Saved<T: Scalar> {
    sizes: Sizes,
    x: Tensor<T>, // [steps n, features]
    kernel: Tensor<T>,
    recurrent: Tensor<T>,
    /// `[(steps + 1) n, units]`, from the state before the first step.
    states: Tensor<T>,
    /// `[steps n, units]`: what went into the activation, where that is needed.
    sums: Buffer<T>,
}

impl<T: Scalar> Op<T, 5> for SimpleRnn<T> {
    const NAME: &'static str = "simple_rnn";
    type Saved = Saved<T>;

    fn forward(
        &self,
        [x, kernel, recurrent, bias, start]: [&Tensor<T>; 5],
        wanted: [bool; 5],
    ) -> (Tensor<T>, Saved<T>) {
        let inputs = [x, kernel, recurrent, bias];
        let sizes = Sizes::of("simple_rnn", 1, false, inputs, self.mask.as_ref());
        let Sizes { n, steps, units, .. } = sizes;
        let (x, recurrent) = (sizes.time_major(x), recurrent.row_major());
        let products = sizes.inputs(&x, kernel, bias);
        let matrix = recurrent.as_slice().expect("row-major");
        let recur = Steps::new(matrix, [units, units], [n, steps], [units, units]);
        let counted = counted(self.mask.as_ref());
        let mut states = sizes.states("simple_rnn", start);
        let keep = self.activation.needs_inputs() && wanted.contains(&true);
        let mut sums = sizes.room(keep, units);
        for t in 0..steps {
            let (before, h) = states.split_at_mut((t + 1) * n * units);
            let before = &before[sizes.step(t, units)];
            let h = &mut h[..n * units];
            h.copy_from_slice(&products[sizes.step(t, units)]);
            recur.add(before, h);
            let sums = if keep { &mut sums[sizes.step(t, units)] } else { &mut [] };
            self.activation.apply(h, sums, units, 0..units);
            for i in skipped(counted.as_ref(), sizes.step(t, 1)) {
                let row = i * units..(i + 1) * units;
                h[row.clone()].copy_from_slice(&before[row]);
            }
        }
        let states = Tensor::from_buffer([(steps + 1) * n, units], states);
        let y = sizes.sample_major(&sizes.after(&states));
        let kernel = kernel.clone();
        (y, Saved { sizes, x, kernel, recurrent, states, sums })
    }

    // From the last step to the first, with ds = f'(s) dh of the sums s:
    // dh_(t-1) = dy_(t-1) + ds_t recurrent_kernel'; where a step does not count, ds_t = 0 and dh_t goes on as it is
    // What follows from ds is the same for all such operations: `Sizes::gradients`.
    fn backward(
        &self,
        Saved { sizes, x, kernel, recurrent, states, sums }: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 5],
    ) -> [Option<Tensor<T>>; 5] {
        let Sizes { n, steps, units, .. } = sizes;
        let dy = sizes.time_major(&dy);
        let dy = dy.as_slice().expect("row-major");
        let after = sizes.after(&states);
        let after = after.as_slice().expect("row-major");
        let turned = recurrent.t().row_major();
        let matrix = turned.as_slice().expect("row-major");
        let back = Steps::new(matrix, [units, units], [n, steps], [units, units]);
        let counted = counted(self.mask.as_ref());
        let mut ds = sizes.room(true, units);
        let mut dh = Buffer::zeroed(n * units);
        for t in (0..steps).rev() {
            let step = sizes.step(t, units);
            dh.iter_mut().zip(&dy[step.clone()]).for_each(|(dh, &dy)| *dh += dy);
            let ds = &mut ds[step.clone()];
            ds.copy_from_slice(&dh);
            let sums = if sums.is_empty() { &[] } else { &sums[step.clone()] };
            self.activation.pull(&after[step], sums, ds, units, 0..units);
            let mut passing = Buffer::zeroed(n * units);
            for i in skipped(counted.as_ref(), sizes.step(t, 1)) {
                let row = i * units..(i + 1) * units;
                passing[row.clone()].copy_from_slice(&dh[row.clone()]);
                ds[row].fill(T::zero());
            }
            back.add(ds, &mut passing);
            dh = passing;
        }
        let ds = Tensor::from_buffer([steps * n, units], ds);
        let [w0, w1, w2, w3, start] = wanted;
        let [dx, dkernel, drecurrent, dbias] =
            sizes.gradients([&x, &kernel, &states, &ds], [w0, w1, w2, w3]);
        let dstart = start.then(|| Tensor::from_buffer([n, units], dh));
        [dx, dkernel, drecurrent, dbias, dstart]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The states `[n, steps, units]` of a simple recurrent network (Elman, *Finding structure in time*, 1990) over sequences
    /// `[n, steps, features]`: `h_t = f(x_t kernel + h_(t-1) recurrent_kernel + bias)`, from a state of zeros.
    ///
    /// The weights are a kernel `[features, units]`, a recurrent kernel `[units, units]` and a bias `[units]`. A step for
    /// which the mask `[n, steps]` is 0 leaves the state as it is.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity, Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let x = Var::constant(Tensor::from([[[1.0], [2.0], [3.0]]]));
    /// let [kernel, recurrent_kernel] = [1.0, 10.0].map(|w| tape.leaf(Tensor::from([[w]])));
    /// let bias = Var::constant(Tensor::from([0.0]));
    /// let y = x.simple_rnn([&kernel, &recurrent_kernel, &bias], &Nonlinearity::Linear, None);
    /// assert_eq!(y.value().to_vec(), [1.0, 12.0, 123.0]);
    /// assert_eq!(y.slice(1, 2..3).sum(..).backward().wrt(&kernel).item(), 123.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn simple_rnn(
        &self,
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        activation: &Nonlinearity<T>,
        mask: Option<&Tensor<T>>,
    ) -> Var<'t, T> {
        let start = Sizes::zeros(self, recurrent_kernel);
        self.simple_rnn_from(&start, [kernel, recurrent_kernel, bias], activation, mask)
    }

    /// The same from a state `[n, units]` before the first step: where other sequences have ended, for example. The last of the
    /// states is where the next ones can go on.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Nonlinearity::Linear, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[1.0], [2.0]]]));
    /// let [kernel, recurrent_kernel, start] = [1.0, 10.0, 5.0].map(|w| Var::constant(Tensor::from([[w]])));
    /// let bias = Var::constant(Tensor::from([0.0]));
    /// let y = x.simple_rnn_from(&start, [&kernel, &recurrent_kernel, &bias], &Linear, None);
    /// assert_eq!(y.value().to_vec(), [51.0, 512.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn simple_rnn_from(
        &self,
        state: &Var<'t, T>,
        [kernel, recurrent_kernel, bias]: [&Var<'t, T>; 3],
        activation: &Nonlinearity<T>,
        mask: Option<&Tensor<T>>,
    ) -> Var<'t, T> {
        let op = SimpleRnn { activation: activation.clone(), mask: mask.cloned() };
        apply(op, [self, kernel, recurrent_kernel, bias, state])
    }
}

compiled!(|x: &Var<T>, w: [&Var<T>; 3], f: &Nonlinearity<T>| x.simple_rnn(w, f, None));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::recurrent::stepwise;
    use crate::ops::recurrent::testing::{masks, nonlinearity};
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    /// The definition, step by step: what every step gives.
    fn naive<'t>(
        x: &Var<'t, f64>,
        [kernel, recurrent, bias]: [&Var<'t, f64>; 3],
        f: &Nonlinearity<f64>,
        mask: Option<&Tensor<f64>>,
        start: &Var<'t, f64>,
    ) -> Var<'t, f64> {
        let [states, _] = stepwise(x, [start; 2], mask, |x, [h, _]| {
            let h = f.of(&(x.matmul(kernel) + h.matmul(recurrent) + bias));
            [h.clone(), h]
        });
        states
    }

    fn weights(features: usize, units: usize) -> [Tensor<f64>; 3] {
        [
            random(&[features, units], -1.0, 1.0, 2, 0),
            random(&[units, units], -1.0, 1.0, 3, 1),
            random(&[units], -1.0, 1.0, 4, 0),
        ]
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[[1.0, 0.0], [0.0, 1.0]]]));
        let kernel = Var::constant(Tensor::from([[2.0, 0.0], [0.0, 3.0]]));
        let recurrent = Var::constant(Tensor::from([[0.0, 1.0], [1.0, 0.0]])); // exchanges both
        let bias = Var::constant(Tensor::from([0.5, 0.0]));
        let y = x.simple_rnn([&kernel, &recurrent, &bias], &Nonlinearity::Linear, None);
        assert_close(y.value(), &Tensor::from([[[2.5, 0.0], [0.5, 5.5]]]));
    }

    #[test]
    fn gradient() {
        for kind in 0..5 {
            for mask in masks(3, 4) {
                let f = nonlinearity(kind);
                let [kernel, recurrent, bias] = weights(5, 3);
                let x = random(&[3, 4, 5], -1.0, 1.0, 1, 0);
                gradcheck(
                    |[x, k, r, b, h]| x.simple_rnn_from(h, [k, r, b], &f, mask.as_ref()),
                    [x, kernel, recurrent, bias, random(&[3, 3], -1.0, 1.0, 5, 0)],
                )
                .unwrap();
            }
        }
    }

    #[test]
    #[should_panic(
        expected = "simple_rnn: needs sequences [n, steps, features], a kernel [features, 1 units]"
    )]
    fn shapes_that_do_not_fit() {
        let [kernel, recurrent, bias] = weights(5, 3).map(Var::constant);
        let x = Var::constant(Tensor::zeros([3, 4, 6]));
        x.simple_rnn([&kernel, &recurrent, &bias], &Nonlinearity::Tanh, None);
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..5, steps in 1usize..5, features in 1usize..4, units in 1usize..7, kind in 0u8..5,
            masked: bool, layout in 0u8..4,
        ) {
            let x = random(&[n, steps, features], -1.0, 1.0, 1, if n == 0 { 0 } else { layout });
            let [x, kernel, recurrent, bias] = {
                let [kernel, recurrent, bias] = weights(features, units);
                [x, kernel, recurrent, bias].map(Var::constant)
            };
            let mask = masks(n, steps).swap_remove(usize::from(masked));
            let (w, f) = ([&kernel, &recurrent, &bias], nonlinearity(kind));
            let y = x.simple_rnn(w, &f, mask.as_ref());
            let zeros = Var::constant(Tensor::zeros([n, units]));
            assert_close(y.value(), naive(&x, w, &f, mask.as_ref(), &zeros).value());
            let start = Var::constant(random(&[n, units], -1.0, 1.0, 5, 0));
            let y = x.simple_rnn_from(&start, w, &f, mask.as_ref());
            assert_close(y.value(), naive(&x, w, &f, mask.as_ref(), &start).value());
        }
    }
}
