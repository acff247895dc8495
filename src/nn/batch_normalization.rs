//! Batch normalisation.

use super::axis_list::in_batch;
use super::recipe::{described, recipe};
use super::{Constraint, Context, DataFormat, Initializer, Layer, Mode, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::{Mask, Shape, Tensor};

recipe! {
    /// Batch normalisation: `gamma (x - mean) / sqrt(variance + epsilon) + beta` for every channel (Ioffe and Szegedy,
    /// 2015).
    ///
    /// While training, mean and biased variance are those of the batch, and moving averages follow them:
    /// `moving = momentum moving + (1 - momentum) batch`. In `predict` and `evaluate`, and where the layer is not
    /// [`trainable`](Self::trainable), the moving averages take their place.
    ///
    /// Its weights are `gamma`, `beta`, `moving_mean` and `moving_variance`, one value for each channel; training changes the
    /// last two without a gradient. Keras's defaults: the last axis, a momentum of 0.99, an epsilon of 0.001.
    ///
    /// Where a mask says which steps count, mean and variance are those of the steps that do; all steps are normalised.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(BatchNormalization::new()).build(0)?;
    /// assert_eq!(model.count_params(), 4 * 3);
    /// assert!(model.summary().to_string().contains("Non-trainable params: 6"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct BatchNormalization = "BatchNormalization";
    /// Normalises every channel of the last axis.
    new();
    example [8, 3] => BatchNormalization::new() => [8, 3];
    options {
        /// The axis of the channels. As in Keras, 0 would be that of the samples, and -1 is the last one.
        axis: isize = -1, 1;
        /// How much of a moving average stays in each step of training.
        momentum: f64 = 0.99, 0.9;
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
        /// How the moving mean begins.
        moving_mean_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
        /// How the moving variance begins.
        moving_variance_initializer: Initializer = Initializer::Ones, Initializer::Zeros;
        /// The penalty on `beta`.
        beta_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// The penalty on `gamma`.
        gamma_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.01);
        /// What `beta` is kept within.
        beta_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
        /// What `gamma` is kept within.
        gamma_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
    }
    fixed { "synchronized": false }
    only { "renorm": false }
    // Of no consequence without renorm, or for what is computed.
    ignored ["renorm_clipping", "renorm_momentum", "fused"]
}

impl BatchNormalization {
    /// The axis in a batch whose samples have `rank` axes.
    fn axis_in_batch(&self, rank: usize) -> Option<usize> {
        in_batch(self.axis, rank).ok()
    }

    /// Whether the channels are those of samples of this rank in this format.
    pub(crate) fn is_over_the_channels(&self, format: DataFormat, rank: usize) -> bool {
        let axis = match format {
            DataFormat::ChannelsLast => rank,
            DataFormat::ChannelsFirst => 1,
        };
        self.axis_in_batch(rank) == Some(axis)
    }

    /// What the moving averages make of each channel, for these weights: a factor, and what is added.
    pub(crate) fn moving(&self, weights: &[Tensor<f64>]) -> (Tensor<f64>, Tensor<f64>) {
        let trained = usize::from(self.scale) + usize::from(self.center);
        let [mean, variance] = [&weights[trained], &weights[trained + 1]];
        let inverse = variance.map(|v| (v + self.epsilon).sqrt().recip());
        let scale = if self.scale { &weights[0] * &inverse } else { inverse };
        let shift = -(mean * &scale);
        let shift = if self.center { &weights[trained - 1] + &shift } else { shift };
        (scale, shift)
    }

    /// The normalised input, by the moving averages.
    fn infer<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        axis: usize,
        [gamma, beta]: [Option<&Var<'t, T>>; 2],
        [mean, variance]: [&Var<'t, T>; 2],
    ) -> Var<'t, T> {
        let inverse = variance.value().map(|v| (v + T::lit(self.epsilon)).sqrt().recip());
        let inverse = Var::constant(inverse);
        let scale = gamma.map_or_else(|| inverse.clone(), |gamma| gamma * &inverse);
        let shift = mean * &scale * -T::one();
        let shift = beta.map_or_else(|| shift.clone(), |beta| beta + &shift);
        // [c, 1, 1] where two axes come after the channels
        let mut beside = vec![1; x.shape().rank() - axis];
        beside[0] = x.shape()[axis];
        x * scale.reshape(&beside[..]) + shift.reshape(&beside[..])
    }

    /// The normalised input, its mean and its variance, these of the vectors that count alone: with `k` of their numbers in a channel,
    /// `mean = sum(x) / k` and `variance = sum((x - mean)^2) / k`, and 0 where `k` is.
    fn of_those_that_count<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        axis: usize,
        [gamma, beta]: [&Var<'t, T>; 2],
        counts: &Mask,
    ) -> (Var<'t, T>, Tensor<T>, Tensor<T>) {
        let shape = x.shape();
        let others: Vec<usize> = (0..shape.rank()).filter(|&other| other != axis).collect();
        let mut beside = vec![1; shape.rank()];
        beside[axis] = shape[axis];
        let zero = Var::constant(Tensor::scalar(T::zero()));
        let k = Tensor::select(counts, &Tensor::ones(shape), zero.value()).sum(&others[..]);
        let k = Var::constant(k.map(|k| k.max(T::one())));
        let averaged = |x: &Var<'t, T>| Var::select(counts, x, &zero).sum(&others[..]) / &k;
        let mean = averaged(x);
        let distance = x - mean.reshape(&beside[..]);
        let variance = averaged(&distance.square());
        let epsilon = Var::constant(Tensor::scalar(T::lit(self.epsilon)));
        let scale = gamma * (&variance + epsilon).rsqrt();
        let y = distance * scale.reshape(&beside[..]) + beta.reshape(&beside[..]);
        (y, mean.into_value(), variance.into_value())
    }

