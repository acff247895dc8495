//! Class numbers as rows with a single 1.

use crate::error::{Error, Result};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// A row for each label: 1 at the label, 0 elsewhere. Keras calls it `to_categorical`.
///
/// # Errors
/// When a label is not below `classes`, and when there is not enough memory.
///
/// ```
/// use cinta::{Tensor, datasets::one_hot};
/// let targets: Tensor<f32> = one_hot(&[2, 0], 3)?;
/// assert_eq!(targets, Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
/// let error = one_hot::<f32>(&[2, 3], 3).unwrap_err();
/// assert_eq!(error.to_string(), "the label 3 of sample 1 is not one of the classes 0 to 2");
/// # Ok::<(), cinta::Error>(())
/// ```
#[inline(never)]
pub fn one_hot<T: Scalar>(labels: &[usize], classes: usize) -> Result<Tensor<T>> {
    if classes == 0 {
        return Err(Error::Data("one_hot needs at least one class".into()));
    }
    if let Some((sample, label)) = labels.iter().enumerate().find(|(_, label)| **label >= classes) {
        return Err(Error::Data(
            format!(
                "the label {label} of sample {sample} is not one of the classes 0 to {}",
                classes - 1
            )
            .into(),
        ));
    }
    let mut rows = Vec::new();
    let len = labels.len().saturating_mul(classes);
    if rows.try_reserve_exact(len).is_err() {
        return Err(Error::Data(
            format!(
                "rows of {classes} classes for {} labels are more than the memory holds",
                labels.len()
            )
            .into(),
        ));
    }
    rows.resize(len, T::zero());
    for (row, &label) in rows.chunks_exact_mut(classes).zip(labels) {
        row[label] = T::one();
    }
    Ok(Tensor::new([labels.len(), classes], rows))
}

compiled!(|labels: &[usize]| one_hot::<T>(labels, 2));
