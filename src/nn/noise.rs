//! Random numbers while training: noise that is added or multiplied.

use super::dropout::{check_noise_shape, check_rate, dropped};
use super::recipe::{described, recipe};
use super::{Context, Layer, Mode};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// In training, adds normal numbers with mean 0 and this standard deviation; in `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(GaussianNoise::new(0.5)).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct GaussianNoise = "GaussianNoise";
    /// A layer that adds noise of this standard deviation. Keras 3 takes none above 1, Keras 2 any.
    new(stddev: f64);
    example [8, 3] => GaussianNoise::new(0.5) => [8, 3];
    options {}
    // The random numbers come from the model's seed.
    null ["seed"]
    fixed {}
    ignored []
}

recipe! {
    /// In training, multiplies by normal numbers with mean 1 and variance `rate / (1 - rate)`, that of [`Dropout`](crate::Dropout)
    /// with the same rate (Srivastava et al., 2014); in `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(GaussianDropout::new(0.5)).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct GaussianDropout = "GaussianDropout";
    /// A layer with this rate, from 0 to 1. With a rate of 1 there is no such number, and it does nothing, as in Keras 2.
    new(rate: f64);
    example [8, 3] => GaussianDropout::new(0.5) => [8, 3];
    options {}
    null ["seed"]
    fixed {}
    ignored []
}

recipe! {
    /// In training, sets a fraction `rate` of its input to -1.7581, where the activation `Selu` ends far below 0, and scales
    /// and shifts all so that mean 0 and variance 1 stay (Klambauer et al., *Self-normalizing neural networks*, 2017); in
    /// `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(AlphaDropout::new(0.5)).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct AlphaDropout = "AlphaDropout";
    /// A layer with this rate, from 0 to 1. With a rate of 1 there is no such number, and it does nothing, as in Keras 2.
    new(rate: f64);
    example [8, 3] => AlphaDropout::new(0.5) => [8, 3];
    options {
        /// The shape of what is drawn, if some values share their fate: `[None, Some(1), None]` is one number for each sample and
        /// channel.
        noise_shape: Vec<Option<usize>> as impl Into<Vec<Option<usize>>>, into = Vec::new(), [None, Some(1), None];
    }
    null ["seed"]
    fixed {}
    ignored []
}

/// Normal numbers of a batch's shape, those of a sample from a stream of its own: `None` where the layer does nothing.
fn normal<T: Scalar>(shape: Shape, mean: f64, stddev: f64, cx: &Context<T>) -> Option<Tensor<T>> {
    let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
        return None;
    };
    let sample = shape.sample().batch(1);
    let draw = |i: usize| {
        let number = first_sample.wrapping_add(i) as u64;
        Tensor::normal(sample, mean, stddev, &mut stream.fork(number))
    };
    let noisy = stddev > 0.0 && stddev.is_finite() && shape[0] > 0;
    noisy.then(|| Tensor::concat(&(0..shape[0]).map(draw).collect::<Vec<_>>()))
}

impl<T: Scalar> Layer<T> for GaussianNoise {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if self.stddev.is_finite() && self.stddev >= 0.0 {
            Ok(input)
        } else {
            Err(format!("the standard deviation {} is not finite, and at least 0", self.stddev)
                .into())
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        match normal(x.shape(), 0.0, self.stddev, cx) {
            Some(noise) => x + Var::constant(noise),
            None => x.clone(),
        }
    }
}

impl<T: Scalar> Layer<T> for GaussianDropout {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        check_rate(self.rate).map(|()| input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        match normal(x.shape(), 1.0, (self.rate / (1.0 - self.rate)).sqrt(), cx) {
            Some(noise) => x * Var::constant(noise),
            None => x.clone(),
        }
    }
}

/// Where `Selu` ends, `-1.0507 1.6733`.
const SELU_END: f64 = -1.758_099_340_847_376_6;

