//! The crossentropy between target probabilities and predicted ones, a value for each sample.

use super::log_softmax::log_sum_exp;
use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::sums::sum;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Order, Tensor};

/// Keras's epsilon: probabilities are clipped to `EPSILON ..= 1 - EPSILON`.
pub(super) const EPSILON: f64 = 1e-7;

/// From the numbers before the softmax: `L = sum over i of y_i (ln(sum over j of exp(z_j)) - z_i)`.
struct FromLogits<T: Scalar> {
    targets: Tensor<T>,
}

impl<T: Scalar> Op<T, 1> for FromLogits<T> {
    const NAME: &'static str = "categorical_crossentropy_from_logits";
    type Saved = (Tensor<T>, Order); // softmax(z), and how z lay in memory

    fn forward(&self, [z]: [&Tensor<T>; 1], wanted: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let loss = per_row(z, &self.targets, |z, y| {
            let (max, rest) = log_sum_exp(z);
            // A class that is not wanted does not count, even if its z is minus infinity.
            let wanted = z.iter().zip(y).filter(|(_, y)| **y != T::zero());
            sum(z.len(), wanted.map(|(&z, &y)| y * (rest - (z - max))))
        });
        (loss, (if wanted[0] { z.softmax() } else { z.clone() }, z.order()))
    }

    // dz_i = dL (softmax(z)_i sum y - y_i)
    fn backward(
        &self,
        (probabilities, order): Self::Saved,
        dl: Tensor<T>,
        _: [bool; 1],
    ) -> [Option<Tensor<T>>; 1] {
        let dz = |p: &[T], y: &[T], dl: T, dz: &mut [T]| {
            let total = sum(y.len(), y.iter().copied());
            for (dz, (&p, &y)) in dz.iter_mut().zip(p.iter().zip(y)) {
                *dz = dl * (p * total - y);
            }
        };
        let dz = per_row_backward(&probabilities, &self.targets, &dl, dz);
        // In the order in which z came, so that what follows need not turn it around.
        [Some(dz.in_order(order))]
    }
}

/// From probabilities: `q = clip(p / sum p)`, `L = - sum over i of y_i ln(q_i)`.
struct FromProbabilities<T: Scalar> {
    targets: Tensor<T>,
}

impl<T: Scalar> Op<T, 1> for FromProbabilities<T> {
    const NAME: &'static str = "categorical_crossentropy";
    type Saved = Tensor<T>; // p

    fn forward(&self, [p]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (low, high) = (T::lit(EPSILON), T::one() - T::lit(EPSILON));
        let loss = per_row(p, &self.targets, |p, y| {
            let total = sum(p.len(), p.iter().copied());
            // A class that is not wanted adds nothing, and its logarithm would be most of the work.
            let wanted = p.iter().zip(y).filter(|(_, y)| **y != T::zero());
            sum(p.len(), wanted.map(|(&p, &y)| -y * clip(p / total, low, high).ln()))
        });
        (loss, p.clone())
    }

    // g_i = -y_i / q_i, or 0 where q_i was clipped; dp_i = dL (g_i - sum over j of g_j p_j / sum p) / sum p
    fn backward(&self, p: Tensor<T>, dl: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (low, high) = (T::lit(EPSILON), T::one() - T::lit(EPSILON));
        let dp = |p: &[T], y: &[T], dl: T, dp: &mut [T]| {
            let total = sum(p.len(), p.iter().copied());
            for (dp, (&p, &y)) in dp.iter_mut().zip(p.iter().zip(y)) {
                let q = p / total;
                *dp = if q < low || q > high { T::zero() } else { -y / q };
            }
            let dot = sum(p.len(), dp.iter().zip(p).map(|(&g, &p)| g * p / total));
            dp.iter_mut().for_each(|g| *g = dl * (*g - dot) / total);
        };
        [Some(per_row_backward(&p, &self.targets, &dl, dp))]
    }
}

