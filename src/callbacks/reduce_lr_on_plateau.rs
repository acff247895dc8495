//! Smaller steps when nothing gets better.

use super::monitor::Monitor;
use crate::error::{Error, Reason, Result};
use crate::model::{Callback, FitParams, Model, Scores, say, shortest};
use crate::scalar::{Scalar, compiled};
use crate::train::{Direction, not_negative};

/// Multiplies the learning rate by a factor when a value has stopped getting better: Keras's `ReduceLROnPlateau`, with its
/// defaults and decisions.
///
/// The value of an epoch counts as better if it beats the best so far by more than `min_delta`. After `patience` epochs in a row
/// without a better one, the rate becomes `max(rate factor, min_lr)`. The rate of every epoch is among the logs after it, and so in
/// the history, as `learning_rate`. What is not a number is never better, and every number beats it; in Keras a NaN in the first epoch is
/// the best for ever.
///
/// # Errors
/// `fit` ends with an error when an option makes no sense, the value is not there (Keras warns, and goes on without ever
/// reducing the rate), or the optimizer's rate follows a schedule and should be reduced.
///
/// ```
/// use cinta::prelude::*;
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(1.5), MeanSquaredError)); // too large
///
/// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(1);
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut reduce];
/// let history =
///     model.fit(&data, Fit { epochs: 30, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert_eq!(history["learning_rate"][0], 1.5);
/// assert!(model.learning_rate()? < 1.0);
/// assert!(history["loss"][29] < history["loss"][0]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_lr: f64,
    verbose: bool,
    /// Epochs since the last better one, outside of a cooldown.
    wait: usize,
    /// Epochs of the cooldown that are left.
    cooling: usize,
    best: Option<f64>,
}

impl ReduceLrOnPlateau {
    /// Watches the value with this name: `"val_loss"` by Keras's default, which [`default`](Self::default) is as well.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [2.0, 1.0, 1.0, 1.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(1);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.8, 0.4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(monitor: impl Into<String>) -> Self {
        let mut monitor = Monitor::new("ReduceLrOnPlateau", monitor.into());
        monitor.min_delta = 1e-4;
        ReduceLrOnPlateau {
            monitor,
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_lr: 0.0,
            verbose: false,
            wait: 0,
            cooling: 0,
            best: None,
        }
    }

    /// What the learning rate is multiplied by, 0.1 by default: below 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [1.0, 1.0, 1.0, 1.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").patience(1).factor(0.25);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.2, 0.05]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// After how many epochs in a row without a better value the rate is reduced, 10 by default; 0 is the same as 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(2);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 6, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.8, 0.4, 0.4, 0.2]);
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
    /// let scores = [0.25, 0.5, 0.75, 0.5, 0.5]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("f_score", scores[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("f_score").factor(0.5).patience(1).mode(Direction::Max);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 5, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.8, 0.8, 0.4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn mode(mut self, mode: Direction) -> Self {
        self.monitor.mode = Some(mode);
        self
    }

    /// How much better a value must be to count, 0.0001 by default; the sign does not matter.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [4.0, 3.95, 3.92]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(1).min_delta(0.1);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta.abs();
        self
    }

    /// How many epochs after a reduction are a pause, in which no epoch counts as one without a better value. As in Keras, the last
    /// of them counts again, so a pause of 1 is none; it is 0 by default.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(1).cooldown(3);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 7, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The rate below which it is not reduced.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [1.0, 1.0, 1.0, 1.0]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut reduce = ReduceLrOnPlateau::new("loss").factor(0.5).patience(1).min_lr(0.3);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut reduce];
    /// let fit = Fit { epochs: 4, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// assert_eq!(model.fit(&data, fit)?["learning_rate"], [0.8, 0.8, 0.4, 0.3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Whether a line is printed when the rate is reduced.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let reduce = ReduceLrOnPlateau::default().verbose(true);
    /// assert!(format!("{reduce:?}").contains("verbose: true"));
    /// ```
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    fn reduce<T: Scalar>(&mut self, epoch: usize, model: &mut Model<T>) -> Result<()> {
        let old = model.learning_rate()?;
        if old <= self.min_lr {
            return Ok(());
        }
        let new = (old * self.factor).max(self.min_lr);
        model.set_learning_rate(new)?;
        if self.verbose {
            let (epoch, new) = (epoch + 1, shortest(new));
            say(&format!("\nEpoch {epoch}: ReduceLROnPlateau reducing learning rate to {new}."));
        }
        (self.cooling, self.wait) = (self.cooldown, 0);
        Ok(())
    }
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        Self::new("val_loss")
    }
}

impl<T: Scalar> Callback<T> for ReduceLrOnPlateau {
    #[inline(never)]
    fn on_train_begin(&mut self, params: &FitParams, model: &mut Model<T>) -> Result<()> {
        let wrong = |reason: Reason| Error::Config(format!("ReduceLrOnPlateau: {reason}").into());
        if !(0.0..1.0).contains(&self.factor) {
            let factor = self.factor;
            return Err(wrong(format!("factor is {factor}; it is at least 0 and below 1").into()));
        }
        not_negative("min_lr", self.min_lr).map_err(wrong)?;
        (self.best, self.wait, self.cooling) = (None, 0, 0);
        self.monitor.begin(params, model)
    }

    #[inline(never)]
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        logs.insert("learning_rate", model.learning_rate()?);
        let Some(value) = self.monitor.of_epoch(logs)? else { return Ok(()) };
        if self.cooling > 0 {
            self.cooling -= 1;
            self.wait = 0;
        }
        if self.monitor.improves::<T>(value, self.best) {
            (self.best, self.wait) = (Some(value), 0);
        } else if self.cooling == 0 {
            self.wait += 1;
            if self.wait >= self.patience {
                self.reduce(epoch, model)?;
            }
        }
        Ok(())
    }
}

compiled!(|callback: &mut ReduceLrOnPlateau| callback as &mut dyn Callback<T>);
