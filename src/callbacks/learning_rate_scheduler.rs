//! A learning rate for each epoch.

use crate::error::Result;
use crate::model::{Callback, Model, Scores, say, shortest};
use crate::scalar::Scalar;
use std::fmt;

/// Sets the learning rate before every epoch to what a function makes of the epoch, counted from 0, and the rate
/// so far: Keras's `LearningRateScheduler`. The rate of every epoch is among the logs after it, and so in the history, as
/// `learning_rate`.
///
/// # Errors
/// `fit` ends with an error when the new rate is negative or not finite, or the optimizer's rate follows a schedule.
///
/// ```
/// use cinta::prelude::*;
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
///
/// let mut schedule = LearningRateScheduler::new(|epoch, rate| if epoch < 2 { rate } else { rate / 2.0 });
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut schedule];
/// let history =
///     model.fit(&data, Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert_eq!(history["learning_rate"], [0.1, 0.1, 0.05, 0.025]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct LearningRateScheduler<F> {
    schedule: F,
    verbose: bool,
}

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// The new rate is `schedule(epoch, rate)`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut schedule = LearningRateScheduler::new(|epoch, _| 0.1 * 0.5_f64.powi(epoch as i32 / 2));
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut schedule];
    /// let history =
    ///     model.fit(&data, Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// assert_eq!(history["learning_rate"], [0.1, 0.1, 0.05, 0.05]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(schedule: F) -> Self {
        LearningRateScheduler { schedule, verbose: false }
    }

    /// Whether a line is printed in every epoch.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let schedule = LearningRateScheduler::new(|_, rate| 0.9 * rate).verbose(true);
    /// assert!(format!("{schedule:?}").contains("verbose: true"));
    /// ```
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }
}

impl<F> fmt::Debug for LearningRateScheduler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearningRateScheduler")
            .field("verbose", &self.verbose)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar, F: FnMut(usize, f64) -> f64> Callback<T> for LearningRateScheduler<F> {
    fn on_epoch_begin(&mut self, epoch: usize, model: &mut Model<T>) -> Result<()> {
        let rate = (self.schedule)(epoch, model.learning_rate()?);
        model.set_learning_rate(rate)?;
        if self.verbose {
            let (epoch, rate) = (epoch + 1, shortest(rate));
            say(&format!(
                "\nEpoch {epoch}: LearningRateScheduler setting learning rate to {rate}."
            ));
        }
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _epoch: usize,
        logs: &mut Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        logs.insert("learning_rate", model.learning_rate()?);
        Ok(())
    }
}
