//! The crossentropy of targets and probabilities of one class each, a value for each sample.

use super::categorical_crossentropy::{EPSILON, clip};
use super::column;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// From the numbers before the sigmoid: `L = mean over i of max(z_i, 0) - z_i y_i + ln(1 + exp(-|z_i|))`, which
/// overflows nowhere. No two large numbers are subtracted: above 0, `z - z y` is computed as `z (1 - y)`.
struct FromLogits<T: Scalar> {
    targets: Tensor<T>,
}

impl<T: Scalar> Op<T, 1> for FromLogits<T> {
    const NAME: &'static str = "binary_crossentropy_from_logits";
    type Saved = Tensor<T>; // z

    fn forward(&self, [z]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let loss = mean_of(z, &self.targets, |z, y| {
            let linear = if z < T::zero() { -z * y } else { z * (T::one() - y) };
            linear + (-z.abs()).exp().ln_1p()
        });
        (loss, z.clone())
    }

    // dz_i = dL (sigmoid(z_i) - y_i) / width
    fn backward(&self, z: Tensor<T>, dl: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let one = T::one();
        // Above 0, where a sigmoid is almost 1, from its distance to 1: sigmoid(z) - y = (1 - y) - sigmoid(-z).
        let slope = |z: T, y: T| {
            let small = one / (one + z.abs().exp());
            if z < T::zero() { small - y } else { (one - y) - small }
        };
        [Some(gradient(z, &self.targets, dl, slope))]
    }
}

/// From probabilities: `q = clip(p)`, `L = - mean over i of y_i ln(q_i) + (1 - y_i) ln(1 - q_i)`.
struct FromProbabilities<T: Scalar> {
    targets: Tensor<T>,
}

impl<T: Scalar> Op<T, 1> for FromProbabilities<T> {
    const NAME: &'static str = "binary_crossentropy";
    type Saved = Tensor<T>; // p

    fn forward(&self, [p]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (one, low, high) = bounds();
        let loss = mean_of(p, &self.targets, |p, y| {
            let q = clip(p, low, high);
            -(y * q.ln() + (one - y) * (-q).ln_1p())
        });
        (loss, p.clone())
    }

    // dp_i = dL ((1 - y_i) / (1 - p_i) - y_i / p_i) / width = dL (p_i - y_i) / (p_i (1 - p_i)) / width, or 0 where p_i was
    // clipped
    fn backward(&self, p: Tensor<T>, dl: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (one, low, high) = bounds();
        let slope = |p: T, y: T| {
            if p < low || p > high { T::zero() } else { (p - y) / (p * (one - p)) }
        };
        [Some(gradient(p, &self.targets, dl, slope))]
    }
}

fn bounds<T: Scalar>() -> (T, T, T) {
    (T::one(), T::lit(EPSILON), T::one() - T::lit(EPSILON))
}

/// The mean of `f(prediction, target)` along the last axis.
#[track_caller]
fn mean_of<T: Scalar>(
    predictions: &Tensor<T>,
    targets: &Tensor<T>,
    f: impl Fn(T, T) -> T,
) -> Tensor<T> {
    let (shape, wanted) = (predictions.shape(), targets.shape());
    assert_eq!(
        shape, wanted,
        "binary_crossentropy: predictions of shape {shape} and targets of shape {wanted}"
    );
    assert!(shape.rank() > 0, "binary_crossentropy: needs a last axis, and the input is a scalar");
    predictions.zip_with(targets, f).mean(shape.rank() - 1)
}

/// The gradient of [`mean_of`], where `f(prediction, target)` is the slope of one element.
fn gradient<T: Scalar>(
    predictions: Tensor<T>,
    targets: &Tensor<T>,
    dl: Tensor<T>,
    f: impl Fn(T, T) -> T,
) -> Tensor<T> {
    let width = *predictions.shape().last().expect("not a scalar");
    predictions.into_zip_with(targets, f) * column(&(dl / T::lit(width as f64)))
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The crossentropy `L = - mean over i of y_i ln(q_i) + (1 - y_i) ln(1 - q_i)` along the last axis between the targets
    /// `y` and these probabilities `p`, each of a class of its own, with Keras's care: `q` is `p` clipped to
    /// `1e-7 ..= 1 - 1e-7`, and the gradient is 0 where it was clipped. `[n, width]` gives `[n]`.
    ///
    /// If the probabilities come from a sigmoid,
    /// [`binary_crossentropy_from_logits`](Self::binary_crossentropy_from_logits) is more accurate.
    ///
    /// # Panics
    /// When the targets have another shape, and for a scalar.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.leaf(Tensor::from([[0.25, 0.5]]));
    /// let loss = p.binary_crossentropy(&Tensor::from([[1.0, 0.0]]));
    /// assert_eq!(loss.value().to_vec(), [8.0f64.ln() / 2.0]); // ln 4 and ln 2
    /// assert_eq!(loss.backward().wrt(&p), Tensor::from([[-2.0, 1.0]]));
    /// ```
    #[track_caller]
    pub fn binary_crossentropy(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(FromProbabilities { targets: targets.clone() }, [self])
    }

    /// The crossentropy between the targets `y` and the sigmoid of these numbers, in one step:
    /// `L = mean over i of max(z_i, 0) - z_i y_i + ln(1 + exp(-|z_i|))` along the last axis, with the gradient
    /// `(sigmoid(z) - y) / width`. `[n, width]` gives `[n]`.
    ///
    /// # Panics
    /// When the targets have another shape, and for a scalar.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let z = tape.leaf(Tensor::from([[0.0, 1000.0]]));
    /// let loss = z.binary_crossentropy_from_logits(&Tensor::from([[1.0, 1.0]]));
    /// assert_eq!(loss.value().to_vec(), [2.0f64.ln() / 2.0]); // ln 2 and 0
    /// assert_eq!(loss.backward().wrt(&z), Tensor::from([[-0.25, 0.0]]));
    /// ```
    #[track_caller]
    pub fn binary_crossentropy_from_logits(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(FromLogits { targets: targets.clone() }, [self])
    }
}

