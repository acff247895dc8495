//! The layers, as Keras's `keras.layers`; all of them are in the prelude. An [`Activation`](crate::Activation) is a layer as
//! well.

pub use super::activity_regularization::ActivityRegularization;
pub use super::adaptive_pooling::{
    AdaptiveAveragePooling1d, AdaptiveAveragePooling2d, AdaptiveAveragePooling3d,
    AdaptiveMaxPooling1d, AdaptiveMaxPooling2d, AdaptiveMaxPooling3d,
};
pub use super::attention::{AdditiveAttention, Attention, ScoreMode};
pub use super::attention_mask::AttentionMask;
pub use super::auto_contrast::AutoContrast;
pub use super::batch_normalization::BatchNormalization;
pub use super::bidirectional::{Bidirectional, MergeMode, Rnn};
pub use super::border::{
    Cropping1d, Cropping2d, Cropping3d, ZeroPadding1d, ZeroPadding2d, ZeroPadding3d,
};
pub use super::category_encoding::{CategoryEncoding, OutputMode};
pub use super::concatenate::Concatenate;
pub use super::conv_lstm::{ConvLstm1d, ConvLstm2d, ConvLstm3d};
pub use super::conv_transpose::{Conv1dTranspose, Conv2dTranspose, Conv3dTranspose};
pub use super::conv1d::Conv1d;
pub use super::conv2d::Conv2d;
pub use super::conv3d::Conv3d;
pub use super::data_format::DataFormat;
pub use super::dense::Dense;
pub use super::depthwise_conv::{DepthwiseConv1d, DepthwiseConv2d};
pub use super::discretization::Discretization;
pub use super::dot::Dot;
pub use super::dropout::Dropout;
pub use super::einsum_dense::EinsumDense;
pub use super::elu::Elu;
pub use super::embedding::Embedding;
pub use super::equalization::ContrastLimitedAdaptiveHistogramEqualization;
pub use super::flatten::Flatten;
pub use super::global_pooling::{
    GlobalAveragePooling1d, GlobalAveragePooling2d, GlobalAveragePooling3d, GlobalMaxPooling1d,
    GlobalMaxPooling2d, GlobalMaxPooling3d,
};
pub use super::group_normalization::GroupNormalization;
pub use super::group_query_attention::GroupQueryAttention;
pub use super::gru::Gru;
pub use super::identity::Identity;
pub use super::layer_normalization::LayerNormalization;
pub use super::locally_connected::{LocallyConnected1d, LocallyConnected2d};
pub use super::lstm::Lstm;
pub use super::masking::Masking;
pub use super::merge::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use super::multi_head_attention::MultiHeadAttention;
pub use super::noise::{AlphaDropout, GaussianDropout, GaussianNoise};
pub use super::normalization::Normalization;
pub use super::permute::Permute;
pub use super::pooling::{
    AveragePooling1d, AveragePooling2d, AveragePooling3d, MaxPooling1d, MaxPooling2d, MaxPooling3d,
};
pub use super::prelu::PRelu;
pub use super::random_blur::{RandomGaussianBlur, RandomSharpness};
pub use super::random_color::{RandomBrightness, RandomContrast};
pub use super::random_erasing::RandomErasing;
pub use super::random_geometry::{
    Flip, RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom,
};
pub use super::random_hue::{RandomColorJitter, RandomHue, RandomSaturation};
pub use super::random_tones::{
    RandomColorDegeneration, RandomGrayscale, RandomInvert, RandomPosterization, Solarization,
};
pub use super::relu::{LeakyRelu, Relu};
pub use super::repeat_vector::RepeatVector;
pub use super::rescaling::Rescaling;
pub use super::reshape::Reshape;
pub use super::resizing::{CenterCrop, RandomCrop, Resizing};
pub use super::rms_normalization::RmsNormalization;
pub use super::separable_conv::{SeparableConv1d, SeparableConv2d};
pub use super::simple_rnn::SimpleRnn;
pub use super::softmax::Softmax;
pub use super::spatial_dropout::{SpatialDropout1d, SpatialDropout2d, SpatialDropout3d};
pub use super::spectral_normalization::SpectralNormalization;
pub use super::stacked_rnn::{Cells, StackedRnn};
pub use super::time_distributed::TimeDistributed;
pub use super::unit_normalization::UnitNormalization;
pub use super::up_sampling::{UpSampling1d, UpSampling2d, UpSampling3d};
