//! Adam with the largest gradient in place of a mean square.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::{fraction, not_negative};

rule! {
    /// [`Adam`](super::all::Adam) with the largest gradient, which fades, in place of the mean square (Kingma and Ba, 2014), in Keras's form:
    /// `m += (g - m)(1 - b1)`, `u = max(b2 u, |g|)`, `w -= lr m / ((1 - b1^t)(u + epsilon))` in step `t`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let (mut weight, step) = ([1.0_f64], Step { number: 1, learning_rate: 0.25 });
    /// let optimizer = Adamax::new(0.25).epsilon(0.0);
    /// optimizer.update(step, &mut weight, &[-3.0], &mut [&mut [0.0], &mut [0.0]]);
    /// assert!((weight[0] - 1.25).abs() < 1e-12); // the first step is as long as the rate
    /// ```
    pub struct Adamax = "Adamax";
    learning_rate: 0.001;
    options {
        /// How much of the mean gradient is kept from step to step.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the largest gradient is kept from step to step.
        beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
    }
}

impl<T: Scalar> Optimizer<T> for Adamax {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "norm"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum, norm] = slots else { panic!("Adamax keeps two slots") };
        let rate = T::lit(step.learning_rate / (1.0 - self.beta_1.powf(step.number as f64)));
        let (new, beta_2) = (T::lit(1.0 - self.beta_1), T::lit(self.beta_2));
        let epsilon = T::lit(self.epsilon);
        let kept = momentum.iter_mut().zip(norm.iter_mut());
        for ((w, &g), (m, u)) in weight.iter_mut().zip(gradient).zip(kept) {
            *m = (*m + (g - *m) * new).flushed();
            let faded = beta_2 * *u;
            // A comparison rather than `max`, which would hide what is not a number.
            *u = (if faded > g.abs() { faded } else { g.abs() }).flushed();
            *w = (*w - quotient(rate * *m, *u + epsilon)).flushed();
        }
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("beta_1", self.beta_1, false)?;
        fraction("beta_2", self.beta_2, false)?;
        not_negative("epsilon", self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;

    #[test]
    fn steps_computed_by_hand() {
        let half = Adamax::new(0.1).beta_1(0.5).beta_2(0.5).epsilon(0.0);
        // m = 2, then 1.5; u = 4, then 2; 1 - b1^t = 0.5, then 0.75.
        assert_close(run(&half, &[4.0, 1.0]), &[0.9, 0.8]);
        assert_close(run(&half.epsilon(4.0), &[4.0]), &[0.95]);
        assert_close(run(&Adamax::new(0.1).epsilon(0.0), &[0.0, 0.0]), &[1.0, 1.0]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let adamax = Adamax::new(1.0).epsilon(1.0).beta_1(0.5).beta_2(0.5);
        assert_eq!(late_step(&adamax, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        assert_eq!(late_step(&adamax, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&adamax, 2e-38, 0.0, [3e-38, 0.0]), (0.0, [1.5e-38, 0.0]));
        assert!(late_step(&adamax, 1.0, f32::NAN, [0.0; 2]).1[1].is_nan());
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (adamax, message) in [
            (Adamax::new(0.1).beta_1(1.0), "beta_1 is 1; it lies between 0 and below 1"),
            (Adamax::new(0.1).beta_2(-0.1), "beta_2 is -0.1; it lies between 0 and below 1"),
            (Adamax::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&adamax).unwrap_err(), message);
        }
    }
}
