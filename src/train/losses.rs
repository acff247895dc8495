//! Losses: a value for each sample, whose mean training minimises.

use crate::autograd::Var;
use crate::nn::{Config, Options, keras_object, object};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use serde_json::{Value, json};
use std::sync::Arc;

/// What training minimises: the mean over the batch of a value for each sample, to which the model
/// adds its layers' penalties.
///
/// ```
/// use cinta::{Loss, Shape, Tensor, Var};
///
/// /// The mean of absolute differences.
/// struct MeanAbsoluteError;
///
/// impl Loss<f32> for MeanAbsoluteError {
///     fn name(&self) -> &str {
///         "mean_absolute_error"
///     }
///     fn per_sample<'t>(&self, targets: &Tensor<f32>, predictions: &Var<'t, f32>) -> Var<'t, f32> {
///         let difference = predictions - &Var::constant(targets.clone());
///         (difference.square() + 1e-12).sqrt().mean(1)
///     }
/// }
/// ```
pub trait Loss<T: Scalar>: Send + Sync {
    /// Keras's name.
    fn name(&self) -> &str;

    /// The loss of every sample: `[n, ..]` gives `[n]`.
    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T>;

    /// The loss of every sample, from what went into a final softmax; `None` if this loss wants the
    /// probabilities.
    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        let _ = (targets, logits);
        None
    }

    /// Checks targets of a data set, `[n, ..]`, against a model whose outputs have this shape.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
        same_shape(targets, output)
    }

    /// The object that goes into files. By default the name alone.
    fn config(&self) -> Value {
        json!(self.name())
    }
}

fn same_shape<T: Scalar>(targets: &Tensor<T>, output: Shape) -> Result<(), String> {
    let sample = targets.shape().sample();
    if sample == output {
        return Ok(());
    }
    let hint = match (&*sample, &*output) {
        ([], [1]) => "; reshape the targets to [n, 1]".to_owned(),
        ([] | [1], [classes]) => format!(
            "; class numbers need SparseCategoricalCrossentropy, or one_hot(&labels, {classes})"
        ),
        _ => String::new(),
    };
    Err(format!("one target has the shape {sample} and one output of the model {output}{hint}"))
}

/// The crossentropy of one-hot (or any) target probabilities, as
/// [`Var::categorical_crossentropy`].
///
/// After a final softmax it is computed from what went into the softmax, fused and stable; with
/// [`from_probabilities`](Self::from_probabilities) it keeps the clip of Keras 2.
///
/// ```
/// use cinta::prelude::*;
/// let loss = CategoricalCrossentropy::new().label_smoothing(0.1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CategoricalCrossentropy {
    from_logits: bool,
    from_probabilities: bool,
    label_smoothing: f64,
}

impl CategoricalCrossentropy {
    /// Predictions are probabilities; those of a final softmax are taken from its input.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[0.5, 0.5]])));
    /// let loss = CategoricalCrossentropy::new().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Predictions are the numbers before a softmax that the model does not have.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[7.0, 7.0]])));
    /// let loss = CategoricalCrossentropy::from_logits().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn from_logits() -> Self {
        CategoricalCrossentropy { from_logits: true, ..Self::default() }
    }

    /// Predictions are probabilities, even those of a final softmax: as Keras 2 computed it, with the
    /// probabilities clipped to `1e-7 ..= 1 - 1e-7` and no gradient where they are.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[0.5, 0.5]])));
    /// let loss = CategoricalCrossentropy::from_probabilities().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn from_probabilities() -> Self {
        CategoricalCrossentropy { from_probabilities: true, ..Self::default() }
    }

    /// Moves the targets `y` towards equal probabilities: `y (1 - amount) + amount / classes`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[0.5, 0.5]])));
    /// let loss = CategoricalCrossentropy::new().label_smoothing(0.2).per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn label_smoothing(mut self, amount: f64) -> Self {
        self.label_smoothing = amount;
        self
    }

    fn targets<T: Scalar>(&self, targets: &Tensor<T>) -> Tensor<T> {
        if self.label_smoothing == 0.0 {
            return targets.clone();
        }
        let classes = *targets.shape().last().expect("checked") as f64;
        let (scale, shift) = (1.0 - self.label_smoothing, self.label_smoothing / classes);
        targets.map(|y| y * T::lit(scale) + T::lit(shift))
    }
}

impl<T: Scalar> Loss<T> for CategoricalCrossentropy {
    fn name(&self) -> &str {
        "categorical_crossentropy"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let targets = self.targets(targets);
        over_samples(&if self.from_logits {
            predictions.categorical_crossentropy_from_logits(&targets)
        } else {
            predictions.categorical_crossentropy(&targets)
        })
    }

    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        if self.from_logits || self.from_probabilities {
            return None;
        }
        Some(over_samples(&logits.categorical_crossentropy_from_logits(&self.targets(targets))))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(format!(
                "the label smoothing {} is not between 0 and 1",
                self.label_smoothing
            ));
        }
        same_shape(targets, output)
    }

    fn config(&self) -> Value {
        if !self.from_logits && !self.from_probabilities && self.label_smoothing == 0.0 {
            return json!(Loss::<T>::name(self));
        }
        let mut config = json!({
            "name": Loss::<T>::name(self), "reduction": "sum_over_batch_size",
            "from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": -1,
        });
        if self.from_probabilities {
            config["from_probabilities"] = json!(true);
        }
        keras_object("keras.losses", "CategoricalCrossentropy", config)
    }
}

