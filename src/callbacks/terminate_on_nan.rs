//! Ending training that diverges without an error.

use crate::error::Result;
use crate::model::{Callback, Model, Scores, say};
use crate::scalar::{Scalar, compiled};

/// Ends training without an error when the loss is not a finite number: Keras's `TerminateOnNaN`.
///
/// Without it, `fit` returns [`Error::Diverged`](crate::Error::Diverged), and what was measured is lost, as in Keras with
/// `raise_error=True`. With it, `fit` returns the history, whose last epoch has a loss that is not a number,
/// and the other callbacks get their `on_train_end`. Either way the weights are those before the batch that diverged, where
/// Keras's are not numbers; and a weight that overflows is noticed in that batch, not in the next one.
///
/// ```
/// use cinta::prelude::*;
/// let data = Dataset::new(Tensor::from([[1.0]]), Tensor::from([[3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(1e30), MeanSquaredError));
/// let history = model.fit(&data, Fit {
///     epochs: 10,
///     callbacks: &mut [&mut TerminateOnNan],
///     verbose: Verbose::Silent,
///     ..Fit::default()
/// })?;
/// assert!(history["loss"].last().is_some_and(|loss| loss.is_nan()));
/// assert!(model.weight("dense", "kernel")?.is_finite());
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNan;

impl<T: Scalar> Callback<T> for TerminateOnNan {
    #[inline(never)]
    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        if logs.get("loss").is_some_and(|loss| !loss.is_finite()) {
            say(&format!("Batch {batch}: Invalid loss, terminating training"));
            model.stop_training = true;
        }
        Ok(())
    }
}

compiled!(|callback: &mut TerminateOnNan| callback as &mut dyn Callback<T>);