/// A NaN stays a NaN, so that a loss cannot hide it.
pub(super) fn clip<T: Scalar>(x: T, low: T, high: T) -> T {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// `f(prediction, target)` of every row along the last axis, which disappears from the shape.
#[track_caller]
fn per_row<T: Scalar>(
    predictions: &Tensor<T>,
    targets: &Tensor<T>,
    f: impl Fn(&[T], &[T]) -> T,
) -> Tensor<T> {
    let shape = predictions.shape();
    assert_eq!(
        shape,
        targets.shape(),
        "crossentropy: predictions of shape {shape} and targets of shape {}",
        targets.shape()
    );
    assert!(
        shape.last().is_some_and(|&classes| classes > 0),
        "crossentropy: the last axis counts classes, and the shape {shape} has none"
    );
    let classes = shape[shape.len() - 1];
    let (predictions, targets) = (predictions.row_major(), targets.row_major());
    let rows = predictions
        .stored(Order::RowMajor)
        .chunks_exact(classes)
        .zip(targets.stored(Order::RowMajor).chunks_exact(classes));
    let losses = Buffer::collect(shape.count() / classes, rows.map(|(p, y)| f(p, y)));
    Tensor::from_buffer(&shape[..shape.len() - 1], losses)
}

/// `f(saved, target, dl, gradient)` fills the gradient of every row.
fn per_row_backward<T: Scalar>(
    saved: &Tensor<T>,
    targets: &Tensor<T>,
    dl: &Tensor<T>,
    f: impl Fn(&[T], &[T], T, &mut [T]),
) -> Tensor<T> {
    let shape = saved.shape();
    let classes = shape[shape.len() - 1];
    let (saved, targets) = (saved.row_major(), targets.row_major());
    let mut gradient = Buffer::stale(shape.count());
    let rows = saved
        .stored(Order::RowMajor)
        .chunks_exact(classes)
        .zip(targets.stored(Order::RowMajor).chunks_exact(classes));
    let rows = rows.zip(dl.iter());
    for (((saved, y), dl), gradient) in rows.zip(gradient.chunks_exact_mut(classes)) {
        f(saved, y, dl, gradient);
    }
    Tensor::from_buffer(shape, gradient)
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The crossentropy `L = - sum over i of y_i ln(q_i)` along the last axis between the targets `y`
    /// and these probabilities `p`, with Keras's care: `q` is `p` divided by its sum and clipped to
    /// `1e-7 ..= 1 - 1e-7`, and the gradient is 0 where it was clipped. `[n, classes]` gives `[n]`.
    ///
    /// If the probabilities come from a softmax,
    /// [`categorical_crossentropy_from_logits`](Self::categorical_crossentropy_from_logits) is more
    /// accurate.
    ///
    /// # Panics
    /// When the targets have another shape.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.leaf(Tensor::from([[0.25, 0.75]]));
    /// let loss = p.categorical_crossentropy(&Tensor::from([[0.0, 1.0]]));
    /// assert_eq!(loss.value().to_vec(), [-(0.75f64).ln()]);
    /// let dp = loss.backward().wrt(&p);
    /// assert!(dp.all_close(&Tensor::from([[1.0, -1.0 / 3.0]]), 1e-12, 0.0));
    /// ```
    #[track_caller]
    pub fn categorical_crossentropy(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(FromProbabilities { targets: targets.clone() }, [self])
    }

    /// The crossentropy between the targets `y` and the softmax of these numbers, in one step:
    /// `L = sum over i of y_i (ln(sum over j of exp(z_j)) - z_i)`, with the gradient
    /// `softmax(z) sum y - y`. `[n, classes]` gives `[n]`.
    ///
    /// # Panics
    /// When the targets have another shape.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let z = tape.leaf(Tensor::from([[0.0, 0.0]]));
    /// let loss = z.categorical_crossentropy_from_logits(&Tensor::from([[0.0, 1.0]]));
    /// assert_eq!(loss.value().to_vec(), [std::f64::consts::LN_2]);
    /// assert_eq!(loss.backward().wrt(&z), Tensor::from([[0.5, -0.5]]));
    /// ```
    #[track_caller]
    pub fn categorical_crossentropy_from_logits(&self, targets: &Tensor<T>) -> Var<'t, T> {
        apply(FromLogits { targets: targets.clone() }, [self])
    }
}

