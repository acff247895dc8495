//! The divergence of Kullback and Leibler of predicted probabilities from target ones, a value for each sample.

use super::categorical_crossentropy::{EPSILON, clip};
use super::column;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// `L = sum over i of t_i ln(t_i / q_i)`, with `t = clip(y)` and `q = clip(p)`.
struct KlDivergence<T: Scalar> {
    /// Clipped.
    targets: Tensor<T>,
}

fn clipped<T: Scalar>(p: T) -> T {
    clip(p, T::lit(EPSILON), T::one())
}

/// `ln(t / q)`. Of almost equal probabilities the terms of a divergence nearly cancel out, and what is left is smaller than the
/// rounding of a quotient near 1: there it comes from the difference, which is exact.
fn ln_of_quotient<T: Scalar>(t: T, q: T) -> T {
    let difference = q - t;
    if difference.abs() < T::lit(0.5) * t { -(difference / t).ln_1p() } else { (t / q).ln() }
}

impl<T: Scalar> Op<T, 1> for KlDivergence<T> {
    const NAME: &'static str = "kl_divergence";
    type Saved = Tensor<T>; // p

    fn forward(&self, [p]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (shape, targets) = (p.shape(), self.targets.shape());
        assert_eq!(
            shape, targets,
            "kl_divergence: predictions of shape {shape} and targets of shape {targets}"
        );
        assert!(shape.rank() > 0, "kl_divergence: needs a last axis, and the input is a scalar");
        let terms = p.zip_with(&self.targets, |p, t| t * ln_of_quotient(t, clipped(p)));
        (terms.sum(shape.rank() - 1), p.clone())
    }

    // dp_i = -dL t_i / p_i, or 0 where p_i was clipped
    fn backward(&self, p: Tensor<T>, dl: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (low, high) = (T::lit(EPSILON), T::one());
        let slope = |p: T, t: T| if p < low || p > high { T::zero() } else { -t / p };
        [Some(p.into_zip_with(&self.targets, slope) * column(&dl))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `L = sum over i of t_i ln(t_i / q_i)` along the last axis, for the targets `y` and these probabilities `p`, where `t`
    /// and `q` are `y` and `p` clipped to `1e-7 ..= 1`, as in Keras. The gradient is 0 where `p` was clipped. `[n, classes]`
    /// gives `[n]`.
    ///
    /// # Panics
    /// When the targets have another shape, and for a scalar.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.leaf(Tensor::from([[0.25, 0.5]]));
    /// let loss = p.kl_divergence(&Tensor::from([[0.5, 0.5]]));
    /// assert_eq!(loss.value().to_vec(), [2.0f64.ln() / 2.0]);
    /// assert_eq!(loss.backward().wrt(&p), Tensor::from([[-2.0, -1.0]]));
    /// ```
    #[track_caller]
    pub fn kl_divergence(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(KlDivergence { targets: targets.map(clipped) }, [self])
    }
}

compiled!(|y: &Var<T>, targets: &Tensor<T>| y.kl_divergence(targets));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let p = Var::constant(Tensor::from([[0.25, 0.75], [0.0, 1.0]]));
        let loss = p.kl_divergence(&Tensor::from([[0.5, 0.75], [1.0, 0.0]]));
        // Where the target is 0, it is taken as 1e-7.
        let second = -1e-7f64.ln() + 1e-7 * 1e-7f64.ln();
        assert_close(loss.value(), &Tensor::from([0.5 * 2.0f64.ln(), second]));
    }

    #[test]
    fn what_is_left_of_almost_equal_probabilities_is_right() {
        for q in [[0.5001f32, 0.4999], [0.501, 0.499], [0.500_001, 0.499_999], [0.5, 0.5]] {
            let t = [0.5f32, 0.5];
            let loss = Var::constant(Tensor::from([q])).kl_divergence(&Tensor::from([t]));
            let term = |(t, q): (f32, f32)| f64::from(t) * (f64::from(t) / f64::from(q)).ln();
            let expected: f64 = t.into_iter().zip(q).map(term).sum();
            let error = (f64::from(loss.value().item()) - expected).abs();
            // A thousandth, or the rounding of the terms, which are as large as the differences.
            let rounding = 1e-7 * f64::from((q[0] - t[0]).abs());
            assert!(
                error <= 1e-3 * expected.abs() + rounding,
                "{q:?}: {:?} {expected}",
                loss.value()
            );
        }
    }

    #[test]
    fn gradient() {
        let y = random(&[3, 2, 5], 0.0, 1.0, 2, 0);
        gradcheck(|[p]| p.kl_divergence(&y), [random(&[3, 2, 5], 0.1, 0.9, 1, 0)]).unwrap();
    }

    #[test]
    fn nothing_flows_back_where_it_was_clipped() {
        let tape = Tape::new();
        let p = tape.leaf(Tensor::from([[-1.0, 0.0, 1.0, 2.0]]));
        let dp = p.kl_divergence(&Tensor::from([[0.5; 4]])).backward().wrt(&p);
        assert_eq!(dp, Tensor::from([[0.0, 0.0, -0.5, 0.0]]));
    }

    #[test]
    #[should_panic(expected = "predictions of shape [2, 3] and targets of shape [3]")]
    fn shapes_that_do_not_fit() {
        Var::constant(Tensor::<f64>::ones([2, 3])).kl_divergence(&Tensor::ones([3]));
    }

    proptest! {
        #[test]
        fn definition(p in tensors(2, -0.1, 1.1), seed: u64) {
            let y = random(&p.shape(), -0.1, 1.1, seed, 1);
            let [n, classes] = p.dims();
            let at = |x: &Tensor<f64>, i, j| x.at([i, j]).clamp(1e-7, 1.0);
            let expected = Tensor::from_fn([n], |i| {
                (0..classes).map(|j| at(&y, i[0], j) * (at(&y, i[0], j) / at(&p, i[0], j)).ln()).sum()
            });
            assert_close(Var::constant(p).kl_divergence(&y).value(), &expected);
        }
    }
}
