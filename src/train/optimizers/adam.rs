//! Adam, and Adam with weights that decay.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Rule, move_slices};
use crate::train::checks::{fraction, not_negative};

rule! {
    /// Adam (Kingma and Ba, 2014), in Keras's form: `m += (g - m)(1 - b1)`, `v += (g^2 - v)(1 - b2)`,
    /// `w -= m a / (sqrt(v) + epsilon)` with `a = lr sqrt(1 - b2^t) / (1 - b1^t)` in step `t`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let optimizer = Adam::new(0.001).beta_1(0.9).beta_2(0.999).epsilon(1e-7);
    /// assert_eq!(optimizer, Adam::default());
    /// ```
    pub struct Adam = "Adam";
    learning_rate: 0.001;
    options {
        /// How much of the mean gradient is kept from step to step.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the mean squared gradient is kept from step to step.
        beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
        /// Whether to divide by the largest `v` so far (Reddi, Kale and Kumar, 2018).
        amsgrad: bool = false, true;
    }
}

rule! {
    /// [`Adam`] with weights that decay beside the gradient (Loshchilov and Hutter, 2017), by 0.004 times the learning rate in
    /// each step if nothing else is chosen.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(AdamW::new(0.001).weight_decay(0.004), AdamW::default());
    /// ```
    pub struct AdamW = "AdamW";
    learning_rate: 0.001, weight_decay: 0.004;
    options {
        /// How much of the mean gradient is kept from step to step.
        beta_1: f64 = 0.9, 0.5;
        /// How much of the mean squared gradient is kept from step to step.
        beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
        /// Whether to divide by the largest `v` so far (Reddi, Kale and Kumar, 2018).
        amsgrad: bool = false, true;
    }
}

/// The rule of both.
macro_rules! adam {
    ($($adam:ident)*) => {$(
        impl<T: Scalar> Optimizer<T> for $adam {
            described!();

            fn slots(&self) -> &'static [&'static str] {
                if self.amsgrad {
                    &["momentum", "velocity", "velocity_hat"]
                } else {
                    &["momentum", "velocity"]
                }
            }

            fn slots_together(&self) -> usize {
                2
            }

            fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
                update([self.beta_1, self.beta_2, self.epsilon], step, weight, gradient, slots);
            }

            fn by_parts(&self) -> bool {
                true
            }

            fn check(&self) -> Result<(), Reason> {
                fraction("beta_1", self.beta_1, false)?;
                fraction("beta_2", self.beta_2, false)?;
                not_negative("epsilon", self.epsilon)
            }
        }
    )*};
}

adam!(Adam AdamW);

