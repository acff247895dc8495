//! First derivatives: backward, and forward.

use crate::autograd::{Recording, Var};
use crate::scalar::{Dual, Scalar};
use crate::tensor::{MAX_RANK, Shape, Tensor};

/// The gradients of a function of one or more tensors whose value is a single number.
///
/// # Panics
/// When the value is not a single number.
///
/// ```
/// use cinta::{Tensor, grad};
/// let (x, w) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[0.5], [-0.25]]));
/// let [dx, dw] = grad(|[x, w]| x.matmul(w).exp().sum(..), [&x, &w]);
/// assert_eq!((dx, dw), (w.t(), x.t())); // times exp(0)
/// ```
#[track_caller]
pub fn grad<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
    inputs: [&Tensor<T>; N],
) -> [Tensor<T>; N] {
    value_and_grad(f, inputs).1
}

/// The value of a function whose value is a single number, and its gradients.
///
/// # Panics
/// When the value is not a single number.
///
/// ```
/// use cinta::{Tensor, value_and_grad};
/// let (y, [dx]) = value_and_grad(|[x]| x.square().sum(..), [&Tensor::from([1.0, 3.0])]);
/// assert_eq!((y, dx.to_vec()), (10.0, vec![2.0, 6.0]));
/// ```
#[track_caller]
pub fn value_and_grad<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
    inputs: [&Tensor<T>; N],
) -> (T, [Tensor<T>; N]) {
    let run = Recording::new(f, inputs.map(Tensor::clone), [true; N]);
    let y = single("grad", run.value());
    let dy = Tensor::ones(run.value().shape());
    (y, run.backward(&dy))
}

/// The number that a function must give.
#[track_caller]
pub(super) fn single<T: Scalar>(asked: &str, value: &Tensor<T>) -> T {
    assert_eq!(
        value.len(),
        1,
        "{asked}: the function's value has shape {}, and must be a single number",
        value.shape()
    );
    value.to_vec()[0]
}

/// The value `y` of a function, and `dy` times its Jacobian: what the gradient `dy` of the value is for each input.
///
/// # Panics
/// When `dy` has another shape than the value.
///
/// ```
/// use cinta::{Tensor, vjp};
/// let (x, dy) = (Tensor::from([1.0, 3.0]), Tensor::from([1.0, 10.0]));
/// let (y, [dx]) = vjp(|[x]| x.square(), [&x], &dy);
/// assert_eq!((y.to_vec(), dx.to_vec()), (vec![1.0, 9.0], vec![2.0, 60.0]));
/// ```
#[track_caller]
pub fn vjp<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
    inputs: [&Tensor<T>; N],
    dy: &Tensor<T>,
) -> (Tensor<T>, [Tensor<T>; N]) {
    let run = Recording::new(f, inputs.map(Tensor::clone), [true; N]);
    let y = run.value();
    assert_eq!(
        dy.shape(),
        y.shape(),
        "vjp: a gradient of shape {} for a value of shape {}",
        dy.shape(),
        y.shape()
    );
    (y.clone(), run.backward(dy))
}

/// The value of a function, and its Jacobian times `tangents`: how the value moves when the inputs move along them. This is forward
/// mode: one run with [`Dual`] numbers, and no tape.
///
/// # Panics
/// When a tangent has another shape than its input.
///
/// ```
/// use cinta::{Tensor, jvp};
/// let (x, dx) = (Tensor::from([1.0, 3.0]), Tensor::from([1.0, 10.0]));
/// let (y, dy) = jvp(|[x]| x.square(), [&x], [&dx]);
/// assert_eq!((y.to_vec(), dy.to_vec()), (vec![1.0, 9.0], vec![2.0, 60.0]));
/// ```
#[track_caller]
pub fn jvp<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, Dual<T>>; N]) -> Var<'t, Dual<T>>,
    inputs: [&Tensor<T>; N],
    tangents: [&Tensor<T>; N],
) -> (Tensor<T>, Tensor<T>) {
    let vars = duals(inputs, tangents).map(Var::constant);
    let y = f(vars.each_ref()).into_value();
    (y.values(), y.tangents())
}

/// The inputs, moving along the tangents.
#[track_caller]
pub(super) fn duals<T: Scalar, const N: usize>(
    inputs: [&Tensor<T>; N],
    tangents: [&Tensor<T>; N],
) -> [Tensor<Dual<T>>; N] {
    std::array::from_fn(|i| inputs[i].dual(tangents[i]))
}

/// The Jacobians of a function: for each input, `[value's axes.., input's axes..]`. One run backward for each element of the
/// value; [`jvp`] needs one forward for each element of the inputs, if those are fewer.
///
/// # Panics
/// When a Jacobian has more than [`MAX_RANK`] axes: reshape inside of the function then.
///
/// ```
/// use cinta::{Tensor, jacobian};
/// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// let [j] = jacobian(|[x]| cinta::Var::constant(a.clone()).matmul(x), [&Tensor::from([[1.0], [1.0]])]);
/// assert_eq!(j.reshape([3, 2]), a);
/// ```
#[track_caller]
pub fn jacobian<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
    inputs: [&Tensor<T>; N],
) -> [Tensor<T>; N] {
    let record = || Recording::new(&f, inputs.map(Tensor::clone), [true; N]);
    let first = record();
    let shape = first.value().shape();
    let mut rows: [Vec<T>; N] = std::array::from_fn(|_| Vec::new());
    // A tape is walked once.
    let runs = std::iter::once(first).chain(std::iter::repeat_with(record));
    for (at, run) in runs.take(shape.count()).enumerate() {
        for (rows, row) in rows.iter_mut().zip(run.backward(&unit(shape, at))) {
            rows.extend(row.iter());
        }
    }
    std::array::from_fn(|i| {
        let dims = joined("jacobian", shape, inputs[i].shape());
        Tensor::new(&dims[..], std::mem::take(&mut rows[i]))
    })
}

/// 1 at one place in reading order, 0 elsewhere.
pub(super) fn unit<T: Scalar>(shape: Shape, at: usize) -> Tensor<T> {
    let mut values = vec![T::zero(); shape.count()];
    values[at] = T::one();
    Tensor::new(shape, values)
}

/// The axes of a matrix whose rows have one shape, and its columns another.
#[track_caller]
pub(super) fn joined(asked: &str, rows: Shape, columns: Shape) -> Vec<usize> {
    let dims = [&rows[..], &columns[..]].concat();
    assert!(
        dims.len() <= MAX_RANK,
        "{asked}: the derivative of shape {rows} by {columns} has {} axes, more than {MAX_RANK}; reshape inside of the function",
        dims.len()
    );
    dims
}
