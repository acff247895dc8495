//! A layer of a model, to look at.

use super::model::Built;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// A layer of a model, to look at.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(2)).build(1)?;
/// let layer: cinta::LayerRef<'_, f32> = model.get_layer("dense")?;
/// assert_eq!(layer.class_name(), "Dense");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct LayerRef<'m, T: Scalar> {
    built: &'m Built<T>,
}

impl<T: Scalar> fmt::Debug for LayerRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) {}", self.name(), self.class_name(), self.output_shape())
    }
}

impl<'m, T: Scalar> LayerRef<'m, T> {
    pub(super) fn new(built: &'m Built<T>) -> Self {
        LayerRef { built }
    }

    /// Its name in the model.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.name(), "dense");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(&self) -> &'m str {
        &self.built.name
    }

    /// Its class by Keras's name.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4, 4, 1]).add(Conv2d::new(2, 3)).build(0)?;
    /// assert_eq!(model.get_layer("conv2d")?.class_name(), "Conv2D");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn class_name(&self) -> &'m str {
        self.built.layer.class_name()
    }

    /// The shape of one sample's input: of the first one, if there are several.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.input_shape(), [4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input_shape(&self) -> Shape {
        self.built.inputs[0]
    }

    /// The shape of one sample's output.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shape(&self) -> Shape {
        self.built.output
    }

    /// Its weights with their names.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// let names: Vec<&str> = model.get_layer("dense")?.weights().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["kernel", "bias"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn weights(&self) -> impl Iterator<Item = (&'m str, &'m Tensor<T>)> + use<'m, T> {
        self.built.params.iter().map(|param| (param.weight.name, &param.value))
    }

    /// The number of its weights.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.count_params(), 10);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn count_params(&self) -> usize {
        self.built.params.iter().map(|param| param.value.len()).sum()
    }
}
