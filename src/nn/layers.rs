//! The layers, as Keras's `keras.layers`; all of them are in the prelude. An [`Activation`](crate::Activation) is a layer as
//! well.

pub use super::batch_normalization::BatchNormalization;
pub use super::concatenate::Concatenate;
pub use super::conv2d::Conv2d;
pub use super::dense::Dense;
pub use super::dot::Dot;
pub use super::dropout::Dropout;
pub use super::flatten::Flatten;
pub use super::global_pooling2d::{GlobalAveragePooling2d, GlobalMaxPooling2d};
pub use super::group_normalization::GroupNormalization;
pub use super::identity::Identity;
pub use super::layer_normalization::LayerNormalization;
pub use super::merge::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use super::normalization::Normalization;
pub use super::permute::Permute;
pub use super::pooling2d::{AveragePooling2d, MaxPooling2d};
pub use super::random_color::{RandomBrightness, RandomContrast};
pub use super::random_geometry::{Flip, RandomFlip, RandomRotation, RandomTranslation, RandomZoom};
pub use super::repeat_vector::RepeatVector;
pub use super::rescaling::Rescaling;
pub use super::reshape::Reshape;
pub use super::resizing::{CenterCrop, Resizing};
pub use super::rms_normalization::RmsNormalization;
pub use super::unit_normalization::UnitNormalization;
