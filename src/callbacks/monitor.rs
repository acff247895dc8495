//! Watching a value of the logs for a better one.

use crate::error::{Error, Result};
use crate::model::{FitParams, Model, Scores};
use crate::scalar::Scalar;
use crate::train::Direction;

/// Which value a callback watches, and what it takes for a better one.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    /// The callback's class, for messages.
    class: &'static str,
    pub name: String,
    /// As chosen; otherwise the direction is the metric's.
    pub mode: Option<Direction>,
    pub min_delta: f64,
    direction: Direction,
    validation: bool,
}

impl Monitor {
    pub fn new(class: &'static str, name: String) -> Self {
        let (mode, direction) = (None, Direction::Min);
        Monitor { class, name, mode, min_delta: 0.0, direction, validation: false }
    }

    /// Finds out what is better, before the first epoch.
    pub fn begin<T: Scalar>(&mut self, params: &FitParams, model: &Model<T>) -> Result<()> {
        let Monitor { class, name, min_delta, .. } = self;
        if min_delta.is_nan() {
            return Err(Error::Config(format!("{class}: min_delta is NaN; it is a number").into()));
        }
        let metric = name.strip_prefix("val_").unwrap_or(name);
        let known = model.directions();
        let of_metric = || known.iter().find(|(known, _)| known == metric).map(|found| found.1);
        self.direction = self.mode.or_else(of_metric).ok_or_else(|| {
            let known: Vec<String> = known.into_iter().map(|(known, _)| known).collect();
            Error::Config(format!(
                "{class} watches {name:?}, of which it is not known whether small or large values are good, as it \
                 is of {}; choose with mode(Direction::Min) or mode(Direction::Max)",
                known.join(", ")
            ).into())
        })?;
        self.validation = params.validation;
        Ok(())
    }

    /// The value of an epoch; `None` if it is one of validation, which this epoch did not have.
    pub fn of_epoch(&self, logs: &Scores) -> Result<Option<f64>> {
        let of_validation = |name: &str| name.starts_with("val_");
        let validated = logs.iter().any(|(name, _)| of_validation(name));
        if self.validation && !validated && of_validation(&self.name) {
            return Ok(None);
        }
        self.of_batch(logs).map(Some)
    }

    /// The value of a batch.
    pub fn of_batch(&self, logs: &Scores) -> Result<f64> {
        logs.get(&self.name).ok_or_else(|| {
            let Monitor { class, name, validation, .. } = self;
            let hint = if name.starts_with("val_") && !validation {
                "; for those of validation, give fit validation_data or validation_split"
            } else {
                ""
            };
            Error::Config(
                format!(
                    "{class} watches {name:?}, which is not among the logs: {}{hint}",
                    logs.names()
                )
                .into(),
            )
        })
    }

    /// Whether a value is better than another by more than `min_delta`. Any number is better than none; what is not a number never
    /// is, for nothing would beat it afterwards (Keras takes it). They are compared in the model's precision, as in Keras: 0.7 is
    /// not more than 0.1 away from 0.8.
    pub fn improves<T: Scalar>(&self, value: f64, reference: Option<f64>) -> bool {
        if value.is_nan() {
            return false;
        }
        let Some(reference) = reference.map(T::lit) else { return true };
        match self.direction {
            Direction::Min => T::lit(value + self.min_delta) < reference,
            Direction::Max => T::lit(value - self.min_delta) > reference,
        }
    }
}
