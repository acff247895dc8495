//! Losses of margins: right by at least 1, or a loss.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// `max(1 - y p, 0)`, the mean over the outputs of a sample. Targets are -1 and 1; 0 and 1, where there are no others, count as these.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0, -1.0]]), Var::constant(Tensor::from([[0.5, 2.0]])));
/// assert_eq!(Hinge.per_sample(&y, &p).value().to_vec(), [1.75]); // of 0.5 and 3
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hinge;

no_options!(Hinge = "Hinge");

/// The square of [`Hinge`]'s, the mean over the outputs of a sample.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0, 0.0]]), Var::constant(Tensor::from([[0.5, 2.0]])));
/// assert_eq!(SquaredHinge.per_sample(&y, &p).value().to_vec(), [4.625]); // of 0.25 and 9
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SquaredHinge;

no_options!(SquaredHinge = "SquaredHinge");

/// How far the output of the right class is from being 1 above the largest other: `max(1 + max((1 - y) p) - Σ y p, 0)`, the mean over
/// all axes but the last.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[0.0, 1.0]]), Var::constant(Tensor::from([[0.25, 0.75]])));
/// assert_eq!(CategoricalHinge.per_sample(&y, &p).value().to_vec(), [0.5]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalHinge;

no_options!(CategoricalHinge = "CategoricalHinge");

/// `max(1 - y p, 0)`, element by element.
fn margins<'t, T: Scalar>(targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
    let binary = targets.iter().all(|y| y == T::zero() || y == T::one());
    let signs = if binary { targets.map(|y| y + y - T::one()) } else { targets.clone() };
    (predictions * Var::constant(signs)).affine(-T::one(), T::one()).relu()
}

impl<T: Scalar> Loss<T> for Hinge {
    fn name(&self) -> &str {
        "hinge"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&margins(targets, predictions))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

impl<T: Scalar> Loss<T> for SquaredHinge {
    fn name(&self) -> &str {
        "squared_hinge"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&margins(targets, predictions).square())
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

impl<T: Scalar> Loss<T> for CategoricalHinge {
    fn name(&self) -> &str {
        "categorical_hinge"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let last = targets.rank() - 1;
        let right = (predictions * Var::constant(targets.clone())).sum(last);
        let others = predictions * Var::constant(targets.map(|y| T::one() - y));
        over_samples(&(others.max(last) - right).affine(T::one(), T::one()).relu())
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}