/// A step with these betas and epsilon.
pub(super) fn update<T: Scalar>(
    [beta_1, beta_2, epsilon]: [f64; 3],
    step: Step,
    weight: &mut [T],
    gradient: &[T],
    slots: &mut [&mut [T]],
) {
    let [momentum, velocity, largest @ ..] = slots else { panic!("Adam keeps two slots or three") };
    let t = step.number as f64;
    let alpha = step.learning_rate * (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
    let (alpha, epsilon) = (T::lit(alpha), T::lit(epsilon));
    let (new_1, new_2) = (T::lit(1.0 - beta_1), T::lit(1.0 - beta_2));
    let rule = Moments { alpha, epsilon, new_1, new_2 };
    match largest {
        [largest] => move_slices(rule, [weight, momentum, velocity, largest], gradient),
        _ => move_slices(rule, [weight, momentum, velocity], gradient),
    }
}

/// Moves a weight, the means of its gradients and of their squares, and the largest of the latter.
#[derive(Clone, Copy)]
struct Moments<T> {
    alpha: T,
    epsilon: T,
    new_1: T,
    new_2: T,
}

impl<T: Scalar> Moments<T> {
    #[inline(always)]
    fn means(self, m: T, v: T, g: T) -> [T; 2] {
        [(m + (g - m) * self.new_1).flushed(), (v + (g * g - v) * self.new_2).flushed()]
    }

    #[inline(always)]
    fn moved(self, w: T, m: T, v: T) -> T {
        (w - quotient(m * self.alpha, v.sqrt() + self.epsilon)).flushed()
    }
}

impl<T: Scalar> Rule<T, 3> for Moments<T> {
    #[inline(always)]
    fn of(self, [w, m, v]: [T; 3], g: T) -> [T; 3] {
        let [m, v] = self.means(m, v, g);
        [self.moved(w, m, v), m, v]
    }
}

impl<T: Scalar> Rule<T, 4> for Moments<T> {
    #[inline(always)]
    fn of(self, [w, m, v, largest]: [T; 4], g: T) -> [T; 4] {
        let [m, v] = self.means(m, v, g);
        let largest = if v > largest { v } else { largest };
        [self.moved(w, m, largest), m, v, largest]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;
    use crate::config::{Config, as_config, json};

    #[test]
    fn steps_computed_by_hand() {
        // The first step moves by the learning rate, whatever the gradient.
        assert_close(run(&Adam::new(0.1).epsilon(0.0), &[3.0]), &[0.9]);
        // Without memory, every step does.
        let forgetful = Adam::new(0.1).epsilon(0.0).beta_1(0.0).beta_2(0.0);
        assert_close(run(&forgetful, &[4.0, -2.0]), &[0.9, 1.0]);
        // With the largest v, the second one is half as long.
        assert_close(run(&forgetful.amsgrad(true), &[4.0, -2.0]), &[0.9, 0.95]);
    }

    #[test]
    fn an_epsilon_of_0_divides_by_nothing() {
        let adam = Adam::new(0.1).epsilon(0.0);
        for adam in [adam.clone(), adam.clone().amsgrad(true)] {
            assert_close(run(&adam, &[0.0, 0.0]), &[1.0, 1.0]);
            assert!(run(&adam, &[0.0, 3.0])[1] < 1.0);
        }
        assert_close(run(&AdamW::new(0.1).epsilon(0.0), &[0.0, 0.0]), &[1.0, 1.0]);
        // Where only the mean square is forgotten, the divisor is 0 and the mean is not.
        assert_close(run(&adam.beta_1(0.5).beta_2(0.0), &[4.0, 0.0]), &[0.9, 0.9]);
        // 1e-46 is no f32.
        let (weight, [_, velocity]) = late_step(&Adam::new(0.1).epsilon(0.0), 1.0, 1e-23, [0.0; 2]);
        assert_eq!((weight, velocity), (1.0, 0.0));
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let adam = Adam::new(1.0).epsilon(1.0).beta_1(0.5).beta_2(0.5);
        assert_eq!(late_step(&adam, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        assert_eq!(late_step(&adam, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&adam, 2e-38, 0.0, [3e-38, 0.0]), (0.0, [1.5e-38, 0.0]));
        let adam = adam.amsgrad(true);
        assert_eq!(late_step(&adam, 1.0, 0.0, [2e-38, 1.0, 2.0]), (1.0, [0.0, 0.5, 2.0]));
        assert_eq!(late_step(&adam, 1.0, 0.0, [0.0, 2e-38, 0.0]), (1.0, [0.0; 3]));
        assert_eq!(late_step(&adam, 2e-38, 0.0, [3e-38, 0.0, 0.0]), (0.0, [1.5e-38, 0.0, 0.0]));
        let adamw = AdamW::new(1.0).epsilon(1.0).beta_1(0.5);
        assert_eq!(late_step(&adamw, 2e-38, 0.0, [3e-38, 0.0]), (0.0, [1.5e-38, 0.0]));
    }

    #[test]
    fn weights_decay_if_a_file_does_not_say_by_how_much() {
        assert_eq!(AdamW::from_config(&Config::new()), Ok(AdamW::default()));
        let error = AdamW::from_config(&as_config(json!({ "weight_decay": null }))).unwrap_err();
        assert_eq!(error, "AdamW needs a number as weight_decay, and it is null; Adam needs none");
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (adam, message) in [
            (Adam::new(0.1).beta_1(1.0), "beta_1 is 1; it lies between 0 and below 1"),
            (Adam::new(0.1).beta_2(-0.1), "beta_2 is -0.1; it lies between 0 and below 1"),
            (Adam::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&adam).unwrap_err(), message);
        }
    }
}
