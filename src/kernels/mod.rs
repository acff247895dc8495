//! Loops over numbers: the products, the convolution and the pooling behind the ops.
//!
//! Kernels are safe code over slices in row-major order (matrix products take any strides). They know
//! nothing of the tape.

pub(crate) mod conv2d;
pub(crate) mod gemm;
pub(crate) mod mask;
pub(crate) mod par;
pub(crate) mod pool2d;
pub(crate) mod window;

pub use conv2d::Algorithm;
pub use window::{Padding, Window};
