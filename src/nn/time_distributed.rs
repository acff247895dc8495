//! A layer at work on every step of a sequence.

use super::nested::nested_layer;
use super::{Activation, Context, Layer, Mode, MultiLayer, Part, Weight, shared_layer};
use crate::autograd::Var;
use crate::config::{Config, Options, Value, json, keras_object};
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;
use std::sync::Arc;

/// Another layer, applied to each step: sequences `[steps, ..]` of what that layer takes become sequences of what it gives.
///
/// Its weights are those of the other layer, which are the same for all steps. While training, a layer that couples samples, as
/// batch normalisation does, sees the steps one after the other, as in Keras.
///
/// ```
/// use cinta::prelude::*;
/// let video = Sequential::new([5, 8, 8, 1]);
/// let model = video.add(TimeDistributed::new(Conv2d::new(3, 3))).add(TimeDistributed::new(Flatten::new())).build(0)?;
/// assert_eq!(model.output_shape(), [5, 6 * 6 * 3]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct TimeDistributed<T: Scalar = f32> {
    layer: Arc<dyn MultiLayer<T>>,
    trainable: bool,
    name: Option<String>,
}

impl<T: Scalar> fmt::Debug for TimeDistributed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = (self.layer.class_name(), self.layer.config());
        f.debug_struct("TimeDistributed")
            .field("layer", &layer)
            .field("trainable", &self.trainable)
            .field("name", &self.name)
            .finish()
    }
}

impl<T: Scalar> TimeDistributed<T> {
    /// Keras's name of the class.
    pub(crate) const CLASS: &'static str = "TimeDistributed";

    /// This layer for every step.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([5, 3]).add(TimeDistributed::new(Dense::new(2))).build(0)?;
    /// assert_eq!(model.output_shape(), [5, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(layer: impl Layer<T> + 'static) -> Self {
        TimeDistributed { layer: shared_layer(layer), trainable: true, name: None }
    }

    /// Whether training changes what the layer has learnt.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = TimeDistributed::new(Dense::new(2)).trainable(false);
    /// let model = Sequential::new([5, 3]).add(layer).build(0)?;
    /// assert!(model.summary().to_string().contains("Trainable params: 0"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = TimeDistributed::new(Dense::new(2)).name("mine");
    /// let model = Sequential::new([5, 3]).add(layer).build(0)?;
    /// assert_eq!(model.get_layer("mine")?.class_name(), "TimeDistributed");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A layer that a file describes elsewhere: a model, of which layers do not know.
    pub(crate) fn around(layer: Arc<dyn MultiLayer<T>>, trainable: bool) -> Self {
        TimeDistributed { layer, trainable, name: None }
    }

    /// Reads the options that Keras wrote.
    pub(super) fn from_config(config: &Config) -> Result<Self, Reason> {
        let mut options = Options::new(config);
        let layer = nested_layer(&mut options)?;
        let trainable = options.flag("trainable", true)?;
        options.finish()?;
        Ok(TimeDistributed { layer, trainable, name: None })
    }

    #[cfg(test)]
    pub(super) fn examples() -> Vec<Self> {
        let layer = || Self::new(super::Dense::new(3).activation(super::Activation::Relu));
        vec![layer(), layer().trainable(false)]
    }

    /// What the other layer gives for its own inputs, by one of its methods, and the penalties inside of it if they are asked for.
    fn one<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        how: How,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        let y = match how {
            How::Forward => self.layer.forward(weights, &[x], cx),
            How::PreActivation => self.layer.pre_activation(weights, &[x], cx),
            How::Rectified(rectifier) => self.layer.rectified(weights, &[x], cx, rectifier),
            How::Penalised => {
                let (mut outputs, penalties) = self.layer.with_penalties(weights, &[x], cx);
                return (outputs.swap_remove(0), penalties);
            }
        };
        (y, Vec::new())
    }

    /// The same for all steps.
    fn all<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        how: How,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        let steps = x.shape()[1];
        let mode = match cx.mode() {
            Mode::Infer if self.layer.couples_samples() => {
                return self.step_by_step(weights, x, cx, how);
            }
            Mode::Train { .. } if cx.trainable() && self.layer.couples_samples_in_training() => {
                return self.step_by_step(weights, x, cx, how);
            }
            Mode::Infer => Mode::Infer,
            // Each step is a sample of its own.
            Mode::Train { seed, step, layer, first_sample } => {
                Mode::Train { seed, step, layer, first_sample: first_sample * steps }
            }
        };
        let shape = x.shape();
        let rows = [&[shape[0] * steps], &shape[2..]].concat();
        let rows = x.reshape(&rows[..]);
        let mut inner = Context::new(mode).with_trainable(cx.trainable());
        let (y, penalties) = self.one(weights, &rows, &mut inner, how);
        (y.reshape(&with_steps(y.shape(), steps)[..]), penalties)
    }

    /// The output for each step, one after the other.
    fn step_by_step<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        how: How,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        let (shape, mut weights) = (x.shape(), weights.to_vec());
        let mut updated = vec![false; weights.len()];
        let (mut outputs, mut penalties) = (Vec::with_capacity(shape[1]), Vec::new());
        for step in 0..shape[1] {
            let one = x.slice(1, step..step + 1).reshape(&without_steps(shape)[..]);
            // Where a step is a vector, the mask says for each sample whether it counts.
            let vectors = cx.mask().filter(|_| shape.rank() == 3);
            let counts = vectors.map(|mask| mask.slice(1, step..step + 1).reshape([shape[0]]));
            let mut inner = Context::new(cx.mode()).with_trainable(cx.trainable());
            inner = inner.with_mask(counts);
            let (y, of_step) = self.one(&weights, &one, &mut inner, how);
            penalties.extend(of_step);
            for (index, value) in inner.into_updates() {
                weights[index] = Var::constant(value);
                updated[index] = true;
            }
            outputs.push(y.reshape(&with_steps(y.shape(), 1)[..]));
        }
        for (index, weight) in weights.into_iter().enumerate().filter(|(at, _)| updated[*at]) {
            cx.set_weight(index, weight.into_value());
        }
        (Var::concat(&outputs.iter().collect::<Vec<_>>(), 1), penalties)
    }
}

