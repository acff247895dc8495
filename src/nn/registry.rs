//! How layers are made from files.

use super::{
    Activation, AveragePooling2d, Config, Conv2d, Dense, Dropout, Flatten, Layer, MaxPooling2d,
};
use crate::scalar::Scalar;
use std::collections::HashMap;
use std::sync::Arc;

/// Makes a layer from its options.
type Make<T> = Arc<dyn Fn(&Config) -> Result<Box<dyn Layer<T>>, String> + Send + Sync>;

/// Which layers a model file may name, and how each is made from its options. The crate's own are
/// there from the start; add yours:
///
/// ```
/// use cinta::{Config, Context, Layer, Options, Registry, Shape, Var};
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
///     fn output_shape(&self, input: Shape) -> Result<Shape, String> {
///         Ok(input)
///     }
///     fn forward<'t>(&self, _: &[Var<'t, f32>], x: &Var<'t, f32>, _: &mut Context<f32>) -> Var<'t, f32> {
///         x * 2.0
///     }
/// }
///
/// let registry = Registry::new().layer("Double", |_config| Ok(Box::new(Double)));
/// // let model = Sequential::load_with("model.safetensors", &registry)?;
/// ```
#[derive(Clone)]
pub struct Registry<T: Scalar = f32> {
    layers: HashMap<String, Make<T>>,
}

/// The classes that Keras has as well.
const BUILTIN: [&str; 7] =
    ["Activation", "AveragePooling2D", "Conv2D", "Dense", "Dropout", "Flatten", "MaxPooling2D"];

/// Whether a class is one of the crate's own, which is also one of Keras's.
pub(crate) fn is_builtin(class_name: &str) -> bool {
    BUILTIN.contains(&class_name)
}

impl<T: Scalar> Registry<T> {
    /// The crate's own layers.
    ///
    /// ```
    /// let _: cinta::Registry = cinta::Registry::new();
    /// ```
    pub fn new() -> Self {
        let registry = Registry { layers: HashMap::new() };
        registry
            .layer("Activation", |config| Ok(Box::new(Activation::from_config(config)?)))
            .layer("AveragePooling2D", |config| {
                Ok(Box::new(AveragePooling2d::from_config(config)?))
            })
            .layer("Conv2D", |config| Ok(Box::new(Conv2d::from_config(config)?)))
            .layer("Dense", |config| Ok(Box::new(Dense::from_config(config)?)))
            .layer("Dropout", |config| Ok(Box::new(Dropout::from_config(config)?)))
            .layer("Flatten", |config| Ok(Box::new(Flatten::from_config(config)?)))
            .layer("MaxPooling2D", |config| Ok(Box::new(MaxPooling2d::from_config(config)?)))
    }

    /// Adds a class, or replaces one. `make` gets what [`Layer::config`] gave when the model was saved,
    /// and says in its error what does not fit.
    ///
    /// The example above shows it.
    pub fn layer(
        mut self,
        class_name: &str,
        make: impl Fn(&Config) -> Result<Box<dyn Layer<T>>, String> + Send + Sync + 'static,
    ) -> Self {
        self.layers.insert(class_name.to_owned(), Arc::new(make));
        self
    }

    pub(crate) fn make(
        &self,
        class_name: &str,
        config: &Config,
    ) -> Result<Box<dyn Layer<T>>, String> {
        match self.layers.get(class_name) {
            Some(make) => make(config),
            None => {
                let mut known: Vec<&str> = self.layers.keys().map(String::as_str).collect();
                known.sort_unstable();
                Err(format!(
                    "this class of layer is not known; known are {}, and others can be added to a Registry",
                    known.join(", ")
                ))
            }
        }
    }
}

impl<T: Scalar> Default for Registry<T> {
    fn default() -> Self {
        Self::new()
    }
}
