//! What all optimizers have: a learning rate, clipped gradients and decaying weights.

use crate::config::{Config, Options, as_config, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{map_in_place, pointwise, sum_of_squares};
use crate::train::LearningRate;
use crate::train::checks::{above_0, not_negative};

/// How far the weights may move: the options that every optimizer has beside its rule. The model applies them, in
/// Keras's order: it clips the gradients (penalties included), lets the weights decay, and then asks the optimizer.
///
/// Each of the crate's optimizers has these options itself; an optimizer of your own holds a `Pace`:
///
/// ```
/// use cinta::Pace;
/// use cinta::prelude::*;
/// let sgd = Sgd::new(0.1).clipnorm(1.0).weight_decay(0.004);
/// let pace = Pace::new(0.1).clipnorm(1.0).weight_decay(0.004);
/// assert_eq!(cinta::Optimizer::<f32>::pace(&sgd), &pace);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    learning_rate: LearningRate,
    weight_decay: Option<f64>,
    clipnorm: Option<f64>,
    global_clipnorm: Option<f64>,
    clipvalue: Option<f64>,
}

impl Pace {
    /// A learning rate alone: a number or a schedule.
    ///
    /// ```
    /// use cinta::{CosineDecay, LearningRate, Pace};
    /// assert_eq!(Pace::new(0.1).learning_rate(), &LearningRate::Constant(0.1));
    /// let _ = Pace::new(CosineDecay::new(0.1, 1000));
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        let learning_rate = learning_rate.into();
        Pace {
            learning_rate,
            weight_decay: None,
            clipnorm: None,
            global_clipnorm: None,
            clipvalue: None,
        }
    }

    /// The learning rate that the optimizer was made with.
    ///
    /// ```
    /// assert_eq!(cinta::Pace::new(0.1).learning_rate().at(0), 0.1);
    /// ```
    pub fn learning_rate(&self) -> &LearningRate {
        &self.learning_rate
    }

    /// Scales the gradient of each weight tensor so that its Euclidean norm is at most this.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let step = |sgd: Sgd| {
    /// #     let mut model = Sequential::new([2]).add(Dense::new(1)).build(0)?;
    /// #     model.set_weights(&[Tensor::from([[1.0], [1.0]]), Tensor::zeros([1])])?;
    /// #     model.compile(Compile::new(sgd, MeanSquaredError));
    /// #     let data = Dataset::new(Tensor::from([[2.0, -2.0]]), Tensor::from([[-0.5]]))?;
    /// #     model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    /// #     Ok::<_, Error>(model.get_weights().iter().flat_map(|weight| weight.to_vec()).collect::<Vec<f32>>())
    /// # };
    /// // A step from a kernel [1, 1] and a bias [0], where the gradients are [2, -2] and [1].
    /// let weights = step(Sgd::new(1.0).clipnorm(2.0_f64.sqrt()))?;
    /// assert!(weights.iter().zip([0.0, 2.0, -1.0]).all(|(weight, expected)| (weight - expected).abs() < 1e-6));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn clipnorm(mut self, clipnorm: f64) -> Self {
        self.clipnorm = Some(clipnorm);
        self
    }

    /// Scales all gradients together so that their Euclidean norm, over all trainable weights, is at most this.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let step = |sgd: Sgd| {
    /// #     let mut model = Sequential::new([2]).add(Dense::new(1)).build(0)?;
    /// #     model.set_weights(&[Tensor::from([[1.0], [1.0]]), Tensor::zeros([1])])?;
    /// #     model.compile(Compile::new(sgd, MeanSquaredError));
    /// #     let data = Dataset::new(Tensor::from([[2.0, -2.0]]), Tensor::from([[-0.5]]))?;
    /// #     model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    /// #     Ok::<_, Error>(model.get_weights().iter().flat_map(|weight| weight.to_vec()).collect::<Vec<f32>>())
    /// # };
    /// // A step from a kernel [1, 1] and a bias [0], where the gradients are [2, -2] and [1].
    /// assert_eq!(step(Sgd::new(1.0).global_clipnorm(1.5))?, [0.0, 2.0, -0.5]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn global_clipnorm(mut self, global_clipnorm: f64) -> Self {
        self.global_clipnorm = Some(global_clipnorm);
        self
    }

    /// Clips every element of a gradient to `-clipvalue ..= clipvalue`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let step = |sgd: Sgd| {
    /// #     let mut model = Sequential::new([2]).add(Dense::new(1)).build(0)?;
    /// #     model.set_weights(&[Tensor::from([[1.0], [1.0]]), Tensor::zeros([1])])?;
    /// #     model.compile(Compile::new(sgd, MeanSquaredError));
    /// #     let data = Dataset::new(Tensor::from([[2.0, -2.0]]), Tensor::from([[-0.5]]))?;
    /// #     model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    /// #     Ok::<_, Error>(model.get_weights().iter().flat_map(|weight| weight.to_vec()).collect::<Vec<f32>>())
    /// # };
    /// // A step from a kernel [1, 1] and a bias [0], where the gradients are [2, -2] and [1].
    /// assert_eq!(step(Sgd::new(1.0).clipvalue(1.5))?, [-0.5, 2.5, -1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn clipvalue(mut self, clipvalue: f64) -> Self {
        self.clipvalue = Some(clipvalue);
        self
    }

    /// Takes `weight_decay lr w` from every weight `w` before each step, whatever its gradient: biases too.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let step = |sgd: Sgd| {
    /// #     let mut model = Sequential::new([2]).add(Dense::new(1)).build(0)?;
    /// #     model.set_weights(&[Tensor::from([[1.0], [1.0]]), Tensor::zeros([1])])?;
    /// #     model.compile(Compile::new(sgd, MeanSquaredError));
    /// #     let data = Dataset::new(Tensor::from([[2.0, -2.0]]), Tensor::from([[-0.5]]))?;
    /// #     model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    /// #     Ok::<_, Error>(model.get_weights().iter().flat_map(|weight| weight.to_vec()).collect::<Vec<f32>>())
    /// # };
    /// // A step from a kernel [1, 1] and a bias [0], where the gradients are [2, -2] and [1].
    /// assert_eq!(step(Sgd::new(1.0).weight_decay(0.25))?, [-1.25, 2.75, -1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = Some(weight_decay);
        self
    }

    /// Takes, from an optimizer's options in a file, those that all have. Averages of weights, scaled losses and
    /// accumulated gradients are refused.
    ///
    /// # Errors
    /// A sentence that names an option that makes no sense or is not supported.
    ///
    /// ```
    /// use cinta::{Config, Options, Pace};
    /// let config = Config::from([("learning_rate", 0.1), ("clipnorm", 1.0), ("distance", 2.0)]);
    /// let mut options = Options::new(&config);
    /// assert_eq!(Pace::from_options(&mut options, 0.001), Ok(Pace::new(0.1).clipnorm(1.0)));
    /// assert_eq!(options.number("distance"), Ok(2.0));
    /// assert!(options.finish().is_ok());
    /// ```
    pub fn from_options(
        options: &mut Options<'_>,
        default_learning_rate: f64,
    ) -> Result<Self, Reason> {
        // Of no consequence without use_ema.
        options.ignore(&["name", "ema_momentum", "ema_overwrite_frequency"]);
        options.only("use_ema", &json!(false))?;
        let learning_rate = match options.value("learning_rate") {
            Some(value) => LearningRate::from_config(value)
                .map_err(|error| format!("the option learning_rate: {error}"))?,
            None => default_learning_rate.into(),
        };
        Ok(Pace {
            learning_rate,
            weight_decay: options.number_if_given("weight_decay")?,
            clipnorm: options.number_if_given("clipnorm")?,
            global_clipnorm: options.number_if_given("global_clipnorm")?,
            clipvalue: options.number_if_given("clipvalue")?,
        })
    }

    /// The options of a file for an optimizer whose weights decay always, by default like this.
    pub(super) fn always_decaying(
        self,
        class_name: &str,
        config: &Config,
        default: f64,
    ) -> Result<Self, Reason> {
        match config.get("weight_decay") {
            None => Ok(self.weight_decay(default)),
            Some(decay) if decay.is_null() => Err(format!(
                "{class_name} needs a number as weight_decay, and it is null; Adam needs none"
            )
            .into()),
            Some(_) => Ok(self),
        }
    }

    /// These options as Keras writes them, under an optimizer's name.
    pub(super) fn config(&self, name: &str) -> Config {
        as_config(json!({
            "name": name, "learning_rate": self.learning_rate.config(),
            "weight_decay": self.weight_decay, "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm, "clipvalue": self.clipvalue,
            "use_ema": false, "ema_momentum": 0.99, "ema_overwrite_frequency": null,
            "loss_scale_factor": null, "gradient_accumulation_steps": null,
        }))
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        self.learning_rate.check()?;
        self.weight_decay.map_or(Ok(()), |decay| not_negative("weight_decay", decay))?;
        let clips = [
            ("clipnorm", self.clipnorm),
            ("global_clipnorm", self.global_clipnorm),
            ("clipvalue", self.clipvalue),
        ];
        let set: Vec<(&str, f64)> =
            clips.iter().filter_map(|&(name, limit)| Some((name, limit?))).collect();
        set.iter().try_for_each(|&(name, limit)| above_0(name, limit))?;
        if set.len() > 1 {
            let set: Vec<String> =
                set.iter().map(|(name, limit)| format!("{name} = {limit}")).collect();
            return Err(format!(
                "gradients are clipped in one way, and these are set: {}",
                set.join(", ")
            )
            .into());
        }
        Ok(())
    }

    /// Clips what looks at the gradients of all weights, which lie one behind the other.
    pub(crate) fn clip_all<T: Scalar>(&self, gradients: &mut [T]) {
        if let Some(limit) = self.global_clipnorm {
            shorten(gradients, limit);
        }
    }

    /// Clips what looks at the gradient of one weight.
    pub(crate) fn clip<T: Scalar>(&self, gradient: &mut [T]) {
        if let Some(limit) = self.clipnorm {
            shorten(gradient, limit);
        }
        if let Some(limit) = self.clipvalue.map(T::lit) {
            map_in_place(Clipped { limit }, gradient);
        }
    }

    /// By which part of itself, times the learning rate, a weight decays in each step.
    pub(super) fn decay_rate(&self) -> Option<f64> {
        self.weight_decay
    }
}

