//! `y = scale x` where `x > 0`, else `scale alpha (exp(x) - 1)`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Elu {
    alpha: f64,
    scale: f64,
}

pointwise!(
    Value { above, below } = |x| {
        let negative = below * x.vector_exp_m1();
        if x > T::zero() { above * x } else { negative }
    }
);
// From x, and from y.
pointwise!(
    SlopeAt { above, below } = |dy, x| {
        let negative = below * x.vector_exp();
        dy * if x > T::zero() { above } else { negative }
    }
);
pointwise!(Slope { above, below } = |dy, y| dy * if y > T::zero() { above } else { y + below });

impl<T: Scalar> Op<T, 1> for Elu {
    const NAME: &'static str = "elu";
    type Saved = Tensor<T>; // y, whose sign is that of x; x itself where alpha is negative

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (above, below) = (T::lit(self.scale), T::lit(self.scale * self.alpha));
        let y = x.map_pointwise(Value { above, below });
        let saved = if self.alpha < 0.0 { x.clone() } else { y.clone() };
        (y, saved)
    }

    // dx = dy scale where x > 0, else dy scale alpha exp(x) = dy (y + scale alpha)
    fn backward(&self, saved: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (above, below) = (T::lit(self.scale), T::lit(self.scale * self.alpha));
        [Some(if self.alpha < 0.0 {
            dy.zip_pointwise(&saved, SlopeAt { above, below })
        } else {
            dy.zip_pointwise(&saved, Slope { above, below })
        })]
    }
}

/// The numbers with which normal values stay normal, from layer to layer.
const SELU: Elu = Elu { alpha: 1.673_263_242_354_377_2, scale: 1.050_700_987_355_480_5 };

impl<'t, T: Scalar> Var<'t, T> {
    /// The exponential linear unit: `y = x` where `x > 0`, else `y = exp(x) - 1` (Clevert, Unterthiner and Hochreiter, 2015; Keras with its default `alpha = 1`).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 2.0]));
    /// assert_eq!(x.elu().value().to_vec(), [0.0, 2.0]);
    /// assert_eq!(x.elu().sum(..).backward().wrt(&x).to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn elu(&self) -> Var<'t, T> {
        self.elu_with(1.0)
    }

    /// The exponential linear unit with a factor: `y = x` where `x > 0`, else `y = alpha (exp(x) - 1)`.
    ///
    /// # Panics
    /// When `alpha` is not finite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.5f64.ln(), 2.0]));
    /// assert!(x.elu_with(3.0).value().all_close(&Tensor::from([-1.5, 2.0]), 1e-12, 0.0));
    /// assert!(x.elu_with(3.0).sum(..).backward().wrt(&x).all_close(&Tensor::from([1.5, 1.0]), 1e-12, 0.0));
    /// ```
    #[track_caller]
    pub fn elu_with(&self, alpha: f64) -> Var<'t, T> {
        assert!(alpha.is_finite(), "elu: alpha is {alpha}; it is finite");
        apply(Elu { alpha, scale: 1.0 }, [self])
    }

    /// The scaled exponential linear unit: `y = 1.0507 x` where `x > 0`, else `y = 1.0507 1.6733 (exp(x) - 1)` (Klambauer,
    /// Unterthiner, Mayr and Hochreiter, *Self-normalizing neural networks*, 2017).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-100.0, 2.0]));
    /// assert!(x.selu().value().all_close(&Tensor::from([-1.758_099_3, 2.101_402]), 1e-6, 0.0));
    /// assert!(x.selu().sum(..).backward().wrt(&x).all_close(&Tensor::from([0.0, 1.050_701]), 1e-6, 1e-6));
    /// ```
    #[track_caller]
    pub fn selu(&self) -> Var<'t, T> {
        apply(SELU, [self])
    }
}

compiled!(|x: &Var<T>| x.elu());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use crate::tensor::Stream;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([-1.0, 3.0]));
        let below = -0.632_120_558_828_557_7;
        assert_close(x.elu().value(), &Tensor::from([below, 3.0]));
        assert_close(x.elu_with(0.5).value(), &Tensor::from([below / 2.0, 3.0]));
        assert_close(x.elu_with(0.0).value(), &Tensor::from([0.0, 3.0]));
        assert_close(
            x.selu().value(),
            &Tensor::from([-1.111_330_737_812_562_6, 3.152_102_962_066_441_4]),
        );
    }

    /// What it is made for: mean 0 and variance 1 stay (equations 5 and 6 of the paper).
    #[test]
    fn selu_keeps_the_normal_distribution() {
        let x: Tensor<f64> = Tensor::normal([200_000], 0.0, 1.0, &mut Stream::new(5));
        let y = Var::constant(x).selu().into_value();
        let mean = y.mean(..).item();
        assert!(mean.abs() < 0.01, "{mean}");
        let variance = (&y - mean).square().mean(..).item();
        assert!((variance - 1.0).abs() < 0.015, "{variance}");
    }

    #[test]
    #[should_panic(expected = "elu: alpha is NaN; it is finite")]
    fn an_alpha_that_is_no_number() {
        Var::constant(Tensor::<f64>::zeros([2])).elu_with(f64::NAN);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 5], -2.0, 2.0, 1, 0).map(|x| x + 0.01 * x.signum());
        gradcheck(|[x]| x.elu(), [x.clone()]).unwrap();
        gradcheck(|[x]| x.elu_with(0.3), [x.clone()]).unwrap();
        gradcheck(|[x]| x.elu_with(0.0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.elu_with(-0.3), [x.clone()]).unwrap();
        gradcheck(|[x]| x.selu(), [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), alpha in -2.0..2.0) {
            let y = Var::constant(x.clone()).elu_with(alpha);
            let expected: Vec<f64> = x.iter().map(|x| if x > 0.0 { x } else { alpha * (x.exp() - 1.0) }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
            let (alpha, scale) = (1.673_263_242_354_377_2, 1.050_700_987_355_480_5);
            let expected: Vec<f64> =
                x.iter().map(|x| scale * if x > 0.0 { x } else { alpha * (x.exp() - 1.0) }).collect();
            assert_close(Var::constant(x.clone()).selu().value(), &Tensor::new(x.shape(), expected));
        }
    }
}
