//! The fraction of targets among the largest predictions.

use super::accuracy::class_numbers;
use super::{Direction, Metric, keras_metric, same_shape};
use crate::config::{Value, json};
use crate::error::Reason;
use crate::ops::is_class;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::options;

options! {
    /// The fraction of samples whose class, where the target is largest, is among the `k` largest outputs: fewer than `k` others
    /// are larger.
    ///
    /// ```
    /// use cinta::{Metric, Tensor, TopKCategoricalAccuracy};
    /// let targets = Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
    /// let predictions = Tensor::from([[0.1, 0.6, 0.3], [0.1, 0.3, 0.6]]);
    /// assert_eq!(TopKCategoricalAccuracy::new(2).state(&targets, &predictions), [1.0, 2.0]); // right, of all
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct TopKCategoricalAccuracy = "TopKCategoricalAccuracy";
    options {
        k: usize = 5, 2;
    }
}

options! {
    /// The fraction of samples whose target, a class number, is that of one of the `k` largest outputs: fewer than `k` others are
    /// larger.
    ///
    /// ```
    /// use cinta::{Metric, SparseTopKCategoricalAccuracy, Tensor};
    /// let predictions = Tensor::from([[0.1, 0.6, 0.3], [0.1, 0.3, 0.6]]);
    /// let state = SparseTopKCategoricalAccuracy::new(2).state(&Tensor::from([2.0, 0.0]), &predictions);
    /// assert_eq!(state, [1.0, 2.0]); // right, of all
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct SparseTopKCategoricalAccuracy = "SparseTopKCategoricalAccuracy";
    options {
        k: usize = 5, 2;
    }
}

impl TopKCategoricalAccuracy {
    /// Among the `k` largest.
    ///
    /// ```
    /// use cinta::TopKCategoricalAccuracy;
    /// assert_eq!(TopKCategoricalAccuracy::new(5), TopKCategoricalAccuracy::default());
    /// ```
    pub fn new(k: usize) -> Self {
        TopKCategoricalAccuracy { k }
    }
}

impl SparseTopKCategoricalAccuracy {
    /// Among the `k` largest.
    ///
    /// ```
    /// use cinta::SparseTopKCategoricalAccuracy;
    /// assert_eq!(SparseTopKCategoricalAccuracy::new(5), SparseTopKCategoricalAccuracy::default());
    /// ```
    pub fn new(k: usize) -> Self {
        SparseTopKCategoricalAccuracy { k }
    }
}

impl<T: Scalar> Metric<T> for TopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "top_k_categorical_accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        count(&targets.argmax(targets.shape().rank() - 1), predictions, self.k)
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        check_k(self.k)?;
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        let name = Metric::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_metric::<T>(Self::CLASS, name, own))
    }
}

impl<T: Scalar> Metric<T> for SparseTopKCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_top_k_categorical_accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let labels: Vec<usize> = targets.iter().map(|label| label.widen() as usize).collect();
        count(&labels, predictions, self.k)
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        check_k(self.k)?;
        class_numbers(targets, output)?;
        let classes = *output.last().expect("checked by class_numbers");
        match targets.iter().find(|label| !is_class(label.widen(), classes)) {
            Some(label) => {
                Err(format!("the label {label} is not one of the classes 0 to {}", classes - 1)
                    .into())
            }
            None => Ok(()),
        }
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        let name = Metric::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_metric::<T>(Self::CLASS, name, own))
    }
}

/// How many labels are among the `k` largest of their rows, and how many there are.
fn count<T: Scalar>(labels: &[usize], predictions: &Tensor<T>, k: usize) -> Vec<f64> {
    let predictions = predictions.row_major();
    let values = predictions.as_slice().expect("just made row-major");
    let rows = values.chunks_exact(values.len() / labels.len());
    let among = |(label, row): &(&usize, &[T])| {
        row.iter().filter(|&&p| p > row[**label]).count() < k && !row[**label].is_nan()
    };
    vec![labels.iter().zip(rows).filter(among).count() as f64, labels.len() as f64]
}

fn check_k(k: usize) -> Result<(), Reason> {
    if k == 0 { Err("k is 0; it is at least 1".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_predictions_share_a_rank() {
        let p = Tensor::from([[0.3, 0.3, 0.2, 0.2]]);
        let right = |label: f64, k: usize| {
            SparseTopKCategoricalAccuracy::new(k).state(&Tensor::from([label]), &p)[0]
        };
        assert_eq!(
            [right(0.0, 1), right(1.0, 1), right(2.0, 2), right(2.0, 3)],
            [1.0, 1.0, 0.0, 1.0]
        );
        // What is not a number is not large.
        let p = Tensor::from([[f64::NAN, 0.1]]);
        let state = SparseTopKCategoricalAccuracy::new(2).state(&Tensor::from([0.0]), &p);
        assert_eq!(state, [0.0, 1.0]);
    }

    #[test]
    fn targets_that_do_not_fit() {
        let check = |k: usize, labels: [f64; 2]| {
            let metric = SparseTopKCategoricalAccuracy::new(k);
            Metric::check(&metric, &Tensor::from(labels), Shape::new(&[3])).unwrap_err()
        };
        assert_eq!(check(0, [0.0, 1.0]), "k is 0; it is at least 1");
        assert_eq!(check(2, [0.0, 3.0]), "the label 3 is not one of the classes 0 to 2");
        assert_eq!(check(2, [0.0, 0.5]), "the label 0.5 is not one of the classes 0 to 2");
    }
}
