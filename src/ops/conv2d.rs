//! Two-dimensional convolution, as neural networks use the word: cross-correlation.
//!
//! ```text
//! y[n, oy, ox, o] = bias[o] + sum over ky, kx, c of
//!                   x[n, oy sh + ky - top, ox sw + kx - left, c] kernel[ky, kx, c, o]
//! ```
//! where pixels outside of the image count as 0.

use super::rectifier;
use crate::autograd::{Op, Var, apply};
use crate::kernels::conv2d::{self, Geometry};
use crate::kernels::gemm::Finish;
use crate::kernels::{Algorithm, Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// How a convolution is done: Keras's options, with its defaults.
///
/// ```
/// use cinta::{Convolution, Padding};
/// let every_second = Convolution { strides: [2, 2], padding: Padding::Same, ..Convolution::default() };
/// assert_eq!((every_second.dilation, every_second.groups), ([1, 1], 1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Convolution {
    /// How far the window moves from one output to the next.
    pub strides: [usize; 2],
    /// What happens at the border.
    pub padding: Padding,
    /// The distance between neighbouring pixels of the window.
    pub dilation: [usize; 2],
    /// The channels are cut into this many groups, each of which is convolved by itself: as many as there
    /// are channels make a depthwise convolution.
    pub groups: usize,
    /// How it is computed.
    pub algorithm: Algorithm,
}

impl Default for Convolution {
    fn default() -> Self {
        Convolution {
            strides: [1, 1],
            padding: Padding::Valid,
            dilation: [1, 1],
            groups: 1,
            algorithm: Algorithm::default(),
        }
    }
}

/// What a convolution saves, and a transposed one.
pub(super) struct Saved<T: Scalar> {
    pub geometry: Geometry,
    /// Each only where a gradient needs it.
    pub x: Option<Tensor<T>>,
    pub kernel: Option<Tensor<T>>,
    pub y: Option<Tensor<T>>,
}

impl Convolution {
    #[track_caller]
    fn geometry<T: Scalar>(&self, [x, kernel, bias]: [&Tensor<T>; 3]) -> Geometry {
        let (image, shape) = (x.shape(), kernel.shape());
        assert!(
            image.rank() == 4 && shape.rank() == 4,
            "conv2d: needs images [n, h, w, c] and a kernel [kh, kw, c_in, c_out], \
             and the shapes are {image} and {shape}"
        );
        let groups = self.groups;
        let ([images, h, w, c_in], [kh, kw, group_in, c_out]) = (x.dims(), kernel.dims());
        assert!(
            groups > 0 && c_in % groups == 0 && c_out % groups == 0,
            "conv2d: {groups} groups divide neither the {c_in} channels of {image} nor the {c_out} of {shape}"
        );
        assert_eq!(
            c_in / groups,
            group_in,
            "conv2d: the kernel {shape} reads {group_in} channels but the input {image} has {}{}",
            c_in / groups,
            if groups > 1 { " in each group" } else { "" }
        );
        assert_eq!(
            bias.shape(),
            [c_out],
            "conv2d: the kernel {shape} has {c_out} outputs but the bias has the shape {}",
            bias.shape()
        );
        assert!(c_out > 0, "conv2d: the kernel {shape} has no outputs");
        let Convolution { strides, padding, dilation, algorithm, .. } = *self;
        match Window::dilated([h, w], [kh, kw], strides, dilation, padding) {
            Ok(window) => Geometry { window, images, c_in, c_out, groups, algorithm },
            Err(reason) => panic!("conv2d of {image} by {shape}: {reason}"),
        }
    }
}

pub(super) fn slice<T: Scalar>(tensor: &Tensor<T>) -> &[T] {
    tensor.as_slice().expect("made row-major")
}

/// The op: a private type, so that what it saves stays private.
struct Conv2d(Convolution, Finish);

impl<T: Scalar> Op<T, 3> for Conv2d {
    const NAME: &'static str = "conv2d";
    type Saved = Saved<T>;

