//! The rectifier that learns its slope.

use super::recipe::{described, recipe};
use super::{Constraint, Context, Initializer, Layer, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The rectifier that learns its slope below 0: `y = x` where `x > 0`, else `y = alpha x` (He, Zhang, Ren and Sun, *Delving deep
    /// into rectifiers*, 2015).
    ///
    /// Its weight is `alpha`, one value for each place of a sample; the axes of `shared_axes` share theirs, for images usually
    /// height and width, 1 and 2.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(PRelu::new().shared_axes([1, 2])).build(0)?;
    /// assert_eq!(model.weight("p_re_lu", "alpha")?.shape(), [1, 1, 3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct PRelu = "PReLU";
    /// Begins with a slope of 0.
    new();
    example [8, 3] => PRelu::new() => [8, 3];
    options {
        /// How `alpha` is drawn.
        alpha_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
        /// The penalty on `alpha`.
        alpha_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// What `alpha` is kept within.
        alpha_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
        /// The axes that share their slope, counted as in a batch: 1 is the first of a sample.
        shared_axes: Vec<isize> as impl Into<Vec<isize>>, into = Vec::new(), [1];
    }
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for PRelu {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let rank = input.rank();
        let of_sample = |axis: isize| usize::try_from(axis).is_ok_and(|a| (1..=rank).contains(&a));
        if let Some(axis) = self.shared_axes.iter().find(|&&axis| !of_sample(axis)) {
            return Err(format!(
                "the shared axis {axis} is none of a sample of shape {input}; use 1 to {rank}"
            )
            .into());
        }
        self.alpha_regularizer.map_or(Ok(()), Regularizer::check)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let mut shape = input.to_vec();
        self.shared_axes.iter().for_each(|&axis| shape[axis as usize - 1] = 1);
        let alpha = Weight::new("alpha", Shape::new(&shape), self.alpha_initializer)
            .regularizer(self.alpha_regularizer)
            .constraint(self.alpha_constraint.clone());
        vec![alpha]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        x.relu() - &weights[0] * (-x).relu()
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
        for (axes, shape) in [(vec![], [4, 5]), (vec![1], [1, 5]), (vec![1, 2], [1, 1])] {
            let layer = PRelu::new().shared_axes(axes);
            let x: Tensor<f64> = Tensor::uniform([3, 4, 5], -1.0, 1.0, &mut Stream::new(3));
            let alpha = Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(4));
            gradcheck(
                |[x, alpha]| {
                    layer.forward(std::slice::from_ref(alpha), x, &mut Context::new(Mode::Infer))
                },
                [x, alpha],
            )
            .unwrap();
        }
    }

    #[test]
    fn the_axis_of_samples_is_not_shared() {
        let layer = PRelu::new().shared_axes([0]);
        let error = Layer::<f32>::output_shape(&layer, [4, 3].into()).unwrap_err();
        assert!(error.as_str().ends_with("use 1 to 2"), "{error}");
    }
}
