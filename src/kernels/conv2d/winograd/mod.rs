//! Fewer multiplications for windows of 3 by 3 and stride 1 (Winograd, *Arithmetic complexity of
//! computations*, 1980; Lavin and Gray, *Fast algorithms for convolutional neural networks*, 2016).
//!
//! Four neighbouring outputs of a filter with three taps need 12 multiplications one by one. They are also
//! the product of two polynomials, with 6 coefficients, and a polynomial with 6 coefficients is known from
//! its values at 6 points. So: evaluate both factors at 6 points, multiply there, and interpolate, which takes
//! additions and multiplications by constants, but only 6 multiplications of the two factors. In two
//! dimensions a tile of 4 by 4 outputs needs 36 multiplications for each pair of channels instead of 144.
//!
//! The transformed pixels of a block of tiles form 36 matrices `[tiles, c_in]`, the transformed weights 36
//! matrices `[c_in, c_out]`: so the work is 36 matrix products, and the transformations are paid once for all
//! channels of the other side. That is why it needs many channels.
//!
//! The points 0, +-sqrt(1/2), +-sqrt(2) and infinity keep the constants near 1, and with them the rounding
//! errors; the textbook's 0, +-1, +-2 lose two bits more.
//!
//! Tiles whose values are far larger than usual would spoil their other outputs. [`outliers`] finds and replaces them.

#[macro_use]
mod tiles;
mod kernel_gradient;
mod outliers;
mod parts;
mod sweep;
mod weights;

pub use kernel_gradient::backward_kernel;
pub use tiles::{F2, F4, Tiles};

use super::super::gemm::Finish;
use super::{Geometry, PART_WORK, PARTS};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use parts::Source;
use std::marker::PhantomData;
use sweep::Sweep;
use weights::Weights;

/// Floats between the matrices of two points: their rows must not all fall on the same few places of the
/// cache.
const GAP: usize = 48;
/// Floats between the rows of transformed tiles, for the same reason.
const ROW_GAP: usize = 16;
/// Bytes that the transformed pixels of one block of tiles take at most: they stay in the second-level cache.
const BLOCK_BYTES: usize = 640 << 10;

/// Whether tiles are for this type, as a constant: no code is made for one that they are not for. `f64` is asked for
/// where rounding errors count.
pub struct Fits<T>(PhantomData<T>);

impl<T: Scalar> Fits<T> {
    pub const TYPE: bool = T::BYTES == 4;

    /// Whether the window is right, and channels can be transformed in whole vectors.
    pub fn geometry(geometry: &Geometry) -> bool {
        let window = geometry.window;
        Self::TYPE
            && window.size() == [3, 3]
            && window.strides() == [1, 1]
            && window.dilation() == [1, 1]
            && geometry.groups == 1
            && [geometry.c_in, geometry.c_out].iter().all(|c| *c >= 16 && c.is_multiple_of(16))
    }
}

/// `y[n, oh, ow, c_out]` of row-major `x[n, h, w, c_in]`. The tensor of the weights, if there is one, keeps them at the points.
pub fn forward<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    x: &[T],
    (kernel, keeper): (&[T], Option<&Tensor<T>>),
    bias: &[T],
    finish: Finish,
) -> Buffer<T> {
    if !Fits::<T>::TYPE {
        unreachable!("no tiles for this type");
    }
    let Geometry { window, images, c_in, c_out, .. } = geometry;
    let sweep = Sweep {
        source: Source { data: x, size: window.image(), channels: c_in, before: window.before() },
        weights: Weights::new(kernel, keeper, [c_in, c_out], false),
        images,
        output: window.output(),
        bias: Some(bias),
        finish,
    };
    sweep.run::<F, N, M>(geometry.work())
}

/// The gradient of the images: the same sweep over `dy`, with the kernel read backwards.
pub fn backward_input<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    kernel: &[T],
    dy: &[T],
) -> Buffer<T> {
    if !Fits::<T>::TYPE {
        unreachable!("no tiles for this type");
    }
    let Geometry { window, images, c_in, c_out, .. } = geometry;
    let before = window.before().map(|before| 2 - before);
    let sweep = Sweep {
        source: Source { data: dy, size: window.output(), channels: c_out, before },
        weights: Weights::new(kernel, None, [c_in, c_out], true),
        images,
        output: window.image(),
        bias: None,
        finish: Finish::Plain,
    };
    sweep.run::<F, N, M>(geometry.work())
}
