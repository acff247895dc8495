//! Derivatives that are themselves recorded, so that a loss may contain them.

use crate::autograd::{Recording, Var, clock, record_with};
use crate::scalar::{Dual, Scalar};
use crate::tensor::Tensor;

/// [`jvp`](crate::jvp) of vars: the value of a function and its derivative along `tangents`, both on the tape of the inputs. What is
/// computed from them has gradients with respect to inputs and tangents.
///
/// So a network can be asked for the derivative by its input, and be trained for what that derivative is. The function takes
/// everything that has gradients as an input, the weights too; what does not move has a tangent of zeros. Inside of the function, it may be
/// used again: that gives second derivatives.
///
/// # Panics
/// When a tangent has another shape than its input, and when a value has [`MAX_RANK`](crate::MAX_RANK) axes.
///
/// ```
/// use cinta::{Tape, Tensor, Var, on_tape};
/// let tape = Tape::new();
/// let (w, x) = (tape.leaf(Tensor::scalar(3.0)), Var::constant(Tensor::scalar(2.0)));
/// let (zero, one) = (Var::constant(Tensor::scalar(0.0)), Var::constant(Tensor::scalar(1.0)));
/// let (y, dy) = on_tape::jvp(|[w, x]| w * x * x, [&w, &x], [&zero, &one]); // w x^2, and 2 w x by x
/// assert_eq!((y.value().item(), dy.value().item()), (12.0, 12.0));
/// assert_eq!((y + dy).backward().wrt(&w).item(), 8.0); // x^2 + 2 x
/// ```
#[track_caller]
pub fn jvp<'t, T: Scalar, const N: usize>(
    f: impl for<'s> Fn([&Var<'s, Dual<T>>; N]) -> Var<'s, Dual<T>>,
    inputs: [&Var<'t, T>; N],
    tangents: [&Var<'t, T>; N],
) -> (Var<'t, T>, Var<'t, T>) {
    let all: Vec<&Var<'t, T>> = inputs.into_iter().chain(tangents).collect();
    let started = clock(&all);
    let duals = std::array::from_fn(|i| inputs[i].value().dual(tangents[i].value()));
    let tracked = std::array::from_fn(|i| inputs[i].is_tracked() || tangents[i].is_tracked());
    let run = Recording::new(f, duals, tracked);
    let (y, dy) = (run.value().values(), run.value().tangents());
    let shape = y.shape();
    let pair = shape.batch(2);
    let both = Tensor::concat(&[y.reshape(shape.batch(1)), dy.reshape(shape.batch(1))]);
    let both = record_with("jvp", both, &all, started, move |grad| {
        let [of_y, of_dy] = [0, 1].map(|i| grad.slice(0, i..i + 1).reshape(shape));
        // What the gradients a of y and b of dy = J v are for x and v: a J + b dJ/dx v and b J. With the seed b + a e, the walk back
        // has b J as its value and the rest as its tangent.
        let gradients = run.backward(&of_dy.dual(&of_y));
        let of_inputs = gradients.iter().map(Tensor::tangents);
        of_inputs.chain(gradients.iter().map(Tensor::values)).collect()
    });
    debug_assert_eq!(both.shape(), pair);
    let part = |i: usize| both.slice(0, i..i + 1).reshape(shape);
    (part(0), part(1))
}
