//! The layer that makes all values of parts of images equally frequent.

use super::layer::image;
use super::random_layer::in_range;
use super::random_tones::BYTES;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Pair};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::PadMode;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// Equalises the parts of an image by themselves, with a limit (contrast limited adaptive histogram equalization, CLAHE): the image is cut into tiles, values of a tile
    /// become the part of its values that are not larger, and between the middles of tiles this is interpolated.
    ///
    /// Values are counted as whole numbers from 0 to 255. A count above `clip_limit` times the mean of all counts is cut off, and what was cut
    /// off is shared out among all. An image that cannot be cut evenly is mirrored at its lower and right border. It does so in training and in prediction; no
    /// gradient goes back.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = ContrastLimitedAdaptiveHistogramEqualization::new().tile_grid_size(1).clip_limit(0.0);
    /// let model = Sequential::new([1, 3, 1]).add(layer).build(0)?;
    /// let x = Tensor::from([10.0, 20.0, 30.0]).reshape([1, 1, 3, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [85.0, 170.0, 255.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct ContrastLimitedAdaptiveHistogramEqualization = "ContrastLimitedAdaptiveHistogramEqualization";
    /// Of values from 0 to 255, in 8 by 8 tiles.
    new();
    example [8, 8, 3] => ContrastLimitedAdaptiveHistogramEqualization::new() => [8, 8, 3];
    options {
        /// The smallest and the largest value of an image.
        value_range: [f64; 2] = [0.0, 255.0], [0.0, 1.0];
        /// How far a count may be above the mean one; there is no limit if it is not above 0.
        clip_limit: f64 = 4.0, 2.0;
        /// How many tiles there are below each other and beside each other.
        tile_grid_size: [usize; 2] as impl Pair, pair = [8, 8], (4, 2);
    }
    formats data_format;
    fixed {}
    ignored ["bounding_box_format"]
}

/// How many values a byte has.
const VALUES: usize = 256;

/// The whole number of a value, as a byte.
fn byte<T: Scalar>(value: T) -> usize {
    value.to_f64().map_or(0, |value| value.max(0.0) as usize).min(VALUES - 1)
}

impl ContrastLimitedAdaptiveHistogramEqualization {
    /// What becomes of each value of a tile.
    fn table<T: Scalar>(&self, tile: impl Iterator<Item = usize>) -> Vec<T> {
        let mut counts = vec![T::zero(); VALUES];
        let mut size = T::zero();
        for value in tile {
            counts[value] += T::one();
            size += T::one();
        }
        if self.clip_limit > 0.0 {
            let limit = T::lit(self.clip_limit) * size / T::lit(VALUES as f64);
            let cut = counts.iter().fold(T::zero(), |sum, &count| sum + (count - count.min(limit)));
            let each = cut / T::lit(VALUES as f64);
            counts.iter_mut().for_each(|count| *count = count.min(limit) + each);
        }
        let first = counts[0];
        let others = if size == first { T::one() } else { size - first };
        let mut up_to = T::zero();
        let part = |count: T| {
            up_to += count;
            ((up_to - first) * T::lit(255.0) / others).max(T::zero()).min(T::lit(255.0))
        };
        counts.into_iter().map(part).collect()
    }

    /// The tiles before and after each place of an axis, and how close the second one is.
    fn sides<T: Scalar>(length: usize, tile: usize, tiles: usize) -> Vec<([usize; 2], T)> {
        let side = |at: usize| {
            let place = (at as f64 - tile as f64 / 2.0) / tile as f64;
            let before = place.floor();
            let inside = |tile: f64| tile.clamp(0.0, tiles as f64 - 1.0) as usize;
            ([inside(before), inside(before + 1.0)], T::lit(place - before))
        };
        (0..length).map(side).collect()
    }

    /// One channel of an image, of bytes.
    fn equalized<T: Scalar>(&self, values: &Tensor<T>) -> Tensor<T> {
        let ([h, w], [rows, columns]) = (values.dims(), self.tile_grid_size);
        let [tall, wide] = [h.div_ceil(rows), w.div_ceil(columns)];
        let border = [[0, tall * rows - h], [0, wide * columns - w]];
        let padded = values.pad_with(&border, PadMode::Symmetric);
        let table = |tile: usize| {
            let [top, left] = [tile / columns * tall, tile % columns * wide];
            let inside = padded.slice(0, top..top + tall).slice(1, left..left + wide);
            self.table::<T>(inside.iter().map(|value| byte(value)))
        };
        let tables: Vec<Vec<T>> = (0..rows * columns).map(table).collect();
        let (vertical, horizontal) =
            (Self::sides::<T>(h, tall, rows), Self::sides::<T>(w, wide, columns));
        Tensor::from_fn([h, w], |at| {
            let (([above, below], down), ([left, right], over)) =
                (vertical[at[0]], horizontal[at[1]]);
            let value = byte(values.at([at[0], at[1]]));
            let row = |row: usize| {
                let of = |column: usize| tables[row * columns + column][value];
                of(left) * (T::one() - over) + of(right) * over
            };
            row(above) * (T::one() - down) + row(below) * down
        })
    }
}

impl<T: Scalar> Layer<T> for ContrastLimitedAdaptiveHistogramEqualization {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [h, w, _] = image(input)?;
        let [rows, columns] = self.tile_grid_size;
        if h == 0 || w == 0 || rows == 0 || columns == 0 {
            return Err(format!(
                "images of shape {input} cannot be cut into {rows} by {columns} tiles"
            )
            .into());
        }
        // An image is not padded to more than some tiles of one pixel.
        let [tall, wide] = [h.div_ceil(rows), w.div_ceil(columns)];
        match tall
            .checked_mul(rows)
            .zip(wide.checked_mul(columns))
            .filter(|&(a, b)| a.checked_mul(b).is_some_and(|places| places < 1 << 32))
        {
            Some(_) => Ok(input),
            None => Err(format!("{rows} by {columns} tiles do not fit in any memory").into()),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [n, h, w, c] = x.value().dims();
        let bytes = in_range(x, self.value_range, BYTES).into_value();
        let image = |i: usize| {
            let of = bytes.slice(0, i / c..i / c + 1).slice(3, i % c..i % c + 1);
            self.equalized(&of.reshape([h, w]))
        };
        let planes: Vec<Tensor<T>> = (0..n * c).map(image).collect();
        if planes.is_empty() {
            return x.clone();
        }
        let planes = Tensor::stack(&planes, 0).reshape([n, c, h, w]).permute([0, 2, 3, 1]);
        in_range(&Var::constant(planes), BYTES, self.value_range)
    }
}
