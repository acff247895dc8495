//! Saving the model on the way.

use super::monitor::Monitor;
use super::template::{Template, Value};
use crate::error::{Error, Result};
use crate::io::check_path;
use crate::model::{Callback, FitParams, Model, Scores, fixed, say};
use crate::scalar::{Scalar, compiled};
use crate::train::Direction;
use std::path::{Path, PathBuf};

/// Saves the model after every epoch, or only when it is better than before: Keras's `ModelCheckpoint`, with its defaults and
/// decisions.
///
/// The path can have places for values, as Python's `str.format` has: `{epoch:02d}-{val_loss:.2f}.safetensors`. They are
/// filled with the epoch, counted from 1, and the values of the logs; between epochs there is `{batch}`. Folders that do not exist are
/// made. A model that was saved at the end of an epoch goes on with the next one when it is loaded and trained.
///
/// # Errors
/// `fit` ends with an error when the path makes no sense or names a value that is not in the logs, the model cannot be saved,
/// or the value to watch is not there (Keras saves anyway then).
///
/// ```
/// use cinta::prelude::*;
/// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-{}", std::process::id()));
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
///
/// let mut best = ModelCheckpoint::new(dir.join("best.safetensors")).monitor("loss").save_best_only(true);
/// let mut each = ModelCheckpoint::new(dir.join("epoch-{epoch:02d}.safetensors"));
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut best, &mut each];
/// model.fit(&data, Fit { epochs: 2, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
///
/// let last: Model = Model::load(dir.join("epoch-02.safetensors"))?;
/// assert_eq!(last.get_weights(), model.get_weights());
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    path: PathBuf,
    monitor: Monitor,
    save_best_only: bool,
    save_weights_only: bool,
    /// After how many batches; after every epoch if `None`.
    save_freq: Option<usize>,
    verbose: bool,
    best: Option<f64>,
    /// The path, once training began.
    template: Option<Template>,
    epoch: usize,
    /// Batches since the last time.
    batches: usize,
}

