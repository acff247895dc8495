//! The softmax as a layer, along any axes.

use super::recipe::{described, recipe};
use super::{Activation, AxisList, Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The softmax as a layer of its own, `y_i = exp(x_i) / sum over j of exp(x_j)`, along one axis or several together.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 3]).add(Softmax::new().axis([1])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::zeros([1, 2, 3]))?.to_vec(), [0.5; 6]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Softmax = "Softmax";
    /// Along the last axis.
    new();
    example [4, 3] => Softmax::new() => [4, 3];
    options {
        /// The axes whose values together have the sum 1. As in Keras, 0 would be that of the samples, and -1 is the last one.
        axis: AxisList as impl Into<AxisList>, into = AxisList::from(-1), [1, 2];
    }
    fixed {}
    ignored []
}

impl Softmax {
    /// The axes in a batch whose samples have `rank` axes, in rising order.
    fn axes_in_batch(&self, rank: usize) -> Option<Vec<usize>> {
        self.axis.in_batch(rank).ok().filter(|axes| !axes.is_empty())
    }

    /// The activation that does the same.
    pub(super) fn into_activation(self) -> Result<Activation, Reason> {
        match *self.axis.given() {
            [-1] => Ok(Activation::Softmax),
            ref axes => {
                Err(format!("along axis {axes:?} it is a layer, but no activation; only -1 is")
                    .into())
            }
        }
    }
}

impl<T: Scalar> Layer<T> for Softmax {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let rank = input.rank();
        match self.axes_in_batch(rank) {
            Some(_) => Ok(input),
            None => Err(format!(
                "{:?} are not different axes of a sample of shape {input}; use 1 to {rank}, or -1 for the last",
                self.axis.given()
            ).into()),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let rank = x.shape().rank() - 1;
        let axes = self.axes_in_batch(rank).expect("output_shape has checked it");
        if axes == [rank] {
            return x.softmax();
        }
        let mut kept = x.shape().to_vec();
        axes.iter().for_each(|&axis| kept[axis] = 1);
        // The result is the same whatever is subtracted from all; the maximum keeps exp from overflowing.
        let max = x.value().max(&axes[..]).reshape(&kept[..]);
        let exp = (x - Var::constant(max)).exp();
        let sum = exp.sum(&axes[..]).reshape(&kept[..]);
        exp / sum
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        match Layer::<T>::activation(self, x.shape().sample()) {
            Activation::Softmax => x.clone(),
            _ => self.forward(weights, x, cx),
        }
    }

    /// Along the last axis it is the activation, along others a function of its own.
    fn activation(&self, input: Shape) -> Activation {
        match self.axes_in_batch(input.rank()).as_deref() {
            Some([axis]) if *axis == input.rank() => Activation::Softmax,
            _ => Activation::Linear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        for axes in [vec![1], vec![3, 1], vec![-1, 2], vec![1, 2, 3]] {
            let layer = Softmax::new().axis(axes);
            let x: Tensor<f64> = Tensor::uniform([3, 2, 4, 5], -1.0, 1.0, &mut Stream::new(3));
            gradcheck(|[x]| layer.forward(&[], x, &mut Context::new(Mode::Infer)), [x]).unwrap();
        }
    }

    /// A crossentropy looks behind the softmax of the last axis alone.
    #[test]
    fn what_goes_in() {
        for (axis, behind) in [(-1, true), (2, true), (1, false)] {
            let layer = Softmax::new().axis([axis]);
            let activation = Layer::<f32>::activation(&layer, Shape::from([4, 3]));
            assert_eq!(activation == Activation::Softmax, behind);
        }
    }

    #[test]
    fn large_values_do_not_overflow() {
        let x = Var::constant(Tensor::<f32>::full([1, 2, 3], 1e30));
        let y = Softmax::new().axis([1]).forward(&[], &x, &mut Context::new(Mode::Infer));
        assert_eq!(y.value().to_vec(), [0.5; 6]);
    }

    #[test]
    fn axes_that_a_sample_does_not_have() {
        for axes in [vec![0], vec![3], vec![-3], vec![2, -1], vec![]] {
            let layer = Softmax::new().axis(axes.clone());
            let error = Layer::<f32>::output_shape(&layer, [4, 3].into()).unwrap_err();
            assert!(error.as_str().contains("use 1 to 2, or -1"), "{axes:?}: {error}");
        }
    }
}
