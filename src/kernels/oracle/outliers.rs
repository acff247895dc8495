//! Convolutions by tiles where some values are far larger than the others, or no numbers: what does not see them is
//! as exact as without them.

use super::super::conv2d::{
    Algorithm, Geometry, direct,
    winograd::{self, F2, F4},
};
use super::super::gemm::Finish;
use super::super::window::{Padding, Window};
use super::at_each_level;
use crate::par;
use crate::tensor::testing::pairs;
use crate::tensor::{Stream, Tensor};

const OUTLIERS: [f32; 4] = [1e4, 1e8, f32::INFINITY, f32::NAN];

/// Which values of an image are outliers: in one channel of one pixel, in all channels of it, of a block of 2 by 2 pixels, or of a
/// row of pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    Value,
    Pixel,
    Block,
    Line,
}

const EXTENTS: [Extent; 4] = [Extent::Value, Extent::Pixel, Extent::Block, Extent::Line];

/// A convolution with values between -1 and 1, but for outliers in its images or in the gradients of its outputs.
struct Case {
    geometry: Geometry,
    x: Vec<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    outlier: f32,
}

impl Case {
    fn new([images, h, w]: [usize; 3], padding: Padding, [c_in, c_out]: [usize; 2]) -> Self {
        let window = Window::new([h, w], [3, 3], [1, 1], padding).expect("a window");
        let algorithm = Algorithm::Winograd4;
        let geometry = Geometry { window, images, c_in, c_out, groups: 1, algorithm };
        let rng = &mut Stream::new((h * w + c_in) as u64);
        let [oh, ow] = window.output();
        let mut draw = |len: usize| Tensor::<f32>::uniform([len], -1.0, 1.0, rng).to_vec();
        let (x, kernel) = (draw(images * h * w * c_in), draw(9 * c_in * c_out));
        let (bias, dy) = (draw(c_out), draw(images * oh * ow * c_out));
        Case { geometry, x, kernel, bias, dy, outlier: 0.0 }
    }

    /// With outliers at and around a place of an image, in the images themselves or in the gradients.
    fn with(
        mut self,
        outlier: f32,
        extent: Extent,
        image: usize,
        [y, x]: [usize; 2],
        in_gradients: bool,
    ) -> Self {
        self.outlier = outlier;
        let Geometry { window, c_in, c_out, .. } = self.geometry;
        let ([h, w], channels, values) = if in_gradients {
            (window.output(), c_out, &mut self.dy)
        } else {
            (window.image(), c_in, &mut self.x)
        };
        let (rows, columns) = match extent {
            Extent::Value | Extent::Pixel => (y..y + 1, x..x + 1),
            Extent::Block => (y..(y + 2).min(h), x..(x + 2).min(w)),
            Extent::Line => (y..y + 1, 0..w),
        };
        for (y, x) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
            let pixel = &mut values[((image * h + y) * w + x) * channels..][..channels];
            match extent {
                Extent::Value => pixel[channels / 2] = outlier,
                _ => pixel.fill(outlier),
            }
        }
        self
    }

    /// `[y, dx, dw]`.
    fn run(&self, side: usize) -> [Vec<f32>; 3] {
        let Case { geometry: g, x, kernel, bias, dy, .. } = self;
        let (g, plain) = (*g, Finish::Plain);
        let results = match side {
            1 => [
                direct::forward(g, x, kernel, bias, plain),
                direct::backward_input(g, kernel, dy),
                direct::backward_kernel(g, x, dy),
            ],
            2 => [
                winograd::forward::<_, F2, 4, 2>(g, x, (kernel, None), bias, plain),
                winograd::backward_input::<_, F2, 4, 2>(g, kernel, dy),
                winograd::backward_kernel::<_, F2, 4, 2>(g, x, dy),
            ],
            _ => [
                winograd::forward::<_, F4, 6, 4>(g, x, (kernel, None), bias, plain),
                winograd::backward_input::<_, F4, 6, 4>(g, kernel, dy),
                winograd::backward_kernel::<_, F4, 6, 4>(g, x, dy),
            ],
        };
        results.map(|values| values.to_vec())
    }

    /// The factors of all summands of one output, of one gradient of a pixel, or of one gradient of a weight. The last is a sum
    /// over the border, too: zero times infinity is no number there.
    fn factors(&self, result: usize, at: usize) -> Vec<[f32; 2]> {
        let Geometry { window, images, c_in, c_out, .. } = self.geometry;
        let ([h, w], [oh, ow], [top, left]) = (window.image(), window.output(), window.before());
        let mut factors = Vec::new();
        let mut meet = |n: usize, [oy, ox]: [usize; 2], tap: usize, c: usize, o: usize| {
            let (y, x) = ((oy + tap / 3).wrapping_sub(top), (ox + tap % 3).wrapping_sub(left));
            let inside = y < h && x < w;
            let pixel = if inside { self.x[((n * h + y) * w + x) * c_in + c] } else { 0.0 };
            let gradient = self.dy[((n * oh + oy) * ow + ox) * c_out + o];
            let weight = self.kernel[(tap * c_in + c) * c_out + o];
            match result {
                0 if inside => factors.push([pixel, weight]),
                1 if inside => factors.push([gradient, weight]),
                2 => factors.push([pixel, gradient]),
                _ => {}
            }
        };
        match result {
            0 => {
                let (pixel, o) = (at / c_out, at % c_out);
                let place = [pixel / ow % oh, pixel % ow];
                (0..9 * c_in).for_each(|i| meet(pixel / (oh * ow), place, i / c_in, i % c_in, o));
            }
            1 => {
                let (pixel, c) = (at / c_in, at % c_in);
                let (y, x) = (pixel / w % h + top, pixel % w + left);
                for tap in 0..9 {
                    let (oy, ox) = (y.wrapping_sub(tap / 3), x.wrapping_sub(tap % 3));
                    if oy < oh && ox < ow {
                        (0..c_out).for_each(|o| meet(pixel / (h * w), [oy, ox], tap, c, o));
                    }
                }
            }
            _ => {
                let (tap, c, o) = (at / c_out / c_in, at / c_out % c_in, at % c_out);
                let places = (0..images * oh * ow).map(|i| (i / (oh * ow), [i / ow % oh, i % ow]));
                places.for_each(|(n, place)| meet(n, place, tap, c, o));
            }
        }
        factors
    }

    /// Compares some values of each result with sums of products. What sees no outlier errs like a sum of values between -1
    /// and 1, what sees one in proportion to it.
    fn check(&self, side: usize, step: usize) {
        for (i, values) in self.run(side).iter().enumerate() {
            let name = ["y", "dx", "dw"][i];
            for at in (0..values.len()).step_by(step) {
                let start =
                    if i == 0 { f64::from(self.bias[at % self.geometry.c_out]) } else { 0.0 };
                let factors = self.factors(i, at);
                let (mut right, mut sees, mut size) = (start, false, 0.0);
                for &[a, b] in &factors {
                    right += f64::from(a) * f64::from(b);
                    size += (f64::from(a) * f64::from(b)).abs();
                    sees |= a * b != 0.0 && (a.abs() > 1.0 || b.abs() > 1.0);
                }
                let value = f64::from(values[at]);
                let most = 5e-6 * (factors.len().max(1) as f64).sqrt();
                let most = if sees { 2e-6 * size.max(f64::from(self.outlier)) } else { most };
                let close = if right.is_finite() {
                    (value - right).abs() <= most
                } else {
                    value == right || value.is_nan() && right.is_nan()
                };
                assert!(
                    close,
                    "{name}[{at}] is {value}, not {right}: tiles of {side}, outlier {}, {:?}",
                    self.outlier, self.geometry
                );
            }
        }
    }
}

