//! Normalisation of each sample by itself.

use super::recipe::{described, recipe};
use super::{AxisList, Constraint, Context, Initializer, Layer, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// Layer normalisation: `gamma (x - mean) / sqrt(variance + epsilon) + beta`, with the mean and biased variance of every
    /// sample along some axes (Ba, Kiros and Hinton, 2016). `gamma` and `beta` have a value for each place along these axes.
    /// Nothing depends on other samples, so training and prediction are the same.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(LayerNormalization::new().epsilon(0.0)).build(0)?;
    /// let y = model.predict(&Tensor::from([[1.0, 3.0], [20.0, 10.0]]))?;
    /// assert_eq!(y, Tensor::from([[-1.0, 1.0], [1.0, -1.0]]));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct LayerNormalization = "LayerNormalization";
    /// Along the last axis.
    new();
    example [8, 3] => LayerNormalization::new() => [8, 3];
    options {
        /// Along another axis, or several. As in Keras, 1 is the first axis of a sample, and -1 the last.
        axis: AxisList as impl Into<AxisList>, into = AxisList::from(-1), [1, 2];
        /// What is added to the variance, so that no division is by 0.
        epsilon: f64 = 1e-3, 1e-5;
        /// Whether `beta` is added.
        center: bool = true, false;
        /// Whether `gamma` multiplies.
        scale: bool = true, false;
        /// Whether `x` is divided by its standard deviation alone: `gamma x / sqrt(variance + epsilon)`, with a `gamma` in any case, and without `beta`. The variance is that about the
        /// mean, unlike that of [`RmsNormalization`](super::layers::RmsNormalization).
        rms_scaling: bool = false, true;
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

/// That a division is not by the root of something negative.
pub(super) fn check_epsilon(epsilon: f64) -> Result<(), Reason> {
    if epsilon.is_finite() && epsilon >= 0.0 {
        Ok(())
    } else {
        Err(format!("epsilon = {epsilon} must be finite, and at least 0").into())
    }
}

/// What is done to `x` with some axes of the batch, in ascending order, as its last ones.
pub(super) fn with_last<'t, T: Scalar>(
    x: &Var<'t, T>,
    axes: &[usize],
    of: &dyn Fn(&Var<'t, T>) -> Var<'t, T>,
) -> Var<'t, T> {
    let rank = x.shape().rank();
    let others = (0..rank).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
    if order.is_sorted() {
        return of(x);
    }
    let mut back = vec![0; rank];
    order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
    of(&x.permute_axes(&order)).permute_axes(&back)
}

/// The sizes of a sample along axes of the batch.
pub(super) fn along(sample: Shape, axes: &[usize]) -> Shape {
    let sizes: Vec<usize> = axes.iter().map(|&axis| sample[axis - 1]).collect();
    Shape::new(&sizes)
}

/// `gamma` and `beta` of these weights, or ones and zeros.
pub(super) fn gamma_and_beta<'t, T: Scalar>(
    weights: &[Var<'t, T>],
    [scale, center]: [bool; 2],
    shape: Shape,
) -> [Var<'t, T>; 2] {
    let mut weights = weights.iter().cloned();
    let mut next = |given: bool, fixed: Tensor<T>| {
        given.then(|| weights.next()).flatten().unwrap_or_else(|| Var::constant(fixed))
    };
    [next(scale, Tensor::ones(shape)), next(center, Tensor::zeros(shape))]
}

impl LayerNormalization {
    /// Whether there is a `gamma`, and a `beta`.
    fn learnt(&self) -> [bool; 2] {
        [self.scale || self.rms_scaling, self.center && !self.rms_scaling]
    }
}

impl<T: Scalar> Layer<T> for LayerNormalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.axis.in_batch(input.rank())?;
        check_epsilon(self.epsilon)?;
        let both = [self.gamma_regularizer, self.beta_regularizer];
        both.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let axes = self.axis.in_batch(input.rank()).expect("output_shape has checked it");
        let shape = along(input, &axes);
        let gamma = Weight::new("gamma", shape, self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .constraint(self.gamma_constraint.clone());
        let beta = Weight::new("beta", shape, self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .constraint(self.beta_constraint.clone());
        let [scale, center] = self.learnt();
        let both = [scale.then_some(gamma), center.then_some(beta)];
        both.into_iter().flatten().collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let sample = x.shape().sample();
        let axes = self.axis.in_batch(sample.rank()).expect("output_shape has checked it");
        let shape = along(sample, &axes);
        let [gamma, beta] = gamma_and_beta(weights, self.learnt(), shape);
        with_last(x, &axes, &|x| match self.rms_scaling {
            false => x.layer_norm(&gamma, &beta, self.epsilon),
            true => {
                let (places, rank) = (x.shape(), x.shape().rank());
                let last: Vec<usize> = (rank - axes.len()..rank).collect();
                let mut kept = places.to_vec();
                kept[rank - axes.len()..].fill(1);
                let deviation = (x.var(&last[..], 0) + T::lit(self.epsilon)).rsqrt();
                x * deviation.reshape(&kept[..]) * &gamma
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 2, 4, 5], -1.0, 1.0, &mut Stream::new(3));
        for axis in [AxisList::from(-1), AxisList::from(2), AxisList::from([3, 1])] {
            let layer = LayerNormalization::new().axis(axis);
            let shapes = Layer::<f64>::weights(&layer, x.shape().sample());
            let [gamma, beta] = [0, 1].map(|i: usize| {
                Tensor::<f64>::uniform(shapes[i].shape, 0.5, 2.0, &mut Stream::new(i as u64))
            });
            gradcheck(
                |[x, g, b]| {
                    let weights = [g.clone(), b.clone()];
                    layer.forward(&weights, x, &mut Context::new(Mode::Infer)).square()
                },
                [x.clone(), gamma.clone(), beta],
            )
            .unwrap();
            let layer = layer.rms_scaling(true).scale(false);
            gradcheck(
                |[x, g]| {
                    layer
                        .forward(std::slice::from_ref(g), x, &mut Context::new(Mode::Infer))
                        .square()
                },
                [x.clone(), gamma],
            )
            .unwrap();
        }
    }

    #[test]
    fn axes_and_epsilon_are_checked() {
        let shape =
            |layer: LayerNormalization| Layer::<f32>::output_shape(&layer, Shape::from([4, 3]));
        assert!(shape(LayerNormalization::new().axis(0)).unwrap_err().as_str().contains("1 to 2"));
        assert!(
            shape(LayerNormalization::new().axis([2, -1])).unwrap_err().as_str().contains("twice")
        );
        assert!(
            shape(LayerNormalization::new().epsilon(-1.0))
                .unwrap_err()
                .as_str()
                .contains("epsilon = -1")
        );
    }
}
