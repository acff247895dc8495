//! How values between pixels are found.

use std::f64::consts::PI;

/// How images get another size.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([1, 2, 1])
///     .add(UpSampling2d::new([1, 2]).interpolation(Interpolation::Bilinear))
///     .build(0)?;
/// let x = Tensor::from([0.0, 4.0]).reshape([1, 1, 2, 1]);
/// assert_eq!(model.predict(&x)?.to_vec(), [0.0, 1.0, 3.0, 4.0]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Interpolation {
    /// The pixel that is nearest.
    #[default]
    Nearest,
    /// The two nearest pixels along each axis, by their distances.
    Bilinear,
    /// The four nearest pixels along each axis, by Keys's cubic polynomials: smooth, and sharper.
    Bicubic,
    /// The six nearest pixels along each axis, by a windowed sinc.
    Lanczos3,
    /// The ten nearest pixels along each axis, by a windowed sinc.
    Lanczos5,
}

impl Interpolation {
    pub(super) const ALL: [Interpolation; 5] = [
        Interpolation::Nearest,
        Interpolation::Bilinear,
        Interpolation::Bicubic,
        Interpolation::Lanczos3,
        Interpolation::Lanczos5,
    ];

    /// Keras's name.
    ///
    /// ```
    /// assert_eq!(cinta::Interpolation::Bilinear.name(), "bilinear");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear => "bilinear",
            Interpolation::Bicubic => "bicubic",
            Interpolation::Lanczos3 => "lanczos3",
            Interpolation::Lanczos5 => "lanczos5",
        }
    }

    /// For each of `to` pixels, which of `from` pixels it is made of, and their weights. Both rows are equally long, so that the
    /// middle of pixel `o` is at `(o + 1/2) from / to`.
    pub(super) fn taps(self, from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
        let middle = |o: usize| (o as f64 + 0.5) * from as f64 / to as f64;
        let nearest = |o: usize| vec![((middle(o) as usize).min(from - 1), 1.0)];
        let between = |o: usize| {
            let place = middle(o) - 0.5;
            let first = (place - self.reach()).ceil().max(0.0) as usize;
            let last = ((place + self.reach()) as usize).min(from - 1);
            let weight = |i: usize| (i, self.weight((place - i as f64).abs()));
            let taps: Vec<(usize, f64)> =
                (first..=last).map(weight).filter(|&(_, weight)| weight != 0.0).collect();
            // At the border, some are missing.
            let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
            taps.into_iter().map(|(i, weight)| (i, weight / sum)).collect()
        };
        match self {
            Interpolation::Nearest => (0..to).map(nearest).collect(),
            _ => (0..to).map(between).collect(),
        }
    }

    /// The distance from which on a pixel has no weight.
    fn reach(self) -> f64 {
        match self {
            Interpolation::Nearest => 0.5,
            Interpolation::Bilinear => 1.0,
            Interpolation::Bicubic => 2.0,
            Interpolation::Lanczos3 => 3.0,
            Interpolation::Lanczos5 => 5.0,
        }
    }

    /// The weight of a pixel at this distance, before all of them are divided by their sum.
    fn weight(self, distance: f64) -> f64 {
        let x = distance;
        match self {
            _ if x >= self.reach() => 0.0,
            Interpolation::Nearest => 1.0,
            Interpolation::Bilinear => 1.0 - x,
            Interpolation::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Interpolation::Bicubic => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            // The sinc, and the window, which is a sinc as well.
            Interpolation::Lanczos3 | Interpolation::Lanczos5 => {
                let sinc = |x: f64| if x < 1e-3 { 1.0 } else { (PI * x).sin() / (PI * x) };
                sinc(x) * sinc(x / self.reach())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_of_rows() {
        let half = |o: usize| Interpolation::Bilinear.taps(4, 2)[o].clone();
        assert_eq!([half(0), half(1)], [vec![(0, 0.5), (1, 0.5)], vec![(2, 0.5), (3, 0.5)]]);
        let twice = Interpolation::Bilinear.taps(2, 4);
        assert_eq!(twice[0], [(0, 1.0)]);
        assert_eq!(twice[1], [(0, 0.75), (1, 0.25)]);
        let nearest = Interpolation::Nearest.taps(3, 6);
        let nearest: Vec<usize> = nearest.iter().map(|taps| taps[0].0).collect();
        assert_eq!(nearest, [0, 0, 1, 1, 2, 2]);
        // In the middle of two pixels, of which the farther neighbours weigh -1/16.
        let middle = &Interpolation::Bicubic.taps(4, 1)[0];
        assert_eq!(
            middle.iter().map(|tap| tap.1).collect::<Vec<_>>(),
            [-0.0625, 0.5625, 0.5625, -0.0625]
        );
    }

    #[test]
    fn a_constant_stays_one() {
        for (from, to) in [(1, 3), (7, 3), (3, 7), (5, 10), (9, 1)] {
            for interpolation in Interpolation::ALL {
                for taps in interpolation.taps(from, to) {
                    let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
                    assert!((sum - 1.0).abs() < 1e-12, "{interpolation:?} {from} {to}");
                    assert!(taps.iter().all(|&(i, _)| i < from));
                }
            }
        }
    }
}