compiled!(|y: &Var<T>, targets: &Tensor<T>| y.binary_crossentropy(targets));
compiled!(|z: &Var<T>, targets: &Tensor<T>| z.binary_crossentropy_from_logits(targets));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Tensor::from([[1.0, 0.0], [1.0, 1.0]]);
        let p = Var::constant(Tensor::from([[0.5, 0.75], [0.0, 2.0]]));
        // What is clipped: ln(1e-7), and ln(1 - 1e-7).
        let clipped = -(1e-7f64.ln() + (-1e-7f64).ln_1p()) / 2.0;
        let expected = Tensor::from([(2.0f64.ln() + 4.0f64.ln()) / 2.0, clipped]);
        assert_close(p.binary_crossentropy(&y).value(), &expected);
        let z = Var::constant(Tensor::from([[0.0, 3.0f64.ln()], [-5000.0, 5000.0]]));
        let expected = Tensor::from([(2.0f64.ln() + 4.0f64.ln()) / 2.0, 2500.0]);
        assert_close(z.binary_crossentropy_from_logits(&y).value(), &expected);
        let nan = Var::constant(Tensor::from([[f64::NAN]]));
        for loss in [
            nan.binary_crossentropy(&Tensor::ones([1, 1])),
            nan.binary_crossentropy_from_logits(&Tensor::ones([1, 1])),
        ] {
            assert!(loss.value().item().is_nan());
        }
    }

    /// Losses and gradients in `f32`, against those of the same numbers in `f64` by formulas without a difference of two
    /// numbers of one size.
    #[test]
    fn no_digits_are_lost() {
        let near = |what: &str, found: f32, expected: f64| {
            let error = (f64::from(found) / expected - 1.0).abs();
            assert!(error < 1e-6, "{what}: {found} instead of {expected}");
        };
        for (z, y) in
            [(1e8f32, 0.999_999f32), (1e8, 0.9), (3e4, 0.95), (20.0, 1.0), (-20.0, 0.0), (2.0, 0.5)]
        {
            let tape = crate::autograd::Tape::new();
            let logits = tape.leaf(Tensor::full([1, 1], z));
            let loss = logits.binary_crossentropy_from_logits(&Tensor::full([1, 1], y));
            let what = format!("logit {z}, target {y}");
            let (z, y) = (f64::from(z), f64::from(y));
            let linear = if z < 0.0 { -z * y } else { z * (1.0 - y) };
            near(&what, loss.value().item(), linear + (-z.abs()).exp().ln_1p());
            let small = 1.0 / (1.0 + z.abs().exp());
            let slope = if z < 0.0 { small - y } else { 1.0 - y - small };
            near(&what, loss.backward().wrt(&logits).item(), slope);
        }
        for (p, y) in [(1e-6f32, 0.0f32), (2e-7, 0.0), (0.3, 0.300_001), (0.999_999, 0.999_998)] {
            let tape = crate::autograd::Tape::new();
            let leaf = tape.leaf(Tensor::full([1, 1], p));
            let loss = leaf.binary_crossentropy(&Tensor::full([1, 1], y));
            let what = format!("probability {p}, target {y}");
            let (p, y) = (f64::from(p), f64::from(y));
            near(&what, loss.value().item(), -(y * p.ln() + (1.0 - y) * (-p).ln_1p()));
            near(&what, loss.backward().wrt(&leaf).item(), (p - y) / (p * (1.0 - p)));
        }
    }

    #[test]
    fn gradient() {
        let y = random(&[3, 2, 5], 0.0, 1.0, 2, 0);
        let p = random(&[3, 2, 5], 0.1, 0.9, 1, 0);
        gradcheck(|[p]| p.binary_crossentropy(&y), [p]).unwrap();
        let z = random(&[3, 2, 5], -3.0, 3.0, 1, 0);
        gradcheck(|[z]| z.binary_crossentropy_from_logits(&y), [z]).unwrap();
    }

    #[test]
    fn nothing_flows_back_where_it_was_clipped() {
        let tape = crate::autograd::Tape::new();
        let p = tape.leaf(Tensor::from([[-1.0, 0.0, 1.0, 2.0, 0.5]]));
        let dp = p.binary_crossentropy(&Tensor::from([[1.0; 5]])).backward().wrt(&p);
        assert_eq!(dp, Tensor::from([[0.0, 0.0, 0.0, 0.0, -0.4]]));
    }

    #[test]
    #[should_panic(expected = "predictions of shape [2, 3] and targets of shape [2, 2]")]
    fn shapes_that_do_not_fit() {
        Var::constant(Tensor::<f64>::ones([2, 3])).binary_crossentropy(&Tensor::ones([2, 2]));
    }

    proptest! {
        #[test]
        fn definition(z in tensors(2, -4.0, 4.0), seed: u64) {
            let y = random(&z.shape(), 0.0, 1.0, seed, 1);
            let [n, width] = z.dims();
            let p = z.map(|z| 1.0 / (1.0 + (-z).exp()));
            let expected = Tensor::from_fn([n], |i| {
                let each = (0..width).map(|j| {
                    let (p, y) = (p.at([i[0], j]), y.at([i[0], j]));
                    -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())
                });
                each.sum::<f64>() / width as f64
            });
            assert_close(Var::constant(p).binary_crossentropy(&y).value(), &expected);
            assert_close(Var::constant(z).binary_crossentropy_from_logits(&y).value(), &expected);
        }
    }
}
