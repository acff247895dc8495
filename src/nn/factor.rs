//! How far something random goes.

use super::{Context, Mode};
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// From where to where random numbers go: `0.2` is from -0.2 to 0.2, and `[0.1, 0.3]` what it says.
///
/// ```
/// use cinta::Factor;
/// assert_eq!(Factor::from(0.2), Factor::from([0.2, -0.2]));
/// assert_ne!(Factor::from(0.2), Factor::from([0.0, 0.2]));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Factor([f64; 2]);

impl From<f64> for Factor {
    fn from(factor: f64) -> Self {
        Factor([0.0 - factor.abs(), factor.abs()])
    }
}

impl From<[f64; 2]> for Factor {
    fn from([a, b]: [f64; 2]) -> Self {
        Factor([a.min(b), a.max(b)])
    }
}

impl Factor {
    /// The ends, the smaller one first.
    pub(super) fn ends(self) -> [f64; 2] {
        self.0
    }

    /// The value at a place from 0, the smaller end, to 1.
    pub(super) fn at(self, place: f64) -> f64 {
        self.0[0] + place * (self.0[1] - self.0[0])
    }

    /// Whether both ends lie between these.
    pub(super) fn check(self, name: &str, low: f64, high: f64) -> Result<(), Reason> {
        if self.0.iter().all(|end| (low..=high).contains(end)) {
            return Ok(());
        }
        Err(format!("{name} = {:?} is not between {low} and {high}", self.0).into())
    }
}

impl OptionValue for Factor {
    fn read(value: &Value) -> Result<Self, Reason> {
        if value.is_array() {
            <[f64; 2]>::read(value).map(Factor::from)
        } else {
            f64::read(value).map(Factor::from)
        }
    }

    fn write(&self) -> Value {
        json!(self.0)
    }
}

/// From where to where random numbers go that are not below 0: `0.2` is from 0 to 0.2, and `[0.1, 0.3]` what it says.
///
/// ```
/// use cinta::UnitFactor;
/// assert_eq!(UnitFactor::from(0.2), UnitFactor::from([0.2, 0.0]));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UnitFactor(Factor);

impl From<f64> for UnitFactor {
    fn from(factor: f64) -> Self {
        UnitFactor::from([0.0, factor])
    }
}

impl From<[f64; 2]> for UnitFactor {
    fn from(ends: [f64; 2]) -> Self {
        UnitFactor(Factor::from(ends))
    }
}

impl UnitFactor {
    /// The ends, the smaller one first.
    pub(super) fn ends(self) -> [f64; 2] {
        self.0.ends()
    }

    /// The value at a place from 0, the smaller end, to 1.
    pub(super) fn at(self, place: f64) -> f64 {
        self.0.at(place)
    }

    /// Whether both ends lie between 0 and 1.
    pub(super) fn check(self, name: &str) -> Result<(), Reason> {
        self.0.check(name, 0.0, 1.0)
    }
}

impl OptionValue for UnitFactor {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.is_array() {
            true => <[f64; 2]>::read(value).map(UnitFactor::from),
            false => f64::read(value).map(UnitFactor::from),
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

impl OptionValue for [f64; 2] {
    fn read(value: &Value) -> Result<Self, Reason> {
        let numbers = Vec::<f64>::read(value).ok().and_then(|numbers| numbers.try_into().ok());
        numbers.ok_or_else(|| not(value, "two finite numbers"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// While training: so many random numbers from 0 to 1 for each of the samples.
pub(super) fn draws<T: Scalar, const N: usize>(
    cx: &Context<T>,
    samples: usize,
) -> Option<Vec<[f64; N]>> {
    let Mode::Train { first_sample, .. } = cx.mode() else { return None };
    let stream = cx.stream()?;
    let draw = |i: usize| {
        let mut stream = stream.fork(first_sample.wrapping_add(i) as u64);
        let numbers = Tensor::<f64>::uniform([N], 0.0, 1.0, &mut stream);
        std::array::from_fn(|k| numbers.at([k]))
    };
    Some((0..samples).map(draw).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_of_files() {
        assert_eq!(Factor::read(&json!(0.3)), Ok(Factor([-0.3, 0.3])));
        assert_eq!(Factor::read(&json!([0.5, -0.1])), Ok(Factor([-0.1, 0.5])));
        assert_eq!(UnitFactor::read(&json!(0.3)), Ok(UnitFactor(Factor([0.0, 0.3]))));
        assert_eq!(UnitFactor::read(&json!([0.5, 0.1])), Ok(UnitFactor(Factor([0.1, 0.5]))));
        assert!(UnitFactor::from([-0.5, 1.0]).check("factor").is_err());
        assert!(Factor::read(&json!([0.5])).is_err() && Factor::read(&json!("0.5")).is_err());
        assert!(
            Factor::from(1.5)
                .check("factor", -1.0, 1.0)
                .unwrap_err()
                .as_str()
                .contains("[-1.5, 1.5]")
        );
        assert_eq!(
            (Factor::from([1.0, 3.0]).at(0.0), Factor::from([1.0, 3.0]).at(0.5)),
            (1.0, 2.0)
        );
    }
}
