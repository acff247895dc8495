//! The dropout layer, and what its relatives share.

use super::recipe::{described, recipe};
use super::{Context, Layer, Mode};
use crate::autograd::Var;
use crate::config::OptionValue;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Stream, Tensor};

recipe! {
    /// In training, sets a fraction `rate` of its input to 0 and scales the rest by `1 / (1 - rate)`, as
    /// [`Var::dropout`]; in `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dropout::new(0.5)).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0, 3.0, 4.0]]);
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Dropout = "Dropout";
    /// A layer that drops this fraction, between 0 and 1.
    new(rate: f64);
    example [8, 8, 1] => Dropout::new(0.5) => [8, 8, 1];
    options {
        /// The shape of what is drawn, if some values share their fate: `[None, Some(1), Some(1), None]` is one number for each sample
        /// and channel of an image. `None` is the input's own size.
        noise_shape: Vec<Option<usize>> as impl Into<Vec<Option<usize>>>, into = Vec::new(), [None, Some(1), None, None];
    }
    // The random numbers come from the model's seed.
    null ["seed"]
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for Dropout {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        check_rate(self.rate)?;
        check_noise_shape(&self.noise_shape, input)?;
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        dropout(x, self.rate, &self.noise_shape, cx)
    }
}

impl Dropout {
    /// What [`Var::dropout`] takes in a run like this one; `None` where the layer does nothing.
    pub(crate) fn arguments<T: Scalar>(&self, cx: &Context<T>) -> Option<(f64, Stream, usize)> {
        let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
            return None;
        };
        (self.rate > 0.0).then_some((self.rate, stream, first_sample))
    }

    /// Whether every value has a fate of its own, and some may survive.
    pub(crate) fn is_plain(&self) -> bool {
        self.noise_shape.is_empty() && self.rate < 1.0
    }
}

pub(super) fn check_rate(rate: f64) -> Result<(), Reason> {
    if (0.0..=1.0).contains(&rate) {
        Ok(())
    } else {
        Err(format!("the rate {rate} is not between 0 and 1").into())
    }
}

/// Whether noise of this shape, if one is given, can be spread over samples of that shape.
pub(super) fn check_noise_shape(noise: &[Option<usize>], input: Shape) -> Result<(), Reason> {
    let (samples, rest) = match noise {
        [] => return Ok(()),
        [samples, rest @ ..] => (samples, rest),
    };
    let fits = |(noise, size): (&Option<usize>, &usize)| noise.is_none_or(|n| n == 1 || n == *size);
    if samples.is_none() && rest.len() == input.rank() && rest.iter().zip(&*input).all(fits) {
        return Ok(());
    }
    Err(format!(
        "noise_shape = {} does not fit samples of shape {input}: after null for the samples, each size is 1, that of the input, or null",
        noise.to_vec().write()
    ).into())
}

/// `x` after dropout by noise of this shape, if one is given.
pub(super) fn dropout<'t, T: Scalar>(
    x: &Var<'t, T>,
    rate: f64,
    noise: &[Option<usize>],
    cx: &Context<T>,
) -> Var<'t, T> {
    match (cx.mode(), cx.stream()) {
        (Mode::Train { first_sample, .. }, Some(stream)) if rate > 0.0 && noise.is_empty() => {
            x.dropout(rate, &stream, first_sample)
        }
        _ => match dropped(x.shape(), rate, noise, cx) {
            Some(mask) => x * Var::constant(mask),
            None => x.clone(),
        },
    }
}

/// Ones after dropout, in the shape of the noise: `None` where the layer does nothing.
pub(super) fn dropped<T: Scalar>(
    input: Shape,
    rate: f64,
    noise: &[Option<usize>],
    cx: &Context<T>,
) -> Option<Tensor<T>> {
    let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
        return None;
    };
    let mut shape = input.to_vec();
    shape.iter_mut().zip(noise).for_each(|(size, noise)| *size = noise.unwrap_or(*size));
    let ones = Var::constant(Tensor::ones(&shape[..]));
    (rate > 0.0).then(|| ones.dropout(rate, &stream, first_sample).into_value())
}
