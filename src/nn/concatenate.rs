//! The layer that puts its inputs side by side.

use super::{Config, Context, MultiLayer, Options, as_config};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::{Value, json};

/// Its inputs side by side along one axis, by default the last one: the channels of images. All other axes agree.
///
/// ```
/// use cinta::prelude::*;
/// let image = Input::new([8, 8, 3]);
/// let (a, b) = (image.then(Conv2d::new(4, 1)), image.then(Conv2d::new(2, 3).padding(Same)));
/// let model = Model::new(&image, &Concatenate::new().of([&a, &b])).build(0)?;
/// assert_eq!(model.output_shape(), [8, 8, 6]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Concatenate {
    axis: isize,
    name: Option<String>,
}

impl Default for Concatenate {
    fn default() -> Self {
        Concatenate { axis: -1, name: None }
    }
}

impl Concatenate {
    /// Along the last axis.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2, 3]);
    /// let model = Model::new(&x, &Concatenate::new().of([&x, &x])).build(0)?;
    /// assert_eq!(model.output_shape(), [2, 6]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Along another axis, as Keras counts them: 0 is that of the batch, which does not go, 1 the first of a sample, and -1
    /// the last.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2, 3]);
    /// let model = Model::new(&x, &Concatenate::new().axis(1).of([&x, &x])).build(0)?;
    /// assert_eq!(model.output_shape(), [4, 3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Concatenate::new().name("both").of([&x, &x])).build(0)?;
    /// assert_eq!(model.get_layer("both")?.output_shape(), [4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        let axis = match options.value("axis") {
            None => -1,
            Some(value) => value
                .as_i64()
                .and_then(|axis| isize::try_from(axis).ok())
                .ok_or_else(|| format!("the option axis = {value} is no whole number"))?,
        };
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(Concatenate { axis, name: None })
    }

    /// The axis of a batch whose samples have this rank.
    fn batch_axis(&self, rank: usize) -> Result<usize, String> {
        let axes = rank as isize + 1;
        let axis = if self.axis < 0 { self.axis.saturating_add(axes) } else { self.axis };
        if (1..axes).contains(&axis) {
            Ok(axis as usize)
        } else {
            Err(format!(
                "the axis {} is none of a sample's; they are 1 to {rank}, or -1 to -{rank}",
                self.axis
            ))
        }
    }
}

impl<T: Scalar> MultiLayer<T> for Concatenate {
    fn class_name(&self) -> &str {
        "Concatenate"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({ "trainable": true, "axis": Value::from(self.axis as i64) }))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let first = inputs[0];
        let axis = self.batch_axis(first.rank())? - 1;
        let mut output = first.to_vec();
        for input in &inputs[1..] {
            let fits = input.rank() == first.rank()
                && (0..first.rank()).all(|i| i == axis || input[i] == first[i]);
            if !fits {
                let shapes: Vec<String> = inputs.iter().map(Shape::to_string).collect();
                return Err(format!(
                    "needs inputs that differ in axis {} alone, and these have {}",
                    axis + 1,
                    shapes.join(" and ")
                ));
            }
            output[axis] = output[axis].saturating_add(input[axis]);
        }
        Ok(Shape::new(&output))
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let axis =
            self.batch_axis(inputs[0].shape().rank() - 1).expect("output_shape has checked it");
        Var::concat(inputs, axis)
    }
}
