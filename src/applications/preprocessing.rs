//! How pixels are brought into the range that a network was trained with: the modes of Keras's `imagenet_utils`.

use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// The mean of ImageNet: blue, green, red.
const MEAN: [f64; 3] = [103.939, 116.779, 123.68];

#[track_caller]
fn three_colors<T: Scalar>(what: &str, pixels: &Tensor<T>) {
    assert!(
        pixels.shape().last() == Some(&3),
        "{what}: the last axis has three colours, [.., 3], and the shape is {}",
        pixels.shape()
    );
}

/// Blue first, less the mean.
#[track_caller]
pub(super) fn caffe<T: Scalar>(what: &str, pixels: &Tensor<T>) -> Tensor<T> {
    three_colors(what, pixels);
    let mean = MEAN.map(T::lit);
    let mut blue_first = pixels.flip(pixels.rank() - 1).row_major();
    for pixel in blue_first.as_mut_slice().chunks_exact_mut(3) {
        pixel.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
    blue_first
}

/// From -1 to 1.
#[track_caller]
pub(super) fn tf<T: Scalar>(what: &str, pixels: &Tensor<T>) -> Tensor<T> {
    three_colors(what, pixels);
    pixels.map(|value| value / T::lit(127.5) - T::one())
}
