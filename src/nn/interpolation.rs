//! How values between pixels are found.

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
}

impl Interpolation {
    /// Keras's name: `"nearest"` or `"bilinear"`.
    ///
    /// ```
    /// assert_eq!(cinta::Interpolation::Bilinear.name(), "bilinear");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear => "bilinear",
        }
    }

    /// For each of `to` pixels, which of `from` pixels it is made of, and their weights. Both rows are equally long, so that a
    /// pixel's middle is at `(o + 1/2) from / to`.
    pub(super) fn taps(self, from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
        let middle = |o: usize| (o as f64 + 0.5) * from as f64 / to as f64;
        let nearest = |o: usize| vec![((middle(o) as usize).min(from - 1), 1.0)];
        let between = |o: usize| {
            // Beyond the middles of the outermost pixels there is nothing to go between.
            let place = (middle(o) - 0.5).clamp(0.0, (from - 1) as f64);
            let (before, share) = (place as usize, place.fract());
            if share == 0.0 {
                vec![(before, 1.0)]
            } else {
                vec![(before, 1.0 - share), (before + 1, share)]
            }
        };
        match self {
            Interpolation::Nearest => (0..to).map(nearest).collect(),
            Interpolation::Bilinear => (0..to).map(between).collect(),
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
        let nearest: Vec<usize> =
            Interpolation::Nearest.taps(3, 6).iter().map(|taps| taps[0].0).collect();
        assert_eq!(nearest, [0, 0, 1, 1, 2, 2]);
    }
}
