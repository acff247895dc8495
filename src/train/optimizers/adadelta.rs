//! Adadelta.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::{fraction, not_negative};

rule! {
    /// Adadelta (Zeiler, 2012), in Keras's form: `a = rho a + (1 - rho) g^2`, `d = -g sqrt(x + epsilon) / sqrt(a + epsilon)`,
    /// `x = rho x + (1 - rho) d^2`, `w += lr d`. The paper has a learning rate of 1, Keras a default of 0.001.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let (mut weight, step) = ([1.0_f64], Step { number: 1, learning_rate: 1.0 });
    /// let optimizer = Adadelta::new(1.0).rho(0.0).epsilon(0.0);
    /// optimizer.update(step, &mut weight, &[2.0], &mut [&mut [0.0], &mut [0.25]]);
    /// assert_eq!(weight, [0.5]); // as far as before
    /// ```
    pub struct Adadelta = "Adadelta";
    learning_rate: 0.001;
    options {
        /// How much of the mean squares is kept from step to step.
        rho: f64 = 0.95, 0.5;
        /// What lets the first step move, and keeps the divisor from 0. If this is 0, a weight does not move at all.
        epsilon: f64 = 1e-7, 0.5;
    }
}

impl<T: Scalar> Optimizer<T> for Adadelta {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["accumulated_grad", "accumulated_delta_var"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [gradients, moves] = slots else { panic!("Adadelta keeps two slots") };
        let (lr, epsilon) = (T::lit(step.learning_rate), T::lit(self.epsilon));
        let (rho, new) = (T::lit(self.rho), T::lit(1.0 - self.rho));
        let kept = gradients.iter_mut().zip(moves.iter_mut());
        for ((w, &g), (a, x)) in weight.iter_mut().zip(gradient).zip(kept) {
            *a = (rho * *a + new * (g * g)).flushed();
            let d = quotient((*x + epsilon).sqrt() * g, (*a + epsilon).sqrt());
            *x = (rho * *x + new * (d * d)).flushed();
            *w = (*w - lr * d).flushed();
        }
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("rho", self.rho, true)?;
        not_negative("epsilon", self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;

    #[test]
    fn steps_computed_by_hand() {
        // a = 4.5; d = -3 sqrt(0.5 / 5); x = 0.5 x 0.9 = 0.45; then a = 2.25, d = 0.
        let half = Adadelta::new(0.1).rho(0.5).epsilon(0.5);
        let d = 3.0 * 0.1_f64.sqrt();
        assert_close(run(&half, &[3.0, 0.0]), &[1.0 - 0.1 * d, 1.0 - 0.1 * d]);
        // a = 4.5, then 6.75; x = 0.45: d = -3 sqrt(0.95 / 7.25).
        let second = 3.0 * (0.95_f64 / 7.25).sqrt();
        assert_close(run(&half, &[3.0, 3.0]), &[1.0 - 0.1 * d, 1.0 - 0.1 * (d + second)]);
        assert_close(run(&Adadelta::new(0.1).epsilon(0.0), &[0.0, 2.0]), &[1.0, 1.0]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let adadelta = Adadelta::new(1.0).epsilon(1.0).rho(0.5);
        assert_eq!(late_step(&adadelta, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        assert_eq!(late_step(&adadelta, 1.0, 0.0, [1.0, 2e-38]), (1.0, [0.5, 0.0]));
        assert_eq!(late_step(&adadelta, 2e-38, 1.5e-38, [0.0, 0.0]), (0.0, [0.0, 0.0]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (adadelta, message) in [
            (Adadelta::new(0.1).rho(1.5), "rho is 1.5; it lies between 0 and 1"),
            (Adadelta::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&adadelta).unwrap_err(), message);
        }
    }
}
