//! The crate's own layers by Keras's class names.

use super::layers::*;
use super::{Activation, MultiLayer, shared_layer, shared_multi};
use crate::config::Config;
use crate::scalar::Scalar;
use std::sync::Arc;

/// Keras's name of a class that older files call something else.
pub(crate) fn today(class_name: &str) -> &str {
    match class_name {
        "Convolution1D" | "AtrousConvolution1D" => "Conv1D",
        "Convolution2D" | "AtrousConvolution2D" => "Conv2D",
        "Convolution3D" => "Conv3D",
        "Convolution1DTranspose" => "Conv1DTranspose",
        "Convolution2DTranspose" | "Deconvolution2D" | "Deconv2D" => "Conv2DTranspose",
        "DepthwiseConvolution2D" => "DepthwiseConv2D",
        "SeparableConvolution1D" => "SeparableConv1D",
        "SeparableConvolution2D" => "SeparableConv2D",
        "MaxPool1D" => "MaxPooling1D",
        "MaxPool2D" => "MaxPooling2D",
        "MaxPool3D" => "MaxPooling3D",
        "AvgPool1D" => "AveragePooling1D",
        "AvgPool2D" => "AveragePooling2D",
        "AvgPool3D" => "AveragePooling3D",
        "GlobalMaxPool1D" => "GlobalMaxPooling1D",
        "GlobalMaxPool2D" => "GlobalMaxPooling2D",
        "GlobalMaxPool3D" => "GlobalMaxPooling3D",
        "GlobalAvgPool1D" => "GlobalAveragePooling1D",
        "GlobalAvgPool2D" => "GlobalAveragePooling2D",
        "GlobalAvgPool3D" => "GlobalAveragePooling3D",
        "GroupedQueryAttention" => "GroupQueryAttention",
        _ => class_name,
    }
}

/// The table of layers: those with one input, those with several, and those with one whose type names the numbers. Each has its line here, and nothing else in this file.
macro_rules! builtin {
    (single { $($single:ident)* } several { $($several:ident)* } typed { $($typed:ident)* }) => {
        /// The classes of [`make`], all of them Keras's as well.
        pub(crate) const BUILTIN: &[&str] =
            &[Activation::CLASS, $($single::CLASS,)* $($several::CLASS,)* $($typed::<f32>::CLASS,)*];

        /// Makes a layer from its options: `None` for a class that is not the crate's own.
        pub(crate) fn make<T: Scalar>(
            class_name: &str,
            config: &Config,
        ) -> Option<Result<Arc<dyn MultiLayer<T>>, $crate::error::Reason>> {
            Some(match today(class_name) {
                Activation::CLASS => Activation::from_config(config).map(shared_layer),
                $($single::CLASS => $single::from_config(config).map(shared_layer),)*
                $($several::CLASS => $several::from_config(config).map(shared_multi),)*
                $($typed::<f32>::CLASS => $typed::<T>::from_config(config).map(shared_layer),)*
                _ => return None,
            })
        }

        /// Every option of every layer is written as it is read.
        #[test]
        fn options_come_back() {
            $(for layer in $single::examples() {
                let config = super::Layer::<f32>::config(&layer);
                let read = $single::from_config(&config).unwrap();
                assert_eq!(format!("{read:?}"), format!("{layer:?}"));
            })*
            $(for layer in $typed::<f32>::examples() {
                let read = $typed::<f32>::from_config(&super::Layer::config(&layer)).unwrap();
                assert_eq!(format!("{read:?}"), format!("{layer:?}"));
            })*
            $(for layer in $several::examples() {
                let config = MultiLayer::<f32>::config(&layer);
                let read = $several::from_config(&config).unwrap();
                assert_eq!(format!("{read:?}"), format!("{layer:?}"));
            })*
        }

        /// Every layer takes a batch without samples.
        #[test]
        fn batches_without_samples() {
            use super::nothing::without_samples as check;
            $($single::examples().into_iter().for_each(|it| check(shared_layer(it), $single::example_inputs()));)*
            $($typed::<f32>::examples().into_iter().for_each(|it| check(shared_layer(it), vec![vec![4, 3]]));)*
            $($several::examples().into_iter().for_each(|it| check(shared_multi(it), $several::example_inputs()));)*
        }

        /// What a layer does not refuse has no pixels, no steps or no channels, and all the same the shape that it says.
        #[test]
        fn samples_without_values() {
            use super::nothing::without_values as check;
            $($single::examples().into_iter().for_each(|it| check(shared_layer(it), $single::example_inputs()));)*
            $($typed::<f32>::examples().into_iter().for_each(|it| check(shared_layer(it), vec![vec![4, 3]]));)*
            $($several::examples().into_iter().for_each(|it| check(shared_multi(it), $several::example_inputs()));)*
        }
    };
}

