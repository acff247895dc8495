//! A weight that a layer asks for.

use super::{Constraint, Initializer, Regularizer};
use crate::tensor::Shape;
use std::borrow::Cow;
use std::ops::Range;

/// A weight that a layer asks for.
///
/// ```
/// use cinta::{Initializer, Weight};
/// let weight = Weight::new("kernel", [3, 2], Initializer::GlorotUniform);
/// assert_eq!((weight.shape, weight.trainable), ([3, 2].into(), true));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Its name in the layer: `"kernel"`, `"bias"`.
    pub name: Cow<'static, str>,
    /// Its shape.
    pub shape: Shape,
    /// How its first values are drawn.
    pub initializer: Initializer,
    /// Which of them are 1, whatever was drawn: those of the forget gate in the bias of an LSTM.
    pub ones: Range<usize>,
    /// Whether training changes it.
    pub trainable: bool,
    /// The penalty on it, which is part of the loss as long as it is trainable.
    pub regularizer: Option<Regularizer>,
    /// What it is brought back to after each step of training.
    pub constraint: Option<Constraint>,
}

impl Weight {
    /// A trainable weight without a penalty.
    ///
    /// ```
    /// use cinta::{Initializer, Weight};
    /// let bias = Weight::new("bias", [8], Initializer::Zeros);
    /// assert!(bias.trainable && bias.regularizer.is_none());
    /// ```
    #[track_caller]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        shape: impl Into<Shape>,
        initializer: Initializer,
    ) -> Self {
        Weight {
            name: name.into(),
            shape: shape.into(),
            initializer,
            ones: 0..0,
            trainable: true,
            regularizer: None,
            constraint: None,
        }
    }

    /// Its layer and its name: `conv_1/kernel`.
    pub(crate) fn path(&self, layer: &str) -> String {
        format!("{layer}/{}", self.name)
    }

    /// The same weight under the name that it has in a layer made of layers: its path.
    pub(crate) fn within(&self, layer: &str) -> Self {
        Weight { name: self.path(layer).into(), ..self.clone() }
    }

    /// The same weight, trained or not.
    ///
    /// ```
    /// use cinta::{Initializer, Weight};
    /// assert!(!Weight::new("mean", [8], Initializer::Zeros).trainable(false).trainable);
    /// ```
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The same weight with a penalty.
    ///
    /// ```
    /// use cinta::{Initializer, Regularizer::L2, Weight};
    /// let kernel = Weight::new("kernel", [8, 2], Initializer::GlorotUniform).regularizer(Some(L2(0.01)));
    /// assert_eq!(kernel.regularizer, Some(L2(0.01)));
    /// ```
    pub fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// The same weight with a constraint.
    ///
    /// ```
    /// use cinta::{Constraint, Initializer, Weight};
    /// let kernel = Weight::new("kernel", [8, 2], Initializer::GlorotUniform).constraint(Some(Constraint::NonNeg));
    /// assert_eq!(kernel.constraint, Some(Constraint::NonNeg));
    /// ```
    pub fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }
}
