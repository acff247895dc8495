//! What a layer is.

use super::context::Context;
use super::masking::passed;
use super::weight::Weight;
use super::{Activation, DataFormat, MultiLayer, Regularizer};
use crate::autograd::Var;
use crate::config::Config;
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::any::Any;
use std::sync::Arc;

/// A recipe for one step of a model. Write your own by implementing it:
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Config, Context, Initializer, Layer, Shape, Stream, Tensor, Var, Weight};
///
/// /// Multiplies every channel by a weight of its own.
/// struct Scale;
///
/// impl Layer<f32> for Scale {
///     fn class_name(&self) -> &str {
///         "Scale"
///     }
///     fn config(&self) -> Config {
///         Config::new()
///     }
///     fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
///         Ok(input)
///     }
///     fn weights(&self, input: Shape) -> Vec<Weight> {
///         let channels = *input.last().expect("checked by output_shape");
///         vec![Weight::new("scale", [channels], Initializer::Ones)]
///     }
///     fn forward<'t>(&self, weights: &[Var<'t, f32>], x: &Var<'t, f32>, _: &mut Context<f32>) -> Var<'t, f32> {
///         x * &weights[0]
///     }
/// }
///
/// let model = Sequential::new([4, 4, 3]).add(Scale).add(Flatten::new()).build(0)?;
/// assert_eq!(model.count_params(), 3);
/// assert_eq!(model.get_layer("scale")?.class_name(), "Scale");
/// # Ok::<(), cinta::Error>(())
/// ```
///
/// Models with such a layer are saved like all others, and loaded with a `Registry`
/// that knows how to make it.
///
/// Operations may share their work among threads, and a thread that waits for its part may take over other work in the meantime. So a layer must not hold
/// a lock while it calls operations.
pub trait Layer<T: Scalar>: Any + Send + Sync {
    /// The class by Keras's name, for summaries, files and automatic names.
    fn class_name(&self) -> &str;

    /// The name that was chosen for this layer, if any.
    fn name(&self) -> Option<&str> {
        None
    }

    /// The options, for files. The layer's name and type are added by the model.
    fn config(&self) -> Config;

    /// The shape of one sample's output, for one sample's input.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn output_shape(&self, input: Shape) -> Result<Shape, Reason>;

    /// The weights this layer needs for inputs of this shape, in the order of `get_weights`. It is
    /// called only with shapes that [`output_shape`](Self::output_shape) accepts.
    fn weights(&self, input: Shape) -> Vec<Weight> {
        let _ = input;
        Vec::new()
    }

    /// The output for a batch: `x` has an axis of samples in front, and `weights` come in the order of
    /// [`weights`](Self::weights).
    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T>;

    /// The activation that [`forward`](Self::forward) applies last, for one sample's input of this shape. A layer that names one
    /// gives what comes before it in [`pre_activation`](Self::pre_activation), so that a model can join the activation with a
    /// neighbour: a rectifier with the sums before it, a softmax with the crossentropy behind it, which is then fused and
    /// stable.
    fn activation(&self, input: Shape) -> Activation {
        let _ = input;
        Activation::Linear
    }

