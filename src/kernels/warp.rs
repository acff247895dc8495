//! Images moved, turned and stretched: every pixel of the output looks at a place of the input.

use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use num_traits::Zero;

/// What lies beyond the border of an image.
///
/// ```
/// use cinta::{FillMode, Interpolation, Tensor, Var};
/// let x = Var::constant(Tensor::from([1.0, 2.0, 3.0]).reshape([1, 1, 3, 1]));
/// // Two pixels to the left of each.
/// let moved = |fill| {
///     let map = [1.0, 0.0, -2.0, 0.0, 1.0, 0.0];
///     x.affine_transform(&[map], Interpolation::Nearest, fill, 9.0).value().to_vec()
/// };
/// assert_eq!(moved(FillMode::Constant), [9.0, 9.0, 1.0]);
/// assert_eq!(moved(FillMode::Nearest), [1.0, 1.0, 1.0]);
/// assert_eq!(moved(FillMode::Reflect), [2.0, 1.0, 1.0]);
/// assert_eq!(moved(FillMode::Wrap), [2.0, 3.0, 1.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FillMode {
    /// One value.
    Constant,
    /// The pixel at the border.
    Nearest,
    /// The image in a mirror, with the pixel at the border twice.
    Reflect,
    /// The image once more.
    Wrap,
}

impl FillMode {
    /// The pixel that stands at a place of an axis.
    fn pixel(self, place: isize, size: usize) -> Option<usize> {
        let length = size as isize;
        let inside = match self {
            FillMode::Constant => place,
            FillMode::Nearest => place.clamp(0, length - 1),
            FillMode::Wrap => place.rem_euclid(length),
            FillMode::Reflect => {
                let place = place.rem_euclid(2 * length);
                place.min(2 * length - 1 - place)
            }
        };
        usize::try_from(inside).ok().filter(|&pixel| pixel < size)
    }
}

/// Where the pixels of images come from: that at `(x, y)` from `(a0 x + a1 y + a2, b0 x + b1 y + b2)`.
pub struct Warp {
    /// `[a0, a1, a2, b0, b1, b2]` of each image.
    pub maps: Vec<[f64; 6]>,
    /// Whether the four pixels around a place count, or the closest alone.
    pub bilinear: bool,
    pub fill: FillMode,
    /// What is beyond the border if that is constant.
    pub value: f64,
}

impl Warp {
    /// Calls `tap(output pixel, input pixel if there is one, weight)` for all that the pixels of image `i` look at.
    fn taps(&self, i: usize, [h, w]: [usize; 2], mut tap: impl FnMut(usize, Option<usize>, f64)) {
        let [a0, a1, a2, b0, b1, b2] = self.maps[i];
        for out in 0..h * w {
            let (x, y) = ((out % w) as f64, (out / w) as f64);
            let place = [b0 * x + b1 * y + b2, a0 * x + a1 * y + a2];
            if !self.bilinear {
                let [row, column] = place.map(|at| at.round() as isize);
                let pixel = self.fill.pixel(row, h).zip(self.fill.pixel(column, w));
                tap(out, pixel.map(|(row, column)| row * w + column), 1.0);
                continue;
            }
            // Before and after the place, in each direction.
            let sides = place.map(|at| {
                let before = at.floor();
                [(before as isize, 1.0 - (at - before)), (before as isize + 1, at - before)]
            });
            for (row, row_weight) in sides[0] {
                for (column, column_weight) in sides[1] {
                    let weight = row_weight * column_weight;
                    if weight != 0.0 {
                        let pixel = self.fill.pixel(row, h).zip(self.fill.pixel(column, w));
                        tap(out, pixel.map(|(row, column)| row * w + column), weight);
                    }
                }
            }
        }
    }

    /// The images `[n, h, w, c]`.
    pub fn forward<T: Scalar>(&self, x: &Tensor<T>) -> Tensor<T> {
        let (shape, [_, h, w, c]) = (x.shape(), x.dims());
        let x = x.row_major();
        let x = x.as_slice().expect("row-major");
        let mut y = Buffer::zeroed(x.len());
        let (size, work) = (h * w * c, 8 * x.len());
        par::for_each_part(
            &mut y,
            size.max(1),
            work,
            || (),
            |(), i, y| {
                let x = &x[i * size..][..size];
                self.taps(i, [h, w], |out, pixel, weight| {
                    let y = &mut y[out * c..][..c];
                    match pixel {
                        Some(pixel) => {
                            let weight = T::lit(weight);
                            y.iter_mut().zip(&x[pixel * c..]).for_each(|(y, &x)| *y += weight * x);
                        }
                        None => y.iter_mut().for_each(|y| *y += T::lit(weight * self.value)),
                    }
                });
            },
        );
        Tensor::from_buffer(shape, y)
    }

    /// The gradient of the input. Many pixels may look at the same one, so it is added up in `f64`.
    pub fn backward<T: Scalar>(&self, dy: &Tensor<T>) -> Tensor<T> {
        let (shape, [_, h, w, c]) = (dy.shape(), dy.dims());
        let dy = dy.row_major();
        let dy = dy.as_slice().expect("row-major");
        let mut dx = Buffer::stale(dy.len());
        let (size, work) = (h * w * c, 8 * dy.len());
        par::for_each_part(
            &mut dx,
            size.max(1),
            work,
            || vec![T::Wide::zero(); size],
            |sums: &mut Vec<T::Wide>, i, dx| {
                let dy = &dy[i * size..][..size];
                sums.fill(T::Wide::zero());
                self.taps(i, [h, w], |out, pixel, weight| {
                    if let Some(pixel) = pixel {
                        let (sums, dy) = (&mut sums[pixel * c..], &dy[out * c..][..c]);
                        let weight = T::Wide::lit(weight);
                        sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += weight * dy.wide());
                    }
                });
                dx.iter_mut().zip(&*sums).for_each(|(dx, &sum)| *dx = T::narrow(sum));
            },
        );
        Tensor::from_buffer(shape, dx)
    }
}
