//! RMSprop.

use super::rule::{described, rule};
use super::{Optimizer, Step, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Rule, move_slices};
use crate::train::checks::{fraction, not_negative};

rule! {
    /// RMSprop (Tieleman and Hinton, 2012), in Keras 3's form: `v = rho v + (1 - rho) g^2`, then
    /// `w -= lr g / sqrt(v + epsilon)`. With [`momentum`](Self::momentum), that quotient is added to `momentum m`, and `m` is
    /// subtracted; [`centered`](Self::centered), the mean gradient's square is taken from `v` below the root. What is left, a variance,
    /// counts as 0 where rounding makes it negative; Keras takes the root of it, and training diverges.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let optimizer = RmsProp::new(0.01).rho(0.75).epsilon(0.0);
    /// let (mut weight, step) = ([1.0_f64], Step { number: 1, learning_rate: 0.01 });
    /// let mut slots = [[0.0]];
    /// let mut slots: Vec<&mut [f64]> = slots.iter_mut().map(|slot| &mut slot[..]).collect();
    /// optimizer.update(step, &mut weight, &[3.0], &mut slots);
    /// assert!((weight[0] - (1.0 - 0.01 * 2.0)).abs() < 1e-12); // v = 0.25 x 9, whose root is 1.5
    /// ```
    pub struct RmsProp = "RMSprop";
    learning_rate: 0.001;
    options {
        /// How much of the mean squared gradient is kept from step to step.
        rho: f64 = 0.9, 0.5;
        /// The part of the last step that is repeated, between 0 and 1.
        momentum: f64 = 0.0, 0.5;
        /// What keeps the divisor from 0. If this is 0, a weight does not move as long as the divisor is 0.
        epsilon: f64 = 1e-7, 0.5;
        /// Whether to divide by the gradient's standard deviation rather than its root mean square. A variance that rounding makes
        /// negative counts as 0.
        centered: bool = false, true;
    }
}

/// Moves a weight and the mean of its squared gradients; with a third number, that of the gradients, and with a fourth, a
/// momentum before that.
#[derive(Clone, Copy)]
struct Squares<T> {
    lr: T,
    epsilon: T,
    rho: T,
    new: T,
    mu: T,
}

impl<T: Scalar> Squares<T> {
    #[inline(always)]
    fn mean(self, v: T, g: T) -> T {
        (self.rho * v + self.new * (g * g)).flushed()
    }

    /// The mean gradient, and the square less its square.
    #[inline(always)]
    fn centred(self, v: T, average: T, g: T) -> [T; 2] {
        let average = (self.rho * average + self.new * g).flushed();
        let variance = v - average * average;
        // Rounding can make it negative. A comparison rather than `max`, which would hide what is not a number.
        [average, if variance < T::zero() { T::zero() } else { variance }]
    }

    #[inline(always)]
    fn increment(self, square: T, g: T) -> T {
        quotient(self.lr * g, (square + self.epsilon).sqrt())
    }

    #[inline(always)]
    fn momentum(self, momentum: T, increment: T) -> T {
        (self.mu * momentum + increment).flushed()
    }
}

impl<T: Scalar> Rule<T, 2> for Squares<T> {
    #[inline(always)]
    fn of(self, [w, v]: [T; 2], g: T) -> [T; 2] {
        let v = self.mean(v, g);
        [(w - self.increment(v, g)).flushed(), v]
    }
}

impl<T: Scalar> Rule<T, 3> for Squares<T> {
    #[inline(always)]
    fn of(self, [w, v, average]: [T; 3], g: T) -> [T; 3] {
        let v = self.mean(v, g);
        let [average, square] = self.centred(v, average, g);
        [(w - self.increment(square, g)).flushed(), v, average]
    }
}

impl<T: Scalar> Rule<T, 4> for Squares<T> {
    #[inline(always)]
    fn of(self, [w, v, momentum, average]: [T; 4], g: T) -> [T; 4] {
        let v = self.mean(v, g);
        let [average, square] = self.centred(v, average, g);
        let momentum = self.momentum(momentum, self.increment(square, g));
        [(w - momentum).flushed(), v, momentum, average]
    }
}

/// The same, where the third number is a momentum.
#[derive(Clone, Copy)]
struct WithMomentum<T>(Squares<T>);

impl<T: Scalar> Rule<T, 3> for WithMomentum<T> {
    #[inline(always)]
    fn of(self, [w, v, momentum]: [T; 3], g: T) -> [T; 3] {
        let v = self.0.mean(v, g);
        let momentum = self.0.momentum(momentum, self.0.increment(v, g));
        [(w - momentum).flushed(), v, momentum]
    }
}

