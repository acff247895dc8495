//! Images of another size: each output is a weighted sum of inputs along one axis, and then along the other.

use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::tensor::{Order, Tensor};
use std::f64::consts::PI;

/// How values between pixels come about: by what function of the distance the pixels count.
///
/// ```
/// use cinta::{Interpolation, Tensor, Var};
/// let x = Var::constant(Tensor::from([0.0, 4.0]).reshape([1, 1, 2, 1]));
/// let resized = |interpolation| x.resize([1, 4], interpolation, false).value().to_vec();
/// assert_eq!(resized(Interpolation::Nearest), [0.0, 0.0, 4.0, 4.0]);
/// assert_eq!(resized(Interpolation::Bilinear), [0.0, 1.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Interpolation {
    /// The pixel that is closest.
    Nearest,
    /// Straight lines between pixels.
    #[default]
    Bilinear,
    /// Keys's cubic pieces over four pixels, with `a = -0.5`.
    Bicubic,
    /// Lanczos's window of three pixels on each side.
    Lanczos3,
    /// Lanczos's window of five pixels on each side.
    Lanczos5,
}

impl Interpolation {
    pub(crate) const ALL: [Interpolation; 5] = [
        Interpolation::Nearest,
        Interpolation::Bilinear,
        Interpolation::Bicubic,
        Interpolation::Lanczos3,
        Interpolation::Lanczos5,
    ];

    /// Keras's name: `"nearest"`, `"bilinear"` and so on.
    ///
    /// ```
    /// assert_eq!(cinta::Interpolation::Lanczos3.name(), "lanczos3");
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

    /// Pixels that are farther away do not count.
    fn radius(self) -> f64 {
        match self {
            Interpolation::Nearest => 0.5,
            Interpolation::Bilinear => 1.0,
            Interpolation::Bicubic => 2.0,
            Interpolation::Lanczos3 => 3.0,
            Interpolation::Lanczos5 => 5.0,
        }
    }

    /// What a pixel at this distance, which is not negative, counts.
    fn weight(self, x: f64) -> f64 {
        match self {
            _ if x > self.radius() => 0.0,
            Interpolation::Nearest => 1.0,
            Interpolation::Bilinear => 1.0 - x,
            Interpolation::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Interpolation::Bicubic => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            // The quotient of two small numbers, which is 1 in the end.
            Interpolation::Lanczos3 | Interpolation::Lanczos5 if x <= 1e-3 => 1.0,
            Interpolation::Lanczos3 | Interpolation::Lanczos5 => {
                let r = self.radius();
                r * (PI * x).sin() * (PI * x / r).sin() / (PI * PI * x * x)
            }
        }
    }
}

/// For each output along an axis: the inputs that it is made of, and their weights.
pub type Taps = Vec<Vec<(usize, f64)>>;

/// From so many pixels to so many, whose centres are spread over the same length. With `antialias`, what makes an image
/// smaller looks at all its pixels.
pub fn taps(inputs: usize, outputs: usize, interpolation: Interpolation, antialias: bool) -> Taps {
    let ratio = inputs as f64 / outputs as f64;
    let stretch = if antialias { ratio.max(1.0) } else { 1.0 };
    let reach = interpolation.radius() * stretch;
    let taps = |output: usize| {
        if interpolation == Interpolation::Nearest {
            // In single precision, as JAX computes it: which of two pixels is the closest may depend on it.
            let place = ((output as f32 + 0.5) * inputs as f32 / outputs as f32).floor();
            return vec![((place as usize).min(inputs.saturating_sub(1)), 1.0)];
        }
        let centre = (output as f64 + 0.5) * ratio - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(inputs - 1);
        let weight = |input: usize| interpolation.weight((centre - input as f64).abs() / stretch);
        // Beside the border, some of the weights are missing.
        let sum: f64 = (first..=last).map(weight).sum();
        (first..=last).map(|input| (input, weight(input) / sum)).collect()
    };
    let outputs = if inputs == 0 { 0 } else { outputs };
    (0..outputs).map(taps).collect()
}

/// The same weights from outputs to inputs: what takes gradients back.
pub fn transposed(taps: &[Vec<(usize, f64)>], inputs: usize) -> Taps {
    let mut back = vec![Vec::new(); inputs];
    for (output, weights) in taps.iter().enumerate() {
        weights.iter().for_each(|&(input, weight)| back[input].push((output, weight)));
    }
    back
}

/// Another length of an axis.
pub fn along<T: Scalar>(x: &Tensor<T>, axis: usize, taps: &[Vec<(usize, f64)>]) -> Tensor<T> {
    let (shape, order) = (x.shape(), x.order());
    let mut output = shape.to_vec();
    output[axis] = taps.len();
    // In memory: what lies around the axis, and what lies inside of one place of it.
    let around: usize = match order {
        Order::RowMajor => shape[..axis].iter().product(),
        Order::Innermost if axis == 0 => shape[1..].iter().product(),
        Order::Innermost => shape[1..axis].iter().product(),
    };
    let inside = (x.len() / (around * shape[axis]).max(1)).max(1);
    let x = x.in_order(order);
    let x = x.stored(order);
    let mut y = Buffer::zeroed(output.iter().product());
    let (from, to) = (shape[axis] * inside, taps.len() * inside);
    let summands = taps.iter().map(Vec::len).sum::<usize>();
    let work = around.saturating_mul(summands).saturating_mul(inside);
    if !y.is_empty() && !x.is_empty() {
        par::for_each_part(
            &mut y,
            to,
            work,
            || (),
            |(), part, y| {
                let x = &x[part * from..][..from];
                for (y, taps) in y.chunks_exact_mut(inside).zip(taps) {
                    add_taps(x, taps, y);
                }
            },
        );
    }
    order.tensor(&output[..], y)
}

/// Adds the taps of one output to zeros.
fn add_taps<T: Scalar>(x: &[T], taps: &[(usize, f64)], y: &mut [T]) {
    let place = |i: usize| &x[i * y.len()..][..y.len()];
    match *taps {
        [(i, 1.0)] => y.copy_from_slice(place(i)),
        _ => {
            let inside = y.len();
            for &(i, weight) in taps {
                let weight = T::lit(weight);
                y.iter_mut().zip(&x[i * inside..]).for_each(|(y, &x)| *y += weight * x);
            }
        }
    }
}
