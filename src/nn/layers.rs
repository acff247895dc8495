//! The layers, as Keras's `keras.layers`; all of them are in the prelude. An [`Activation`](crate::Activation) is a layer as
//! well.

pub use super::batch_normalization::BatchNormalization;
pub use super::bidirectional::{Bidirectional, MergeMode, Rnn};
pub use super::concatenate::Concatenate;
pub use super::conv2d::Conv2d;
pub use super::dense::Dense;
pub use super::dropout::Dropout;
pub use super::embedding::Embedding;
pub use super::flatten::Flatten;
pub use super::global_pooling2d::{GlobalAveragePooling2d, GlobalMaxPooling2d};
pub use super::gru::Gru;
pub use super::lstm::Lstm;
pub use super::masking::Masking;
pub use super::merge::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use super::pooling2d::{AveragePooling2d, MaxPooling2d};
pub use super::simple_rnn::SimpleRnn;
pub use super::time_distributed::TimeDistributed;
