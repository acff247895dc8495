//! The lecture's filters as matrices.

use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// A filter `[size, size]` that gives the mean of its patch: it blurs a picture. The moving average in two dimensions.
///
/// # Panics
/// When the size is 0.
///
/// ```
/// use cinta::{Tensor, filters};
/// let f: Tensor = filters::blur(3);
/// assert_eq!(f.to_vec(), [1.0 / 9.0; 9]);
/// ```
#[track_caller]
#[inline(never)]
pub fn blur<T: Scalar>(size: usize) -> Tensor<T> {
    assert!(size > 0, "blur: a filter has a size of at least 1");
    Tensor::full([size, size], T::lit(1.0 / (size as f64 * size as f64)))
}

/// A filter `[3, 3]` that is large where a picture changes from dark to bright on the way down.
///
/// ```
/// use cinta::{Tensor, filters};
/// let f: Tensor = filters::edge();
/// assert_eq!(f, Tensor::from([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]));
/// // From left to right: the same on its side.
/// assert_eq!(f.t().slice(0, 0..1).to_vec(), [-1.0, 0.0, 1.0]);
/// ```
#[inline(never)]
pub fn edge<T: Scalar>() -> Tensor<T> {
    Tensor::from_fn([3, 3], |at| T::lit(at[0] as f64 - 1.0))
}

/// A filter `[5, 5]` that is large on diagonals from the top left to the bottom right, as thick as a pen: 2 on the diagonal, 1
/// beside it, -1 elsewhere.
///
/// ```
/// use cinta::{Tensor, filters};
/// let f: Tensor = filters::falling_diagonal();
/// assert_eq!(f.slice(0, 1..2).to_vec(), [1.0, 2.0, 1.0, -1.0, -1.0]);
/// ```
#[inline(never)]
pub fn falling_diagonal<T: Scalar>() -> Tensor<T> {
    Tensor::from_fn([5, 5], |at| {
        T::lit(match at[0].abs_diff(at[1]) {
            0 => 2.0,
            1 => 1.0,
            _ => -1.0,
        })
    })
}

/// [`falling_diagonal`] in the mirror: large on diagonals from the bottom left to the top right.
///
/// ```
/// use cinta::{Tensor, filters};
/// let f: Tensor = filters::rising_diagonal();
/// assert_eq!(f.slice(0, 0..1).to_vec(), [-1.0, -1.0, -1.0, 1.0, 2.0]);
/// ```
#[inline(never)]
pub fn rising_diagonal<T: Scalar>() -> Tensor<T> {
    falling_diagonal().flip(1)
}

compiled!(|size: usize| (
    blur::<T>(size),
    edge::<T>(),
    falling_diagonal::<T>(),
    rising_diagonal::<T>()
));
