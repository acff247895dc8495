//! Max-pooling, the rectifier and dropout as one operation: what follows a convolution of a LeNet.
//!
//! ```text
//! y = dropout(max(m, 0)) of the largest value m of every window
//! ```

use crate::autograd::{Op, Var, apply};
use crate::kernels::mask::Draws;
use crate::kernels::pool2d::{self, Geometry, Ordered, Survivors, Winners};
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Stream, Tensor};

struct MaxPool2dRelu {
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    dropout: Option<Dropout>,
}

struct Dropout {
    rate: f64,
    stream: Stream,
    first_sample: usize,
}

impl<T: Scalar> Op<T, 1> for MaxPool2dRelu {
    const NAME: &'static str = "max_pool2d_relu";
    /// Where each maximum came from, unless it did not survive, and what survivors are multiplied by.
    type Saved = (Ordered, Winners, T);

    fn forward(&self, [x]: [&Tensor<T>; 1], [wanted]: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let shape = x.shape();
        assert!(
            shape.rank() == 4,
            "max_pool2d_relu: needs images [n, h, w, c], and the shape is {shape}"
        );
        let [images, h, w, channels] = x.dims();
        let window = match Window::new([h, w], self.size, self.strides, self.padding) {
            Ok(window) => window,
            Err(reason) => panic!("max_pool2d_relu of {shape}: {reason}"),
        };
        let draws = self.dropout.as_ref().map(|Dropout { rate, stream, first_sample }| {
            let sample = |i: usize| first_sample.wrapping_add(i) as u64;
            Draws::new(images, (0..images).map(|i| stream.fork(sample(i))), *rate)
        });
        let (geometry, survivors) = (Geometry { window, images, channels }, Survivors { draws });
        let (y, (ordered, winners)) =
            pool2d::max_forward_then(geometry, x, wanted, Some(&survivors));
        (y, (ordered, winners, survivors.scale()))
    }

    // dx: the dy of every survivor, multiplied as it was, goes to the pixel that it came from
    fn backward(
        &self,
        (ordered, winners, scale): Self::Saved,
        dy: Tensor<T>,
        _: [bool; 1],
    ) -> [Option<Tensor<T>>; 1] {
        [Some(pool2d::max_backward(ordered, &winners, scale, &dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// [`max_pool2d`](Self::max_pool2d), then [`relu`](Self::relu), and then [`dropout`](Self::dropout) if its arguments (the rate, the
    /// stream and the first sample) are given, in one pass over the image. All that is kept for the gradient is one byte for each
    /// maximum: which pixel it was, or that it did not survive.
    ///
    /// # Panics
    /// When the input does not have four axes, the window does not fit into the image, or the rate is not between 0 and 1, 1
    /// excluded.
    ///
    /// ```
    /// use cinta::{Padding, Stream, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 3.0, -1.0, -2.0]).reshape([1, 1, 4, 1]));
    /// let y = x.max_pool2d_relu([1, 2], [1, 2], Padding::Valid, Some((0.5, &Stream::new(1), 0)));
    /// assert!(y.value().iter().all(|y| y == 0.0 || y == 6.0));
    /// let y = x.max_pool2d_relu([1, 2], [1, 2], Padding::Valid, None);
    /// assert_eq!(y.value().to_vec(), [3.0, 0.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn max_pool2d_relu(
        &self,
        size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
        dropout: Option<(f64, &Stream, usize)>,
    ) -> Var<'t, T> {
        let dropout = dropout.map(|(rate, stream, first_sample)| {
            assert!(
                (0.0..1.0).contains(&rate),
                "max_pool2d_relu: the rate is {rate}, and it must be between 0 and 1, 1 excluded"
            );
            Dropout { rate, stream: stream.clone(), first_sample }
        });
        apply(MaxPool2dRelu { size, strides, padding, dropout }, [self])
    }
}

compiled!(|x: &Var<T>| x.max_pool2d_relu([2, 2], [2, 2], Padding::Valid, None));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{PADDINGS, WINDOWS, random};
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([[1.0, 3.0, -1.0, -2.0]]).reshape([1, 1, 4, 1]));
        let y = x.max_pool2d_relu([1, 2], [1, 2], Padding::Valid, None);
        assert_eq!(y.value().to_vec(), [3.0, 0.0]);
        assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradient() {
        // Distinct values, none of them close to 0, so that nothing hangs on less than a difference.
        let order = Stream::new(1).permutation(120);
        let x = Tensor::from_fn([3, 5, 4, 2], |i| {
            0.1 * order[((i[0] * 5 + i[1]) * 4 + i[2]) * 2 + i[3]] as f64 - 8.05
        });
        for (size, strides, padding) in WINDOWS {
            for dropout in [None, Some((0.3, &Stream::new(3), 5))] {
                gradcheck(|[x]| x.max_pool2d_relu(size, strides, padding, dropout), [x.clone()])
                    .unwrap();
            }
        }
    }

