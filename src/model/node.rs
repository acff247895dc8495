//! Models as graphs: inputs, layers that take what others give, and the model between some inputs and outputs.

use crate::nn::{Layer, MultiLayer, shared_layer, shared_multi};
use crate::scalar::Scalar;
use crate::tensor::Shape;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where a graph begins: makes the [`Node`] of an input of a model.
///
/// ```
/// use cinta::prelude::*;
/// let image = Input::new([32, 32, 3]);
/// let x = image.then(Conv2d::new(3, 3).padding(Same).activation(Relu));
/// let x = Add::new().of([&image, &x]);
/// let scores = x.then(Flatten::new()).then(Dense::new(10));
/// let model = Model::new(&image, &scores).build(72881)?;
/// assert_eq!(model.output_shape(), [10]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Debug)]
pub struct Input;

impl Input {
    /// An input whose samples have this shape (without an axis for the batch), of type `f32`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(format!("{:?}", Input::new([4]).then(Relu)), "Activation(Input [4])");
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "the node of an input is what is wanted")]
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Node<f32> {
        Self::typed(shape)
    }

    /// The same with a name, for summaries and files.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::named("image", [4]);
    /// let model = Model::new(&x, &x.then(Relu)).build(0)?;
    /// assert!(model.summary().contains("image (InputLayer)"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn named(name: impl Into<String>, shape: impl Into<Shape>) -> Node<f32> {
        Node::made(Origin::Input { name: Some(name.into()), shape: shape.into() })
    }

    /// An input of any element type.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::typed::<f64>([2]);
    /// let model = Model::new(&x, &x.then(Relu)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::<f64>::ones([1, 2]))?.to_vec(), [1.0, 1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn typed<T: Scalar>(shape: impl Into<Shape>) -> Node<T> {
        Node::made(Origin::Input { name: None, shape: shape.into() })
    }
}

/// The promise of a value: an input of a model in the making, or what a layer will give. Cloning is cheap, and means the
/// same value. Shapes are checked when the model is built.
///
/// ```
/// use cinta::prelude::*;
/// let x = Input::new([4]);
/// let y: cinta::Node = x.then(Dense::new(2));
/// assert_eq!(Model::new(&x, &y).build(0)?.count_params(), 10);
/// # Ok::<(), cinta::Error>(())
/// ```
pub struct Node<T: Scalar = f32> {
    pub(super) made: Arc<Made<T>>,
    /// Which of the outputs of its layer.
    pub(super) output: usize,
}

pub(super) struct Made<T: Scalar> {
    pub(super) origin: Origin<T>,
}

pub(super) enum Origin<T: Scalar> {
    Input { name: Option<String>, shape: Shape },
    Layer { layer: Shared<T>, inputs: Vec<Node<T>>, inference: bool },
}

/// Counts layers: automatic names follow the order in which they were made, as in Keras.
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

impl<T: Scalar> Node<T> {
    fn made(origin: Origin<T>) -> Self {
        Node { made: Arc::new(Made { origin }), output: 0 }
    }

    /// What a layer gives for this value.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let y = x.then(Dense::new(3)).then(Relu).then(Dense::new(2));
    /// assert_eq!(Model::new(&x, &y).build(0)?.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn then(&self, layer: impl Layer<T> + 'static) -> Node<T> {
        Shared::new(layer).of(self)
    }

    /// The same value, but the layer that gives it runs as in prediction, in training too: the call argument `training=False` of
    /// Keras 2, which Keras 3 overrules in `fit`. Nothing is dropped, and batch normalisation uses its moving averages and leaves them as they are.
    /// It is for models in models, while they are [frozen](crate::Model::frozen) and later, when they are not.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let y = x.then(Dropout::new(0.5)).inference();
    /// let mut model = Model::new(&x, &y).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// let ones = Tensor::ones([8, 4]);
    /// let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
    /// let history = model.fit(&Dataset::new(ones.clone(), ones)?, fit)?;
    /// assert_eq!(history["loss"][0], 0.0); // nothing was dropped
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn inference(&self) -> Node<T> {
        match &self.made.origin {
            Origin::Input { .. } => self.clone(),
            Origin::Layer { layer, inputs, .. } => Node::made(Origin::Layer {
                layer: layer.clone(),
                inputs: inputs.clone(),
                inference: true,
            }),
        }
    }

    /// Another output of the same layer, by its number: 0 is the first one. A layer with `return_state` gives its states that way, and a
    /// model all its outputs.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let words = Input::new([7, 3]);
    /// let read = words.then(Lstm::new(4).return_state(true));
    /// let (h, c) = (read.output(1), read.output(2));
    /// let answer = Input::new([5, 2]);
    /// let said = Lstm::new(4).return_sequences(true).of([&answer, &h, &c]); // begins with these states
    /// let model = Model::new([&words, &answer], &said).build(0)?;
    /// assert_eq!(model.output_shape(), [5, 4]);
    ///
    /// let error = Model::new(&words, &read.output(3)).build(0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "layer lstm (LSTM): the model takes its output 3, and it has 3, counted from 0"
    /// );
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output(&self, output: usize) -> Node<T> {
        Node { output, ..self.clone() }
    }

    pub(super) fn address(&self) -> *const Made<T> {
        Arc::as_ptr(&self.made)
    }

    fn inputs(&self) -> &[Node<T>] {
        match &self.made.origin {
            Origin::Input { .. } => &[],
            Origin::Layer { inputs, .. } => inputs,
        }
    }
}

