//! Convolution of volumes: one of their slices, each with the channels of all slices that its window sees.
//!
//! ```text
//! y[n, oz, oy, ox, o] = bias[o] + sum over kz, ky, kx, c of
//!                       x[n, oz sz + kz - front, oy sy + ky - top, ox sx + kx - left, c] kernel[kz, ky, kx, c, o]
//! ```
//! where places outside of the volume count as 0.

use super::Convolution;
use crate::autograd::Var;
use crate::kernels::gemm::Finish;
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};

impl<'t, T: Scalar> Var<'t, T> {
    /// Convolution of volumes `[n, d, h, w, c_in]` with a kernel `[kd, kh, kw, c_in, c_out]`, plus a bias `[c_out]`:
    /// `[n, od, oh, ow, c_out]` with
    ///
    /// `y[n, oz, oy, ox, o] = bias[o] + sum over kz, ky, kx, c of x[n, oz sz + kz - front, oy sy + ky - top, ox sx + kx - left, c] kernel[kz, ky, kx, c, o]`,
    ///
    /// where places outside of the volume count as 0. How large the output is, [`Window`] explains. No volumes give none, and a NaN is
    /// in all outputs whose window sees it.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the window does not fit into the volume.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::<f64>::arange(8).reshape([1, 2, 2, 2, 1]));
    /// let kernel = tape.leaf(Tensor::ones([2, 2, 2, 1, 1]));
    /// let bias = tape.leaf(Tensor::zeros([1]));
    /// let y = x.conv3d(&kernel, &bias, [1, 1, 1], Padding::Valid);
    /// assert_eq!(y.value().item(), 28.0);
    /// assert_eq!(y.backward().wrt(&kernel).to_vec(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn conv3d(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        [depth, height, width]: [usize; 3],
        padding: Padding,
    ) -> Var<'t, T> {
        let slices = Convolution { strides: [height, width], padding, ..Convolution::default() };
        self.convolve_volumes(kernel, bias, [depth, 1], slices, Finish::Plain)
    }

    /// [`conv3d`](Self::conv3d) with all options: the stride and the dilation along the depth, and those of the slices.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn convolve_volumes(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        [stride, dilation]: [usize; 2],
        slices: Convolution,
        finish: Finish,
    ) -> Var<'t, T> {
        let (shape, filters) = (self.shape(), kernel.shape());
        let (&[n, d, h, w, c], &[kd, kh, kw, c_in, c_out]) = (&shape[..], &filters[..]) else {
            panic!(
                "conv3d: needs volumes [n, d, h, w, c] and a kernel [kd, kh, kw, c_in, c_out], \
                 and the shapes are {shape} and {filters}"
            )
        };
        let groups = slices.groups;
        assert!(
            c == c_in.saturating_mul(groups),
            "conv3d: the kernel {filters} reads {c_in} channels but the input {shape} has {c}"
        );
        let padding = slices.padding;
        let deep = Window::dilated([d, 1], [kd, 1], [stride, 1], [dilation, 1], padding);
        let flat = Window::dilated([h, w], [kh, kw], slices.strides, slices.dilation, padding);
        if let Err(reason) = deep.and(flat) {
            panic!("conv3d of {shape} by {filters}: {reason}");
        }
        // Each slice gets the channels of all slices of its window; those of a group stay together.
        let x = self.reshape([n, d, h * w * groups, c_in]).unfold(kd, stride, dilation, padding);
        let od = x.shape()[1];
        let x = x.reshape([n * od, h, w, kd * c]);
        let kernel = kernel.permute([1, 2, 0, 3, 4]).reshape([kh, kw, kd * c_in, c_out]);
        let y = x.convolve_with(&kernel, bias, slices, finish);
        let [_, oh, ow, _] = y.value().dims();
        y.reshape([n, od, oh, ow, c_out])
    }
}

