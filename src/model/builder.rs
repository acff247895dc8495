//! From a list of layers to a model with weights.

use super::names;
use super::sequential::{Built, Param, Sequential};
use crate::error::{Error, Result};
use crate::nn::{Layer, Weight, shared_layer};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Shape, Stream, Tensor};
use std::fmt;
use std::sync::Arc;

/// A model in the making: an input shape and layers. See [`Sequential::new`].
///
/// ```
/// use cinta::prelude::*;
/// let builder: cinta::SequentialBuilder = Sequential::new([4]).add(Dense::new(2));
/// assert_eq!(builder.build(1)?.count_params(), 10);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct SequentialBuilder<T: Scalar = f32> {
    name: String,
    input: Shape,
    layers: Vec<(Option<String>, Arc<dyn Layer<T>>)>,
}

/// A layer with its name and shapes, before it has weights.
pub(crate) struct Planned<T: Scalar> {
    pub name: String,
    pub layer: Arc<dyn Layer<T>>,
    pub input: Shape,
    pub output: Shape,
    pub weights: Vec<Weight>,
}

impl<T: Scalar> fmt::Debug for SequentialBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.layers.iter().map(|(_, layer)| layer.class_name());
        write!(f, "{} {} ", self.name, self.input)?;
        f.debug_list().entries(classes).finish()
    }
}

impl<T: Scalar> SequentialBuilder<T> {
    pub(super) fn new(input: Shape) -> Self {
        SequentialBuilder { name: "sequential".to_owned(), input, layers: Vec::new() }
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
        self.add_named(layer.name().map(str::to_owned), layer);
        self
    }

    /// Appends a layer under a name.
    pub(super) fn add_named(&mut self, name: Option<String>, layer: Arc<dyn Layer<T>>) {
        self.layers.push((name, layer));
    }

    /// Fixes every shape and draws the weights. The seed also decides, later, what dropout drops and
    /// how `fit` shuffles: the same seed gives the same model, bit for bit, for any number of threads.
    ///
    /// # Errors
    /// [`Error::Layer`] for a layer whose options make no sense or do not fit its input.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let error = Sequential::new([8, 8, 1]).add(Dropout::new(1.5)).build(0).unwrap_err();
    /// assert_eq!(error.to_string(), "layer dropout (Dropout): the rate 1.5 is not between 0 and 1");
    /// ```
    #[inline(never)]
    pub fn build(self, seed: u64) -> Result<Sequential<T>> {
        let (name, input) = (self.name.clone(), self.input);
        let planned = self.plan()?;
        let stream = Stream::new(seed).fork(WEIGHTS);
        let mut layers = Vec::with_capacity(planned.len());
        for (at, planned) in planned.into_iter().enumerate() {
            let mut params = Vec::with_capacity(planned.weights.len());
            for (index, weight) in planned.weights.iter().enumerate() {
                room_for::<T>(weight).map_err(|reason| planned.error(reason))?;
                let mut rng = stream.fork(at as u64).fork(index as u64);
                let value = weight.initializer.draw(weight.shape, &mut rng);
                params.push(Param::new(weight.clone(), value));
            }
            layers.push(Built::new(planned, params));
        }
        Ok(Sequential::from_parts(name, input, layers, seed))
    }

    /// The model's name and input shape.
    pub(super) fn head(&self) -> (String, Shape) {
        (self.name.clone(), self.input)
    }

    /// Names, shapes and weights of all layers, without any memory for the weights.
    pub(super) fn plan(self) -> Result<Vec<Planned<T>>> {
        if self.layers.is_empty() {
            return Err(Error::Config("a model needs at least one layer; add one".to_owned()));
        }
        if self.input.contains(&0)
            || self.input.rank() >= MAX_RANK
            || self.input.checked_count().is_none()
        {
            return Err(Error::Config(format!(
                "the input shape {} makes no sense: it is that of one sample, without an axis for the \
                 batch, at most {} axes, none of them 0",
                self.input,
                MAX_RANK - 1
            )));
        }
        let classes: Vec<(Option<&str>, &str)> =
            self.layers.iter().map(|(name, layer)| (name.as_deref(), layer.class_name())).collect();
        let names = names::assign(&classes).map_err(|(i, reason)| Error::Layer {
            layer: classes[i].0.unwrap_or_default().to_owned(),
            class: classes[i].1.to_owned(),
            reason,
        })?;
        let mut input = self.input;
        let mut planned = Vec::with_capacity(names.len());
        for (name, (_, layer)) in names.into_iter().zip(self.layers) {
            let mut next = Planned { name, layer, input, output: input, weights: Vec::new() };
            next.output = next.layer.output_shape(input).map_err(|reason| next.error(reason))?;
            if next.output.rank() >= MAX_RANK || next.output.checked_count().is_none() {
                return Err(next.error(format!("the output shape {} is too large", next.output)));
            }
            next.weights = next.layer.weights(input);
            check_weights::<T>(&next.weights).map_err(|reason| next.error(reason))?;
            input = next.output;
            planned.push(next);
        }
        Ok(planned)
    }
}

impl<T: Scalar> Planned<T> {
    pub fn error(&self, reason: String) -> Error {
        let class = self.layer.class_name().to_owned();
        Error::Layer { layer: self.name.clone(), class, reason }
    }
}

/// Whether the weights that a layer asks for have names of their own and can be drawn.
fn check_weights<T: Scalar>(weights: &[Weight]) -> Result<(), String> {
    for (i, weight) in weights.iter().enumerate() {
        let name = weight.name;
        if name.is_empty() || name.contains('/') {
            return Err(format!(
                "a weight's name is not empty and has no `/`, and this is {name:?}"
            ));
        }
        if weights[..i].iter().any(|before| before.name == name) {
            return Err(format!("two weights are called {name:?}; names are unique in a layer"));
        }
        weight
            .initializer
            .check::<T>()
            .map_err(|reason| format!("the initializer of the {name}: {reason}"))?;
    }
    Ok(())
}

/// Whether a weight has a chance to fit into memory: an absurd one must be an error, not an abort.
fn room_for<T: Scalar>(weight: &Weight) -> Result<(), String> {
    let room = weight
        .shape
        .checked_count()
        .is_some_and(|count| Vec::<T>::new().try_reserve_exact(count).is_ok());
    if room {
        Ok(())
    } else {
        Err(format!("the {} of shape {} does not fit into memory", weight.name, weight.shape))
    }
}

/// The stream label of initial weights.
const WEIGHTS: u64 = u64::from_le_bytes(*b"weights ");

impl<T: Scalar> Param<T> {
    pub(crate) fn new(weight: Weight, value: Tensor<T>) -> Self {
        Param { weight, value, slots: Vec::new() }
    }
}

impl<T: Scalar> Built<T> {
    pub(crate) fn new(planned: Planned<T>, params: Vec<Param<T>>) -> Self {
        let Planned { name, layer, input, output, .. } = planned;
        Built { name, layer, input, output, params }
    }
}

compiled!(|builder: SequentialBuilder<T>| builder.build(0));
