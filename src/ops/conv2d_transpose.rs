//! The transposed convolution: what the gradient of a convolution does to images, as an operation of its own.
//!
//! ```text
//! y[n, iy, ix, o] = bias[o] + sum of x[n, oy, ox, c] kernel[ky, kx, o, c]
//!                             over all oy, ox, ky, kx with iy = oy sh + ky - top and ix = ox sw + kx - left
//! ```

use super::conv2d::{Saved, slice};
use super::rectifier;
use crate::autograd::{Op, Var, apply};
use crate::kernels::conv2d::{self, Geometry};
use crate::kernels::gemm::Finish;
use crate::kernels::{Algorithm, Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// How a transposed convolution is done: Keras's options, with its defaults.
///
/// ```
/// use cinta::{Padding, TransposedConvolution};
/// let twice = TransposedConvolution { strides: [2, 2], padding: Padding::Same, ..TransposedConvolution::default() };
/// assert_eq!((twice.dilation, twice.output_padding), ([1, 1], None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransposedConvolution {
    /// How far apart in the output neighbouring pixels of the input write.
    pub strides: [usize; 2],
    /// What happens at the border of the output.
    pub padding: Padding,
    /// How much larger the output is than it needs to be, as [`Window::transposed`] explains.
    pub output_padding: Option<[usize; 2]>,
    /// The distance between neighbouring pixels of the window.
    pub dilation: [usize; 2],
    /// How it is computed.
    pub algorithm: Algorithm,
}

impl Default for TransposedConvolution {
    fn default() -> Self {
        TransposedConvolution {
            strides: [1, 1],
            padding: Padding::Valid,
            output_padding: None,
            dilation: [1, 1],
            algorithm: Algorithm::default(),
        }
    }
}

impl TransposedConvolution {
    #[track_caller]
    fn geometry<T: Scalar>(&self, [x, kernel, bias]: [&Tensor<T>; 3]) -> Geometry {
        let (image, shape) = (x.shape(), kernel.shape());
        assert!(
            image.rank() == 4 && shape.rank() == 4,
            "conv2d_transpose: needs images [n, h, w, c] and a kernel [kh, kw, c_out, c_in], \
             and the shapes are {image} and {shape}"
        );
        let ([images, h, w, channels], [kh, kw, c_in, c_out]) = (x.dims(), kernel.dims());
        assert_eq!(
            channels, c_out,
            "conv2d_transpose: the kernel {shape} reads {c_out} channels but the input {image} has {channels}"
        );
        assert_eq!(
            bias.shape(),
            [c_in],
            "conv2d_transpose: the kernel {shape} has {c_in} outputs but the bias has the shape {}",
            bias.shape()
        );
        assert!(channels > 0 && c_in > 0, "conv2d_transpose: {image} by {shape} has no channels");
        let TransposedConvolution { strides, padding, output_padding, dilation, algorithm, .. } =
            *self;
        match Window::transposed([h, w], [kh, kw], strides, dilation, padding, output_padding) {
            Ok(window) => Geometry { window, images, c_in, c_out, groups: 1, algorithm },
            Err(reason) => panic!("conv2d_transpose of {image} by {shape}: {reason}"),
        }
    }
}

struct Conv2dTranspose(TransposedConvolution, Finish);

impl<T: Scalar> Op<T, 3> for Conv2dTranspose {
    const NAME: &'static str = "conv2d_transpose";
    type Saved = Saved<T>; // of the convolution whose gradient this is: it reads y and writes x

    fn forward(
        &self,
        inputs @ [x, kernel, bias]: [&Tensor<T>; 3],
        wanted: [bool; 3],
    ) -> (Tensor<T>, Saved<T>) {
        let Conv2dTranspose(convolution, finish) = self;
        let geometry = convolution.geometry(inputs);
        let (kernel, bias) = (kernel.row_major(), bias.row_major());
        let y = conv2d::transposed(geometry, slice(&kernel), x, slice(&bias), *finish);
        let saved = Saved {
            geometry,
            x: wanted[1].then(|| x.clone()),
            kernel: wanted[0].then_some(kernel),
            y: (*finish != Finish::Plain).then(|| y.clone()),
        };
        (y, saved)
    }

