//! What training minimises, what it reports, and how it moves the weights.

mod checks;
mod compile;
mod compile_config;
mod direction;
mod goals;
mod losses;
mod metrics;
mod optimizers;
mod registry;
mod schedules;

pub(crate) use checks::not_negative;
pub use compile::Compile;
pub use direction::Direction;
pub(crate) use goals::{Goal, Goals, Reported};
pub use losses::{
    BinaryCrossentropy, CategoricalCrossentropy, Huber, KlDivergence, Loss, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy,
};
pub use metrics::{
    Accuracy, Auc, BinaryAccuracy, CategoricalAccuracy, Curve, Metric, Named, Precision, Recall,
    SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
};
pub use optimizers::{Adagrad, Adam, AdamW, Optimizer, Pace, RmsProp, Sgd, Step};
pub use registry::Registry;
pub use schedules::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, LearningRate, PiecewiseConstantDecay,
    PolynomialDecay,
};