    fn forward(
        &self,
        inputs @ [x, kernel, bias]: [&Tensor<T>; 3],
        wanted: [bool; 3],
    ) -> (Tensor<T>, Saved<T>) {
        let Conv2d(convolution, finish) = self;
        let geometry = convolution.geometry(inputs);
        let (kernel, bias) = (kernel.row_major(), bias.row_major());
        let x = conv2d::in_order(geometry, x);
        let y = match wanted[1] {
            true => conv2d::forward(geometry, &x, slice(&kernel), slice(&bias), *finish),
            false => conv2d::infer(geometry, &x, &kernel, slice(&bias), *finish),
        };
        let saved = Saved {
            geometry,
            x: (wanted[1] || wanted[2]).then_some(x),
            kernel: wanted[0].then_some(kernel),
            y: (*finish != Finish::Plain).then(|| y.clone()),
        };
        (y, saved)
    }

    // dy is that before the rectifier, if there is one
    // dx[.., iy, ix, c]  = sum of dy[.., oy, ox, o] kernel[ky, kx, c, o] over all that reached there
    // dkernel[ky, kx, c, o] = sum over n, oy, ox of x[.., oy sh + ky - top, ox sw + kx - left, c] dy[.., oy, ox, o]
    // dbias[o] = sum over n, oy, ox of dy[.., oy, ox, o]
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
        let dx = kernel.map(|kernel| conv2d::backward_input(geometry, slice(&kernel), &dy));
        let (dkernel, dbias) = x
            .map(|x| {
                let [kh, kw] = geometry.window.size();
                let shape = [kh, kw, geometry.c_in / geometry.groups, geometry.c_out];
                let (dkernel, dbias) = conv2d::backward_kernel(geometry, &x, &dy, wanted[2]);
                (Tensor::from_buffer(shape, dkernel), Tensor::from_buffer([geometry.c_out], dbias))
            })
            .unzip();
        [dx, dkernel, dbias]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Convolution of images `[n, h, w, c_in]` with a kernel `[kh, kw, c_in, c_out]`, plus a bias
    /// `[c_out]`: every output channel is the image filtered by its own `kh x kw x c_in` weights,
    ///
    /// `y[n, oy, ox, o] = bias[o] + sum over ky, kx, c of x[n, oy sh + ky - top, ox sw + kx - left, c] kernel[ky, kx, c, o]`,
    ///
    /// where pixels outside of the image count as 0. (Signal processing calls this the
    /// cross-correlation, and calls convolution what comes out with the kernel read backwards.) The
    /// output is `[n, oh, ow, c_out]`, its size as [`Window`] explains.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the window does not fit into the image.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let x = Var::constant(Tensor::<f64>::arange(16).reshape([1, 4, 4, 1]));
    /// // Brightness that grows from top to bottom.
    /// let edge = Tensor::from([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]);
    /// let kernel = tape.leaf(edge.reshape([3, 3, 1, 1]));
    /// let bias = tape.leaf(Tensor::zeros([1]));
    /// let y = x.conv2d(&kernel, &bias, [1, 1], Padding::Valid);
    /// assert_eq!(y.value().to_vec(), [24.0; 4]);
    /// let gradients = y.sum(..).backward();
    /// assert_eq!(gradients.wrt(&bias).to_vec(), [4.0]);
    /// assert_eq!(gradients.wrt(&kernel).at([0, 0, 0, 0]), 0.0 + 1.0 + 4.0 + 5.0);
    /// ```
    #[track_caller]
    pub fn conv2d(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        strides: [usize; 2],
        padding: Padding,
    ) -> Var<'t, T> {
        let convolution = Convolution { strides, padding, ..Convolution::default() };
        self.convolve(kernel, bias, convolution)
    }

    /// [`conv2d`](Self::conv2d) with all options. With `groups`, the kernel is
    /// `[kh, kw, c_in / groups, c_out]`, and the outputs of the groups follow each other.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the window does not fit into the image.
    ///
    /// ```
    /// use cinta::{Convolution, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[[1.0, 10.0], [2.0, 20.0]]]])); // [1, 1, 2, 2]
    /// // Each of the two channels has a filter of its own: a sum and a difference.
    /// let kernel = Var::constant(Tensor::from([[[[1.0, -1.0]], [[1.0, 1.0]]]])); // [1, 2, 1, 2]
    /// let bias = Var::constant(Tensor::zeros([2]));
    /// let y = x.convolve(&kernel, &bias, Convolution { groups: 2, ..Convolution::default() });
    /// assert_eq!(y.value().to_vec(), [3.0, 10.0]);
    /// ```
    #[track_caller]
    pub fn convolve(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: Convolution,
    ) -> Var<'t, T> {
        self.convolve_with(kernel, bias, convolution, Finish::Plain)
    }

    /// [`convolve`](Self::convolve), then [`relu`](Self::relu), which is computed while the sums are still in registers.
    ///
    /// # Panics
    /// When the ranks or channels do not fit, or the window does not fit into the image.
    ///
    /// ```
    /// use cinta::{Convolution, Tensor, Var};
    /// let x = Var::constant(Tensor::from([[[[1.0], [2.0]]]])); // [1, 1, 2, 1]
    /// let kernel = Var::constant(Tensor::from([[[[1.0, -1.0]]]])); // [1, 1, 1, 2]
    /// let y = x.convolve_relu(&kernel, &Var::constant(Tensor::zeros([2])), Convolution::default());
    /// assert_eq!(y.value().to_vec(), [1.0, 0.0, 2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn convolve_relu(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: Convolution,
    ) -> Var<'t, T> {
        self.convolve_with(kernel, bias, convolution, Finish::Relu)
    }

    /// With what is done to the sums.
    #[track_caller]
    pub(crate) fn convolve_with(
        &self,
        kernel: &Var<'t, T>,
        bias: &Var<'t, T>,
        convolution: Convolution,
        finish: Finish,
    ) -> Var<'t, T> {
        apply(Conv2d(convolution, finish), [self, kernel, bias])
    }
}

