//! Convolutional networks in pure Rust.
//!
//! `cinta` is Spanish for *tape*: the record from which gradients are computed, read backwards.
//!
//! *A [`Tensor`] is shared data seen through a shape and strides. A [`Var`] is a tensor that remembers
//! how it was made. A layer is a recipe; the model owns the numbers.*
//!
//! # A network
//!
//! Models read like Keras's, and mean what they mean there: the same layers and defaults, the same
//! names, the same arithmetic.
//!
//! ```
//! # #[cfg(feature = "digits")] {
//! use cinta::prelude::*;
//!
//! let (train, test) = datasets::digits(); // handwritten digits, embedded in the crate
//! let mut model = Sequential::new([16, 16, 1])
//!     .add(Conv2d::new(8, 5).padding(Same).activation(Relu).name("conv_1"))
//!     .add(MaxPooling2d::new(2))
//!     .add(Flatten::new())
//!     .add(Dense::new(10).activation(Softmax))
//!     .build(72881)?;
//! println!("{}", model.summary());
//!
//! model.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy));
//! model.fit(&train, Fit { epochs: 2, verbose: Verbose::Silent, ..Fit::default() })?;
//! let scores = model.evaluate(&test)?;
//! assert!(scores["accuracy"] > 0.8);
//!
//! let probabilities = model.predict(&test.inputs().slice(0, 0..5))?; // [5, 10]
//! let activations = model.up_to("conv_1")?.predict(test.inputs())?; // [1797, 16, 16, 8]
//! # assert_eq!((probabilities.shape()[1], activations.shape()[3]), (10, 8));
//! # }
//! # Ok::<(), cinta::Error>(())
//! ```
//!
//! # Gradients
//!
//! Under the models lies a tape that anything can be written on:
//!
//! ```
//! use cinta::{Tape, Tensor, gradcheck};
//!
//! let tape = Tape::new();
//! let x = tape.leaf(Tensor::from([[1.0, 2.0]]));
//! let w = tape.leaf(Tensor::from([[0.5], [-0.25]]));
//! let loss = x.matmul(&w).tanh().square().sum(..);
//! let gradients = loss.backward();
//! assert_eq!(gradients.wrt(&w).shape(), [2, 1]);
//!
//! // And every gradient can be checked against finite differences, those of your own ops too.
//! gradcheck(|[x, w]| x.matmul(w).tanh().square(), [x.value().clone(), w.value().clone()]).unwrap();
//! ```
//!
//! # What holds everywhere
//!
//! * Images are `[n, h, w, c]`, kernels `[kh, kw, c_in, c_out]`: channels last, always.
//! * The same seed gives the same bits, for any number of threads (on one machine: another instruction
//!   set rounds differently).
//! * A wrong program (shapes that do not fit an operation) panics at the caller's line, with both
//!   shapes. A wrong world (files, data, configuration) is an [`Error`] that says what would be right.
//!
//! # The book
//!
//! The module `book` (with the features `applications`, `digits`, `images`, `keras` and `plot`) mirrors the lecture that this crate
//! reproduces, section by section, and explains how things work. In the repository it is the folder `docs`.
//!
//! # The rooms
//!
//! Each uses only those before it:
//! `error`, `config` (options by name), `book`, `file`, `buffer` (memory that is used again), `par` (threads), `simd` (instruction sets; the only `unsafe`), `scalar`,
//! `tensor`, `kernels` (loops over numbers), [`filters`], `images`, `autograd` (the tape), `ops` (one file each), `derivatives` (of any order), `nn` (layers),
//! `train` (losses, metrics, optimizers), `datasets`, `model`, `applications`, `plot`, `io`, `callbacks`. `docs/architecture.md` in the repository says why.
//!
//! # Features
//!
//! On by default: `digits` (the embedded data, [`datasets::digits`]), `f64` (its code is compiled in this crate, not in yours),
//! `gzip` (compressed data sets).
//! Not on: `applications` (well-known networks, as `keras.applications`), `approx` (tensors are compared with the traits of the
//! crate `approx`), `half` (numbers of 16 bits for storage, of the crate `half`), `images` (pictures from PNG and JPEG files, and as PNG files),
//! `keras` (models as Keras's own files), `ndarray` (arrays of the crate `ndarray`, in and out), `npy` (tensors as NumPy's files, `.npy` and
//! `.npz`), `plot` (figures of filters, activations, training and models, as PNG and SVG) and `serde` (tensors in any format of the crate `serde`).

#![deny(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

#[cfg(feature = "applications")]
pub mod applications;
mod autograd;
#[cfg(all(
    feature = "applications",
    feature = "digits",
    feature = "images",
    feature = "keras",
    feature = "plot"
))]
pub mod book;
mod buffer;
mod callbacks;
pub mod config;
pub mod datasets;
mod derivatives;
mod error;
mod file;
pub mod filters;
#[cfg(feature = "images")]
pub mod images;
mod io;
mod kernels;
mod model;
mod nn;
mod ops;
mod par;
#[cfg(feature = "plot")]
pub mod plot;
pub mod prelude;
mod scalar;
mod simd;
mod tensor;
mod train;

pub use autograd::{
    Gradients, Mismatch, Op, OperationProfile, Profile, Tape, Var, apply, gradcheck,
};
pub use callbacks::*;
pub use config::{Config, Options};
pub use derivatives::{
    checkpoint, grad, gradgradcheck, hessian, hvp, jacobian, jvp, on_tape, value_and_grad, vjp,
};
pub use error::{Error, Reason, Result};
pub use io::{Endian, Load};
pub use kernels::{Algorithm, FillMode, Interpolation, Padding, Window};
pub use model::{
    Callback, Fit, FitParams, History, Input, LayerRef, Model, ModelBuilder, ModelLayer, Node,
    Nodes, Of, Scores, Sequential, Shared, SubModel, Value, Verbose,
};
pub use nn::layers::*;
pub use nn::{
    Activation, AxisList, Borders, Constraint, Context, Distribution, Factor, Fan, Initializer,
    Layer, Mode, MultiLayer, NamedActivation, Numbers, Pair, Part, Regularizer, Single, Triple,
    UnitFactor, Weight, activations, layers,
};
pub use ops::{Convolution, Nonlinearity, PadMode, Rectifier, Times, TransposedConvolution};
pub use rand;
pub use scalar::{Dual, Scalar};
pub use simd::instruction_set;
pub use tensor::{
    Axes, Comparand, Elements, Indices, MAX_RANK, Mask, Shape, Stream, Tensor, Unique,
};
pub use train::losses::all::{self as losses, *};
pub use train::metrics::all::{self as metrics, *};
pub use train::optimizers::all::{self as optimizers, *};
pub use train::{
    Compile, CosineDecay, Curve, Direction, ExponentialDecay, InverseTimeDecay, LearningRate, Loss,
    Metric, Named, Optimizer, Pace, Parameters, PiecewiseConstantDecay, PolynomialDecay, Registry,
    Step, Whole,
};
