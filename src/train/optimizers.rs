//! Optimizers: how gradients move the weights.

use crate::nn::{Config, Options, keras_object, object};
use crate::scalar::Scalar;
use serde_json::{Value, json};
use std::sync::Arc;

/// A rule that moves weights along gradients. It owns no state: what it remembers from step to step,
/// its slots, has the shape of the weight, and is kept and saved by the model.
///
/// ```
/// use cinta::{Config, Optimizer};
///
/// /// Moves every weight by the same distance.
/// struct Sign(f32);
///
/// impl Optimizer<f32> for Sign {
///     fn class_name(&self) -> &str {
///         "Sign"
///     }
///     fn config(&self) -> Config {
///         Config::from_iter([("distance".to_owned(), self.0.into())])
///     }
///     fn update(&self, _step: u64, weight: &mut [f32], gradient: &[f32], _slots: &mut [&mut [f32]]) {
///         for (w, g) in weight.iter_mut().zip(gradient) {
///             *w -= self.0 * g.signum();
///         }
///     }
/// }
/// ```
pub trait Optimizer<T: Scalar>: Send + Sync {
    /// The class by Keras's name.
    fn class_name(&self) -> &str;

    /// The hyperparameters, for files.
    fn config(&self) -> Config;

    /// The names of the numbers that are kept for each element of a weight, zero at first.
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    /// Moves a weight, in the step with this number, counted from 1.
    fn update(&self, step: u64, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]);

    /// Checks the hyperparameters.
    ///
    /// # Errors
    /// A sentence that says which one makes no sense.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Stochastic gradient descent, with momentum in Keras's form, where the learning rate is part of the
/// velocity: `m = momentum m - lr g`, then `w += m`, or with Nesterov `w += momentum m - lr g`.
///
/// ```
/// use cinta::prelude::*;
/// let optimizer = Sgd::new(0.02).momentum(0.5).nesterov(true);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
}

impl Sgd {
    /// Plain gradient descent: `w -= lr g`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Sgd::new(0.01), Sgd::default());
    /// ```
    pub fn new(learning_rate: f64) -> Self {
        Sgd { learning_rate, momentum: 0.0, nesterov: false }
    }

    /// The part of the last step that is repeated, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Sgd::new(0.1).momentum(0.9), Sgd::new(0.1)); // whose momentum is 0
    /// ```
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Looks one step of momentum ahead (Nesterov, 1983).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let _ = Sgd::new(0.1).momentum(0.9).nesterov(true);
    /// ```
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }
}

/// Keras's default.
impl Default for Sgd {
    fn default() -> Self {
        Sgd::new(0.01)
    }
}

impl<T: Scalar> Optimizer<T> for Sgd {
    fn class_name(&self) -> &str {
        "SGD"
    }

    fn config(&self) -> Config {
        let own = json!({ "momentum": self.momentum, "nesterov": self.nesterov });
        config("sgd", self.learning_rate, own)
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum"] }
    }

    fn update(&self, _: u64, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let (lr, mu) = (T::lit(self.learning_rate), T::lit(self.momentum));
        let [velocity] = slots else {
            weight.iter_mut().zip(gradient).for_each(|(w, &g)| *w = (*w - lr * g).flushed());
            return;
        };
        for ((w, &g), m) in weight.iter_mut().zip(gradient).zip(velocity.iter_mut()) {
            *m = (mu * *m - lr * g).flushed();
            *w = (*w + if self.nesterov { mu * *m - lr * g } else { *m }).flushed();
        }
    }

    fn check(&self) -> Result<(), String> {
        rate(self.learning_rate)?;
        fraction("momentum", self.momentum, true)
    }
}

