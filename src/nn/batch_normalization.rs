//! Batch normalisation.

use super::{Config, Context, Initializer, Layer, Mode, Options, Regularizer, Weight, as_config};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use serde_json::{Value, json};

/// Batch normalisation: `gamma (x - mean) / sqrt(variance + epsilon) + beta` for every channel (Ioffe and Szegedy,
/// 2015).
///
/// While training, mean and biased variance are those of the batch, and moving averages follow them:
/// `moving = momentum moving + (1 - momentum) batch`. In `predict` and `evaluate`, and where the layer is not
/// [`trainable`](Self::trainable), the moving averages take their place.
///
/// Its weights are `gamma`, `beta`, `moving_mean` and `moving_variance`, one value for each channel; training changes the
/// last two without a gradient. Keras's defaults: the last axis, a momentum of 0.99, an epsilon of 0.001.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([8, 8, 3]).add(BatchNormalization::new()).build(0)?;
/// assert_eq!(model.count_params(), 4 * 3);
/// assert!(model.summary().to_string().contains("Non-trainable params: 6"));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchNormalization {
    axis: isize,
    momentum: f64,
    epsilon: f64,
    center: bool,
    scale: bool,
    beta_initializer: Initializer,
    gamma_initializer: Initializer,
    moving_mean_initializer: Initializer,
    moving_variance_initializer: Initializer,
    beta_regularizer: Option<Regularizer>,
    gamma_regularizer: Option<Regularizer>,
    trainable: bool,
    name: Option<String>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        BatchNormalization {
            axis: -1,
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            moving_mean_initializer: Initializer::Zeros,
            moving_variance_initializer: Initializer::Ones,
            beta_regularizer: None,
            gamma_regularizer: None,
            trainable: true,
            name: None,
        }
    }
}

/// Setters of options: the field, its type, and an example of a value.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty, $example:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let layer = BatchNormalization::new().", stringify!($field), "(", $example, ");")]
            /// let model = Sequential::new([8, 3]).add(layer).build(0)?;
            /// assert_eq!(model.output_shape(), [8, 3]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn $field(mut self, $field: $type) -> Self {
                self.$field = $field.into();
                self
            }
        )*
    };
}

impl BatchNormalization {
    /// Normalises every channel of the last axis.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1]).add(BatchNormalization::new()).build(0)?;
    /// // The moving averages begin with a mean of 0 and a variance of 1.
    /// let y = model.predict(&Tensor::from([[2.0]]))?;
    /// assert!((y.item() - 2.0 / 1.001f32.sqrt()).abs() < 1e-6);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The axis of the channels. As in Keras, 0 would be that of the samples, and -1 is the last one.
        axis: isize, "1";
        /// How much of a moving average stays in each step of training.
        momentum: f64, "0.9";
        /// What is added to the variance, so that no division is by 0.
        epsilon: f64, "1e-5";
        /// Whether `beta` is added.
        center: bool, "false";
        /// Whether `gamma` multiplies.
        scale: bool, "false";
        /// How `beta` is drawn.
        beta_initializer: Initializer, "Initializer::Ones";
        /// How `gamma` is drawn.
        gamma_initializer: Initializer, "Initializer::Zeros";
        /// How the moving mean begins.
        moving_mean_initializer: Initializer, "Initializer::Ones";
        /// How the moving variance begins.
        moving_variance_initializer: Initializer, "Initializer::Ones";
        /// The penalty on `beta`.
        beta_regularizer: Regularizer, "L2(0.01)";
        /// The penalty on `gamma`.
        gamma_regularizer: Regularizer, "L1(0.01)";
        /// Whether training changes the weights. If not, the moving averages stay, and are used in training as well.
        trainable: bool, "false";
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(BatchNormalization::new().name("norm")).build(0)?;
    /// assert_eq!(model.get_layer("norm")?.class_name(), "BatchNormalization");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        options.only("synchronized", &json!(false))?;
        options.only("renorm", &json!(false))?;
        // Of no consequence without renorm, or for what is computed.
        options.ignore(&["renorm_clipping", "renorm_momentum", "fused"]);
        let layer = BatchNormalization {
            axis: axis(options.value("axis"))?,
            momentum: options.number_or("momentum", 0.99)?,
            epsilon: options.number_or("epsilon", 1e-3)?,
            center: options.flag("center", true)?,
            scale: options.flag("scale", true)?,
            beta_initializer: options.initializer("beta_initializer", Initializer::Zeros)?,
            gamma_initializer: options.initializer("gamma_initializer", Initializer::Ones)?,
            moving_mean_initializer: options
                .initializer("moving_mean_initializer", Initializer::Zeros)?,
            moving_variance_initializer: options
                .initializer("moving_variance_initializer", Initializer::Ones)?,
            beta_regularizer: options.regularizer("beta_regularizer")?,
            gamma_regularizer: options.regularizer("gamma_regularizer")?,
            trainable: options.flag("trainable", true)?,
            name: None,
        };
        options.finish()?;
        Ok(layer)
    }

    /// The axis in a batch whose samples have `rank` axes.
    fn axis_in_batch(&self, rank: usize) -> Option<usize> {
        let axis = if self.axis < 0 { self.axis + 1 + rank as isize } else { self.axis };
        usize::try_from(axis).ok().filter(|axis| (1..=rank).contains(axis))
    }

    /// The normalised input, by the moving averages.
    fn infer<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        axis: usize,
        [gamma, beta]: [Option<&Var<'t, T>>; 2],
        [mean, variance]: [&Var<'t, T>; 2],
    ) -> Var<'t, T> {
        let inverse = variance.value().map(|v| (v + T::lit(self.epsilon)).sqrt().recip());
        let inverse = Var::constant(inverse);
        let scale = gamma.map_or_else(|| inverse.clone(), |gamma| gamma * &inverse);
        let shift = mean * &scale * -T::one();
        let shift = beta.map_or_else(|| shift.clone(), |beta| beta + &shift);
        // [c, 1, 1] where two axes come after the channels
        let mut beside = vec![1; x.shape().rank() - axis];
        beside[0] = x.shape()[axis];
        x * scale.reshape(&beside[..]) + shift.reshape(&beside[..])
    }
}