impl ModelCheckpoint {
    /// Saves to this path, in the format that its ending names.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-new-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [0.5, 0.125]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("models/{epoch:02d}-{loss:.2f}.safetensors"));
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut checkpoint];
    /// model.fit(&data, Fit { epochs: 2, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// let names = ["01-0.50.safetensors", "02-0.12.safetensors"];
    /// assert!(names.iter().all(|name| dir.join("models").join(name).exists()));
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::new("ModelCheckpoint", "val_loss".to_owned()),
            save_best_only: false,
            save_weights_only: false,
            save_freq: None,
            verbose: false,
            best: None,
            template: None,
            epoch: 0,
            batches: 0,
        }
    }

    /// Which value tells how good the model is, with [`save_best_only`](Self::save_best_only); `"val_loss"` by default.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-monitor-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [0.5, 0.25, 0.75]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("{epoch}.safetensors")).monitor("loss").save_best_only(true);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut checkpoint];
    /// model.fit(&data, Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// let saved = [1, 2, 3].map(|epoch| dir.join(format!("{epoch}.safetensors")).exists());
    /// assert_eq!(saved, [true, true, false]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor.name = name.into();
        self
    }

    /// Whether the model is saved only if it is better than whenever it was saved before, in this `fit` or
    /// an earlier one with the same callback. It is never saved for a value that is not a number; Keras takes a NaN in the
    /// first epoch for the best.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-best-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [0.5, 0.75, 0.25]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("{epoch}.safetensors")).monitor("loss").save_best_only(true);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut checkpoint];
    /// model.fit(&data, Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// let saved = [1, 2, 3].map(|epoch| dir.join(format!("{epoch}.safetensors")).exists());
    /// assert_eq!(saved, [true, false, true]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save_best_only(mut self, save_best_only: bool) -> Self {
        self.save_best_only = save_best_only;
        self
    }

    /// Whether only the weights are saved, as by [`save_weights`](Model::save_weights), and not the whole model.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-weights-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("weights.safetensors")).save_weights_only(true);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut checkpoint];
    /// model.fit(&data, Fit { epochs: 1, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// assert!(Model::<f32>::load(dir.join("weights.safetensors")).is_err()); // no model
    /// let mut other: Model = Sequential::new([1]).add(Dense::new(1)).build(4)?;
    /// other.load_weights(dir.join("weights.safetensors"))?;
    /// assert_eq!(other.get_weights(), model.get_weights());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save_weights_only(mut self, save_weights_only: bool) -> Self {
        self.save_weights_only = save_weights_only;
        self
    }

    /// Whether small or large values are good. By default what the metric says of itself
    /// ([`Metric::direction`](crate::Metric::direction)); the loss is good when it is small.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::Direction;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-mode-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let scores = [0.5, 0.25, 0.75]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("f_score", scores[epoch]);
    ///     Ok(())
    /// });
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("{epoch}.safetensors"))
    ///     .monitor("f_score")
    ///     .mode(Direction::Max)
    ///     .save_best_only(true);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut checkpoint];
    /// model.fit(&data, Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// let saved = [1, 2, 3].map(|epoch| dir.join(format!("{epoch}.safetensors")).exists());
    /// assert_eq!(saved, [true, false, true]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn mode(mut self, mode: Direction) -> Self {
        self.monitor.mode = Some(mode);
        self
    }

    /// After how many batches the model is saved, instead of after every epoch. The value to watch is then the mean over the
    /// epoch so far.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-freq-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let data = Dataset::new(Tensor::zeros([5, 1]), Tensor::ones([5, 1]))?;
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("{epoch}-{batch}.safetensors")).save_freq(2);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut checkpoint];
    /// let fit = Fit { epochs: 1, batch_size: 1, callbacks, verbose: Verbose::Silent, ..Fit::default() };
    /// model.fit(&data, fit)?;
    /// let saved = [1, 2, 3, 4, 5].map(|batch| dir.join(format!("1-{batch}.safetensors")).exists());
    /// assert_eq!(saved, [false, true, false, true, false]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save_freq(mut self, batches: usize) -> Self {
        self.save_freq = Some(batches);
        self
    }

    /// A value that must be beaten before the model is saved, with [`save_best_only`](Self::save_best_only): that of a model
    /// which was saved earlier.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-checkpoint-threshold-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let losses = [0.5, 0.125]; // what we say that they are
    /// let mut tell = LambdaCallback::new().on_epoch_end(|epoch, logs, _model| {
    ///     logs.insert("loss", losses[epoch]);
    ///     Ok(())
    /// });
    /// let mut checkpoint = ModelCheckpoint::new(dir.join("{epoch}.safetensors"))
    ///     .monitor("loss")
    ///     .save_best_only(true)
    ///     .initial_value_threshold(0.25);
    /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut tell, &mut checkpoint];
    /// model.fit(&data, Fit { epochs: 2, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
    /// let saved = [1, 2].map(|epoch| dir.join(format!("{epoch}.safetensors")).exists());
    /// assert_eq!(saved, [false, true]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn initial_value_threshold(mut self, value: f64) -> Self {
        self.best = Some(value);
        self
    }

    /// Whether lines are printed that say what is saved and what is not.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let checkpoint = ModelCheckpoint::new("model.safetensors").verbose(true);
    /// assert!(format!("{checkpoint:?}").contains("verbose: true"));
    /// ```
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// The path for an epoch or a batch.
    fn path_for(&self, batch: Option<usize>, logs: &Scores) -> Result<PathBuf> {
        let mut values = vec![("epoch", Value::Count(self.epoch + 1))];
        values.extend(batch.map(|batch| ("batch", Value::Count(batch + 1))));
        values.extend(logs.iter().map(|(name, value)| (name, Value::Number(value))));
        let template = self.template.as_ref().expect("parsed when training began");
        let path = template.fill(&values).map_err(|reason| Error::format(&self.path, reason))?;
        Ok(PathBuf::from(path))
    }

    /// Whether a value is worth saving, and takes note of it.
    fn is_better<T: Scalar>(&mut self, value: f64, path: &Path) -> bool {
        let (best, better) = (self.best, self.monitor.improves::<T>(value, self.best));
        if better {
            self.best = Some(value);
        }
        if self.verbose {
            let (epoch, name) = (self.epoch + 1, &self.monitor.name);
            let from = best.map_or("None".to_owned(), |best| fixed(best, 5));
            say(&if better {
                let (to, path) = (fixed(value, 5), path.display());
                format!(
                    "\nEpoch {epoch}: {name} improved from {from} to {to}, saving model to {path}"
                )
            } else {
                format!("\nEpoch {epoch}: {name} did not improve from {from}")
            });
        }
        better
    }

    /// Saves the model, unless there is a value and it is not better.
    fn save<T: Scalar>(
        &mut self,
        batch: Option<usize>,
        value: Option<f64>,
        logs: &Scores,
        model: &Model<T>,
    ) -> Result<()> {
        let path = self.path_for(batch, logs)?;
        let (epoch, shown) = (self.epoch + 1, path.display());
        match value {
            Some(value) if !self.is_better::<T>(value, &path) => return Ok(()),
            None if self.verbose => say(&format!("\nEpoch {epoch}: saving model to {shown}")),
            _ => {}
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        if self.save_weights_only {
            model.save_weights(&path)?
        } else {
            model.save(&path)?
        }
        if self.verbose {
            say(&format!("\nEpoch {epoch}: finished saving model to {shown}"));
        }
        Ok(())
    }
}

