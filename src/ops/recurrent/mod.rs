//! What the recurrent operations share. Inside, the axes are `[steps, n, ..]`, so that a step is one piece of memory.

mod gru;
mod lstm;
mod simple_rnn;
#[cfg(test)]
mod testing;

use crate::autograd::{Tape, Var};
use crate::buffer::Buffer;
use crate::kernels::gemm::{self, Finish};
use crate::kernels::steps::{columns, columns_mut};
use crate::scalar::Scalar;
use crate::tensor::{Logistic, Shape, Tanh, Tensor, map_in_place};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The function that a recurrent operation applies to its sums.
///
/// ```
/// use cinta::{Nonlinearity, Tensor, Var};
/// let x = Var::constant(Tensor::from([[[0.5], [-1.0]]])); // one sample, two steps, one feature
/// let [kernel, recurrent_kernel] = [1.0, 2.0].map(|w| Var::constant(Tensor::from([[w]])));
/// let bias = Var::constant(Tensor::from([0.0]));
/// let relu = Nonlinearity::other(|x| x.relu());
/// let y = x.simple_rnn([&kernel, &recurrent_kernel, &bias], &relu, None);
/// assert_eq!(y.value().to_vec(), [0.5, 0.0]); // -1 + 2 0.5 = 0
/// ```
#[derive(Clone)]
pub enum Nonlinearity<T: Scalar> {
    /// `y = x`
    Linear,
    /// `y = 1 / (1 + e^-x)`
    Sigmoid,
    /// `y = tanh(x)`
    Tanh,
    /// Any other function of rows `[n, units]`, each of which gives a row of its own.
    Other(Arc<Function<T>>),
}

/// What [`Nonlinearity::Other`] holds.
type Function<T> = dyn for<'t> Fn(&Var<'t, T>) -> Var<'t, T> + Send + Sync;

impl<T: Scalar> fmt::Debug for Nonlinearity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nonlinearity::Linear => "Linear",
            Nonlinearity::Sigmoid => "Sigmoid",
            Nonlinearity::Tanh => "Tanh",
            Nonlinearity::Other(_) => "Other",
        })
    }
}

impl<T: Scalar> Nonlinearity<T> {
    /// A function that is none of the usual ones.
    ///
    /// ```
    /// use cinta::Nonlinearity;
    /// let elu: Nonlinearity<f32> = Nonlinearity::other(|x| x.elu());
    /// assert_eq!(format!("{elu:?}"), "Other");
    /// ```
    pub fn other(
        function: impl for<'t> Fn(&Var<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    ) -> Self {
        Nonlinearity::Other(Arc::new(function))
    }

    /// Whether [`pull`](Self::pull) needs what went in; for the usual ones, what came out is enough.
    fn needs_inputs(&self) -> bool {
        matches!(self, Nonlinearity::Other(_))
    }

    /// Replaces some columns of rows by the function of them. `inputs` has the place for what goes in, where that is needed, or
    /// none.
    #[inline(never)]
    fn apply(&self, values: &mut [T], inputs: &mut [T], stride: usize, part: Range<usize>) {
        let each = |values: &mut [T], f: fn(&mut [T])| {
            columns_mut(values, stride, part.clone()).for_each(f);
        };
        match self {
            Nonlinearity::Linear => {}
            Nonlinearity::Sigmoid => each(values, |row| map_in_place(Logistic, row)),
            Nonlinearity::Tanh => each(values, |row| map_in_place(Tanh, row)),
            Nonlinearity::Other(function) => {
                let x = gathered(values, stride, part.clone());
                if !inputs.is_empty() {
                    scatter(&x, inputs, stride, part.clone());
                }
                let shape = x.shape();
                let y = function(&Var::constant(x)).into_value();
                assert_eq!(y.shape(), shape, "a nonlinearity gives as many values as it gets");
                scatter(&y, values, stride, part);
            }
        }
    }

    /// Replaces gradients of what came out, `d`, by those of what went in, in the same columns of all three.
    #[inline(never)]
    fn pull(&self, outputs: &[T], inputs: &[T], d: &mut [T], stride: usize, part: Range<usize>) {
        let each = |d: &mut [T], slope: fn(T) -> T| {
            let rows = columns_mut(d, stride, part.clone());
            for (d, y) in rows.zip(columns(outputs, stride, part.clone())) {
                d.iter_mut().zip(y).for_each(|(d, &y)| *d *= slope(y));
            }
        };
        match self {
            Nonlinearity::Linear => {}
            Nonlinearity::Sigmoid => each(d, |y| y * (T::one() - y)),
            Nonlinearity::Tanh => each(d, |y| T::one() - y * y),
            Nonlinearity::Other(function) => {
                let tape = Tape::new();
                let x = tape.leaf(gathered(inputs, stride, part.clone()));
                let y = function(&x);
                // A function that does not look at its input has no slope.
                let dx = match y.is_tracked() {
                    true => y.backward_from(&gathered(d, stride, part.clone())).wrt(&x),
                    false => Tensor::zeros(x.shape()),
                };
                scatter(&dx, d, stride, part);
            }
        }
    }
}