    /// The normalised input, and behind it a rectifier, if there is one.
    fn normalized<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        rectifier: Option<Rectifier>,
    ) -> Var<'t, T> {
        let axis = self.axis_in_batch(x.shape().rank() - 1).expect("output_shape has checked it");
        let trained = usize::from(self.scale) + usize::from(self.center);
        let gamma = self.scale.then(|| &weights[0]);
        let beta = self.center.then(|| &weights[trained - 1]);
        let averages = [&weights[trained], &weights[trained + 1]];
        if !cx.trainable() || cx.mode() == Mode::Infer {
            let y = self.infer(x, axis, [gamma, beta], averages);
            return match rectifier {
                Some(rectifier) => y.rectifier(rectifier),
                None => y,
            };
        }
        let channels = [x.shape()[axis]];
        let [one, zero] = [Tensor::ones(channels), Tensor::zeros(channels)].map(Var::constant);
        let both = [gamma.unwrap_or(&one), beta.unwrap_or(&zero)];
        let (y, mean, variance) = match cx.mask().and_then(|mask| beside_channels(mask, x)) {
            Some(counts) => {
                let (y, mean, variance) = self.of_those_that_count(x, axis, both, &counts);
                (rectifier.map_or_else(|| y.clone(), |it| y.rectifier(it)), mean, variance)
            }
            None => x.batch_norm_with(both, axis, self.epsilon, rectifier),
        };
        let [keep, take] = [self.momentum, 1.0 - self.momentum].map(T::lit);
        for (i, new) in [mean, variance].into_iter().enumerate() {
            let moved = averages[i].value().zip_with(&new, |old, new| old * keep + new * take);
            cx.set_weight(trained + i, moved);
        }
        y
    }
}

/// Which of the vectors of the last axis count, if the mask says it of each: `[n, steps]` becomes `[n, steps, 1]`. Keras fails with other masks.
fn beside_channels<T: Scalar>(mask: &Tensor<T>, x: &Var<'_, T>) -> Option<Mask> {
    let shape = x.shape();
    let vectors = &shape[..shape.rank() - 1];
    (mask.shape()[..] == *vectors)
        .then(|| mask.not_equal(T::zero()).reshape(&[vectors, &[1]].concat()[..]))
}

impl<T: Scalar> Layer<T> for BatchNormalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let rank = input.rank();
        if self.axis_in_batch(rank).is_none() {
            return Err(format!(
                "the axis {} is none of a sample of shape {input}; use 1 to {rank}, or -1 for the last",
                self.axis
            ).into());
        }
        let positive = |x: f64| x.is_finite() && x >= 0.0;
        if !positive(self.epsilon) || !self.momentum.is_finite() {
            return Err(format!(
                "momentum = {} and epsilon = {} must be finite, and epsilon at least 0",
                self.momentum, self.epsilon
            )
            .into());
        }
        let both = [self.gamma_regularizer, self.beta_regularizer];
        both.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let axis = self.axis_in_batch(input.rank()).expect("output_shape has checked it");
        let channels = [input[axis - 1]];
        let gamma = Weight::new("gamma", channels, self.gamma_initializer)
            .regularizer(self.gamma_regularizer)
            .constraint(self.gamma_constraint.clone());
        let beta = Weight::new("beta", channels, self.beta_initializer)
            .regularizer(self.beta_regularizer)
            .constraint(self.beta_constraint.clone());
        let mean = Weight::new("moving_mean", channels, self.moving_mean_initializer);
        let variance = Weight::new("moving_variance", channels, self.moving_variance_initializer);
        let averages = [mean, variance].map(|weight| Some(weight.trainable(false)));
        let trained = [self.scale.then_some(gamma), self.center.then_some(beta)];
        trained.into_iter().chain(averages).flatten().collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.normalized(weights, x, cx, None)
    }

    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        self.normalized(weights, x, cx, Some(rectifier))
    }

    fn couples_samples_in_training(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::tensor::Stream;

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 2, 4, 5], -1.0, 1.0, &mut Stream::new(3));
        let train = Mode::Train { seed: 0, step: 0, layer: 0, first_sample: 0 };
        for (axis, channels) in [(-1, 5), (1, 2), (2, 4)] {
            let layer = BatchNormalization::new().axis(axis);
            let [gamma, beta, mean, variance] = [1, 2, 3, 4]
                .map(|seed| Tensor::<f64>::uniform([channels], 0.5, 2.0, &mut Stream::new(seed)));
            for mode in [train, Mode::Infer] {
                gradcheck(
                    |[x, g, b]| {
                        let [mean, variance] = [&mean, &variance].map(|w| Var::constant(w.clone()));
                        let weights = [g.clone(), b.clone(), mean, variance];
                        layer.forward(&weights, x, &mut Context::new(mode)).square()
                    },
                    [x.clone(), gamma.clone(), beta.clone()],
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn the_axis_of_samples_is_refused() {
        let error = Layer::<f32>::output_shape(&BatchNormalization::new().axis(0), [4, 3].into());
        assert!(error.unwrap_err().as_str().contains("use 1 to 2"));
    }
}
