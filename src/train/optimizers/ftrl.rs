//! Follow the regularized leader.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::not_negative;

rule! {
    /// Follow the regularized leader (McMahan and others, 2013), in Keras's form. With `p = -learning_rate_power`, the squares so far
    /// `a` (from 0.1) and `a' = a + g^2`: `z += g + 2 shrinkage w - (a'^p - a^p) w / lr`, and then
    /// `w = (clamp(z, -l1, l1) - z) / (a'^p / lr + 2 l2 + beta / lr)`. A step with a learning rate of 0 changes nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let (mut weight, step) = ([0.0_f64], Step { number: 1, learning_rate: 0.5 });
    /// let optimizer = Ftrl::new(0.5).initial_accumulator_value(0.0);
    /// optimizer.update(step, &mut weight, &[3.0], &mut [&mut [0.0], &mut [0.0]]);
    /// assert_eq!(weight, [-0.5]); // -3 / (sqrt(9) / 0.5)
    /// ```
    pub struct Ftrl = "Ftrl";
    learning_rate: 0.001;
    options {
        /// The power of the squared gradients by which steps become smaller: at most 0, where they do not.
        learning_rate_power: f64 = -0.5, -0.25;
        /// What the accumulator of squares starts at.
        initial_accumulator_value: f64 = 0.1, 0.5;
        /// The penalty in proportion to the weights, which makes small ones 0.
        l1_regularization_strength: f64 = 0.0, 0.5;
        /// The penalty in proportion to the squares of the weights.
        l2_regularization_strength: f64 = 0.0, 0.5;
        /// A penalty as by `l2_regularization_strength`, but on the gradient.
        l2_shrinkage_regularization_strength: f64 = 0.0, 0.5;
        /// What is added to the root of the squared gradients.
        beta: f64 = 0.0, 0.5;
    }
}

impl<T: Scalar> Optimizer<T> for Ftrl {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["accumulator", "linear"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    fn initial_slot(&self, slot: &str) -> f64 {
        if slot == "accumulator" { self.initial_accumulator_value } else { 0.0 }
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [accumulator, linear] = slots else { panic!("Ftrl keeps two slots") };
        if step.learning_rate == 0.0 {
            return;
        }
        let [lr, power, l1, shrinkage] = [
            step.learning_rate,
            -self.learning_rate_power,
            self.l1_regularization_strength,
            2.0 * self.l2_shrinkage_regularization_strength,
        ]
        .map(T::lit);
        let l2 = self.l2_regularization_strength + self.beta / (2.0 * step.learning_rate);
        let kept = accumulator.iter_mut().zip(linear.iter_mut());
        for ((w, &g), (a, z)) in weight.iter_mut().zip(gradient).zip(kept) {
            let sum = (*a + g * g).flushed();
            let (new, old) = (sum.powf(power), a.powf(power));
            *z = (*z + (g + shrinkage * *w - (new - old) / lr * *w)).flushed();
            // Comparisons rather than `min` and `max`, which would make a limit of what is not a number.
            let clipped = if *z > l1 {
                l1
            } else if *z < -l1 {
                -l1
            } else {
                *z
            };
            *w = quotient(clipped - *z, new / lr + T::lit(2.0 * l2)).flushed();
            *a = sum;
        }
    }

    fn check(&self) -> Result<(), Reason> {
        not_negative("initial_accumulator_value", self.initial_accumulator_value)?;
        not_negative("l1_regularization_strength", self.l1_regularization_strength)?;
        not_negative("l2_regularization_strength", self.l2_regularization_strength)?;
        let shrinkage = self.l2_shrinkage_regularization_strength;
        not_negative("l2_shrinkage_regularization_strength", shrinkage)?;
        not_negative("beta", self.beta)?;
        let power = self.learning_rate_power;
        if !power.is_finite() || power > 0.0 {
            return Err(
                format!("learning_rate_power is {power}; it is finite and at most 0").into()
            );
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
        // From 1, with a = 0: z = 4 - 4 / 0.5 = -4 and w = 4 / 8; then a = 25, z = -4 + 3 - 0.5 x 1 / 0.5 = -2.
        let plain = Ftrl::new(0.5).initial_accumulator_value(0.0);
        assert_close(run(&plain, &[4.0, 3.0]), &[0.5, 0.2]);
        // z = -4 + 2 x 0.25, and 1 of it does not count.
        let l1 = plain.clone().l1_regularization_strength(1.0);
        let shrunk = l1.clone().l2_shrinkage_regularization_strength(0.25);
        assert_close(run(&l1, &[4.0]), &[3.0 / 8.0]);
        assert_close(run(&shrunk, &[4.0]), &[2.5 / 8.0]);
        assert_close(run(&plain.clone().l1_regularization_strength(5.0), &[4.0]), &[0.0]);
        assert_close(run(&plain.clone().l2_regularization_strength(1.5), &[4.0]), &[4.0 / 11.0]);
        assert_close(run(&plain.clone().beta(1.5), &[4.0]), &[4.0 / 11.0]);
        // z = 4 - 16 / 0.5, and z = 4 where the power does not change.
        assert_close(run(&plain.clone().learning_rate_power(-1.0), &[4.0]), &[28.0 / 32.0]);
        let even = Ftrl::new(0.5).learning_rate_power(0.0);
        assert_close(run(&even, &[4.0]), &[-2.0]);
    }

    #[test]
    fn nothing_is_divided_by_0() {
        assert_close(run(&Ftrl::new(0.0), &[4.0]), &[1.0]);
        let empty = Ftrl::new(0.5).initial_accumulator_value(0.0);
        assert_close(run(&empty, &[0.0]), &[0.0]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let ftrl = Ftrl::new(1.0);
        assert_eq!(late_step(&ftrl, 0.0, 1e-20, [0.0, 0.0]), (0.0, [0.0, 1e-20]));
        assert_eq!(late_step(&ftrl, 0.0, 1e-39, [1.0, 0.0]), (0.0, [1.0, 0.0]));
        assert_eq!(late_step(&ftrl, 0.0, 1e-20, [1e38, 0.0]), (0.0, [1e38, 1e-20]));
        assert!(late_step(&ftrl, 1.0, f32::NAN, [1.0, 0.0]).0.is_nan());
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        let ftrl = Ftrl::default();
        for (ftrl, message) in [
            (
                ftrl.clone().learning_rate_power(0.5),
                "learning_rate_power is 0.5; it is finite and at most 0",
            ),
            (
                ftrl.clone().initial_accumulator_value(-1.0),
                "initial_accumulator_value is -1; it is finite and not negative",
            ),
            (
                ftrl.clone().l1_regularization_strength(-1.0),
                "l1_regularization_strength is -1; it is finite and not negative",
            ),
            (
                ftrl.clone().l2_regularization_strength(-1.0),
                "l2_regularization_strength is -1; it is finite and not negative",
            ),
            (
                ftrl.clone().l2_shrinkage_regularization_strength(-1.0),
                "l2_shrinkage_regularization_strength is -1; it is finite and not negative",
            ),
            (ftrl.beta(-1.0), "beta is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&ftrl).unwrap_err(), message);
        }
    }
}
