//! `y_i = x_i - ln(sum over j of exp(x_j))` along the last axis.
//!
//! It is computed as `(x_i - m) - ln(sum over j of exp(x_j - m))` with the maximum `m`. The order counts: the logarithm is
//! small, and added to a large `m` it would be rounded away.

use crate::autograd::{Op, Var, apply};
use crate::kernels::{softmax, sums::sum};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct LogSoftmax;

impl<T: Scalar> Op<T, 1> for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let shape = x.shape();
        assert!(
            shape.last().is_some_and(|&width| width > 0),
            "log_softmax runs along the last axis, and the shape {shape} has none with elements"
        );
        let mut y = x.row_major();
        softmax::log_softmax(y.as_mut_slice(), shape[shape.len() - 1]);
        (y.clone(), y)
    }

    // dx = dy - exp(y) sum over j of dy_j
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut dx = dy.row_major();
        let width = y.shape()[y.rank() - 1];
        softmax::log_softmax_gradient(dx.as_mut_slice(), y.as_slice().expect("row-major"), width);
        [Some(dx)]
    }
}

/// `ln(sum of exp(x))` in two parts, whose sum it is: the maximum, which is taken out first so that nothing overflows, and
/// the rest. Whoever takes it from an `x` takes the maximum first.
pub(super) fn log_sum_exp<T: Scalar>(row: &[T]) -> (T, T) {
    let max = row.iter().copied().fold(T::neg_infinity(), T::max);
    (max, sum(row.len(), row.iter().map(|&x| (x - max).vector_exp())).vector_ln())
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The logarithm of the [`softmax`](Self::softmax),
    /// `y_i = x_i - ln(sum over j of exp(x_j))` along the last axis, without its loss of digits.
    ///
    /// # Panics
    /// For a scalar, and when the last axis is empty.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 1000.0]));
    /// assert_eq!(x.log_softmax().value().to_vec(), [-1000.0, 0.0]);
    /// assert_eq!(x.log_softmax().slice(0, 0..1).backward().wrt(&x).to_vec(), [1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn log_softmax(&self) -> Var<'t, T> {
        apply(LogSoftmax, [self])
    }
}

compiled!(|x: &Var<T>| x.log_softmax());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 3.0f64.ln()])).log_softmax();
        assert_close(y.value(), &Tensor::from([0.25f64.ln(), 0.75f64.ln()]));
    }

    #[test]
    fn what_all_have_in_common_does_not_count() {
        for v in [1.0, 1e4, 1e6, 1e8, 1e30, -1e8] {
            let y = Var::constant(Tensor::<f32>::full([1, 2], v)).log_softmax();
            assert_eq!(y.value().to_vec(), [-std::f32::consts::LN_2; 2], "{v}");
        }
        for v in [1e8, 1e15, -1e300] {
            let y = Var::constant(Tensor::<f64>::full([1, 2], v)).log_softmax();
            assert_eq!(y.value().to_vec(), [-std::f64::consts::LN_2; 2], "{v}");
        }
        // 1e8 - 8 is the next smaller number.
        let y = Var::constant(Tensor::<f32>::from([1e8, 1e8 - 8.0])).log_softmax();
        let rest = (-8f64).exp().ln_1p();
        let expected = Tensor::from([-rest, -8.0 - rest].map(|y| y as f32));
        assert!(y.value().all_close(&expected, 1e-6, 1e-7), "{:?}", y.value());
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.log_softmax(), [random(&[3, 2, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let [_, _, width] = x.dims();
            let expected = Tensor::from_fn(x.shape(), |i| {
                let sum: f64 = (0..width).map(|j| x.at([i[0], i[1], j]).exp()).sum();
                (x.at([i[0], i[1], i[2]]).exp() / sum).ln()
            });
            assert_close(Var::constant(x).log_softmax().value(), &expected);
        }
    }
}
