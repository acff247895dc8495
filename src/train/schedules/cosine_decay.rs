//! A rate that falls along half a wave.

use super::{LearningRate, Schedule, check_decay, steps, whole};
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::train::checks::not_negative;
use std::f64::consts::PI;

/// Falls along half a cosine wave: in step `t`, `initial ((1 - alpha) c + alpha)` with
/// `c = (1 + cos(pi min(t / decay_steps, 1))) / 2`; after a linear rise, if there is one ([`warmup`](Self::warmup)).
///
/// ```
/// use cinta::{CosineDecay, LearningRate};
/// let rate = LearningRate::from(CosineDecay::new(0.4, 100).alpha(0.5));
/// assert_eq!([0, 50, 100, 200].map(|step| (rate.at(step) * 10.0).round()), [4.0, 3.0, 2.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CosineDecay {
    initial: f64,
    decay_steps: u64,
    alpha: f64,
    warmup: Option<(f64, u64)>,
}

impl CosineDecay {
    /// From an initial rate to 0, without warmup.
    ///
    /// ```
    /// use cinta::{LearningRate, CosineDecay};
    /// let rate = LearningRate::from(CosineDecay::new(0.1, 1000));
    /// assert!((rate.at(500) - 0.05).abs() < 1e-12);
    /// assert_eq!([0, 1000, 2000].map(|step| rate.at(step)), [0.1, 0.0, 0.0]);
    /// ```
    pub fn new(initial_learning_rate: f64, decay_steps: u64) -> Self {
        CosineDecay { initial: initial_learning_rate, decay_steps, alpha: 0.0, warmup: None }
    }

    /// The part of the highest rate that is left in the end.
    ///
    /// ```
    /// use cinta::{CosineDecay, LearningRate};
    /// assert_eq!(LearningRate::from(CosineDecay::new(0.4, 10).alpha(0.25)).at(10), 0.1);
    /// ```
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Rises linearly from the initial rate to `warmup_target` in `warmup_steps` first; the decay starts there.
    ///
    /// ```
    /// use cinta::{CosineDecay, LearningRate};
    /// let rate = LearningRate::from(CosineDecay::new(0.0, 10).warmup(0.5, 4));
    /// assert_eq!([0, 1, 4, 14].map(|step| rate.at(step)), [0.0, 0.125, 0.5, 0.0]);
    /// ```
    pub fn warmup(mut self, warmup_target: f64, warmup_steps: u64) -> Self {
        self.warmup = Some((warmup_target, warmup_steps));
        self
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        let target = options.number_if_given("warmup_target")?;
        let steps_up = options.value("warmup_steps").map_or(Some(0), whole);
        let steps_up = steps_up.ok_or("the option warmup_steps is not a whole number")?;
        Ok(CosineDecay {
            initial: options.number("initial_learning_rate")?,
            decay_steps: steps(options, "decay_steps")?,
            alpha: options.number_or("alpha", 0.0)?,
            warmup: target.map(|target| (target, steps_up)),
        })
    }
}

impl Schedule for CosineDecay {
    fn class_name(&self) -> &'static str {
        "CosineDecay"
    }

    fn at(&self, step: f64) -> f64 {
        let (from, steps_up) = match self.warmup {
            None => (self.initial, 0.0),
            Some((target, steps)) => (target, steps as f64),
        };
        if step < steps_up {
            return self.initial + (from - self.initial) * step / steps_up;
        }
        let done = ((step - steps_up) / self.decay_steps as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (PI * done).cos());
        from * ((1.0 - self.alpha) * cosine + self.alpha)
    }

    fn check(&self) -> Result<(), Reason> {
        check_decay(self.initial, self.decay_steps)?;
        not_negative("alpha", self.alpha)?;
        self.warmup.map_or(Ok(()), |(target, _)| not_negative("warmup_target", target))
    }

    fn config(&self) -> Value {
        json!({
            "initial_learning_rate": self.initial, "decay_steps": self.decay_steps,
            "alpha": self.alpha, "name": "CosineDecay",
            "warmup_target": self.warmup.map(|(target, _)| target),
            "warmup_steps": self.warmup.map_or(0, |(_, steps)| steps),
        })
    }
}

impl From<CosineDecay> for LearningRate {
    fn from(schedule: CosineDecay) -> Self {
        LearningRate::CosineDecay(schedule)
    }
}
