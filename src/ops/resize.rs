//! Images of another size: `y[i, j] = sum over p, q of v[i, p] w[j, q] x[p, q]`, with weights by distance.

use crate::autograd::{Op, Var, apply};
use crate::kernels::Interpolation;
use crate::kernels::resample::{Taps, along, taps, transposed};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Resize {
    /// Along height and width.
    axes: [Taps; 2],
}

impl<T: Scalar> Op<T, 1> for Resize {
    const NAME: &'static str = "resize";
    type Saved = [usize; 2]; // height and width

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, [usize; 2]) {
        let [height, width] = &self.axes;
        (along(&along(x, 1, height), 2, width), [x.shape()[1], x.shape()[2]])
    }

    // dx[p, q] = sum over i, j of v[i, p] w[j, q] dy[i, j]
    fn backward(&self, [h, w]: [usize; 2], dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let [height, width] = &self.axes;
        let dy = along(&dy, 2, &transposed(width, w));
        [Some(along(&dy, 1, &transposed(height, h)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Images `[n, h, w, c]` of another height and width. Pixels are squares, so that the corners of an image stay corners,
    /// and values between their centres are interpolated. With `antialias`, an image that becomes smaller is a mean
    /// over all its pixels; without, pixels between two outputs do not count.
    ///
    /// # Panics
    /// When these are no images, or images without pixels.
    ///
    /// ```
    /// use cinta::{Interpolation, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).reshape([1, 2, 2, 1]));
    /// let y = x.resize([1, 1], Interpolation::Bilinear, false);
    /// assert_eq!(y.value().item(), 2.5);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [0.25; 4]);
    /// ```
    #[track_caller]
    pub fn resize(
        &self,
        size: [usize; 2],
        interpolation: Interpolation,
        antialias: bool,
    ) -> Var<'t, T> {
        let shape = self.shape();
        let [_, h, w, _] = *shape else {
            panic!("resize: needs images [n, h, w, c], and the shape is {shape}")
        };
        assert!(
            h * w > 0 && size[0] * size[1] > 0,
            "resize: images of {h} by {w} pixels cannot become images of {} by {}",
            size[0],
            size[1]
        );
        let map = |from, to| taps(from, to, interpolation, antialias);
        apply(Resize { axes: [map(h, size[0]), map(w, size[1])] }, [self])
    }
}

compiled!(|x: &Var<T>| x.resize([1, 1], Interpolation::Bilinear, false));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([0.0, 1.0, 2.0, 9.0]).reshape([1, 1, 4, 1]));
        let resized = |size: usize, interpolation, antialias| {
            x.resize([2, size], interpolation, antialias).value().reshape([2 * size])
        };
        let near = resized(2, Interpolation::Nearest, false);
        assert_close(&near, &Tensor::from([1.0, 9.0, 1.0, 9.0]));
        let line = resized(2, Interpolation::Bilinear, false);
        assert_close(&line, &Tensor::from([0.5, 5.5, 0.5, 5.5]));
        // Distances 0.5, 0.5 and 1.5 in pixels of twice the size count 3, 3 and 1.
        let smooth = resized(2, Interpolation::Bilinear, true);
        assert_close(&smooth, &(Tensor::from([5.0, 34.0, 5.0, 34.0]) * (1.0 / 7.0)));
        for interpolation in Interpolation::ALL {
            assert_close(&resized(4, interpolation, true).slice(0, 0..4), &x.value().reshape([4]));
        }
    }

    #[test]
    fn gradient() {
        let x = random(&[2, 5, 3, 2], -2.0, 2.0, 1, 3);
        for interpolation in Interpolation::ALL {
            for (size, antialias) in [([3, 7], false), ([2, 2], true)] {
                gradcheck(|[x]| x.resize(size, interpolation, antialias), [x.clone()]).unwrap();
            }
        }
    }

    #[test]
    #[should_panic(expected = "needs images [n, h, w, c], and the shape is [2, 3]")]
    fn no_images() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).resize([1, 1], Interpolation::Nearest, false);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(4, -3.0, 3.0), h in 1usize..8, w in 1usize..8, antialias: bool) {
            let [n, from_h, from_w, c] = x.dims();
            // The triangle around each output's centre, over all pixels.
            let weights = |from: usize, to: usize, output: usize| -> Vec<f64> {
                let ratio = from as f64 / to as f64;
                let width = if antialias && ratio > 1.0 { ratio } else { 1.0 };
                let centre = (output as f64 + 0.5) * ratio - 0.5;
                let triangle =
                    |i: usize| (1.0 - (centre - i as f64).abs() / width).max(0.0);
                let sum: f64 = (0..from).map(triangle).sum();
                (0..from).map(|i| triangle(i) / sum).collect()
            };
            let expected = Tensor::from_fn([n, h, w, c], |at| {
                let (rows, columns) = (weights(from_h, h, at[1]), weights(from_w, w, at[2]));
                let mut sum = 0.0;
                for (p, row) in rows.iter().enumerate() {
                    for (q, column) in columns.iter().enumerate() {
                        sum += row * column * x.at([at[0], p, q, at[3]]);
                    }
                }
                sum
            });
            let y = Var::constant(x).resize([h, w], Interpolation::Bilinear, antialias);
            assert_close(y.value(), &expected);
        }
    }
}
