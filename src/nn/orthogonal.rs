//! Random matrices with orthogonal columns.

use crate::kernels::sums::sum;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, standard_normal};
use rand::Rng;

/// A weight that is `gain` times a matrix with orthonormal columns, `[all axes but the last, last axis]`; with orthonormal rows, if it has
/// more columns than rows. All such matrices are equally likely.
///
/// It is the `Q` of the decomposition `A = Q R` of a matrix of normal numbers, with a positive diagonal of `R`: that is what Gram and
/// Schmidt's way gives. Each column is freed of those before it twice, so that rounding leaves nothing of them.
#[track_caller]
pub(super) fn orthogonal<T: Scalar>(shape: Shape, gain: f64, rng: &mut dyn Rng) -> Tensor<T> {
    assert!(shape.rank() > 1, "orthogonal: {shape} has no two axes");
    let columns = shape[shape.rank() - 1];
    let rows = shape[..shape.rank() - 1].iter().product::<usize>();
    let (long, short) = (rows.max(columns), rows.min(columns));
    let mut q = vec![vec![0.0; long]; short]; // the columns
    for i in 0..long {
        q.iter_mut().for_each(|column| column[i] = standard_normal(rng));
    }
    let dot = |a: &[f64], b: &[f64]| sum(long, a.iter().zip(b).map(|(a, b)| a * b));
    for at in 0..short {
        let (before, column) = q.split_at_mut(at);
        let column = &mut column[0];
        for other in before.iter().chain(before.iter()) {
            let shared = dot(other, column);
            column.iter_mut().zip(other).for_each(|(x, y)| *x -= shared * y);
        }
        let length = dot(column, column).sqrt();
        column.iter_mut().for_each(|x| *x /= length);
    }
    let at =
        |row: usize, column: usize| if rows < columns { q[row][column] } else { q[column][row] };
    let matrix = Tensor::from_fn([rows, columns], |i| T::lit(gain * at(i[0], i[1])));
    matrix.reshape(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;

    /// `Q` is the first factor of what was drawn, with a positive diagonal of the second.
    #[test]
    fn is_the_first_factor() {
        let q: Tensor<f64> = orthogonal([3, 4, 5].into(), 1.0, &mut Stream::new(3));
        let q = q.reshape([12, 5]);
        let rng = &mut Stream::new(3);
        let drawn: Vec<f64> = (0..60).map(|_| standard_normal(rng)).collect();
        let r = q.permute([1, 0]).matmul(&Tensor::new([12, 5], drawn.clone()));
        for i in 0..5 {
            assert!(r.at([i, i]) > 0.0);
            assert!((0..i).all(|j| r.at([i, j]).abs() < 1e-12), "{r:?}");
        }
        assert!(q.matmul(&r).all_close(&Tensor::new([12, 5], drawn), 1e-12, 1e-12));
    }

    #[test]
    fn columns_or_rows_are_orthogonal() {
        for (shape, gain) in [([6, 6], 1.0), ([40, 7], 2.0), ([3, 50], 0.5), ([1, 4], 1.0)] {
            let w: Tensor<f64> = orthogonal(shape.into(), gain, &mut Stream::new(5));
            let transposed = w.permute([1, 0]);
            let products = match shape[0] < shape[1] {
                true => w.matmul(&transposed),
                false => transposed.matmul(&w),
            };
            let n = shape[0].min(shape[1]);
            let expected =
                Tensor::from_fn([n, n], |i| if i[0] == i[1] { gain * gain } else { 0.0 });
            assert!(products.all_close(&expected, 1e-12, 1e-12), "{shape:?}: {products:?}");
        }
    }
}
