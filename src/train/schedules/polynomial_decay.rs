//! A rate that falls along a power.

use super::{LearningRate, Schedule, check_decay, steps};
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::train::checks::not_negative;

/// Falls along a power of the time that is left: in step `t`, `(initial - end) (1 - t / decay_steps)^power + end`, with
/// `t` at most `decay_steps`; or again and again ([`cycle`](Self::cycle)).
///
/// ```
/// use cinta::{LearningRate, PolynomialDecay};
/// let rate = LearningRate::from(PolynomialDecay::new(0.5, 4).end_learning_rate(0.25));
/// assert_eq!([0, 2, 4, 8].map(|step| rate.at(step)), [0.5, 0.375, 0.25, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PolynomialDecay {
    initial: f64,
    decay_steps: u64,
    end: f64,
    power: f64,
    cycle: bool,
}

impl PolynomialDecay {
    /// A straight line from an initial rate to 0.0001.
    ///
    /// ```
    /// use cinta::{LearningRate, PolynomialDecay};
    /// let rate = LearningRate::from(PolynomialDecay::new(0.1, 1000));
    /// assert!((rate.at(500) - 0.05005).abs() < 1e-12); // half way from 0.1 to 0.0001
    /// assert!([1000, 2000].iter().all(|&step| (rate.at(step) - 0.0001).abs() < 1e-12));
    /// ```
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        let initial = initial_learning_rate;
        PolynomialDecay { initial, decay_steps, end: 0.0001, power: 1.0, cycle: false }
    }

    /// The rate in the end.
    ///
    /// ```
    /// use cinta::{LearningRate, PolynomialDecay};
    /// assert_eq!(LearningRate::from(PolynomialDecay::new(0.5, 4).end_learning_rate(0.25)).at(4), 0.25);
    /// ```
    pub fn end_learning_rate(mut self, end_learning_rate: f64) -> Self {
        self.end = end_learning_rate;
        self
    }

    /// The power of the time that is left.
    ///
    /// ```
    /// use cinta::{LearningRate, PolynomialDecay};
    /// let decay = PolynomialDecay::new(1.0, 4).end_learning_rate(0.0).power(2.0);
    /// assert_eq!(LearningRate::from(decay).at(2), 0.25);
    /// ```
    pub fn power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }

    /// Whether the rate jumps up after `decay_steps` and falls again: `decay_steps` then stands for its first multiple
    /// that is not below `t`.
    ///
    /// ```
    /// use cinta::{LearningRate, PolynomialDecay};
    /// let rate = LearningRate::from(PolynomialDecay::new(1.0, 4).end_learning_rate(0.0).cycle(true));
    /// assert_eq!([0, 2, 4, 6, 8].map(|step| rate.at(step)), [1.0, 0.5, 0.0, 0.25, 0.0]);
    /// ```
    pub fn cycle(mut self, cycle: bool) -> Self {
        self.cycle = cycle;
        self
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(PolynomialDecay {
            initial: options.number("initial_learning_rate")?,
            decay_steps: steps(options, "decay_steps")?,
            end: options.number_or("end_learning_rate", 0.0001)?,
            power: options.number_or("power", 1.0)?,
            cycle: options.flag("cycle", false)?,
        })
    }
}

impl Schedule for PolynomialDecay {
    fn class_name(&self) -> &'static str {
        "PolynomialDecay"
    }

    fn at(&self, step: f64) -> f64 {
        let periods = step / self.decay_steps as f64;
        let done = if self.cycle { periods / periods.ceil().max(1.0) } else { periods.min(1.0) };
        (self.initial - self.end) * (1.0 - done).powf(self.power) + self.end
    }

    fn check(&self) -> Result<(), Reason> {
        check_decay(self.initial, self.decay_steps)?;
        not_negative("end_learning_rate", self.end)?;
        not_negative("power", self.power)
    }

    fn config(&self) -> Value {
        json!({
            "initial_learning_rate": self.initial, "decay_steps": self.decay_steps,
            "end_learning_rate": self.end, "power": self.power, "cycle": self.cycle,
            "name": "PolynomialDecay",
        })
    }
}

impl From<PolynomialDecay> for LearningRate {
    fn from(schedule: PolynomialDecay) -> Self {
        LearningRate::PolynomialDecay(schedule)
    }
}
