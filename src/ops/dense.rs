//! `y = x kernel + bias`, rectified or not: a fully connected layer as one operation.

use super::rectifier;
use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm::{self, Finish};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Dense {
    finish: Finish,
}

/// Each only where a gradient needs it.
pub struct Saved<T: Scalar> {
    x: Option<Tensor<T>>,
    kernel: Option<Tensor<T>>,
    y: Option<Tensor<T>>,
}

impl<T: Scalar> Op<T, 3> for Dense {
    const NAME: &'static str = "dense";
    type Saved = Saved<T>;

    fn forward(
        &self,
        [x, kernel, bias]: [&Tensor<T>; 3],
        wanted: [bool; 3],
    ) -> (Tensor<T>, Saved<T>) {
        let (rows, shape) = (x.shape(), kernel.shape());
        assert!(
            rows.rank() == 2 && shape.rank() == 2 && rows[1] == shape[0],
            "dense: needs rows [n, inputs] and a kernel [inputs, units], and the shapes are {rows} and {shape}"
        );
        assert_eq!(
            bias.shape(),
            [shape[1]],
            "dense: the kernel {shape} has {} outputs but the bias has the shape {}",
            shape[1],
            bias.shape()
        );
        let bias = bias.row_major();
        let y = gemm::multiply(x, kernel, bias.as_slice(), self.finish);
        let saved = Saved {
            x: wanted[1].then(|| x.clone()),
            kernel: wanted[0].then(|| kernel.clone()),
            y: (self.finish != Finish::Plain).then(|| y.clone()),
        };
        (y, saved)
    }

    // dy is that before the rectifier, if there is one
    // dx = dy kernel', dkernel = x' dy, dbias = sum over n of dy
    fn backward(
        &self,
        Saved { x, kernel, y }: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 3],
    ) -> [Option<Tensor<T>>; 3] {
        let dy = match &y {
            Some(y) => rectifier::before(self.finish, y, dy),
            None => dy,
        };
        [
            kernel.map(|kernel| dy.matmul(&kernel.t())),
            x.map(|x| x.t().matmul(&dy)),
            wanted[2].then(|| dy.sum(0)),
        ]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x kernel + bias` for rows `[n, inputs]`, a kernel `[inputs, units]` and a bias `[units]`: the
    /// result is `[n, units]`.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let x = Var::constant(Tensor::from([[1.0, 2.0]]));
    /// let kernel = tape.leaf(Tensor::from([[1.0, -1.0], [3.0, -3.0]]));
    /// let bias = tape.leaf(Tensor::from([0.5, 0.5]));
    /// let y = x.dense(&kernel, &bias);
    /// assert_eq!(y.value().to_vec(), [7.5, -6.5]);
    /// assert_eq!(y.sum(..).backward().wrt(&kernel), Tensor::from([[1.0, 1.0], [2.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn dense(&self, kernel: &Var<'t, T>, bias: &Var<'t, T>) -> Var<'t, T> {
        self.dense_with(kernel, bias, Finish::Plain)
    }

    /// With what is done to the sums.
    #[track_caller]
    pub(crate) fn dense_with(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        apply(Dense { finish }, [self, kernel, bias])
    }

    /// [`dense`](Self::dense), then [`relu`](Self::relu), which is computed while the sums are still in registers.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// let x = Var::constant(Tensor::from([[1.0, 2.0]]));
    /// let kernel = Var::constant(Tensor::from([[1.0, -1.0], [3.0, -3.0]]));
    /// let bias = Var::constant(Tensor::from([0.5, 0.5]));
    /// assert_eq!(x.dense_relu(&kernel, &bias).value().to_vec(), [7.5, 0.0]);
    /// ```
    #[track_caller]
    pub fn dense_relu(&self, kernel: &Var<'t, T>, bias: &Var<'t, T>) -> Var<'t, T> {
        self.dense_with(kernel, bias, Finish::Relu)
    }
}

compiled!(|x: &Var<T>, kernel: &Var<T>, bias: &Var<T>| x.dense(kernel, bias));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0], [0.0, -1.0]]));
        let kernel = Var::constant(Tensor::from([[1.0], [10.0]]));
        let bias = Var::constant(Tensor::from([0.5]));
        assert_close(x.dense(&kernel, &bias).value(), &Tensor::from([[21.5], [-9.5]]));
        assert_close(x.dense_relu(&kernel, &bias).value(), &Tensor::from([[21.5], [0.0]]));
    }

    #[test]
    fn gradient() {
        for (rows, relu) in [(3, false), (5, true), (8, true)] {
            let inputs = [
                random(&[rows, 5], -1.0, 1.0, 1, 0),
                random(&[5, 4], -1.0, 1.0, 2, 0),
                random(&[4], -1.0, 1.0, 3, 0),
            ];
            let checked = match relu {
                true => gradcheck(|[x, kernel, bias]| x.dense_relu(kernel, bias), inputs),
                false => gradcheck(|[x, kernel, bias]| x.dense(kernel, bias), inputs),
            };
            checked.unwrap();
        }
    }

    #[test]
    #[should_panic(
        expected = "needs rows [n, inputs] and a kernel [inputs, units], and the shapes are [2, 3] and [4, 5]"
    )]
    fn shapes_that_do_not_fit() {
        let x = Var::constant(Tensor::<f64>::zeros([2, 3]));
        x.dense(&Var::constant(Tensor::zeros([4, 5])), &Var::constant(Tensor::zeros([5])));
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..20, inputs in 0usize..9, units in 1usize..20, relu: bool, layout in 0u8..16,
        ) {
            let empty = n * inputs == 0;
            let x = random(&[n, inputs], -1.0, 1.0, 1, if empty { 0 } else { layout % 4 });
            let kernel = random(&[inputs, units], -1.0, 1.0, 2, if empty { 0 } else { layout / 4 });
            let bias = random(&[units], -1.0, 1.0, 3, 0);
            let expected = Tensor::from_fn([n, units], |at| {
                let products = (0..inputs).map(|p| x.at([at[0], p]) * kernel.at([p, at[1]]));
                let sum = products.sum::<f64>() + bias.at([at[1]]);
                if relu { sum.max(0.0) } else { sum }
            });
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            let dense = if relu { Var::dense_relu } else { Var::dense };
            assert_close(dense(&x, &kernel, &bias).value(), &expected);
        }
    }
}
