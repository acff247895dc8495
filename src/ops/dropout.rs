//! Dropout: random zeros while training.

use crate::autograd::{Op, Var, apply};
use crate::kernels::mask;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Stream, Tensor};

struct Dropout {
    rate: f64,
    stream: Stream,
    first_sample: usize,
}

impl Dropout {
    /// The survivors, multiplied; the same for `x` and, in the same places, for `dy`.
    #[track_caller]
    fn of<T: Scalar>(&self, x: &Tensor<T>) -> Tensor<T> {
        if self.rate == 1.0 {
            return x.map(|_| T::zero());
        }
        let sample = |i: usize| self.first_sample.wrapping_add(i) as u64;
        let streams = (0..x.shape()[0]).map(|i| self.stream.fork(sample(i)));
        mask::drop_out(x, streams, self.rate)
    }
}

impl<T: Scalar> Op<T, 1> for Dropout {
    const NAME: &'static str = "dropout";
    type Saved = (); // the random numbers are made again

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        let shape = x.shape();
        assert!(shape.rank() > 0, "dropout: needs an axis of samples, and the input is a scalar");
        (self.of(x), ())
    }

    // dx = dy / (1 - rate) for the survivors, else 0
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(self.of(&dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Sets each element to 0 with probability `rate` and multiplies the others by
    /// `1 / (1 - rate)`, so that the expected value stays (Srivastava et al., *Dropout: a simple way
    /// to prevent neural networks from overfitting*, 2014; "inverted", as in Keras). A rate of 1 gives
    /// zeros. What is dropped is 0 whatever it was, and so is its gradient, even if they were infinite or not numbers.
    ///
    /// The first axis counts samples. Whether an element survives depends on the stream, on
    /// `first_sample` plus its sample's index, and on its place in the sample: a batch that is cut in
    /// two gives the same as the whole.
    ///
    /// # Panics
    /// When the rate lies outside 0 to 1, or the input is a scalar.
    ///
    /// ```
    /// use cinta::{Stream, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::<f64>::ones([2, 100]));
    /// let y = x.dropout(0.5, &Stream::new(1), 0);
    /// assert!(y.value().iter().all(|y| y == 0.0 || y == 2.0));
    /// let second = x.slice(0, 1..2).dropout(0.5, &Stream::new(1), 1);
    /// assert_eq!(second.value(), &y.value().slice(0, 1..));
    /// assert_eq!(&y.sum(..).backward().wrt(&x), y.value()); // here x is 1, so y is the mask
    /// ```
    #[track_caller]
    pub fn dropout(&self, rate: f64, stream: &Stream, first_sample: usize) -> Var<'t, T> {
        assert!((0.0..=1.0).contains(&rate), "dropout: the rate is {rate}, outside of 0 to 1");
        apply(Dropout { rate, stream: stream.clone(), first_sample }, [self])
    }
}

compiled!(|x: &Var<T>, stream: &Stream| x.dropout(0.5, stream, 0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::<f64>::full([20, 1000], 3.0));
        let y = x.dropout(0.25, &Stream::new(5), 0).into_value();
        assert!(y.iter().all(|y| y == 0.0 || y == 4.0));
        let dropped = y.iter().filter(|&y| y == 0.0).count();
        // 20 000 draws: five standard deviations are 306.
        assert!(dropped.abs_diff(5000) < 306, "{dropped} of 20000 were dropped, instead of 5000");
        assert_close(x.dropout(0.0, &Stream::new(5), 0).value(), x.value());
        assert_close(x.dropout(1.0, &Stream::new(5), 0).value(), &Tensor::zeros([20, 1000]));
    }

    /// At every rate, in every memory order, for vectors and for what is left over.
    #[test]
    fn what_is_dropped_is_0_whatever_it_was() {
        for (rate, layout) in [0.25, 0.5, 0.9, 1.0].into_iter().zip([0, 1, 3, 3]) {
            let x = random(&[19, 5, 7], -2.0, 2.0, 1, layout);
            let survives = Var::constant(x.map(|_| 1.0)).dropout(rate, &Stream::new(5), 2);
            for wild in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                let tape = Tape::new();
                let leaf = tape.leaf(x.map(|_| wild));
                let y = leaf.dropout(rate, &Stream::new(5), 2);
                let dx = y.backward_from(&x.map(|_| wild)).wrt(&leaf);
                for found in [y.value(), &dx] {
                    let right =
                        |(y, one): (f64, f64)| if one == 0.0 { y == 0.0 } else { !y.is_finite() };
                    assert!(found.iter().zip(survives.value().iter()).all(right), "{rate} {wild}");
                    assert!(found.iter().any(|y| y.to_bits() == 0), "{rate} {wild}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "dropout: needs an axis of samples, and the input is a scalar")]
    fn a_scalar_has_no_samples_at_any_rate() {
        Var::constant(Tensor::<f64>::scalar(1.0)).dropout(1.0, &Stream::new(0), 0);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.dropout(0.4, &Stream::new(2), 7), [x.clone()]).unwrap();
        gradcheck(|[x]| x.dropout(1.0, &Stream::new(2), 7), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "dropout: the rate is 1.5, outside of 0 to 1")]
    fn a_rate_above_one() {
        Var::constant(Tensor::<f64>::ones([2])).dropout(1.5, &Stream::new(0), 0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.5, 2.0), rate in 0.0..0.9, first in 0usize..5) {
            let stream = Stream::new(9);
            let [_, b, c] = x.dims();
            let expected = Tensor::from_fn(x.shape(), |i| {
                let keys = stream.fork((first + i[0]) as u64).word_keys();
                let word = Stream::word(keys, (i[1] * c + i[2]) as u32);
                let survives = f64::from(word) >= rate * 4_294_967_296.0;
                if survives { x.at([i[0], i[1], i[2]]) / (1.0 - rate) } else { 0.0 }
            });
            prop_assert!(b > 0);
            assert_close(Var::constant(x).dropout(rate, &stream, first).value(), &expected);
        }
    }
}
