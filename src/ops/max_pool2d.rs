//! The largest value of every window of an image, channel by channel.

use crate::autograd::{Op, Var, apply};
use crate::kernels::pool2d::{self, Geometry, Ordered, Winners};
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct MaxPool2d {
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
}

impl<T: Scalar> Op<T, 1> for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    type Saved = (Ordered, Winners); // where each maximum came from

    fn forward(&self, [x]: [&Tensor<T>; 1], [wanted]: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let shape = x.shape();
        assert!(
            shape.rank() == 4,
            "max_pool2d: needs images [n, h, w, c], and the shape is {shape}"
        );
        let [images, h, w, channels] = x.dims();
        let window = match Window::new([h, w], self.size, self.strides, self.padding) {
            Ok(window) => window,
            Err(reason) => panic!("max_pool2d of {shape}: {reason}"),
        };
        let geometry = Geometry { window, images, channels };
        pool2d::max_forward(geometry, x, wanted)
    }

    // dx: every dy goes to the pixel that its maximum came from
    fn backward(
        &self,
        (order, winners): Self::Saved,
        dy: Tensor<T>,
        _: [bool; 1],
    ) -> [Option<Tensor<T>>; 1] {
        [Some(pool2d::max_backward(order, &winners, T::one(), &dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The largest value of every window, channel by channel: `[n, h, w, c]` becomes `[n, oh, ow, c]`,
    /// its size as [`Window`] explains. Pixels that padding adds never win; of equal values the first
    /// in reading order gets the gradient.
    ///
    /// # Panics
    /// When the input does not have four axes or the window does not fit into the image.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 3.0], [4.0, 2.0]]).reshape([1, 2, 2, 1]));
    /// let y = x.max_pool2d([2, 2], [2, 2], Padding::Valid);
    /// assert_eq!(y.value().to_vec(), [4.0]);
    /// assert_eq!(y.backward().wrt(&x).to_vec(), [0.0, 0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn max_pool2d(
        &self,
        size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
    ) -> Var<'t, T> {
        apply(MaxPool2d { size, strides, padding }, [self])
    }
}

compiled!(|x: &Var<T>| x.max_pool2d([2, 2], [2, 2], Padding::Valid));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, WINDOWS, assert_close, pooled, random};
    use crate::tensor::Stream;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0], [-7.0, -8.0, -9.0]]);
        let x = Var::constant(x.reshape([1, 3, 3, 1]));
        let valid = x.max_pool2d([2, 2], [1, 1], Padding::Valid);
        assert_close(
            valid.value(),
            &Tensor::from([[-1.0, -2.0], [-4.0, -5.0]]).reshape([1, 2, 2, 1]),
        );
        // The border that `same` adds does not count as 0, which would win here.
        let same = x.max_pool2d([2, 2], [2, 2], Padding::Same);
        assert_close(
            same.value(),
            &Tensor::from([[-1.0, -3.0], [-7.0, -9.0]]).reshape([1, 2, 2, 1]),
        );
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient() {
        let tape = crate::autograd::Tape::<f64>::new();
        // Nine channels: eight at once, and one alone.
        let x = tape.leaf(Tensor::ones([1, 2, 2, 9]));
        let dx = x.max_pool2d([2, 2], [2, 2], Padding::Valid).backward().wrt(&x);
        assert_eq!(dx.slice(1, 0..1).slice(2, 0..1).to_vec(), [1.0; 9]);
        assert_eq!(dx.sum(..).item(), 9.0);
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let x = Var::constant(Tensor::from([[1.0, f64::NAN], [2.0, 3.0]]).reshape([1, 2, 2, 1]));
        assert!(x.max_pool2d([2, 2], [2, 2], Padding::Valid).value().item().is_nan());
    }

    #[test]
    fn gradient() {
        // Distinct values, so that no maximum is a tie.
        let order = Stream::new(1).permutation(120);
        let x = Tensor::from_fn([3, 5, 4, 2], |i| {
            0.1 * order[((i[0] * 5 + i[1]) * 4 + i[2]) * 2 + i[3]] as f64
        });
        for (size, strides, padding) in WINDOWS {
            gradcheck(|[x]| x.max_pool2d(size, strides, padding), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "the window of 3x3 does not fit into the image of 2x2")]
    fn a_window_larger_than_the_image() {
        Var::constant(Tensor::<f64>::zeros([1, 2, 2, 1])).max_pool2d(
            [3, 3],
            [1, 1],
            Padding::Valid,
        );
    }

    /// More rows than are computed at a time, which are cut in the middle of an image.
    #[test]
    fn many_rows() {
        let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for layout in 0..4 {
            let x = random(&[5, 22, 22, 8], -1.0, 1.0, 1, layout);
            let expected = pooled(&x, [2, 2], [2, 2], Padding::Valid, largest);
            let untracked = Var::constant(x.clone()).max_pool2d([2, 2], [2, 2], Padding::Valid);
            assert_close(untracked.value(), &expected);

            let tape = crate::autograd::Tape::new();
            let leaf = tape.leaf(x.clone());
            let y = leaf.max_pool2d([2, 2], [2, 2], Padding::Valid);
            assert_close(y.value(), &expected);
            // Where the gradient is 1, and nowhere else, are the largest values.
            let dx = y.backward().wrt(&leaf);
            let won = x.zip_with(&dx, |x, dx| if dx == 1.0 { x } else { f64::NEG_INFINITY });
            assert_eq!(dx.sum(..).item(), expected.len() as f64);
            assert_close(&pooled(&won, [2, 2], [2, 2], Padding::Valid, largest), &expected);
        }
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
            let y = Var::constant(x.clone()).max_pool2d([kh, kw], [sh, sw], padding);
            let of = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let expected = pooled(&x, [kh, kw], [sh, sw], padding, of);
            assert_close(y.value(), &expected);
        }
    }
}