builtin! {
    single {
        ActivityRegularization
        AdaptiveAveragePooling1d
        AdaptiveAveragePooling2d
        AdaptiveAveragePooling3d
        AdaptiveMaxPooling1d
        AdaptiveMaxPooling2d
        AdaptiveMaxPooling3d
        AlphaDropout
        AutoContrast
        AveragePooling1d
        AveragePooling2d
        AveragePooling3d
        BatchNormalization
        Bidirectional
        CategoryEncoding
        CenterCrop
        ContrastLimitedAdaptiveHistogramEqualization
        Conv1d
        Conv1dTranspose
        Conv2d
        Conv2dTranspose
        Conv3d
        Conv3dTranspose
        ConvLstm1d
        ConvLstm2d
        ConvLstm3d
        Cropping1d
        Cropping2d
        Cropping3d
        Dense
        DepthwiseConv1d
        DepthwiseConv2d
        Discretization
        Dropout
        EinsumDense
        Elu
        Embedding
        Flatten
        GaussianDropout
        GaussianNoise
        GlobalAveragePooling1d
        GlobalAveragePooling2d
        GlobalAveragePooling3d
        GlobalMaxPooling1d
        GlobalMaxPooling2d
        GlobalMaxPooling3d
        GroupNormalization
        Gru
        Identity
        LayerNormalization
        LeakyRelu
        LocallyConnected1d
        LocallyConnected2d
        Lstm
        Masking
        MaxPooling1d
        MaxPooling2d
        MaxPooling3d
        Normalization
        PRelu
        Permute
        RandomBrightness
        RandomColorDegeneration
        RandomColorJitter
        RandomContrast
        RandomCrop
        RandomErasing
        RandomFlip
        RandomGaussianBlur
        RandomGrayscale
        RandomHue
        RandomInvert
        RandomPosterization
        RandomRotation
        RandomSaturation
        RandomSharpness
        RandomShear
        RandomTranslation
        RandomZoom
        Relu
        RepeatVector
        Rescaling
        Reshape
        Resizing
        RmsNormalization
        SeparableConv1d
        SeparableConv2d
        SimpleRnn
        Softmax
        Solarization
        SpatialDropout1d
        SpatialDropout2d
        SpatialDropout3d
        StackedRnn
        UnitNormalization
        UpSampling1d
        UpSampling2d
        UpSampling3d
        ZeroPadding1d
        ZeroPadding2d
        ZeroPadding3d
    }
    several {
        Add
        AdditiveAttention
        Attention
        Average
        Concatenate
        Dot
        GroupQueryAttention
        Maximum
        Minimum
        MultiHeadAttention
        Multiply
        Subtract
    }
    typed {
        SpectralNormalization
        TimeDistributed
    }
}

#[test]
fn older_names() {
    let config = crate::config::as_config(crate::config::json!({ "pool_size": [2, 2] }));
    let layer = make::<f32>("MaxPool2D", &config).expect("a class").expect("a layer");
    assert_eq!(layer.class_name(), "MaxPooling2D");
    assert!(make::<f32>("MaxPool4D", &config).is_none());
}

/// Whether what the table says is right, `tests/keras_classes.rs` checks.
#[test]
fn every_class_is_in_the_table_of_the_book() {
    let page = include_str!("../../docs/keras.md");
    for class_name in BUILTIN {
        let row = format!("| `{class_name}` | yes");
        assert!(page.lines().any(|line| line.starts_with(&row)), "no row {row}");
    }
}
