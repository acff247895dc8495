//! The weights of a model: the numbers, and what belongs to them.

use super::model::{Built, Model};
use crate::error::{Error, Result};
use crate::nn::Weight;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// A weight in a model, with what the optimizer keeps for it.
#[derive(Clone)]
pub(crate) struct Param<T: Scalar> {
    pub weight: Weight,
    /// Always row-major.
    pub value: Tensor<T>,
    /// Empty until the optimizer's first step.
    pub slots: Vec<Tensor<T>>,
}

impl<T: Scalar> Built<T> {
    /// The numbers.
    pub(super) fn values(&self) -> Vec<Tensor<T>> {
        self.params.iter().map(|param| param.value.clone()).collect()
    }
}

impl<T: Scalar> Model<T> {
    /// One weight of a layer: `weight("conv_1", "kernel")`.
    ///
    /// # Errors
    /// When there is no such layer, or the layer has no such weight.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.weight("dense", "kernel")?.shape(), [4, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn weight(&self, layer: &str, weight: &str) -> Result<&Tensor<T>> {
        let layer = &self.layers[self.index_of(layer)?];
        let found = layer.params.iter().find(|param| param.weight.name == weight);
        found.map(|param| &param.value).ok_or_else(|| {
            let names: Vec<&str> = layer.params.iter().map(|param| &*param.weight.name).collect();
            let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Error::Config(
                format!("layer {} has no weight called {weight:?}; it has {has}", layer.name)
                    .into(),
            )
        })
    }

    /// All weights: layer by layer, in each the kernel before the bias. They share memory with the
    /// model until it is trained.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// let shapes: Vec<String> = model.get_weights().iter().map(|w| w.shape().to_string()).collect();
    /// assert_eq!(shapes, ["[4, 2]", "[2]"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn get_weights(&self) -> Vec<Tensor<T>> {
        self.params().map(|param| param.value.clone()).collect()
    }

    /// Replaces all weights, in the order of [`get_weights`](Self::get_weights).
    ///
    /// # Errors
    /// When there are too many or too few, one has another shape, or one holds a value that is not
    /// finite. Nothing is changed then.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// model.set_weights(&[Tensor::ones([4, 2]), Tensor::zeros([2])])?;
    /// assert_eq!(model.predict(&Tensor::ones([1, 4]))?.to_vec(), [4.0, 4.0]);
    /// let error = model.set_weights(&[Tensor::ones([4, 2])]).unwrap_err();
    /// assert_eq!(error.to_string(), "the model has 2 weights, and 1 were given");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn set_weights(&mut self, weights: &[Tensor<T>]) -> Result<()> {
        let count = self.params().count();
        if weights.len() != count {
            return Err(Error::Data(
                format!("the model has {count} weights, and {} were given", weights.len()).into(),
            ));
        }
        for ((layer, param), new) in self.named_params().zip(weights) {
            let name = &param.weight.name;
            if new.shape() != param.value.shape() {
                return Err(Error::Data(
                    format!(
                        "the weight {layer}/{name} has the shape {}, and {} was given",
                        param.value.shape(),
                        new.shape()
                    )
                    .into(),
                ));
            }
            if !new.is_finite() {
                return Err(Error::Data(
                    format!("the new values of {layer}/{name} are not all finite").into(),
                ));
            }
        }
        self.params_mut().zip(weights).for_each(|(param, new)| param.value = new.row_major());
        Ok(())
    }

    /// All weights with what belongs to them, in order.
    pub(crate) fn params(&self) -> std::vec::IntoIter<&Param<T>> {
        let mut all = Vec::new();
        for layer in &self.layers {
            all.extend(&layer.params);
        }
        all.into_iter()
    }

    /// The same, each with the name of its layer.
    pub(crate) fn named_params(&self) -> std::vec::IntoIter<(&str, &Param<T>)> {
        let mut all = Vec::new();
        for layer in &self.layers {
            for param in &layer.params {
                all.push((layer.name.as_str(), param));
            }
        }
        all.into_iter()
    }

    pub(crate) fn params_mut(&mut self) -> std::vec::IntoIter<&mut Param<T>> {
        let mut all = Vec::new();
        for layer in &mut self.layers {
            all.extend(&mut layer.params);
        }
        all.into_iter()
    }

    /// With the names of their layers.
    pub(super) fn named_params_mut(&mut self) -> std::vec::IntoIter<(&str, &mut Param<T>)> {
        let mut all = Vec::new();
        for Built { name, params, .. } in &mut self.layers {
            all.extend(params.iter_mut().map(|param| (name.as_str(), param)));
        }
        all.into_iter()
    }

    /// The sum of the penalties on trainable weights.
    pub(super) fn penalty(&self) -> f64 {
        let trainable = self.params().filter(|param| param.weight.trainable);
        trainable.filter_map(|param| Some(param.weight.regularizer?.penalty(&param.value))).sum()
    }
}
