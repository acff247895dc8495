//! The crate's own layers by Keras's class names.

use super::{
    Activation, AveragePooling2d, Config, Conv2d, Dense, Dropout, Flatten, Layer, MaxPooling2d,
};
use crate::scalar::Scalar;

/// The classes of [`make`], all of them Keras's as well.
pub(crate) const BUILTIN: [&str; 7] =
    ["Activation", "AveragePooling2D", "Conv2D", "Dense", "Dropout", "Flatten", "MaxPooling2D"];

/// Makes a layer from its options: `None` for a class that is not the crate's own.
pub(crate) fn make<T: Scalar>(
    class_name: &str,
    config: &Config,
) -> Option<Result<Box<dyn Layer<T>>, String>> {
    fn boxed<T: Scalar>(
        layer: Result<impl Layer<T> + 'static, String>,
    ) -> Option<Result<Box<dyn Layer<T>>, String>> {
        Some(layer.map(|layer| Box::new(layer) as Box<dyn Layer<T>>))
    }
    match class_name {
        "Activation" => boxed(Activation::from_config(config)),
        "ReLU" | "Softmax" | "ELU" => boxed(Activation::from_layer(class_name, config)),
        "AveragePooling2D" => boxed(AveragePooling2d::from_config(config)),
        "Conv2D" => boxed(Conv2d::from_config(config)),
        "Dense" => boxed(Dense::from_config(config)),
        "Dropout" => boxed(Dropout::from_config(config)),
        "Flatten" => boxed(Flatten::from_config(config)),
        "MaxPooling2D" => boxed(MaxPooling2d::from_config(config)),
        _ => None,
    }
}
