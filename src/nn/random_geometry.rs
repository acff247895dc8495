//! Layers that move, turn and stretch images at random while training.

use super::factor::{Factor, draws};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::kernels::{FillMode, Interpolation};
use crate::scalar::Scalar;
use crate::tensor::Shape;
use std::f64::consts::TAU;

/// In which direction [`RandomFlip`] mirrors images.
///
/// ```
/// use cinta::prelude::*;
/// let layer = RandomFlip::new().mode(Flip::Horizontal);
/// assert_eq!(cinta::Layer::<f32>::config(&layer)["mode"], "horizontal");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flip {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    /// Both or none: half a turn.
    HorizontalAndVertical,
}

impl OptionValue for Flip {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("horizontal") => Ok(Flip::Horizontal),
            Some("vertical") => Ok(Flip::Vertical),
            Some("horizontal_and_vertical") => Ok(Flip::HorizontalAndVertical),
            _ => Err(not(value, "\"horizontal\", \"vertical\" or \"horizontal_and_vertical\"")),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            Flip::Horizontal => "horizontal",
            Flip::Vertical => "vertical",
            Flip::HorizontalAndVertical => "horizontal_and_vertical",
        })
    }
}

impl OptionValue for FillMode {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("constant") => Ok(FillMode::Constant),
            Some("nearest") => Ok(FillMode::Nearest),
            Some("reflect") => Ok(FillMode::Reflect),
            Some("wrap") => Ok(FillMode::Wrap),
            _ => Err(not(value, "\"constant\", \"nearest\", \"reflect\" or \"wrap\"")),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            FillMode::Constant => "constant",
            FillMode::Nearest => "nearest",
            FillMode::Reflect => "reflect",
            FillMode::Wrap => "wrap",
        })
    }
}

recipe! {
    /// While training, mirrors every second image, at random. In `predict` and `evaluate` it does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomFlip::new()).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomFlip = "RandomFlip";
    /// In both directions together, as Keras does.
    new();
    example [8, 8, 3] => RandomFlip::new() => [8, 8, 3];
    options {
        /// In which direction.
        mode: Flip = Flip::HorizontalAndVertical, Flip::Horizontal;
    }
    formats data_format;
    fixed {}
    // The random numbers come from the model's seed; boxes are no input here.
    ignored ["seed", "bounding_box_format"]
}

impl<T: Scalar> Layer<T> for RandomFlip {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        image(input).map(|_| input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let [n, h, w, _] = x.value().dims();
        let Some(draws) = draws::<T, 1>(cx, n) else { return x.clone() };
        let along = |flips: bool, size: usize| {
            if flips { (-1.0, size as f64 - 1.0) } else { (1.0, 0.0) }
        };
        let map = |&[place]: &[f64; 1]| {
            let flips = place <= 0.5;
            let (a0, a2) = along(flips && self.mode != Flip::Vertical, w);
            let (b1, b2) = along(flips && self.mode != Flip::Horizontal, h);
            [a0, 0.0, a2, 0.0, b1, b2]
        };
        let maps: Vec<[f64; 6]> = draws.iter().map(map).collect();
        x.affine_transform(&maps, Interpolation::Nearest, FillMode::Nearest, 0.0)
    }
}

/// A layer whose maps of `[h, w]` pixels come from three random numbers for each image.
macro_rules! random_map_layer {
    (
        $(#[$doc:meta])* $layer:ident, $class:literal, new($($new:tt)*), $made:expr, { $($options:tt)* },
        check $check:expr, map $map:expr
    ) => {
        recipe! {
            $(#[$doc])*
            ///
            /// In `predict` and `evaluate` the layer does nothing.
            pub struct $layer = $class;
            /// By at most this much: a number, or from where to where.
            new($($new)*);
            example [8, 8, 3] => $made => [8, 8, 3];
            options {
                $($options)*
                /// What is beyond the border.
                fill_mode: FillMode = FillMode::Reflect, FillMode::Wrap;
                /// The value beyond the border if that is constant.
                fill_value: f64 = 0.0, 1.0;
                /// How values between pixels come about: bilinear or nearest.
                interpolation: Interpolation = Interpolation::Bilinear, Interpolation::Nearest;
            }
            formats data_format;
            fixed {}
            ignored ["seed", "bounding_box_format"]
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();
            formatted!(data_format);

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                image(input)?;
                if !matches!(self.interpolation, Interpolation::Nearest | Interpolation::Bilinear) {
                    let name = self.interpolation.name();
                    return Err(format!("the interpolation {name} is neither nearest nor bilinear").into());
                }
                let check: fn(&Self) -> Result<(), $crate::error::Reason> = $check;
                check(self).map(|()| input)
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                cx: &mut Context<T>,
            ) -> Var<'t, T> {
                let [n, h, w, _] = x.value().dims();
                let Some(draws) = draws::<T, 3>(cx, n) else { return x.clone() };
                let map: fn(&Self, [f64; 2], [f64; 3]) -> [f64; 6] = $map;
                let maps: Vec<[f64; 6]> =
                    draws.iter().map(|&places| map(self, [h as f64, w as f64], places)).collect();
                x.affine_transform(&maps, self.interpolation, self.fill_mode, self.fill_value)
            }
        }
    };
}

