//! How layers are written that change images at random while training.

use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Mask, Shape, Tensor};

/// A layer that makes other images out of images `x` and some random numbers from 0 to 1 for each of them, while training. In `predict` and
/// `evaluate` it does nothing.
macro_rules! random_layer {
    (
        $(#[$doc:meta])* $layer:ident, $class:literal, new($($new:tt)*), $made:expr, { $($options:tt)* },
        check $check:expr, of $numbers:literal random numbers $change:expr
    ) => {
        $crate::nn::recipe::recipe! {
            $(#[$doc])*
            ///
            /// In `predict` and `evaluate` the layer does nothing.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let model = Sequential::new([8, 8, 3]).add(", stringify!($made), ").build(0)?;")]
            /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
            /// assert_eq!(model.predict(&x)?, x);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub struct $layer = $class;
            /// With these options.
            new($($new)*);
            example [8, 8, 3] => $made => [8, 8, 3];
            options { $($options)* }
            formats data_format;
            fixed {}
            // The random numbers come from the model's seed; boxes are no input here.
            ignored ["seed", "bounding_box_format"]
        }

        impl<T: $crate::scalar::Scalar> $crate::nn::Layer<T> for $layer {
            $crate::nn::recipe::described!();
            $crate::nn::recipe::formatted!(data_format);

            fn output_shape(
                &self,
                input: $crate::tensor::Shape,
            ) -> Result<$crate::tensor::Shape, $crate::error::Reason> {
                let image = $crate::nn::layer::image(input)?;
                let check: fn(&Self, [usize; 3]) -> Result<(), $crate::error::Reason> = $check;
                check(self, image).map(|()| input)
            }

            fn forward<'t>(
                &self,
                _: &[$crate::autograd::Var<'t, T>],
                x: &$crate::autograd::Var<'t, T>,
                cx: &mut $crate::nn::Context<T>,
            ) -> $crate::autograd::Var<'t, T> {
                let drawn = $crate::nn::factor::draws::<T, $numbers>(cx, x.shape()[0]);
                let change: fn(
                    &Self,
                    &$crate::autograd::Var<'t, T>,
                    &[[f64; $numbers]],
                ) -> $crate::autograd::Var<'t, T> = $change;
                drawn.map_or_else(|| x.clone(), |drawn| change(self, x, &drawn))
            }
        }
    };
}

pub(super) use random_layer;

/// A number for each sample, beside images.
pub(super) fn by_sample<'t, T: Scalar>(numbers: impl Iterator<Item = f64>) -> Var<'t, T> {
    let numbers: Vec<T> = numbers.map(T::lit).collect();
    Var::constant(Tensor::new([numbers.len(), 1, 1, 1], numbers))
}

/// A number as a constant.
pub(super) fn number<'t, T: Scalar>(number: f64) -> Var<'t, T> {
    Var::constant(Tensor::scalar(T::lit(number)))
}

/// `x` where it lies between these numbers, and else the closer of them.
pub(super) fn clipped<'t, T: Scalar>(x: &Var<'t, T>, [low, high]: [f64; 2]) -> Var<'t, T> {
    x.maximum(&number(low)).minimum(&number(high))
}

/// The smaller end of a range of values first.
pub(super) fn ordered([a, b]: [f64; 2]) -> [f64; 2] {
    [a.min(b), a.max(b)]
}

/// Values of one range in another one.
pub(super) fn in_range<'t, T: Scalar>(x: &Var<'t, T>, from: [f64; 2], to: [f64; 2]) -> Var<'t, T> {
    if from == to {
        return x.clone();
    }
    let [lengths, starts] = [[from[1] - from[0], to[1] - to[0]], [from[0], to[0]]];
    (x - number(starts[0])) / number(lengths[0]) * number(lengths[1]) + number(starts[1])
}

/// Changed images where it is so for the sample, and else those that they were.
pub(super) fn some_of<'t, T: Scalar>(
    which: impl Iterator<Item = bool>,
    changed: &Var<'t, T>,
    x: &Var<'t, T>,
) -> Var<'t, T> {
    let which: Vec<T> = which.map(|it| if it { T::one() } else { T::zero() }).collect();
    let which: Mask = Tensor::new([which.len(), 1, 1, 1], which).not_equal(T::zero());
    Var::select(&which, changed, x)
}

/// The grey values of images of three channels, in one; those of one channel stay.
pub(super) fn grey<'t, T: Scalar>(x: &Var<'t, T>) -> Var<'t, T> {
    if x.shape()[3] == 1 {
        return x.clone();
    }
    let weights = Tensor::new([3], [0.2989, 0.5870, 0.1140].map(T::lit).to_vec());
    let [n, h, w, _] = x.value().dims();
    (x * Var::constant(weights)).sum(3).reshape([n, h, w, 1])
}

/// Whether these are images of three channels, or of one where that will do.
pub(super) fn colours([h, w, c]: [usize; 3], or_one: bool) -> Result<(), Reason> {
    if c == 3 || (or_one && c == 1) {
        return Ok(());
    }
    let wanted = if or_one { "3 channels or 1" } else { "3 channels" };
    Err(format!(
        "needs images of {wanted}, and one sample has the shape {}",
        Shape::from([h, w, c])
    )
    .into())
}
