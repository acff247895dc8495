//! What training minimises, what it reports, and how it moves the weights.

mod checks;
mod compile;
mod compile_config;
mod direction;
mod goals;
pub(crate) mod losses;
pub(crate) mod metrics;
pub(crate) mod optimizers;
mod options;
mod parameters;
mod registry;
mod schedules;

pub(crate) use checks::not_negative;
pub use compile::Compile;
pub use direction::Direction;
pub(crate) use goals::{Goal, Goals, Reported};
pub use losses::Loss;
pub use metrics::{Curve, Metric, Named};
pub use optimizers::{Optimizer, Pace, Step, Whole};
pub(crate) use optimizers::{decay, initial_slots};
pub use parameters::Parameters;
pub use registry::Registry;
pub use schedules::{
    CosineDecay, ExponentialDecay, InverseTimeDecay, LearningRate, PiecewiseConstantDecay,
    PolynomialDecay,
};
