//! How a model is read from a file.

#[cfg(feature = "keras")]
use super::keras;
use super::{Ending, read, safetensors};
use crate::error::{Error, Reason, Result};
use crate::model::Model;
use crate::scalar::{Scalar, compiled};
#[cfg(feature = "keras")]
use crate::tensor::Shape;
use crate::train::Registry;
use std::path::PathBuf;

/// A file with a model, and how it is read. `Model::load` is `Load::new(path).model()`.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::Load;
/// let mut model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// let file = std::env::temp_dir().join(format!("load-{}.safetensors", std::process::id()));
/// model.save(&file)?;
/// let uncompiled: Model = Load::new(&file).compile(false).model()?;
/// assert_eq!(uncompiled.get_weights(), model.get_weights());
/// assert!(uncompiled.learning_rate().is_err());
/// # std::fs::remove_file(&file).unwrap();
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Load<'r, T: Scalar = f32> {
    path: PathBuf,
    registry: Option<&'r Registry<T>>,
    compile: bool,
    convert: bool,
    #[cfg(feature = "keras")]
    input_shapes: Vec<Shape>,
    #[cfg(feature = "keras")]
    stateful: bool,
}

impl<'r, T: Scalar> Load<'r, T> {
    /// A file, by its path.
    ///
    /// ```
    /// assert!(cinta::Load::<f32>::new("nowhere.safetensors").model().is_err());
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Load {
            path: path.into(),
            registry: None,
            compile: true,
            convert: false,
            #[cfg(feature = "keras")]
            input_shapes: Vec::new(),
            #[cfg(feature = "keras")]
            stateful: true,
        }
    }

    /// What names in the file mean that are not the crate's own: layers, losses, metrics and optimizers.
    ///
    /// ```
    /// use cinta::{Load, Registry};
    /// let registry: Registry = Registry::new(); // .layer("Mine", |config| ...)
    /// assert!(Load::new("nowhere.safetensors").registry(&registry).model().is_err());
    /// ```
    pub fn registry(mut self, registry: &'r Registry<T>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Whether the model comes with the optimizer, the loss and the metrics that it was compiled with. If not, a file opens
    /// whatever these are, and the model is to be compiled again before it is trained: Keras's `load_model(compile=False)`.
    ///
    /// ```
    /// assert!(cinta::Load::<f32>::new("nowhere.safetensors").compile(false).model().is_err());
    /// ```
    pub fn compile(mut self, compile: bool) -> Self {
        self.compile = compile;
        self
    }

    /// Whether a model that computes with other numbers is made one of this type: what `float64` layers computed, a `Model<f32>` computes
    /// from rounded weights, and the other way round. If not, such a file is an error. (Weights of 16 bits are widened in any case.)
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::Load;
    /// let exact = Sequential::<f64>::typed([4]).add(Dense::new(2)).build(0)?;
    /// let file = std::env::temp_dir().join(format!("convert-{}.safetensors", std::process::id()));
    /// exact.save(&file)?;
    /// assert!(Load::<f32>::new(&file).model().is_err());
    /// let rounded: Model<f32> = Load::new(&file).convert(true).model()?;
    /// let kernel: Tensor<f32> = exact.weight("dense", "kernel")?.cast();
    /// assert_eq!(rounded.weight("dense", "kernel")?.to_vec(), kernel.to_vec());
    /// # std::fs::remove_file(&file).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn convert(mut self, convert: bool) -> Self {
        self.convert = convert;
        self
    }

    /// The shape of a sample for an input of which the file leaves sizes open, as `Input((None, 8))` of Keras does: a model
    /// of this crate knows its shapes. With several inputs, it is said once for each, in their order.
    ///
    /// ```
    /// let load = cinta::Load::<f32>::new("nowhere.keras").input_shape([100, 8]);
    /// assert!(load.model().is_err());
    /// ```
    #[cfg(feature = "keras")]
    #[track_caller]
    pub fn input_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.input_shapes.push(shape.into());
        self
    }

    /// Whether recurrent layers that are `stateful` in Keras stay so, which is an error: they go on where the batch before has ended, and no layer
    /// here remembers that. If not, they begin anew with each batch, as they do in Keras's first batch. States can go on as
    /// [outputs and inputs](crate::book::graphs) of a model.
    ///
    /// ```
    /// assert!(cinta::Load::<f32>::new("nowhere.keras").stateful(false).model().is_err());
    /// ```
    #[cfg(feature = "keras")]
    pub fn stateful(mut self, stateful: bool) -> Self {
        self.stateful = stateful;
        self
    }

    /// Reads the model.
    ///
    /// # Errors
    /// As [`Model::load`].
    ///
    /// ```
    /// let error = cinta::Load::<f32>::new("nowhere.safetensors").model().unwrap_err();
    /// assert!(error.to_string().starts_with("nowhere.safetensors: "));
    /// ```
    #[inline(never)]
    pub fn model(self) -> Result<Model<T>> {
        let (path, own) = (&self.path, Registry::new());
        let registry = self.registry.unwrap_or(&own);
        let model = match Ending::of(path)? {
            Ending::Safetensors => {
                safetensors::from_bytes(&read(path)?, registry, self.compile, self.convert)
            }
            #[cfg(feature = "keras")]
            Ending::Keras(_) => keras::load(read(path)?, registry, &self.how()),
        };
        model.map_err(|reason| Error::format(path, reason))
    }

    /// What keeps the model from being read: a sentence for each layer whose class or options are not supported, also for
    /// those of models in the model. If there are none, it is what else is wrong with the architecture. Weights are not looked at.
    ///
    /// # Errors
    /// When the file cannot be read, or has no description of a model.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Load, Registry};
    /// # let file = std::env::temp_dir().join(format!("unsupported-{}.safetensors", std::process::id()));
    /// Sequential::new([4]).add(Dense::new(3)).add(Dense::new(2)).build(0)?.save(&file)?;
    /// assert!(Load::<f32>::new(&file).unsupported()?.is_empty());
    /// // As if this crate had no such layer.
    /// let registry: Registry = Registry::new().layer("Dense", |_| Err("not today".into()));
    /// assert_eq!(
    ///     Load::new(&file).registry(&registry).unsupported()?,
    ///     ["layer dense (Dense): not today", "layer dense_1 (Dense): not today"]
    /// );
    /// # std::fs::remove_file(&file).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn unsupported(self) -> Result<Vec<Reason>> {
        let (path, own) = (&self.path, Registry::new());
        let registry = self.registry.unwrap_or(&own);
        let reasons = match Ending::of(path)? {
            Ending::Safetensors => {
                safetensors::unsupported_in(&read(path)?, registry, self.compile, self.convert)
            }
            #[cfg(feature = "keras")]
            Ending::Keras(_) => keras::unsupported_in(read(path)?, registry, &self.how()),
        };
        reasons.map_err(|reason| Error::format(path, reason))
    }

    #[cfg(feature = "keras")]
    fn how(&self) -> keras::How<'_> {
        let Load { compile, convert, ref input_shapes, stateful, .. } = *self;
        keras::How { compile, convert, input_shapes, stateful }
    }
}

compiled!(|load: Load<'_, T>| (load.clone().model(), load.unsupported()));
