//! Which layers training changes.

use super::model::{Built, Model};
use crate::error::Result;
use crate::scalar::{Scalar, compiled};

impl<T: Scalar> Model<T> {
    /// Whether training changes a layer's weights from now on: freezes a layer, or a model in this model, or sets it free.
    /// Weights that are never trained, as moving averages, stay so; and so do layers of a model in this model that were frozen
    /// by themselves. The optimizer must know, so that the model is to be [compiled](Self::compile) again, as in Keras.
    ///
    /// # Errors
    /// When there is no such layer.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let base = Sequential::new([4]).add(Dense::new(3)).build(1)?;
    /// let mut model = Sequential::new([4]).add(base.frozen().name("base")).add(Dense::new(2)).build(2)?;
    /// assert!(model.summary().contains("Trainable params: 8 "));
    /// // .. train the head, and then the whole, with a small learning rate:
    /// model.set_trainable("base", true)?;
    /// assert!(model.summary().contains("Trainable params: 23 "));
    /// model.compile(Compile::new(Sgd::new(1e-4), MeanSquaredError));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn set_trainable(&mut self, layer: &str, trainable: bool) -> Result<()> {
        let at = self.index_of(layer)?;
        let Built { layer, inputs, params, trainable: now, .. } = &mut self.layers[at];
        *now = trainable;
        for (param, weight) in params.iter_mut().zip(layer.weights(inputs)) {
            param.weight.trainable = weight.trainable && trainable;
            param.slots.clear();
        }
        self.compiled = None;
        Ok(())
    }
}

compiled!(|model: &mut Model<T>| model.set_trainable("", true));
