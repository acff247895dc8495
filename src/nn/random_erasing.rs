//! The layer that hides rectangles of images at random while training.

use super::factor::draws;
use super::layer::image;
use super::random_layer::{clipped, some_of};
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Mode, Numbers, UnitFactor};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Mask, Shape, Tensor};

recipe! {
    /// While training, some images lose a rectangle, with a probability that is itself drawn from `factor` for each image: height and width are the square
    /// roots of what is drawn from `scale`, as parts of those of the image, and it lies anywhere in the image. What takes its place is cut off at the ends of the range of values.
    ///
    /// In `predict` and `evaluate` the layer does nothing.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 3]).add(RandomErasing::new()).build(0)?;
    /// let x = Tensor::uniform([1, 8, 8, 3], 0.0, 255.0, &mut Stream::new(1));
    /// assert_eq!(model.predict(&x)?, x);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomErasing = "RandomErasing";
    /// With normal noise in the rectangles.
    new();
    example [8, 8, 3] => RandomErasing::new() => [8, 8, 3];
    options {
        /// How probable it is.
        factor: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from(1.0), 0.5;
        /// How large rectangles are.
        scale: UnitFactor as impl Into<UnitFactor>, into = UnitFactor::from([0.02, 0.33]), 0.5;
        /// What takes the place: a number, three for the channels, or, without this option, normal random numbers times the larger end of the range of values.
        fill_value: Option<Tensor<f64>> as impl Numbers, filled = None, 0.5;
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
    }
    formats data_format;
    fixed {}
    // The random numbers come from the model's seed; boxes are no input here.
    ignored ["seed", "bounding_box_format"]
}

/// The conversion of what takes the place.
trait Filled {
    fn filled(self) -> Option<Tensor<f64>>;
}

impl<N: Numbers> Filled for N {
    fn filled(self) -> Option<Tensor<f64>> {
        Some(self.numbers())
    }
}

/// The label of the noise among an image's random numbers.
const NOISE: u64 = u64::from_le_bytes(*b"noise   ");

impl RandomErasing {
    /// What takes the place in all images.
    fn filling<T: Scalar>(&self, x: &Var<'_, T>, cx: &Context<T>) -> Tensor<T> {
        if let Some(value) = &self.fill_value {
            return Tensor::new(value.shape(), value.iter().map(T::lit).collect::<Vec<T>>());
        }
        let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
            return Tensor::zeros([]);
        };
        let noise = |i: usize| {
            let mut stream = stream.fork(first_sample.wrapping_add(i) as u64).fork(NOISE);
            Tensor::normal(x.shape().sample(), 0.0, 1.0, &mut stream) * T::lit(self.value_range[1])
        };
        let noise: Vec<Tensor<T>> = (0..x.shape()[0]).map(noise).collect();
        if noise.is_empty() { Tensor::zeros(x.shape()) } else { Tensor::stack(&noise, 0) }
    }
}

impl<T: Scalar> Layer<T> for RandomErasing {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [_, _, channels] = image(input)?;
        self.factor.check("factor")?;
        self.scale.check("scale")?;
        match self.fill_value.as_ref().map(|value| value.shape()) {
            Some(shape) if shape.rank() > 0 && shape != [channels] => Err(format!(
                "fill_value has the shape {shape}, and images have {channels} channels"
            )
            .into()),
            _ => Ok(input),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let [n, h, w, _] = x.value().dims();
        let Some(drawn) = draws::<T, 6>(cx, n) else { return x.clone() };
        // From where to where the rectangle goes along an axis of this length, from its size and its place.
        let ends = |length: usize, size: f64, place: f64| {
            let side = self.scale.at(size).max(0.0).sqrt() * length as f64;
            let start = place * (length as f64 - side);
            start..start + side
        };
        let rectangles: Vec<_> =
            drawn.iter().map(|it| [ends(h, it[1], it[3]), ends(w, it[0], it[2])]).collect();
        let hidden: Tensor<T> = Tensor::from_fn([n, h, w, 1], |at: &[usize]| {
            let [rows, columns] = &rectangles[at[0]];
            let inside = rows.contains(&(at[1] as f64)) && columns.contains(&(at[2] as f64));
            if inside { T::one() } else { T::zero() }
        });
        let hidden: Mask = hidden.not_equal(T::zero());
        let filling = clipped(&Var::constant(self.filling(x, cx)), self.value_range);
        let which = drawn.iter().map(|it| it[5] < self.factor.at(it[4]));
        some_of(which, &Var::select(&hidden, &filling, x), x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;

    fn train(layer: &RandomErasing, x: &Tensor<f64>, first_sample: usize) -> Tensor<f64> {
        let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample };
        layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(mode)).into_value()
    }

    /// A quarter of the height times a quarter of the width, anywhere; noise is that of the image.
    #[test]
    fn rectangles() {
        let x: Tensor<f64> = Tensor::uniform([40, 8, 12, 3], 1.0, 2.0, &mut Stream::new(3));
        let layer = RandomErasing::new().factor([1.0, 1.0]).scale([1.0 / 16.0; 2]);
        let y = train(&layer.clone().fill_value(7.0), &x, 0);
        for i in 0..40 {
            let [x, y] = [&x, &y].map(|it| it.slice(0, i..i + 1).to_vec());
            let changed = x.iter().zip(&y).filter(|(x, y)| x != y).count();
            assert_eq!(changed, 2 * 3 * 3);
            assert_eq!(y.iter().filter(|&&y| y == 7.0).count(), changed);
        }
        let noisy = train(&layer, &x, 0);
        assert!(noisy.iter().all(|y| (0.0..=255.0).contains(&y)));
        assert!(train(&layer, &x.slice(0, 30..40), 30) == noisy.slice(0, 30..40));
        let seldom = train(&layer.factor([0.25, 0.25]).fill_value(7.0), &x, 0);
        let erased =
            (0..40).filter(|&i| seldom.slice(0, i..i + 1).iter().any(|y| y == 7.0)).count();
        assert!((3..20).contains(&erased), "{erased}");
    }
}
