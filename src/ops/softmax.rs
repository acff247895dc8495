//! `y_i = exp(x_i) / sum over j of exp(x_j)` along the last axis.

use crate::autograd::{Op, Var, apply};
use crate::kernels::softmax;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Softmax;

impl<T: Scalar> Op<T, 1> for Softmax {
    const NAME: &'static str = "softmax";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.softmax();
        (y.clone(), y)
    }

    // dx = y (dy - sum over j of dy_j y_j)
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut dx = dy.row_major();
        let width = y.shape()[y.rank() - 1];
        let y = y.row_major();
        softmax::softmax_gradient(dx.as_mut_slice(), y.as_slice().expect("row-major"), width);
        [Some(dx)]
    }
}

impl<T: Scalar> Tensor<T> {
    /// `y_i = exp(x_i) / sum over j of exp(x_j)` along the last axis: positive values with sum 1. The
    /// maximum is subtracted first, so that nothing overflows.
    ///
    /// # Panics
    /// For a scalar, and when the last axis is empty.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1000.0, 1000.0]).softmax().to_vec(), [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn softmax(&self) -> Tensor<T> {
        let shape = self.shape();
        assert!(
            shape.last().is_some_and(|&width| width > 0),
            "softmax runs along the last axis, and the shape {shape} has none with elements"
        );
        let mut y = self.row_major();
        softmax::softmax(y.as_mut_slice(), shape[shape.len() - 1]);
        y
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y_i = exp(x_i) / sum over j of exp(x_j)` along the last axis, as [`Tensor::softmax`].
    ///
    /// # Panics
    /// For a scalar, and when the last axis is empty.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([2.0, 2.0]));
    /// let y = x.softmax();
    /// assert_eq!(y.value().to_vec(), [0.5, 0.5]);
    /// assert_eq!(y.slice(0, 0..1).backward().wrt(&x).to_vec(), [0.25, -0.25]);
    /// ```
    #[track_caller]
    pub fn softmax(&self) -> Var<'t, T> {
        apply(Softmax, [self])
    }
}

compiled!(|x: &Var<T>| (x.softmax(), x.value().softmax()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[0.0, 3.0f64.ln()], [-1e4, 1e4]]));
        assert_close(x.softmax().value(), &Tensor::from([[0.25, 0.75], [0.0, 1.0]]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.softmax(), [random(&[3, 2, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "softmax runs along the last axis, and the shape [2, 0] has none")]
    fn nothing_to_normalise() {
        Tensor::<f64>::zeros([2, 0]).softmax();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let [_, _, width] = x.dims();
            let expected = Tensor::from_fn(x.shape(), |i| {
                let sum: f64 = (0..width).map(|j| x.at([i[0], i[1], j]).exp()).sum();
                x.at([i[0], i[1], i[2]]).exp() / sum
            });
            assert_close(Var::constant(x).softmax().value(), &expected);
        }
    }
}
