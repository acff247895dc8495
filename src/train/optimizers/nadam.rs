//! Adam with the momentum of Nesterov.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::{fraction, not_negative};

rule! {
    /// [`Adam`](super::all::Adam) with the momentum of Nesterov (Dozat, 2016), in Keras's form. With `u_t = b1 (1 - 0.96^t / 2)` in step `t` and the product
    /// `p_t = u_1 .. u_t`: `m += (g - m)(1 - b1)`, `v += (g^2 - v)(1 - b2)`,
    /// `w -= lr (u_(t+1) m / (1 - p_(t+1)) + (1 - u_t) g / (1 - p_t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let optimizer = Nadam::new(0.001).beta_1(0.9).beta_2(0.999).epsilon(1e-7);
    /// assert_eq!(optimizer, Nadam::default());
    /// ```
    pub struct Nadam = "Nadam";
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

impl Nadam {
    /// The momentum of a step.
    fn momentum(&self, t: u64) -> f64 {
        self.beta_1 * (1.0 - 0.5 * 0.96_f64.powf(t as f64))
    }

    /// The product of the momentums of all steps up to this one.
    fn product(&self, t: u64) -> f64 {
        // From then on, all momentums are `beta_1`.
        let settled = t.min(1000);
        let product: f64 = (1..=settled).map(|t| self.momentum(t)).product();
        product * self.beta_1.powf((t - settled) as f64)
    }
}

impl<T: Scalar> Optimizer<T> for Nadam {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    /// Keras's `_u_product`.
    fn numbers_after(&self, steps: u64) -> Vec<f64> {
        vec![self.product(steps)]
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum, velocity] = slots else { panic!("Nadam keeps two slots") };
        let (t, rate) = (step.number, step.learning_rate);
        let (now, next, product) = (self.momentum(t), self.momentum(t + 1), self.product(t));
        let of_mean = T::lit(rate * next / (1.0 - product * next));
        let of_gradient = T::lit(rate * (1.0 - now) / (1.0 - product));
        // Keras rounds both to the numbers of the weight first, so that the mean square is one part in 80 000 less in `f32`.
        let [beta_1, beta_2] = [self.beta_1, self.beta_2].map(T::lit);
        let unbiased = T::lit(1.0 / (1.0 - beta_2.widen().powf(t as f64)));
        let (new_1, new_2) = (T::one() - beta_1, T::one() - beta_2);
        let epsilon = T::lit(self.epsilon);
        let kept = momentum.iter_mut().zip(velocity.iter_mut());
        for ((w, &g), (m, v)) in weight.iter_mut().zip(gradient).zip(kept) {
            *m = (*m + (g - *m) * new_1).flushed();
            *v = (*v + (g * g - *v) * new_2).flushed();
            let ahead = of_mean * *m + of_gradient * g;
            *w = (*w - quotient(ahead, (*v * unbiased).sqrt() + epsilon)).flushed();
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
        // Without memory, every step is as long as the learning rate.
        let forgetful = Nadam::new(0.1).beta_1(0.0).beta_2(0.0).epsilon(0.0);
        assert_close(run(&forgetful, &[4.0, -2.0]), &[0.9, 1.0]);
        // u = 0.26 and 0.2696, m = 1, and the root is 2: 0.1 (0.2696 / (1 - 0.26 x 0.2696) + 1) x 2 / 2, where m is half of g.
        let half = Nadam::new(0.1).beta_1(0.5).beta_2(0.0).epsilon(0.0);
        let first = 0.1 * (0.2696 / (1.0 - 0.26 * 0.2696) * 0.5 + 1.0);
        assert_close(run(&half, &[2.0]), &[1.0 - first]);
    }

    #[test]
    fn the_product_is_that_of_all_momentums() {
        let nadam = Nadam::default();
        assert_eq!(nadam.product(0), 1.0);
        assert!((nadam.product(2) - 0.9 * 0.52 * (0.9 * (1.0 - 0.4608))).abs() < 1e-15);
        let slow = Nadam::new(0.1).beta_1(0.9999);
        let all: f64 = (1..=3000).map(|t| slow.momentum(t)).product();
        assert!((slow.product(3000) / all - 1.0).abs() < 1e-12);
        assert_eq!(Optimizer::<f32>::numbers_after(&nadam, 1), [0.9 * 0.52]);
    }

    #[test]
    fn an_epsilon_of_0_divides_by_nothing() {
        let nadam = Nadam::new(0.1).epsilon(0.0);
        assert_close(run(&nadam, &[0.0, 0.0]), &[1.0, 1.0]);
        assert!(run(&nadam, &[0.0, 3.0])[1] < 1.0);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let nadam = Nadam::new(1.0).epsilon(1.0).beta_1(0.5).beta_2(0.5);
        assert_eq!(late_step(&nadam, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        assert_eq!(late_step(&nadam, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&nadam, 2e-38, 0.0, [5e-38, 0.0]), (0.0, [2.5e-38, 0.0]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (nadam, message) in [
            (Nadam::new(0.1).beta_1(1.0), "beta_1 is 1; it lies between 0 and below 1"),
            (Nadam::new(0.1).beta_2(-0.1), "beta_2 is -0.1; it lies between 0 and below 1"),
            (Nadam::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&nadam).unwrap_err(), message);
        }
    }
}
