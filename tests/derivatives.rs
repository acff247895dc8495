//! Derivatives of any order: every op's second derivative, random programs, JAX, and long tapes.

#[path = "derivatives/jax.rs"]
mod jax;
#[path = "derivatives/ops.rs"]
mod ops;
#[path = "derivatives/programs.rs"]
mod programs;
#[path = "derivatives/steps.rs"]
mod steps;
#[path = "derivatives/tapes.rs"]
mod tapes;
