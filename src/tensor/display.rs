//! Tensors as NumPy prints them.

use super::Tensor;
use crate::scalar::{Scalar, compiled};
use std::fmt;

/// Above this many elements only the first and last three of each long axis are shown.
const THRESHOLD: usize = 1000;
const EDGE: usize = 3;
/// The most decimals shown, unless the format string asks for another number.
const PRECISION: usize = 8;

/// Nested brackets and aligned columns, as NumPy prints an array; `{:.3}` limits the decimals.
///
/// ```
/// # use cinta::Tensor;
/// let blur = Tensor::<f64>::full([2, 2], 1.0 / 9.0);
/// assert_eq!(blur.to_string(), "[[0.11111111 0.11111111]\n [0.11111111 0.11111111]]");
/// assert_eq!(format!("{:.2}", Tensor::from([1.0, 2.5])), "[1.  2.5]");
/// ```
impl<T: Scalar> fmt::Display for Tensor<T> {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = Style::of(self, f.precision().unwrap_or(PRECISION));
        let full = self.len() <= THRESHOLD;
        write_nested(f, self, &style, full, self.rank())
    }
}

/// The shape, the element type and the values, all on one line.
impl<T: Scalar> fmt::Debug for Tensor<T> {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        write!(f, "Tensor<{}>{} [", T::NAME, self.shape)?;
        for (i, value) in self.iter().take(SHOWN).enumerate() {
            write!(f, "{}{value:?}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.len() > SHOWN { ", ...]" } else { "]" })
    }
}

/// How all values of one tensor are written: with how many decimals, how wide.
struct Style {
    decimals: usize,
    scientific: bool,
    width: usize,
}

impl Style {
    fn of<T: Scalar>(tensor: &Tensor<T>, precision: usize) -> Style {
        let finite = || tensor.iter().map(T::abs).filter(|x| x.is_finite() && *x > T::zero());
        let largest = finite().fold(T::zero(), T::max).widen();
        let smallest = finite().fold(T::infinity(), T::min).widen();
        // NumPy's rule, but for its ratio of 1 000, which makes exponents of most images.
        let scientific = largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e6;
        // The shortest text that reads back as the same value tells how many decimals are needed.
        let needed = |x: T| {
            let text = if scientific { format!("{x:e}") } else { format!("{x}") };
            let mantissa = text.split('e').next().unwrap_or_default();
            mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len())
        };
        let decimals = tensor.iter().filter(|x| x.is_finite()).map(needed).max().unwrap_or(0);
        let mut style = Style { decimals: decimals.min(precision), scientific, width: 0 };
        style.width = tensor.iter().map(|x| style.text(x).len()).max().unwrap_or(0);
        style
    }

    /// A value with its trailing zeros blanked, so that points stand below each other.
    fn text<T: Scalar>(&self, x: T) -> String {
        if !x.is_finite() {
            return x.to_string().to_lowercase();
        }
        if self.scientific {
            let text = format!("{:.*e}", self.decimals, x.widen());
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let point = if mantissa.contains('.') { "" } else { "." };
            let exponent: i32 = exponent.parse().unwrap_or(0);
            return format!("{mantissa}{point}e{exponent:+03}");
        }
        let text = format!("{:.*}", self.decimals, x.widen());
        if !text.contains('.') {
            return format!("{text}.");
        }
        let trimmed = text.trim_end_matches('0');
        format!("{trimmed:<len$}", len = text.len())
    }
}

fn write_nested<T: Scalar>(
    f: &mut fmt::Formatter<'_>,
    tensor: &Tensor<T>,
    style: &Style,
    full: bool,
    rank: usize,
) -> fmt::Result {
    if tensor.rank() == 0 {
        let text = style.text(tensor.item());
        return if rank == 0 {
            f.write_str(text.trim())
        } else {
            write!(f, "{text:>0$}", style.width)
        };
    }
    let len = tensor.shape[0];
    // Rows are separated by as many line breaks as there are brackets closed, columns by a blank.
    let separator = match tensor.rank() {
        1 => " ".to_owned(),
        depth => "\n".repeat(depth - 1) + &" ".repeat(rank - depth + 1),
    };
    f.write_str("[")?;
    let shortened = !full && len > 2 * EDGE;
    for i in 0..len {
        if shortened && i == EDGE {
            write!(f, "{separator}...")?;
        }
        if shortened && (EDGE..len - EDGE).contains(&i) {
            continue;
        }
        if i > 0 {
            f.write_str(&separator)?;
        }
        let row = tensor.slice(0, i..=i);
        let row = Tensor { shape: row.shape.sample(), strides: shifted(&row.strides), ..row };
        write_nested(f, &row, style, full, rank)?;
    }
    f.write_str("]")
}

fn shifted(strides: &[isize; super::MAX_RANK]) -> [isize; super::MAX_RANK] {
    let mut shifted = *strides;
    shifted.rotate_left(1);
    shifted
}

compiled!(|x: &Tensor<T>| (x.to_string(), format!("{x:?}")));
