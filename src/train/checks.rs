//! What numbers and shapes must be, and the sentences that say so.

use crate::error::Reason;
use crate::tensor::Shape;

/// Whether a hyperparameter is finite and not negative.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<(), Reason> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(format!("{name} is {value}; it is finite and not negative").into())
    }
}

/// Whether a hyperparameter is finite and above 0.
pub(super) fn above_0(name: &str, value: f64) -> Result<(), Reason> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(format!("{name} is {value}; it is finite and above 0").into())
    }
}

/// Whether a hyperparameter is a fraction, of which 1 may or may not be one.
pub(super) fn fraction(name: &str, value: f64, one_allowed: bool) -> Result<(), Reason> {
    if (0.0..1.0).contains(&value) || (one_allowed && value == 1.0) {
        Ok(())
    } else {
        let upper = if one_allowed { "1" } else { "below 1" };
        Err(format!("{name} is {value}; it lies between 0 and {upper}").into())
    }
}

/// Whether an option of a loss or a metric is between 0 and 1, both of them included.
pub(super) fn between_0_and_1(name: &str, value: f64) -> Result<(), Reason> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(format!("the {name} {value} is not between 0 and 1").into())
    }
}

/// That the target of a sample and the output of the model for it have shapes which do not belong together.
pub(super) fn shapes_differ(sample: Shape, output: Shape) -> String {
    format!("one target has the shape {sample} and one output of the model {output}")
}
