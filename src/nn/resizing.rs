//! The layers that bring images to one size.

use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Interpolation;
use crate::scalar::Scalar;
use crate::tensor::{Shape, unit};
use rand::Rng;

recipe! {
    /// Images of another size, as [`Var::resize`].
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 2, 1]).add(Resizing::new(1, 4)).build(0)?;
    /// let x = Tensor::from([0.0, 4.0]).reshape([1, 1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [0.0, 1.0, 3.0, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Resizing = "Resizing";
    /// To this height and width.
    new(height: usize, width: usize);
    example [8, 6, 3] => Resizing::new(5, 4) => [5, 4, 3];
    options {
        /// How values between pixels come about.
        interpolation: Interpolation = Interpolation::Bilinear, Interpolation::Nearest;
        /// Whether an image that becomes smaller is a mean over all its pixels.
        antialias: bool = false, true;
        /// Whether the image keeps its proportions, and what reaches beyond the new ones is cut off on both sides.
        crop_to_aspect_ratio: bool = false, true;
        /// Whether the image keeps its proportions, and gets a border on both sides that gives it the new ones.
        pad_to_aspect_ratio: bool = false, true, then "fill_mode": "constant";
        /// What is in the border.
        fill_value: f64 = 0.0, 0.5;
    }
    formats data_format;
    fixed {}
    // Boxes are no input here.
    ignored ["bounding_box_format"]
}

recipe! {
    /// The middle of an image. One that is smaller is made larger first, as far as its proportions allow.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 4, 1]).add(CenterCrop::new(1, 2)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape([1, 1, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct CenterCrop = "CenterCrop";
    /// Of this height and width.
    new(height: usize, width: usize);
    example [8, 6, 3] => CenterCrop::new(5, 4) => [5, 4, 3];
    options {}
    formats data_format;
    fixed {}
    ignored ["bounding_box_format"]
}

recipe! {
    /// While training, a part of an image at a random place, which is the same for all images of a step. In `predict` and `evaluate`, and where the image is smaller than the part,
    /// it is the largest part in the middle that has the part's proportions, brought to its size: so says Keras, and so does Keras 2. (Keras 3.15 leaves images as they are in
    /// prediction.)
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 4, 1]).add(RandomCrop::new(1, 1)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 4.0, 8.0, 1.0, 2.0, 4.0, 8.0]).reshape([1, 2, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]); // the mean of the middle
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RandomCrop = "RandomCrop";
    /// Of this height and width.
    new(height: usize, width: usize);
    example [8, 6, 3] => RandomCrop::new(5, 4) => [5, 4, 3];
    options {}
    formats data_format;
    fixed {}
    // The random numbers come from the model's seed; boxes are no input here.
    ignored ["seed", "bounding_box_format"]
}

/// The middle of an image, of this size.
fn middle<'t, T: Scalar>(x: &Var<'t, T>, size: [usize; 2]) -> Var<'t, T> {
    [1, 2].into_iter().zip(size).fold(x.clone(), |x, (axis, size)| {
        let length = x.shape()[axis];
        let first = (length - size) / 2;
        if size == length { x } else { x.slice(axis, first..first + size) }
    })
}

/// The largest part of an image of size `[h, w]` that has the proportions of `[height, width]`.
fn proportional([h, w]: [usize; 2], [height, width]: [usize; 2]) -> [usize; 2] {
    let scaled = |length: usize, numerator: usize, denominator: usize| {
        (length as f64 * numerator as f64 / denominator as f64) as usize
    };
    [scaled(w, height, width).min(h).max(1), scaled(h, width, height).min(w).max(1)]
}

/// How many pixels are added before and after, along each axis of an image of size `[h, w]`, so that it has the proportions of `[height, width]`. As in Keras,
/// they are the same on both sides, and along one axis alone.
fn border([h, w]: [usize; 2], [height, width]: [usize; 2]) -> [usize; 2] {
    let missing = |length: usize, numerator: usize, denominator: usize, there: usize| {
        let wanted = (length as f64 * numerator as f64 / denominator as f64) as usize;
        wanted.saturating_sub(there) / 2
    };
    match missing(w, height, width, h) {
        0 => [0, missing(h, width, height, w)],
        rows => [rows, 0],
    }
}

/// Whether images of this shape have pixels, before and after.
fn resized(input: Shape, [height, width]: [usize; 2]) -> Result<Shape, Reason> {
    let [h, w, c] = image(input)?;
    if [h, w, height, width].contains(&0) {
        return Err(format!(
            "an image of {h} by {w} pixels cannot become one of {height} by {width}"
        )
        .into());
    }
    Ok(Shape::from([height, width, c]))
}