impl<T: Scalar> Layer<T> for AlphaDropout {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        check_rate(self.rate)?;
        check_noise_shape(&self.noise_shape, input)?;
        Ok(input)
    }

    // y = a x + b for the survivors, a SELU_END + b for the others
    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let survivors = dropped(x.shape(), self.rate, &self.noise_shape, cx);
        let Some(survivors) = survivors.filter(|_| self.rate < 1.0) else { return x.clone() };
        let a = 1.0 / ((1.0 - self.rate) * (1.0 + self.rate * SELU_END * SELU_END)).sqrt();
        let b = -a * SELU_END * self.rate;
        let [a, b, end] = [a, b, a * SELU_END + b].map(T::lit);
        let factor = survivors.map(|mask| a.kept_if(mask > T::zero()));
        let summand = survivors.map(|mask| if mask > T::zero() { b } else { end });
        x * Var::constant(factor) + Var::constant(summand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::nn::layers::{Dropout, SpatialDropout1d, SpatialDropout2d, SpatialDropout3d};
    use crate::tensor::Stream;

    fn context(first_sample: usize) -> Context<f64> {
        Context::new(Mode::Train { seed: 7, step: 3, layer: 1, first_sample })
    }

    fn run(layer: &dyn Layer<f64>, x: &Tensor<f64>, mut cx: Context<f64>) -> Tensor<f64> {
        layer.forward(&[], &Var::constant(x.clone()), &mut cx).into_value()
    }

    fn mean_and_variance(x: &Tensor<f64>) -> (f64, f64) {
        let mean = x.mean(..).item();
        (mean, (x - mean).square().mean(..).item())
    }

    #[test]
    fn moments() {
        // 200 000 numbers: the mean is off by 0.002, as a rule, and the variance by 0.003.
        let ones = Tensor::ones([200, 1000]);
        let (mean, variance) = mean_and_variance(&run(&GaussianNoise::new(0.5), &ones, context(0)));
        assert!((mean - 1.0).abs() < 0.01 && (variance - 0.25).abs() < 0.01, "{mean} {variance}");
        let (mean, variance) =
            mean_and_variance(&run(&GaussianDropout::new(0.2), &ones, context(0)));
        assert!((mean - 1.0).abs() < 0.01 && (variance - 0.25).abs() < 0.01, "{mean} {variance}");
        let x = Tensor::normal([200, 1000], 0.0, 1.0, &mut Stream::new(3));
        let y = run(&AlphaDropout::new(0.3), &x, context(0));
        let (mean, variance) = mean_and_variance(&y);
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        // a (-1.7581) + b, with the numbers of the paper for a rate of 0.3
        let a = 1.0 / (0.7f64 * (1.0 + 0.3 * 1.758_099f64.powi(2))).sqrt();
        let end = -1.758_099 * a + a * 1.758_099 * 0.3;
        let dropped = y.iter().filter(|y| (y - end).abs() < 1e-5).count() as f64 / 200_000.0;
        assert!((dropped - 0.3).abs() < 0.01, "{dropped} at {end}");
        assert_eq!(run(&AlphaDropout::new(0.0), &x, context(0)), x);
    }

    /// A sample gets the same numbers in whatever shard it is, and others than its neighbours.
    #[test]
    fn samples_have_numbers_of_their_own() {
        let x = Tensor::ones([5, 4, 3]);
        let layers: [Box<dyn Layer<f64>>; 5] = [
            Box::new(GaussianNoise::new(0.5)),
            Box::new(GaussianDropout::new(0.5)),
            Box::new(AlphaDropout::new(0.5)),
            Box::new(SpatialDropout1d::new(0.5)),
            Box::new(Dropout::new(0.5).noise_shape([None, Some(4), Some(1)])),
        ];
        for layer in &layers {
            let all = run(layer, &x, context(10));
            let later = run(layer, &x.slice(0, 2..), context(12));
            assert_eq!(later, all.slice(0, 2..), "{}", layer.class_name());
            let samples: Vec<Vec<f64>> = (0..5).map(|i| all.slice(0, i..i + 1).to_vec()).collect();
            assert!(samples.iter().any(|sample| sample != &samples[0]), "{}", layer.class_name());
            assert_eq!(run(layer, &x, Context::new(Mode::Infer)), x, "{}", layer.class_name());
        }
    }

    #[test]
    fn whole_channels_are_dropped() {
        let layers: [(Box<dyn Layer<f64>>, Vec<usize>); 3] = [
            (Box::new(SpatialDropout1d::new(0.25)), vec![40, 3, 50]),
            (Box::new(SpatialDropout2d::new(0.25)), vec![40, 2, 3, 50]),
            (Box::new(SpatialDropout3d::new(0.25)), vec![40, 2, 1, 3, 50]),
        ];
        for (layer, shape) in &layers {
            let x = Tensor::full(&shape[..], 3.0);
            let y = run(layer, &x, context(0));
            let places = x.len() / 2000;
            let y = y.reshape([40, places, 50]);
            let mut dropped = 0;
            for i in 0..40 {
                for c in 0..50 {
                    let first = y.at([i, 0, c]);
                    assert!(first == 0.0 || first == 4.0);
                    assert!((0..places).all(|p| y.at([i, p, c]) == first));
                    dropped += usize::from(first == 0.0);
                }
            }
            // 2000 draws: five standard deviations are 97.
            assert!(dropped.abs_diff(500) < 97, "{}: {dropped}", layer.class_name());
        }
    }

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 4, 5], -1.0, 1.0, &mut Stream::new(3));
        let layers: [Box<dyn Layer<f64>>; 4] = [
            Box::new(GaussianNoise::new(0.5)),
            Box::new(GaussianDropout::new(0.5)),
            Box::new(AlphaDropout::new(0.5).noise_shape([None, Some(1), None])),
            Box::new(SpatialDropout1d::new(0.5)),
        ];
        for layer in &layers {
            gradcheck(|[x]| layer.forward(&[], x, &mut context(0)).square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    fn what_is_dropped_gives_no_gradient() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::ones([2, 6, 5]));
        let y = SpatialDropout1d::new(1.0).forward(&[], &x, &mut context(0));
        assert_eq!(y.value(), &Tensor::zeros([2, 6, 5]));
        assert_eq!(y.sum(..).backward().wrt(&x), Tensor::zeros([2, 6, 5]));
    }

    /// Where nothing would be left to scale.
    #[test]
    fn a_rate_of_1_does_nothing() {
        let x = Tensor::ones([2, 3]);
        assert_eq!(run(&GaussianDropout::new(1.0), &x, context(0)), x);
        assert_eq!(run(&AlphaDropout::new(1.0), &x, context(0)), x);
    }

    #[test]
    fn senseless_options_are_refused() {
        let shape = || Shape::from([4, 3]);
        let error = |layer: &dyn Layer<f64>| layer.output_shape(shape()).unwrap_err();
        assert!(
            error(&GaussianNoise::new(-0.5))
                .as_str()
                .contains("-0.5 is not finite, and at least 0")
        );
        assert!(error(&GaussianDropout::new(1.5)).as_str().contains("not between 0 and 1"));
        assert!(error(&AlphaDropout::new(-0.1)).as_str().contains("not between 0 and 1"));
        assert!(error(&SpatialDropout2d::new(0.5)).as_str().contains("3 axes"));
        let shaped = |noise: &[Option<usize>]| error(&Dropout::new(0.5).noise_shape(noise));
        assert!(shaped(&[Some(2), None, None]).as_str().contains("null"));
        assert!(shaped(&[None, Some(2), None]).as_str().contains("[null,2,null]"));
        assert!(shaped(&[None, None]).as_str().contains("[null,null]"));
    }
}
