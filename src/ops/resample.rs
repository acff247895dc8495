//! Sums of some places along an axis, each with its weight: how images get another size.
//!
//! ```text
//! y[.., o, ..] = sum over the taps (i, w) of output o of w x[.., i, ..]
//! ```

use crate::autograd::{Op, Var, apply};
use crate::kernels::resample::{Taps, along, transposed};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Resample {
    axis: usize,
    taps: Taps,
}

impl<T: Scalar> Op<T, 1> for Resample {
    const NAME: &'static str = "resample";
    type Saved = usize; // the length of the axis

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, usize) {
        (along(x, self.axis, &self.taps), x.shape()[self.axis])
    }

    // dx[.., i, ..] = sum over the outputs o with a tap (i, w) of w dy[.., o, ..]
    fn backward(&self, length: usize, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(along(&dy, self.axis, &transposed(&self.taps, length)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Another length of an axis: each output along it is a sum of some inputs, which `taps` names with their weights.
    ///
    /// # Panics
    /// When the axis or one of the inputs does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 3.0]));
    /// let between = vec![(0, 0.5), (1, 0.5)];
    /// let y = x.resample(0, vec![vec![(0, 1.0)], between, vec![(1, 1.0)]]);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 3.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.5, 1.5]);
    /// ```
    #[track_caller]
    pub fn resample(&self, axis: usize, taps: Vec<Vec<(usize, f64)>>) -> Var<'t, T> {
        let shape = self.shape();
        assert!(axis < shape.rank(), "resample: a tensor of shape {shape} has no axis {axis}");
        for &(input, _) in taps.iter().flatten() {
            assert!(
                input < shape[axis],
                "resample: there is no place {input} along axis {axis} of a tensor of shape {shape}"
            );
        }
        apply(Resample { axis, taps }, [self])
    }
}

compiled!(|x: &Var<T>| x.resample(0, Vec::new()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use crate::tensor::Stream;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let twice = |n: usize| (0..2 * n).map(|i| vec![(i / 2, 1.0)]).collect::<Vec<_>>();
        let y = x.resample(1, twice(2));
        assert_close(y.value(), &Tensor::from([[1.0, 1.0, 2.0, 2.0], [3.0, 3.0, 4.0, 4.0]]));
        let y = x.resample(0, vec![vec![], vec![(1, 0.5), (0, 2.0)]]);
        assert_close(y.value(), &Tensor::from([[0.0, 0.0], [3.5, 6.0]]));
    }

    /// Taps of random places and weights, some of them none.
    fn random_taps(inputs: usize, outputs: usize, seed: u64) -> Taps {
        let rng = &mut Stream::new(seed);
        let mut tap = || (rng.random_range(0..inputs), rng.random_range(-2.0..2.0));
        (0..outputs).map(|o| (0..o % 4).map(|_| tap()).collect()).collect()
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        for axis in 0..3 {
            let taps = random_taps(x.shape()[axis], 6, axis as u64);
            gradcheck(|[x]| x.resample(axis, taps.clone()).square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(
        expected = "resample: there is no place 3 along axis 1 of a tensor of shape [2, 3]"
    )]
    fn a_place_that_does_not_exist() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).resample(1, vec![vec![(3, 1.0)]]);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(4, -3.0, 3.0), axis in 0usize..4, outputs in 0usize..7, seed: u64) {
            let taps = random_taps(x.shape()[axis], outputs, seed);
            let y = Var::constant(x.clone()).resample(axis, taps.clone());
            let mut shape = x.shape().to_vec();
            shape[axis] = outputs;
            let expected = Tensor::from_fn(&shape[..], |at| {
                let value = |&(input, weight): &(usize, f64)| {
                    let mut place = [at[0], at[1], at[2], at[3]];
                    place[axis] = input;
                    weight * x.at(place)
                };
                taps[at[axis]].iter().map(value).sum()
            });
            assert_close(y.value(), &expected);
        }
    }
}