impl<T: Scalar> Layer<T> for Resizing {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let output = resized(input, [self.height, self.width])?;
        if self.crop_to_aspect_ratio && self.pad_to_aspect_ratio {
            return Err("an image is cut or gets a border, and not both".into());
        }
        if self.pad_to_aspect_ratio {
            let [rows, columns] = border([input[0], input[1]], [self.height, self.width]);
            let padded = |length: usize, side: usize| length.saturating_add(side.saturating_mul(2));
            let padded = [padded(input[0], rows), padded(input[1], columns), input[2]];
            if Shape::from(padded).checked_count().is_none_or(|count| count > isize::MAX as usize) {
                return Err("its border would be larger than any memory".into());
            }
        }
        Ok(output)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [_, h, w, _] = x.value().dims();
        let size = [self.height, self.width];
        let x = if self.crop_to_aspect_ratio {
            middle(x, proportional([h, w], size))
        } else if self.pad_to_aspect_ratio {
            let [rows, columns] = border([h, w], size);
            let border = [[0; 2], [rows; 2], [columns; 2], [0; 2]];
            x.pad_constant(&border, T::lit(self.fill_value))
        } else {
            x.clone()
        };
        x.resize(size, self.interpolation, self.antialias)
    }
}

impl<T: Scalar> Layer<T> for CenterCrop {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        resized(input, [self.height, self.width])
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [_, h, w, _] = x.value().dims();
        let size = [self.height, self.width];
        if self.height <= h && self.width <= w {
            return middle(x, size);
        }
        middle(x, proportional([h, w], size)).resize(size, Interpolation::Bilinear, false)
    }
}

impl RandomCrop {
    /// In training, the first row and column of the part; `None` where it is the middle.
    fn place<T: Scalar>(&self, [h, w]: [usize; 2], cx: &Context<T>) -> Option<[usize; 2]> {
        let mut stream = cx.stream()?;
        let free = [h.checked_sub(self.height)?, w.checked_sub(self.width)?];
        let mut below = |places: usize| (unit(stream.next_u64()) * places as f64) as usize;
        Some(free.map(|free| below(free + 1)))
    }
}

impl<T: Scalar> Layer<T> for RandomCrop {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        resized(input, [self.height, self.width])
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        let [_, h, w, _] = x.value().dims();
        let size = [self.height, self.width];
        match self.place([h, w], cx) {
            Some([row, column]) => {
                x.slice(1, row..row + self.height).slice(2, column..column + self.width)
            }
            None => {
                middle(x, proportional([h, w], size)).resize(size, Interpolation::Bilinear, false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::Tensor;

    #[test]
    fn parts_at_random_places() {
        let x = Tensor::<f64>::from_fn([2, 4, 3, 1], |at| (at[1] * 10 + at[2]) as f64);
        let mut seen = [[0; 2]; 3];
        for step in 0..300 {
            let mode = Mode::Train { seed: 1, step, layer: 0, first_sample: 3 };
            let y = RandomCrop::new(2, 2).forward(
                &[],
                &Var::constant(x.clone()),
                &mut Context::new(mode),
            );
            let y = y.value();
            let first = y.at([0, 0, 0, 0]);
            let expected = Tensor::from_fn([2, 2, 2, 1], |at| first + (at[1] * 10 + at[2]) as f64);
            assert_eq!(y, &expected);
            seen[first as usize / 10][first as usize % 10] += 1;
        }
        assert!(seen.iter().flatten().all(|&times| (30..70).contains(&times)), "{seen:?}");
        // Where it does not fit, it is the middle, as in prediction.
        let over = |mode| {
            let layer = RandomCrop::new(2, 4);
            layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(mode)).into_value()
        };
        let training = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };
        assert_eq!(over(training), over(Mode::Infer));
    }

    #[test]
    fn images_have_pixels() {
        let shape =
            |input: &[usize]| Layer::<f32>::output_shape(&CenterCrop::new(2, 2), Shape::new(input));
        assert_eq!(shape(&[3, 1, 2]), Ok(Shape::from([2, 2, 2])));
        assert!(shape(&[0, 1, 2]).unwrap_err().as_str().contains("0 by 1 pixels"));
        assert!(shape(&[3, 1]).unwrap_err().as_str().contains("needs images"));
    }

    #[test]
    fn proportions() {
        assert_eq!(proportional([4, 9], [2, 2]), [4, 4]);
        assert_eq!(proportional([9, 5], [2, 3]), [3, 5]);
        assert_eq!(proportional([1, 1], [2, 100]), [1, 1]);
        assert_eq!(border([4, 9], [2, 2]), [2, 0]); // 4 + 2 + 2, as the fifth row has no other
        assert_eq!(border([9, 5], [2, 3]), [0, 4]);
        assert_eq!(border([3, 3], [5, 5]), [0, 0]);
        let shape = |layer: Resizing, input: [usize; 3]| {
            Layer::<f32>::output_shape(&layer, input.into()).map_err(|it| it.as_str().to_owned())
        };
        let padding = |height, width| Resizing::new(height, width).pad_to_aspect_ratio(true);
        assert!(shape(padding(1 << 40, 1), [1, 1 << 40, 1]).unwrap_err().contains("any memory"));
        let both = padding(2, 2).crop_to_aspect_ratio(true);
        assert!(shape(both, [3, 3, 1]).unwrap_err().contains("not both"));
    }
}
