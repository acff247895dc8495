//! A function of vars, run once on a tape of its own.

use super::{Origin, Tape, Var};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// What a function did with its inputs: a tape that is kept until its gradients are asked for.
pub(crate) struct Recording<T: Scalar, const N: usize> {
    tape: Tape<T>,
    /// The inputs' nodes: `None` for a constant.
    leaves: [Option<usize>; N],
    shapes: [Shape; N],
    /// `None` if the result depends on no leaf.
    output: Option<usize>,
    value: Tensor<T>,
}

impl<T: Scalar, const N: usize> Recording<T, N> {
    /// Runs `f`, and records it with respect to the inputs that are `tracked`.
    #[track_caller]
    pub fn new(
        f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
        inputs: [Tensor<T>; N],
        tracked: [bool; N],
    ) -> Self {
        let tape = Tape::new();
        let shapes = inputs.each_ref().map(Tensor::shape);
        let mut at = 0;
        let vars = inputs.map(|value| {
            at += 1;
            if tracked[at - 1] { tape.leaf(value) } else { Var::constant(value) }
        });
        let leaves = vars.each_ref().map(|var| var.origin.map(|origin| origin.node));
        let Var { value, origin } = f(vars.each_ref());
        let output = origin.map(|origin| origin.node);
        drop(vars);
        Recording { tape, leaves, shapes, output, value }
    }

    /// The function's value.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The gradients of the inputs from one of the value; zeros for constants, and where nothing depends on an input.
    ///
    /// # Panics
    /// When `dy` has another shape than the value.
    #[track_caller]
    pub fn backward(self, dy: &Tensor<T>) -> [Tensor<T>; N] {
        let Recording { tape, leaves, shapes, output, value } = self;
        let var = |node: usize, value: Tensor<T>| Var {
            value,
            origin: Some(Origin { tape: &tape, node }),
        };
        let gradients = output.map(|node| var(node, value).backward_from(dy));
        std::array::from_fn(|i| match (&gradients, leaves[i]) {
            (Some(gradients), Some(node)) => gradients.wrt(&var(node, Tensor::zeros(shapes[i]))),
            _ => Tensor::zeros(shapes[i]),
        })
    }
}
