//! What training minimises, what it reports, and how it moves the weights.

mod compile;
mod losses;
mod metrics;
mod optimizers;
mod registry;
mod schedules;

pub use compile::Compile;
pub use losses::{CategoricalCrossentropy, Loss, MeanSquaredError, SparseCategoricalCrossentropy};
pub use metrics::{Accuracy, Metric};
pub use optimizers::{Adam, Optimizer, Pace, Sgd, Step};
pub use registry::Registry;
pub use schedules::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, LearningRate, PiecewiseConstantDecay,
    PolynomialDecay,
};
