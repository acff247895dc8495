//! `y[i] = a[i] b[i]`, the products of two lists of matrices.

use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct BatchMatmul;

/// The `i`-th matrix of a list.
fn matrix<T: Scalar>(list: &Tensor<T>, i: usize) -> Tensor<T> {
    list.slice(0, i..i + 1).reshape(list.shape().sample())
}

/// `[n, a, c]` of `[n, a, b]` and `[n, b, c]`.
fn products<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let [n, rows, _] = a.dims();
    let [_, _, columns] = b.dims();
    let mut values = Vec::with_capacity(n * rows * columns);
    (0..n).for_each(|i| values.extend(gemm::matmul(&matrix(a, i), &matrix(b, i)).iter()));
    Tensor::new([n, rows, columns], values)
}

fn transposed<T: Scalar>(list: &Tensor<T>) -> Tensor<T> {
    list.permute([0, 2, 1])
}

impl<T: Scalar> Op<T, 2> for BatchMatmul {
    const NAME: &'static str = "batch_matmul";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (products(a, b), (a.clone(), b.clone()))
    }

    // da = dy b', db = a' dy
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let da = wanted[0].then(|| products(&dy, &transposed(&b)));
        [da, wanted[1].then(|| products(&transposed(&a), &dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The products of matrices: `[n, a, b]` times `[n, b, c]` gives `[n, a, c]`.
    ///
    /// # Panics
    /// When the two are no lists of as many matrices, or the inner lengths differ.
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
        let (a, b) = (self.shape(), other.shape());
        let fit = match (&*a, &*b) {
            ([n, _, inner], [m, rows, _]) => n == m && inner == rows,
            _ => false,
        };
        assert!(
            fit,
            "batch_matmul: needs the shapes [n, a, b] and [n, b, c], and they are {a} and {b}"
        );
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
    }

    #[test]
    fn gradient() {
        let a = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        let b = random(&[3, 5, 4], -2.0, 2.0, 2, 1);
        gradcheck(|[a, b]| a.batch_matmul(b), [a, b]).unwrap();
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
    }
}
