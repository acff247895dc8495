//! What a layer of several inputs is.

use super::{Activation, Context, DataFormat, Layer, Part, Regularizer, Weight};
use crate::autograd::Var;
use crate::config::Config;
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::any::Any;
use std::sync::Arc;

/// A recipe for a step of a model that takes several inputs, as [`Add`](super::Add) does. A [`Layer`] is the same for
/// a single input. Write your own by implementing it:
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Config, Context, MultiLayer, Shape, Var};
///
/// /// `y = a + 2 b`
/// struct AddTwice;
///
/// impl MultiLayer<f32> for AddTwice {
///     fn class_name(&self) -> &str {
///         "AddTwice"
///     }
///     fn config(&self) -> Config {
///         Config::new()
///     }
///     fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, cinta::Reason> {
///         match inputs {
///             [a, b] if a == b => Ok(*a),
///             _ => Err("needs two inputs of one shape".into()),
///         }
///     }
///     fn forward<'t>(&self, _: &[Var<'t, f32>], inputs: &[&Var<'t, f32>], _: &mut Context<f32>) -> Var<'t, f32> {
///         inputs[0] + inputs[1] * 2.0
///     }
/// }
///
/// let x = Input::new([3]);
/// let y = AddTwice.of([&x, &x.then(Relu)]);
/// let model = Model::new(&x, &y).build(0)?;
/// assert_eq!(model.predict(&Tensor::from([[1.0, -1.0, 0.0]]))?.to_vec(), [3.0, -1.0, 0.0]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub trait MultiLayer<T: Scalar>: Any + Send + Sync {
    /// The class by Keras's name, for summaries, files and automatic names.
    fn class_name(&self) -> &str;

    /// The name that was chosen for this layer, if any.
    fn name(&self) -> Option<&str> {
        None
    }

    /// The options, for files. The layer's name and type are added by the model.
    fn config(&self) -> Config;

    /// The shape of one sample's output, for the inputs of one sample.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason>;

    /// The shapes of all outputs of one sample, for a layer that has several: the first of them is
    /// [`output_shape`](Self::output_shape).
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        Ok(vec![self.output_shape(inputs)?])
    }

    /// The weights this layer needs for inputs of these shapes, in the order of `get_weights`. It is called only with shapes
    /// that [`output_shape`](Self::output_shape) accepts.
    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let _ = inputs;
        Vec::new()
    }

    /// The output for a batch: each input has an axis of samples in front, and `weights` come in the order of
    /// [`weights`](Self::weights).
    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T>;

    /// All outputs for a batch, for a layer that has several: the first of them is [`forward`](Self::forward).
    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        vec![self.forward(weights, inputs, cx)]
    }

    /// As [`Layer::activation`].
    fn activation(&self, inputs: &[Shape]) -> Activation {
        let _ = inputs;
        Activation::Linear
    }

    /// As [`Layer::pre_activation`].
    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.forward(weights, inputs, cx)
    }

    /// As [`Layer::rectified`].
    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        self.pre_activation(weights, inputs, cx).rectifier(rectifier)
    }

    /// As [`Layer::activity_regularizer`].
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// As [`Layer::is_penalised_inside`].
    fn is_penalised_inside(&self) -> bool {
        false
    }

    /// As [`Layer::with_penalties`], with all outputs.
    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>) {
        (vec![self.pre_activation(weights, inputs, cx)], Vec::new())
    }

    /// As [`Layer::trainable`].
    fn trainable(&self) -> bool {
        true
    }

    /// As [`Layer::values`].
    fn values(&self) -> Vec<Tensor<T>> {
        Vec::new()
    }

    /// As [`Layer::parts`].
    fn parts(&self, weights: usize) -> Vec<Part> {
        Part::whole(weights)
    }

    /// As [`Layer::depth`].
    fn depth(&self) -> usize {
        0
    }

    /// As [`Layer::check_input`], for each of the inputs.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        let _ = x;
        Ok(())
    }

    /// Whether this layer can use masks of these shapes, for inputs of these, all without the axis of samples. A model asks when it is built.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check_masks(&self, inputs: &[Shape], masks: &[Option<Shape>]) -> Result<(), Reason> {
        let _ = (inputs, masks);
        Ok(())
    }

    /// As [`Layer::mask`]: of what comes out, from those of all inputs.
    fn mask(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        let _ = (inputs, masks);
        None
    }

    /// The masks of the first outputs, for a layer that has several. The others have none.
    fn masks(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Vec<Option<Tensor<T>>> {
        vec![self.mask(inputs, masks)]
    }

    /// As [`Layer::couples_samples`].
    fn couples_samples(&self) -> bool {
        false
    }

    /// As [`Layer::couples_samples_in_training`].
    fn couples_samples_in_training(&self) -> bool {
        self.couples_samples()
    }
}