/// Adam (Kingma and Ba, 2014), in Keras's form: `m += (g - m)(1 - b1)`, `v += (g^2 - v)(1 - b2)`,
/// `w -= m a / (sqrt(v) + epsilon)` with `a = lr sqrt(1 - b2^t) / (1 - b1^t)` in step `t`.
///
/// ```
/// use cinta::prelude::*;
/// let optimizer = Adam::new(0.001).beta_1(0.9).beta_2(0.999).epsilon(1e-7);
/// assert_eq!(optimizer, Adam::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Adam {
    /// Adam with Keras's other defaults: `b1 = 0.9`, `b2 = 0.999`, `epsilon = 1e-7`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Adam::new(0.001), Adam::default());
    /// ```
    pub fn new(learning_rate: f64) -> Self {
        Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// How much of the mean gradient is kept from step to step.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Adam::new(0.001).beta_1(0.9), Adam::default());
    /// ```
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// How much of the mean squared gradient is kept from step to step.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Adam::new(0.001).beta_2(0.999), Adam::default());
    /// ```
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.beta_2 = beta_2;
        self
    }

    /// What keeps the divisor from 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Adam::new(0.001).epsilon(1e-7), Adam::default());
    /// ```
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

/// Keras's default.
impl Default for Adam {
    fn default() -> Self {
        Adam::new(0.001)
    }
}

impl<T: Scalar> Optimizer<T> for Adam {
    fn class_name(&self) -> &str {
        "Adam"
    }

    fn config(&self) -> Config {
        let own = json!({
            "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": false,
        });
        config("adam", self.learning_rate, own)
    }

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn update(&self, step: u64, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let [momentum, velocity] = slots else { panic!("Adam keeps two slots") };
        let t = step as f64;
        let alpha =
            self.learning_rate * (1.0 - self.beta_2.powf(t)).sqrt() / (1.0 - self.beta_1.powf(t));
        let (alpha, epsilon) = (T::lit(alpha), T::lit(self.epsilon));
        let (new_1, new_2) = (T::lit(1.0 - self.beta_1), T::lit(1.0 - self.beta_2));
        let kept = momentum.iter_mut().zip(velocity.iter_mut());
        for ((w, &g), (m, v)) in weight.iter_mut().zip(gradient).zip(kept) {
            *m = (*m + (g - *m) * new_1).flushed();
            *v = (*v + (g * g - *v) * new_2).flushed();
            *w = (*w - *m * alpha / (v.sqrt() + epsilon)).flushed();
        }
    }

    fn check(&self) -> Result<(), String> {
        rate(self.learning_rate)?;
        fraction("beta_1", self.beta_1, false)?;
        fraction("beta_2", self.beta_2, false)?;
        if self.epsilon.is_finite() && self.epsilon >= 0.0 {
            Ok(())
        } else {
            Err(format!("epsilon is {}; it is finite and not negative", self.epsilon))
        }
    }
}

fn rate(learning_rate: f64) -> Result<(), String> {
    if learning_rate.is_finite() && learning_rate >= 0.0 {
        Ok(())
    } else {
        Err(format!("the learning rate is {learning_rate}; it is finite and not negative"))
    }
}

fn fraction(name: &str, value: f64, one_allowed: bool) -> Result<(), String> {
    if (0.0..1.0).contains(&value) || (one_allowed && value == 1.0) {
        Ok(())
    } else {
        let upper = if one_allowed { "1" } else { "below 1" };
        Err(format!("{name} is {value}; it lies between 0 and {upper}"))
    }
}

/// The options that all of Keras's optimizers have, followed by an optimizer's own.
fn config(name: &str, learning_rate: f64, own: Value) -> Config {
    let mut config = json!({
        "name": name, "learning_rate": learning_rate, "weight_decay": null, "clipnorm": null,
        "global_clipnorm": null, "clipvalue": null, "use_ema": false, "ema_momentum": 0.99,
        "ema_overwrite_frequency": null, "loss_scale_factor": null,
        "gradient_accumulation_steps": null,
    });
    let config = config.as_object_mut().expect("an object");
    config.extend(own.as_object().expect("an object").clone());
    config.clone()
}

/// The object that goes into files.
pub(super) fn to_config<T: Scalar>(optimizer: &dyn Optimizer<T>) -> Value {
    keras_object("keras.optimizers", optimizer.class_name(), Value::Object(optimizer.config()))
}