    /// Values and gradients bit for bit as of the three operations, in the order that models have them.
    fn check<T: Scalar>(
        x: &Tensor<T>,
        (size, strides, padding): ([usize; 2], [usize; 2], Padding),
        rate: f64,
    ) {
        let tapes = [Tape::new(), Tape::new()];
        let [whole, parts] = tapes.each_ref().map(|tape| tape.leaf(x.clone()));
        let stream = Stream::new(3);
        let dropout = (rate > 0.0).then_some((rate, &stream, 5));
        let y = whole.max_pool2d_relu(size, strides, padding, dropout);
        let expected = parts.relu().max_pool2d(size, strides, padding);
        let expected = expected.dropout(rate, &stream, 5);
        assert_eq!(y.value(), expected.value());
        let untracked = Var::constant(x.clone());
        let untracked = untracked.max_pool2d_relu(size, strides, padding, dropout);
        assert_eq!(y.value(), untracked.value());
        let dy = y.value().map(|y| y * T::lit(0.5) + T::one());
        let (dx, right) =
            (y.backward_from(&dy).wrt(&whole), expected.backward_from(&dy).wrt(&parts));
        assert_eq!(dx, right);
    }

    #[test]
    #[should_panic(expected = "the rate is 1, and it must be between 0 and 1, 1 excluded")]
    fn nothing_survives() {
        let x = Var::constant(Tensor::<f64>::zeros([1, 2, 2, 1]));
        x.max_pool2d_relu([2, 2], [1, 1], Padding::Valid, Some((1.0, &Stream::new(1), 0)));
    }

    /// A window of 255 pixels, whose numbers still fit a byte, and one more; in both orders; with values that tie.
    #[test]
    fn large_windows() {
        for (n, w) in [(2, 255), (2, 256), (17, 256)] {
            let order = Stream::new(2).permutation(n * w * 3);
            let x = Tensor::from_fn([n, 1, w, 3], |i| {
                (order[(i[0] * w + i[2]) * 3 + i[3]] / 2) as f64 - 10.0
            });
            let layouts = [x.clone(), x.permute([1, 2, 3, 0]).row_major().permute([3, 0, 1, 2])];
            for x in layouts {
                check(&x, ([1, w], [1, w], Padding::Valid), 0.0);
                check(&x, ([1, w], [1, 3], Padding::Same), 0.4);
            }
        }
    }

    #[test]
    fn what_is_not_a_number() {
        let x = Tensor::from([f32::NAN, 1.0, 2.0, f32::INFINITY, -1.0, f32::NEG_INFINITY]);
        let tape = Tape::new();
        let x = tape.leaf(x.reshape([1, 1, 6, 1]));
        let y = x.max_pool2d_relu([1, 2], [1, 2], Padding::Valid, None);
        let values = y.value().to_vec();
        assert!(values[0].is_nan() && values[1] == f32::INFINITY && values[2] == 0.0);
        assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn definition(
            n in 0usize..20, h in 1usize..7, w in 1usize..7, c in 1usize..6, kh in 1usize..4, kw in 1usize..4,
            sh in 1usize..4, sw in 1usize..4, padding in select(&PADDINGS[..2]), rate in select(&[0.0, 0.3, 0.9][..]),
            innermost: bool, single: bool,
        ) {
            prop_assume!(padding == Padding::Same || kh <= h && kw <= w);
            let x = random(&[n, h, w, c], -1.0, 1.0, 1, 0).map(|x| (x * 8.0).round() / 8.0);
            let x = if innermost && n > 0 { x.permute([1, 2, 3, 0]).row_major().permute([3, 0, 1, 2]) } else { x };
            let how = ([kh, kw], [sh, sw], padding);
            if single { check(&x.cast::<f32>(), how, rate) } else { check(&x, how, rate) }
        }
    }
}
