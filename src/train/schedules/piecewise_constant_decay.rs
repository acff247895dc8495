//! A rate that changes at given steps.

use super::{LearningRate, Schedule, whole};
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::train::checks::not_negative;

/// One value up to and including each boundary, and one beyond the last.
///
/// ```
/// use cinta::{LearningRate, PiecewiseConstantDecay};
/// let rate = LearningRate::from(PiecewiseConstantDecay::new([2, 3], [0.3, 0.2, 0.1]));
/// assert_eq!([0, 2, 3, 4].map(|step| rate.at(step)), [0.3, 0.3, 0.2, 0.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PiecewiseConstantDecay {
    boundaries: Vec<u64>,
    values: Vec<f64>,
}

impl PiecewiseConstantDecay {
    /// Boundaries that increase, and one value more.
    ///
    /// ```
    /// use cinta::{LearningRate, PiecewiseConstantDecay};
    /// let rate = LearningRate::from(PiecewiseConstantDecay::new([1000, 2000], [0.1, 0.05, 0.01]));
    /// assert_eq!([1000, 1001, 2001].map(|step| rate.at(step)), [0.1, 0.05, 0.01]);
    /// ```
    pub fn new(boundaries: impl Into<Vec<u64>>, values: impl Into<Vec<f64>>) -> Self {
        PiecewiseConstantDecay { boundaries: boundaries.into(), values: values.into() }
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        let mut list = |name: &str| match options.value(name) {
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(format!("the option {name} = {other} is not a list")),
            None => Err(format!("the option {name} is missing")),
        };
        let (boundaries, values) = (list("boundaries")?, list("values")?);
        let no_step = |value| format!("the boundary {value} is not a whole number");
        let no_rate = |value| format!("the value {value} is not a number");
        Ok(PiecewiseConstantDecay {
            boundaries: boundaries
                .iter()
                .map(|value| whole(value).ok_or_else(|| no_step(value)))
                .collect::<Result<_, _>>()?,
            values: values
                .iter()
                .map(|value| value.as_f64().ok_or_else(|| no_rate(value)))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Schedule for PiecewiseConstantDecay {
    fn class_name(&self) -> &'static str {
        "PiecewiseConstantDecay"
    }

    fn at(&self, step: f64) -> f64 {
        self.values[self.boundaries.partition_point(|&boundary| (boundary as f64) < step)]
    }

    fn check(&self) -> Result<(), Reason> {
        let [boundaries, values] = [self.boundaries.len(), self.values.len()];
        if boundaries == 0 || values != boundaries + 1 {
            return Err(format!(
                "there are {boundaries} boundaries and {values} values; at least one boundary and one value more \
                 are needed"
            ).into());
        }
        if !self.boundaries.is_sorted_by(|a, b| a < b) {
            return Err(format!("the boundaries {:?} do not increase", self.boundaries).into());
        }
        self.values.iter().try_for_each(|&value| not_negative("a value", value))
    }

    fn config(&self) -> Value {
        json!({ "boundaries": self.boundaries, "values": self.values, "name": "PiecewiseConstant" })
    }
}

impl From<PiecewiseConstantDecay> for LearningRate {
    fn from(schedule: PiecewiseConstantDecay) -> Self {
        LearningRate::PiecewiseConstantDecay(schedule)
    }
}
