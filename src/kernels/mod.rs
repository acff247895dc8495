//! Loops over numbers: the products, the convolution and the pooling behind the ops.
//!
//! Kernels are safe code over slices in one of two memory orders, row-major or with the images innermost (matrix
//! products take any strides). They know nothing of the tape.

// Arrays whose lengths are constants are indexed: loops over `0..N` are what the compiler unrolls and makes vectors of.
#![allow(clippy::needless_range_loop, reason = "unrolled loops over arrays of constant length")]

mod accumulate;
pub(crate) mod along;
pub(crate) mod channels;
pub(crate) mod conv2d;
pub(crate) mod gemm;
pub(crate) mod mask;
mod narrow;
pub(crate) mod normalize;
#[cfg(test)]
mod oracle;
pub(crate) mod pool2d;
pub(crate) mod resample;
pub(crate) mod softmax;
pub(crate) mod steps;
pub(crate) mod sums;
pub(crate) mod warp;
pub(crate) mod window;

pub use conv2d::Algorithm;
pub use resample::Interpolation;
pub use warp::FillMode;
pub use window::{Padding, Window};
