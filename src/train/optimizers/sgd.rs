//! Stochastic gradient descent.

use super::pace::pace_options;
use super::{Optimizer, Pace, Step};
use crate::config::{Config, Options, as_config, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Rule, move_slices, pointwise, zip_slice};
use crate::train::LearningRate;
use crate::train::checks::fraction;

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
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd {
    pace: Pace,
    momentum: f64,
    nesterov: bool,
}

impl Sgd {
    /// Plain gradient descent: `w -= lr g`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Sgd::new(0.01), Sgd::default());
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Sgd { pace: Pace::new(learning_rate), momentum: 0.0, nesterov: false }
    }

    /// The part of the last step that is repeated, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Sgd::new(0.1).momentum(0.9), Sgd::new(0.1)); // whose momentum is 0
    /// ```
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Looks one step of momentum ahead (Nesterov, 1983).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Optimizer, Step};
    /// let step = Step { number: 1, learning_rate: 0.5 };
    /// let moved = [true, false].map(|nesterov| {
    ///     let mut weight = [0.0_f32];
    ///     let sgd = Sgd::new(0.5).momentum(0.25).nesterov(nesterov);
    ///     sgd.update(step, &mut weight, &[1.0], &mut [&mut [0.0]]);
    ///     weight[0]
    /// });
    /// assert_eq!(moved, [-0.625, -0.5]); // 0.25 (-0.5) - 0.5
    /// ```
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, Reason> {
        let mut options = Options::new(config);
        let sgd = Sgd {
            pace: Pace::from_options(&mut options, 0.01)?,
            momentum: options.number_or("momentum", 0.0)?,
            nesterov: options.flag("nesterov", false)?,
        };
        options.finish()?;
        Ok(sgd)
    }
}

pace_options!(Sgd, pace);

/// Keras's default.
impl Default for Sgd {
    fn default() -> Self {
        Sgd::new(0.01)
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
    fn class_name(&self) -> &str {
        "SGD"
    }

    fn pace(&self) -> &Pace {
        &self.pace
    }

    fn config(&self) -> Config {
        as_config(json!({ "momentum": self.momentum, "nesterov": self.nesterov }))
    }

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
    use super::super::tests::{assert_close, comes_back, late_step, run};
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
    fn configs_come_back() {
        comes_back(&Sgd::new(0.02).momentum(0.5).nesterov(true).clipnorm(2.0).weight_decay(0.1));
        comes_back(&Sgd::new(PiecewiseConstantDecay::new([5], [0.1, 0.2])).clipvalue(2.0));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        let sgd = Sgd::new(0.1).momentum(1.5);
        let error = Optimizer::<f32>::check(&sgd).unwrap_err();
        assert_eq!(error, "momentum is 1.5; it lies between 0 and 1");
    }
}
