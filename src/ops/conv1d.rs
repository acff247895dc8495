//! Convolution of series: one of images of one row.
//!
//! ```text
//! y[n, i, o] = bias[o] + sum over k, c of x[n, i stride + k dilation - before, c] kernel[k, c, o]
//! ```
//! where steps outside of the series count as 0.

use super::Convolution;
use crate::autograd::Var;
use crate::kernels::gemm::Finish;
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};

impl<'t, T: Scalar> Var<'t, T> {
    /// Convolution of series `[n, steps, c_in]` with a kernel `[k, c_in, c_out]`, plus a bias `[c_out]`: `[n, outputs, c_out]` with
    ///
    /// `y[n, i, o] = bias[o] + sum over k, c of x[n, i stride + k - before, c] kernel[k, c, o]`,
    ///
    /// where steps outside of the series count as 0. How many outputs there are, [`Window`] explains. No series give none, and a NaN
    /// is in all outputs whose window sees it.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the window does not fit into the series.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 4.0]).reshape([1, 3, 1]));
    /// let kernel = tape.leaf(Tensor::from([-1.0, 1.0]).reshape([2, 1, 1]));
    /// let bias = tape.leaf(Tensor::zeros([1]));
    /// let y = x.conv1d(&kernel, &bias, 1, Padding::Valid);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0]); // differences
    /// assert_eq!(y.sum(..).backward().wrt(&kernel).to_vec(), [3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn conv1d(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        stride: usize,
        padding: Padding,
    ) -> Var<'t, T> {
        let strides = [1, stride];
        self.convolve_series(
            kernel,
            bias,
            Convolution { strides, padding, ..Convolution::default() },
            Finish::Plain,
        )
    }

    /// [`conv1d`](Self::conv1d) with all options, of which those along the height of images are 1.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn convolve_series(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: Convolution,
        finish: Finish,
    ) -> Var<'t, T> {
        let (shape, filters) = (self.shape(), kernel.shape());
        let ([n, steps, c], [k, c_in, c_out]) = match (&shape[..], &filters[..]) {
            (&[n, steps, c], &[k, c_in, c_out]) => ([n, steps, c], [k, c_in, c_out]),
            _ => panic!(
                "conv1d: needs series [n, steps, c] and a kernel [k, c_in, c_out], \
                 and the shapes are {shape} and {filters}"
            ),
        };
        let Convolution { strides, padding, dilation, groups, .. } = convolution;
        assert!(
            c == c_in.saturating_mul(groups),
            "conv1d: the kernel {filters} reads {c_in} channels but the input {shape} has {c}"
        );
        if let Err(reason) = Window::dilated([1, steps], [1, k], strides, dilation, padding) {
            panic!("conv1d of {shape} by {filters}: {reason}");
        }
        let kernel = kernel.reshape([1, k, c_in, c_out]);
        let y = self.reshape([n, 1, steps, c]).convolve_with(&kernel, bias, convolution, finish);
        let outputs = y.shape()[2];
        y.reshape([n, outputs, c_out])
    }
}

compiled!(|x: &Var<T>| x.conv1d(x, x, 1, Padding::Valid));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, assert_close, random};
    use crate::tensor::Tensor;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[[1.0], [2.0], [4.0], [f64::NAN]]]));
        let kernel = Var::constant(Tensor::from([[[1.0, 0.5]], [[10.0, 0.5]]])); // [2, 1, 2]
        let bias = Var::constant(Tensor::from([0.0, 100.0]));
        let y = x.conv1d(&kernel, &bias, 1, Padding::Causal);
        let expected = Tensor::from([[[10.0, 100.5], [21.0, 101.5], [42.0, 103.0]]]);
        assert_close(&y.value().slice(1, 0..3), &expected);
        assert!(y.value().slice(1, 3..).iter().all(f64::is_nan));
        let none = Var::constant(Tensor::<f64>::zeros([0, 4, 1]));
        assert_eq!(none.conv1d(&kernel, &bias, 2, Padding::Valid).shape(), [0, 2, 2]);
    }

    #[test]
    fn gradient() {
        let x = random(&[2, 7, 3], -1.0, 1.0, 1, 0);
        let (kernel, bias) = (random(&[3, 3, 2], -1.0, 1.0, 2, 0), random(&[2], -1.0, 1.0, 3, 0));
        for padding in PADDINGS {
            let inputs = [x.clone(), kernel.clone(), bias.clone()];
            gradcheck(|[x, k, b]| x.conv1d(k, b, 2, padding).square(), inputs).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "conv1d of [1, 2, 1] by [3, 1, 1]: the window of 1x3 does not fit")]
    fn a_window_larger_than_the_series() {
        let zeros = |dims: [usize; 3]| Var::constant(Tensor::<f64>::zeros(dims));
        let bias = Var::constant(Tensor::zeros([1]));
        zeros([1, 2, 1]).conv1d(&zeros([3, 1, 1]), &bias, 1, Padding::Valid);
    }

    #[test]
    #[should_panic(
        expected = "conv1d: the kernel [3, 2, 1] reads 2 channels but the input [1, 5, 1] has 1"
    )]
    fn other_channels() {
        let zeros = |dims: [usize; 3]| Var::constant(Tensor::<f64>::zeros(dims));
        let bias = Var::constant(Tensor::zeros([1]));
        zeros([1, 5, 1]).conv1d(&zeros([3, 2, 1]), &bias, 1, Padding::Valid);
    }

    proptest! {
        #[test]
        fn definition(
            dims in [1usize..4, 1usize..8, 1usize..4], k in 1usize..4, o in 1usize..4, stride in 1usize..4,
            padding in select(&PADDINGS[..]), layout in 0u8..4,
        ) {
            prop_assume!(padding != Padding::Valid || k <= dims[1]);
            let [n, steps, c] = dims;
            let (x, kernel) = (random(&dims, -1.0, 1.0, 1, layout), random(&[k, c, o], -1.0, 1.0, 2, layout));
            let bias = random(&[o], -1.0, 1.0, 3, 0);
            let outputs = if padding == Padding::Valid { (steps - k) / stride + 1 } else { steps.div_ceil(stride) };
            let before = match padding {
                Padding::Valid => 0,
                Padding::Same => ((outputs - 1) * stride + k).saturating_sub(steps) / 2,
                Padding::Causal => k - 1,
            };
            let expected = Tensor::from_fn([n, outputs, o], |at| {
                let sees = (0..k).map(|tap| (tap, (at[1] * stride + tap).wrapping_sub(before))).filter(|&(_, i)| i < steps);
                bias.at([at[2]]) + sees.flat_map(|(tap, i)| (0..c).map(move |c| (tap, i, c)))
                    .map(|(tap, i, c)| x.at([at[0], i, c]) * kernel.at([tap, c, at[2]])).sum::<f64>()
            });
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            assert_close(x.conv1d(&kernel, &bias, stride, padding).value(), &expected);
        }
    }
}
