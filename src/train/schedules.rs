//! Learning rates: a constant, or a schedule over the optimizer's steps.

use super::checks::not_negative;
use crate::nn::{Config, Options, keras_object, object};
use serde_json::{Value, json};
use std::f64::consts::PI;

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
    fn check(&self) -> Result<(), String>;
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

    pub(super) fn check(&self) -> Result<(), String> {
        match self.schedule() {
            Err(rate) => not_negative("the learning rate", rate),
            Ok(schedule) => {
                schedule.check().map_err(|reason| format!("{}: {reason}", schedule.class_name()))
            }
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

    pub(super) fn from_config(value: &Value) -> Result<Self, String> {
        if let Some(rate) = value.as_f64() {
            return Ok(LearningRate::Constant(rate));
        }
        let (class_name, config) = object(value)?;
        Self::schedule_from(class_name, &config).map_err(|error| format!("{class_name}: {error}"))
    }

    fn schedule_from(class_name: &str, config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        options.ignore(&["name"]);
        let schedule: LearningRate = match class_name {
            "ExponentialDecay" => ExponentialDecay(Decay::from_options(&mut options)?).into(),
            "PiecewiseConstantDecay" => PiecewiseConstantDecay::from_options(&mut options)?.into(),
            "CosineDecay" => CosineDecay::from_options(&mut options)?.into(),
            "PolynomialDecay" => PolynomialDecay::from_options(&mut options)?.into(),
            "InverseTimeDecay" => InverseTimeDecay(Decay::from_options(&mut options)?).into(),
            _ => return Err("this schedule of learning rates is not supported".to_owned()),
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

/// What decays by a rate in a number of steps.
#[derive(Clone, Debug, PartialEq)]
struct Decay {
    initial: f64,
    decay_steps: u64,
    decay_rate: f64,
    staircase: bool,
}

impl Decay {
    fn new(initial: f64, decay_steps: u64, decay_rate: f64) -> Self {
        Decay { initial, decay_steps, decay_rate, staircase: false }
    }

    /// How often `decay_steps` have passed.
    fn periods(&self, step: f64) -> f64 {
        let periods = step / self.decay_steps as f64;
        if self.staircase { periods.floor() } else { periods }
    }

    fn check(&self) -> Result<(), String> {
        check_decay(self.initial, self.decay_steps)?;
        not_negative("decay_rate", self.decay_rate)
    }

    fn config(&self, name: &str) -> Value {
        json!({
            "initial_learning_rate": self.initial, "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate, "staircase": self.staircase, "name": name,
        })
    }

    fn from_options(options: &mut Options<'_>) -> Result<Self, String> {
        Ok(Decay {
            initial: options.number("initial_learning_rate")?,
            decay_steps: steps(options, "decay_steps")?,
            decay_rate: options.number("decay_rate")?,
            staircase: options.flag("staircase", false)?,
        })
    }
}

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

    fn check(&self) -> Result<(), String> {
        self.0.check()
    }

    fn config(&self) -> Value {
        self.0.config(self.class_name())
    }
}

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

    fn check(&self) -> Result<(), String> {
        self.0.check()
    }

    fn config(&self) -> Value {
        self.0.config(self.class_name())
    }
}

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

    fn from_options(options: &mut Options<'_>) -> Result<Self, String> {
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

    fn check(&self) -> Result<(), String> {
        let [boundaries, values] = [self.boundaries.len(), self.values.len()];
        if boundaries == 0 || values != boundaries + 1 {
            return Err(format!(
                "there are {boundaries} boundaries and {values} values; at least one boundary and one value more \
                 are needed"
            ));
        }
        if !self.boundaries.is_sorted_by(|a, b| a < b) {
            return Err(format!("the boundaries {:?} do not increase", self.boundaries));
        }
        self.values.iter().try_for_each(|&value| not_negative("a value", value))
    }

    fn config(&self) -> Value {
        json!({ "boundaries": self.boundaries, "values": self.values, "name": "PiecewiseConstant" })
    }
}

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

    fn from_options(options: &mut Options<'_>) -> Result<Self, String> {
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

    fn check(&self) -> Result<(), String> {
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

    fn from_options(options: &mut Options<'_>) -> Result<Self, String> {
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

    fn check(&self) -> Result<(), String> {
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

impl From<ExponentialDecay> for LearningRate {
    fn from(schedule: ExponentialDecay) -> Self {
        LearningRate::ExponentialDecay(schedule)
    }
}

impl From<PiecewiseConstantDecay> for LearningRate {
    fn from(schedule: PiecewiseConstantDecay) -> Self {
        LearningRate::PiecewiseConstantDecay(schedule)
    }
}

impl From<CosineDecay> for LearningRate {
    fn from(schedule: CosineDecay) -> Self {
        LearningRate::CosineDecay(schedule)
    }
}

impl From<PolynomialDecay> for LearningRate {
    fn from(schedule: PolynomialDecay) -> Self {
        LearningRate::PolynomialDecay(schedule)
    }
}

impl From<InverseTimeDecay> for LearningRate {
    fn from(schedule: InverseTimeDecay) -> Self {
        LearningRate::InverseTimeDecay(schedule)
    }
}

fn check_decay(initial: f64, decay_steps: u64) -> Result<(), String> {
    not_negative("initial_learning_rate", initial)?;
    if decay_steps == 0 {
        return Err("decay_steps is 0; it is at least 1".to_owned());
    }
    Ok(())
}

/// A number of steps, which Keras also takes as `100.0`.
fn steps(options: &mut Options<'_>, name: &str) -> Result<u64, String> {
    let value = options.value(name).ok_or_else(|| format!("the option {name} is missing"))?;
    whole(value).ok_or_else(|| format!("the option {name} = {value} is not a whole number"))
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