/// In a corner, in the middle and at the end of the second image of three; with more tiles than channels, and fewer.
#[test]
fn are_felt_by_what_sees_them() {
    let sides = [3, 5, 6, 8, 13];
    let lens = [sides.len(), sides.len(), OUTLIERS.len(), EXTENTS.len(), 3, 2, 2, 2];
    for at in pairs(11, lens) {
        let padding = [Padding::Valid, Padding::Same][at[6]];
        let size = [sides[at[0]], sides[at[1]]];
        let channels = [[32, 32], [64, 48]][at[7]];
        let case = Case::new([3, size[0], size[1]], padding, channels);
        let of = if at[5] == 1 { case.geometry.window.output() } else { size };
        let place = of.map(|side| [0, side / 2, side - 1][at[4]]);
        let case = case.with(OUTLIERS[at[2]], EXTENTS[at[3]], 1, place, at[5] == 1);
        at_each_level(|| [2, 4].into_iter().for_each(|side| case.check(side, 17)));
    }
}

/// More tiles than are kept at a time.
#[test]
fn are_felt_in_long_sums() {
    for outlier in OUTLIERS {
        let case = Case::new([3, 67, 67], Padding::Same, [64, 64]);
        let case = case.with(outlier, Extent::Value, 2, [66, 0], false);
        par::serially(|| case.check(4, 9973));
    }
}

/// A row of zeros has no usual size; the images' own size does not matter; and neither do other images.
#[test]
fn are_relative() {
    let scaled = |scale: f32| {
        let mut case = Case::new([3, 9, 14], Padding::Same, [32, 32]);
        case.bias.fill(0.0);
        case = case.with(1e6, Extent::Value, 1, [5, 5], false);
        case.x.iter_mut().for_each(|x| *x *= scale);
        case.run(4)
    };
    let results = scaled(1.0);
    for scale in [2f32.powi(-40), 2f32.powi(30)] {
        let values = scaled(scale);
        for i in [0, 2] {
            assert!(values[i].iter().zip(&results[i]).all(|(a, b)| *a == b * scale), "{scale}");
        }
    }
    for (side, outlier) in [(2, 1e6), (4, 1e6), (4, f32::NAN)] {
        let case = Case::new([3, 9, 14], Padding::Same, [32, 32]);
        let case = case.with(outlier, Extent::Pixel, 1, [8, 13], false);
        let [y, ..] = case.run(side);
        for image in 0..3 {
            let mut alone = Case {
                geometry: Geometry { images: 1, ..case.geometry },
                ..Case::new([3, 9, 14], Padding::Same, [32, 32])
            };
            alone.x = case.x[image * 9 * 14 * 32..][..9 * 14 * 32].to_vec();
            alone.dy.truncate(9 * 14 * 32);
            let [y_alone, ..] = alone.run(side);
            let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&y_alone), bits(&y[image * y_alone.len()..][..y_alone.len()]));
        }
    }
}

/// Enough of them, and whole vectors of each instruction set.
#[test]
fn channels_that_are_transformed() {
    let window = Window::new([8, 8], [3, 3], [1, 1], Padding::Same).unwrap();
    let algorithm = Algorithm::Winograd4;
    let fits = |[c_in, c_out]: [usize; 2]| {
        let geometry = Geometry { window, images: 1, c_in, c_out, groups: 1, algorithm };
        winograd::Fits::<f32>::geometry(&geometry)
    };
    assert!([[16, 16], [16, 48], [32, 16], [48, 64]].into_iter().all(fits));
    assert!(![[15, 32], [32, 15], [8, 16], [16, 24], [40, 32], [32, 33]].into_iter().any(fits));
}
