//! The crossentropy of classes that do not exclude each other.

use super::crossentropy::Crossentropy;
use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::config::{Options, Value};
use crate::error::Reason;
use crate::nn::Activation;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// The crossentropy of targets 0 and 1 (or between) and as many probabilities, as [`Var::binary_crossentropy`], and its
/// mean over the outputs of a sample.
///
/// After a final sigmoid it is computed from what went into the sigmoid, fused and stable; with
/// [`from_probabilities`](Self::from_probabilities) it keeps the clip of Keras.
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([4]).add(Dense::new(1).activation(Sigmoid)).build(0)?;
/// model.compile(Compile::new(Adam::default(), BinaryCrossentropy::new()).metric(Accuracy));
/// // An input of zeros gives the probability 1/2.
/// let scores = model.evaluate(&Dataset::new(Tensor::zeros([1, 4]), Tensor::from([[1.0]]))?)?;
/// assert!((scores["loss"] - 2.0_f64.ln()).abs() < 1e-6);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BinaryCrossentropy {
    options: Crossentropy,
}

impl BinaryCrossentropy {
    /// Predictions are probabilities; those of a final sigmoid are taken from its input.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[0.5]])));
    /// let loss = BinaryCrossentropy::new().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Predictions are the numbers before a sigmoid that the model does not have.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, z) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[0.0]])));
    /// let loss = BinaryCrossentropy::from_logits().per_sample(&y, &z);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn from_logits() -> Self {
        BinaryCrossentropy { options: Crossentropy::from_logits() }
    }

    /// Predictions are probabilities, even those of a final sigmoid: clipped to `1e-7 ..= 1 - 1e-7`, and no gradient where
    /// they are.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[0.5]])));
    /// let loss = BinaryCrossentropy::from_probabilities().per_sample(&y, &p);
    /// assert!((loss.value().item() - 2.0_f32.ln()).abs() < 1e-6);
    /// ```
    pub fn from_probabilities() -> Self {
        BinaryCrossentropy { options: Crossentropy::from_probabilities() }
    }

    /// Moves the targets `y` towards a half: `y (1 - amount) + amount / 2`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[0.75]])));
    /// let loss = BinaryCrossentropy::new().label_smoothing(0.2).per_sample(&y, &p);
    /// // The target is 0.9 then.
    /// let expected = -0.9 * 0.75_f32.ln() - 0.1 * 0.25_f32.ln();
    /// assert!((loss.value().item() - expected).abs() < 1e-6);
    /// ```
    pub fn label_smoothing(mut self, amount: f64) -> Self {
        self.options.smooth(amount);
        self
    }

    /// Keras's name of the class.
    pub(in crate::train) const CLASS: &'static str = "BinaryCrossentropy";

    pub(in crate::train) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(BinaryCrossentropy { options: Crossentropy::from_options(options)? })
    }

    #[cfg(test)]
    pub(in crate::train) fn examples() -> Vec<Self> {
        Crossentropy::examples().into_iter().map(|options| Self { options }).collect()
    }

    fn targets<T: Scalar>(&self, targets: &Tensor<T>) -> Tensor<T> {
        self.options.smoothed(targets, 2.0)
    }
}

impl<T: Scalar> Loss<T> for BinaryCrossentropy {
    fn name(&self) -> &str {
        "binary_crossentropy"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let targets = self.targets(targets);
        over_samples(&if self.options.is_from_logits() {
            predictions.binary_crossentropy_from_logits(&targets)
        } else {
            predictions.binary_crossentropy(&targets)
        })
    }

    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
        activation: Activation,
    ) -> Option<Var<'t, T>> {
        if activation != Activation::Sigmoid || !self.options.looks_behind() {
            return None;
        }
        Some(over_samples(&logits.binary_crossentropy_from_logits(&self.targets(targets))))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        self.options.check()?;
        same_shape_with_axis(targets, output)
    }

    fn config(&self) -> Value {
        self.options.config(Self::CLASS, Loss::<T>::name(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sigmoid_is_looked_behind() {
        let (y, z) = (Tensor::from([[1.0, 0.0]]), Var::constant(Tensor::from([[-200.0, 0.0]])));
        let loss = BinaryCrossentropy::new();
        let fused = loss.per_sample_from_logits(&y, &z, Activation::Sigmoid).unwrap();
        let expected: f64 = (200.0 + 2.0f64.ln()) / 2.0;
        assert!((fused.value().item() - expected).abs() < 1e-12);
        assert!(loss.per_sample_from_logits(&y, &z, Activation::Softmax).is_none());
        for loss in [BinaryCrossentropy::from_logits(), BinaryCrossentropy::from_probabilities()] {
            assert!(loss.per_sample_from_logits(&y, &z, Activation::Sigmoid).is_none());
        }
    }
}
