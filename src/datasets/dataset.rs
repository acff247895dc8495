//! Inputs and their targets.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::ops::Range;

/// Inputs `[n, ..]` and targets `[n, ..]`: a pair for each sample.
///
/// ```
/// use cinta::prelude::*;
/// let inputs = Tensor::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let targets = Tensor::from([[0.0], [1.0], [1.0], [0.0]]);
/// let xor: Dataset = Dataset::new(inputs, targets)?;
/// assert_eq!(xor.len(), 4);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset<T: Scalar = f32> {
    inputs: Tensor<T>,
    targets: Tensor<T>,
}

impl<T: Scalar> Dataset<T> {
    /// Pairs inputs with targets.
    ///
    /// # Errors
    /// When there are not as many of one as of the other, or one of them has no axis of samples.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let error = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([4])).unwrap_err();
    /// assert_eq!(error.to_string(), "there are 3 inputs [3, 2] and 4 targets [4]; each input needs one target");
    /// ```
    pub fn new(inputs: Tensor<T>, targets: Tensor<T>) -> Result<Self> {
        let (x, y) = (inputs.shape(), targets.shape());
        if x.is_empty() || y.is_empty() {
            return Err(Error::Data(format!(
                "inputs and targets need a first axis that counts samples, and their shapes are {x} and {y}"
            )));
        }
        if x[0] != y[0] {
            return Err(Error::Data(format!(
                "there are {} inputs {x} and {} targets {y}; each input needs one target",
                x[0], y[0]
            )));
        }
        Ok(Dataset { inputs, targets })
    }

    /// The inputs.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.inputs().shape(), [3, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn inputs(&self) -> &Tensor<T> {
        &self.inputs
    }

    /// The targets.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.targets().shape(), [3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn targets(&self) -> &Tensor<T> {
        &self.targets
    }

    /// The number of samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// assert_eq!(Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?.len(), 3);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.inputs.shape()[0]
    }

    /// Whether there are no samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// assert!(Dataset::new(Tensor::<f32>::zeros([0, 2]), Tensor::zeros([0]))?.is_empty());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of a range, without a copy.
    ///
    /// # Panics
    /// When the range goes beyond the samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.slice(1..3).len(), 2);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, range: Range<usize>) -> Dataset<T> {
        Dataset {
            inputs: self.inputs.slice(0, range.clone()),
            targets: self.targets.slice(0, range),
        }
    }

    /// The samples with these indices, in that order.
    ///
    /// # Panics
    /// When an index goes beyond the samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::from([[1.0], [2.0]]), Tensor::from([10.0, 20.0]))?;
    /// assert_eq!(data.take(&[1, 0]).targets().to_vec(), [20.0, 10.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn take(&self, indices: &[usize]) -> Dataset<T> {
        Dataset { inputs: self.inputs.take(indices), targets: self.targets.take(indices) }
    }

    /// The samples in order, in batches of a size; the last may be smaller.
    ///
    /// # Panics
    /// When the size is 0.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([5, 2]), Tensor::zeros([5]))?;
    /// assert_eq!(data.batches(2).map(|batch| batch.len()).collect::<Vec<_>>(), [2, 2, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn batches(&self, size: usize) -> impl Iterator<Item = Dataset<T>> + '_ {
        assert!(size > 0, "batches of size 0 never end");
        (0..self.len()).step_by(size).map(move |at| self.slice(at..(at + size).min(self.len())))
    }
}
