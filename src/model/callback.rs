//! What is called while a model trains.

use super::model::Model;
use super::scores::Scores;
use crate::error::Result;
use crate::scalar::Scalar;

/// What is called while [`fit`](Model::fit) runs: Keras's `Callback`, with its hooks. Each does nothing by default.
///
/// A hook can do to the model what anyone can who has it: read and set weights, save it, change the learning rate; to
/// end training, it sets [`stop_training`](Model::stop_training). `compile` is the exception: `fit` ends with an
/// error when a hook calls it. Epochs and batches are counted from 0, as in Keras. `logs` holds what was measured, in
/// alphabetical order: at the end of a batch the means over the epoch so far, at the end of an epoch also `val_loss`
/// and the other values of validation, if there was one in that epoch. What a hook adds to the logs of an epoch goes on
/// to the callbacks after it, into the [`History`](crate::History), and into what `fit` prints.
///
/// When a step [diverges](crate::Error::Diverged), `on_train_batch_end` sees a loss that is not a number, and
/// the model as it was before that batch; if a callback then sets `stop_training`, `fit` ends as it does for any callback that
/// stops it, and with the error otherwise.
///
/// # Errors
/// An error of a hook ends `fit` with that error, at once: `on_train_end` is not called.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Callback, Result, Scores};
///
/// /// Stops training once the loss is small enough.
/// struct Enough(f64);
///
/// impl Callback for Enough {
///     fn on_epoch_end(&mut self, _epoch: usize, logs: &mut Scores, model: &mut Model) -> Result<()> {
///         model.stop_training |= logs["loss"] < self.0;
///         Ok(())
///     }
/// }
///
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut Enough(0.01)];
/// let history =
///     model.fit(&data, Fit { epochs: 1000, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert!(history["loss"].len() < 1000);
/// # Ok::<(), cinta::Error>(())
/// ```
#[expect(unused_variables, reason = "the hooks do nothing")]
pub trait Callback<T: Scalar = f32> {
    /// Before the first epoch.
    fn on_train_begin(&mut self, params: &FitParams, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }

    /// After the last epoch, with its logs; they are empty if there was none.
    fn on_train_end(&mut self, logs: &Scores, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }

    /// Before an epoch.
    fn on_epoch_begin(&mut self, epoch: usize, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }

    /// After an epoch and its validation.
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        Ok(())
    }

    /// Before a step.
    fn on_train_batch_begin(&mut self, batch: usize, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }

    /// After a step.
    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        Ok(())
    }

    /// Before the validation of an epoch.
    fn on_test_begin(&mut self, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }

    /// After the validation of an epoch, with what it found: `loss`, not yet `val_loss`.
    fn on_test_end(&mut self, logs: &Scores, model: &mut Model<T>) -> Result<()> {
        Ok(())
    }
}

/// What a `fit` is about to do: Keras's `params`.
///
/// ```
/// let params = cinta::FitParams { epochs: 10, steps: 29, validation: true };
/// assert_eq!(params.epochs * params.steps, 290);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FitParams {
    /// `Fit::epochs`.
    pub epochs: usize,
    /// How many batches an epoch has.
    pub steps: usize,
    /// Whether there is validation data.
    pub validation: bool,
}
