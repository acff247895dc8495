//! Optimizers: how gradients move the weights.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod ftrl;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod pace;
mod rmsprop;
mod rule;
mod schedule_free_adam_w;
mod sgd;

pub use pace::Pace;
pub(crate) use pace::decay;

use crate::config::{Config, Value, keras_object, object, snake_case};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

/// The step that an optimizer is asked to take.
///
/// ```
/// use cinta::{Adam, Optimizer, Step};
/// let first = Step { number: 1, learning_rate: 0.125 };
/// let mut weight = [1.0_f64];
/// Adam::default().update(first, &mut weight, &[3.0], &mut [&mut [0.0], &mut [0.0]]);
/// assert!((weight[0] - 0.875).abs() < 1e-6); // the first step of Adam is as long as the rate
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number, counted from 1.
    pub number: u64,
    /// The learning rate: what the schedule says, or what training has set.
    pub learning_rate: f64,
}

/// The weight that an optimizer is asked about.
///
/// ```
/// use cinta::{Optimizer, Whole, prelude::*};
/// let kernel = Whole { path: "dense/kernel", shape: [3, 2].into() };
/// // Of a matrix, Adafactor keeps means of rows and of columns.
/// let adafactor = Adafactor::default();
/// assert_eq!(Optimizer::<f32>::slot_shape(&adafactor, "r", kernel), Some([3].into()));
/// assert_eq!(Optimizer::<f32>::slot_shape(&adafactor, "c", kernel), Some([2].into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole<'a> {
    /// Its layer and its name, as `dense/kernel`.
    pub path: &'a str,
    /// Its shape.
    pub shape: Shape,
}

/// A rule that moves weights along gradients. It owns no state: what it remembers from step to step,
/// its slots, has the shape of the weight, and is kept and saved by the model. So is the learning rate, once
/// training has changed it.
///
/// ```
/// use cinta::{Config, Optimizer, Pace, Step};
///
/// /// Moves every weight by the same distance, the learning rate.
/// struct Sign(Pace);
///
/// impl Optimizer<f32> for Sign {
///     fn class_name(&self) -> &str {
///         "Sign"
///     }
///     fn pace(&self) -> &Pace {
///         &self.0
///     }
///     fn update(&self, step: Step, weight: &mut [f32], gradient: &[f32], _slots: &mut [&mut [f32]]) {
///         for (w, g) in weight.iter_mut().zip(gradient) {
///             *w -= step.learning_rate as f32 * g.signum();
///         }
///     }
/// }
/// let optimizer = Sign(Pace::new(0.25).clipvalue(1.0));
/// let mut weight = [1.0, 1.0];
/// optimizer.update(Step { number: 1, learning_rate: 0.25 }, &mut weight, &[0.5, -7.0], &mut []);
/// assert_eq!(weight, [0.75, 1.25]);
/// ```
pub trait Optimizer<T: Scalar>: Send + Sync {
    /// The class by Keras's name.
    fn class_name(&self) -> &str;

    /// The learning rate, and how gradients are clipped and weights decay. The model applies them.
    fn pace(&self) -> &Pace;

    /// The rule's own hyperparameters, for files. The options that all optimizers have are written before them.
    fn config(&self) -> Config {
        Config::new()
    }

    /// The names of the numbers that are kept for each element of a weight, in the order of Keras's variables.
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    /// How many slots, from the first on, Keras keeps weight by weight. Its variables (after the step's number and,
    /// unless there is a schedule, the learning rate) are: for each weight, these slots; then, for each of the other
    /// slots, all weights.
    ///
    /// So Adam with `amsgrad` (2 together) has, for the weights `a` and `b`: momentum of `a`, velocity of `a`, momentum
    /// of `b`, velocity of `b`, and then the `velocity_hat` of `a` and of `b`. `RMSprop` has all velocities, all momentums
    /// and all average gradients, one after the other.
    fn slots_together(&self) -> usize {
        1
    }

    /// What every number of a slot is before the first step.
    fn initial_slot(&self, slot: &str) -> f64 {
        let _ = slot;
        0.0
    }

    /// Whether a slot is a copy of the weight before the first step.
    fn begins_as_weight(&self, slot: &str) -> bool {
        let _ = slot;
        false
    }

    /// The shape of a slot of this weight: as a rule, that of the weight. It has no more numbers than the weight. Of a weight that does without the slot it is `None`, and
    /// [`update`](Self::update) gets an empty one.
    fn slot_shape(&self, slot: &str, of: Whole<'_>) -> Option<Shape> {
        let _ = slot;
        Some(of.shape)
    }

    /// By which part of itself, times the learning rate, this weight decays in each step.
    fn weight_decay(&self, of: Whole<'_>) -> Option<f64> {
        let _ = of;
        self.pace().decay_rate()
    }