random_map_layer!(
    /// While training, moves every image down and to the right by random fractions of its height and width.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomTranslation::new(0.2, [0.0, 0.3])).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    RandomTranslation, "RandomTranslation",
    new(height_factor: Factor as impl Into<Factor>, into, width_factor: Factor as impl Into<Factor>, into),
    RandomTranslation::new(0.2, 0.2), {},
    check |layer| {
        layer.height_factor.check("height_factor", -1.0, 1.0)?;
        layer.width_factor.check("width_factor", -1.0, 1.0)
    },
    map |layer, [h, w], places| {
        let down = layer.height_factor.at(places[0]) * h;
        let right = layer.width_factor.at(places[1]) * w;
        [1.0, 0.0, -right, 0.0, 1.0, -down]
    }
);

random_map_layer!(
    /// While training, makes every image smaller around its middle by a random factor, or larger where the factor is below 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomZoom::new([-0.3, -0.1])).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    RandomZoom, "RandomZoom",
    new(height_factor: Factor as impl Into<Factor>, into),
    RandomZoom::new(0.2),
    {
        /// The factor of the width, which is else the same as that of the height.
        width_factor: Option<Factor> as impl Into<Factor>, chosen = None, 0.1;
    },
    check |layer| {
        layer.height_factor.check("height_factor", -1.0, 1.0)?;
        layer.width_factor.map_or(Ok(()), |factor| factor.check("width_factor", -1.0, 1.0))
    },
    map |layer, [h, w], places| {
        let zy = 1.0 + layer.height_factor.at(places[0]);
        let zx = layer.width_factor.map_or(zy, |factor| 1.0 + factor.at(places[1]));
        [zx, 0.0, (w - 1.0) / 2.0 * (1.0 - zx), 0.0, zy, (h - 1.0) / 2.0 * (1.0 - zy)]
    }
);

random_map_layer!(
    /// While training, turns every image around its middle by a random fraction of a full turn.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomRotation::new(0.1)).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    RandomRotation, "RandomRotation",
    new(factor: Factor as impl Into<Factor>, into),
    RandomRotation::new(0.1), {},
    check |layer| layer.factor.check("factor", -1.0, 1.0),
    map |layer, [h, w], places| {
        let (sin, cos) = (layer.factor.at(places[0]) * TAU).sin_cos();
        let [cy, cx] = [0.5 * (h - 1.0), 0.5 * (w - 1.0)];
        [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]
    }
);

random_map_layer!(
    /// While training, slants every image: its pixel in column `x` and row `y` is what stood at column `x + a y` and row `y + b x`, with random `a` and `b` of one sign, which is random as well.
    ///
    /// Keras writes factors from `-a` to `a` as such a pair, and then refuses to read it: a model with such a layer goes back to Keras only if its factors do not begin below 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomShear::new().x_factor([0.1, 0.3])).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    RandomShear, "RandomShear", new(), RandomShear::new(),
    {
        /// How far columns move from row to row.
        x_factor: Factor as impl Into<Factor>, into = Factor::from(0.0), 0.2;
        /// How far rows move from column to column.
        y_factor: Factor as impl Into<Factor>, into = Factor::from(0.0), [0.1, 0.2];
    },
    check |layer| {
        layer.x_factor.check("x_factor", -1.0, 1.0)?;
        layer.y_factor.check("y_factor", -1.0, 1.0)
    },
    map |layer, _, places| {
        let sign = if places[2] > 0.5 { -1.0 } else { 1.0 };
        let [a, b] = [layer.x_factor.at(places[0]), layer.y_factor.at(places[1])];
        [1.0, sign * a, 0.0, sign * b, 1.0, 0.0]
    }
);

/// The conversion of an option that may be missing.
trait Chosen {
    fn chosen(self) -> Option<Factor>;
}

impl<F: Into<Factor>> Chosen for F {
    fn chosen(self) -> Option<Factor> {
        Some(self.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    fn train(layer: &impl Layer<f64>, x: &Tensor<f64>, first_sample: usize) -> Tensor<f64> {
        let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample };
        layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(mode)).into_value()
    }