impl<T: Scalar> Optimizer<T> for RmsProp {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &["velocity"],
            (true, false) => &["velocity", "momentum"],
            (false, true) => &["velocity", "average_gradient"],
            (true, true) => &["velocity", "momentum", "average_gradient"],
        }
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let (lr, epsilon) = (T::lit(step.learning_rate), T::lit(self.epsilon));
        let (rho, new, mu) = (T::lit(self.rho), T::lit(1.0 - self.rho), T::lit(self.momentum));
        let rule = Squares { lr, epsilon, rho, new, mu };
        match slots {
            [velocity] => move_slices(rule, [weight, velocity], gradient),
            [velocity, momentums] if self.momentum > 0.0 => {
                move_slices(WithMomentum(rule), [weight, velocity, momentums], gradient);
            }
            [velocity, averages] => move_slices(rule, [weight, velocity, averages], gradient),
            [velocity, momentums, averages] => {
                move_slices(rule, [weight, velocity, momentums, averages], gradient);
            }
            _ => panic!("RMSprop keeps one to three slots"),
        }
    }

    fn by_parts(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("rho", self.rho, true)?;
        fraction("momentum", self.momentum, true)?;
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
        let forgetful = RmsProp::new(0.1).rho(0.0).epsilon(0.0);
        assert_close(run(&forgetful, &[2.0, -6.0]), &[0.9, 1.0]);
        // The root is of 4 + 5.
        assert_close(run(&forgetful.epsilon(5.0), &[2.0]), &[1.0 - 0.2 / 3.0]);
        let half = RmsProp::new(0.1).rho(0.5).epsilon(0.0);
        // v = 2
        assert_close(run(&half, &[2.0]), &[1.0 - 0.2 / 2.0_f64.sqrt()]);
        // The average is 1, so that 2 - 1 is below the root.
        assert_close(run(&half.clone().centered(true), &[2.0]), &[0.8]);
        let all = half.centered(true).momentum(0.5);
        // v = 2, 3; average = 1, 1.5; increments 0.2 and 0.2 / sqrt(0.75); m = 0.2, 0.1 + that.
        let second = 0.8 - (0.1 + 0.2 / 0.75_f64.sqrt());
        assert_close(run(&all, &[2.0, 2.0]), &[0.8, second]);
    }

    #[test]
    fn an_epsilon_of_0_divides_by_nothing() {
        let rmsprop = RmsProp::new(0.1).rho(0.0).epsilon(0.0);
        assert_close(run(&rmsprop, &[0.0, 0.0, 2.0]), &[1.0, 1.0, 0.9]);
        let momentum = rmsprop.clone().momentum(0.5);
        assert_close(run(&momentum, &[0.0, 2.0, 0.0]), &[1.0, 0.9, 0.85]);
        // Without memory, there is no variance.
        assert_close(run(&rmsprop.centered(true), &[0.0, 2.0]), &[1.0, 1.0]);
        // 1e-46 is no f32.
        let rmsprop = RmsProp::new(0.1).epsilon(0.0);
        assert_eq!(late_step(&rmsprop, 1.0, 1e-23, [0.0]), (1.0, [0.0]));
    }

    /// The variance of equal gradients is 0, and in `f32`, from the 140th step on, sometimes less.
    #[test]
    fn a_variance_is_not_negative() {
        let (rmsprop, gradient) = (RmsProp::new(0.001).centered(true), 231.634_17);
        let (mut weight, mut slots, mut below_0) = (0.0, [0.0; 2], 0);
        for _ in 0..1000 {
            let before = weight;
            (weight, slots) = late_step(&rmsprop, weight, gradient, slots);
            let [velocity, average] = slots;
            let variance = velocity - average * average;
            below_0 += usize::from(variance < 0.0);
            let expected = before - 0.001 * gradient / (variance.max(0.0) + 1e-7).sqrt();
            assert!((weight / expected - 1.0).abs() < 1e-5, "{weight} instead of {expected}");
        }
        assert!(below_0 > 0);
        // What is not a number stays visible.
        assert!(late_step(&rmsprop, 1.0, f32::NAN, slots).0.is_nan());
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let rmsprop = RmsProp::new(1.0).epsilon(1.0).rho(0.5);
        assert_eq!(late_step(&rmsprop, 1.0, 0.0, [2e-38]), (1.0, [0.0]));
        assert_eq!(late_step(&rmsprop, 2e-38, 1.5e-38, [0.0]), (0.0, [0.0]));
        let centered = rmsprop.clone().centered(true);
        assert_eq!(late_step(&centered, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&centered, 2e-38, 1.5e-38, [0.0, 0.0]), (0.0, [0.0, 0.0]));
        let both = centered.momentum(0.5);
        let step = late_step(&both, 2e-38, 0.0, [0.0, 3e-38, 0.0]);
        assert_eq!(step, (0.0, [0.0, 1.5e-38, 0.0]));
        let momentum = rmsprop.momentum(0.5);
        assert_eq!(late_step(&momentum, 1.0, 0.0, [0.0, 2e-38]), (1.0, [0.0, 0.0]));
        assert_eq!(late_step(&momentum, 2e-38, 0.0, [0.0, 3e-38]), (0.0, [0.0, 1.5e-38]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (rmsprop, message) in [
            (RmsProp::new(0.1).rho(1.5), "rho is 1.5; it lies between 0 and 1"),
            (RmsProp::new(0.1).momentum(-0.5), "momentum is -0.5; it lies between 0 and 1"),
            (RmsProp::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&rmsprop).unwrap_err(), message);
        }
    }
}
