//! An activation as a layer with a name.

use super::{Activation, Context, Layer, shared_layer};
use crate::autograd::Var;
use crate::config::Config;
use crate::error::Reason;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Shape;

/// An activation as a layer with a name of its own: what [`Activation::name`] makes.
///
/// ```
/// use cinta::prelude::*;
/// let layer: cinta::NamedActivation = Relu.name("relu_1");
/// let model = Sequential::new([4]).add(layer).build(0)?;
/// assert_eq!(model.get_layer("relu_1")?.class_name(), "Activation");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NamedActivation {
    activation: Activation,
    name: String,
}

impl Activation {
    /// This activation as a layer with a name, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).add(Softmax.name("scores")).build(0)?;
    /// assert_eq!(model.output_names(), ["scores"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(self, name: impl Into<String>) -> NamedActivation {
        NamedActivation { activation: self, name: name.into() }
    }
}

impl<T: Scalar> Layer<T> for NamedActivation {
    fn class_name(&self) -> &str {
        Activation::CLASS
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn config(&self) -> Config {
        Layer::<T>::config(&self.activation)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        self.activation.of(x)
    }

    fn pre_activation<'t>(
        &self,
        _: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        x.clone()
    }

    fn activation(&self, _: Shape) -> Activation {
        self.activation
    }
}

// No file names it, so that nothing else would have it compiled here.
compiled!(|layer: NamedActivation| shared_layer::<T>(layer));
