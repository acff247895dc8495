//! The first layers of a model.

use super::forward;
use super::sequential::Built;
use crate::error::Result;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// The first layers of a model, sharing its weights: see
/// [`Sequential::up_to`](super::Sequential::up_to).
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
/// let hidden: cinta::SubModel<'_, f32> = model.up_to("hidden")?;
/// assert_eq!(hidden.output_shape(), [3]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct SubModel<'m, T: Scalar> {
    input: Shape,
    layers: &'m [Built<T>],
}

impl<T: Scalar> fmt::Debug for SubModel<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.layers.iter().map(|layer| &layer.name);
        write!(f, "{} -> ", self.input)?;
        f.debug_list().entries(names).finish()?;
        write!(f, " -> {}", self.output_shape())
    }
}

impl<'m, T: Scalar> SubModel<'m, T> {
    pub(super) fn new(input: Shape, layers: &'m [Built<T>]) -> Self {
        SubModel { input, layers }
    }

    /// The last layer's outputs for inputs `[n, ..]`, as [`Sequential::predict`](super::Sequential::predict): only these layers run,
    /// and only whether one of them couples samples counts.
    ///
    /// # Errors
    /// When the inputs do not fit the model, or hold values that are not finite.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.up_to("hidden")?.predict(&Tensor::zeros([5, 4]))?.shape(), [5, 3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn predict(&self, inputs: &Tensor<T>) -> Result<Tensor<T>> {
        forward::predict(self.input, self.layers, inputs)
    }

    /// The shape of one sample's output.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.up_to("hidden")?.output_shape(), [3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shape(&self) -> Shape {
        self.layers.last().map_or(self.input, |layer| layer.output)
    }
}

compiled!(|model: SubModel<'_, T>, x: &Tensor<T>| model.predict(x));
