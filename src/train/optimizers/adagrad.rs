//! Adagrad.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Rule, move_slices};
use crate::train::checks::not_negative;

rule! {
    /// Adagrad (Duchi, Hazan and Singer, 2011), in Keras's form: `a += g^2`, then `w -= lr g / sqrt(a + epsilon)`. The
    /// accumulator `a` starts at 0.1 if nothing else is chosen.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let optimizer = Adagrad::new(0.01).initial_accumulator_value(0.75).epsilon(0.0);
    /// let (mut weight, step) = ([1.0_f64], Step { number: 1, learning_rate: 0.01 });
    /// let mut slots = [[0.75]];
    /// let mut slots: Vec<&mut [f64]> = slots.iter_mut().map(|slot| &mut slot[..]).collect();
    /// optimizer.update(step, &mut weight, &[0.5], &mut slots);
    /// assert_eq!(weight, [1.0 - 0.01 * 0.5]); // a = 0.75 + 0.25
    /// ```
    pub struct Adagrad = "Adagrad";
    learning_rate: 0.001;
    options {
        /// What the accumulator starts at.
        initial_accumulator_value: f64 = 0.1, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
    }
}

/// Moves a weight and the sum of its squared gradients.
#[derive(Clone, Copy)]
struct Accumulated<T> {
    lr: T,
    epsilon: T,
}

impl<T: Scalar> Rule<T, 2> for Accumulated<T> {
    #[inline(always)]
    fn of(self, [w, a]: [T; 2], g: T) -> [T; 2] {
        let a = (a + g * g).flushed();
        [(w - quotient(self.lr * g, (a + self.epsilon).sqrt())).flushed(), a]
    }
}

impl<T: Scalar> Optimizer<T> for Adagrad {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["accumulator"]
    }

    fn initial_slot(&self, _: &str) -> f64 {
        self.initial_accumulator_value
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [accumulator] = slots else { panic!("Adagrad keeps one slot") };
        let (lr, epsilon) = (T::lit(step.learning_rate), T::lit(self.epsilon));
        move_slices(Accumulated { lr, epsilon }, [weight, accumulator], gradient);
    }

    fn by_parts(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Reason> {
        not_negative("initial_accumulator_value", self.initial_accumulator_value)?;
        not_negative("epsilon", self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;

    #[test]
    fn steps_computed_by_hand() {
        // a = 5 + 4 = 9, then 25: each with a root.
        let adagrad = Adagrad::new(0.3).initial_accumulator_value(5.0).epsilon(0.0);
        assert_close(run(&adagrad, &[2.0, -4.0]), &[0.8, 0.8 + 0.24]);
        // a + epsilon = 0.5 + 0.25 + 0.25
        let adagrad = Adagrad::new(0.3).initial_accumulator_value(0.5).epsilon(0.25);
        assert_close(run(&adagrad, &[0.5]), &[0.85]);
    }

    #[test]
    fn an_epsilon_of_0_divides_by_nothing() {
        let adagrad = Adagrad::new(0.3).initial_accumulator_value(0.0).epsilon(0.0);
        assert_close(run(&adagrad, &[0.0, 0.0, 2.0]), &[1.0, 1.0, 0.7]);
        // 1e-46 is no f32.
        assert_eq!(late_step(&adagrad, 1.0, 1e-23, [0.0]), (1.0, [0.0]));
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let adagrad = Adagrad::new(1.0).epsilon(1.0);
        assert_eq!(late_step(&adagrad, 1.0, 1e-19, [0.0]), (1.0, [0.0]));
        assert_eq!(late_step(&adagrad, 2e-38, 1.5e-38, [0.0]), (0.0, [0.0]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (adagrad, message) in [
            (
                Adagrad::new(0.1).initial_accumulator_value(-1.0),
                "initial_accumulator_value is -1; it is finite and not negative",
            ),
            (Adagrad::new(0.1).epsilon(f64::NAN), "epsilon is NaN; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&adagrad).unwrap_err(), message);
        }
    }
}
