//! Models: layers as a graph, their weights, and what is done with them.

mod callback;
mod calls;
mod config;
mod csv;
mod draft;
mod evaluate;
mod fit;
mod fitting;
mod forward;
mod functional;
mod graph;
mod history;
mod layer_ref;
#[expect(clippy::module_inception, reason = "it is what the room is about")]
mod model;
mod model_builder;
mod model_layer;
mod names;
mod node;
mod number;
mod options;
mod params;
mod plan;
mod predict;
mod progress;
mod scores;
mod sequential;
mod sub_model;
mod summary;
mod trainable;

pub use callback::{Callback, FitParams};
pub use history::History;
pub use layer_ref::LayerRef;
pub use model::Model;
pub use model_builder::ModelBuilder;
pub use model_layer::ModelLayer;
pub use node::{Input, Node, Nodes, Of, Shared};
pub use options::Fit;
pub use progress::Verbose;
pub use scores::Scores;
pub use sequential::Sequential;
pub use sub_model::{SubModel, Value};

pub(crate) use config::{convert_types, from_config, to_config, unsupported};
pub(crate) use csv::row as csv_row;
pub(crate) use model::{Built, Training};
pub(crate) use number::{fixed, scientific, shortest};
pub(crate) use params::Param;
pub(crate) use progress::say;
#[cfg(feature = "plot")]
pub(crate) use summary::shape_text;
#[cfg(feature = "keras")]
pub(crate) use {
    config::Description,
    draft::{Outline, Outlined},
    functional::input_names,
};
