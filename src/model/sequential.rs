//! A chain of layers.

use super::draft::Draft;
use super::model::Model;
use crate::error::Result;
use crate::nn::{Layer, MultiLayer, shared_layer};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Shape;
use std::fmt;
use std::sync::Arc;

/// A chain of layers in the making: an input shape, and layers one after the other. [`build`](Self::build) makes a
/// [`Model`] of it.
///
/// ```
/// use cinta::prelude::*;
/// let chain = Sequential::new([4]).add(Dense::new(2));
/// assert_eq!(chain.build(1)?.count_params(), 10);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Sequential<T: Scalar = f32> {
    name: String,
    input: Shape,
    layers: Vec<(Option<String>, Arc<dyn MultiLayer<T>>)>,
}

impl<T: Scalar> fmt::Debug for Sequential<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.layers.iter().map(|(_, layer)| layer.class_name());
        write!(f, "{} {} ", self.name, self.input)?;
        f.debug_list().entries(classes).finish()
    }
}

impl Sequential<f32> {
    /// Starts a model of `f32` for samples of this shape (without an axis for the batch); for `f64`, see
    /// [`typed`](Self::typed).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1]).add(Flatten::new()).add(Dense::new(10)).build(0)?;
    /// assert_eq!(model.count_params(), 2570);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn new(input: impl Into<Shape>) -> Sequential<f32> {
        Sequential::typed(input)
    }
}

impl<T: Scalar> Sequential<T> {
    /// Starts a model of any element type.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::<f64>::typed([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::<f64>::zeros([1, 4]))?.to_vec(), [0.0f64, 0.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn typed(input: impl Into<Shape>) -> Sequential<T> {
        Sequential { name: "sequential".to_owned(), input: input.into(), layers: Vec::new() }
    }

    /// The model's name, in its summary and files.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).name("tiny").add(Dense::new(2)).build(0)?;
    /// assert!(model.summary().starts_with("Model: \"tiny\""));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Appends a layer.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3)).add(Relu).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[expect(clippy::should_implement_trait, reason = "Keras's verb")]
    pub fn add(mut self, layer: impl Layer<T> + 'static) -> Self {
        let layer = shared_layer(layer);
        self.layers.push((layer.name().map(str::to_owned), layer));
        self
    }

    /// Fixes every shape and draws the weights. The seed also decides, later, what dropout drops and
    /// how `fit` shuffles: the same seed gives the same model, bit for bit, for any number of threads.
    ///
    /// # Errors
    /// [`Error::Layer`](crate::Error::Layer) for a layer whose options make no sense or do not fit its input.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let error = Sequential::new([8, 8, 1]).add(Dropout::new(1.5)).build(0).unwrap_err();
    /// assert_eq!(error.to_string(), "layer dropout (Dropout): the rate 1.5 is not between 0 and 1");
    /// ```
    #[inline(never)]
    pub fn build(self, seed: u64) -> Result<Model<T>> {
        Draft::chain(self.name, self.input, self.layers).outline()?.draw(seed)
    }
}

compiled!(|builder: Sequential<T>| builder.build(0));
