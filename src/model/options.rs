//! What `fit` takes.

use super::callback::Callback;
use super::progress::Verbose;
use crate::datasets::Dataset;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// How to train. The defaults are Keras's: 1 epoch, batches of 32, shuffled, with a progress bar.
///
/// ```
/// use cinta::prelude::*;
/// let fit: Fit<'_> = Fit { epochs: 600, batch_size: 256, ..Fit::default() };
/// assert!(fit.shuffle && fit.validation_data.is_none());
/// ```
pub struct Fit<'a, T: Scalar = f32> {
    /// How often every sample is seen: the number of the last epoch.
    pub epochs: usize,
    /// How many of these epochs are already behind the model, which goes on with the next number. With as
    /// many as `epochs` or more, nothing is trained.
    pub initial_epoch: usize,
    /// How many samples make one step. The last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Whether the samples come in a new order in every epoch.
    pub shuffle: bool,
    /// Weights of classes, as `&[(class, weight)]`: each sample's loss is multiplied by the weight of its class, which
    /// is 1 where none is given. Targets are class numbers (`[n]` or `[n, 1]`, rounded) or rows `[n, classes]`, whose
    /// largest value is at the class. Validation does not see these weights.
    pub class_weight: &'a [(usize, f64)],
    /// Data on which the model is evaluated after every epoch.
    pub validation_data: Option<&'a Dataset<T>>,
    /// The fraction of the data that is kept for validation instead of `validation_data`: the last samples, before any
    /// shuffling, from number `floor(n (1 - validation_split))` on.
    pub validation_split: f64,
    /// How many epochs lie between two validations: those whose number is divisible by this one have theirs.
    pub validation_freq: usize,
    /// What is called on the way, in this order. The list borrows them, so that they can be asked afterwards.
    pub callbacks: &'a mut [&'a mut dyn Callback<T>],
    /// What is printed.
    pub verbose: Verbose,
}

impl<T: Scalar> Default for Fit<'_, T> {
    fn default() -> Self {
        Fit {
            epochs: 1,
            initial_epoch: 0,
            batch_size: 32,
            shuffle: true,
            class_weight: &[],
            validation_data: None,
            validation_split: 0.0,
            validation_freq: 1,
            callbacks: &mut [],
            verbose: Verbose::default(),
        }
    }
}

impl<T: Scalar> fmt::Debug for Fit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("initial_epoch", &self.initial_epoch)
            .field("batch_size", &self.batch_size)
            .field("shuffle", &self.shuffle)
            .field("class_weight", &self.class_weight)
            .field("validation_data", &self.validation_data)
            .field("validation_split", &self.validation_split)
            .field("validation_freq", &self.validation_freq)
            .field("callbacks", &self.callbacks.len())
            .field("verbose", &self.verbose)
            .finish()
    }
}

impl<T: Scalar> Fit<'_, T> {
    /// Whether the options make sense, alone and together.
    pub(super) fn check(&self) -> Result<()> {
        let split = self.validation_split;
        let wrong = |reason: String| Err(Error::Config(reason.into()));
        if self.batch_size == 0 {
            return wrong("batch_size is 0; it is at least 1".to_owned());
        }
        if self.validation_freq == 0 {
            return wrong("validation_freq is 0; it is at least 1".to_owned());
        }
        if !(0.0..1.0).contains(&split) {
            return wrong(format!("validation_split is {split}; it is at least 0 and below 1"));
        }
        if split > 0.0 && self.validation_data.is_some() {
            return wrong(format!(
                "validation_split is {split}, and there is validation_data; give one of the two"
            ));
        }
        for (i, &(class, weight)) in self.class_weight.iter().enumerate() {
            if !(weight.is_finite() && weight >= 0.0) {
                return wrong(format!(
                    "the weight of class {class} is {weight}; weights are finite and not negative"
                ));
            }
            if self.class_weight[..i].iter().any(|(before, _)| *before == class) {
                return wrong(format!("class_weight has two weights of class {class}; give one"));
            }
        }
        Ok(())
    }

    /// What is trained on, and what is evaluated, for a model whose outputs have this shape.
    pub(super) fn parts(
        &self,
        data: &Dataset<T>,
        validation: Option<Dataset<T>>,
        output: Shape,
    ) -> Result<(Dataset<T>, Option<Dataset<T>>)> {
        let (training, validation) = if self.validation_split > 0.0 {
            let (n, split) = (data.len(), self.validation_split);
            let at = (n as f64 * (1.0 - split)).floor() as usize;
            if at == 0 || at == n {
                return Err(Error::Data(format!(
                    "a validation_split of {split} of {n} samples leaves {}; change it, or give more data",
                    if at == 0 { "none to train on" } else { "none for validation" }
                ).into()));
            }
            (data.slice(0..at), Some(data.slice(at..n)))
        } else {
            (data.clone(), validation)
        };
        if self.class_weight.is_empty() {
            return Ok((training, validation));
        }
        if data.sample_weight().is_some() {
            return Err(Error::Config(
                "there is class_weight, and the samples have weights of their own; give one of the two".into(),
            ));
        }
        let weights = sample_weights(self.class_weight, training.targets(), output)?;
        Ok((training.with_sample_weight(weights)?, validation))
    }
}

/// The weight of every sample, from its class.
fn sample_weights<T: Scalar>(
    class_weight: &[(usize, f64)],
    targets: &Tensor<T>,
    output: Shape,
) -> Result<Tensor<T>> {
    let classes: Vec<f64> = match *targets.shape().sample() {
        [] | [1] => targets.iter().map(|label| label.widen().round_ties_even()).collect(),
        [_] => targets.argmax(1).into_iter().map(|class| class as f64).collect(),
        _ => {
            return Err(Error::Data(format!(
                "class_weight needs targets that are class numbers or rows of one value for each class, and one \
                 target has the shape {}",
                targets.shape().sample()
            ).into()));
        }
    };
    // Outputs of one number have no number of classes.
    let count = output.last().copied().filter(|count| *count > 1).unwrap_or(usize::MAX);
    if let Some((class, _)) = class_weight.iter().find(|(class, _)| *class >= count) {
        return Err(Error::Config(
            format!(
                "class_weight has a weight of class {class}, and the classes are 0 to {}",
                count - 1
            )
            .into(),
        ));
    }
    let weight = |class: &f64| {
        let given = class_weight.iter().find(|(given, _)| *given as f64 == *class);
        T::lit(given.map_or(1.0, |(_, weight)| *weight))
    };
    Ok(Tensor::new([classes.len()], classes.iter().map(weight).collect::<Vec<T>>()))
}
