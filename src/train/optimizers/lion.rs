//! Steps of one length, whatever the gradient.

use super::rule::{described, rule};
use super::{Optimizer, Step};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::fraction;

rule! {
    /// Lion (Chen and others, 2023): every weight moves by the learning rate, against the sign of a mean of gradients. In Keras's form
    /// `w -= lr sign(b1 m + (1 - b1) g)`, and then `m = b2 m + (1 - b2) g`. Where the mean is 0, nothing moves.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let (mut weight, step) = ([1.0_f32, 1.0], Step { number: 1, learning_rate: 0.25 });
    /// Lion::new(0.25).update(step, &mut weight, &[0.5, -7.0], &mut [&mut [0.0, 0.0]]);
    /// assert_eq!(weight, [0.75, 1.25]);
    /// ```
    pub struct Lion = "Lion";
    learning_rate: 0.001;
    options {
        /// How much of the mean gradient counts in a step, above 0 and at most 1.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the mean gradient is kept from step to step.
        beta_2: f64 = 0.99, 0.5;
    }
}

impl<T: Scalar> Optimizer<T> for Lion {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum] = slots else { panic!("Lion keeps one slot") };
        let lr = T::lit(step.learning_rate);
        let [(beta_1, new_1), (beta_2, new_2)] =
            [self.beta_1, self.beta_2].map(|beta| (T::lit(beta), T::lit(1.0 - beta)));
        for ((w, &g), m) in weight.iter_mut().zip(gradient).zip(momentum.iter_mut()) {
            let direction = *m * beta_1 + g * new_1;
            *w = (*w - (lr * direction.signum()).kept_if(direction != T::zero())).flushed();
            *m = (*m * beta_2 + g * new_2).flushed();
        }
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("beta_1", self.beta_1, true)?;
        fraction("beta_2", self.beta_2, true)?;
        if self.beta_1 == 0.0 {
            return Err("beta_1 is 0; it is above 0, or nothing would be remembered".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;

    #[test]
    fn steps_computed_by_hand() {
        let lion = Lion::new(0.1).beta_1(0.5).beta_2(0.75);
        // m = 1, then 1 x 0.75 - 0.75 = 0; in between, 0.5 - 1.5 is below 0.
        assert_close(run(&lion, &[4.0, -3.0, 0.0]), &[0.9, 1.0, 1.0]);
        // What is remembered is more than the gradient: 0.5 - 0.25.
        assert_close(run(&lion, &[4.0, -0.5]), &[0.9, 0.8]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let lion = Lion::new(1e-38).beta_2(0.5);
        assert_eq!(late_step(&lion, 2e-38, 0.0, [2e-38]), (0.0, [0.0]));
        assert!(late_step(&lion, 1.0, f32::NAN, [0.0]).0.is_nan());
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (lion, message) in [
            (Lion::new(0.1).beta_1(1.5), "beta_1 is 1.5; it lies between 0 and 1"),
            (
                Lion::new(0.1).beta_1(0.0),
                "beta_1 is 0; it is above 0, or nothing would be remembered",
            ),
            (Lion::new(0.1).beta_2(-0.1), "beta_2 is -0.1; it lies between 0 and 1"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&lion).unwrap_err(), message);
        }
    }
}
