//! Layers: recipes that say which weights they need and how those turn an input into an output.
//!
//! A layer owns no numbers. The model asks it for its weights' shapes, draws them, keeps them, and
//! hands them to [`Layer::forward`], which is a pure function. So shards of a batch can run on several
//! threads, and a model can be cloned, saved and shared.

mod activation;
mod batch_normalization;
mod bidirectional;
mod builtin;
mod concatenate;
mod conv2d;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod global_pooling2d;
mod gru;
mod initializer;
mod layer;
pub mod layers;
mod lstm;
mod masking;
mod merge;
mod multi_layer;
mod option_value;
mod options;
mod pooling2d;
mod recipe;
mod recurrent;
mod recurrent_dropout;
mod regularizer;
mod simple_rnn;
mod snake_case;
mod time_distributed;
mod weighted;

use self::layers::*;

pub use activation::Activation;
pub use initializer::{Distribution, Fan, Initializer};
pub use layer::{Config, Context, Layer, Mode, Pair, Weight};
pub use multi_layer::MultiLayer;
pub use options::Options;
pub use regularizer::Regularizer;

pub(crate) use builtin::{BUILTIN, make as make_builtin};
pub(crate) use multi_layer::{shared as shared_layer, shared_multi};
pub(crate) use options::{as_config, keras_object, object};
pub(crate) use snake_case::snake_case;
