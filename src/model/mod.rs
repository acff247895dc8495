//! Models: layers in a row, their weights, and what is done with them.

mod builder;
mod config;
mod evaluate;
mod fit;
mod forward;
mod history;
mod layer_ref;
mod names;
mod progress;
mod sequential;
mod sub_model;
mod summary;

pub use builder::SequentialBuilder;
pub use evaluate::Scores;
pub use fit::Fit;
pub use history::History;
pub use layer_ref::LayerRef;
pub use progress::Verbose;
pub use sequential::Sequential;
pub use sub_model::SubModel;

pub(crate) use config::{from_config, to_config};
pub(crate) use sequential::{Built, Param, Training};
#[cfg(feature = "keras")]
pub(crate) use {builder::Planned, config::Description};
