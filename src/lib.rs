//! draft
#![deny(missing_docs)]
mod autograd;
pub mod datasets;
mod error;
mod io;
mod kernels;
mod model;
mod nn;
mod ops;
pub mod prelude;
mod scalar;
mod simd;
mod tensor;
mod train;
pub use autograd::{Gradients, Mismatch, Op, Tape, Var, apply, gradcheck};
pub use error::{Error, Result};
pub use kernels::{Padding, Window};
pub use model::{Fit, History, LayerRef, Scores, Sequential, SequentialBuilder, SubModel, Verbose};
pub use nn::{
    Activation, AveragePooling2d, Config, Context, Conv2d, Dense, Dropout, Flatten, Initializer,
    Layer, MaxPooling2d, Mode, Options, Pair, Registry, Regularizer, Weight,
};
pub use rand;
pub use scalar::Scalar;
pub use simd::instruction_set;
pub use tensor::{Axes, MAX_RANK, Shape, Stream, Tensor};
pub use train::{
    Accuracy, Adam, CategoricalCrossentropy, Compile, Loss, MeanSquaredError, Metric, Optimizer,
    Sgd, SparseCategoricalCrossentropy,
};