compiled!(|y: &Var<T>, targets: &Tensor<T>| y.categorical_crossentropy(targets));
compiled!(|z: &Var<T>, targets: &Tensor<T>| z.categorical_crossentropy_from_logits(targets));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Tensor::from([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]);
        let p = Var::constant(Tensor::from([[0.5, 0.5], [2.0, 6.0], [0.0, 1.0]]));
        let expected = Tensor::from([2.0f64.ln(), 4.0f64.ln(), -(1e-7f64).ln()]);
        assert_close(p.categorical_crossentropy(&y).value(), &expected);
        let z = Var::constant(Tensor::from([[0.0, 0.0], [0.0, 3.0f64.ln()], [-5000.0, 5000.0]]));
        let expected = Tensor::from([2.0f64.ln(), 4.0f64.ln(), 10_000.0]);
        assert_close(z.categorical_crossentropy_from_logits(&y).value(), &expected);
    }

    #[test]
    fn what_all_logits_have_in_common_does_not_count() {
        let y = Tensor::<f32>::from([[0.0, 1.0], [0.25, 0.75]]);
        for v in [1.0, 1e4, 1e6, 1e8, 1e30, -1e8] {
            let z = Var::constant(Tensor::full([2, 2], v));
            let loss = z.categorical_crossentropy_from_logits(&y);
            assert_eq!(loss.value().to_vec(), [std::f32::consts::LN_2; 2], "{v}");
        }
        let z = Var::constant(Tensor::<f64>::full([1, 2], 1e15));
        let loss = z.categorical_crossentropy_from_logits(&Tensor::from([[0.0, 1.0]]));
        assert_eq!(loss.value().to_vec(), [std::f64::consts::LN_2]);
    }

    #[test]
    fn gradient() {
        let y = random(&[3, 5], 0.0, 1.0, 2, 0);
        let p = random(&[3, 5], 0.1, 1.0, 1, 0);
        gradcheck(|[p]| p.categorical_crossentropy(&y), [p]).unwrap();
        let z = random(&[3, 5], -3.0, 3.0, 1, 0);
        gradcheck(|[z]| z.categorical_crossentropy_from_logits(&y), [z]).unwrap();
    }

    #[test]
    #[should_panic(expected = "predictions of shape [2, 3] and targets of shape [2, 2]")]
    fn shapes_that_do_not_fit() {
        Var::constant(Tensor::<f64>::ones([2, 3])).categorical_crossentropy(&Tensor::ones([2, 2]));
    }

    proptest! {
        #[test]
        fn definition(x in tensors(2, 0.05, 2.0), seed: u64) {
            let y = random(&x.shape(), 0.0, 1.0, seed, 1);
            let [n, classes] = x.dims();
            let row = |f: &dyn Fn(f64) -> f64, i: usize| {
                let sum: f64 = (0..classes).map(|j| f(x.at([i, j]))).sum();
                let logs = (0..classes).map(|j| y.at([i, j]) * (f(x.at([i, j])) / sum).clamp(1e-7, 1.0 - 1e-7).ln());
                -logs.sum::<f64>()
            };
            let expected = Tensor::from_fn([n], |i| row(&|x| x, i[0]));
            let var = Var::constant(x.clone());
            assert_close(var.categorical_crossentropy(&y).value(), &expected);
            if classes > 1 {
                let expected = Tensor::from_fn([n], |i| row(&f64::exp, i[0]));
                assert_close(var.categorical_crossentropy_from_logits(&y).value(), &expected);
            }
        }
    }
}