/// The crossentropy of class numbers, as [`Var::sparse_categorical_crossentropy`]: targets `[n]` or
/// `[n, 1]` for outputs `[classes]`.
///
/// ```
/// use cinta::prelude::*;
/// let loss = SparseCategoricalCrossentropy::new();
/// ```
#[derive(Clone, Debug, Default)]
pub struct SparseCategoricalCrossentropy {
    from_logits: bool,
}

impl SparseCategoricalCrossentropy {
    /// Predictions are probabilities; those of a final softmax are taken from its input.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([1.0]), Var::constant(Tensor::from([[0.5, 0.5]])));
    /// let loss = SparseCategoricalCrossentropy::new().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Predictions are the numbers before a softmax that the model does not have.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([1.0]), Var::constant(Tensor::from([[7.0, 7.0]])));
    /// let loss = SparseCategoricalCrossentropy::from_logits().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn from_logits() -> Self {
        SparseCategoricalCrossentropy { from_logits: true }
    }
}

impl<T: Scalar> Loss<T> for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        "sparse_categorical_crossentropy"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        if self.from_logits {
            predictions.sparse_categorical_crossentropy_from_logits(targets)
        } else {
            predictions.sparse_categorical_crossentropy(targets)
        }
    }

    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        (!self.from_logits).then(|| logits.sparse_categorical_crossentropy_from_logits(targets))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
        let [classes] = *output else {
            return Err(format!(
                "class numbers need outputs of the shape [classes], and the model's have {output}"
            ));
        };
        let sample = targets.shape().sample();
        if sample.count() != 1 {
            let hint = if sample == [classes] {
                "; one-hot targets need CategoricalCrossentropy"
            } else {
                ""
            };
            return Err(format!(
                "a class number is one value, and one target has the shape {sample}{hint}"
            ));
        }
        let valid = |label: f64| label.fract() == 0.0 && (0.0..classes as f64).contains(&label);
        match targets.iter().enumerate().find(|(_, label)| !valid(label.widen())) {
            Some((sample, label)) => Err(format!(
                "the label {label} of sample {sample} is not one of the classes 0 to {}",
                classes - 1
            )),
            None => Ok(()),
        }
    }

    fn config(&self) -> Value {
        if !self.from_logits {
            return json!(Loss::<T>::name(self));
        }
        let config = json!({
            "name": Loss::<T>::name(self), "reduction": "sum_over_batch_size",
            "from_logits": true, "ignore_class": null,
        });
        keras_object("keras.losses", "SparseCategoricalCrossentropy", config)
    }
}

/// The mean of squared differences, as [`Var::mean_squared_error`].
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

impl<T: Scalar> Loss<T> for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&predictions.mean_squared_error(targets))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
        if output.is_empty() {
            return Err("the outputs of the model have no axis".to_owned());
        }
        same_shape(targets, output)
    }
}

/// The mean over all axes but the first.
fn over_samples<'t, T: Scalar>(loss: &Var<'t, T>) -> Var<'t, T> {
    match loss.shape().rank() {
        1 => loss.clone(),
        rank => loss.mean(&(1..rank).collect::<Vec<_>>()[..]),
    }
}

impl CategoricalCrossentropy {
    pub(super) fn from_options(config: &Config) -> Result<Self, String> {
        let mut options = common_options(config)?;
        options.only("axis", &json!(-1))?;
        let loss = CategoricalCrossentropy {
            from_logits: options.flag("from_logits", false)?,
            from_probabilities: options.flag("from_probabilities", false)?,
            label_smoothing: options.number_or("label_smoothing", 0.0)?,
        };
        options.finish()?;
        Ok(loss)
    }
}

impl SparseCategoricalCrossentropy {
    pub(super) fn from_options(config: &Config) -> Result<Self, String> {
        let mut options = common_options(config)?;
        options.only("axis", &json!(-1))?;
        let from_logits = options.flag("from_logits", false)?;
        options.finish()?;
        Ok(SparseCategoricalCrossentropy { from_logits })
    }
}

fn common_options(config: &Config) -> Result<Options<'_>, String> {
    let mut options = Options::new(config);
    options.ignore(&["name", "dtype"]);
    options.only("reduction", &json!("sum_over_batch_size"))?;
    Ok(options)
}

/// The crate's own losses, each of which is a metric too.
pub(super) enum Builtin {
    Categorical(CategoricalCrossentropy),
    Sparse(SparseCategoricalCrossentropy),
    Squared(MeanSquaredError),
}

impl Builtin {
    /// Reads what a file says; `role` is "loss" or "metric".
    pub(super) fn from_config(value: &Value, role: &str) -> Result<Self, String> {
        let (class_name, config): (&str, Config) = object(value)?;
        Ok(match class_name {
            "CategoricalCrossentropy" | "categorical_crossentropy" => {
                Builtin::Categorical(CategoricalCrossentropy::from_options(&config)?)
            }
            "SparseCategoricalCrossentropy" | "sparse_categorical_crossentropy" => {
                Builtin::Sparse(SparseCategoricalCrossentropy::from_options(&config)?)
            }
            "MeanSquaredError" | "mean_squared_error" | "mse" => {
                common_options(&config)?.finish()?;
                Builtin::Squared(MeanSquaredError)
            }
            other => {
                return Err(format!(
                    "the {role} {other} is not known; others can be added to a Registry"
                ));
            }
        })
    }
}

/// Makes a loss from what a file says.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Loss<T>>, String> {
    Ok(match Builtin::from_config(value, "loss")? {
        Builtin::Categorical(loss) => Arc::new(loss),
        Builtin::Sparse(loss) => Arc::new(loss),
        Builtin::Squared(loss) => Arc::new(loss),
    })
}
