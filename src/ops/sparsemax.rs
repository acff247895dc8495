//! `y_i = max(x_i - t, 0)` along the last axis, with the `t` that makes the sum 1.
//!
//! Martins and Astudillo, *From softmax to sparsemax*, 2016: of the values in falling order, the first `k` count, where `k` is the largest
//! with `1 + k x_k > x_1 + .. + x_k`; then `t = (x_1 + .. + x_k - 1) / k`.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use num_traits::{Float, One, Zero};

struct Sparsemax;

impl<T: Scalar> Op<T, 1> for Sparsemax {
    const NAME: &'static str = "sparsemax";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let shape = x.shape();
        assert!(
            shape.last().is_some_and(|&width| width > 0),
            "sparsemax runs along the last axis, and the shape {shape} has none with elements"
        );
        let mut y = x.row_major();
        let mut sorted = Vec::new();
        for row in y.as_mut_slice().chunks_exact_mut(shape[shape.len() - 1]) {
            sorted.clear();
            sorted.extend(row.iter().map(|x| x.wide()));
            sorted.sort_unstable_by(|a, b| b.widen().total_cmp(&a.widen()));
            // What all have in common does not count, and would cost digits.
            let max = sorted[0];
            let (zero, one) = (T::Wide::zero(), T::Wide::one());
            let (mut sum, mut t) = (zero, -one);
            for (k, x) in (1..).map(f64::from).zip(sorted.iter().map(|&x| x - max)) {
                let k = T::Wide::lit(k);
                sum += x;
                if one + k * x <= sum {
                    break;
                }
                t = (sum - one) / k;
            }
            row.iter_mut().for_each(|x| *x = T::narrow(((x.wide() - max) - t).max(zero)));
        }
        (y.clone(), y)
    }

    // dx_i = dy_i - mean of dy_j, over those with y_j > 0; 0 for the others
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut dx = dy.row_major();
        let width = y.shape()[y.rank() - 1];
        let rows = dx.as_mut_slice().chunks_exact_mut(width);
        for (dx, y) in rows.zip(y.as_slice().expect("row-major").chunks_exact(width)) {
            let counts = y.iter().filter(|&&y| y > T::zero()).count();
            let flowing = dx.iter().zip(y).filter(|&(_, &y)| y > T::zero());
            let total: T::Wide = flowing.map(|(dy, _)| dy.wide()).sum();
            let mean = T::narrow(total / T::Wide::lit(counts as f64));
            dx.iter_mut().zip(y).for_each(|(dx, &y)| *dx = (*dx - mean).kept_if(y > T::zero()));
        }
        [Some(dx)]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y_i = max(x_i - t, 0)` along the last axis, with the `t` that makes the sum 1: like [`softmax`](Self::softmax), but small
    /// values become 0 (Martins and Astudillo, *From softmax to sparsemax*, 2016).
    ///
    /// # Panics
    /// For a scalar, and when the last axis is empty.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([2.0, 1.5, 0.0]));
    /// assert_eq!(x.sparsemax().value().to_vec(), [0.75, 0.25, 0.0]);
    /// assert_eq!(x.sparsemax().slice(0, 0..1).backward().wrt(&x).to_vec(), [0.5, -0.5, 0.0]);
    /// ```
    #[track_caller]
    pub fn sparsemax(&self) -> Var<'t, T> {
        apply(Sparsemax, [self])
    }
}

compiled!(|x: &Var<T>| x.sparsemax());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x =
            Var::constant(Tensor::from([[1e8, 1e8 - 0.5, 3.0], [0.3, 0.3, 0.3], [-5.0, 5.0, 0.0]]));
        let third = 1.0 / 3.0;
        let expected = Tensor::from([[0.75, 0.25, 0.0], [third, third, third], [0.0, 1.0, 0.0]]);
        assert_close(x.sparsemax().value(), &expected);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.sparsemax(), [random(&[3, 2, 5], -1.0, 1.0, 1, 0)]).unwrap();
    }

    proptest! {
        /// The `t` is found by halving an interval.
        #[test]
        fn definition(x in tensors(3, -1.0, 1.0)) {
            let [_, _, width] = x.dims();
            let expected = Tensor::from_fn(x.shape(), |i| {
                let row: Vec<f64> = (0..width).map(|j| x.at([i[0], i[1], j])).collect();
                let (mut low, mut high) = (-2.0, 1.0);
                for _ in 0..100 {
                    let t = (low + high) / 2.0;
                    let sum: f64 = row.iter().map(|x| (x - t).max(0.0)).sum();
                    if sum > 1.0 { low = t } else { high = t }
                }
                (row[i[2]] - low).max(0.0)
            });
            assert_close(Var::constant(x).sparsemax().value(), &expected);
        }
    }
}