/// A number, or as TensorFlow wrote it, a list of one.
fn axis(value: Option<&Value>) -> Result<isize, String> {
    let Some(value) = value else { return Ok(-1) };
    let number = match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => value,
    };
    let axis = number.as_i64().and_then(|axis| isize::try_from(axis).ok());
    axis.ok_or_else(|| format!("the option axis = {value} is not a whole number"))
}

impl<T: Scalar> Layer<T> for BatchNormalization {
    fn class_name(&self) -> &str {
        "BatchNormalization"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({
            "trainable": self.trainable,
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": self.beta_initializer.config(),
            "gamma_initializer": self.gamma_initializer.config(),
            "moving_mean_initializer": self.moving_mean_initializer.config(),
            "moving_variance_initializer": self.moving_variance_initializer.config(),
            "beta_regularizer": self.beta_regularizer.map(Regularizer::config),
            "gamma_regularizer": self.gamma_regularizer.map(Regularizer::config),
            "beta_constraint": null,
            "gamma_constraint": null,
            "synchronized": false,
        }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let rank = input.rank();
        if self.axis_in_batch(rank).is_none() {
            return Err(format!(
                "the axis {} is none of a sample of shape {input}; use 1 to {rank}, or -1 for the last",
                self.axis
            ));
        }
        let positive = |x: f64| x.is_finite() && x >= 0.0;
        if !positive(self.epsilon) || !self.momentum.is_finite() {
            return Err(format!(
                "momentum = {} and epsilon = {} must be finite, and epsilon at least 0",
                self.momentum, self.epsilon
            ));
        }
        let both = [self.gamma_regularizer, self.beta_regularizer];
        both.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let axis = self.axis_in_batch(input.rank()).expect("output_shape has checked it");
        let channels = [input[axis - 1]];
        let gamma = Weight::new("gamma", channels, self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .trainable(self.trainable);
        let beta = Weight::new("beta", channels, self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .trainable(self.trainable);
        let mean = Weight::new("moving_mean", channels, self.moving_mean_initializer);
        let variance = Weight::new("moving_variance", channels, self.moving_variance_initializer);
        let averages = [mean, variance].map(|weight| Some(weight.trainable(false)));
        let trained = [self.scale.then_some(gamma), self.center.then_some(beta)];
        trained.into_iter().chain(averages).flatten().collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        let axis = self.axis_in_batch(x.shape().rank() - 1).expect("output_shape has checked it");
        let trained = usize::from(self.scale) + usize::from(self.center);
        let gamma = self.scale.then(|| &weights[0]);
        let beta = self.center.then(|| &weights[trained - 1]);
        let averages = [&weights[trained], &weights[trained + 1]];
        if !self.trainable || cx.mode() == Mode::Infer {
            return self.infer(x, axis, [gamma, beta], averages);
        }
        let channels = [x.shape()[axis]];
        let [one, zero] = [Tensor::ones(channels), Tensor::zeros(channels)].map(Var::constant);
        let (gamma, beta) = (gamma.unwrap_or(&one), beta.unwrap_or(&zero));
        let (y, mean, variance) = x.batch_norm(gamma, beta, axis, self.epsilon);
        let [keep, take] = [self.momentum, 1.0 - self.momentum].map(T::lit);
        for (i, new) in [mean, variance].into_iter().enumerate() {
            let moved = averages[i].value().zip_with(&new, |old, new| old * keep + new * take);
            cx.set_weight(trained + i, moved);
        }
        y
    }

    fn couples_samples_in_training(&self) -> bool {
        self.trainable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::tensor::Stream;

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 2, 4, 5], -1.0, 1.0, &mut Stream::new(3));
        let train = Mode::Train { seed: 0, step: 0, layer: 0, first_sample: 0 };
        for (axis, channels) in [(-1, 5), (1, 2), (2, 4)] {
            let layer = BatchNormalization::new().axis(axis);
            let [gamma, beta, mean, variance] = [1, 2, 3, 4]
                .map(|seed| Tensor::<f64>::uniform([channels], 0.5, 2.0, &mut Stream::new(seed)));
            for mode in [train, Mode::Infer] {
                gradcheck(
                    |[x, g, b]| {
                        let [mean, variance] = [&mean, &variance].map(|w| Var::constant(w.clone()));
                        let weights = [g.clone(), b.clone(), mean, variance];
                        layer.forward(&weights, x, &mut Context::new(mode)).square()
                    },
                    [x.clone(), gamma.clone(), beta.clone()],
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn axes_of_files() {
        assert_eq!(axis(Some(&json!([3]))), Ok(3));
        assert_eq!(axis(Some(&json!(-1))), Ok(-1));
        assert_eq!(axis(None), Ok(-1));
        assert!(axis(Some(&json!([1, 2]))).is_err());
        let error = Layer::<f32>::output_shape(&BatchNormalization::new().axis(0), [4, 3].into());
        assert!(error.unwrap_err().contains("use 1 to 2"));
    }
}