    // dy is that before the rectifier, if there is one
    // dx = the convolution of dy
    // dkernel[ky, kx, o, c] = sum over n, oy, ox of dy[.., oy sh + ky - top, ox sw + kx - left, o] x[.., oy, ox, c]
    // dbias[o] = sum over n, iy, ix of dy[.., iy, ix, o]
    fn backward(
        &self,
        saved: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 3],
    ) -> [Option<Tensor<T>>; 3] {
        let Saved { geometry, x, kernel, y } = saved;
        let dy = match &y {
            Some(y) => rectifier::before(self.1, y, dy),
            None => dy,
        };
        let dy = conv2d::in_order(geometry, &dy);
        let dx = kernel.map(|kernel| {
            let bias = vec![T::zero(); geometry.c_out];
            conv2d::forward(geometry, &dy, slice(&kernel), &bias, Finish::Plain)
        });
        let dkernel = x.map(|x| {
            let [kh, kw] = geometry.window.size();
            let (dkernel, _) = conv2d::backward_kernel(geometry, &dy, &x, false);
            Tensor::from_buffer([kh, kw, geometry.c_in, geometry.c_out], dkernel)
        });
        [dx, dkernel, wanted[2].then(|| dy.sum([0, 1, 2]))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The transposed convolution of images `[n, h, w, c_in]` with a kernel `[kh, kw, c_out, c_in]` and a bias `[c_out]`: every
    /// pixel of the input writes its window of the output, which is larger with strides,
    ///
    /// `y[n, oy sh + ky - top, ox sw + kx - left, o]` is the bias and the sum of all `x[n, oy, ox, c] kernel[ky, kx, o, c]` that come
    /// to it.
    ///
    /// It is what the gradient of [`convolve`](Self::convolve) does. The size of the output is that of
    /// [`Window::transposed`].
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the output would be empty.
    ///
    /// ```
    /// use cinta::{Tape, Tensor, TransposedConvolution, Var};
    /// let tape = Tape::new();
    /// let x = Var::constant(Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1]));
    /// let kernel = tape.leaf(Tensor::from([1.0, 10.0, 100.0]).reshape([1, 3, 1, 1]));
    /// let twice = TransposedConvolution { strides: [1, 2], ..TransposedConvolution::default() };
    /// let y = x.convolve_transposed(&kernel, &Var::constant(Tensor::zeros([1])), twice);
    /// assert_eq!(y.value().to_vec(), [1.0, 10.0, 102.0, 20.0, 200.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&kernel).to_vec(), [3.0; 3]);
    /// ```
    #[track_caller]
    pub fn convolve_transposed(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: TransposedConvolution,
    ) -> Var<'t, T> {
        self.convolve_transposed_with(kernel, bias, convolution, Finish::Plain)
    }

    /// With what is done to the sums.
    #[track_caller]
    pub(crate) fn convolve_transposed_with(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: TransposedConvolution,
        finish: Finish,
    ) -> Var<'t, T> {
        apply(Conv2dTranspose(convolution, finish), [self, kernel, bias])
    }

    /// [`convolve_transposed`](Self::convolve_transposed), then [`relu`](Self::relu), as one operation.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the output would be empty.
    ///
    /// ```
    /// use cinta::{Tensor, TransposedConvolution, Var};
    /// let x = Var::constant(Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1]));
    /// let kernel = Var::constant(Tensor::from([1.0, -1.0]).reshape([1, 2, 1, 1]));
    /// let bias = Var::constant(Tensor::zeros([1]));
    /// let y = x.convolve_transposed_relu(&kernel, &bias, TransposedConvolution::default());
    /// assert_eq!(y.value().to_vec(), [1.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn convolve_transposed_relu(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: TransposedConvolution,
    ) -> Var<'t, T> {
        self.convolve_transposed_with(kernel, bias, convolution, Finish::Relu)
    }
}

