//! `y[.., i, j] = sum over p of a[.., i, p] b[.., p, j]`, the products of two lists of matrices.
//!
//! Operands of any strides are read; the result is row-major. A NaN is in the row and the column that it belongs to.

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::gemm;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct BatchMatmul;

/// The shape without its last two axes.
fn lists(shape: Shape) -> Shape {
    Shape::new(&shape[..shape.rank() - 2])
}

/// The shape of a list of matrices.
fn list_of(lists: Shape, matrix: [usize; 2]) -> Shape {
    Shape::new(&[&lists[..], &matrix].concat())
}

/// The last two axes.
fn matrix(shape: Shape) -> [usize; 2] {
    let [.., rows, columns] = shape[..] else { unreachable!("at least two axes") };
    [rows, columns]
}

/// All rows of all matrices as one matrix.
#[track_caller]
fn rows<T: Scalar>(list: &Tensor<T>) -> Tensor<T> {
    let [rows, columns] = matrix(list.shape());
    list.reshape([lists(list.shape()).count() * rows, columns])
}

/// The products, in the lists that both broadcast to.
#[track_caller]
fn products<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let ([m, inner], [_, n]) = (matrix(a.shape()), matrix(b.shape()));
    let (a_lists, b_lists) = (lists(a.shape()), lists(b.shape()));
    let lists = a_lists.broadcast_with(&b_lists).expect("lists that fit");
    let shape = list_of(lists, [m, n]);
    let count = lists.count();
    if b_lists.count() == 1 && a_lists == lists {
        // One matrix for all: one product of all rows.
        return gemm::matmul(&rows(a), &b.reshape([inner, n])).reshape(shape);
    }
    let list = |x: &Tensor<T>, matrix: [usize; 2]| {
        x.broadcast_to(list_of(lists, matrix)).reshape(list_of([count].into(), matrix))
    };
    let (a, b) = (list(a, [m, inner]), list(b, [inner, n]));
    let mut values = Buffer::stale(shape.count());
    for (i, y) in values.chunks_exact_mut((m * n).max(1)).enumerate() {
        let matrix = |x: &Tensor<T>| x.slice(0, i..i + 1).squeeze(0);
        gemm::matmul(&matrix(&a), &matrix(&b)).copy_to(y);
    }
    Tensor::from_buffer(shape, values)
}

fn transposed<T: Scalar>(list: &Tensor<T>) -> Tensor<T> {
    let rank = list.rank();
    list.swap_axes(rank - 2, rank - 1)
}

impl<T: Scalar> Op<T, 2> for BatchMatmul {
    const NAME: &'static str = "batch_matmul";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (products(a, b), (a.clone(), b.clone()))
    }

    // da = dy b', db = a' dy, each added up over the places where it was repeated
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let (a_shape, b_shape) = (a.shape(), b.shape());
        let da = wanted[0].then(|| products(&dy, &transposed(&b)).sum_to(a_shape));
        let db = wanted[1].then(|| {
            if lists(b_shape).count() == 1 && lists(a_shape) == lists(dy.shape()) {
                return gemm::matmul(&rows(&a).t(), &rows(&dy)).reshape(b_shape);
            }
            products(&transposed(&a), &dy).sum_to(b_shape)
        });
        [da, db]
    }
}

/// Panics when these are no lists of matrices that fit.
#[track_caller]
fn check_fit(a: Shape, b: Shape) {
    let fit = a.rank() >= 2 && b.rank() >= 2 && {
        let inner = matrix(a)[1] == matrix(b)[0];
        inner && lists(a).broadcast_with(&lists(b)).is_some()
    };
    assert!(
        fit,
        "batch_matmul: needs the shapes [.., a, b] and [.., b, c] with leading axes that broadcast, \
         and they are {a} and {b}"
    );
}

