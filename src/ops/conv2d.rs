//! Two-dimensional convolution, as neural networks use the word: cross-correlation.
//!
//! ```text
//! y[n, oy, ox, o] = bias[o] + sum over ky, kx, c of
//!                   x[n, oy sh + ky - top, ox sw + kx - left, c] kernel[ky, kx, c, o]
//! ```
//! where pixels outside of the image count as 0.

use crate::autograd::{Op, Var, apply};
use crate::kernels::conv2d::{self, Geometry};
use crate::kernels::{Padding, Window};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

struct Conv2d {
    strides: [usize; 2],
    padding: Padding,
}

struct Saved<T: Scalar> {
    geometry: Geometry,
    /// Row-major, and only where the other one's gradient is wanted.
    x: Option<Tensor<T>>,
    kernel: Option<Tensor<T>>,
}

impl Conv2d {
    #[track_caller]
    fn geometry<T: Scalar>(&self, [x, kernel, bias]: [&Tensor<T>; 3]) -> Geometry {
        let (image, shape) = (x.shape(), kernel.shape());
        assert!(
            image.rank() == 4 && shape.rank() == 4,
            "conv2d: needs images [n, h, w, c] and a kernel [kh, kw, c_in, c_out], \
             and the shapes are {image} and {shape}"
        );
        let ([images, h, w, c], [kh, kw, c_in, c_out]) = (x.dims(), kernel.dims());
        assert_eq!(
            c, c_in,
            "conv2d: the kernel {shape} reads {c_in} channels but the input {image} has {c}"
        );
        assert_eq!(
            bias.shape(),
            [c_out],
            "conv2d: the kernel {shape} has {c_out} outputs but the bias has the shape {}",
            bias.shape()
        );
        assert!(c_out > 0, "conv2d: the kernel {shape} has no outputs");
        match Window::new([h, w], [kh, kw], self.strides, self.padding) {
            Ok(window) => Geometry { window, images, c_in, c_out },
            Err(reason) => panic!("conv2d of {image} by {shape}: {reason}"),
        }
    }
}

fn slice<T: Scalar>(tensor: &Tensor<T>) -> &[T] {
    tensor.as_slice().expect("made row-major")
}

impl<T: Scalar> Op<T, 3> for Conv2d {
    const NAME: &'static str = "conv2d";
    type Saved = Saved<T>;

    fn forward(&self, inputs: [&Tensor<T>; 3], wanted: [bool; 3]) -> (Tensor<T>, Saved<T>) {
        let geometry = self.geometry(inputs);
        let [x, kernel, bias] = inputs.map(Tensor::row_major);
        let y = conv2d::forward(geometry, slice(&x), slice(&kernel), slice(&bias));
        let shape = geometry.window.output_shape(geometry.images, geometry.c_out);
        let saved = Saved {
            geometry,
            x: (wanted[1] || wanted[2]).then_some(x),
            kernel: wanted[0].then_some(kernel),
        };
        (Tensor::new(shape, y), saved)
    }

    // dx[.., iy, ix, c]  = sum of dy[.., oy, ox, o] kernel[ky, kx, c, o] over all that reached there
    // dkernel[ky, kx, c, o] = sum over n, oy, ox of x[.., oy sh + ky - top, ox sw + kx - left, c] dy[.., oy, ox, o]
    // dbias[o] = sum over n, oy, ox of dy[.., oy, ox, o]
    fn backward(&self, saved: Saved<T>, dy: Tensor<T>, _: [bool; 3]) -> [Option<Tensor<T>>; 3] {
        let Saved { geometry, x, kernel } = saved;
        let dy = dy.row_major();
        let Geometry { window, images, c_in, c_out } = geometry;
        let ([h, w], [kh, kw]) = (window.image(), window.size());
        let dx = kernel.map(|kernel| {
            let dx = conv2d::backward_input(geometry, slice(&kernel), slice(&dy));
            Tensor::new([images, h, w, c_in], dx)
        });
        let (dkernel, dbias) = x
            .map(|x| {
                let (dkernel, dbias) = conv2d::backward_kernel(geometry, slice(&x), slice(&dy));
                (Tensor::new([kh, kw, c_in, c_out], dkernel), Tensor::new([c_out], dbias))
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
        apply(Conv2d { strides, padding }, [self, kernel, bias])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    /// The definition, as plain loops.
    fn naive(
        x: &Tensor<f64>,
        kernel: &Tensor<f64>,
        bias: &Tensor<f64>,
        [sh, sw]: [usize; 2],
        padding: Padding,
    ) -> Tensor<f64> {
        let ([n, h, w, c], [kh, kw, _, o]) = (x.dims(), kernel.dims());
        let axis = |size: usize, k: usize, s: usize| match padding {
            Padding::Valid => ((size - k) / s + 1, 0),
            Padding::Same => {
                let out = size.div_ceil(s);
                (out, (((out - 1) * s + k) as isize - size as isize).max(0) / 2)
            }
        };
        let ((oh, top), (ow, left)) = (axis(h, kh, sh), axis(w, kw, sw));
        Tensor::from_fn([n, oh, ow, o], |at| {
            let mut sum = bias.at([at[3]]);
            for ky in 0..kh {
                for kx in 0..kw {
                    let (iy, ix) =
                        ((at[1] * sh + ky) as isize - top, (at[2] * sw + kx) as isize - left);
                    if !(0..h as isize).contains(&iy) || !(0..w as isize).contains(&ix) {
                        continue;
                    }
                    for channel in 0..c {
                        sum += x.at([at[0], iy as usize, ix as usize, channel])
                            * kernel.at([ky, kx, channel, at[3]]);
                    }
                }
            }
            sum
        })
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
        use Padding::{Same, Valid};
        for (kernel, strides, padding) in [
            ([3, 3], [1, 1], Valid),
            ([3, 3], [1, 1], Same),
            ([2, 2], [2, 2], Same),
            ([1, 1], [1, 1], Valid),
            ([3, 2], [2, 3], Valid),
            ([2, 4], [3, 1], Same),
        ] {
            let [kh, kw] = kernel;
            let inputs = [
                random(&[3, 5, 4, 2], -1.0, 1.0, 1, 0),
                random(&[kh, kw, 2, 3], -1.0, 1.0, 2, 0),
                random(&[3], -1.0, 1.0, 3, 0),
            ];
            gradcheck(|[x, kernel, bias]| x.conv2d(kernel, bias, strides, padding), inputs)
                .unwrap();
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

    proptest! {
        #[test]
        fn definition(
            n in 0usize..4, h in 1usize..9, w in 1usize..9, c in 1usize..4, o in 1usize..20,
            kh in 1usize..5, kw in 1usize..5, sh in 1usize..4, sw in 1usize..4,
            same: bool, layout in 0u8..16,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            prop_assume!(same || kh <= h && kw <= w);
            let x = random(&[n, h, w, c], -1.0, 1.0, 1, if n == 0 { 0 } else { layout % 4 });
            let kernel = random(&[kh, kw, c, o], -1.0, 1.0, 2, layout / 4);
            let bias = random(&[o], -1.0, 1.0, 3, 0);
            let expected = naive(&x, &kernel, &bias, [sh, sw], padding);
            let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
            assert_close(x.conv2d(&kernel, &bias, [sh, sw], padding).value(), &expected);
        }
    }
}