    fn images() -> Tensor<f64> {
        Tensor::uniform([40, 3, 5, 2], -1.0, 1.0, &mut Stream::new(3))
    }

    #[test]
    fn a_flip_is_a_mirror() {
        let x = images();
        for (mode, flipped) in [
            (Flip::Horizontal, x.flip(2)),
            (Flip::Vertical, x.flip(1)),
            (Flip::HorizontalAndVertical, x.flip(1).flip(2)),
        ] {
            let y = train(&RandomFlip::new().mode(mode), &x, 0);
            let same = |i: usize, other: &Tensor<f64>| {
                y.slice(0, i..i + 1).to_vec() == other.slice(0, i..i + 1).to_vec()
            };
            assert!((0..40).all(|i| same(i, &x) || same(i, &flipped)));
            let flips = (0..40).filter(|&i| same(i, &flipped)).count();
            assert!((10..30).contains(&flips), "{flips}");
        }
    }

    /// With a factor that has one value, what comes out is known.
    #[test]
    fn maps_are_those_of_keras() {
        let x = images();
        let down =
            train(&RandomTranslation::new([1.0 / 3.0; 2], 0.0).fill_mode(FillMode::Wrap), &x, 0);
        assert!(down.slice(1, 1..3).all_close(&x.slice(1, 0..2), 1e-9, 1e-9));
        assert!(down.slice(1, 0..1).all_close(&x.slice(1, 2..3), 1e-9, 1e-9));
        // Half a turn is a flip in both directions.
        let turned = train(&RandomRotation::new([0.5, 0.5]), &x, 0);
        assert!(turned.all_close(&x.flip(1).flip(2), 1e-9, 1e-9));
        let square = x.slice(2, 0..3);
        let quarter = RandomRotation::new([0.25, 0.25]).interpolation(Interpolation::Nearest);
        assert_eq!(
            train(&quarter, &square, 0).to_vec(),
            square.permute([0, 2, 1, 3]).flip(1).to_vec()
        );
        // Each row one or no pixel further.
        let slanted = RandomShear::new().x_factor([1.0, 1.0]).fill_mode(FillMode::Wrap);
        let slanted = train(&slanted, &square, 0);
        let row =
            |x: &Tensor<f64>, i: usize, row: usize| x.slice(0, i..i + 1).slice(1, row..row + 1);
        for i in 0..40 {
            assert!(row(&slanted, i, 0).all_close(&row(&square, i, 0), 1e-9, 1e-9));
            let [left, right] = [1, -1].map(|by| row(&square, i, 1).roll(2, by));
            assert!([left, right].iter().any(|it| row(&slanted, i, 1).all_close(it, 1e-9, 1e-9)));
        }
        // Twice as many pixels: of three, the middle one stays, and the others look beyond the border.
        let far = RandomZoom::new([1.0, 1.0]).fill_mode(FillMode::Constant).fill_value(7.0);
        let small = train(&far, &square, 0);
        assert!(small.slice(1, 1..2).slice(2, 1..2).all_close(
            &x.slice(1, 1..2).slice(2, 1..2),
            1e-9,
            1e-9
        ));
        assert!(small.slice(1, 0..1).iter().all(|value| value == 7.0));
        let wide =
            RandomZoom::new([1.0, 1.0]).width_factor([0.0, 0.0]).fill_mode(FillMode::Constant);
        assert!(train(&wide, &x, 0).slice(1, 1..2).all_close(&x.slice(1, 1..2), 1e-9, 1e-9));
    }

    #[test]
    fn a_batch_can_be_cut() {
        let x = images();
        let check = |layer: &dyn Fn(&Tensor<f64>, usize) -> Tensor<f64>| {
            let y = layer(&x, 0);
            assert_ne!(y, x);
            assert_eq!(layer(&x.slice(0, 30..40), 30), y.slice(0, 30..40));
        };
        check(&|x, first| train(&RandomTranslation::new(0.3, 0.3), x, first));
        check(&|x, first| train(&RandomRotation::new(0.3), x, first));
        check(&|x, first| train(&RandomZoom::new(0.3), x, first));
    }

    #[test]
    fn factors_and_interpolations_are_checked() {
        let shape = |layer: RandomRotation| Layer::<f32>::output_shape(&layer, [4, 4, 1].into());
        assert!(shape(RandomRotation::new(1.5)).unwrap_err().as_str().contains("between -1 and 1"));
        let cubic = RandomRotation::new(0.5).interpolation(Interpolation::Bicubic);
        assert!(shape(cubic).unwrap_err().as_str().contains("bicubic is neither"));
    }
}
