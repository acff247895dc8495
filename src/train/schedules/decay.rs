//! What two schedules have in common.

use super::{check_decay, steps};
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::train::checks::not_negative;

/// What decays by a rate in a number of steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decay {
    pub(super) initial: f64,
    pub(super) decay_steps: u64,
    pub(super) decay_rate: f64,
    pub(super) staircase: bool,
}

impl Decay {
    pub(super) fn new(initial: f64, decay_steps: u64, decay_rate: f64) -> Self {
        Decay { initial, decay_steps, decay_rate, staircase: false }
    }

    /// How often `decay_steps` have passed.
    pub(super) fn periods(&self, step: f64) -> f64 {
        let periods = step / self.decay_steps as f64;
        if self.staircase { periods.floor() } else { periods }
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        check_decay(self.initial, self.decay_steps)?;
        not_negative("decay_rate", self.decay_rate)
    }

    pub(super) fn config(&self, name: &str) -> Value {
        json!({
            "initial_learning_rate": self.initial, "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate, "staircase": self.staircase, "name": name,
        })
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(Decay {
            initial: options.number("initial_learning_rate")?,
            decay_steps: steps(options, "decay_steps")?,
            decay_rate: options.number("decay_rate")?,
            staircase: options.flag("staircase", false)?,
        })
    }
}
