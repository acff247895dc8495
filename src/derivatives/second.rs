//! Second derivatives: the derivative of a gradient, forward over reverse.

use super::first::{duals, joined, single, unit};
use crate::autograd::{Recording, Var};
use crate::scalar::{Dual, Scalar};
use crate::tensor::Tensor;

/// The Hessian of a function whose value is a single number, times `tangents`: how its gradients move when the inputs move along them.
/// One run and one walk back with [`Dual`] numbers, for any number of inputs.
///
/// A closure takes the numbers it is given. A function that is to be run with others, too, is generic: `fn f<'t, T: Scalar>(..)`.
///
/// # Panics
/// When the value is not a single number, or a tangent has another shape than its input.
///
/// ```
/// use cinta::{Scalar, Tensor, Var, grad, hvp};
///
/// fn cubes<'t, T: Scalar>([x]: [&Var<'t, T>; 1]) -> Var<'t, T> {
///     (x * x * x).sum(..)
/// }
///
/// let x = Tensor::from([1.0, 2.0]);
/// assert_eq!(grad(cubes, [&x])[0].to_vec(), [3.0, 12.0]); // 3 x^2
/// assert_eq!(hvp(cubes, [&x], [&Tensor::from([1.0, 10.0])])[0].to_vec(), [6.0, 120.0]); // 6 x dx
/// ```
#[track_caller]
pub fn hvp<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, Dual<T>>; N]) -> Var<'t, Dual<T>>,
    inputs: [&Tensor<T>; N],
    tangents: [&Tensor<T>; N],
) -> [Tensor<T>; N] {
    let run = Recording::new(f, duals(inputs, tangents), [true; N]);
    single("hvp", run.value());
    let dy = Tensor::ones(run.value().shape());
    run.backward(&dy).map(|gradient| gradient.tangents())
}

/// The Hessian of a function whose value is a single number: for each two inputs, `[first's axes.., second's axes..]`. It is one [`hvp`]
/// for each element of the inputs.
///
/// # Panics
/// When the value is not a single number, or a Hessian has more than [`MAX_RANK`](crate::MAX_RANK) axes: reshape inside of the
/// function then.
///
/// ```
/// use cinta::{Tensor, hessian};
/// let (x, y) = (Tensor::scalar(2.0), Tensor::scalar(3.0));
/// let [[xx, xy], [yx, yy]] = hessian(|[x, y]| x * x * y, [&x, &y]);
/// assert_eq!([xx, xy, yx, yy].map(|h| h.item()), [6.0, 4.0, 4.0, 0.0]);
/// ```
#[track_caller]
pub fn hessian<T: Scalar, const N: usize>(
    f: impl for<'t> Fn([&Var<'t, Dual<T>>; N]) -> Var<'t, Dual<T>>,
    inputs: [&Tensor<T>; N],
) -> [[Tensor<T>; N]; N] {
    // The Hessian is symmetric: a row is a column.
    std::array::from_fn(|i| {
        let mut rows: [Vec<T>; N] = std::array::from_fn(|_| Vec::new());
        for at in 0..inputs[i].len() {
            let tangents: [Tensor<T>; N] = std::array::from_fn(|j| match i == j {
                true => unit(inputs[j].shape(), at),
                false => Tensor::zeros(inputs[j].shape()),
            });
            for (rows, row) in rows.iter_mut().zip(hvp(&f, inputs, tangents.each_ref())) {
                rows.extend(row.iter());
            }
        }
        std::array::from_fn(|j| {
            let dims = joined("hessian", inputs[i].shape(), inputs[j].shape());
            Tensor::new(&dims[..], std::mem::take(&mut rows[j]))
        })
    })
}