compiled!(|x: &Var<T>, kernel: &Var<T>, bias: &Var<T>| x.convolve_transposed(
    kernel,
    bias,
    TransposedConvolution::default()
));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    /// The definition, as plain loops: the full output, and what is cut off of it or added to it.
    fn naive(
        x: &Tensor<f64>,
        kernel: &Tensor<f64>,
        bias: &Tensor<f64>,
        how: TransposedConvolution,
    ) -> Tensor<f64> {
        let ([n, h, w, c], [kh, kw, o, _]) = (x.dims(), kernel.dims());
        let axis = |axis: usize, small: usize, k: usize| {
            let (stride, span) = (how.strides[axis], (k - 1) * how.dilation[axis] + 1);
            let full = (small - 1) * stride + span;
            let extra = how.output_padding.map(|extra| extra[axis]);
            match how.padding {
                Padding::Same => {
                    let side = match extra {
                        None => small * stride,
                        Some(extra) => (small - 1) * stride + span % 2 + extra,
                    };
                    (side, (full as isize - side as isize).max(0) / 2)
                }
                _ => (full + extra.unwrap_or(stride.saturating_sub(span)), 0),
            }
        };
        let ((height, top), (width, left)) = (axis(0, h, kh), axis(1, w, kw));
        let mut y = Tensor::from_fn([n, height, width, o], |at| bias.at([at[3]]));
        for image in 0..n {
            for (oy, ox) in (0..h).flat_map(|oy| (0..w).map(move |ox| (oy, ox))) {
                for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                    let iy = (oy * how.strides[0] + ky * how.dilation[0]) as isize - top;
                    let ix = (ox * how.strides[1] + kx * how.dilation[1]) as isize - left;
                    if !(0..height as isize).contains(&iy) || !(0..width as isize).contains(&ix) {
                        continue;
                    }
                    let pixel = (image * height + iy as usize) * width + ix as usize;
                    for (output, channel) in (0..o).flat_map(|o| (0..c).map(move |c| (o, c))) {
                        y.as_mut_slice()[pixel * o + output] +=
                            x.at([image, oy, ox, channel]) * kernel.at([ky, kx, output, channel]);
                    }
                }
            }
        }
        y
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1]));
        let kernel = Var::constant(Tensor::from([1.0, 10.0, 100.0]).reshape([1, 3, 1, 1]));
        let zero = Var::constant(Tensor::zeros([1]));
        let run = |padding, extra: Option<usize>| {
            let output_padding = extra.map(|extra| [0, extra]);
            let how = TransposedConvolution {
                strides: [1, 2],
                padding,
                output_padding,
                ..Default::default()
            };
            x.convolve_transposed(&kernel, &zero, how).value().to_vec()
        };
        assert_eq!(run(Padding::Valid, Some(1)), [1.0, 10.0, 102.0, 20.0, 200.0, 0.0]);
        assert_eq!(run(Padding::Same, None), [1.0, 10.0, 102.0, 20.0]);
        assert_eq!(run(Padding::Same, Some(0)), [10.0, 102.0, 20.0]);
    }

    #[test]
    fn gradient() {
        use Padding::{Same, Valid};
        let plain = TransposedConvolution::default();
        // Images, height, width, kernel, channels in and out.
        for (sizes, how) in [
            ([3, 3, 4, 3, 2, 2, 3], plain),
            (
                [3, 3, 4, 3, 3, 2, 3],
                TransposedConvolution { strides: [2, 2], padding: Same, ..plain },
            ),
            (
                [8, 3, 2, 3, 3, 2, 3],
                TransposedConvolution { strides: [2, 1], padding: Same, ..plain },
            ),
            (
                [2, 3, 2, 2, 3, 2, 17],
                TransposedConvolution { strides: [3, 2], padding: Valid, ..plain },
            ),
            (
                [2, 3, 2, 2, 3, 2, 3],
                TransposedConvolution { dilation: [2, 3], padding: Same, ..plain },
            ),
            (
                [2, 3, 2, 4, 3, 2, 3],
                TransposedConvolution {
                    strides: [2, 3],
                    padding: Same,
                    output_padding: Some([1, 2]),
                    ..plain
                },
            ),
        ] {
            let [n, h, w, kh, kw, c, o] = sizes;
            let inputs = [
                random(&[n, h, w, c], -1.0, 1.0, 1, 0),
                random(&[kh, kw, o, c], -1.0, 1.0, 2, 0),
                random(&[o], -1.0, 1.0, 3, 0),
            ];
            let checked =
                gradcheck(|[x, kernel, bias]| x.convolve_transposed(kernel, bias, how), inputs);
            assert!(checked.is_ok(), "{sizes:?} {how:?}: {}", checked.unwrap_err());
        }
    }

    /// The rectified output is the output, then the rectifier.
    #[test]
    fn the_rectifier_inside_is_the_rectifier_outside() {
        for n in [3, 8] {
            let inputs = [[n, 3, 4, 2], [3, 3, 5, 2]].map(|dims| random(&dims, -1.0, 1.0, 1, 0));
            let run = |relu: bool| {
                let tape = crate::autograd::Tape::new();
                let [x, kernel] = inputs.each_ref().map(|value| tape.leaf(value.clone()));
                let bias = tape.leaf(random(&[5], -1.0, 1.0, 2, 0));
                let how = TransposedConvolution { strides: [2, 1], ..Default::default() };
                let y = match relu {
                    true => x.convolve_transposed_relu(&kernel, &bias, how),
                    false => x.convolve_transposed(&kernel, &bias, how).relu(),
                };
                let gradients = y.square().sum(..).backward();
                (y.value().clone(), [&x, &kernel, &bias].map(|leaf| gradients.wrt(leaf)))
            };
            assert_eq!(run(true), run(false));
        }
    }

    #[test]
    #[should_panic(
        expected = "the kernel [2, 2, 3, 5] reads 5 channels but the input [1, 4, 4, 3] has 3"
    )]
    fn channels_that_do_not_fit() {
        let x = Var::constant(Tensor::<f64>::zeros([1, 4, 4, 3]));
        let kernel = Var::constant(Tensor::zeros([2, 2, 3, 5]));
        x.convolve_transposed(&kernel, &Var::constant(Tensor::zeros([3])), Default::default());
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..18, h in 1usize..6, w in 1usize..6, c in 1usize..4, o in 1usize..20, kh in 1usize..5,
            kw in 1usize..5, sh in 1usize..4, sw in 1usize..4, dh in 1usize..3, dw in 1usize..3, same: bool,
            extra in prop::option::of([0usize..3, 0usize..3]), relu: bool, layout in 0u8..16,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            let output_padding = extra.map(|[a, b]| [a.min(sh - 1), b.min(sw - 1)]);
            let how = TransposedConvolution {
                strides: [sh, sw], padding, output_padding, dilation: [dh, dw], ..Default::default()
            };
            let empty = |small: usize, k: usize, d: usize, extra: usize| {
                same && small == 1 && (k - 1) * d % 2 == 1 && extra == 0
            };
            let [a, b] = output_padding.unwrap_or([1, 1]);
            prop_assume!(!empty(h, kh, dh, a) && !empty(w, kw, dw, b));
            let x = random(&[n, h, w, c], -1.0, 1.0, 1, if n == 0 { 0 } else { layout % 4 });
            let kernel = random(&[kh, kw, o, c], -1.0, 1.0, 2, layout / 4);
            let bias = random(&[o], -1.0, 1.0, 3, 0);
            let expected = naive(&x, &kernel, &bias, how);
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            let (y, expected) = match relu {
                true => (x.convolve_transposed_relu(&kernel, &bias, how), expected.map(|y| y.max(0.0))),
                false => (x.convolve_transposed(&kernel, &bias, how), expected),
            };
            assert_close(y.value(), &expected);
        }
    }
}