compiled!(|x: &Var<T>| x.conv3d(x, x, [1, 1, 1], Padding::Valid));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, assert_close, indices, random};
    use crate::tensor::Tensor;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let x = Tensor::<f64>::arange(12).reshape([1, 3, 2, 2, 1]);
        // The slice below minus this one, and the sum of both.
        let kernel =
            Var::constant(Tensor::from([[-1.0, 1.0], [1.0, 1.0]]).reshape([2, 1, 1, 1, 2]));
        let bias = Var::constant(Tensor::from([0.0, 100.0]));
        let y = Var::constant(x).conv3d(&kernel, &bias, [1, 2, 1], Padding::Valid);
        let expected = [[[4.0, 104.0], [4.0, 106.0]], [[4.0, 112.0], [4.0, 114.0]]];
        assert_close(y.value(), &Tensor::from(expected).reshape([1, 2, 1, 2, 2]));
        let none = Var::constant(Tensor::<f64>::zeros([0, 3, 2, 2, 1]));
        assert_eq!(none.conv3d(&kernel, &bias, [1, 1, 1], Padding::Same).shape(), [0, 3, 2, 2, 2]);
        let mut nan = Tensor::zeros([1, 3, 1, 1, 1]);
        nan.as_mut_slice()[2] = f64::NAN;
        let y = Var::constant(nan).conv3d(&kernel, &bias, [1, 1, 1], Padding::Valid);
        let seen: Vec<bool> = y.value().iter().map(f64::is_nan).collect();
        assert_eq!(seen, [false, false, true, true]);
    }

    #[test]
    fn gradient() {
        let x = random(&[2, 4, 3, 4, 2], -1.0, 1.0, 1, 0);
        let kernel = random(&[2, 3, 2, 2, 3], -1.0, 1.0, 2, 0);
        let bias = random(&[3], -1.0, 1.0, 3, 0);
        for padding in PADDINGS {
            let inputs = [x.clone(), kernel.clone(), bias.clone()];
            gradcheck(|[x, k, b]| x.conv3d(k, b, [2, 1, 2], padding), inputs).unwrap();
        }
    }

    #[test]
    #[should_panic(
        expected = "conv3d of [1, 2, 5, 5, 1] by [3, 1, 1, 1, 1]: the window of 3x1 does not fit"
    )]
    fn a_window_larger_than_the_volume() {
        let zeros = |dims: [usize; 5]| Var::constant(Tensor::<f64>::zeros(dims));
        let bias = Var::constant(Tensor::zeros([1]));
        zeros([1, 2, 5, 5, 1]).conv3d(&zeros([3, 1, 1, 1, 1]), &bias, [1; 3], Padding::Valid);
    }

    #[test]
    #[should_panic(expected = "conv3d: needs volumes [n, d, h, w, c] and a kernel")]
    fn images() {
        let x = Var::constant(Tensor::<f64>::zeros([1, 2, 2, 1]));
        x.conv3d(&x, &x, [1; 3], Padding::Valid);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn definition(
            n in 1usize..3, sides in prop::array::uniform3(1usize..5), size in prop::array::uniform3(1usize..4),
            c in 1usize..3, o in 1usize..3, strides in prop::array::uniform3(1usize..3), padding in select(&PADDINGS[..]),
        ) {
            prop_assume!(padding != Padding::Valid || (0..3).all(|a| size[a] <= sides[a]));
            let [d, h, w] = sides;
            let x = random(&[n, d, h, w, c], -1.0, 1.0, 1, 0);
            let kernel = random(&[size[0], size[1], size[2], c, o], -1.0, 1.0, 2, 0);
            let bias = random(&[o], -1.0, 1.0, 3, 0);
            let outputs: [usize; 3] = std::array::from_fn(|a| match padding {
                Padding::Valid => (sides[a] - size[a]) / strides[a] + 1,
                _ => sides[a].div_ceil(strides[a]),
            });
            let before: [usize; 3] = std::array::from_fn(|a| match padding {
                Padding::Valid => 0,
                Padding::Same => ((outputs[a] - 1) * strides[a] + size[a]).saturating_sub(sides[a]) / 2,
                Padding::Causal => size[a] - 1,
            });
            let expected = Tensor::from_fn([n, outputs[0], outputs[1], outputs[2], o], |at| {
                let mut sum = bias.at([at[4]]);
                for tap in indices::<3>(size) {
                    let from: [usize; 3] = std::array::from_fn(|a| (at[a + 1] * strides[a] + tap[a]).wrapping_sub(before[a]));
                    if (0..3).all(|a| from[a] < sides[a]) {
                        sum += (0..c).map(|c| {
                            x.at([at[0], from[0], from[1], from[2], c]) * kernel.at([tap[0], tap[1], tap[2], c, at[4]])
                        }).sum::<f64>();
                    }
                }
                sum
            });
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            assert_close(x.conv3d(&kernel, &bias, strides, padding).value(), &expected);
        }
    }
}
