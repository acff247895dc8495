//! The layer that puts its inputs side by side.

use super::axis_list::in_batch;
use super::masking::merged;
use super::recipe::{described, recipe};
use super::{Context, MultiLayer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// Its inputs side by side along one axis, by default the last one: the channels of images. All other axes agree.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let image = Input::new([8, 8, 3]);
    /// let (a, b) = (image.then(Conv2d::new(4, 1)), image.then(Conv2d::new(2, 3).padding(Same)));
    /// let model = Model::new(&image, &Concatenate::new().of([&a, &b])).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 8, 6]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Concatenate = "Concatenate";
    /// Along the last axis.
    new();
    example ([2, 3] twice) => Concatenate::new() => [2, 6];
    options {
        /// Along another axis, as Keras counts them: 0 is that of the batch, which does not go, 1 the first of a sample, and
        /// -1 the last.
        axis: isize = -1, 1 => [4, 3];
    }
    fixed {}
    ignored []
}

impl<T: Scalar> MultiLayer<T> for Concatenate {
    described!();

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason> {
        let first = inputs[0];
        let axis = in_batch(self.axis, first.rank())? - 1;
        let mut output = first.to_vec();
        for input in &inputs[1..] {
            let fits = input.rank() == first.rank()
                && (0..first.rank()).all(|i| i == axis || input[i] == first[i]);
            if !fits {
                let shapes: Vec<String> = inputs.iter().map(Shape::to_string).collect();
                return Err(format!(
                    "needs inputs that differ in axis {} alone, and these have {}",
                    axis + 1,
                    shapes.join(" and ")
                )
                .into());
            }
            output[axis] = output[axis].saturating_add(input[axis]);
        }
        Ok(Shape::new(&output))
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let axis =
            in_batch(self.axis, inputs[0].shape().rank() - 1).expect("output_shape has checked it");
        Var::concat(inputs, axis)
    }

    fn mask(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        masks.iter().find(|mask| mask.is_some())?;
        // What has no mask counts everywhere.
        let all = |(input, mask): (&&Tensor<T>, &Option<&Tensor<T>>)| {
            mask.cloned().unwrap_or_else(|| Tensor::ones([input.shape()[0], input.shape()[1]]))
        };
        let masks: Vec<Tensor<T>> = inputs.iter().zip(masks).map(all).collect();
        match in_batch(self.axis, inputs[0].rank() - 1) {
            Ok(1) => Some(Tensor::concat(&masks.iter().map(Tensor::t).collect::<Vec<_>>()).t()),
            _ => merged(&masks.iter().map(Some).collect::<Vec<_>>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Along the steps, masks are put together as the inputs are; along another axis, a step counts where it does in one of them.
    #[test]
    fn masks() {
        let (long, short) = (Tensor::<f32>::zeros([2, 3, 1]), Tensor::zeros([2, 2, 1]));
        let mask = Tensor::from([[1.0, 0.0], [0.0, 1.0]]);
        let along = Concatenate::new().axis(1);
        let masked = along.mask(&[&long, &short], &[None, Some(&mask)]);
        let right = Tensor::from([[1.0, 1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0, 1.0]]);
        assert_eq!(masked, Some(right));
        let other = Tensor::from([[1.0, 1.0], [0.0, 0.0]]);
        let beside =
            |masks: [Option<&Tensor>; 2]| Concatenate::new().mask(&[&short, &short], &masks);
        assert_eq!(
            beside([Some(&mask), Some(&other)]),
            Some(Tensor::from([[1.0, 1.0], [0.0, 1.0]]))
        );
        assert_eq!(beside([Some(&mask), None]), Some(Tensor::ones([2, 2])));
        assert_eq!(beside([None, None]), None);
    }
}
