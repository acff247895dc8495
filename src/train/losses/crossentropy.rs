//! What the crossentropies of probabilities have in common, whether the classes exclude each other or not.

use super::keras_loss;
use crate::config::{Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::train::checks::between_0_and_1;
use crate::train::options::options;

options! {
    /// Where predictions come from, and how sure the targets are.
    #[derive(Clone, Debug)]
    pub(super) struct Crossentropy;
    options {
        from_logits: bool = false, true;
        label_smoothing: f64 = 0.0, 0.25;
    }
    fixed { "axis": (-1) }
    own { from_probabilities: bool = false, true; }
}

impl Crossentropy {
    /// Predictions are numbers before a softmax or a sigmoid.
    pub(super) fn from_logits() -> Self {
        Crossentropy { from_logits: true, ..Crossentropy::default() }
    }

    /// Predictions are probabilities, whatever went before them.
    pub(super) fn from_probabilities() -> Self {
        Crossentropy { from_probabilities: true, ..Crossentropy::default() }
    }

    pub(super) fn smooth(&mut self, label_smoothing: f64) {
        self.label_smoothing = label_smoothing;
    }

    pub(super) fn is_from_logits(&self) -> bool {
        self.from_logits
    }

    /// Whether it is computed from what goes into a final activation, where there is the right one.
    pub(super) fn looks_behind(&self) -> bool {
        !self.from_logits && !self.from_probabilities
    }

    /// The targets, moved towards equal probabilities of so many classes.
    pub(super) fn smoothed<T: Scalar>(&self, targets: &Tensor<T>, classes: f64) -> Tensor<T> {
        if self.label_smoothing == 0.0 {
            return targets.clone();
        }
        let (scale, shift) = (1.0 - self.label_smoothing, self.label_smoothing / classes);
        targets.map(|y| y * T::lit(scale) + T::lit(shift))
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        between_0_and_1("label smoothing", self.label_smoothing)
    }

    /// The object that Keras writes: the name alone, where no option is set.
    pub(super) fn config(&self, class_name: &str, name: &str) -> Value {
        self.options().map_or(json!(name), |own| keras_loss(class_name, name, own))
    }
}
