//! What the crossentropies of probabilities have in common, whether the classes exclude each other or not.

use super::keras_loss;
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::train::checks::between_0_and_1;

/// Where predictions come from, and how sure the targets are.
#[derive(Clone, Debug, Default)]
pub(super) struct Crossentropy {
    pub from_logits: bool,
    pub from_probabilities: bool,
    pub label_smoothing: f64,
}

impl Crossentropy {
    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        options.only("axis", &json!(-1))?;
        Ok(Crossentropy {
            from_logits: options.flag("from_logits", false)?,
            from_probabilities: options.flag("from_probabilities", false)?,
            label_smoothing: options.number_or("label_smoothing", 0.0)?,
        })
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
        if self.looks_behind() && self.label_smoothing == 0.0 {
            return json!(name);
        }
        let mut own = json!({
            "from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": -1,
        });
        if self.from_probabilities {
            own["from_probabilities"] = json!(true);
        }
        keras_loss(class_name, name, own)
    }
}