/// A layer of one input among those of several. (It is behind a pointer, so that what follows is compiled once.)
struct Single<T: Scalar>(Box<dyn Layer<T>>);

impl<T: Scalar> Single<T> {
    /// The input's shape with the channels last.
    fn seen(&self, inputs: &[Shape]) -> Shape {
        self.0.data_format().seen(inputs[0])
    }
}

impl<T: Scalar> MultiLayer<T> for Single<T> {
    fn class_name(&self) -> &str {
        self.0.class_name()
    }

    fn name(&self) -> Option<&str> {
        self.0.name()
    }

    fn config(&self) -> Config {
        self.0.config()
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason> {
        self.0.data_format().shape(single(inputs)?, |input| self.0.output_shape(input))
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        self.0.weights(self.seen(inputs))
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        let format = self.0.data_format();
        let activation = match format {
            DataFormat::ChannelsLast => Activation::Linear,
            DataFormat::ChannelsFirst => self.activation(&[inputs[0].shape().sample()]),
        };
        if activation.is_elementwise() {
            return format.around(inputs[0], |x| self.0.forward(weights, x, cx));
        }
        // As in Keras, it goes over the last axis of the output, whatever that is.
        activation.of(&self.pre_activation(weights, inputs, cx))
    }

    fn activation(&self, inputs: &[Shape]) -> Activation {
        self.0.activation(self.seen(inputs))
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.0.data_format().around(inputs[0], |x| self.0.pre_activation(weights, x, cx))
    }

    fn rectified<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
        rectifier: Rectifier,
    ) -> Var<'t, T> {
        let format = self.0.data_format();
        format.around(inputs[0], |x| self.0.rectified(weights, x, cx, rectifier))
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.0.activity_regularizer()
    }

    fn is_penalised_inside(&self) -> bool {
        self.0.is_penalised_inside()
    }

    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>) {
        let mut penalties = Vec::new();
        let y = self.0.data_format().around(inputs[0], |x| {
            let (y, found) = self.0.with_penalties(weights, x, cx);
            penalties = found;
            y
        });
        (vec![y], penalties)
    }

    fn trainable(&self) -> bool {
        self.0.trainable()
    }

    fn values(&self) -> Vec<Tensor<T>> {
        self.0.values()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        self.0.parts(weights)
    }

    fn depth(&self) -> usize {
        self.0.depth()
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        self.0.check_input(x)
    }

    fn mask(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        self.0.mask(inputs[0], masks[0])
    }

    fn couples_samples(&self) -> bool {
        self.0.couples_samples()
    }

    fn couples_samples_in_training(&self) -> bool {
        self.0.couples_samples_in_training()
    }
}

