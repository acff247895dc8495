//! Learning rates: a constant, or a schedule over the optimizer's steps.

mod cosine_decay;
mod decay;
mod exponential_decay;
mod inverse_time_decay;
mod piecewise_constant_decay;
mod polynomial_decay;

use super::checks::not_negative;
use crate::config::{Config, Options, Value, json, keras_object, object};
use crate::error::Reason;

pub use cosine_decay::CosineDecay;
pub use exponential_decay::ExponentialDecay;
pub use inverse_time_decay::InverseTimeDecay;
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

/// How far the optimizer moves: always the same, or by a schedule.
///
/// A schedule is evaluated at the number of steps that the optimizer has taken, so at 0 in the first. It is Keras's
/// schedule of that name, with its defaults, computed in `f64`. Every optimizer takes a number or a schedule:
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{ExponentialDecay, LearningRate};
/// let constant = Sgd::new(0.1);
/// let halved_every_100_steps = Sgd::new(ExponentialDecay::new(0.1, 100, 0.5).staircase(true));
/// assert_eq!(LearningRate::from(0.1).at(1000), 0.1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRate {
    /// The same rate in every step, which training may change: `Model::set_learning_rate`.
    Constant(f64),
    /// See [`ExponentialDecay`].
    ExponentialDecay(ExponentialDecay),
    /// See [`PiecewiseConstantDecay`].
    PiecewiseConstantDecay(PiecewiseConstantDecay),
    /// See [`CosineDecay`].
    CosineDecay(CosineDecay),
    /// See [`PolynomialDecay`].
    PolynomialDecay(PolynomialDecay),
    /// See [`InverseTimeDecay`].
    InverseTimeDecay(InverseTimeDecay),
}

/// What a schedule is for the rest of this file.
trait Schedule {
    fn class_name(&self) -> &'static str;
    fn at(&self, step: f64) -> f64;
    fn check(&self) -> Result<(), Reason>;
    fn config(&self) -> Value;
}

impl LearningRate {
    /// The rate after this many steps of the optimizer.
    ///
    /// # Panics
    /// When the rate or the schedule makes no sense: a number that is negative or not finite, steps of 0, boundaries without
    /// values. A model that is compiled with such a one returns it as an error.
    ///
    /// ```
    /// use cinta::{InverseTimeDecay, LearningRate};
    /// let rate = LearningRate::from(InverseTimeDecay::new(0.1, 10, 1.0));
    /// assert_eq!((rate.at(0), rate.at(10)), (0.1, 0.05));
    /// ```
    #[track_caller]
    pub fn at(&self, steps: u64) -> f64 {
        if let Err(reason) = self.check() {
            panic!("{reason}");
        }
        self.schedule().map_or_else(|constant| constant, |schedule| schedule.at(steps as f64))
    }

    /// The schedule, or else the constant.
    fn schedule(&self) -> Result<&dyn Schedule, f64> {
        Ok(match self {
            LearningRate::Constant(rate) => return Err(*rate),
            LearningRate::ExponentialDecay(schedule) => schedule,
            LearningRate::PiecewiseConstantDecay(schedule) => schedule,
            LearningRate::CosineDecay(schedule) => schedule,
            LearningRate::PolynomialDecay(schedule) => schedule,
            LearningRate::InverseTimeDecay(schedule) => schedule,
        })
    }