impl<T: Scalar> Callback<T> for ModelCheckpoint {
    #[inline(never)]
    fn on_train_begin(&mut self, params: &FitParams, model: &mut Model<T>) -> Result<()> {
        let wrong = |reason: &str| Error::format(&self.path, reason);
        if self.save_freq == Some(0) {
            return Err(Error::Config("ModelCheckpoint: save_freq is 0; it is at least 1".into()));
        }
        if self.best.is_some_and(f64::is_nan) {
            return Err(Error::Config(
                "ModelCheckpoint: initial_value_threshold is NaN; it is a number".into(),
            ));
        }
        let text = self.path.to_str().ok_or_else(|| wrong("the path is not UTF-8"))?;
        self.template = Some(Template::parse(text).map_err(|reason| wrong(reason.as_str()))?);
        check_path(&self.path, self.save_weights_only)?;
        if self.save_best_only { self.monitor.begin(params, model) } else { Ok(()) }
    }

    #[inline(never)]
    fn on_epoch_begin(&mut self, epoch: usize, _model: &mut Model<T>) -> Result<()> {
        self.epoch = epoch;
        Ok(())
    }

    #[inline(never)]
    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        let Some(save_freq) = self.save_freq else { return Ok(()) };
        self.batches += 1;
        if self.batches < save_freq {
            return Ok(());
        }
        self.batches = 0;
        let best_only = self.save_best_only;
        let value = best_only.then(|| self.monitor.of_batch(logs)).transpose()?;
        self.save(Some(batch), value, logs, model)
    }

    #[inline(never)]
    fn on_epoch_end(
        &mut self,
        _epoch: usize,
        logs: &mut Scores,
        model: &mut Model<T>,
    ) -> Result<()> {
        if self.save_freq.is_some() {
            return Ok(());
        }
        if !self.save_best_only {
            return self.save(None, None, logs, model);
        }
        match self.monitor.of_epoch(logs)? {
            Some(value) => self.save(None, Some(value), logs, model),
            None => Ok(()),
        }
    }
}

compiled!(|callback: &mut ModelCheckpoint| callback as &mut dyn Callback<T>);
