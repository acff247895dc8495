//! Layers: recipes that say which weights they need and how those turn an input into an output.
//!
//! A layer owns no numbers. The model asks it for its weights' shapes, draws them, keeps them, and
//! hands them to [`Layer::forward`], which is a pure function. So shards of a batch can run on several
//! threads, and a model can be cloned, saved and shared.

mod activation;
mod activity_regularization;
mod adaptive_pooling;
mod attention;
mod attention_axes;
mod attention_mask;
mod auto_contrast;
mod axes;
mod axis_list;
mod batch_normalization;
mod bidirectional;
mod border;
mod builtin;
mod category_encoding;
mod concatenate;
mod constraint;
mod context;
mod conv1d;
mod conv2d;
mod conv3d;
mod conv_lstm;
mod conv_transpose;
mod convolved;
mod data_format;
mod dense;
mod depthwise_conv;
mod discretization;
mod dot;
mod dropout;
mod einsum_dense;
mod elu;
mod embedding;
mod equalization;
mod factor;
mod film;
mod flatten;
mod global_pooling;
mod group_normalization;
mod group_query_attention;
mod gru;
mod heads;
mod identity;
mod initializer;
mod layer;
mod layer_normalization;
pub mod layers;
mod locally_connected;
mod lstm;
mod masking;
mod merge;
mod multi_head_attention;
mod multi_layer;
mod named_activation;
mod nested;
mod noise;
mod normalization;
#[cfg(test)]
mod nothing;
mod numbers;
mod option_value;
mod orthogonal;
mod permute;
mod pooling;
mod prelu;
mod random_blur;
mod random_color;
mod random_erasing;
mod random_geometry;
mod random_hue;
mod random_layer;
mod random_tones;
mod recipe;
mod recurrent;
mod recurrent_dropout;
mod regularizer;
mod relu;
mod repeat_vector;
mod rescaling;
mod reshape;
mod resizing;
mod rms_normalization;
mod separable_conv;
mod sight;
mod simple_rnn;
mod sizes;
mod softmax;
mod spatial_dropout;
mod spectral_normalization;
mod stacked_rnn;
mod time_distributed;
mod unit_normalization;
mod up_sampling;
mod weight;
mod weighted;

use self::layers::*;

pub use activation::{Activation, activations};
pub use axis_list::AxisList;
pub use constraint::Constraint;
pub use factor::{Factor, UnitFactor};

pub use context::{Context, Mode};
pub use initializer::{Distribution, Fan, Initializer};
pub use layer::{Layer, Part};
pub use multi_layer::MultiLayer;
pub use named_activation::NamedActivation;
pub use numbers::Numbers;
pub use regularizer::Regularizer;
pub use sizes::{Borders, Pair, Single, Triple};
pub use weight::Weight;

pub(crate) use crate::ops::Rectifier;
pub(crate) use attention_mask::INPUT;
#[cfg(feature = "keras")]
pub(crate) use builtin::today as class_today;
pub(crate) use builtin::{BUILTIN, make as make_builtin};
pub(crate) use multi_layer::{known, one_input, shared as shared_layer, shared_multi};
#[cfg(feature = "keras")]
pub(crate) use nested::nested;