impl<T: Scalar> Clone for Node<T> {
    fn clone(&self) -> Self {
        Node { made: self.made.clone(), output: self.output }
    }
}

/// The class and what it takes, one step back.
impl<T: Scalar> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |node: &Node<T>| match &node.made.origin {
            Origin::Input { shape, .. } => format!("Input {shape}"),
            Origin::Layer { layer, .. } => format!("{layer:?}"),
        };
        let inputs: Vec<String> = self.inputs().iter().map(name).collect();
        f.write_str(&name(self))?;
        if inputs.is_empty() { Ok(()) } else { write!(f, "({})", inputs.join(", ")) }
    }
}

/// Not by recursion: a graph may be deep.
impl<T: Scalar> Drop for Made<T> {
    fn drop(&mut self) {
        let mut left = take_inputs(self);
        while let Some(node) = left.pop() {
            if let Some(mut made) = Arc::into_inner(node.made) {
                left.extend(take_inputs(&mut made));
            }
        }
    }
}

fn take_inputs<T: Scalar>(made: &mut Made<T>) -> Vec<Node<T>> {
    match &mut made.origin {
        Origin::Input { .. } => Vec::new(),
        Origin::Layer { inputs, .. } => std::mem::take(inputs),
    }
}

/// One layer for several places: the weights are the same in all of them.
///
/// ```
/// use cinta::prelude::*;
/// let (left, right) = (Input::new([4]), Input::new([4]));
/// let twin = Shared::new(Dense::new(3));
/// let distance = Subtract::new().of([&twin.of(&left), &twin.of(&right)]);
/// let model = Model::new([&left, &right], &distance).build(0)?;
/// assert_eq!(model.count_params(), 4 * 3 + 3);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Shared<T: Scalar = f32>(pub(super) Arc<Numbered<T>>);

pub(super) struct Numbered<T: Scalar> {
    /// Among all layers of the program, in the order in which they were made.
    pub(super) number: u64,
    pub(super) layer: Arc<dyn MultiLayer<T>>,
}

impl<T: Scalar> Shared<T> {
    /// A layer to be used more than once.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let twice = Shared::new(Dense::new(4));
    /// let x = Input::new([4]);
    /// assert_eq!(Model::new(&x, &twice.of(&twice.of(&x))).build(0)?.count_params(), 20);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(layer: impl Layer<T> + 'static) -> Self {
        Shared::made(shared_layer(layer))
    }

    fn made(layer: Arc<dyn MultiLayer<T>>) -> Self {
        Shared(Arc::new(Numbered { number: next_number(), layer }))
    }

    /// What the layer gives for a value, in one of its places.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let twice = Shared::new(Dense::new(4));
    /// assert_eq!(Model::new(&x, &twice.of(&twice.of(&x))).build(0)?.count_params(), 20);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn of(&self, inputs: impl Nodes<T>) -> Node<T> {
        let inputs = inputs.nodes();
        Node::made(Origin::Layer { layer: self.clone(), inputs, inference: false })
    }
}

impl<T: Scalar> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.layer.class_name())
    }
}

/// Puts layers of several inputs into a graph.
///
/// ```
/// use cinta::prelude::*;
/// let (a, b) = (Input::new([3]), Input::new([3]));
/// let model = Model::new([&a, &b], &Add::new().of([&a, &b])).build(0)?;
/// assert_eq!(model.output_shape(), [3]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub trait Of<T: Scalar>: MultiLayer<T> {
    /// What the layer gives for these values.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let y = Concatenate::new().of([&x, &x.then(Relu)]);
    /// assert_eq!(Model::new(&x, &y).build(0)?.output_shape(), [8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    fn of(self, inputs: impl Nodes<T>) -> Node<T>;
}

impl<T: Scalar, L: MultiLayer<T> + 'static> Of<T> for L {
    fn of(self, inputs: impl Nodes<T>) -> Node<T> {
        Shared::made(shared_multi(self)).of(inputs)
    }
}

/// Nodes as an argument: one, an array of references, or a slice.
///
/// ```
/// use cinta::Nodes;
/// use cinta::prelude::*;
/// let x = Input::new([3]);
/// assert_eq!([&x, &x].nodes().len(), 2);
/// ```
pub trait Nodes<T: Scalar> {
    /// The nodes, in order.
    fn nodes(self) -> Vec<Node<T>>;
}

impl<T: Scalar> Nodes<T> for &Node<T> {
    fn nodes(self) -> Vec<Node<T>> {
        vec![self.clone()]
    }
}

impl<T: Scalar, const N: usize> Nodes<T> for [&Node<T>; N] {
    fn nodes(self) -> Vec<Node<T>> {
        self.into_iter().cloned().collect()
    }
}

impl<T: Scalar> Nodes<T> for &[Node<T>] {
    fn nodes(self) -> Vec<Node<T>> {
        self.to_vec()
    }
}
