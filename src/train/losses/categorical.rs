//! Crossentropies of classes that exclude each other.

use super::crossentropy::Crossentropy;
use super::{Loss, keras_loss, over_samples, same_shape};
use crate::autograd::Var;
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::nn::Activation;
use crate::ops::is_class;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::options;

/// The crossentropy of one-hot (or any) target probabilities, as
/// [`Var::categorical_crossentropy`].
///
/// After a final softmax it is computed from what went into the softmax, fused and stable; with
/// [`from_probabilities`](Self::from_probabilities) it keeps the clip of Keras 2.
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(0)?;
/// model.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()));
/// // An input of zeros gives three equal probabilities.
/// let data = Dataset::new(Tensor::zeros([1, 4]), Tensor::from([[0.0, 1.0, 0.0]]))?;
/// assert!((model.evaluate(&data)?["loss"] - 3.0_f64.ln()).abs() < 1e-6);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CategoricalCrossentropy {
    options: Crossentropy,
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
        CategoricalCrossentropy { options: Crossentropy::from_logits() }
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
        CategoricalCrossentropy { options: Crossentropy::from_probabilities() }
    }

    /// Moves the targets `y` towards equal probabilities: `y (1 - amount) + amount / classes`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[0.25, 0.75]])));
    /// let loss = CategoricalCrossentropy::new().label_smoothing(0.2).per_sample(&y, &p);
    /// // The targets are 0.1 and 0.9 then.
    /// let expected = -0.1 * 0.25_f32.ln() - 0.9 * 0.75_f32.ln();
    /// assert!((loss.value().item() - expected).abs() < 1e-6);
    /// ```
    pub fn label_smoothing(mut self, amount: f64) -> Self {
        self.options.smooth(amount);
        self
    }

    /// Keras's name of the class.
    pub(in crate::train) const CLASS: &'static str = "CategoricalCrossentropy";

    pub(in crate::train) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(CategoricalCrossentropy { options: Crossentropy::from_options(options)? })
    }

    #[cfg(test)]
    pub(in crate::train) fn examples() -> Vec<Self> {
        Crossentropy::examples().into_iter().map(|options| Self { options }).collect()
    }

    fn targets<T: Scalar>(&self, targets: &Tensor<T>) -> Tensor<T> {
        self.options.smoothed(targets, *targets.shape().last().expect("checked") as f64)
    }
}

impl<T: Scalar> Loss<T> for CategoricalCrossentropy {
    fn name(&self) -> &str {
        "categorical_crossentropy"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let targets = self.targets(targets);
        over_samples(&if self.options.is_from_logits() {
            predictions.categorical_crossentropy_from_logits(&targets)
        } else {
            predictions.categorical_crossentropy(&targets)
        })
    }

    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
        activation: Activation,
    ) -> Option<Var<'t, T>> {
        if activation != Activation::Softmax || !self.options.looks_behind() {
            return None;
        }
        Some(over_samples(&logits.categorical_crossentropy_from_logits(&self.targets(targets))))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        self.options.check()?;
        same_shape(targets, output)
    }

    fn config(&self) -> Value {
        self.options.config(Self::CLASS, Loss::<T>::name(self))
    }
}

options! {
    /// The crossentropy of class numbers, as [`Var::sparse_categorical_crossentropy`]: targets `[n]` or
    /// `[n, 1]` for outputs `[classes]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(0)?;
    /// model.compile(Compile::new(Adam::default(), SparseCategoricalCrossentropy::new()));
    /// // An input of zeros gives three equal probabilities.
    /// let data = Dataset::new(Tensor::zeros([1, 4]), Tensor::from([2.0]))?;
    /// assert!((model.evaluate(&data)?["loss"] - 3.0_f64.ln()).abs() < 1e-6);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[derive(Clone, Debug)]
    pub struct SparseCategoricalCrossentropy = "SparseCategoricalCrossentropy";
    options {
        from_logits: bool = false, true;
    }
    fixed { "ignore_class": null }
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
        activation: Activation,
    ) -> Option<Var<'t, T>> {
        (activation == Activation::Softmax && !self.from_logits)
            .then(|| logits.sparse_categorical_crossentropy_from_logits(targets))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        let [classes] = *output else {
            return Err(format!(
                "class numbers need outputs of the shape [classes], and the model's have {output}"
            )
            .into());
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
            )
            .into());
        }
        let is_class = |label: T| is_class(label.widen(), classes);
        match targets.iter().enumerate().find(|(_, label)| !is_class(*label)) {
            Some((sample, label)) => Err(format!(
                "the label {label} of sample {sample} is not one of the classes 0 to {}",
                classes - 1
            )
            .into()),
            None => Ok(()),
        }
    }

    fn config(&self) -> Value {
        let name = Loss::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_loss(Self::CLASS, name, own))
    }
}
