//! What an operation is, and how it gets onto the tape.

use super::{Node, Origin, Pullback, Tape, Var, clock};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::time::Instant;

/// A differentiable operation with `N` inputs: its forward rule beside its backward rule.
///
/// The crate's own operations are written with it, one file each, and so are yours:
///
/// ```
/// use cinta::{Op, Tape, Tensor, Var, apply, gradcheck};
///
/// /// y = x^3
/// struct Cube;
///
/// impl Op<f64, 1> for Cube {
///     const NAME: &'static str = "cube";
///     type Saved = Tensor<f64>;
///
///     fn forward(&self, [x]: [&Tensor<f64>; 1], _wanted: [bool; 1]) -> (Tensor<f64>, Self::Saved) {
///         (x.map(|x| x * x * x), x.clone())
///     }
///
///     fn backward(&self, x: Self::Saved, dy: Tensor<f64>, _wanted: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
///         [Some(dy * x.map(|x| 3.0 * x * x))] // dx = dy 3 x^2
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(2.0));
/// let y = apply(Cube, [&x]);
/// assert_eq!(y.value().item(), 8.0);
/// assert_eq!(y.backward().wrt(&x).item(), 12.0);
///
/// gradcheck(|[x]| apply(Cube, [x]), [Tensor::from([0.5, -1.0, 2.0])]).unwrap();
/// ```
pub trait Op<T: Scalar, const N: usize>: 'static {
    /// The name under which the tape prints it.
    const NAME: &'static str;

    /// What backward must remember: the least that suffices, shapes rather than tensors.
    type Saved: 'static;

    /// The output, and what backward will need. `wanted[i]` says whether a gradient of input `i`
    /// will be asked for; where none is, nothing need be saved for it.
    ///
    /// # Panics
    /// When the shapes do not fit, with both of them in the message; `#[track_caller]` makes that
    /// message point at the caller's line.
    #[track_caller]
    fn forward(&self, inputs: [&Tensor<T>; N], wanted: [bool; N]) -> (Tensor<T>, Self::Saved);

    /// The gradient of every wanted input, in that input's shape, from the output's gradient `dy`.
    /// `dy` comes by value, so that its memory can be reused.
    fn backward(
        &self,
        saved: Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; N],
    ) -> [Option<Tensor<T>>; N];
}

/// Runs an operation, and records it if one of its inputs is tracked.
///
/// # Panics
/// When the shapes do not fit the operation, or the inputs belong to different tapes.
///
/// ```
/// use cinta::{Op, Tape, Tensor, apply};
///
/// struct Twice;
///
/// impl Op<f32, 1> for Twice {
///     const NAME: &'static str = "twice";
///     type Saved = ();
///     fn forward(&self, [x]: [&Tensor<f32>; 1], _: [bool; 1]) -> (Tensor<f32>, ()) {
///         (x * 2.0, ())
///     }
///     fn backward(&self, _: (), dy: Tensor<f32>, _: [bool; 1]) -> [Option<Tensor<f32>>; 1] {
///         [Some(dy * 2.0)]
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(3.0));
/// let y = apply(Twice, [&x]);
/// assert_eq!((y.value().item(), y.backward().wrt(&x).item()), (6.0, 2.0));
/// ```
#[track_caller]
#[inline(never)]
pub fn apply<'t, T: Scalar, O: Op<T, N>, const N: usize>(
    op: O,
    inputs: [&Var<'t, T>; N],
) -> Var<'t, T> {
    let (wanted, started) = (wanted(&inputs), clock(&inputs));
    let (value, saved) = op.forward(values(&inputs), wanted);
    let Some(tape) = common_tape(&inputs) else { return Var::constant(value) };
    let pullback = move |dy: Tensor<T>, shares: &mut [Option<Tensor<T>>]| {
        give(op.backward(saved, dy, wanted), shares);
    };
    record(tape, O::NAME, value, &inputs, started, Box::new(pullback))
}

// What follows is the part of `apply` that is the same for all operations, and compiled once for all with `N` inputs.

#[inline(never)]
fn wanted<T: Scalar, const N: usize>(inputs: &[&Var<'_, T>; N]) -> [bool; N] {
    inputs.map(|input| input.is_tracked())
}

#[inline(never)]
fn values<'a, T: Scalar, const N: usize>(inputs: &[&'a Var<'_, T>; N]) -> [&'a Tensor<T>; N] {
    inputs.map(|input| input.value())
}

#[inline(never)]
fn give<T: Scalar, const N: usize>(
    gradients: [Option<Tensor<T>>; N],
    shares: &mut [Option<Tensor<T>>],
) {
    for (share, gradient) in shares.iter_mut().zip(gradients) {
        *share = gradient;
    }
}

/// A node with any number of inputs, whose gradients `backward` gives, all of them, in the inputs' shapes. It began when
/// [`clock`] said.
#[track_caller]
pub(crate) fn record_with<'t, T: Scalar>(
    name: &'static str,
    value: Tensor<T>,
    inputs: &[&Var<'t, T>],
    started: Option<Instant>,
    backward: impl FnOnce(Tensor<T>) -> Vec<Tensor<T>> + 'static,
) -> Var<'t, T> {
    let Some(tape) = common_tape(inputs) else { return Var::constant(value) };
    let pullback = move |dy: Tensor<T>, shares: &mut [Option<Tensor<T>>]| {
        for (share, gradient) in shares.iter_mut().zip(backward(dy)) {
            *share = Some(gradient);
        }
    };
    record(tape, name, value, inputs, started, Box::new(pullback))
}

#[track_caller]
#[inline(never)]
fn record<'t, T: Scalar>(
    tape: &'t Tape<T>,
    name: &'static str,
    value: Tensor<T>,
    inputs: &[&Var<'t, T>],
    started: Option<Instant>,
    pullback: Pullback<T>,
) -> Var<'t, T> {
    let parents = inputs.iter().map(|input| input.origin.map(|origin| origin.node)).collect();
    let shape = value.shape();
    tape.push(value, Node { name, shape, parents, pullback: Some(pullback) }, started)
}

/// The tape that all tracked inputs share: `None` if all are constants.
#[track_caller]
#[inline(never)]
fn common_tape<'t, T: Scalar>(inputs: &[&Var<'t, T>]) -> Option<&'t Tape<T>> {
    let mut tapes = inputs.iter().filter_map(|input| input.origin.map(|Origin { tape, .. }| tape));
    let first = tapes.next()?;
    assert!(tapes.all(|tape| std::ptr::eq(tape, first)), "an operation on variables of two tapes");
    Some(first)
}
