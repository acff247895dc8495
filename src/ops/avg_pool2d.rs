//! The mean of every window of an image, channel by channel.

use crate::autograd::{Op, Var, apply};
use crate::kernels::pool2d::{self, Geometry, Ordered};
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct AvgPool2d {
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
}

impl<T: Scalar> Op<T, 1> for AvgPool2d {
    const NAME: &'static str = "avg_pool2d";
    type Saved = Ordered;

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let shape = x.shape();
        assert!(
            shape.rank() == 4,
            "avg_pool2d: needs images [n, h, w, c], and the shape is {shape}"
        );
        let [images, h, w, channels] = x.dims();
        let window = match Window::new([h, w], self.size, self.strides, self.padding) {
            Ok(window) => window,
            Err(reason) => panic!("avg_pool2d of {shape}: {reason}"),
        };
        let geometry = Geometry { window, images, channels };
        pool2d::avg_forward(geometry, x)
    }

    // dx: every dy is shared equally among the pixels of its window
    fn backward(&self, order: Self::Saved, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(pool2d::avg_backward(order, &dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The mean of every window, channel by channel: `[n, h, w, c]` becomes `[n, oh, ow, c]`, its
    /// size as [`Window`] explains. Pixels that padding adds do not count.
    ///
    /// # Panics
    /// When the input does not have four axes or the window does not fit into the image.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 3.0], [4.0, 2.0]]).reshape([1, 2, 2, 1]));
    /// let y = x.avg_pool2d([2, 2], [2, 2], Padding::Valid);
    /// assert_eq!(y.value().to_vec(), [2.5]);
    /// assert_eq!(y.backward().wrt(&x).to_vec(), [0.25; 4]);
    /// ```
    #[track_caller]
    pub fn avg_pool2d(
        &self,
        size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
    ) -> Var<'t, T> {
        apply(AvgPool2d { size, strides, padding }, [self])
    }
}

compiled!(|x: &Var<T>| x.avg_pool2d([2, 2], [2, 2], Padding::Valid));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, WINDOWS, assert_close, pooled, random};
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
        let x = Var::constant(x.reshape([1, 3, 3, 1]));
        let valid = x.avg_pool2d([2, 2], [1, 1], Padding::Valid);
        assert_close(valid.value(), &Tensor::from([[3.0, 4.0], [6.0, 7.0]]).reshape([1, 2, 2, 1]));
        // At the border, only the pixels of the image count.
        let same = x.avg_pool2d([2, 2], [2, 2], Padding::Same);
        assert_close(same.value(), &Tensor::from([[3.0, 4.5], [7.5, 9.0]]).reshape([1, 2, 2, 1]));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 5, 4, 2], -1.0, 1.0, 1, 0);
        for (size, strides, padding) in WINDOWS {
            gradcheck(|[x]| x.avg_pool2d(size, strides, padding), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "the window of 3x3 does not fit into the image of 2x2")]
    fn a_window_larger_than_the_image() {
        Var::constant(Tensor::<f64>::zeros([1, 2, 2, 1])).avg_pool2d(
            [3, 3],
            [1, 1],
            Padding::Valid,
        );
    }

    proptest! {
        #[test]
        fn definition(
            n in 1usize..4, h in 1usize..9, w in 1usize..9, c in 1usize..4,
            kh in 1usize..5, kw in 1usize..5, sh in 1usize..4, sw in 1usize..4,
            padding in select(&PADDINGS[..]), layout in 0u8..4,
        ) {
            prop_assume!(padding != Padding::Valid || kh <= h && kw <= w);
            let x = random(&[n, h, w, c], -1.0, 1.0, 1, layout);
            let y = Var::constant(x.clone()).avg_pool2d([kh, kw], [sh, sw], padding);
            let of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let expected = pooled(&x, [kh, kw], [sh, sw], padding, of);
            assert_close(y.value(), &expected);
        }
    }
}
