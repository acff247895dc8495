//! Stochastic gradient descent.

use super::rule::{described, rule};
use super::{Optimizer, Step};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Rule, move_slices, pointwise, zip_slice};
use crate::train::checks::fraction;

rule! {
    /// Stochastic gradient descent, with momentum in Keras's form, where the learning rate is part of the
    /// velocity: `m = momentum m - lr g`, then `w += m`, or with Nesterov `w += momentum m - lr g`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let optimizer = Sgd::new(0.5).momentum(0.5).nesterov(true);
    /// let (mut weight, step) = ([1.0_f64], Step { number: 1, learning_rate: 0.5 });
    /// let mut slots = [[2.0]];
    /// let mut slots: Vec<&mut [f64]> = slots.iter_mut().map(|slot| &mut slot[..]).collect();
    /// optimizer.update(step, &mut weight, &[1.0], &mut slots);
    /// assert_eq!(weight, [1.0 + 0.5 * 0.5 - 0.5]); // m = 0.5 x 2 - 0.5 = 0.5
    /// ```
    pub struct Sgd = "SGD";
    learning_rate: 0.01;
    options {
        /// The part of the last step that is repeated, between 0 and 1.
        momentum: f64 = 0.0, 0.5;
        /// Looks one step of momentum ahead (Nesterov, 1983).
        nesterov: bool = false, true;
    }
}

pointwise!(Plain { lr } = |w, g| (w - lr * g).flushed());

/// Moves a weight and its velocity.
#[derive(Clone, Copy)]
struct Momentum<T, const NESTEROV: bool> {
    lr: T,
    mu: T,
}

impl<T: Scalar, const NESTEROV: bool> Rule<T, 2> for Momentum<T, NESTEROV> {
    #[inline(always)]
    fn of(self, [w, m]: [T; 2], g: T) -> [T; 2] {
        let Momentum { lr, mu } = self;
        let m = (mu * m - lr * g).flushed();
        [(w + if NESTEROV { mu * m - lr * g } else { m }).flushed(), m]
    }
}

impl<T: Scalar> Optimizer<T> for Sgd {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let (lr, mu) = (T::lit(step.learning_rate), T::lit(self.momentum));
        match slots {
            [velocity] if self.nesterov => {
                move_slices(Momentum::<T, true> { lr, mu }, [weight, velocity], gradient);
            }
            [velocity] => {
                move_slices(Momentum::<T, false> { lr, mu }, [weight, velocity], gradient)
            }
            _ => zip_slice(Plain { lr }, weight, gradient),
        }
    }

    fn by_parts(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("momentum", self.momentum, true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step, run};
    use super::*;
    use crate::train::PiecewiseConstantDecay;

    #[test]
    fn steps_computed_by_hand() {
        assert_close(run(&Sgd::new(0.1), &[1.0, 2.0]), &[0.9, 0.7]);
        // m = -0.1, then 0.5 (-0.1) - 0.2 = -0.25
        assert_close(run(&Sgd::new(0.1).momentum(0.5), &[1.0, 2.0]), &[0.9, 0.65]);
        // w += 0.5 (-0.1) - 0.1, then 0.5 (-0.25) - 0.2
        let nesterov = Sgd::new(0.1).momentum(0.5).nesterov(true);
        assert_close(run(&nesterov, &[1.0, 2.0]), &[0.85, 0.525]);
        // The first step is at 0 of the schedule.
        let schedule = PiecewiseConstantDecay::new([0], [0.1, 0.2]);
        assert_close(run(&Sgd::new(schedule), &[1.0, 1.0, 1.0]), &[0.9, 0.7, 0.5]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let (plain, momentum) = (Sgd::new(1.0), Sgd::new(1.0).momentum(0.5));
        assert_eq!(late_step(&plain, 2e-38, 1.5e-38, []), (0.0, []));
        assert_eq!(late_step(&momentum, 1.0, 0.0, [2e-38]), (1.0, [0.0]));
        assert_eq!(late_step(&momentum, 2e-38, 0.0, [-3e-38]), (0.0, [-1.5e-38]));
        let nesterov = Sgd::new(1.0).momentum(0.5).nesterov(true);
        assert_eq!(late_step(&nesterov, 2e-38, 0.0, [-6e-38]), (0.0, [-3e-38]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        let sgd = Sgd::new(0.1).momentum(1.5);
        let error = Optimizer::<f32>::check(&sgd).unwrap_err();
        assert_eq!(error, "momentum is 1.5; it lies between 0 and 1");
    }
}