/// Lets a weight decay by so much, if it does.
pub(crate) fn decay<T: Scalar>(decay: Option<f64>, learning_rate: f64, weight: &mut [T]) {
    if let Some(decay) = decay {
        let lost = T::lit(decay * learning_rate);
        map_in_place(Decayed { lost }, weight);
    }
}

/// Scales a gradient so that its norm, summed in `f64`, is at most `limit`. What has no finite norm becomes not a number, so
/// that the step is seen to diverge.
fn shorten<T: Scalar>(gradient: &mut [T], limit: f64) {
    let norm = sum_of_squares(gradient).widen().sqrt();
    if norm > limit || norm.is_nan() {
        let scale = T::lit(if norm.is_finite() { limit / norm } else { f64::NAN });
        map_in_place(Scaled { scale }, gradient);
    }
}

// Comparisons rather than `min` and `max`, which would make a limit of what is not a number.
pointwise!(
    Clipped { limit } = |g| {
        let below = if g < -limit { -limit } else { g };
        if g > limit { limit } else { below }
    }
);
pointwise!(Decayed { lost } = |w| w - w * lost);
pointwise!(Scaled { scale } = |g| g * scale);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_clipped_by_norm_and_by_value() {
        let clip = |pace: Pace, mut gradient: Vec<f64>| {
            pace.clip_all(&mut gradient);
            pace.clip(&mut gradient);
            gradient
        };
        let gradient = vec![3.0, -4.0];
        assert_eq!(clip(Pace::new(0.1), gradient.clone()), [3.0, -4.0]);
        for limit in [5.0, 6.0] {
            assert_eq!(clip(Pace::new(0.1).clipnorm(limit), gradient.clone()), [3.0, -4.0]);
        }
        assert_eq!(clip(Pace::new(0.1).clipnorm(2.5), gradient.clone()), [1.5, -2.0]);
        assert_eq!(clip(Pace::new(0.1).global_clipnorm(2.5), gradient.clone()), [1.5, -2.0]);
        assert_eq!(clip(Pace::new(0.1).clipvalue(3.5), gradient), [3.0, -3.5]);
        assert_eq!(clip(Pace::new(0.1).clipnorm(1.0), vec![0.0, 0.0]), [0.0, 0.0]);
        // What is not finite stays visible.
        for pace in [Pace::new(0.1).clipnorm(1.0), Pace::new(0.1).global_clipnorm(1.0)] {
            assert!(clip(pace.clone(), vec![f64::INFINITY, 1.0])[1].is_nan());
            assert!(clip(pace, vec![1e200, 1.0])[1].is_nan());
        }
        assert!(clip(Pace::new(0.1).clipvalue(1.0), vec![f64::NAN])[0].is_nan());
    }

    #[test]
    fn a_weight_decays_by_the_rate() {
        let mut weight = [2.0, -4.0];
        decay(Pace::new(0.1).weight_decay(0.5).decay_rate(), 0.25, &mut weight);
        assert_eq!(weight, [1.75, -3.5]);
    }

    #[test]
    fn senseless_options_are_refused() {
        let refused = [
            (Pace::new(-1.0), "the learning rate is -1; it is finite and not negative"),
            (
                Pace::new(0.1).weight_decay(-1.0),
                "weight_decay is -1; it is finite and not negative",
            ),
            (Pace::new(0.1).clipnorm(0.0), "clipnorm is 0; it is finite and above 0"),
            (Pace::new(0.1).clipvalue(f64::NAN), "clipvalue is NaN; it is finite and above 0"),
            (
                Pace::new(0.1).clipnorm(1.0).clipvalue(0.5),
                "gradients are clipped in one way, and these are set: clipnorm = 1, clipvalue = 0.5",
            ),
        ];
        for (pace, message) in refused {
            assert_eq!(pace.check().unwrap_err(), message);
        }
    }
}