/// Makes an optimizer from what a file says.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Optimizer<T>>, String> {
    let (class_name, config) = object(value)?;
    let mut options = Options::new(&config);
    options.ignore(&["name", "ema_momentum"]);
    options.only("use_ema", &json!(false))?;
    let optimizer: Arc<dyn Optimizer<T>> = match class_name {
        "SGD" | "sgd" => Arc::new(Sgd {
            learning_rate: options.number_or("learning_rate", 0.01)?,
            momentum: options.number_or("momentum", 0.0)?,
            nesterov: options.flag("nesterov", false)?,
        }),
        "Adam" | "adam" => {
            options.only("amsgrad", &json!(false))?;
            Arc::new(Adam {
                learning_rate: options.number_or("learning_rate", 0.001)?,
                beta_1: options.number_or("beta_1", 0.9)?,
                beta_2: options.number_or("beta_2", 0.999)?,
                epsilon: options.number_or("epsilon", 1e-7)?,
            })
        }
        other => {
            return Err(format!(
                "the optimizer {other} is not known; others can be added to a Registry"
            ));
        }
    };
    options.finish()?;
    optimizer.check()?;
    Ok(optimizer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(optimizer: &impl Optimizer<f64>, gradients: &[f64]) -> Vec<f64> {
        let mut weight = vec![1.0];
        let mut slots = vec![vec![0.0]; optimizer.slots().len()];
        let step = |(t, &g): (usize, &f64)| {
            let mut slots: Vec<&mut [f64]> = slots.iter_mut().map(Vec::as_mut_slice).collect();
            optimizer.update(t as u64 + 1, &mut weight, &[g], &mut slots);
            weight[0]
        };
        gradients.iter().enumerate().map(step).collect()
    }

    fn assert_close(values: Vec<f64>, expected: &[f64]) {
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{values:?} instead of {expected:?}");
        }
    }

    #[test]
    fn steps_computed_by_hand() {
        assert_close(run(&Sgd::new(0.1), &[1.0, 2.0]), &[0.9, 0.7]);
        // m = -0.1, then 0.5 (-0.1) - 0.2 = -0.25
        assert_close(run(&Sgd::new(0.1).momentum(0.5), &[1.0, 2.0]), &[0.9, 0.65]);
        // w += 0.5 (-0.1) - 0.1, then 0.5 (-0.25) - 0.2
        let nesterov = Sgd::new(0.1).momentum(0.5).nesterov(true);
        assert_close(run(&nesterov, &[1.0, 2.0]), &[0.85, 0.525]);
        // The first step of Adam moves by the learning rate, whatever the gradient.
        assert_close(run(&Adam::new(0.1).epsilon(0.0), &[3.0]), &[0.9]);
    }

    #[test]
    fn configs_come_back() {
        let sgd = Sgd::new(0.02).momentum(0.5).nesterov(true);
        let back = from_config::<f32>(&to_config::<f32>(&sgd)).unwrap();
        assert_eq!(back.config(), Optimizer::<f32>::config(&sgd));
        let adam = Adam::new(0.002).beta_1(0.8).beta_2(0.99).epsilon(1e-6);
        let back = from_config::<f32>(&to_config::<f32>(&adam)).unwrap();
        assert_eq!(back.config(), Optimizer::<f32>::config(&adam));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for sgd in [Sgd::new(f64::NAN), Sgd::new(-1.0), Sgd::new(0.1).momentum(1.5)] {
            assert!(Optimizer::<f32>::check(&sgd).is_err());
        }
        for adam in
            [Adam::new(0.1).beta_1(1.0), Adam::new(0.1).beta_2(-0.1), Adam::new(0.1).epsilon(-1.0)]
        {
            assert!(Optimizer::<f32>::check(&adam).is_err());
        }
        let clipped =
            json!({ "class_name": "SGD", "config": { "learning_rate": 0.1, "clipnorm": 1.0 } });
        let Err(error) = from_config::<f32>(&clipped) else { panic!("clipnorm was ignored") };
        assert_eq!(error, "the option clipnorm = 1.0 is not supported; leave it out");
    }
}