impl<T: Scalar> Tensor<T> {
    /// The products of matrices: `[.., a, b]` times `[.., b, c]` gives `[.., a, c]`. The leading axes of the two broadcast by NumPy's
    /// rule, so that one matrix can be multiplied by all. The product along an inner axis of length 0 is 0.
    ///
    /// # Panics
    /// When one of the two has fewer than two axes, the inner lengths differ, or the leading axes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let a = Tensor::from([[[1.0, 2.0]], [[3.0, 4.0]]]);
    /// assert_eq!(a.batch_matmul(&Tensor::from([[1.0], [1.0]])), Tensor::from([[[3.0]], [[7.0]]]));
    /// ```
    #[track_caller]
    pub fn batch_matmul(&self, other: &Tensor<T>) -> Tensor<T> {
        Var::constant(self.clone()).batch_matmul(&Var::constant(other.clone())).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The products of matrices: `[.., a, b]` times `[.., b, c]` gives `[.., a, c]`, as [`Tensor::batch_matmul`].
    ///
    /// # Panics
    /// When one of the two has fewer than two axes, the inner lengths differ, or the leading axes do not broadcast.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.leaf(Tensor::from([[[1.0, 2.0]], [[3.0, 4.0]]]));
    /// let b = tape.leaf(Tensor::from([[[1.0], [1.0]], [[2.0], [0.0]]]));
    /// let y = a.batch_matmul(&b);
    /// assert_eq!(y.value(), &Tensor::from([[[3.0]], [[6.0]]]));
    /// assert_eq!(y.sum(..).backward().wrt(&b), Tensor::from([[[1.0], [2.0]], [[3.0], [4.0]]]));
    /// ```
    #[track_caller]
    pub fn batch_matmul(&self, other: &Var<'t, T>) -> Var<'t, T> {
        check_fit(self.shape(), other.shape());
        apply(BatchMatmul, [self, other])
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| x.batch_matmul(y));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Var::constant(Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
        let b = Var::constant(Tensor::from([[[1.0, 0.0], [1.0, -1.0]]]));
        assert_close(a.batch_matmul(&b).value(), &Tensor::from([[[3.0, -2.0], [7.0, -4.0]]]));
        let zeros = |dims: &[usize]| Tensor::<f64>::zeros(dims);
        let shape = |a: &[usize], b: &[usize]| zeros(a).batch_matmul(&zeros(b)).shape();
        assert_eq!(shape(&[0, 2, 3], &[3, 4]), [0, 2, 4]);
        assert_eq!(shape(&[2, 0, 3], &[2, 3, 4]), [2, 0, 4]);
        assert_eq!(shape(&[0, 1, 2, 3], &[5, 3, 0]), [0, 5, 2, 0]);
        assert_eq!(zeros(&[2, 2, 0]).batch_matmul(&zeros(&[2, 0, 3])), zeros(&[2, 2, 3]));
        // A NaN stays in its row, and in its matrix.
        let nan = Tensor::from([[[f64::NAN], [1.0]], [[1.0], [1.0]]]).batch_matmul(&zeros(&[1, 1]));
        assert_eq!(nan.iter().filter(|x| x.is_nan()).count(), 1);
    }

    #[test]
    fn gradient() {
        let a = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        let b = random(&[3, 5, 4], -2.0, 2.0, 2, 1);
        gradcheck(|[a, b]| a.batch_matmul(b), [a, b.clone()]).unwrap();
        // One of the two is repeated, both are, and one has no lists at all.
        for [a, b] in [
            [&[3, 1, 2, 3][..], &[1, 4, 3, 2]],
            [&[2, 3], &[4, 3, 2]],
            [&[4, 2, 3], &[3, 2]],
            [&[1, 2, 3], &[2, 2, 3, 1]],
            [&[2, 2, 2, 3], &[1, 1, 3, 1]],
            [&[2, 3], &[3, 2]],
        ] {
            let (a, b) = (random(a, -2.0, 2.0, 1, 0), random(b, -2.0, 2.0, 2, 0));
            gradcheck(|[a, b]| a.batch_matmul(b).square(), [a, b]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "they are [2, 3, 4] and [2, 3, 4]")]
    fn inner_lengths_differ() {
        let x = Var::constant(Tensor::<f64>::zeros([2, 3, 4]));
        x.batch_matmul(&x);
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform4(1usize..5), seed: u64, layout in 0u8..4) {
            let [n, rows, inner, columns] = dims;
            let a = random(&[n, rows, inner], -2.0, 2.0, seed, layout);
            let b = random(&[n, inner, columns], -2.0, 2.0, seed ^ 1, layout / 2);
            let expected = Tensor::from_fn([n, rows, columns], |at| {
                (0..inner).map(|p| a.at([at[0], at[1], p]) * b.at([at[0], p, at[2]])).sum()
            });
            let y = Var::constant(a).batch_matmul(&Var::constant(b));
            assert_close(y.value(), &expected);
        }

        /// Leading axes that are repeated.
        #[test]
        fn broadcasts(dims in prop::array::uniform5(1usize..4), ones in 0u8..4, drop in 0usize..3, seed: u64, layout in 0u8..4) {
            let [p, q, rows, inner, columns] = dims;
            let keep = |bit: u8, len: usize| if ones >> bit & 1 == 1 { 1 } else { len };
            let b_dims = [keep(0, p), keep(1, q), inner, columns];
            let a = random(&[keep(1, p), keep(0, q), rows, inner], -2.0, 2.0, seed, layout);
            let b = random(&b_dims[..], -2.0, 2.0, seed ^ 1, layout / 2);
            let y = a.batch_matmul(&b);
            let [yp, yq, _, _] = y.dims();
            let place = |x: &Tensor<f64>, at: [usize; 4]| x.at::<4>(std::array::from_fn(|i| if x.shape()[i] == 1 { 0 } else { at[i] }));
            let expected = Tensor::from_fn([yp, yq, rows, columns], |at| {
                (0..inner).map(|k| place(&a, [at[0], at[1], at[2], k]) * place(&b, [at[0], at[1], k, at[3]])).sum()
            });
            assert_close(&y, &expected);
            // An operand whose leading axes are missing.
            let part = (0..drop).fold(b, |b, _| b.slice(0, 0..1).squeeze(0));
            let whole = (0..drop).fold(part.clone(), |b, _| b.expand_dims(0));
            assert_close(&a.batch_matmul(&part), &a.batch_matmul(&whole));
        }
    }
}
