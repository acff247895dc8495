//! What a program usually needs: `use cinta::prelude::*;`
//!
//! The traits `Loss`, `Metric`, `Optimizer` and `Layer` are not here: they are for those who write
//! their own, and some of their methods have common names.

pub use crate::autograd::{Tape, Var};
pub use crate::callbacks::*;
pub use crate::datasets::{self, Dataset};
pub use crate::error::Error;
pub use crate::kernels::Padding::{self, Causal, Same, Valid};
pub use crate::kernels::{FillMode, Interpolation};
pub use crate::model::{
    Callback, Fit, History, Input, Model, Node, Of, Sequential, Shared, Verbose,
};
pub use crate::nn::Regularizer::{self, L1, L1L2, L2};
pub use crate::nn::activations::*;
pub use crate::nn::layers::*;
pub use crate::nn::{Activation, Constraint, Initializer};
pub use crate::tensor::{Mask, Stream, Tensor};
pub use crate::train::losses::all::*;
pub use crate::train::metrics::all::*;
pub use crate::train::optimizers::all::*;
pub use crate::train::{
    Compile, CosineDecay, ExponentialDecay, InverseTimeDecay, Parameters, PiecewiseConstantDecay,
    PolynomialDecay,
};
