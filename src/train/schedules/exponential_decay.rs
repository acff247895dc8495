//! A rate that falls by a factor.

use super::decay::Decay;
use super::{LearningRate, Schedule};
use crate::config::{Options, Value};
use crate::error::Reason;

/// Falls by the factor `decay_rate` every `decay_steps` steps: in step `t`, `initial decay_rate^(t / decay_steps)`,
/// where the exponent may be cut to a whole number ([`staircase`](Self::staircase)).
///
/// ```
/// use cinta::{ExponentialDecay, LearningRate};
/// let rate = LearningRate::from(ExponentialDecay::new(0.4, 2, 0.25));
/// assert_eq!([rate.at(0), rate.at(1), rate.at(2)], [0.4, 0.2, 0.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExponentialDecay(Decay);

impl ExponentialDecay {
    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Decay::from_options(options).map(ExponentialDecay)
    }

    /// A smooth decay from an initial rate.
    ///
    /// ```
    /// use cinta::{LearningRate, ExponentialDecay};
    /// let rate = LearningRate::from(ExponentialDecay::new(0.5, 1000, 0.5));
    /// assert_eq!([0, 1000, 2000].map(|step| rate.at(step)), [0.5, 0.25, 0.125]);
    /// ```
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        ExponentialDecay(Decay::new(initial_learning_rate, decay_steps, decay_rate))
    }

    /// Whether the rate falls only at whole multiples of `decay_steps`.
    ///
    /// ```
    /// use cinta::{ExponentialDecay, LearningRate};
    /// let rate = LearningRate::from(ExponentialDecay::new(0.4, 2, 0.25).staircase(true));
    /// assert_eq!([rate.at(0), rate.at(1), rate.at(2)], [0.4, 0.4, 0.1]);
    /// ```
    pub fn staircase(mut self, staircase: bool) -> Self {
        self.0.staircase = staircase;
        self
    }
}

impl Schedule for ExponentialDecay {
    fn class_name(&self) -> &'static str {
        "ExponentialDecay"
    }

    fn at(&self, step: f64) -> f64 {
        self.0.initial * self.0.decay_rate.powf(self.0.periods(step))
    }

    fn check(&self) -> Result<(), Reason> {
        self.0.check()
    }

    fn config(&self) -> Value {
        self.0.config(self.class_name())
    }
}

impl From<ExponentialDecay> for LearningRate {
    fn from(schedule: ExponentialDecay) -> Self {
        LearningRate::ExponentialDecay(schedule)
    }
}
