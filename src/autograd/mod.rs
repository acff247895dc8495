//! Reverse-mode automatic differentiation on an explicit tape.
//!
//! Every operation on a tracked [`Var`] appends a node to its [`Tape`]: which variables it read, and
//! how the gradient of its output becomes gradients of those. The order of the tape is a topological
//! order, so [`Var::backward`] is one walk over it in reverse.
//!
//! ```
//! use cinta::{Tape, Tensor};
//! let tape = Tape::new();
//! let x = tape.leaf(Tensor::scalar(3.0));
//! let y = &x * &x + &x; // y = x^2 + x
//! assert_eq!(y.backward().wrt(&x).item(), 7.0); // 2 x + 1
//! ```

mod gradcheck;
mod op;
mod profile;
mod recording;

pub use gradcheck::{Mismatch, gradcheck};
pub(crate) use gradcheck::{cotangent, layouts};
pub(crate) use op::record_with;
pub use op::{Op, apply};
pub(crate) use profile::clock;
pub use profile::{OperationProfile, Profile};
pub(crate) use recording::Recording;

use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

/// The record of a computation, in the order in which it ran.
///
/// `{:?}` prints it, a line for each node:
///
/// ```
/// use cinta::{Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::from([1.0, 2.0]));
/// let _loss = x.square().sum(..);
/// assert_eq!(format!("{tape:?}"), "%0 = leaf [2]\n%1 = square(%0) [2]\n%2 = sum(%1) []\n");
/// ```
pub struct Tape<T: Scalar> {
    nodes: RefCell<Vec<Node<T>>>,
    spent: Cell<bool>,
    /// How long each node took, forward and backward, if that is measured.
    times: Option<RefCell<Vec<[Duration; 2]>>>,
}

/// How an op's output gradient becomes gradients of its inputs: called once, with the gradient and
/// a place for each input's share.
type Pullback<T> = Box<dyn FnOnce(Tensor<T>, &mut [Option<Tensor<T>>])>;

struct Node<T: Scalar> {
    name: &'static str,
    shape: Shape,
    /// The inputs: `None` for a constant.
    parents: Vec<Option<usize>>,
    /// `None` for a leaf.
    pullback: Option<Pullback<T>>,
}

/// A tensor that remembers how it was made.
///
/// A leaf is made by [`Tape::leaf`], a constant by [`Var::constant`]; operations make the rest, and
/// record themselves only if one of their inputs is tracked. So there is no separate mode for
/// inference: a computation on constants records nothing and keeps nothing.
///
/// ```
/// use cinta::{Tape, Tensor, Var};
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(3.0));
/// let y: Var<'_, f32> = &x * 2.0;
/// assert_eq!((y.value().item(), y.is_tracked()), (6.0, true));
/// ```
#[derive(Clone)]
pub struct Var<'t, T: Scalar> {
    value: Tensor<T>,
    /// `None`: a constant.
    origin: Option<Origin<'t, T>>,
}

struct Origin<'t, T: Scalar> {
    tape: &'t Tape<T>,
    node: usize,
}

impl<T: Scalar> Clone for Origin<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Scalar> Copy for Origin<'_, T> {}

/// The gradients that one [`Var::backward`] computed.
///
/// ```
/// use cinta::{Tape, Tensor};
/// let tape = Tape::new();
/// let (x, y) = (tape.leaf(Tensor::scalar(3.0)), tape.leaf(Tensor::scalar(4.0)));
/// let gradients = (&x * &y).backward();
/// assert_eq!((gradients.wrt(&x).item(), gradients.wrt(&y).item()), (4.0, 3.0));
/// ```
pub struct Gradients<'t, T: Scalar> {
    tape: &'t Tape<T>,
    /// One slot for each node; only those of leaves are filled.
    slots: Vec<Option<Tensor<T>>>,
}

