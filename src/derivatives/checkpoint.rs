//! Memory for time: a part of a computation that is computed again on the way back.

use crate::autograd::{Recording, Var, clock, record_with};
use crate::scalar::Scalar;

/// `f(inputs)`, of which the tape keeps the inputs alone. On the way back, `f` runs again. A chain of `n` parts, each behind a
/// checkpoint, keeps what goes into each part, and one part at a time in full. It costs one more run forward.
///
/// Gradients are the same to the bit, if `f` computes the same both times: what it draws at random must come from a
/// [`Stream`](crate::Stream) that begins anew with each call. (What several parts read gets the sum of their shares, where it would get
/// share after share; that rounds differently.)
///
/// # Panics
/// As `f`, and on inputs of different tapes.
///
/// ```
/// use cinta::{Tape, Tensor, checkpoint};
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::from([0.5, 1.0]));
/// let y = checkpoint(|[x]| x.square().tanh().exp(), [&x]);
/// assert_eq!(format!("{tape:?}"), "%0 = leaf [2]\n%1 = checkpoint(%0) [2]\n");
///
/// let dx = y.sum(..).backward().wrt(&x);
/// let plain = Tape::new();
/// let x = plain.leaf(Tensor::from([0.5, 1.0]));
/// assert_eq!(dx, x.square().tanh().exp().sum(..).backward().wrt(&x));
/// ```
#[track_caller]
pub fn checkpoint<'t, T: Scalar, const N: usize>(
    f: impl for<'s> Fn([&Var<'s, T>; N]) -> Var<'s, T> + 'static,
    inputs: [&Var<'t, T>; N],
) -> Var<'t, T> {
    let started = clock(&inputs);
    let values = inputs.map(|input| input.value().clone());
    let y = {
        let constants = values.each_ref().map(|value| Var::constant(value.clone()));
        f(constants.each_ref()).into_value()
    };
    let tracked = inputs.map(Var::is_tracked);
    record_with("checkpoint", y, &inputs, started, move |dy| {
        Recording::new(f, values, tracked).backward(&dy).into()
    })
}
