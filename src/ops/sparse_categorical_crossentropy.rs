//! Crossentropy against class numbers: the categorical one with a single 1 among the targets.

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

impl<'t, T: Scalar> Var<'t, T> {
    /// [`categorical_crossentropy`](Self::categorical_crossentropy) against class numbers:
    /// `L = -ln(q[label])`. `[n, classes]` and labels `[n]` give `[n]`.
    ///
    /// # Panics
    /// When there are not as many labels as rows, or one is not a whole number below `classes`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.leaf(Tensor::from([[0.25, 0.75]]));
    /// let loss = p.sparse_categorical_crossentropy(&Tensor::from([1.0]));
    /// assert_eq!(loss.value().to_vec(), [-(0.75f64).ln()]);
    /// ```
    #[track_caller]
    pub fn sparse_categorical_crossentropy(&self, labels: &Tensor<T>) -> Var<'t, T> {
        self.categorical_crossentropy(&targets(self.value(), labels))
    }

    /// [`categorical_crossentropy_from_logits`](Self::categorical_crossentropy_from_logits) against
    /// class numbers: `L = ln(sum over j of exp(z_j)) - z[label]`. `[n, classes]` and labels `[n]` give
    /// `[n]`.
    ///
    /// # Panics
    /// When there are not as many labels as rows, or one is not a whole number below `classes`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let z = tape.leaf(Tensor::from([[0.0, 0.0]]));
    /// let loss = z.sparse_categorical_crossentropy_from_logits(&Tensor::from([1.0]));
    /// assert_eq!(loss.backward().wrt(&z), Tensor::from([[0.5, -0.5]]));
    /// ```
    #[track_caller]
    pub fn sparse_categorical_crossentropy_from_logits(&self, labels: &Tensor<T>) -> Var<'t, T> {
        self.categorical_crossentropy_from_logits(&targets(self.value(), labels))
    }
}

/// The labels as rows with a single 1.
#[track_caller]
fn targets<T: Scalar>(predictions: &Tensor<T>, labels: &Tensor<T>) -> Tensor<T> {
    let [n, classes] = predictions.dims();
    assert_eq!(
        labels.len(),
        n,
        "crossentropy: predictions of shape {} and labels of shape {}",
        predictions.shape(),
        labels.shape()
    );
    let mut targets = Tensor::zeros([n, classes]);
    let rows = targets.as_mut_slice();
    for (row, label) in labels.iter().enumerate() {
        let class = label.widen();
        assert!(
            is_class(class, classes),
            "crossentropy: label {class} of row {row} is not one of the classes 0 to {}",
            classes as isize - 1
        );
        rows[row * classes + class as usize] = T::one();
    }
    targets
}

/// Whether a label is the number of one of so many classes.
pub(crate) fn is_class(label: f64, classes: usize) -> bool {
    label.fract() == 0.0 && (0.0..classes as f64).contains(&label)
}

compiled!(|y: &Var<T>, labels: &Tensor<T>| y.sparse_categorical_crossentropy(labels));
compiled!(|z: &Var<T>, labels: &Tensor<T>| z.sparse_categorical_crossentropy_from_logits(labels));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let labels = Tensor::from([2.0, 0.0]);
        let p = Var::constant(Tensor::from([[0.25, 0.25, 0.5], [0.125, 0.5, 0.375]]));
        let expected = Tensor::from([2.0f64.ln(), 8.0f64.ln()]);
        assert_close(p.sparse_categorical_crossentropy(&labels).value(), &expected);
        assert_close(
            p.ln().sparse_categorical_crossentropy_from_logits(&labels).value(),
            &expected,
        );
    }

    #[test]
    fn an_impossible_class_does_not_count() {
        let z = Var::constant(Tensor::from([[0.0, f64::NEG_INFINITY]]));
        let loss = z.sparse_categorical_crossentropy_from_logits(&Tensor::from([0.0]));
        assert_eq!(loss.value().item(), 0.0);
    }

    #[test]
    fn what_all_logits_have_in_common_does_not_count() {
        for v in [1.0, 1e4, 1e6, 1e8, 1e30, -1e8] {
            let z = Var::constant(Tensor::<f32>::full([1, 2], v));
            let loss = z.sparse_categorical_crossentropy_from_logits(&Tensor::from([1.0]));
            assert_eq!(loss.value().to_vec(), [std::f32::consts::LN_2], "{v}");
        }
    }

    #[test]
    fn gradient() {
        let labels = Tensor::from([4.0, 0.0, 2.0]);
        let p = random(&[3, 5], 0.1, 1.0, 1, 0);
        gradcheck(|[p]| p.sparse_categorical_crossentropy(&labels), [p]).unwrap();
        let z = random(&[3, 5], -3.0, 3.0, 1, 0);
        gradcheck(|[z]| z.sparse_categorical_crossentropy_from_logits(&labels), [z]).unwrap();
    }

    #[test]
    #[should_panic(expected = "label 3 of row 1 is not one of the classes 0 to 2")]
    fn a_label_out_of_range() {
        let p = Var::constant(Tensor::<f64>::ones([2, 3]));
        p.sparse_categorical_crossentropy(&Tensor::from([0.0, 3.0]));
    }

    proptest! {
        #[test]
        fn definition(p in tensors(2, 0.05, 2.0), seed in 0usize..100) {
            let [n, classes] = p.dims();
            prop_assume!(classes > 1);
            let labels = Tensor::from_fn([n], |i| ((i[0] + seed) % classes) as f64);
            let expected = Tensor::from_fn([n], |i| {
                let sum: f64 = (0..classes).map(|j| p.at([i[0], j])).sum();
                -(p.at([i[0], labels.at([i[0]]) as usize]) / sum).ln()
            });
            let p = Var::constant(p);
            assert_close(p.sparse_categorical_crossentropy(&labels).value(), &expected);
            assert_close(p.ln().sparse_categorical_crossentropy_from_logits(&labels).value(), &expected);
        }
    }
}