impl<T: Scalar> Tape<T> {
    /// An empty tape.
    ///
    /// ```
    /// assert!(cinta::Tape::<f32>::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Tape { nodes: RefCell::new(Vec::new()), spent: Cell::new(false), times: None }
    }

    /// A variable that gradients are wanted for.
    ///
    /// # Panics
    /// When `backward` has already run on this tape.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.sum(..).backward().wrt(&x).to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn leaf(&self, value: Tensor<T>) -> Var<'_, T> {
        self.push(
            value,
            Node { name: "leaf", shape: Shape::new(&[]), parents: Vec::new(), pullback: None },
            None,
        )
    }

    /// Whether nothing was recorded.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// tape.leaf(Tensor::scalar(1.0));
    /// assert!(!tape.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.nodes.borrow().is_empty()
    }

    /// Forgets everything, so that the tape's memory serves the next computation.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let mut tape = Tape::new();
    /// tape.leaf(Tensor::scalar(1.0));
    /// tape.clear();
    /// assert!(tape.is_empty());
    /// ```
    pub fn clear(&mut self) {
        self.nodes.get_mut().clear();
        self.times.iter_mut().for_each(|times| times.get_mut().clear());
        self.spent.set(false);
    }

    #[track_caller]
    #[inline(never)]
    fn push(&self, value: Tensor<T>, mut node: Node<T>, started: Option<Instant>) -> Var<'_, T> {
        assert!(
            !self.spent.get(),
            "this tape's backward has run; record on a new tape, or clear it"
        );
        node.shape = value.shape();
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        if let Some(times) = &self.times {
            let forward = started.map_or(Duration::ZERO, |started| started.elapsed());
            times.borrow_mut().push([forward, Duration::ZERO]);
        }
        Var { value, origin: Some(Origin { tape: self, node: nodes.len() - 1 }) }
    }

    /// The gradient that node `at` gave to its input, if it is as backward must give it: there, and in the input's shape.
    fn checked(
        &self,
        at: usize,
        input: usize,
        parent: usize,
        gradient: Option<Tensor<T>>,
    ) -> Tensor<T> {
        let nodes = self.nodes.borrow();
        let name = nodes[at].name;
        let Some(gradient) = gradient else {
            panic!("{name}: backward gave no gradient of input {input}, which is wanted")
        };
        assert_eq!(
            gradient.shape(),
            nodes[parent].shape,
            "{name}: the gradient of input {input} has another shape than the input"
        );
        gradient
    }
}

impl<T: Scalar> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// A value that no gradient is wanted for.
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::scalar(3.0));
    /// let a = Var::constant(Tensor::scalar(5.0));
    /// assert_eq!((&a * &x).backward().wrt(&x).item(), 5.0);
    /// ```
    pub fn constant(value: Tensor<T>) -> Self {
        Var { value, origin: None }
    }

    /// The value.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// assert_eq!(Var::constant(Tensor::scalar(5.0)).value().item(), 5.0);
    /// ```
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The value, without the memory of how it was made.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// assert_eq!(Var::constant(Tensor::scalar(5.0)).into_value().item(), 5.0);
    /// ```
    pub fn into_value(self) -> Tensor<T> {
        self.value
    }

    /// The lengths of the value's axes.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// assert_eq!(Var::constant(Tensor::<f32>::zeros([2, 3])).shape(), [2, 3]);
    /// ```
    pub fn shape(&self) -> Shape {
        self.value.shape()
    }

    /// Whether this value depends on a leaf, so that it has gradients.
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// assert!(tape.leaf(Tensor::scalar(1.0)).exp().is_tracked());
    /// assert!(!Var::constant(Tensor::scalar(1.0)).exp().is_tracked());
    /// ```
    pub fn is_tracked(&self) -> bool {
        self.origin.is_some()
    }

    /// The same value as a constant: no derivative goes through it, backward or forward.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::scalar(3.0));
    /// let y = &x * x.stop_gradient();
    /// assert_eq!((y.value().item(), y.backward().wrt(&x).item()), (9.0, 3.0));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn stop_gradient(&self) -> Var<'t, T> {
        let dual = T::NAME == "dual";
        Var::constant(if dual { self.value.cast() } else { self.value.clone() })
    }

    /// The gradients of this value with respect to every leaf of its tape: of a single number, or,
    /// for any other shape, of the sum of its elements.
    ///
    /// The tape's memory is freed as the walk goes back. A tape is walked once.
    ///
    /// # Panics
    /// On a constant, and when `backward` has already run on this tape.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.square().sum(..).backward().wrt(&x).to_vec(), [2.0, 4.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn backward(&self) -> Gradients<'t, T> {
        self.walk_back(Tensor::ones(self.shape()))
    }

    /// [`backward`](Self::backward) from a gradient of this value: that of the sum of `dy` times this.
    ///
    /// # Panics
    /// As [`backward`](Self::backward), and when `dy` has another shape.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let dy = Tensor::from([10.0, 100.0]);
    /// assert_eq!(x.square().backward_from(&dy).wrt(&x).to_vec(), [20.0, 400.0]);
    /// ```
    #[track_caller]
    pub fn backward_from(&self, dy: &Tensor<T>) -> Gradients<'t, T> {
        assert_eq!(
            dy.shape(),
            self.shape(),
            "backward_from: a gradient of shape {} for a value of shape {}",
            dy.shape(),
            self.shape()
        );
        self.walk_back(dy.clone())
    }

    #[track_caller]
    #[inline(never)]
    fn walk_back(&self, dy: Tensor<T>) -> Gradients<'t, T> {
        let Some(Origin { tape, node }) = self.origin else {
            panic!("backward: a constant was made without a leaf, so it has no gradients")
        };
        assert!(
            !tape.spent.replace(true),
            "backward has run on this tape; add the losses before it, or record again"
        );
        let mut slots: Vec<Option<Tensor<T>>> = Vec::new();
        slots.resize_with(tape.nodes.borrow().len(), || None);
        slots[node] = Some(dy);
        for at in (0..=node).rev() {
            let Some(pullback) = tape.nodes.borrow_mut()[at].pullback.take() else { continue };
            let Some(dy) = slots[at].take() else { continue };
            let parents = std::mem::take(&mut tape.nodes.borrow_mut()[at].parents);
            let started = tape.times.as_ref().map(|_| Instant::now());
            let mut shares = vec![None; parents.len()];
            pullback(dy, &mut shares);
            for (input, share) in shares.into_iter().enumerate() {
                let Some(parent) = parents[input] else { continue };
                let share = tape.checked(at, input, parent, share);
                slots[parent] = Some(match slots[parent].take() {
                    Some(sum) => sum + share,
                    None => share,
                });
            }
            tape.nodes.borrow_mut()[at].parents = parents;
            if let (Some(times), Some(started)) = (&tape.times, started) {
                times.borrow_mut()[at][1] = started.elapsed();
            }
        }
        Gradients { tape, slots }
    }
}

