//! The crate's own layers by Keras's class names.

use super::layers::*;
use super::{Activation, Config, MultiLayer, shared_layer, shared_multi};
use crate::scalar::Scalar;
use std::sync::Arc;

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
        ) -> Option<Result<Arc<dyn MultiLayer<T>>, String>> {
            Some(match class_name {
                Activation::CLASS => Activation::from_config(config).map(shared_layer),
                "ReLU" | "Softmax" | "ELU" => {
                    Activation::from_layer(class_name, config).map(shared_layer)
                }
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
    };
}

builtin! {
    single {
        AveragePooling2d
        BatchNormalization
        Bidirectional
        Conv2d
        Dense
        Dropout
        Embedding
        Flatten
        GlobalAveragePooling2d
        GlobalMaxPooling2d
        Gru
        Lstm
        Masking
        MaxPooling2d
        SimpleRnn
    }
    several {
        Add
        Average
        Concatenate
        Maximum
        Minimum
        Multiply
        Subtract
    }
    typed {
        TimeDistributed
    }
}