/// Some columns of rows as a tensor.
fn gathered<T: Scalar>(values: &[T], stride: usize, part: Range<usize>) -> Tensor<T> {
    let shape = [values.len() / stride, part.len()];
    let rows = columns(values, stride, part).flatten().copied();
    Tensor::from_buffer(shape, Buffer::collect(shape[0] * shape[1], rows))
}

/// Writes a tensor to some columns of rows.
fn scatter<T: Scalar>(from: &Tensor<T>, values: &mut [T], stride: usize, part: Range<usize>) {
    let from = from.row_major();
    let rows = from.as_slice().expect("row-major").chunks_exact(part.len());
    columns_mut(values, stride, part).zip(rows).for_each(|(to, from)| to.copy_from_slice(from));
}

/// The sizes of a recurrent operation.
#[derive(Clone, Copy)]
struct Sizes {
    n: usize,
    steps: usize,
    units: usize,
}

impl Sizes {
    /// Checks the shapes of an operation with so many gates. The bias may also have the shape `[2, gates units]`, if `twice`.
    #[track_caller]
    fn of<T: Scalar>(
        name: &str,
        gates: usize,
        twice: bool,
        [x, kernel, recurrent_kernel, bias]: [&Tensor<T>; 4],
        mask: Option<&Tensor<T>>,
    ) -> Self {
        let (x, kernel, recurrent) = (x.shape(), kernel.shape(), recurrent_kernel.shape());
        let fits = x.rank() == 3
            && kernel.rank() == 2
            && recurrent.rank() == 2
            && kernel[0] == x[2]
            && recurrent[0] > 0
            && recurrent[1] == gates * recurrent[0]
            && kernel[1] == recurrent[1];
        assert!(
            fits,
            "{name}: needs sequences [n, steps, features], a kernel [features, {gates} units] and a recurrent kernel \
             [units, {gates} units], and the shapes are {x}, {kernel} and {recurrent}"
        );
        let bias = bias.shape();
        assert!(
            *bias == [kernel[1]] || twice && *bias == [2, kernel[1]],
            "{name}: the kernel {kernel} has {} outputs but the bias has the shape {bias}",
            kernel[1]
        );
        if let Some(mask) = mask {
            assert!(
                *mask.shape() == x[..2],
                "{name}: sequences {x} need a mask {}, and it has the shape {}",
                Shape::from([x[0], x[1]]),
                mask.shape()
            );
        }
        Sizes { n: x[0], steps: x[1], units: recurrent[0] }
    }

    /// States before the first step: zeros, from which an operation begins that is not told more.
    fn zeros<'t, T: Scalar>(x: &Var<'t, T>, recurrent_kernel: &Var<'t, T>) -> Var<'t, T> {
        let first = |x: &Var<'t, T>| x.shape().first().copied().unwrap_or(0);
        Var::constant(Tensor::zeros([first(x), first(recurrent_kernel)]))
    }

    /// Room for the states `[(steps + 1) n, units]`, with those before the first step in it.
    #[track_caller]
    fn states<T: Scalar>(self, name: &str, start: &Tensor<T>) -> Buffer<T> {
        let Sizes { n, steps, units } = self;
        assert!(
            *start.shape() == [n, units],
            "{name}: needs states {} to begin with, and their shape is {}",
            Shape::from([n, units]),
            start.shape()
        );
        let mut states = Buffer::zeroed((steps + 1) * n * units);
        states.iter_mut().zip(start.iter()).for_each(|(state, value)| *state = value);
        states
    }

    /// The values of one step, with so many for each sample.
    fn step(self, step: usize, each: usize) -> Range<usize> {
        step * self.n * each..(step + 1) * self.n * each
    }

    /// A buffer `[steps, n, each]` where `wanted`, else nothing.
    fn room<T: Scalar>(self, wanted: bool, each: usize) -> Buffer<T> {
        Buffer::stale(if wanted { self.steps * self.n * each } else { 0 })
    }

    /// `[n, steps, ..]` as rows `[steps n, ..]`.
    fn time_major<T: Scalar>(self, x: &Tensor<T>) -> Tensor<T> {
        let [_, steps, each] = x.dims();
        x.permute([1, 0, 2]).row_major().reshape([steps * self.n, each])
    }

