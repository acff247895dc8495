//! What `fit` reports.

use std::collections::BTreeMap;
use std::ops::Index;

/// The loss and the metrics after every epoch, under Keras's names in alphabetical order: `accuracy`,
/// `loss`, and `val_accuracy`, `val_loss` where there was validation data.
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
    values: BTreeMap<String, Vec<f64>>,
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

    /// The names, in alphabetical order.
    ///
    /// ```
    /// assert_eq!(cinta::History::default().keys().count(), 0);
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The values with a name, one for each epoch.
    ///
    /// ```
    /// assert_eq!(cinta::History::default().get("loss"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.values.get(name).map(Vec::as_slice)
    }

    pub(super) fn push(&mut self, epoch: u64, values: &BTreeMap<String, f64>) {
        self.epochs.push(epoch);
        for (name, &value) in values {
            self.values.entry(name.clone()).or_default().push(value);
        }
    }
}

/// # Panics
/// When there are no values with this name.
impl Index<&str> for History {
    type Output = [f64];

    #[track_caller]
    fn index(&self, name: &str) -> &[f64] {
        match self.get(name) {
            Some(values) => values,
            None => panic!(
                "the history has nothing called {name:?}; it has {}",
                self.keys().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}
