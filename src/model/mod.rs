//! Models: layers in a row, their weights, and what is done with them.

mod builder;
mod callback;
mod config;
mod csv;
mod evaluate;
mod fit;
mod forward;
mod history;
mod layer_ref;
mod names;
mod number;
mod options;
mod progress;
mod scores;
mod sequential;
mod sub_model;
mod summary;

pub use builder::SequentialBuilder;
pub use callback::{Callback, FitParams};
pub use history::History;
pub use layer_ref::LayerRef;
pub use options::Fit;
pub use progress::Verbose;
pub use scores::Scores;
pub use sequential::Sequential;
pub use sub_model::SubModel;

pub(crate) use config::{from_config, to_config};
pub(crate) use csv::row as csv_row;
pub(crate) use number::{fixed, scientific, shortest};
pub(crate) use progress::say;
pub(crate) use sequential::{Built, Param, Training};
#[cfg(feature = "keras")]
pub(crate) use {builder::Planned, config::Description};
