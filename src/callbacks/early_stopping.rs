//! Stopping when nothing gets better.

use super::monitor::Monitor;
use crate::error::{Error, Result};
use crate::model::{Callback, FitParams, Model, Scores, say};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use crate::train::Direction;

/// Ends training when a value has stopped getting better: Keras's `EarlyStopping`, with its defaults and decisions.
///
/// The value of an epoch counts as better if it beats the best so far by more than `min_delta`. After `patience` epochs in a row without
/// a better one, training ends, though never after the first epoch. What is not a number is never better, and every number beats it;
/// in Keras a NaN in the first epoch is the best for ever.
///
/// Where Keras warns that the value is not there, and goes on without ever stopping, this is an error of the first epoch; an
/// epoch that [`validation_freq`](crate::Fit::validation_freq) leaves without validation does not count.
///
/// ```
/// use cinta::prelude::*;
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
///
/// let mut early_stopping = EarlyStopping::new("loss").min_delta(1e-3).patience(2);
/// model.fit(&data, Fit {
///     epochs: 1000,
///     callbacks: &mut [&mut early_stopping],
///     verbose: Verbose::Silent,
///     ..Fit::default()
/// })?;
/// assert!(early_stopping.stopped_epoch().is_some_and(|epoch| epoch < 200));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping<T: Scalar = f32> {
    monitor: Monitor,
    patience: usize,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    verbose: bool,
    /// Epochs since the last better one.
    wait: usize,
    best: Option<f64>,
    best_epoch: Option<usize>,
    best_weights: Option<Vec<Tensor<T>>>,
    stopped_epoch: Option<usize>,
}

impl<T: Scalar> EarlyStopping<T> {
    /// Watches the value with this name: `"val_loss"` by Keras's default, which [`default`](Self::default) is as well.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let early_stopping: EarlyStopping = EarlyStopping::new("val_accuracy").patience(10);
    /// assert_eq!(early_stopping.stopped_epoch(), None);
    /// ```
    pub fn new(monitor: impl Into<String>) -> Self {
        EarlyStopping {
            monitor: Monitor::new("EarlyStopping", monitor.into()),
            patience: 0,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            verbose: false,
            wait: 0,
            best: None,
            best_epoch: None,
            best_weights: None,
            stopped_epoch: None,
        }
    }

    /// How much better a value must be to count, 0 by default; the sign does not matter.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [4.0, 3.95, 3.92, 3.91]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("loss").min_delta(0.1).patience(2);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// let fit = Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// assert_eq!((early_stopping.best_epoch(), early_stopping.stopped_epoch()), (Some(0), Some(2)));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta.abs();
        self
    }

    /// After how many epochs in a row without a better value training ends; 0, the default, is the same as 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [4.0, 3.0, 3.0, 3.5, 3.0, 3.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("loss").patience(3);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// let fit = Fit { epochs: 6, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// assert_eq!(early_stopping.stopped_epoch(), Some(4));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// Whether small or large values are good. By default what the metric says of itself
    /// ([`Metric::direction`](crate::Metric::direction)); the loss is good when it is small.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::Direction;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let scores = [0.5, 0.75, 0.625]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("f_score", scores[epoch]);
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("f_score").mode(Direction::Max);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// let fit = Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// assert_eq!((early_stopping.best(), early_stopping.best_epoch()), (Some(0.75), Some(1)));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn mode(mut self, mode: Direction) -> Self {
        self.monitor.mode = Some(mode);
        self
    }

    /// A value that must be beaten as well: a better epoch that does not beat it is counted for `patience` all the same, though
    /// training does not end after it.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [4.0, 3.0, 3.0, 3.0, 3.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("loss").baseline(0.5).patience(3);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// let fit = Fit { epochs: 5, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// assert_eq!(early_stopping.stopped_epoch(), Some(2)); // without the baseline, 4
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Whether the model ends with the weights of the best epoch, not of the last. It does so too when training ends
    /// for another reason, except for an error.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut first = None;
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, model| {
    ///     logs.insert("loss", [1.0, 2.0, 3.0][epoch]); // what we say that it is
    ///     if epoch == 0 {
    ///         first = Some(model.get_weights());
    ///     }
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("loss").patience(2).restore_best_weights(true);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// model.fit(&data, Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// drop(tell);
    /// assert_eq!(first, Some(model.get_weights()));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// The first epoch that is looked at, counted from 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [1.0, 2.0, 3.0, 4.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut early_stopping = EarlyStopping::new("loss").start_from_epoch(2);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut early_stopping];
    /// let fit = Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// assert_eq!((early_stopping.best_epoch(), early_stopping.stopped_epoch()), (Some(2), Some(3)));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    /// Whether a line is printed when training ends early, and when weights are restored.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let early_stopping: EarlyStopping = EarlyStopping::default().verbose(true);
    /// assert!(format!("{early_stopping:?}").contains("verbose: true"));
    /// ```
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// The epoch after which training ended, counted from 0; `None` if it was not ended from here.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(EarlyStopping::<f32>::default().stopped_epoch(), None);
    /// ```
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.stopped_epoch
    }

    /// The epoch with the best value, counted from 0; `None` before the first.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(EarlyStopping::<f32>::default().best_epoch(), None);
    /// ```
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    /// The best value; `None` before the first.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(EarlyStopping::<f32>::default().best(), None);
    /// ```
    pub fn best(&self) -> Option<f64> {
        self.best
    }
}

impl<T: Scalar> Default for EarlyStopping<T> {
    fn default() -> Self {
        Self::new("val_loss")
    }
}

impl<T: Scalar> Callback<T> for EarlyStopping<T> {
    #[inline(never)]
    fn on_train_begin(&mut self, params: &FitParams, model: &mut Model<T>) -> Result<()> {
        if self.baseline.is_some_and(f64::is_nan) {
            return Err(Error::Config("EarlyStopping: baseline is NaN; it is a number".into()));
        }
        self.wait = 0;
        (self.best, self.best_epoch, self.best_weights) = (None, None, None);
        self.stopped_epoch = None;
        self.monitor.begin(params, model)
    }

    #[inline(never)]
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        let Some(value) = self.monitor.of_epoch(logs)? else { return Ok(()) };
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        self.wait += 1;
        if self.monitor.improves::<T>(value, self.best) {
            (self.best, self.best_epoch) = (Some(value), Some(epoch));
            if self.restore_best_weights {
                self.best_weights = Some(model.get_weights());
            }
            if self.baseline.is_none() || self.monitor.improves::<T>(value, self.baseline) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = Some(epoch);
            model.stop_training = true;
        }
        Ok(())
    }

    #[inline(never)]
    fn on_train_end(&mut self, _logs: &Scores, model: &mut Model<T>) -> Result<()> {
        if let Some(epoch) = self.stopped_epoch.filter(|_| self.verbose) {
            say(&format!("Epoch {}: early stopping", epoch + 1));
        }
        if let (Some(weights), Some(epoch)) = (&self.best_weights, self.best_epoch) {
            if self.verbose {
                say(&format!(
                    "Restoring model weights from the end of the best epoch: {}.",
                    epoch + 1
                ));
            }
            model.set_weights(weights)?;
        }
        Ok(())
    }
}

compiled!(|callback: &mut EarlyStopping<T>| callback as &mut dyn Callback<T>);
