//! How the parts of a model are made from files.

use super::{Loss, Metric, Optimizer, losses, metrics, optimizers};
use crate::config::{Config, Value, object};
use crate::error::Reason;
use crate::nn::{Layer, MultiLayer, make_builtin, shared_layer};
use crate::scalar::Scalar;
use std::fmt;
use std::sync::Arc;

/// Makes a part from its options.
type Make<P> = Arc<dyn Fn(&Config) -> Result<Box<P>, Reason> + Send + Sync>;

/// Makes a layer of one or of several inputs.
type MakeLayer<T> = Arc<dyn Fn(&Config) -> Result<Arc<dyn MultiLayer<T>>, Reason> + Send + Sync>;

/// What a model file may name beyond the crate's own layers, losses, metrics and optimizers, and how
/// each is made from the options that its `config` gave when the model was saved.
///
/// ```
/// use cinta::{Config, Context, Layer, Registry, Model, Sequential, Shape, Var};
///
/// struct Double;
///
/// impl Layer<f32> for Double {
///     fn class_name(&self) -> &str {
///         "Double"
///     }
///     fn config(&self) -> Config {
///         Config::new()
///     }
///     fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
///         Ok(input)
///     }
///     fn forward<'t>(&self, _: &[Var<'t, f32>], x: &Var<'t, f32>, _: &mut Context<f32>) -> Var<'t, f32> {
///         x * 2.0
///     }
/// }
///
/// # let dir = std::env::temp_dir().join(format!("cinta-registry-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).unwrap();
/// let path = dir.join("double.safetensors");
/// Sequential::new([4]).add(Double).build(0)?.save(&path)?;
///
/// let registry = Registry::new().layer("Double", |_config| Ok(Box::new(Double)));
/// let model = Model::load_with(&path, &registry)?;
/// assert_eq!(model.get_layer("double")?.class_name(), "Double");
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Registry<T: Scalar = f32> {
    layers: Makers<MakeLayer<T>>,
    losses: Makers<Make<dyn Loss<T>>>,
    metrics: Makers<Make<dyn Metric<T>>>,
    optimizers: Makers<Make<dyn Optimizer<T>>>,
}

/// What makes parts, by name. A list: these are few, and a tree of each type is much code.
#[derive(Clone)]
struct Makers<M>(Vec<(String, M)>);

impl<M> Makers<M> {
    fn insert(&mut self, name: &str, make: M) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = make,
            None => self.0.push((name.to_owned(), make)),
        }
    }

    fn get(&self, name: &str) -> Option<&M> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, make)| make)
    }
}

impl<M> fmt::Debug for Makers<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<T: Scalar> Registry<T> {
    /// Nothing but the crate's own.
    ///
    /// ```
    /// let registry: cinta::Registry = cinta::Registry::new();
    /// assert!(format!("{registry:?}").contains("layers: []"));
    /// ```
    pub fn new() -> Self {
        Registry {
            layers: Makers(Vec::new()),
            losses: Makers(Vec::new()),
            metrics: Makers(Vec::new()),
            optimizers: Makers(Vec::new()),
        }
    }

