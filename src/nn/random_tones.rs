//! Layers that change the values of images one by one, at random while training.

use super::UnitFactor;
use super::factor::Factor;
use super::random_layer::{
    by_sample, clipped, colours, grey, in_range, number, ordered, random_layer, some_of,
};
use crate::autograd::Var;
use crate::scalar::Scalar;

random_layer!(
    /// While training, some images become their negatives, `high - x` with the larger end of the range of values: with a probability that is itself
    /// drawn from `factor` for each image.
    RandomInvert, "RandomInvert", new(), RandomInvert::new(),
    {
        /// How probable it is.
        factor: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(1.0), 0.5;
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, _| layer.factor.check("factor"),
    of 2 random numbers |layer, x, drawn| {
        let inverted = number(layer.value_range[1]) - x;
        some_of(drawn.iter().map(|&[p, place]| place < layer.factor.at(p)), &inverted, x)
    }
);

random_layer!(
    /// While training, some images become grey: all channels get `0.2989 r + 0.587 g + 0.114 b`. Images of one channel stay as they are.
    RandomGrayscale, "RandomGrayscale", new(), RandomGrayscale::new(),
    {
        /// How probable it is.
        factor: f64 = 0.5, 0.25;
    },
    check |layer, image| {
        UnitFactor::from(layer.factor).check("factor")?;
        colours(image, true)
    },
    of 1 random numbers |layer, x, drawn| {
        some_of(drawn.iter().map(|&[place]| place < layer.factor), &grey(x), x)
    }
);

random_layer!(
    /// While training, every image loses a random part `f` of its colour: `x + f (grey - x)`. What leaves the range of values is cut off.
    RandomColorDegeneration, "RandomColorDegeneration",
    new(factor: Factor as impl Into<Factor>, into), RandomColorDegeneration::new(0.5),
    {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, image| {
        layer.factor.check("factor", -1.0, 1.0)?;
        colours(image, false)
    },
    of 1 random numbers |layer, x, drawn| {
        let factor = by_sample(drawn.iter().map(|&[place]| layer.factor.at(place)));
        clipped(&(x + factor * (grey(x) - x)), ordered(layer.value_range))
    }
);

random_layer!(
    /// While training, every value of an image keeps the highest of its eight bits: as many as is drawn for the image, from the first number to one less
    /// than the second, or this many where both are the same. (In Keras, a single number `n` is `[1, n]`.) No gradient goes back.
    RandomPosterization, "RandomPosterization",
    new(factor: [usize; 2]), RandomPosterization::new([1, 3]),
    {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, _| match layer.factor {
        [1..=8, 1..=8] => Ok(()),
        [a, b] => Err(format!("factor = {a} to {b} bits is not between 1 and 8").into()),
    },
    of 1 random numbers |layer, x, drawn| {
        let [few, many] = [layer.factor[0].min(layer.factor[1]), layer.factor[0].max(layer.factor[1])];
        let bits = |&[place]: &[f64; 1]| few + (place * (many - few) as f64) as usize;
        let sizes = drawn.iter().map(|drawn| (1u32 << (8 - bits(drawn))).into());
        let sizes = by_sample::<T>(sizes).into_value();
        let range = ordered(layer.value_range);
        let bytes = in_range(x, range, BYTES).value().map(|x| x.max(T::zero()).min(T::lit(255.0)).trunc());
        let kept = (bytes / &sizes).map(|x| x.trunc()) * sizes;
        in_range(&Var::constant(kept), BYTES, range)
    }
);

random_layer!(
    /// While training, something is added to every image, and what is then not below a threshold becomes its negative: `255 - x`, for values from 0 to
    /// 255. Both are drawn for each image, as Keras does it: from the smaller end to 255 times the larger one.
    Solarization, "Solarization", new(), Solarization::new(),
    {
        /// How much is added.
        addition_factor: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(0.0), 0.5;
        /// Where negatives begin.
        threshold_factor: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(0.0), 0.5;
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, _| {
        layer.addition_factor.check("addition_factor")?;
        layer.threshold_factor.check("threshold_factor")
    },
    of 2 random numbers |layer, x, drawn| {
        let bytes = |factor: UnitFactor, place: f64| {
            let [low, high] = factor.ends();
            UnitFactor::from([low, high * 255.0]).at(place)
        };
        let additions = drawn.iter().map(|&[place, _]| bytes(layer.addition_factor, place));
        let thresholds = drawn.iter().map(|&[_, place]| bytes(layer.threshold_factor, place));
        solarized(x, ordered(layer.value_range), by_sample(additions), &by_sample(thresholds))
    }
);

/// The range of bytes.
pub(super) const BYTES: [f64; 2] = [0.0, 255.0];

/// `x` with something added, and negatives from a threshold on.
fn solarized<'t, T: Scalar>(
    x: &Var<'t, T>,
    range: [f64; 2],
    additions: Var<'t, T>,
    thresholds: &Var<'t, T>,
) -> Var<'t, T> {
    let sum = clipped(&(in_range(x, range, BYTES) + additions), BYTES);
    let below = sum.value().less(thresholds.value());
    in_range(&Var::select(&below, &sum, &(number(255.0) - &sum)), BYTES, range)
}