    /// The products of all inputs with the kernel, and the bias.
    fn inputs<T: Scalar>(self, x: &Tensor<T>, kernel: &Tensor<T>, bias: &Tensor<T>) -> Buffer<T> {
        let bias = bias.row_major();
        let products = gemm::multiply(x, kernel, bias.as_slice(), Finish::Plain);
        Buffer::collect(products.len(), products.iter())
    }

    /// The rows `[steps n, each]` as `[n, steps, each]`.
    fn sample_major<T: Scalar>(self, rows: &Tensor<T>) -> Tensor<T> {
        let each = rows.shape()[1];
        rows.reshape([self.steps, self.n, each]).permute([1, 0, 2])
    }

    /// The gradients of the sequences, the kernel and the recurrent kernel, from those of the sums, `ds`, which are the same for
    /// all products, and the bias: `dx = ds kernel'`, `dkernel = x' ds`, `drecurrent_kernel = h_before' ds`, `dbias = sum of ds`.
    fn gradients<T: Scalar>(
        self,
        [x, kernel, states, ds]: [&Tensor<T>; 4],
        wanted: [bool; 4],
    ) -> [Option<Tensor<T>>; 4] {
        [
            wanted[0].then(|| self.sample_major(&ds.matmul(&kernel.t()))),
            wanted[1].then(|| x.t().matmul(ds)),
            wanted[2].then(|| self.before(states).t().matmul(ds)),
            wanted[3].then(|| ds.sum(0)),
        ]
    }

    /// The states before each step, and those after, of all states `[(steps + 1) n, units]`.
    fn before<T: Scalar>(self, states: &Tensor<T>) -> Tensor<T> {
        states.slice(0, ..self.steps * self.n)
    }

    fn after<T: Scalar>(self, states: &Tensor<T>) -> Tensor<T> {
        states.slice(0, self.n..)
    }
}

/// For each step and sample, whether it counts: by a mask `[n, steps]` in which 0 stands for no.
fn counted<T: Scalar>(mask: Option<&Tensor<T>>) -> Option<Vec<bool>> {
    mask.map(|mask| mask.t().iter().map(|value| value != T::zero()).collect())
}

/// The samples that a step leaves as they are.
fn skipped(counted: Option<&Vec<bool>>, step: Range<usize>) -> impl Iterator<Item = usize> + '_ {
    let step = counted.map_or(&[][..], |counted| &counted[step]);
    step.iter().enumerate().filter(|(_, counts)| !**counts).map(|(sample, _)| sample)
}

/// The steps of `[n, steps, features]`, as halves of halves: a gradient of a slice is as large as what it was cut from, so that all together
/// grow as `steps log(steps)`, and not as the square.
fn each_step<'t, T: Scalar>(x: &Var<'t, T>) -> Vec<Var<'t, T>> {
    let steps = x.shape()[1];
    if steps == 1 {
        return vec![x.clone()];
    }
    let halves = [0..steps / 2, steps / 2..steps].into_iter().filter(|half| !half.is_empty());
    halves.flat_map(|half| each_step(&x.slice(1, half))).collect()
}

/// The definition of a recurrent operation, as a composition of small ones: two states `[n, units]` through all steps, with what
/// `cell` makes of the input of a step and of both states. Returns the first state after each step, and the second one after
/// the last.
pub(crate) fn stepwise<'t, T: Scalar>(
    x: &Var<'t, T>,
    start: [&Var<'t, T>; 2],
    mask: Option<&Tensor<T>>,
    cell: impl Fn(&Var<'t, T>, &[Var<'t, T>; 2]) -> [Var<'t, T>; 2],
) -> [Var<'t, T>; 2] {
    let [n, _, features] = x.value().dims();
    let units = start[0].shape()[1];
    let mut states = start.map(Var::clone);
    let mut outputs = Vec::new();
    for (t, step) in each_step(x).iter().enumerate() {
        let new = cell(&step.reshape([n, features]), &states);
        states = match mask {
            None => new,
            Some(mask) => {
                let counts = mask.slice(1, t..t + 1);
                let stays = Var::constant(counts.map(|value| T::one() - value));
                let counts = Var::constant(counts);
                let [[h, c], [old_h, old_c]] = [&new, &states];
                [h * &counts + old_h * &stays, c * &counts + old_c * &stays]
            }
        };
        outputs.push(states[0].reshape([n, 1, units]));
    }
    let [_, last] = states;
    [Var::concat(&outputs.iter().collect::<Vec<_>>(), 1), last]
}
