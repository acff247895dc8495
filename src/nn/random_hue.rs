//! Layers that change hue and saturation of images at random while training.

use super::factor::Factor;
use super::random_color::{RandomBrightness, RandomContrast};
use super::random_layer::{clipped, colours, in_range, number, ordered, random_layer};
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Mode, UnitFactor};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Stream, Tensor};
use rand::Rng;

random_layer!(
    /// While training, the hue of every image moves: by half of what is drawn from `factor`, forwards or backwards around the circle of colours.
    RandomHue, "RandomHue", new(factor: UnitFactor as impl Into<UnitFactor>, into), RandomHue::new(0.5),
    {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, image| {
        layer.factor.check("factor")?;
        colours(image, false)
    },
    of 2 random numbers |layer, x, drawn| {
        let moved = |&[side, place]: &[f64; 2]| {
            0.5 * if side > 0.5 { -layer.factor.at(place) } else { layer.factor.at(place) }
        };
        let moved = by_pixel(drawn.iter().map(moved));
        let [hue, saturation, value] = hsv(&in_range(x, layer.value_range, [0.0, 1.0]));
        let rgb = rgb([hue + moved, saturation, value]);
        in_range(&clipped(&rgb, [0.0, 1.0]), [0.0, 1.0], layer.value_range)
    }
);

random_layer!(
    /// While training, the saturation of every image is multiplied by `f / (1 - f)`, with an `f` that is drawn from `factor`: 0.5 changes nothing. Then it is
    /// brought into the range of values, as Keras does it, so that from 0 to 255 it may become larger than 1.
    RandomSaturation, "RandomSaturation",
    new(factor: Factor as impl Into<Factor>, into), RandomSaturation::new([0.3, 0.7]),
    {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    },
    check |layer, image| {
        layer.factor.check("factor", -1.0, 1.0)?;
        colours(image, false)
    },
    of 1 random numbers |layer, x, drawn| {
        let factor = |&[place]: &[f64; 1]| {
            let factor = layer.factor.at(place);
            factor / (1.0 - factor + 1e-7)
        };
        let [hue, saturation, value] = hsv(x);
        let saturation = saturation * by_pixel(drawn.iter().map(factor));
        rgb([hue, clipped(&saturation, ordered(layer.value_range)), value])
    }
);

recipe! {
    /// While training, [`RandomBrightness`], [`RandomContrast`], [`RandomSaturation`] and [`RandomHue`] one after the other, as far as their factors are
    /// given. In `predict` and `evaluate` the layer does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomColorJitter::new().hue_factor(0.1)).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomColorJitter = "RandomColorJitter";
    /// Without any factor yet.
    new();
    example [8, 8, 3] => RandomColorJitter::new() => [8, 8, 3];
    options {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
        /// That of the brightness.
        brightness_factor: Option<Factor> as impl Into<Factor>, given = None, 0.2;
        /// That of the contrast.
        contrast_factor: Option<UnitFactor> as impl Into<UnitFactor>, given = None, 0.2;
        /// That of the saturation.
        saturation_factor: Option<Factor> as impl Into<Factor>, given = None, [0.4, 0.6];
        /// That of the hue.
        hue_factor: Option<UnitFactor> as impl Into<UnitFactor>, given = None, 0.1;
    }
    formats data_format;
    fixed {}
    ignored ["seed", "bounding_box_format", "factor"]
}

/// The conversion of an option that may be missing.
trait Given<F> {
    fn given(self) -> Option<F>;
}

impl<F, G: Into<F>> Given<F> for G {
    fn given(self) -> Option<F> {
        Some(self.into())
    }
}

impl RandomColorJitter {
    /// The layers that do the work, in their order.
    fn layers<T: Scalar>(&self) -> Vec<Box<dyn Layer<T>>> {
        let range = self.value_range;
        let mut layers: Vec<Box<dyn Layer<T>>> = Vec::new();
        if let Some(factor) = self.brightness_factor {
            layers.push(Box::new(RandomBrightness::new(factor).value_range(range)));
        }
        if let Some(factor) = self.contrast_factor {
            layers.push(Box::new(RandomContrast::new(factor.ends()).value_range(range)));
        }
        if let Some(factor) = self.saturation_factor {
            layers.push(Box::new(RandomSaturation::new(factor).value_range(range)));
        }
        if let Some(factor) = self.hue_factor {
            layers.push(Box::new(RandomHue::new(factor).value_range(range)));
        }
        layers
    }
}

impl<T: Scalar> Layer<T> for RandomColorJitter {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        super::layer::image(input)?;
        self.layers::<T>().iter().try_fold(input, |shape, layer| layer.output_shape(shape))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let mut y = x.clone();
        for (at, layer) in self.layers().into_iter().enumerate() {
            // Random numbers of its own for each.
            let mode = match cx.inside() {
                Mode::Train { seed, step, layer, first_sample } => {
                    let seed = Stream::new(seed).fork(at as u64).next_u64();
                    Mode::Train { seed, step, layer, first_sample }
                }
                Mode::Infer => Mode::Infer,
            };
            y = layer.forward(&[], &y, &mut Context::new(mode));
        }
        y
    }
}

/// A number for each sample, beside the pixels of images.
fn by_pixel<'t, T: Scalar>(numbers: impl Iterator<Item = f64>) -> Var<'t, T> {
    let numbers: Vec<T> = numbers.map(T::lit).collect();
    Var::constant(Tensor::new([numbers.len(), 1, 1], numbers))
}