    /// Adds a class of layer, or replaces one of the crate's. `make` says in its error what does not fit.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let path = std::env::temp_dir().join(format!("cinta-registry-layer-{}.safetensors", std::process::id()));
    /// Sequential::new([2]).add(Dense::new(3)).build(0)?.save(&path)?;
    /// // Dense, whatever a file says of it, with 3 units and a ReLU.
    /// let make = |_: &cinta::Config| Ok(Box::new(Dense::new(3).activation(Relu)) as _);
    /// let registry: cinta::Registry = cinta::Registry::new().layer("Dense", make);
    /// let model = Model::load_with(&path, &registry)?;
    /// let inputs = Tensor::uniform([9, 2], -1.0, 1.0, &mut Stream::new(1));
    /// assert!(model.predict(&inputs)?.iter().all(|y| y >= 0.0));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn layer(
        mut self,
        class_name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn Layer<T>>, Reason> + Send + Sync + 'static,
    ) -> Self {
        let make = move |config: &Config| make(config).map(shared_layer);
        self.layers.insert(class_name, Arc::new(make));
        self
    }

    /// Adds a class of layer that takes several inputs, or replaces one of the crate's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Config, Context, MultiLayer, Registry, Shape, Var};
    ///
    /// /// `y = a - factor b`
    /// struct Minus {
    ///     factor: f32,
    /// }
    ///
    /// impl MultiLayer<f32> for Minus {
    ///     fn class_name(&self) -> &str {
    ///         "Minus"
    ///     }
    ///     fn config(&self) -> Config {
    ///         Config::from([("factor", f64::from(self.factor))])
    ///     }
    ///     fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, cinta::Reason> {
    ///         match inputs {
    ///             [a, b] if a == b => Ok(*a),
    ///             _ => Err("needs two inputs of one shape".into()),
    ///         }
    ///     }
    ///     fn forward<'t>(&self, _: &[Var<'t, f32>], inputs: &[&Var<'t, f32>], _: &mut Context<f32>) -> Var<'t, f32> {
    ///         inputs[0] - inputs[1] * self.factor
    ///     }
    /// }
    ///
    /// let (a, b) = (Input::new([2]), Input::new([2]));
    /// let model = Model::new([&a, &b], &Minus { factor: 0.5 }.of([&a, &b])).build(0)?;
    /// # let path = std::env::temp_dir().join(format!("cinta-registry-multi-{}.safetensors", std::process::id()));
    /// model.save(&path)?;
    /// let registry = Registry::new().multi_layer("Minus", |config| {
    ///     let factor = cinta::Options::new(config).number("factor")? as f32;
    ///     Ok(Box::new(Minus { factor }))
    /// });
    /// let loaded = Model::load_with(&path, &registry)?;
    /// let (a, b) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[2.0, 4.0]]));
    /// assert_eq!(loaded.predict_all(&[&a, &b])?[0].to_vec(), [0.0, 0.0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn multi_layer(
        mut self,
        class_name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn MultiLayer<T>>, Reason> + Send + Sync + 'static,
    ) -> Self {
        let make = move |config: &Config| make(config).map(Arc::from);
        self.layers.insert(class_name, Arc::new(make));
        self
    }

    /// Adds a loss, by the name or the class name in its [`Loss::config`].
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let path = std::env::temp_dir().join(format!("cinta-registry-loss-{}.safetensors", std::process::id()));
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// model.save(&path)?;
    /// // Another one instead of the crate's own.
    /// let make = |_: &cinta::Config| Ok(Box::new(MeanAbsoluteError) as _);
    /// let registry: cinta::Registry = cinta::Registry::new().loss("mean_squared_error", make);
    /// let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[3.0]]))?;
    /// assert_eq!(model.evaluate(&data)?["loss"], 9.0);
    /// assert_eq!(Model::load_with(&path, &registry)?.evaluate(&data)?["loss"], 3.0);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn loss(
        mut self,
        name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn Loss<T>>, Reason> + Send + Sync + 'static,
    ) -> Self {
        self.losses.insert(name, Arc::new(make));
        self
    }

    /// Adds a metric, by the name or the class name in its [`Metric::config`].
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let path = std::env::temp_dir().join(format!("cinta-registry-metric-{}.safetensors", std::process::id()));
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError).metric(MeanAbsoluteError));
    /// model.save(&path)?;
    /// // Another one instead of the crate's own.
    /// let make = |_: &cinta::Config| Ok(Box::new(MeanSquaredError) as _);
    /// let registry: cinta::Registry = cinta::Registry::new().metric("mean_absolute_error", make);
    /// let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[3.0]]))?;
    /// assert_eq!(model.evaluate(&data)?["mean_absolute_error"], 3.0);
    /// assert_eq!(Model::load_with(&path, &registry)?.evaluate(&data)?["mean_squared_error"], 9.0);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn metric(
        mut self,
        name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn Metric<T>>, Reason> + Send + Sync + 'static,
    ) -> Self {
        self.metrics.insert(name, Arc::new(make));
        self
    }

    /// Adds a class of optimizer.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let path = std::env::temp_dir().join(format!("cinta-registry-optimizer-{}.safetensors", std::process::id()));
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// model.save(&path)?;
    /// // Another one instead of the crate's own.
    /// let make = |_: &cinta::Config| Ok(Box::new(Adam::new(0.25)) as _);
    /// let registry: cinta::Registry = cinta::Registry::new().optimizer("SGD", make);
    /// assert_eq!(Model::load_with(&path, &registry)?.learning_rate()?, 0.25);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn optimizer(
        mut self,
        class_name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn Optimizer<T>>, Reason> + Send + Sync + 'static,
    ) -> Self {
        self.optimizers.insert(class_name, Arc::new(make));
        self
    }

    /// Makes a layer that somebody registered with Keras under a name such as `package>Dense`, whatever class of this
    /// crate has the same name.
    pub(crate) fn make_custom_layer(
        &self,
        registered: &str,
        class_name: &str,
        config: &Config,
    ) -> Result<Arc<dyn MultiLayer<T>>, Reason> {
        match self.layers.get(class_name) {
            Some(make) => make(config),
            None => Err(format!(
                "this is the class {registered} of somebody's own; {}",
                how_to_add(class_name)
            )
            .into()),
        }
    }

    pub(crate) fn make_layer(
        &self,
        class_name: &str,
        config: &Config,
    ) -> Result<Arc<dyn MultiLayer<T>>, Reason> {
        if let Some(make) = self.layers.get(class_name) {
            return make(config);
        }
        make_builtin(class_name, config).unwrap_or_else(|| {
            let why = match class_name {
                "Lambda" => " (its function is Python code)".to_owned(),
                "TFOpLambda" | "SlicingOpLambda" | "TensorFlowOpLayer" => {
                    let function = config.get("function").and_then(Value::as_str);
                    let function = function.map_or(String::new(), |it| format!(" tf.{it}"));
                    format!(" (it is the function{function} of TensorFlow, which no layers stand for)")
                }
                "TextVectorization" | "StringLookup" | "Hashing" | "HashedCrossing" | "IntegerLookup" => {
                    " (it makes numbers of texts or keys, and models here take numbers; save the layers behind it as a model of their own)"
                        .to_owned()
                }
                _ => String::new(),
            };
            Err(format!("this class of layer is not known{why}; {}", how_to_add(class_name)).into())
        })
    }

    pub(super) fn make_loss(&self, value: &Value) -> Result<Arc<dyn Loss<T>>, Reason> {
        made(&self.losses, value)?
            .map_or_else(|| Ok(losses::from_config(value, "loss")?.into_loss()), Ok)
    }

    pub(super) fn make_metric(&self, value: &Value) -> Result<Arc<dyn Metric<T>>, Reason> {
        let made = made(&self.metrics, value)?;
        let metric = made.map_or_else(|| metrics::from_config(value), Ok)?;
        Ok(metrics::renamed(metric, value))
    }

    pub(super) fn make_optimizer(&self, value: &Value) -> Result<Arc<dyn Optimizer<T>>, Reason> {
        made(&self.optimizers, value)?.map_or_else(|| optimizers::from_config(value), Ok)
    }
}

