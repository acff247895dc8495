//! What `fit` reports.

use super::{csv, number, scores::Scores};
use std::ops::Index;

/// The loss and the metrics after every epoch, under Keras's names and in its order: alphabetical (`accuracy`,
/// `loss`, and `val_accuracy`, `val_loss` where there was validation data), then what appeared only later or
/// was added by a callback.
///
/// ```
/// # use cinta::prelude::*;
/// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
/// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
/// let history = model.fit(&data, Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert_eq!(history.keys().collect::<Vec<_>>(), ["loss"]);
/// assert_eq!(history["loss"].len(), 3);
/// assert!(history["loss"][2] < history["loss"][0]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct History {
    epochs: Vec<u64>,
    series: Vec<Series>,
}

/// The values with one name, and the epochs that have one.
#[derive(Clone, Debug, PartialEq)]
struct Series {
    name: String,
    epochs: Vec<u64>,
    values: Vec<f64>,
}

impl History {
    /// The epochs' numbers over the model's whole life, counted from 1.
    ///
    /// ```
    /// assert!(cinta::History::default().epochs().is_empty());
    /// ```
    pub fn epochs(&self) -> &[u64] {
        &self.epochs
    }

    /// The names, in order.
    ///
    /// ```
    /// assert_eq!(cinta::History::default().keys().count(), 0);
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|series| series.name.as_str())
    }

    /// The values with a name, one for each epoch that has one: with [`validation_freq`](crate::Fit::validation_freq),
    /// those of validation are fewer.
    ///
    /// ```
    /// assert_eq!(cinta::History::default().get("loss"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.find(name).map(|series| &series.values[..])
    }

    /// The epochs that have a value with this name.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// let history = model.fit(&data, Fit {
    ///     epochs: 5,
    ///     validation_data: Some(&data),
    ///     validation_freq: 2,
    ///     verbose: Verbose::Silent,
    ///     ..Fit::default()
    /// })?;
    /// assert_eq!(history.epochs_of("val_loss"), Some(&[2, 4][..]));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn epochs_of(&self, name: &str) -> Option<&[u64]> {
        self.find(name).map(|series| &series.epochs[..])
    }

    /// A table as CSV: a row for each epoch, with its number and the values in the order of [`keys`](Self::keys), or `NA`
    /// where an epoch has none. Numbers have the fewest digits that read back as the same.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// # model.set_weights(&[Tensor::zeros([1, 1]), Tensor::zeros([1])])?;
    /// # model.compile(Compile::new(Sgd::new(0.5), MeanSquaredError));
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// let history = model.fit(&data, Fit { epochs: 2, verbose: Verbose::Silent, ..Fit::default() })?;
    /// assert_eq!(history.to_csv(), "epoch,loss\n1,4.0\n2,0.0\n");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn to_csv(&self) -> String {
        let header = std::iter::once("epoch").chain(self.keys()).map(str::to_owned);
        let mut rows = csv::row(header, ',') + "\n";
        for epoch in &self.epochs {
            let values = self.series.iter().map(|series| {
                let at = series.epochs.binary_search(epoch);
                at.map_or("NA".to_owned(), |at| number::shortest(series.values[at]))
            });
            rows += &csv::row(std::iter::once(epoch.to_string()).chain(values), ',');
            rows.push('\n');
        }
        rows
    }

    fn find(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    pub(super) fn push(&mut self, epoch: u64, values: &Scores) {
        self.epochs.push(epoch);
        for (name, value) in values.iter() {
            let at = self.series.iter().position(|series| series.name == name);
            let at = at.unwrap_or_else(|| {
                let (epochs, values) = (Vec::new(), Vec::new());
                self.series.push(Series { name: name.to_owned(), epochs, values });
                self.series.len() - 1
            });
            self.series[at].epochs.push(epoch);
            self.series[at].values.push(value);
        }
    }
}

/// # Panics
/// When there are no values with this name.
impl Index<&str> for History {
    type Output = Vec<f64>;

    #[track_caller]
    fn index(&self, name: &str) -> &Vec<f64> {
        match self.find(name) {
            Some(series) => &series.values,
            None => panic!(
                "the history has nothing called {name:?}; it has {}",
                self.keys().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}
