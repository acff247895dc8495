//! Names with values.

use std::fmt;
use std::ops::Index;

/// Names with values, in order: what `evaluate` found (the loss, then the metrics in the order of `compile`), and
/// what a [`Callback`](crate::Callback) is told under the name `logs` (in alphabetical order).
///
/// It prints as `loss=0.1234567 accuracy=0.1234567`.
///
/// ```
/// # use cinta::prelude::*;
/// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
/// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
/// let scores = model.evaluate(&data)?;
/// assert_eq!(scores["loss"], 4.0);
/// assert_eq!(scores.to_string(), "loss=4.0000000");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scores(Vec<(String, f64)>);

impl Scores {
    /// The value with a name.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// assert_eq!(model.evaluate(&data)?.get("accuracy"), None);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Names and values, in order.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// assert_eq!(model.evaluate(&data)?.iter().collect::<Vec<_>>(), [("loss", 4.0)]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Sets the value with a name, which comes last if there was none: what a callback adds to the logs at the end of
    /// an epoch is in the [`History`](crate::History) as well.
    ///
    /// ```
    /// # use cinta::Scores;
    /// let mut logs = Scores::from_iter([("loss", 0.5)]);
    /// logs.insert("learning_rate", 0.1);
    /// assert_eq!(logs.iter().collect::<Vec<_>>(), [("loss", 0.5), ("learning_rate", 0.1)]);
    /// ```
    pub fn insert(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The names, for a sentence.
    pub(crate) fn names(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The same in alphabetical order.
    pub(super) fn sorted(mut self) -> Scores {
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }
}

impl<N: Into<String>> FromIterator<(N, f64)> for Scores {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(values: I) -> Self {
        Scores(values.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// # Panics
/// When there is no value with this name.
impl Index<&str> for Scores {
    type Output = f64;

    #[track_caller]
    fn index(&self, name: &str) -> &f64 {
        match self.0.iter().find(|(key, _)| key == name) {
            Some((_, value)) => value,
            None => panic!("no score is called {name:?}; there are {}", self.names()),
        }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={value:.7}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
