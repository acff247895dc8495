//! The layer that gives vectors the length 1.

use super::recipe::{described, recipe};
use super::{AxisList, Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// Every vector divided by its length, `x / max(sqrt(sum of x^2), 1e-12)`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(UnitNormalization::new()).build(0)?;
    /// let y = model.predict(&Tensor::from([[3.0, -4.0], [0.0, 0.0]]))?;
    /// assert!(y.all_close(&Tensor::from([[0.6, -0.8], [0.0, 0.0]]), 1e-6, 0.0));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct UnitNormalization = "UnitNormalization";
    /// Along the last axis.
    new();
    example [8, 3] => UnitNormalization::new() => [8, 3];
    options {
        /// Along another axis, or several. As in Keras, 1 is the first axis of a sample, and -1 the last.
        axis: AxisList as impl Into<AxisList>, into = AxisList::from(-1), [1, 2];
    }
    fixed {}
    ignored []
}

/// `x` divided by its length along axes of the batch, which is taken to be at least `least`.
pub(super) fn of_unit_length<'t, T: Scalar>(
    x: &Var<'t, T>,
    axes: &[usize],
    least: f64,
) -> Var<'t, T> {
    let mut kept = x.shape().to_vec();
    axes.iter().for_each(|&axis| kept[axis] = 1);
    let length = x.square().sum(axes).reshape(&kept[..]).sqrt();
    x / length.maximum(&Var::constant(Tensor::scalar(T::lit(least))))
}

impl<T: Scalar> Layer<T> for UnitNormalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.axis.in_batch(input.rank()).map(|_| input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let axes = self.axis.in_batch(x.shape().rank() - 1).expect("output_shape has checked it");
        of_unit_length(x, &axes, 1e-12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    fn cubed<'t>(y: &Var<'t, f64>) -> Var<'t, f64> {
        y.square() * y
    }

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 4, 5], -1.0, 1.0, &mut Stream::new(3));
        for axis in [AxisList::from(-1), AxisList::from(1), AxisList::from([2, 1])] {
            let layer = UnitNormalization::new().axis(axis);
            let cx = || Context::new(Mode::Infer);
            // Cubed, for the sum of the squares is always the same.
            gradcheck(|[x]| cubed(&layer.forward(&[], x, &mut cx())), [x.clone()]).unwrap();
        }
    }
}
