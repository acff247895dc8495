//! Layers: recipes that say which weights they need and how those turn an input into an output.
//!
//! A layer owns no numbers. The model asks it for its weights' shapes, draws them, keeps them, and
//! hands them to [`Layer::forward`], which is a pure function. So shards of a batch can run on several
//! threads, and a model can be cloned, saved and shared.

mod activation;
mod activity_regularization;
mod batch_normalization;
mod builtin;
mod concatenate;
mod constraint;
mod conv2d;
mod dense;
mod dropout;
mod elu;
mod flatten;
mod global_pooling2d;
mod initializer;
mod layer;
pub mod layers;
mod merge;
mod multi_layer;
mod noise;
mod option_value;
mod options;
mod orthogonal;
mod pooling2d;
mod prelu;
mod recipe;
mod regularizer;
mod relu;
mod snake_case;
mod softmax;
mod spatial_dropout;
mod weighted;

pub use activation::{Activation, activations};
pub use constraint::Constraint;
pub use initializer::{Distribution, Fan, Initializer};
pub use layer::{Config, Context, Layer, Mode, Pair, Part, Weight};
pub use multi_layer::MultiLayer;
pub use options::Options;
pub use regularizer::Regularizer;

pub(crate) use builtin::{BUILTIN, make as make_builtin};
pub(crate) use multi_layer::{shared as shared_layer, shared_multi};
pub(crate) use options::{as_config, keras_object, object};
pub(crate) use snake_case::{file_groups, snake_case};
