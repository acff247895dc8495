//! The crate's own layers by Keras's class names.

use super::{
    Activation, Add, Average, AveragePooling2d, BatchNormalization, Concatenate, Config, Conv2d,
    Dense, Dropout, Flatten, GlobalAveragePooling2d, GlobalMaxPooling2d, Layer, MaxPooling2d,
    Maximum, Minimum, MultiLayer, Multiply, Subtract, shared_layer, shared_multi,
};
use crate::scalar::Scalar;
use std::sync::Arc;

/// The classes of [`make`], all of them Keras's as well.
pub(crate) const BUILTIN: [&str; 17] = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
];

/// Makes a layer from its options: `None` for a class that is not the crate's own.
pub(crate) fn make<T: Scalar>(
    class_name: &str,
    config: &Config,
) -> Option<Result<Arc<dyn MultiLayer<T>>, String>> {
    fn some<T: Scalar>(
        layer: Result<impl Layer<T> + 'static, String>,
    ) -> Option<Result<Arc<dyn MultiLayer<T>>, String>> {
        Some(layer.map(shared_layer))
    }
    fn multi<T: Scalar>(
        layer: Result<impl MultiLayer<T> + 'static, String>,
    ) -> Option<Result<Arc<dyn MultiLayer<T>>, String>> {
        Some(layer.map(shared_multi))
    }
    match class_name {
        "Activation" => some(Activation::from_config(config)),
        "ReLU" | "Softmax" | "ELU" => some(Activation::from_layer(class_name, config)),
        "Add" => multi(Add::from_config(config)),
        "Average" => multi(Average::from_config(config)),
        "AveragePooling2D" => some(AveragePooling2d::from_config(config)),
        "BatchNormalization" => some(BatchNormalization::from_config(config)),
        "Concatenate" => multi(Concatenate::from_config(config)),
        "Conv2D" => some(Conv2d::from_config(config)),
        "Dense" => some(Dense::from_config(config)),
        "Dropout" => some(Dropout::from_config(config)),
        "Flatten" => some(Flatten::from_config(config)),
        "GlobalAveragePooling2D" => some(GlobalAveragePooling2d::from_config(config)),
        "GlobalMaxPooling2D" => some(GlobalMaxPooling2d::from_config(config)),
        "MaxPooling2D" => some(MaxPooling2d::from_config(config)),
        "Maximum" => multi(Maximum::from_config(config)),
        "Minimum" => multi(Minimum::from_config(config)),
        "Multiply" => multi(Multiply::from_config(config)),
        "Subtract" => multi(Subtract::from_config(config)),
        _ => None,
    }
}