/// Hue (from 0 to 1), saturation and value of images `[n, h, w, 3]`, each `[n, h, w]`, as `keras.ops.image.rgb_to_hsv`.
fn hsv<'t, T: Scalar>(x: &Var<'t, T>) -> [Var<'t, T>; 3] {
    let [zero, one] = [0.0, 1.0].map(number);
    let [n, h, w, _] = x.value().dims();
    let tiny = x.value().abs().less(T::epsilon());
    let x = Var::select(&tiny, &zero, x);
    let [r, g, b] = [0, 1, 2].map(|c| x.slice(3, c..c + 1).reshape([n, h, w]));
    let value = r.maximum(&g).maximum(&b);
    let range = &value - r.minimum(&g).minimum(&b);
    let [bright, coloured] = [&value, &range].map(|it| it.value().greater(T::zero()));
    let saturation = Var::select(&bright, &(&range / Var::select(&bright, &value, &one)), &zero);
    let norm = &one / (number(6.0) * Var::select(&coloured, &range, &one));
    let of = |a: &Var<'t, T>, b: &Var<'t, T>, third: f64| &norm * (a - b) + number(third / 3.0);
    let greenest = value.value().equal(g.value());
    let hue = Var::select(&greenest, &of(&b, &r, 1.0), &of(&r, &g, 2.0));
    let hue = Var::select(&value.value().equal(r.value()), &of(&g, &b, 0.0), &hue);
    let turned = Var::select(&hue.value().less(T::zero()), &one, &zero);
    [Var::select(&coloured, &hue, &zero) + turned, saturation, value]
}

/// Images from hue, saturation and value, as `keras.ops.image.hsv_to_rgb`. Any whole number more is the same hue.
fn rgb<'t, T: Scalar>([hue, saturation, value]: [Var<'t, T>; 3]) -> Var<'t, T> {
    let one = number(1.0);
    let turns = Var::constant(hue.value().map(|hue| hue.floor()));
    let six = (hue - turns) * number(6.0);
    let away = |from: f64| (&six - number(from)).abs();
    let parts = [away(3.0) - &one, number(2.0) - away(2.0), number(2.0) - away(4.0)];
    let grey = &one - &saturation;
    let channels =
        parts.map(|part| &value * (&grey + &saturation * part.clamp(T::zero(), T::one())));
    Var::stack(&channels.iter().collect::<Vec<_>>(), 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;

    const PIXELS: [[f64; 3]; 6] = [
        [0.2, 0.4, 0.6],
        [0.9, 0.1, 0.3],
        [0.5, 0.5, 0.5],
        [0.0, 0.0, 0.0],
        [0.3, 0.8, 0.2],
        [1.0, 0.0, 0.25],
    ];
    /// What `keras.ops.image.rgb_to_hsv` of Keras 3.15 says of them.
    const HSV: [[f64; 3]; 6] = [
        [0.5833334, 0.6666667, 0.6],
        [0.9583333, 0.8888888, 0.9],
        [0.0, 0.0, 0.5],
        [0.0, 0.0, 0.0],
        [0.3055556, 0.75, 0.8],
        [0.9583333, 1.0, 1.0],
    ];

    #[test]
    fn colours_of_keras() {
        let x = Tensor::new([1, 1, 6, 3], PIXELS.concat());
        let found = hsv(&Var::constant(x.clone()));
        let found = Var::stack(&found.iter().collect::<Vec<_>>(), 3);
        let expected = Tensor::new([1, 1, 6, 3], HSV.concat());
        assert!(found.value().all_close(&expected, 1e-6, 1e-6), "{:?}", found.value());
        let back = rgb(hsv(&Var::constant(x.clone())));
        assert!(back.value().all_close(&x, 1e-12, 1e-12));
    }

    #[test]
    fn gradients() {
        let x = Tensor::uniform([2, 2, 3, 3], 0.1, 0.9, &mut Stream::new(4));
        gradcheck(|[x]| Var::concat(&hsv(x).iter().collect::<Vec<_>>(), 2), [x.clone()]).unwrap();
        gradcheck(
            |[x]| {
                let [h, s, v] = hsv(x);
                rgb([h + number(0.3), s * number(0.5), v])
            },
            [x],
        )
        .unwrap();
    }

    /// Half a turn is the same in both directions; each image has a hue of its own, whatever is beside it.
    #[test]
    fn turns() {
        let x: Tensor<f64> = Tensor::uniform([20, 2, 3, 3], 0.0, 255.0, &mut Stream::new(5));
        let train = |layer: &dyn Layer<f64>, x: &Tensor<f64>, first_sample: usize| {
            let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample };
            layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(mode)).into_value()
        };
        let half = RandomHue::new([1.0, 1.0]);
        let y = train(&half, &x, 0);
        assert!(train(&half, &y, 0).all_close(&x, 1e-9, 1e-9) && !y.all_close(&x, 1e-3, 1e-3));
        let jitter = RandomColorJitter::new().brightness_factor(0.2).contrast_factor(0.3);
        let jitter = jitter.saturation_factor([0.4, 0.6]).hue_factor(0.5);
        let y = train(&jitter, &x, 0);
        assert!(train(&jitter, &x.slice(0, 15..20), 15) == y.slice(0, 15..20));
    }
}