    /// Numbers that Keras keeps behind the slots, once for all weights, as they are after so many steps: `Nadam` has its product
    /// of momentums. They follow from the number of steps, so nothing has to remember them. They are written for Keras, and
    /// passed over when its files are read.
    fn numbers_after(&self, steps: u64) -> Vec<f64> {
        let _ = steps;
        Vec::new()
    }

    /// Moves a weight along its gradient, which is clipped already.
    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]);

    /// As [`update`](Self::update), which it calls as a rule, for a rule that needs to know which weight it moves, or what its rows and columns are: the numbers are in
    /// row-major order. It is asked unless the weight comes part by part.
    fn update_whole(
        &self,
        step: Step,
        of: Whole<'_>,
        weight: &mut [T],
        gradient: &[T],
        slots: &mut [&mut [T]],
    ) {
        let _ = of;
        self.update(step, weight, gradient, slots);
    }

    /// Whether each number moves by its own gradient and slots alone. A weight may then be given to [`update`](Self::update) part by
    /// part, each of which stays in the cache until its step is done.
    fn by_parts(&self) -> bool {
        false
    }

    /// Checks the rule's own hyperparameters.
    ///
    /// # Errors
    /// A sentence that says which one makes no sense.
    fn check(&self) -> Result<(), Reason> {
        Ok(())
    }
}

/// Checks all hyperparameters and the names of the slots.
pub(super) fn check<T: Scalar>(optimizer: &dyn Optimizer<T>) -> Result<(), Reason> {
    let slots = optimizer.slots();
    let named = |(i, slot): (usize, &&str)| {
        !slot.is_empty() && !slot.contains('/') && !slots[..i].contains(slot)
    };
    let checked = if slots.iter().enumerate().all(named) {
        optimizer.pace().check().and_then(|()| optimizer.check())
    } else {
        Err(format!("the slots {slots:?} need names that are unique, not empty and without `/`")
            .into())
    };
    checked.map_err(|reason| format!("optimizer {}: {reason}", optimizer.class_name()).into())
}

/// The object that goes into files, with the learning rate that training has set, if it has.
pub(super) fn to_config<T: Scalar>(
    optimizer: &dyn Optimizer<T>,
    learning_rate: Option<f64>,
) -> Value {
    let class_name = optimizer.class_name();
    let mut config = optimizer.pace().config(&snake_case(class_name));
    config.extend(optimizer.config());
    if let Some(rate) = learning_rate {
        config.insert("learning_rate", rate);
    }
    keras_object("keras.optimizers", class_name, Value::Object(config))
}

/// An optimizer as a compilation holds it. Those of the crate are made here alone, so that all their methods are compiled in it.
#[inline(never)]
pub(super) fn shared<T: Scalar>(optimizer: impl Optimizer<T> + 'static) -> Arc<dyn Optimizer<T>> {
    Arc::new(optimizer)
}

/// The slots of a weight before the first step, given its path and its value. One that is not kept is empty.
pub(crate) fn initial_slots<T: Scalar>(
    optimizer: &dyn Optimizer<T>,
    path: &str,
    value: &Tensor<T>,
) -> Vec<Tensor<T>> {
    let of = Whole { path, shape: value.shape() };
    let initial = |slot: &&str| match optimizer.slot_shape(slot, of) {
        None => Tensor::zeros([0]),
        Some(_) if optimizer.begins_as_weight(slot) => value.row_major(),
        Some(shape) => Tensor::full(shape, T::lit(optimizer.initial_slot(slot))),
    };
    optimizer.slots().iter().map(initial).collect()
}

/// How far a weight moves: `a / b`, and not at all where the divisor `b` is 0. With an epsilon of 0 it is, where all gradients
/// so far were 0 or had squares too small for a number; 0 / 0 would make training diverge.
fn quotient<T: Scalar>(a: T, b: T) -> T {
    (a / b).kept_if(b != T::zero())
}

/// The table of optimizers, each with the file that it is in.
macro_rules! optimizers {
    ($($file:ident: $optimizer:ident)*) => {
        /// The optimizers, as Keras's `keras.optimizers`; all of them are in the prelude.
        pub mod all {
            $(pub use super::$file::$optimizer;)*
        }

        /// Makes one of them from its options: `None` for another class. As in Keras, capitals do not matter.
        fn make<T: Scalar>(
            class_name: &str,
            config: &Config,
        ) -> Option<Result<Arc<dyn Optimizer<T>>, Reason>> {
            $(if class_name.eq_ignore_ascii_case(all::$optimizer::CLASS) {
                return Some(all::$optimizer::from_config(config).map(shared));
            })*
            None
        }

        /// Every option of every optimizer is written as it is read.
        #[test]
        fn options_come_back() {
            $(for optimizer in all::$optimizer::examples() {
                tests::comes_back(&optimizer);
                let Value::Object(config) = to_config::<f32>(&optimizer, None)["config"].clone() else {
                    panic!("no options")
                };
                assert_eq!(all::$optimizer::from_config(&config), Ok(optimizer));
            })*
        }
    };
}