    /// The class of the schedule, if this is one.
    pub(super) fn schedule_name(&self) -> Option<&'static str> {
        self.schedule().ok().map(Schedule::class_name)
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        match self.schedule() {
            Err(rate) => not_negative("the learning rate", rate),
            Ok(schedule) => schedule
                .check()
                .map_err(|reason| format!("{}: {reason}", schedule.class_name()).into()),
        }
    }

    /// A number, or the object that Keras writes for a schedule.
    pub(super) fn config(&self) -> Value {
        match self.schedule() {
            Err(rate) => json!(rate),
            Ok(schedule) => {
                let name = schedule.class_name();
                keras_object("keras.optimizers.schedules", name, schedule.config())
            }
        }
    }

    pub(super) fn from_config(value: &Value) -> Result<Self, Reason> {
        if let Some(rate) = value.as_f64() {
            return Ok(LearningRate::Constant(rate));
        }
        let (class_name, config) = object(value)?;
        Self::schedule_from(class_name, &config)
            .map_err(|error| format!("{class_name}: {error}").into())
    }

    fn schedule_from(class_name: &str, config: &Config) -> Result<Self, Reason> {
        let mut options = Options::new(config);
        options.ignore(&["name"]);
        let schedule: LearningRate = match class_name {
            "ExponentialDecay" => ExponentialDecay::from_options(&mut options)?.into(),
            "PiecewiseConstantDecay" => PiecewiseConstantDecay::from_options(&mut options)?.into(),
            "CosineDecay" => CosineDecay::from_options(&mut options)?.into(),
            "PolynomialDecay" => PolynomialDecay::from_options(&mut options)?.into(),
            "InverseTimeDecay" => InverseTimeDecay::from_options(&mut options)?.into(),
            _ => return Err("this schedule of learning rates is not supported".into()),
        };
        options.finish()?;
        Ok(schedule)
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

fn check_decay(initial: f64, decay_steps: u64) -> Result<(), Reason> {
    not_negative("initial_learning_rate", initial)?;
    if decay_steps == 0 {
        return Err("decay_steps is 0; it is at least 1".into());
    }
    Ok(())
}

/// A number of steps, which Keras also takes as `100.0`.
fn steps(options: &mut Options<'_>, name: &str) -> Result<u64, Reason> {
    let value = options.value(name).ok_or_else(|| format!("the option {name} is missing"))?;
    whole(value).ok_or_else(|| format!("the option {name} = {value} is not a whole number").into())
}

fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|x| x.fract() == 0.0 && (0.0..2f64.powi(53)).contains(x))?;
    Some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [LearningRate; 8] {
        [
            0.25.into(),
            ExponentialDecay::new(0.1, 10, 0.5).staircase(true).into(),
            InverseTimeDecay::new(0.1, 10, 0.5).staircase(true).into(),
            PiecewiseConstantDecay::new([3, 7], [0.3, 0.2, 0.1]).into(),
            CosineDecay::new(0.1, 10).alpha(0.25).into(),
            CosineDecay::new(0.1, 10).warmup(0.5, 3).into(),
            PolynomialDecay::new(0.1, 10).into(),
            PolynomialDecay::new(0.1, 10).end_learning_rate(0.01).power(0.5).cycle(true).into(),
        ]
    }

    #[test]
    fn configs_come_back() {
        for rate in all() {
            assert_eq!(rate.check(), Ok(()));
            assert_eq!(LearningRate::from_config(&rate.config()), Ok(rate));
        }
        let whole = json!({
            "class_name": "InverseTimeDecay",
            "config": { "initial_learning_rate": 1, "decay_steps": 2.0, "decay_rate": 1, "name": "mine" },
        });
        let expected = InverseTimeDecay::new(1.0, 2, 1.0);
        assert_eq!(LearningRate::from_config(&whole), Ok(expected.into()));
    }

    #[test]
    fn senseless_schedules_are_refused() {
        let refused: [(LearningRate, &str); 20] = [
            (f64::NAN.into(), "the learning rate is NaN; it is finite and not negative"),
            (
                ExponentialDecay::new(-0.1, 10, 0.5).into(),
                "ExponentialDecay: initial_learning_rate is -0.1; it is finite and not negative",
            ),
            (
                ExponentialDecay::new(0.1, 0, 0.5).into(),
                "ExponentialDecay: decay_steps is 0; it is at least 1",
            ),
            (
                InverseTimeDecay::new(0.1, 1, -0.5).into(),
                "InverseTimeDecay: decay_rate is -0.5; it is finite and not negative",
            ),
            (
                PiecewiseConstantDecay::new([1], [0.1]).into(),
                "PiecewiseConstantDecay: there are 1 boundaries and 1 values; at least one boundary and one value \
                 more are needed",
            ),
            (
                PiecewiseConstantDecay::new([], [0.1]).into(),
                "PiecewiseConstantDecay: there are 0 boundaries and 1 values; at least one boundary and one value \
                 more are needed",
            ),
            (
                PiecewiseConstantDecay::new([2, 2], [0.1, 0.2, 0.3]).into(),
                "PiecewiseConstantDecay: the boundaries [2, 2] do not increase",
            ),
            (
                PiecewiseConstantDecay::new([2], [0.1, -0.2]).into(),
                "PiecewiseConstantDecay: a value is -0.2; it is finite and not negative",
            ),
            (
                CosineDecay::new(0.1, 1).warmup(-1.0, 2).into(),
                "CosineDecay: warmup_target is -1; it is finite and not negative",
            ),
            (
                PolynomialDecay::new(0.1, 1).power(-1.0).into(),
                "PolynomialDecay: power is -1; it is finite and not negative",
            ),
            (
                PiecewiseConstantDecay::new([], []).into(),
                "PiecewiseConstantDecay: there are 0 boundaries and 0 values; at least one boundary and one value \
                 more are needed",
            ),
            (
                PiecewiseConstantDecay::new([1], []).into(),
                "PiecewiseConstantDecay: there are 1 boundaries and 0 values; at least one boundary and one value \
                 more are needed",
            ),
            (
                PiecewiseConstantDecay::new([2], [0.1, f64::NAN]).into(),
                "PiecewiseConstantDecay: a value is NaN; it is finite and not negative",
            ),
            ((-0.5).into(), "the learning rate is -0.5; it is finite and not negative"),
            (
                InverseTimeDecay::new(f64::INFINITY, 1, 0.5).into(),
                "InverseTimeDecay: initial_learning_rate is inf; it is finite and not negative",
            ),
            (
                ExponentialDecay::new(0.1, 1, f64::NAN).into(),
                "ExponentialDecay: decay_rate is NaN; it is finite and not negative",
            ),
            (
                CosineDecay::new(f64::NAN, 1).into(),
                "CosineDecay: initial_learning_rate is NaN; it is finite and not negative",
            ),
            (
                CosineDecay::new(0.1, 1).alpha(f64::NAN).into(),
                "CosineDecay: alpha is NaN; it is finite and not negative",
            ),
            (CosineDecay::new(0.1, 0).into(), "CosineDecay: decay_steps is 0; it is at least 1"),
            (
                PolynomialDecay::new(0.1, 1).end_learning_rate(f64::NAN).into(),
                "PolynomialDecay: end_learning_rate is NaN; it is finite and not negative",
            ),
        ];
        for (rate, message) in refused {
            assert_eq!(rate.check().unwrap_err(), message);
            // Without a model, that is the panic.
            let panic = std::panic::catch_unwind(|| rate.at(3)).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(message));
        }
    }

    #[test]
    fn files_with_senseless_schedules_say_what_is_wrong() {
        let read = |class_name: &str, config: Value| {
            LearningRate::from_config(&json!({ "class_name": class_name, "config": config }))
                .unwrap_err()
        };
        let decay = json!({ "initial_learning_rate": 0.1, "decay_steps": 2.5, "decay_rate": 0.5 });
        assert_eq!(
            read("ExponentialDecay", decay),
            "ExponentialDecay: the option decay_steps = 2.5 is not a whole number"
        );
        assert_eq!(
            read("CosineDecay", json!({ "initial_learning_rate": 0.1 })),
            "CosineDecay: the option decay_steps is missing"
        );
        assert_eq!(
            read("PiecewiseConstantDecay", json!({ "boundaries": 3, "values": [1.0] })),
            "PiecewiseConstantDecay: the option boundaries = 3 is not a list"
        );
        assert_eq!(
            read("no_such_thing", json!({})),
            "no_such_thing: this schedule of learning rates is not supported"
        );
        let more = json!({ "initial_learning_rate": 0.1, "decay_steps": 2, "speed": 1 });
        assert_eq!(
            read("PolynomialDecay", more),
            "PolynomialDecay: the option speed = 1 is not supported; leave it out"
        );
    }
}
