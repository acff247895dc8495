//! The mean of squared differences, a value for each sample.

use super::column;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct MeanSquaredError<T: Scalar> {
    targets: Tensor<T>,
}

impl<T: Scalar> Op<T, 1> for MeanSquaredError<T> {
    const NAME: &'static str = "mean_squared_error";
    type Saved = Tensor<T>; // p - y

    fn forward(&self, [p]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (shape, targets) = (p.shape(), self.targets.shape());
        assert_eq!(
            shape, targets,
            "mean_squared_error: predictions of shape {shape} and targets of shape {targets}"
        );
        assert!(
            shape.rank() > 0,
            "mean_squared_error: needs a last axis, and the input is a scalar"
        );
        let difference = p - &self.targets;
        (difference.square().mean(shape.rank() - 1), difference)
    }

    // dp = dL 2 (p - y) / width
    fn backward(
        &self,
        difference: Tensor<T>,
        dl: Tensor<T>,
        _: [bool; 1],
    ) -> [Option<Tensor<T>>; 1] {
        let width = *difference.shape().last().expect("not a scalar");
        [Some(difference * column(&(dl * T::lit(2.0 / width as f64))))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `L = mean over i of (p_i - y_i)^2` along the last axis, between these predictions `p` and the
    /// targets `y`. `[n, width]` gives `[n]`.
    ///
    /// # Panics
    /// When the targets have another shape, and for a scalar.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.leaf(Tensor::from([[1.0, 5.0]]));
    /// let loss = p.mean_squared_error(&Tensor::from([[1.0, 2.0]]));
    /// assert_eq!(loss.value().to_vec(), [4.5]);
    /// assert_eq!(loss.backward().wrt(&p), Tensor::from([[0.0, 3.0]]));
    /// ```
    #[track_caller]
    pub fn mean_squared_error(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(MeanSquaredError { targets: targets.clone() }, [self])
    }
}

compiled!(|y: &Var<T>, targets: &Tensor<T>| y.mean_squared_error(targets));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let p = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let loss = p.mean_squared_error(&Tensor::from([[1.0, 0.0], [0.0, 0.0]]));
        assert_close(loss.value(), &Tensor::from([2.0, 12.5]));
    }

    #[test]
    fn gradient() {
        let y = random(&[3, 2, 5], -1.0, 1.0, 2, 0);
        gradcheck(|[p]| p.mean_squared_error(&y), [random(&[3, 2, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "predictions of shape [2, 3] and targets of shape [3]")]
    fn shapes_that_do_not_fit() {
        Var::constant(Tensor::<f64>::ones([2, 3])).mean_squared_error(&Tensor::ones([3]));
    }

    proptest! {
        #[test]
        fn definition(p in tensors(2, -2.0, 2.0), seed: u64) {
            let y = random(&p.shape(), -1.0, 1.0, seed, 2);
            let [n, width] = p.dims();
            let expected = Tensor::from_fn([n], |i| {
                let squares = (0..width).map(|j| (p.at([i[0], j]) - y.at([i[0], j])).powi(2));
                squares.sum::<f64>() / width as f64
            });
            assert_close(Var::constant(p).mean_squared_error(&y).value(), &expected);
        }
    }
}