impl<T: Scalar> Gradients<'_, T> {
    /// The gradient with respect to a leaf, in the leaf's shape: zeros where nothing depended on it.
    ///
    /// # Panics
    /// For a constant, for a variable of another tape, and for one that is not a leaf: its gradient
    /// was passed on and freed.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (x, unused) = (tape.leaf(Tensor::scalar(2.0)), tape.leaf(Tensor::scalar(1.0)));
    /// let gradients = (&x * &x).backward();
    /// assert_eq!(gradients.wrt(&x).item(), 4.0);
    /// assert_eq!(gradients.wrt(&unused).item(), 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn wrt(&self, leaf: &Var<'_, T>) -> Tensor<T> {
        let Some(Origin { tape, node }) = leaf.origin else {
            panic!("wrt: a constant has no gradient; make it a leaf of the tape")
        };
        assert!(std::ptr::eq(tape, self.tape), "wrt: the variable belongs to another tape");
        let name = tape.nodes.borrow()[node].name;
        assert!(
            name == "leaf",
            "wrt: %{node} is the result of {name}; gradients are kept for leaves"
        );
        self.slots[node].clone().unwrap_or_else(|| Tensor::zeros(leaf.shape()))
    }
}

impl<T: Scalar> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, node) in self.nodes.borrow().iter().enumerate() {
            write!(f, "%{at} = {}", node.name)?;
            for (i, parent) in node.parents.iter().enumerate() {
                f.write_str(if i == 0 { "(" } else { ", " })?;
                match parent {
                    Some(parent) => write!(f, "%{parent}")?,
                    None => f.write_str("constant")?,
                }
            }
            writeln!(f, "{} {}", if node.parents.is_empty() { "" } else { ")" }, node.shape)?;
        }
        Ok(())
    }
}

impl<T: Scalar> fmt::Debug for Gradients<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaves = self.slots.iter().enumerate();
        f.debug_map().entries(leaves.filter_map(|(at, slot)| Some((at, slot.as_ref()?)))).finish()
    }
}

impl<T: Scalar> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Some(Origin { node, .. }) => write!(f, "%{node}: {:?}", self.value),
            None => write!(f, "constant: {:?}", self.value),
        }
    }
}

compiled!(|x: &Var<T>| (x.backward().wrt(x), x.backward_from(x.value())));
