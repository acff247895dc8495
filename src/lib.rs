//! draft
#![deny(missing_docs)]
mod autograd;
mod error;
mod kernels;
mod ops;
mod scalar;
mod simd;
mod tensor;
pub use autograd::{Gradients, Mismatch, Op, Tape, Var, apply, gradcheck};
pub use error::{Error, Result};
pub use kernels::{Padding, Window};
pub use rand;
pub use scalar::Scalar;
pub use simd::instruction_set;
pub use tensor::{Axes, MAX_RANK, Shape, Stream, Tensor};