optimizers! {
    adadelta: Adadelta
    adafactor: Adafactor
    adagrad: Adagrad
    adam: Adam
    adam: AdamW
    adamax: Adamax
    ftrl: Ftrl
    lamb: Lamb
    lion: Lion
    muon: Muon
    nadam: Nadam
    rmsprop: RmsProp
    schedule_free_adam_w: ScheduleFreeAdamW
    sgd: Sgd
}

/// Makes an optimizer from what a file says.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Optimizer<T>>, Reason> {
    let (class_name, config) = object(value)?;
    let optimizer = make(class_name, &config).unwrap_or_else(|| {
        Err(format!("the optimizer {class_name} is not known; others can be added to a Registry")
            .into())
    })?;
    check(&*optimizer)?;
    Ok(optimizer)
}

#[cfg(test)]
mod tests {
    use super::all::Sgd;
    use super::*;
    use crate::config::json;

    /// The weight 1 after each step, without clipping and decay.
    pub(super) fn run(optimizer: &impl Optimizer<f64>, gradients: &[f64]) -> Vec<f64> {
        let mut weight = vec![1.0];
        let initial = |slot: &&str| vec![optimizer.initial_slot(slot)];
        let mut slots: Vec<Vec<f64>> = optimizer.slots().iter().map(initial).collect();
        let mut step = |(t, &g): (usize, &f64)| {
            let mut slots: Vec<&mut [f64]> = slots.iter_mut().map(Vec::as_mut_slice).collect();
            let learning_rate = optimizer.pace().learning_rate().at(t as u64);
            let step = Step { number: t as u64 + 1, learning_rate };
            optimizer.update(step, &mut weight, &[g], &mut slots);
            weight[0]
        };
        gradients.iter().enumerate().map(&mut step).collect()
    }

    /// The weight and the slots, all in `f32`, after a late step from these.
    pub(super) fn late_step<const N: usize>(
        optimizer: &impl Optimizer<f32>,
        weight: f32,
        gradient: f32,
        mut slots: [f32; N],
    ) -> (f32, [f32; N]) {
        let learning_rate = optimizer.pace().learning_rate().at(0);
        let (step, mut weight) = (Step { number: 1_000_000, learning_rate }, [weight]);
        let mut parts: Vec<&mut [f32]> = slots.chunks_mut(1).collect();
        optimizer.update(step, &mut weight, &[gradient], &mut parts);
        (weight[0], slots)
    }

    pub(super) fn assert_close(values: Vec<f64>, expected: &[f64]) {
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{values:?} instead of {expected:?}");
        }
    }

    /// Writes an optimizer and reads it again.
    pub(super) fn comes_back(optimizer: &impl Optimizer<f32>) {
        let written = to_config::<f32>(optimizer, None);
        let back = from_config::<f32>(&written).unwrap();
        assert_eq!(to_config::<f32>(&*back, None).to_string(), written.to_string());
        assert_eq!(back.pace(), optimizer.pace());
        // What it keeps depends on its options.
        assert_eq!(back.slots(), optimizer.slots());
    }

    #[test]
    fn a_rate_set_by_hand_is_written() {
        let written = to_config::<f32>(&Sgd::new(0.1), Some(0.05));
        assert_eq!(written["config"]["learning_rate"], 0.05);
        let back = from_config::<f32>(&written).unwrap();
        assert_eq!(back.pace(), &Pace::new(0.05));
    }

    #[test]
    fn what_a_file_may_not_say() {
        let read = |class_name: &str, config: Value| {
            let value = json!({ "class_name": class_name, "config": config });
            let Err(error) = from_config::<f32>(&value) else { panic!("{value} was read") };
            error
        };
        assert_eq!(
            read("SGD", json!({ "decay": 0.1 })),
            "the option decay = 0.1 is not supported; leave it out"
        );
        assert_eq!(
            read("Adam", json!({ "use_ema": true })),
            "the option use_ema = true is not supported; only false is supported"
        );
        assert_eq!(
            read("Adam", json!({ "gradient_accumulation_steps": 2 })),
            "the option gradient_accumulation_steps = 2 is not supported; leave it out"
        );
        assert_eq!(
            read("SGD", json!({ "clipnorm": 1.0, "global_clipnorm": 1.0 })),
            "optimizer SGD: gradients are clipped in one way, and these are set: clipnorm = 1, global_clipnorm = 1"
        );
        assert_eq!(
            read("no_such_thing", json!({})),
            "the optimizer no_such_thing is not known; others can be added to a Registry"
        );
        assert!(from_config::<f32>(&json!("sgd")).is_ok());
    }
}