    /// What [`forward`](Self::forward) gives before its [`activation`](Self::activation).
    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.forward(weights, x, cx)
    }

    /// What [`pre_activation`](Self::pre_activation) gives, rectified: what a model asks for where a rectifier follows, with its
    /// options or without. A layer that can do it while its sums are at hand overrides this.
    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        self.pre_activation(weights, x, cx).rectifier(rectifier)
    }

    /// Where the channels of its input and output are. The other methods know nothing of it, and have them last always: for a layer that
    /// says they come first, a model moves the axis before it asks one of them, and back.
    fn data_format(&self) -> DataFormat {
        DataFormat::ChannelsLast
    }

    /// A penalty on the output: it is summed over each sample, and its mean over the batch is added to the loss, in training and in
    /// evaluation.
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// Whether it is made of other layers, one of which has a penalty on its output.
    fn is_penalised_inside(&self) -> bool {
        false
    }

    /// For a layer that is [penalised inside](Self::is_penalised_inside): what [`pre_activation`](Self::pre_activation) gives, and the
    /// penalties on what the layers inside give, each summed over the batch.
    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        (self.pre_activation(weights, x, cx), Vec::new())
    }

    /// Whether training changes its weights, as far as the layer itself is concerned: what a file or a builder said. Which of
    /// its weights can be trained at all is said by [`weights`](Self::weights).
    fn trainable(&self) -> bool {
        true
    }

    /// The first values of its weights, where they are known; none, which is the default, if they are to be drawn.
    fn values(&self) -> Vec<Tensor<T>> {
        Vec::new()
    }

    /// Where Keras's files keep its weights, of which there are so many: in its own group, unless it is made of other layers.
    fn parts(&self, weights: usize) -> Vec<Part> {
        Part::whole(weights)
    }

    /// How many layers are inside of each other in this one, as models in models are: 0 if there is none. What is deeper than files can
    /// describe is an error when the model is built.
    fn depth(&self) -> usize {
        0
    }

    /// Whether the layer can do with these values, if a model begins with it: an embedding takes whole numbers. Other values are
    /// an error of the data then.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        let _ = x;
        Ok(())
    }

    /// The same layer as one of several inputs or outputs, if it is one: models then ask that one. So a layer of one input can
    /// have several outputs, and one that stands in a chain can take more elsewhere.
    fn as_multi(&self) -> Option<Arc<dyn MultiLayer<T>>> {
        None
    }

    /// The mask of what comes out, for inputs `x` with this mask: `[n, steps]`, with 0 for each step of a sample that does not
    /// count, and 1 for the others. A layer that looks at the mask finds it in its [`Context`]. Most of Keras's layers drop it,
    /// and so does this method, unless the class is one of those that pass it on.
    fn mask(&self, x: &Tensor<T>, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        let _ = x;
        passed(self.class_name(), mask)
    }

    /// Whether a sample's output depends on the other samples of the batch, as in batch
    /// normalisation. The batch is then not cut into shards: the layer sees all samples of a batch in `fit`, and in
    /// `predict` and `evaluate`, which know no batches, all that they are given.
    fn couples_samples(&self) -> bool {
        false
    }

    /// Whether a sample's output depends on the other samples of the batch while training. Batch normalisation says
    /// yes here and no in [`couples_samples`](Self::couples_samples), so that `predict` and `evaluate` may still cut what
    /// they are given into shards.
    fn couples_samples_in_training(&self) -> bool {
        self.couples_samples()
    }
}

impl<T: Scalar> Layer<T> for Box<dyn Layer<T>> {
    fn class_name(&self) -> &str {
        (**self).class_name()
    }

    fn name(&self) -> Option<&str> {
        (**self).name()
    }

    fn config(&self) -> Config {
        (**self).config()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        (**self).output_shape(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        (**self).weights(input)
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        (**self).forward(weights, x, cx)
    }

    fn activation(&self, input: Shape) -> Activation {
        (**self).activation(input)
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        (**self).pre_activation(weights, x, cx)
    }

    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        (**self).rectified(weights, x, cx, rectifier)
    }

    fn data_format(&self) -> DataFormat {
        (**self).data_format()
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        (**self).activity_regularizer()
    }

    fn is_penalised_inside(&self) -> bool {
        (**self).is_penalised_inside()
    }

    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        (**self).with_penalties(weights, x, cx)
    }

    fn trainable(&self) -> bool {
        (**self).trainable()
    }

    fn values(&self) -> Vec<Tensor<T>> {
        (**self).values()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        (**self).parts(weights)
    }

    fn depth(&self) -> usize {
        (**self).depth()
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        (**self).check_input(x)
    }

    fn as_multi(&self) -> Option<Arc<dyn MultiLayer<T>>> {
        (**self).as_multi()
    }

    fn mask(&self, x: &Tensor<T>, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        (**self).mask(x, mask)
    }

    fn couples_samples(&self) -> bool {
        (**self).couples_samples()
    }

    fn couples_samples_in_training(&self) -> bool {
        (**self).couples_samples_in_training()
    }
}

/// Some weights of a layer that is made of others, in their order: where Keras's files keep them.
///
/// ```
/// let part = cinta::Part { group: "forward_layer/cell".to_owned(), weights: 3 };
/// assert_eq!(part.weights, 3); // in forward_layer/cell/vars/0 to 2
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The group in that of the layer; empty for the layer's own.
    pub group: String,
    /// How many weights it has.
    pub weights: usize,
}

impl Part {
    /// All weights of a layer, in its own group.
    pub(crate) fn whole(weights: usize) -> Vec<Part> {
        vec![Part { group: String::new(), weights }]
    }

    /// The same part, in a layer with this group.
    pub(crate) fn within(self, group: &str) -> Self {
        match self.group.as_str() {
            "" => Part { group: group.to_owned(), ..self },
            own => Part { group: format!("{group}/{own}"), ..self },
        }
    }
}

/// The shape of an image `[h, w, c]`.
pub(super) fn image(input: Shape) -> Result<[usize; 3], Reason> {
    match *input {
        [h, w, c] => Ok([h, w, c]),
        _ => Err(format!(
            "needs images [height, width, channels], and one sample has the shape {input}"
        )
        .into()),
    }
}
