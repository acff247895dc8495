//! Inputs with one, two or three axes between sample and channels: series, images and volumes.
//!
//! All is computed on images. A series is an image of one row; a volume is its slices, or an image whose columns are the pixels
//! of a slice.

use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::{Padding, Window};
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// The shape of a series `[steps, c]`.
pub(super) fn series(input: Shape) -> Result<[usize; 2], Reason> {
    match *input {
        [steps, c] => Ok([steps, c]),
        _ => {
            Err(format!("needs series [steps, channels], and one sample has the shape {input}")
                .into())
        }
    }
}

/// The shape of a volume `[d, h, w, c]`.
pub(super) fn volume(input: Shape) -> Result<[usize; 4], Reason> {
    match *input {
        [d, h, w, c] => Ok([d, h, w, c]),
        _ => Err(format!(
            "needs volumes [depth, height, width, channels], and one sample has the shape {input}"
        )
        .into()),
    }
}

/// Series `[n, steps, c]` as images of one row, `[n, 1, steps, c]`.
pub(super) fn as_image<'t, T: Scalar>(x: &Var<'t, T>) -> Var<'t, T> {
    let [n, steps, c] = x.value().dims();
    x.reshape([n, 1, steps, c])
}

/// The kernel of a convolution of series, `[k, c_in, c_out]`, as one for images: `[1, k, c_in, c_out]`.
pub(super) fn row<'t, T: Scalar>(kernel: &Var<'t, T>) -> Var<'t, T> {
    let [k, c_in, c_out] = kernel.value().dims();
    kernel.reshape([1, k, c_in, c_out])
}

/// Images of one row as series.
pub(super) fn as_series<'t, T: Scalar>(x: &Var<'t, T>) -> Var<'t, T> {
    let [n, _, steps, c] = x.value().dims();
    x.reshape([n, steps, c])
}

/// The number of outputs of windows over one, two or three axes.
pub(super) fn outputs<const N: usize>(
    input: [usize; N],
    size: [usize; N],
    strides: [usize; N],
    dilation: [usize; N],
    padding: Padding,
) -> Result<[usize; N], Reason> {
    if N > 1 {
        not_causal(padding)?;
    }
    // Two axes at a time, so that a message shows an image as it is.
    let mut output = [0; N];
    let mut last = N;
    while last > 0 {
        let first = last.saturating_sub(2);
        let pair = |of: [usize; N]| [if last - first == 2 { of[first] } else { 1 }, of[last - 1]];
        let (input, size, strides, dilation) =
            (pair(input), pair(size), pair(strides), pair(dilation));
        let window = Window::dilated(input, size, strides, dilation, padding)?;
        output[first..last].copy_from_slice(&window.output()[2 - (last - first)..]);
        last = first;
    }
    Ok(output)
}

/// The shape of a sample whose axes between sample and channels get other lengths.
pub(super) fn over_axes<const N: usize>(
    sample: Shape,
    lengths: &dyn Fn([usize; N]) -> Result<[usize; N], Reason>,
) -> Result<Shape, Reason> {
    let mut output = sample.to_vec();
    let mut axes = [0; N];
    axes.copy_from_slice(&output[..N]);
    output[..N].copy_from_slice(&lengths(axes)?);
    Ok(Shape::new(&output))
}

/// Refuses a padding that only convolutions of series have.
pub(super) fn not_causal(padding: Padding) -> Result<(), Reason> {
    if padding == Padding::Causal {
        return Err("padding `causal` is for convolutions of series; use `same` or `valid`".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_over_any_number_of_axes() {
        let valid = Padding::Valid;
        assert_eq!(outputs([7], [3], [2], [1], valid), Ok([3]));
        assert_eq!(outputs([7, 9, 8], [3, 1, 8], [2, 3, 1], [2, 1, 1], valid), Ok([2, 3, 1]));
        assert_eq!(outputs([7], [3], [2], [1], Padding::Causal), Ok([4]));
        assert!(outputs([7, 9], [3, 3], [1, 1], [1, 1], Padding::Causal).is_err());
        assert!(outputs([2, 9, 9], [3, 3, 3], [1; 3], [1; 3], valid).is_err());
    }
}