compiled!(|x: &Var<T>, kernel: &Var<T>, bias: &Var<T>| x.convolve(
    kernel,
    bias,
    Convolution::default()
));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, assert_close, random};
    use crate::tensor::Stream;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// The definition, as plain loops.
    fn naive(
        x: &Tensor<f64>,
        kernel: &Tensor<f64>,
        bias: &Tensor<f64>,
        convolution: Convolution,
    ) -> Tensor<f64> {
        let Convolution { strides, padding, dilation, groups, .. } = convolution;
        let ([n, h, w, _], [kh, kw, c, o]) = (x.dims(), kernel.dims());
        let axis = |size: usize, k: usize, s: usize, d: usize| {
            let span = (k - 1) * d + 1;
            match padding {
                Padding::Valid => ((size - span) / s + 1, 0),
                Padding::Same => {
                    let out = size.div_ceil(s);
                    (out, (((out - 1) * s + span) as isize - size as isize).max(0) / 2)
                }
                Padding::Causal => (size.div_ceil(s), span as isize - 1),
            }
        };
        let (oh, top) = axis(h, kh, strides[0], dilation[0]);
        let (ow, left) = axis(w, kw, strides[1], dilation[1]);
        Tensor::from_fn([n, oh, ow, o], |at| {
            let mut sum = bias.at([at[3]]);
            let group = at[3] / (o / groups);
            for ky in 0..kh {
                for kx in 0..kw {
                    let iy = (at[1] * strides[0] + ky * dilation[0]) as isize - top;
                    let ix = (at[2] * strides[1] + kx * dilation[1]) as isize - left;
                    if !(0..h as isize).contains(&iy) || !(0..w as isize).contains(&ix) {
                        continue;
                    }
                    for channel in 0..c {
                        sum += x.at([at[0], iy as usize, ix as usize, group * c + channel])
                            * kernel.at([ky, kx, channel, at[3]]);
                    }
                }
            }
            sum
        })
    }

    /// An input, a kernel and a bias for a convolution: images, their size, the kernel's size and the
    /// channels of one group on both sides.
    fn inputs([n, h, w, kh, kw, c, o]: [usize; 7], groups: usize, layout: u8) -> [Tensor<f64>; 3] {
        [
            random(&[n, h, w, c * groups], -1.0, 1.0, 1, if n == 0 { 0 } else { layout % 4 }),
            random(&[kh, kw, c, o * groups], -1.0, 1.0, 2, layout / 4),
            random(&[o * groups], -1.0, 1.0, 3, 0),
        ]
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[[[1.0], [2.0]], [[3.0], [4.0]]]]));
        let kernel = Var::constant(Tensor::from([[[[1.0, 0.5]], [[10.0, 0.5]]]])); // [1, 2, 1, 2]
        let bias = Var::constant(Tensor::from([0.0, 100.0]));
        let valid = x.conv2d(&kernel, &bias, [1, 1], Padding::Valid);
        assert_close(valid.value(), &Tensor::from([[[[21.0, 101.5]], [[43.0, 103.5]]]]));
        // One pixel is missing: it is added at the right.
        let same = x.conv2d(&kernel, &bias, [1, 1], Padding::Same);
        let expected = [[[[21.0, 101.5], [2.0, 101.0]], [[43.0, 103.5], [4.0, 102.0]]]];
        assert_close(same.value(), &Tensor::from(expected));
    }

    #[test]
    fn gradient() {
        use Padding::{Causal, Same, Valid};
        let plain = Convolution::default();
        // Images, height, width, kernel, channels of one group in and out.
        for (sizes, convolution) in [
            ([3, 5, 4, 3, 3, 2, 3], plain),
            ([3, 5, 4, 3, 3, 2, 3], Convolution { padding: Same, ..plain }),
            ([3, 5, 4, 2, 2, 2, 3], Convolution { strides: [2, 2], padding: Same, ..plain }),
            ([3, 5, 4, 1, 1, 2, 3], plain),
            ([3, 1, 6, 1, 3, 2, 3], Convolution { dilation: [1, 2], padding: Causal, ..plain }),
            ([8, 1, 6, 1, 3, 2, 3], Convolution { strides: [1, 2], padding: Causal, ..plain }),
            ([3, 5, 4, 3, 2, 2, 3], Convolution { strides: [2, 3], padding: Valid, ..plain }),
            ([3, 5, 4, 2, 4, 2, 3], Convolution { strides: [3, 1], padding: Same, ..plain }),
            ([3, 6, 5, 2, 3, 2, 3], Convolution { dilation: [3, 2], padding: Same, ..plain }),
            ([2, 6, 5, 3, 2, 2, 1], Convolution { dilation: [2, 3], strides: [3, 2], ..plain }),
            ([3, 4, 4, 3, 2, 2, 3], Convolution { groups: 2, padding: Same, ..plain }),
            ([3, 5, 4, 3, 2, 1, 1], Convolution { groups: 5, padding: Same, ..plain }),
            (
                [2, 6, 5, 2, 2, 1, 1],
                Convolution { groups: 9, dilation: [2, 2], strides: [2, 1], ..plain },
            ),
            // Windows of which some or most lies outside of every image.
            ([3, 2, 1, 4, 3, 2, 3], Convolution { padding: Same, ..plain }),
            ([3, 3, 2, 3, 3, 2, 3], Convolution { dilation: [7, 2], padding: Same, ..plain }),
            (
                [2, 7, 3, 3, 3, 1, 3],
                Convolution { strides: [5, 2], dilation: [9, 1], padding: Same, ..plain },
            ),
            ([3, 3, 3, 2, 2, 2, 3], Convolution { dilation: [8, 1], padding: Same, ..plain }),
            (
                [3, 2, 3, 5, 3, 2, 1],
                Convolution { groups: 2, dilation: [1, 9], padding: Same, ..plain },
            ),
            (
                [3, 2, 3, 5, 3, 1, 1],
                Convolution { groups: 3, dilation: [1, 9], padding: Same, ..plain },
            ),
            // Images that fill vectors.
            ([8, 4, 3, 2, 3, 2, 3], Convolution { padding: Same, ..plain }),
            ([8, 5, 3, 3, 2, 1, 2], Convolution { strides: [2, 1], ..plain }),
            (
                [8, 4, 5, 2, 2, 1, 5],
                Convolution { strides: [2, 3], dilation: [2, 2], padding: Same, ..plain },
            ),
        ] {
            let checked = gradcheck(
                |[x, kernel, bias]| x.convolve(kernel, bias, convolution),
                inputs(sizes, convolution.groups, 0),
            );
            assert!(checked.is_ok(), "{sizes:?} {convolution:?}: {}", checked.unwrap_err());
        }
    }

    /// The rectified convolution is the convolution, then the rectifier.
    #[test]
    fn the_rectifier_inside_is_the_rectifier_outside() {
        for (n, groups) in [(3, 1), (8, 1), (2, 2), (2, 3)] {
            let inputs = inputs([n, 5, 5, 3, 3, 1, 2], groups, 0);
            let run = |relu: bool| {
                let tape = crate::autograd::Tape::new();
                let leaves = inputs.each_ref().map(|value| tape.leaf(value.clone()));
                let [x, kernel, bias] = &leaves;
                let convolution = Convolution { groups, ..Convolution::default() };
                let y = match relu {
                    true => x.convolve_relu(kernel, bias, convolution),
                    false => x.convolve(kernel, bias, convolution).relu(),
                };
                let gradients = (&y * &y).sum(..).backward();
                (y.value().clone(), leaves.each_ref().map(|leaf| gradients.wrt(leaf)))
            };
            assert_eq!(run(true), run(false));
        }
    }

    /// Images with more pixels than are packed at a time. Without a bias, y is linear in x and in the kernel, so that
    /// the products of each with its gradient add up to those of y and dy.
    #[test]
    fn gradients_of_large_images() {
        let plain = Convolution { padding: Padding::Same, ..Convolution::default() };
        for (sizes, convolution) in [
            ([2, 24, 23, 3, 3, 20, 17], plain),
            ([3, 19, 20, 1, 1, 18, 40], plain),
            ([2, 40, 40, 3, 2, 17, 20], Convolution { strides: [2, 2], ..plain }),
            ([2, 20, 21, 3, 3, 17, 18], Convolution { groups: 2, ..plain }),
        ] {
            let tape = crate::autograd::Tape::new();
            let leaves = inputs(sizes, convolution.groups, 0).map(|value| tape.leaf(value));
            let [x, kernel, bias] = &leaves;
            let y = x.convolve(kernel, &(bias * 0.0), convolution);
            let dy = random(&y.shape(), -1.0, 1.0, 4, 0);
            let sum = (&y * Var::constant(dy)).sum(..);
            let gradients = sum.backward();
            for leaf in [x, kernel] {
                let product = (leaf.value() * gradients.wrt(leaf)).sum(..);
                assert!((product.item() - sum.value().item()).abs() < 1e-8, "{sizes:?}");
            }
        }
    }

    /// More images than partial sums, and enough work to be split among threads.
    #[test]
    fn gradients_of_many_images_are_the_sum_of_each() {
        let (n, size) = (50, [16, 16, 2]);
        let x = random(&[n, size[0], size[1], size[2]], -1.0, 1.0, 1, 0);
        let kernel = random(&[3, 3, 2, 20], -1.0, 1.0, 2, 0);
        let bias = random(&[20], -1.0, 1.0, 3, 0);
        let gradients = |x: Tensor<f64>| {
            let tape = crate::autograd::Tape::new();
            let leaves = [x, kernel.clone(), bias.clone()].map(|value| tape.leaf(value));
            let [x, kernel, bias] = &leaves;
            let y = x.conv2d(kernel, bias, [1, 1], Padding::Same);
            let gradients = (&y * &y).sum(..).backward();
            leaves.each_ref().map(|leaf| gradients.wrt(leaf))
        };
        let [dx, dkernel, dbias] = gradients(x.clone());
        let each: Vec<_> = (0..n).map(|i| gradients(x.slice(0, i..i + 1))).collect();
        let sum = |part: usize| {
            each.iter().skip(1).fold(each[0][part].clone(), |sum, each| sum + &each[part])
        };
        assert_close(&dkernel, &sum(1));
        assert_close(&dbias, &sum(2));
        let dx_each: Vec<_> = each.iter().map(|each| each[0].clone()).collect();
        assert_close(&dx, &Tensor::concat(&dx_each));
    }

    #[test]
    #[should_panic(
        expected = "the kernel [5, 5, 3, 8] reads 3 channels but the input [2, 16, 16, 1] has 1"
    )]
    fn channels_that_do_not_fit() {
        let x = Var::constant(Tensor::<f64>::zeros([2, 16, 16, 1]));
        let kernel = Var::constant(Tensor::zeros([5, 5, 3, 8]));
        x.conv2d(&kernel, &Var::constant(Tensor::zeros([8])), [1, 1], Padding::Same);
    }

    #[test]
    #[should_panic(expected = "the window of 5x5 does not fit into the image of 4x9")]
    fn a_window_larger_than_the_image() {
        let x = Var::constant(Tensor::<f64>::zeros([2, 4, 9, 1]));
        let kernel = Var::constant(Tensor::zeros([5, 5, 1, 8]));
        x.conv2d(&kernel, &Var::constant(Tensor::zeros([8])), [1, 1], Padding::Valid);
    }

    /// Rounding errors of an algorithm against the direct sum in `f64`, divided by the root of the mean square of
    /// the exact values: the mean and the largest, for the output and for each gradient.
    fn errors(algorithm: Algorithm, [n, side, c_in, c_out]: [usize; 4]) -> [[f64; 2]; 3] {
        let rng = &mut Stream::new(7);
        let normal =
            |shape: [usize; 4], rng: &mut Stream| Tensor::<f64>::normal(shape, 0.0, 1.0, rng);
        let to_f32 = |x: &Tensor<f64>| {
            Tensor::new(x.shape(), x.iter().map(|x| x as f32).collect::<Vec<_>>())
        };
        let to_f64 =
            |x: &Tensor<f32>| Tensor::new(x.shape(), x.iter().map(f64::from).collect::<Vec<_>>());
        let x = to_f32(&normal([n, side, side, c_in], rng));
        let kernel = to_f32(&normal([3, 3, c_in, c_out], rng));
        let dy = to_f32(&normal([n, side, side, c_out], rng));
        fn run<T: Scalar>(
            algorithm: Algorithm,
            x: &Tensor<T>,
            kernel: &Tensor<T>,
            dy: &Tensor<T>,
        ) -> [Tensor<T>; 3] {
            let convolution =
                Convolution { padding: Padding::Same, algorithm, ..Convolution::default() };
            let tape = crate::autograd::Tape::new();
            let (x, kernel) = (tape.leaf(x.clone()), tape.leaf(kernel.clone()));
            let bias = Var::constant(Tensor::zeros([kernel.shape()[3]]));
            let y = x.convolve(&kernel, &bias, convolution);
            let gradients = y.backward_from(dy);
            [y.value().clone(), gradients.wrt(&x), gradients.wrt(&kernel)]
        }
        let exact = run(Algorithm::Direct, &to_f64(&x), &to_f64(&kernel), &to_f64(&dy));
        let values = run(algorithm, &x, &kernel, &dy);
        std::array::from_fn(|i| {
            let (value, exact) = (to_f64(&values[i]), &exact[i]);
            let size = exact.square().mean(..).item().sqrt();
            let error = (&value - exact).abs() / size;
            [error.mean(..).item(), error.max(..).item()]
        })
    }

    /// As the documentation of [`Algorithm`] promises, in the mean and for the worst value.
    #[test]
    fn rounding_errors() {
        // More tiles than channels, and fewer; more channels than are summed at a time; more tiles than are summed, and than
        // are kept, at a time.
        for sizes in
            [[2, 14, 64, 64], [1, 13, 128, 32], [2, 9, 32, 96], [3, 7, 528, 112], [3, 67, 64, 64]]
        {
            let direct = errors(Algorithm::Direct, sizes);
            let small = errors(Algorithm::Winograd2, sizes);
            let large = errors(Algorithm::Winograd4, sizes);
            for i in 0..3 {
                let all = format!("{sizes:?} {i}: {:?} {:?} {:?}", direct[i], small[i], large[i]);
                println!("{all}");
                let [of_small, of_large] = if i < 2 { [1.0, 2.5] } else { [2.0, 4.0] };
                let longer = if sizes[2] > 500 { 2.0 } else { 1.0 };
                for (j, bound) in [1e-6 * longer, 1e-5 * longer].into_iter().enumerate() {
                    assert!(direct[i][j] < bound, "{all}");
                    assert!(small[i][j] < of_small * direct[i][j].max(bound / 5.0), "{all}");
                    assert!(large[i][j] < of_large * direct[i][j].max(bound / 5.0), "{all}");
                }
                // They are other sums: a test of the direct one alone would be none.
                assert_ne!(direct[i], small[i]);
                assert_ne!(direct[i], large[i]);
            }
        }
    }

    /// More tiles than channels, and fewer, with a bias and rectified.
    #[test]
    fn tiles_end_like_the_direct_sum() {
        for [n, side, c_in, c_out] in [[3, 12, 32, 48], [1, 6, 48, 80]] {
            let rng = &mut Stream::new(5);
            let x = Tensor::<f32>::normal([n, side, side, c_in], 0.0, 1.0, rng);
            let kernel = Tensor::normal([3, 3, c_in, c_out], 0.0, 0.1, rng);
            let bias = Tensor::normal([c_out], 0.0, 2.0, rng);
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            for relu in [false, true] {
                let convolve = if relu { Var::convolve_relu } else { Var::convolve };
                let run = |algorithm| {
                    let convolution = Convolution { algorithm, ..Convolution::default() };
                    convolve(&x, &kernel, &bias, convolution).into_value()
                };
                let direct = run(Algorithm::Direct);
                assert_eq!(direct.iter().any(|y| y < 0.0), !relu);
                for algorithm in [Algorithm::Winograd2, Algorithm::Winograd4] {
                    let errors = (&run(algorithm) - &direct).abs();
                    assert!(errors.iter().all(|error| error < 2e-5), "{algorithm:?} {relu}");
                }
            }
        }
    }

    /// The gradient of images with few channels, by the definition: every number of them that has a kernel of its own, with
    /// every number of pixels that is left over, and one or several vectors of output channels.
    #[test]
    fn gradients_of_images_with_few_channels() {
        fn check<T: Scalar>(c_in: usize, c_out: usize, pixels: usize, kw: usize, groups: usize) {
            let rng = &mut Stream::new(pixels as u64);
            let x = Tensor::<T>::uniform([1, 1, pixels, c_in * groups], -1.0, 1.0, rng);
            let kernel = Tensor::<T>::uniform([1, kw, c_in, c_out * groups], -1.0, 1.0, rng);
            let dy = Tensor::<T>::uniform([1, 1, pixels, c_out * groups], -1.0, 1.0, rng);
            let tape = crate::autograd::Tape::new();
            let x = tape.leaf(x);
            let bias = Var::constant(Tensor::zeros([c_out * groups]));
            let convolution =
                Convolution { padding: Padding::Same, groups, ..Convolution::default() };
            let y = x.convolve(&Var::constant(kernel.clone()), &bias, convolution);
            let dx = y.backward_from(&dy).wrt(&x);
            for at in 0..pixels {
                for channel in 0..c_in * groups {
                    let (group, c) = (channel / c_in, channel % c_in);
                    let mut right = 0.0;
                    // Output pixels that saw this one, through tap kx.
                    for kx in 0..kw {
                        let output = (at + (kw - 1) / 2).wrapping_sub(kx);
                        for o in group * c_out..(group + 1) * c_out {
                            if output < pixels {
                                let (dy, weight) =
                                    (dy.at([0, 0, output, o]), kernel.at([0, kx, c, o]));
                                right += dy.widen() * weight.widen();
                            }
                        }
                    }
                    let value = dx.at([0, 0, at, channel]).widen();
                    let tolerance = if T::BYTES == 4 { 2e-5 } else { 1e-13 };
                    assert!(
                        (value - right).abs() < tolerance,
                        "{} {c_in} {c_out} {pixels} {kw} {groups}: {value} in place of {right}",
                        T::NAME
                    );
                }
            }
        }
        for c_in in 1..=4 {
            for pixels in 1..=13 {
                for (c_out, kw, groups) in [(16, 1, 1), (32, 3, 1), (48, 2, 1), (16, 3, 2)] {
                    check::<f32>(c_in, c_out, pixels, kw, groups);
                    check::<f64>(c_in, c_out, pixels, kw, groups);
                }
            }
        }
    }

    #[test]
    fn no_images_at_all() {
        for channels in [3, 20, 32] {
            let tape = crate::autograd::Tape::new();
            let x = tape.leaf(Tensor::<f32>::zeros([0, 5, 6, channels]));
            let kernel = tape.leaf(Tensor::ones([3, 3, channels, channels]));
            let bias = tape.leaf(Tensor::ones([channels]));
            let y = x.conv2d(&kernel, &bias, [1, 1], Padding::Same);
            assert_eq!(y.shape(), [0, 5, 6, channels]);
            let gradients = y.backward_from(&Tensor::zeros([0, 5, 6, channels]));
            assert_eq!(gradients.wrt(&x).shape(), [0, 5, 6, channels]);
            assert_eq!(gradients.wrt(&kernel), Tensor::zeros([3, 3, channels, channels]));
            assert_eq!(gradients.wrt(&bias), Tensor::zeros([channels]));
        }
    }

    /// More images than stay together, and some that fill no vector: taken in blocks, and put back in order.
    #[test]
    fn blocks_of_images() {
        for n in [65, 100, 131] {
            let inputs = inputs([n, 4, 3, 3, 2, 2, 3], 1, 0);
            let convolution = Convolution { padding: Padding::Same, ..Convolution::default() };
            let run = |[x, kernel, bias]: [Tensor<f64>; 3]| {
                let tape = crate::autograd::Tape::new();
                let leaves = [x, kernel, bias].map(|value| tape.leaf(value));
                let [x, kernel, bias] = &leaves;
                let y = x.convolve(kernel, bias, convolution);
                let gradients = (&y * &y).sum(..).backward();
                (y.into_value(), leaves.each_ref().map(|leaf| gradients.wrt(leaf)))
            };
            let [x, kernel, bias] = inputs;
            let (y, [dx, dkernel, dbias]) = run([x.clone(), kernel.clone(), bias.clone()]);
            let each: Vec<_> =
                (0..n).map(|i| run([x.slice(0, i..i + 1), kernel.clone(), bias.clone()])).collect();
            let ys: Vec<_> = each.iter().map(|(y, _)| y.clone()).collect();
            let dxs: Vec<_> = each.iter().map(|(_, [dx, ..])| dx.clone()).collect();
            assert_close(&y, &Tensor::concat(&ys));
            assert_close(&dx, &Tensor::concat(&dxs));
            let sum = |of: &dyn Fn(&[Tensor<f64>; 3]) -> Tensor<f64>| {
                each.iter().skip(1).fold(of(&each[0].1), |sum, (_, each)| sum + &of(each))
            };
            assert_close(&dkernel, &sum(&|[_, dkernel, _]| dkernel.clone()));
            assert_close(&dbias, &sum(&|[.., dbias]| dbias.clone()));
        }
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..18, h in 1usize..9, w in 1usize..9, c in 1usize..4, o in 1usize..20,
            kh in 1usize..5, kw in 1usize..5, sh in 1usize..4, sw in 1usize..4, dh in 1usize..3,
            dw in 1usize..3, groups in 1usize..4, padding in select(&PADDINGS[..]), relu: bool, layout in 0u8..16,
        ) {
            prop_assume!(padding != Padding::Valid || (kh - 1) * dh < h && (kw - 1) * dw < w);
            let (strides, dilation) = ([sh, sw], [dh, dw]);
            let convolution = Convolution { strides, padding, dilation, groups, ..Convolution::default() };
            let [x, kernel, bias] = inputs([n, h, w, kh, kw, c, o], groups, layout);
            let expected = naive(&x, &kernel, &bias, convolution);
            let expected = if relu { expected.map(|y| y.max(0.0)) } else { expected };
            let convolve = if relu { Var::convolve_relu } else { Var::convolve };
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            assert_close(convolve(&x, &kernel, &bias, convolution).value(), &expected);
        }

        #[test]
        fn depthwise_definition(
            n in 1usize..3, h in 1usize..9, w in 1usize..9, channels in 2usize..50,
            kh in 1usize..4, kw in 1usize..4, sh in 1usize..3, dw in 1usize..3, same: bool,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            prop_assume!(same || kh <= h && (kw - 1) * dw < w);
            let (strides, dilation) = ([sh, 1], [1, dw]);
            let convolution =
                Convolution { strides, padding, dilation, groups: channels, ..Convolution::default() };
            let [x, kernel, bias] = inputs([n, h, w, kh, kw, 1, 1], channels, 0);
            let expected = naive(&x, &kernel, &bias, convolution);
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            assert_close(x.convolve(&kernel, &bias, convolution).value(), &expected);
        }
    }
}