/// Which method of the other layer is asked.
#[derive(Clone, Copy)]
enum How {
    Forward,
    PreActivation,
    Rectified(Rectifier),
    Penalised,
}

/// `[n, steps, ..]` as `[n, ..]`.
fn without_steps(shape: Shape) -> Vec<usize> {
    [&shape[..1], &shape[2..]].concat()
}

/// `[n, ..]` as `[n / steps, steps, ..]`.
fn with_steps(shape: Shape, steps: usize) -> Vec<usize> {
    [&[shape[0] / steps, steps], &shape[1..]].concat()
}

impl<T: Scalar> Layer<T> for TimeDistributed<T> {
    fn class_name(&self) -> &str {
        Self::CLASS
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        let inner = Value::Object(self.layer.config());
        let class_name = self.layer.class_name();
        // Keras has models elsewhere.
        let module = match class_name {
            "Sequential" => "keras",
            "Functional" => "keras.src.models.functional",
            _ => "keras.layers",
        };
        let mut layer = keras_object(module, class_name, inner);
        if class_name == "Functional" {
            layer["registered_name"] = json!(class_name);
        }
        let mut config = Config::new();
        config.insert("trainable", json!(self.trainable));
        config.insert("layer", layer);
        config
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if input.rank() < 2 || input[0] == 0 {
            return Err(format!(
                "needs sequences [steps, ..] of at least one step, and one sample has the shape {input}"
            ).into());
        }
        let class_name = self.layer.class_name();
        let output = self.layer.output_shape(&[input.sample()]);
        let output = output.map_err(|error| format!("the {class_name} in it: {error}"))?;
        if output.rank() + 2 > crate::tensor::MAX_RANK {
            return Err(format!("a sequence of {output} has too many axes").into());
        }
        Ok(output.batch(input[0]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        self.layer.weights(&[input.sample()])
    }

    fn trainable(&self) -> bool {
        self.trainable && self.layer.trainable()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        self.layer.parts(weights).into_iter().map(|part| part.within("layer")).collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.all(weights, x, cx, How::Forward).0
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.all(weights, x, cx, How::PreActivation).0
    }

    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        self.all(weights, x, cx, How::Rectified(rectifier)).0
    }

    fn is_penalised_inside(&self) -> bool {
        self.layer.is_penalised_inside()
    }

    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        self.all(weights, x, cx, How::Penalised)
    }

    fn activation(&self, input: Shape) -> Activation {
        self.layer.activation(&[input.sample()])
    }

    fn depth(&self) -> usize {
        self.layer.depth() + 1
    }

    fn couples_samples(&self) -> bool {
        self.layer.couples_samples()
    }

    fn couples_samples_in_training(&self) -> bool {
        self.layer.couples_samples_in_training()
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        self.layer.check_input(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layers::{Conv3d, Reshape};
    use crate::tensor::MAX_RANK;

    /// A batch of sequences has two axes more than what a step gives.
    #[test]
    fn as_many_axes_as_there_are() {
        let shape = |layer: TimeDistributed<f32>| layer.output_shape([2, 3, 3, 3, 1].into());
        let volumes = TimeDistributed::new(Conv3d::new(4, 2));
        assert_eq!(shape(volumes).unwrap(), [2, 2, 2, 2, 4]);
        let longer = TimeDistributed::new(Reshape::new([3, 3, 3, 1, 1]));
        assert_eq!(MAX_RANK, 6);
        assert_eq!(
            shape(longer).unwrap_err().as_str(),
            "a sequence of [3, 3, 3, 1, 1] has too many axes"
        );
    }
}
