//! Adam without a schedule.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::checks::{above_0, fraction, not_negative};

rule! {
    /// Schedule-free [`Adam`](super::all::Adam) (Defazio and others, *The road less scheduled*, 2024), in Keras's form. A point `z`, kept as `momentum`, moves by the
    /// gradients, and the mean `x` of all its places is what the weight comes close to: `v += (g^2 - v)(1 - b2)`, `z -= lr g / (sqrt(v / (1 - b2^t)) + epsilon)`,
    /// `x += (z - x) / t`, and the weight is `(1 - b1) z + b1 x`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let optimizer = ScheduleFreeAdamW::new(0.0025).beta_1(0.9).beta_2(0.999).epsilon(1e-8);
    /// assert_eq!(optimizer, ScheduleFreeAdamW::default());
    /// ```
    pub struct ScheduleFreeAdamW = "ScheduleFreeAdamW";
    learning_rate: 0.0025;
    options {
        /// How much of the weight is the mean, and not the last place. It is above 0.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the mean squared gradient is kept from step to step.
        beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor from 0.
        epsilon: f64 = 1e-8, 0.5;
        /// In how many steps the learning rate grows from 0, evenly.
        warmup_steps: u64 = 0, 4;
    }
}

impl<T: Scalar> Optimizer<T> for ScheduleFreeAdamW {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    /// The first place is that of the weight.
    fn begins_as_weight(&self, slot: &str) -> bool {
        slot == "momentum"
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum, velocity] = slots else { panic!("ScheduleFreeAdamW keeps two slots") };
        let t = step.number as f64;
        let warm = (t / self.warmup_steps.max(1) as f64).min(1.0);
        let rate = T::lit(step.learning_rate * warm);
        // As in Nadam, Keras rounds both to the numbers of the weight first.
        let [beta_1, beta_2] = [self.beta_1, self.beta_2].map(T::lit);
        let unbiased = T::lit(1.0 / (1.0 - beta_2.widen().powf(t)));
        let (new_1, new_2) = (T::one() - beta_1, T::one() - beta_2);
        let (part, epsilon) = (T::lit(1.0 / t), T::lit(self.epsilon));
        let kept = momentum.iter_mut().zip(velocity.iter_mut());
        for ((w, &g), (z, v)) in weight.iter_mut().zip(gradient).zip(kept) {
            let mean = (*w - new_1 * *z) / beta_1;
            *v = (*v + (g * g - *v) * new_2).flushed();
            *z = (*z - quotient(rate * g, (*v * unbiased).sqrt() + epsilon)).flushed();
            let mean = (T::one() - part) * mean + part * *z;
            *w = (new_1 * *z + beta_1 * mean).flushed();
        }
    }

    fn by_parts(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Reason> {
        above_0("beta_1", self.beta_1)?;
        fraction("beta_1", self.beta_1, true)?;
        fraction("beta_2", self.beta_2, false)?;
        not_negative("epsilon", self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step};
    use super::*;

    /// One step after the other, with a weight that begins at 1, as its place does.
    fn places(optimizer: &ScheduleFreeAdamW, gradients: &[f64]) -> Vec<f64> {
        let (mut weight, mut z, mut v) = ([1.0], [1.0], [0.0]);
        let step = |(t, &g): (usize, &f64)| {
            let step = Step { number: t as u64 + 1, learning_rate: 0.5 };
            optimizer.update(step, &mut weight, &[g], &mut [&mut z, &mut v]);
            weight[0]
        };
        gradients.iter().enumerate().map(step).collect()
    }

    #[test]
    fn steps_computed_by_hand() {
        // Without memory of squares, the place moves by 0.5: 0.5, 0, -0.5. Their means are 0.5, 0.25, 0, and the weight is between.
        let forgetful = ScheduleFreeAdamW::new(0.5).beta_1(0.5).beta_2(0.0).epsilon(0.0);
        assert_close(places(&forgetful, &[4.0, 2.0, 1.0]), &[0.5, 0.125, -0.25]);
        // The rate grows in four steps: places 0.875, 0.625, 0.25.
        let warm = forgetful.clone().warmup_steps(4).beta_1(1.0);
        assert_close(places(&warm, &[4.0, 2.0, 1.0]), &[0.875, 0.75, 1.75 / 3.0]);
        // Where there is no gradient yet, nothing moves.
        assert_close(places(&forgetful, &[0.0, 0.0]), &[1.0, 1.0]);
        assert!(Optimizer::<f64>::begins_as_weight(&forgetful, "momentum"));
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let half = ScheduleFreeAdamW::new(1.0).epsilon(1.0).beta_1(0.5).beta_2(0.5);
        assert_eq!(late_step(&half, 1.0, 0.0, [1.0, 2e-38]).1, [1.0, 0.0]);
        assert_eq!(late_step(&half, 1.2e-38, 0.0, [1.0e-38, 0.0]), (0.0, [0.0, 0.0]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (optimizer, message) in [
            (
                ScheduleFreeAdamW::new(0.1).beta_2(-0.1),
                "beta_2 is -0.1; it lies between 0 and below 1",
            ),
            (
                ScheduleFreeAdamW::new(0.1).epsilon(-1.0),
                "epsilon is -1; it is finite and not negative",
            ),
        ] {
            assert_eq!(Optimizer::<f32>::check(&optimizer).unwrap_err(), message);
        }
        for beta_1 in [0.0, 1.5] {
            assert!(Optimizer::<f32>::check(&ScheduleFreeAdamW::new(0.1).beta_1(beta_1)).is_err());
        }
    }
}
