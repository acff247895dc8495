//! The divergence of Kullback and Leibler as a loss.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// The divergence of Kullback and Leibler of predicted probabilities from target ones, as [`Var::kl_divergence`].
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(0)?;
/// model.compile(Compile::new(Adam::default(), KlDivergence));
/// // An input of zeros gives three equal probabilities: 2 (1/2 ln (1/2 : 1/3)).
/// let data = Dataset::new(Tensor::zeros([1, 4]), Tensor::from([[0.5, 0.5, 0.0]]))?;
/// assert!((model.evaluate(&data)?["loss"] - 1.5_f64.ln()).abs() < 1e-5);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KlDivergence;

no_options!(KlDivergence = "KLDivergence");

impl<T: Scalar> Loss<T> for KlDivergence {
    fn name(&self) -> &str {
        "kl_divergence"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&predictions.kl_divergence(targets))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}
