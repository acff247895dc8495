//! Numbers as an option: one, or an array.

use crate::tensor::Tensor;

/// A number for all values, or an array that fits the last axes: `0.5`, `[0.2, 0.3, 0.5]` or a tensor.
///
/// ```
/// use cinta::{Numbers, Tensor};
/// assert_eq!(0.5.numbers(), Tensor::scalar(0.5));
/// assert_eq!([0.2, 0.8].numbers(), Tensor::from([0.2, 0.8]));
/// ```
pub trait Numbers {
    /// The numbers as a tensor.
    fn numbers(self) -> Tensor<f64>;
}

impl Numbers for f64 {
    fn numbers(self) -> Tensor<f64> {
        Tensor::scalar(self)
    }
}

impl<const N: usize> Numbers for [f64; N] {
    fn numbers(self) -> Tensor<f64> {
        Tensor::from(self)
    }
}

impl Numbers for Tensor<f64> {
    fn numbers(self) -> Tensor<f64> {
        self
    }
}