/// The methods of [`Layer`] for a type that is a [`MultiLayer`] as well: this one does the work.
macro_rules! one_input {
    () => {
        fn class_name(&self) -> &str {
            $crate::nn::MultiLayer::<T>::class_name(self)
        }

        fn name(&self) -> Option<&str> {
            $crate::nn::MultiLayer::<T>::name(self)
        }

        fn config(&self) -> $crate::config::Config {
            $crate::nn::MultiLayer::<T>::config(self)
        }

        fn output_shape(
            &self,
            input: $crate::tensor::Shape,
        ) -> Result<$crate::tensor::Shape, $crate::error::Reason> {
            $crate::nn::MultiLayer::<T>::output_shape(self, &[input])
        }

        fn weights(&self, input: $crate::tensor::Shape) -> Vec<$crate::nn::Weight> {
            $crate::nn::MultiLayer::<T>::weights(self, &[input])
        }

        fn forward<'t>(
            &self,
            weights: &[$crate::autograd::Var<'t, T>],
            x: &$crate::autograd::Var<'t, T>,
            cx: &mut $crate::nn::Context<T>,
        ) -> $crate::autograd::Var<'t, T> {
            $crate::nn::MultiLayer::forward(self, weights, &[x], cx)
        }

        fn activity_regularizer(&self) -> Option<$crate::nn::Regularizer> {
            $crate::nn::MultiLayer::<T>::activity_regularizer(self)
        }

        fn trainable(&self) -> bool {
            $crate::nn::MultiLayer::<T>::trainable(self)
        }

        fn values(&self) -> Vec<$crate::tensor::Tensor<T>> {
            $crate::nn::MultiLayer::values(self)
        }

        fn parts(&self, weights: usize) -> Vec<$crate::nn::Part> {
            $crate::nn::MultiLayer::<T>::parts(self, weights)
        }

        fn depth(&self) -> usize {
            $crate::nn::MultiLayer::<T>::depth(self)
        }

        fn as_multi(&self) -> Option<std::sync::Arc<dyn $crate::nn::MultiLayer<T>>> {
            Some($crate::nn::shared_multi(self.clone()))
        }

        fn mask(
            &self,
            x: &$crate::tensor::Tensor<T>,
            mask: Option<&$crate::tensor::Tensor<T>>,
        ) -> Option<$crate::tensor::Tensor<T>> {
            $crate::nn::MultiLayer::mask(self, &[x], &[mask])
        }

        fn couples_samples(&self) -> bool {
            $crate::nn::MultiLayer::<T>::couples_samples(self)
        }

        fn couples_samples_in_training(&self) -> bool {
            $crate::nn::MultiLayer::<T>::couples_samples_in_training(self)
        }
    };
}
pub(crate) use one_input;

/// The methods of [`MultiLayer`] that are about one output, for a layer that says what it gives in those about all of them.
macro_rules! first_of_several {
    () => {
        fn output_shape(
            &self,
            inputs: &[$crate::tensor::Shape],
        ) -> Result<$crate::tensor::Shape, $crate::error::Reason> {
            Ok($crate::nn::MultiLayer::<T>::output_shapes(self, inputs)?[0])
        }

        fn forward<'t>(
            &self,
            weights: &[$crate::autograd::Var<'t, T>],
            inputs: &[&$crate::autograd::Var<'t, T>],
            cx: &mut $crate::nn::Context<T>,
        ) -> $crate::autograd::Var<'t, T> {
            self.forward_all(weights, inputs, cx).swap_remove(0)
        }
    };
}
pub(super) use first_of_several;

/// The one input.
fn single(inputs: &[Shape]) -> Result<Shape, Reason> {
    match *inputs {
        [input] => Ok(input),
        _ => Err(format!("takes one input, and {} are given", inputs.len()).into()),
    }
}

/// A layer of one input as the type that it was made with: for rules that look for one. Its methods know nothing of its
/// [`data_format`](Layer::data_format).
pub(crate) fn known<T: Scalar, L: Layer<T>>(layer: &dyn MultiLayer<T>) -> Option<&L> {
    let any: &dyn Any = layer;
    let Single(layer) = any.downcast_ref::<Single<T>>()?;
    let any: &dyn Any = &**layer;
    any.downcast_ref().or_else(|| {
        let any: &dyn Any = &**any.downcast_ref::<Box<dyn Layer<T>>>()?;
        any.downcast_ref()
    })
}

/// A layer as models hold it. Those of the crate are made here alone, so that all their methods are compiled in it.
#[inline(never)]
pub(crate) fn shared<T: Scalar>(layer: impl Layer<T> + 'static) -> Arc<dyn MultiLayer<T>> {
    let layer: Box<dyn Layer<T>> = Box::new(layer);
    layer.as_multi().unwrap_or_else(|| Arc::new(Single(layer)))
}

/// The same for a layer of several inputs.
#[inline(never)]
pub(crate) fn shared_multi<T: Scalar>(
    layer: impl MultiLayer<T> + 'static,
) -> Arc<dyn MultiLayer<T>> {
    Arc::new(layer)
}
