//! Normalisation of groups of channels.

use super::axis_list::in_batch;
use super::layer_normalization::{check_epsilon, gamma_and_beta, with_last};
use super::recipe::{described, recipe};
use super::{Constraint, Context, Initializer, Layer, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// Group normalisation: neighbouring channels are grouped, and `gamma (x - mean) / sqrt(variance + epsilon) + beta` has the
    /// mean and biased variance of a group in one sample (Wu and He, 2018). `gamma` and `beta` have a value for each channel.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(GroupNormalization::new().groups(2).epsilon(0.0)).build(0)?;
    /// let y = model.predict(&Tensor::from([[1.0, 3.0, 20.0, 10.0]]))?;
    /// assert_eq!(y.to_vec(), [-1.0, 1.0, 1.0, -1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct GroupNormalization = "GroupNormalization";
    /// In 32 groups along the last axis.
    new();
    example [8, 64] => GroupNormalization::new() => [8, 64];
    options {
        /// How many groups there are, which must divide the channels; -1 is one for each channel.
        groups: isize = 32, -1;
        /// The axis of the channels. As in Keras, 1 is the first axis of a sample, and -1 the last.
        axis: isize = -1, 2;
        /// What is added to the variance, so that no division is by 0.
        epsilon: f64 = 1e-3, 1e-5;
        /// Whether `beta` is added.
        center: bool = true, false;
        /// Whether `gamma` multiplies.
        scale: bool = true, false;
        /// How `beta` is drawn.
        beta_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
        /// How `gamma` is drawn.
        gamma_initializer: Initializer = Initializer::Ones, Initializer::Zeros;
        /// The penalty on `beta`.
        beta_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// The penalty on `gamma`.
        gamma_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.01);
        /// What `beta` is kept within.
        beta_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
        /// What `gamma` is kept within.
        gamma_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
    }
    fixed {}
    ignored []
}

impl GroupNormalization {
    /// The axis of the batch, its channels, and how many groups they are.
    fn of(&self, sample: Shape) -> Result<(usize, usize, usize), Reason> {
        let axis = in_batch(self.axis, sample.rank())?;
        let channels = sample[axis - 1];
        let groups =
            if self.groups == -1 { Some(channels) } else { usize::try_from(self.groups).ok() };
        match groups {
            Some(groups) if groups > 0 && channels.is_multiple_of(groups) => {
                Ok((axis, channels, groups))
            }
            _ => Err(format!(
                "groups = {} does not divide the {channels} channels of axis {axis} of {sample}",
                self.groups
            )
            .into()),
        }
    }
}

impl<T: Scalar> Layer<T> for GroupNormalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.of(input)?;
        check_epsilon(self.epsilon)?;
        let both = [self.gamma_regularizer, self.beta_regularizer];
        both.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let (_, channels, _) = self.of(input).expect("output_shape has checked it");
        let gamma = Weight::new("gamma", [channels], self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .constraint(self.gamma_constraint.clone());
        let beta = Weight::new("beta", [channels], self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .constraint(self.beta_constraint.clone());
        let both = [self.scale.then_some(gamma), self.center.then_some(beta)];
        both.into_iter().flatten().collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let (axis, channels, groups) =
            self.of(x.shape().sample()).expect("output_shape has checked it");
        let [gamma, beta] =
            gamma_and_beta(weights, [self.scale, self.center], Shape::from([channels]));
        with_last(x, &[axis], &|x| x.group_norm(&gamma, &beta, groups, self.epsilon))
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
        let x: Tensor<f64> = Tensor::uniform([2, 4, 3, 6], -1.0, 1.0, &mut Stream::new(3));
        for (axis, groups, channels) in [(-1, 3, 6), (1, 2, 4), (2, -1, 3)] {
            let layer = GroupNormalization::new().axis(axis).groups(groups);
            let [gamma, beta] = [1, 2]
                .map(|seed| Tensor::<f64>::uniform([channels], 0.5, 2.0, &mut Stream::new(seed)));
            gradcheck(
                |[x, g, b]| {
                    let weights = [g.clone(), b.clone()];
                    layer.forward(&weights, x, &mut Context::new(Mode::Infer)).square()
                },
                [x.clone(), gamma, beta],
            )
            .unwrap();
        }
    }

    #[test]
    fn groups_divide_the_channels() {
        for groups in [4, 0, -2, 12] {
            let layer = GroupNormalization::new().groups(groups);
            let error = Layer::<f32>::output_shape(&layer, Shape::from([2, 6])).unwrap_err();
            assert!(error.as_str().contains("does not divide the 6 channels"), "{error}");
        }
    }
}
