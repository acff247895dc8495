//! The first layers of a model.

use super::forward;
use super::graph::Graph;
use super::model::Built;
use crate::error::Result;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// The first layers of a model, sharing its weights: see
/// [`Model::up_to`](super::Model::up_to).
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
/// let hidden: cinta::SubModel<'_, f32> = model.up_to("hidden")?;
/// assert_eq!(hidden.output_shape(), [3]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct SubModel<'m, T: Scalar> {
    graph: Graph,
    layers: &'m [Built<T>],
}

impl<T: Scalar> fmt::Debug for SubModel<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.graph.nodes.iter().map(|node| &self.layers[node.layer].name);
        write!(f, "{} -> ", self.graph.inputs[0].shape)?;
        f.debug_list().entries(names).finish()?;
        write!(f, " -> {}", self.output_shape())
    }
}

impl<'m, T: Scalar> SubModel<'m, T> {
    pub(super) fn new(graph: Graph, layers: &'m [Built<T>]) -> Self {
        SubModel { graph, layers }
    }

    /// The last layer's outputs for inputs `[n, ..]`, as [`Model::predict`](super::Model::predict): only these layers run,
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
        forward::predict(&self.graph, self.layers, inputs)
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
        self.graph.shape(self.graph.outputs[0])
    }
}

compiled!(|model: SubModel<'_, T>, x: &Tensor<T>| model.predict(x));
