//! Adam with steps in proportion to the weights.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::{fraction, not_negative};

rule! {
    /// [`Adam`](super::all::Adam) with steps in proportion to the weights, tensor by tensor, for large batches (You and others, 2019). In Keras's form, with `m`
    /// and `v` as there: `d = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`, `w -= lr d |w| / |d|` with Euclidean
    /// norms, and `w -= lr d` where one of them is 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let (mut weight, step) = ([3.0_f64, 4.0], Step { number: 1, learning_rate: 0.5 });
    /// let optimizer = Lamb::new(0.5).epsilon(0.0);
    /// optimizer.update(step, &mut weight, &[0.0, 2.0], &mut [&mut [0.0; 2], &mut [0.0; 2]]);
    /// assert!((weight[1] - (4.0 - 0.5 * 5.0)).abs() < 1e-12); // half the norm of the weight
    /// ```
    pub struct Lamb = "Lamb";
    learning_rate: 0.001;
    options {
        /// How much of the mean gradient is kept from step to step.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the mean squared gradient is kept from step to step.
        beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
    }
}

impl<T: Scalar> Optimizer<T> for Lamb {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum, velocity] = slots else { panic!("Lamb keeps two slots") };
        let unbiased = |beta: f64| T::lit(1.0 / (1.0 - beta.powf(step.number as f64)));
        let (of_mean, of_square) = (unbiased(self.beta_1), unbiased(self.beta_2));
        let (new_1, new_2) = (T::lit(1.0 - self.beta_1), T::lit(1.0 - self.beta_2));
        let epsilon = T::lit(self.epsilon);
        let direction = |m: T, v: T| quotient(m * of_mean, (v * of_square).sqrt() + epsilon);
        let squared = |x: T| x.widen() * x.widen();
        let (mut of_weight, mut of_direction) = (0.0, 0.0);
        let kept = momentum.iter_mut().zip(velocity.iter_mut());
        for ((&mut w, &g), (m, v)) in weight.iter_mut().zip(gradient).zip(kept) {
            *m = (*m + (g - *m) * new_1).flushed();
            *v = (*v + (g * g - *v) * new_2).flushed();
            of_weight += squared(w);
            of_direction += squared(direction(*m, *v));
        }
        let ratio = if of_weight > 0.0 && of_direction > 0.0 {
            (of_weight / of_direction).sqrt()
        } else {
            1.0
        };
        let rate = T::lit(step.learning_rate * ratio);
        for (w, (&mut m, &mut v)) in
            weight.iter_mut().zip(momentum.iter_mut().zip(velocity.iter_mut()))
        {
            *w = (*w - rate * direction(m, v)).flushed();
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
        // Of one number, a step is a part of it, whatever the gradient.
        let lamb = Lamb::new(0.5).epsilon(0.0);
        assert_close(run(&lamb, &[3.0, 3.0, 3.0]), &[0.5, 0.25, 0.125]);
        // Without a gradient, it stays.
        assert_close(run(&lamb, &[0.0, 0.0]), &[1.0, 1.0]);
        // A weight of 0 moves as in Adam.
        assert_eq!(late_step(&lamb, 0.0, 2.0, [2.0, 4.0]), (-0.5, [2.0, 4.0]));
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let lamb = Lamb::new(0.5).epsilon(1.0).beta_1(0.5).beta_2(0.5);
        assert_eq!(late_step(&lamb, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        assert_eq!(late_step(&lamb, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&lamb, 2e-38, 1.0, [1.0, 0.0]).0, 0.0);
        assert!(late_step(&lamb, 1.0, f32::NAN, [0.0; 2]).0.is_nan());
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (lamb, message) in [
            (Lamb::new(0.1).beta_1(1.0), "beta_1 is 1; it lies between 0 and below 1"),
            (Lamb::new(0.1).beta_2(-0.1), "beta_2 is -0.1; it lies between 0 and below 1"),
            (Lamb::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&lamb).unwrap_err(), message);
        }
    }
}
