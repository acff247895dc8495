//! The layers, as Keras's `keras.layers`; all of them are in the prelude. An [`Activation`](crate::Activation) is a layer as
//! well.

pub use super::adaptive_pooling::{
    AdaptiveAveragePooling1d, AdaptiveAveragePooling2d, AdaptiveAveragePooling3d,
    AdaptiveMaxPooling1d, AdaptiveMaxPooling2d, AdaptiveMaxPooling3d,
};
pub use super::batch_normalization::BatchNormalization;
pub use super::border::{
    Cropping1d, Cropping2d, Cropping3d, ZeroPadding1d, ZeroPadding2d, ZeroPadding3d,
};
pub use super::concatenate::Concatenate;
pub use super::conv_transpose::{Conv1dTranspose, Conv2dTranspose, Conv3dTranspose};
pub use super::conv1d::Conv1d;
pub use super::conv2d::Conv2d;
pub use super::conv3d::Conv3d;
pub use super::dense::Dense;
pub use super::depthwise_conv::{DepthwiseConv1d, DepthwiseConv2d};
pub use super::dot::Dot;
pub use super::dropout::Dropout;
pub use super::flatten::Flatten;
pub use super::global_pooling::{
    GlobalAveragePooling1d, GlobalAveragePooling2d, GlobalAveragePooling3d, GlobalMaxPooling1d,
    GlobalMaxPooling2d, GlobalMaxPooling3d,
};
pub use super::group_normalization::GroupNormalization;
pub use super::identity::Identity;
pub use super::layer_normalization::LayerNormalization;
pub use super::merge::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use super::normalization::Normalization;
pub use super::permute::Permute;
pub use super::pooling::{
    AveragePooling1d, AveragePooling2d, AveragePooling3d, MaxPooling1d, MaxPooling2d, MaxPooling3d,
};
pub use super::random_color::{RandomBrightness, RandomContrast};
pub use super::random_geometry::{Flip, RandomFlip, RandomRotation, RandomTranslation, RandomZoom};
pub use super::repeat_vector::RepeatVector;
pub use super::rescaling::Rescaling;
pub use super::reshape::Reshape;
pub use super::resizing::{CenterCrop, Resizing};
pub use super::rms_normalization::RmsNormalization;
pub use super::separable_conv::{SeparableConv1d, SeparableConv2d};
pub use super::unit_normalization::UnitNormalization;
pub use super::up_sampling::{UpSampling1d, UpSampling2d, UpSampling3d};
