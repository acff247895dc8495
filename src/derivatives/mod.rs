//! Derivatives of functions of vars: gradients, products with Jacobians and Hessians, those matrices themselves, and recomputation.
//!
//! Everything that needs a second derivative runs the function with [`Dual`](crate::Dual) numbers: forward over reverse.

mod checkpoint;
mod first;
mod gradgradcheck;
mod numbers;
pub mod on_tape;
mod second;

pub use checkpoint::checkpoint;
pub use first::{grad, jacobian, jvp, value_and_grad, vjp};
pub use gradgradcheck::gradgradcheck;
pub use second::{hessian, hvp};
