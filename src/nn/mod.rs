//! Layers: recipes that say which weights they need and how those turn an input into an output.
//!
//! A layer owns no numbers. The model asks it for its weights' shapes, draws them, keeps them, and
//! hands them to [`Layer::forward`], which is a pure function. So shards of a batch can run on several
//! threads, and a model can be cloned, saved and shared.

mod activation;
mod adaptive_pooling;
mod axes;
mod axis_list;
mod batch_normalization;
mod border;
mod builtin;
mod concatenate;
mod conv1d;
mod conv2d;
mod conv3d;
mod conv_transpose;
mod convolved;
mod dense;
mod depthwise_conv;
mod dot;
mod dropout;
mod factor;
mod flatten;
mod global_pooling;
mod group_normalization;
mod identity;
mod initializer;
mod layer;
mod layer_normalization;
pub mod layers;
mod merge;
mod multi_layer;
mod normalization;
mod numbers;
mod option_value;
mod options;
mod permute;
mod pooling;
mod random_color;
mod random_geometry;
mod recipe;
mod regularizer;
mod repeat_vector;
mod rescaling;
mod reshape;
mod resizing;
mod rms_normalization;
mod separable_conv;
mod snake_case;
mod unit_normalization;
mod up_sampling;
mod weighted;

pub use activation::Activation;
pub use axis_list::AxisList;
pub use factor::Factor;
pub use initializer::{Distribution, Fan, Initializer};
pub use layer::{Borders, Config, Context, Layer, Mode, Pair, Part, Single, Triple, Weight};
pub use multi_layer::MultiLayer;
pub use numbers::Numbers;
pub use options::Options;
pub use regularizer::Regularizer;

pub(crate) use builtin::{BUILTIN, make as make_builtin};
pub(crate) use multi_layer::{shared as shared_layer, shared_multi};
pub(crate) use options::{as_config, keras_object, object};
pub(crate) use snake_case::{file_groups, snake_case};