fn how_to_add(class_name: &str) -> String {
    format!("add a layer of your own to a Registry: Registry::new().layer({class_name:?}, ..)")
}

/// The part that a file describes, if its name is among `makers`.
fn made<P: ?Sized>(makers: &Makers<Make<P>>, value: &Value) -> Result<Option<Arc<P>>, Reason> {
    let (name, config) = object(value)?;
    makers.get(name).map(|make| make(&config).map(Arc::from)).transpose()
}

impl<T: Scalar> fmt::Debug for Registry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("layers", &self.layers)
            .field("losses", &self.losses)
            .field("metrics", &self.metrics)
            .field("optimizers", &self.optimizers)
            .finish()
    }
}

impl<T: Scalar> Default for Registry<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_prints_the_names_that_it_knows() {
        let registry = Registry::<f32>::new()
            .layer("Mine", |_| Err("no layer".to_owned().into()))
            .multi_layer("Two", |_| Err("no layer".to_owned().into()))
            .loss("my_loss", |_| Err("no loss".to_owned().into()))
            .metric("my_metric", |_| Err("no metric".to_owned().into()))
            .optimizer("MySgd", |_| Err("no optimizer".to_owned().into()));
        assert_eq!(
            format!("{registry:?}"),
            "Registry { layers: [\"Mine\", \"Two\"], losses: [\"my_loss\"], metrics: [\"my_metric\"], optimizers: [\"MySgd\"] }"
        );
    }
}
