//! A rate that falls as one over the steps.

use super::decay::Decay;
use super::{LearningRate, Schedule};
use crate::config::{Options, Value};
use crate::error::Reason;

/// Falls as `1 / t`: in step `t`, `initial / (1 + decay_rate t / decay_steps)`, where the quotient of steps may be cut
/// to a whole number ([`staircase`](Self::staircase)).
///
/// ```
/// use cinta::{InverseTimeDecay, LearningRate};
/// let rate = LearningRate::from(InverseTimeDecay::new(0.6, 2, 1.0));
/// assert_eq!([rate.at(0), rate.at(2), rate.at(4)], [0.6, 0.3, 0.6 / 3.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InverseTimeDecay(Decay);

impl InverseTimeDecay {
    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Decay::from_options(options).map(InverseTimeDecay)
    }

    /// A smooth decay from an initial rate.
    ///
    /// ```
    /// use cinta::{LearningRate, InverseTimeDecay};
    /// let rate = LearningRate::from(InverseTimeDecay::new(0.5, 1000, 1.0));
    /// assert_eq!([0, 1000, 3000].map(|step| rate.at(step)), [0.5, 0.25, 0.125]);
    /// ```
    pub fn new(initial_learning_rate: f64, decay_steps: u64, decay_rate: f64) -> Self {
        InverseTimeDecay(Decay::new(initial_learning_rate, decay_steps, decay_rate))
    }

    /// Whether the rate falls only at whole multiples of `decay_steps`.
    ///
    /// ```
    /// use cinta::{InverseTimeDecay, LearningRate};
    /// let rate = LearningRate::from(InverseTimeDecay::new(0.6, 2, 1.0).staircase(true));
    /// assert_eq!([rate.at(0), rate.at(1), rate.at(2)], [0.6, 0.6, 0.3]);
    /// ```
    pub fn staircase(mut self, staircase: bool) -> Self {
        self.0.staircase = staircase;
        self
    }
}

impl Schedule for InverseTimeDecay {
    fn class_name(&self) -> &'static str {
        "InverseTimeDecay"
    }

    fn at(&self, step: f64) -> f64 {
        self.0.initial / (1.0 + self.0.decay_rate * self.0.periods(step))
    }

    fn check(&self) -> Result<(), Reason> {
        self.0.check()
    }

    fn config(&self) -> Value {
        self.0.config(self.class_name())
    }
}

impl From<InverseTimeDecay> for LearningRate {
    fn from(schedule: InverseTimeDecay) -> Self {
        LearningRate::InverseTimeDecay(schedule)
    }
}
