//! `y = a b`, the product of two matrices.

use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Matmul;

impl<T: Scalar> Op<T, 2> for Matmul {
    const NAME: &'static str = "matmul";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (a.matmul(b), (a.clone(), b.clone()))
    }

    // da = dy b', db = a' dy
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        [wanted[0].then(|| dy.matmul(&b.t())), wanted[1].then(|| a.t().matmul(&dy))]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The product of two matrices, `y[i, j] = sum over p of a[i, p] b[p, j]`: `[m, k]` times
    /// `[k, n]` gives `[m, n]`, whatever the strides of the two are.
    ///
    /// # Panics
    /// When one of the two is no matrix, or their inner lengths differ.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[5.0], [6.0]]));
    /// assert_eq!(a.matmul(&b), Tensor::from([[17.0], [39.0]]));
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(
            a.rank() == 2 && b.rank() == 2,
            "matmul: needs two matrices, and the shapes are {a} and {b}"
        );
        assert_eq!(a[1], b[0], "matmul: {a} has {} columns and {b} has {} rows", a[1], b[0]);
        gemm::matmul(self, other)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The product of two matrices, as [`Tensor::matmul`].
    ///
    /// # Panics
    /// When one of the two is no matrix, or their inner lengths differ.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::from([[1.0, 2.0]])), tape.leaf(Tensor::from([[3.0], [4.0]])));
    /// let y = a.matmul(&b);
    /// assert_eq!(y.value(), &Tensor::from([[11.0]]));
    /// assert_eq!(y.backward().wrt(&a), Tensor::from([[3.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Var<'t, T>) -> Var<'t, T> {
        apply(Matmul, [self, other])
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| (x.matmul(y), x.value().matmul(y.value())));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        let b = Var::constant(Tensor::from([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]));
        assert_close(a.matmul(&b).value(), &Tensor::from([[4.0, -1.0], [10.0, -1.0]]));
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 5], -2.0, 2.0, 1, 0), random(&[5, 4], -2.0, 2.0, 2, 0));
        gradcheck(|[a, b]| a.matmul(b), [a, b]).unwrap();
    }

    #[test]
    #[should_panic(expected = "matmul: [2, 3] has 3 columns and [4, 5] has 4 rows")]
    fn shapes_that_do_not_fit() {
        Tensor::<f64>::zeros([2, 3]).matmul(&Tensor::zeros([4, 5]));
    }

    proptest! {
        #[test]
        fn definition(m in 1usize..7, k in 1usize..7, n in 1usize..7, layout in 0u8..16) {
            let (a, b) = (random(&[m, k], -1.0, 1.0, 1, layout % 4), random(&[k, n], -1.0, 1.0, 2, layout / 4));
            let mut expected = vec![0.0; m * n];
            for i in 0..m {
                for j in 0..n {
                    for p in 0..k {
                        expected[i * n + j] += a.at([i, p]) * b.at([p, j]);
                    }
                }
            }
            assert_close(&a.matmul(&b), &Tensor::new([m, n], expected));
        }
    }
}
