//! A layer whose kernel is divided by its spectral norm.

use super::nested::nested_layer;
use super::{
    Context, Initializer, Layer, Mode, MultiLayer, Part, Regularizer, Weight, shared_layer,
};
use crate::autograd::Var;
use crate::config::{Config, Options, Value, keras_object};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;
use std::sync::Arc;

/// Another layer whose kernel is divided by its largest singular value while training (Miyato et al., *Spectral normalization for generative adversarial
/// networks*, 2018), so that the layer does not stretch differences.
///
/// With the kernel as a matrix `W` of as many columns as its last axis is long, `power_iterations` times `v = u W' / |u W'|` and `u = v W / |v W|` bring `v W u'` closer to
/// that value; the kernel is divided by it. The gradient goes through the division, with `u` and `v` as constants. The vector `u` is a weight that is kept from step to step,
/// `vector_u [1, columns]`, behind those of the layer. In `predict` and `evaluate` the kernel is taken as it is.
///
/// A penalty on the kernel is one on the kernel as it is.
///
/// This is what Keras does on JAX, which takes the penalty of the divided kernel. On TensorFlow, the divided kernel takes the place of the other one in each step.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([8, 8, 3]).add(SpectralNormalization::new(Conv2d::new(4, 3))).build(0)?;
/// assert_eq!(model.output_shape(), [6, 6, 4]);
/// assert_eq!(model.weight("spectral_normalization", "vector_u")?.shape(), [1, 4]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct SpectralNormalization<T: Scalar = f32> {
    layer: Arc<dyn MultiLayer<T>>,
    power_iterations: usize,
    trainable: bool,
    name: Option<String>,
}

impl<T: Scalar> fmt::Debug for SpectralNormalization<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = (self.layer.class_name(), self.layer.config());
        f.debug_struct("SpectralNormalization")
            .field("layer", &layer)
            .field("power_iterations", &self.power_iterations)
            .field("trainable", &self.trainable)
            .field("name", &self.name)
            .finish()
    }
}

impl<T: Scalar> SpectralNormalization<T> {
    /// Keras's name of the class.
    pub(crate) const CLASS: &'static str = "SpectralNormalization";

    /// The layer with a kernel, or with embeddings, that is to be divided.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(SpectralNormalization::new(Dense::new(2))).build(0)?;
    /// assert_eq!(model.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(layer: impl Layer<T> + 'static) -> Self {
        let layer = shared_layer(layer);
        SpectralNormalization { layer, power_iterations: 1, trainable: true, name: None }
    }

    /// How often the vector comes closer in a step: once, if this is not said.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = SpectralNormalization::new(Dense::new(2)).power_iterations(3);
    /// let model = Sequential::new([3]).add(layer).build(0)?;
    /// assert!(model.to_json().contains("\"power_iterations\":3"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn power_iterations(mut self, power_iterations: usize) -> Self {
        self.power_iterations = power_iterations;
        self
    }

    /// Whether training changes what the layer has learnt.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = SpectralNormalization::new(Dense::new(2)).trainable(false);
    /// let model = Sequential::new([3]).add(layer).build(0)?;
    /// assert!(model.summary().to_string().contains("Trainable params: 0"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = SpectralNormalization::new(Dense::new(2)).name("mine");
    /// let model = Sequential::new([3]).add(layer).build(0)?;
    /// assert_eq!(model.get_layer("mine")?.class_name(), "SpectralNormalization");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Reads the options that Keras wrote.
    pub(super) fn from_config(config: &Config) -> Result<Self, Reason> {
        let mut options = Options::new(config);
        let layer = nested_layer(&mut options)?;
        let mut power_iterations = 1;
        options.option("power_iterations", &mut power_iterations)?;
        let trainable = options.flag("trainable", true)?;
        options.finish()?;
        Ok(SpectralNormalization { layer, power_iterations, trainable, name: None })
    }

    #[cfg(test)]
    pub(super) fn examples() -> Vec<Self> {
        let layer = || Self::new(super::Dense::new(3).activation(super::Activation::Relu));
        vec![layer(), layer().trainable(false), layer().power_iterations(2)]
    }

    /// The kernel among the weights of the layer.
    fn kernel(&self, weights: &[Weight]) -> Option<usize> {
        // Layers made of others have their kernels elsewhere.
        let plain = self.layer.parts(weights.len()).iter().all(|part| part.group.is_empty());
        let named = |weight: &Weight| ["kernel", "embeddings"].contains(&&*weight.name);
        weights.iter().position(named).filter(|_| plain)
    }

    /// The kernel divided by its norm, and the vector of the next step. A kernel of zeros stays.
    fn divided<'t>(&self, kernel: &Var<'t, T>, vector: &Tensor<T>) -> (Var<'t, T>, Tensor<T>) {
        let columns = vector.len();
        let matrix = kernel.reshape([kernel.value().len() / columns.max(1), columns]);
        let values = matrix.value();
        if values.iter().all(|value| value == T::zero()) {
            return (kernel.clone(), vector.clone());
        }
        let unit = |x: Tensor<T>| {
            let length = x.square().sum(..).item().max(T::lit(1e-12)).sqrt();
            x.map(|x| x / length)
        };
        let (mut u, mut v) = (vector.clone(), vector.clone());
        for _ in 0..self.power_iterations {
            v = unit(u.matmul(&values.t()));
            u = unit(v.matmul(values));
        }
        let norm = Var::constant(v).matmul(&matrix).matmul(&Var::constant(u.t()));
        (kernel / norm.reshape([]), u)
    }
}

impl<T: Scalar> Layer<T> for SpectralNormalization<T> {
    fn class_name(&self) -> &str {
        Self::CLASS
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        let inner = Value::Object(self.layer.config());
        let mut config = Config::new();
        config.insert("trainable", self.trainable);
        config.insert("layer", keras_object("keras.layers", self.layer.class_name(), inner));
        config.insert("power_iterations", self.power_iterations);
        config
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let class_name = self.layer.class_name();
        if self.power_iterations == 0 {
            return Err("the number of power_iterations is at least 1".into());
        }
        let output = self.layer.output_shape(&[input]);
        let output = output.map_err(|error| format!("the {class_name} in it: {error}"))?;
        match self.kernel(&self.layer.weights(&[input])) {
            Some(_) => Ok(output),
            None => Err(format!("the {class_name} in it has no kernel and no embeddings").into()),
        }
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let mut weights = self.layer.weights(&[input]);
        let kernel = self.kernel(&weights).expect("output_shape has checked it");
        let trained = self.layer.trainable();
        weights.iter_mut().for_each(|weight| weight.trainable &= trained);
        let shape = weights[kernel].shape;
        let drawn = Initializer::TruncatedNormal { mean: 0.0, stddev: 0.02 };
        let vector = Weight::new("vector_u", [1, shape[shape.rank() - 1]], drawn);
        weights.push(vector.trainable(false));
        weights
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.layer.activity_regularizer()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        let own = Part { group: String::new(), weights: 1 };
        vec![Part { group: "layer".to_owned(), weights: weights - 1 }, own]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        let (vector, inner) = weights.split_last().expect("a vector behind the layer's weights");
        if cx.mode() == Mode::Infer || !cx.trainable() {
            return self.layer.forward(inner, &[x], cx);
        }
        let described = self.layer.weights(&[x.shape().sample()]);
        let kernel = self.kernel(&described).expect("output_shape has checked it");
        let mut inner = inner.to_vec();
        let (divided, next) = self.divided(&inner[kernel], vector.value());
        inner[kernel] = divided;
        cx.set_weight(weights.len() - 1, next);
        self.layer.forward(&inner, &[x], cx)
    }

    fn depth(&self) -> usize {
        self.layer.depth() + 1
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        self.layer.check_input(x)
    }

    fn mask(&self, x: &Tensor<T>, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        self.layer.mask(&[x], &[mask])
    }

    fn couples_samples(&self) -> bool {
        self.layer.couples_samples()
    }

    fn couples_samples_in_training(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::layers::{Conv2d, Dense, Flatten, Lstm};
    use crate::tensor::Stream;

    const TRAINING: Mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    /// Steps come closer to the largest singular value, which the divided kernel has as 1.
    #[test]
    fn the_norm_becomes_1() {
        let layer = SpectralNormalization::<f64>::new(Dense::new(3)).power_iterations(60);
        let kernel = Var::constant(draw(&[5, 3], 1));
        let (divided, u) = layer.divided(&kernel, &draw(&[1, 3], 2));
        // The largest one: no vector is stretched, and u is not shortened.
        for seed in 3..30 {
            let x = draw(&[1, 5], seed);
            let stretched = x.matmul(divided.value()).square().sum(..).item();
            assert!(stretched <= x.square().sum(..).item() * (1.0 + 1e-9));
        }
        let length = u.matmul(&divided.value().t()).square().sum(..).item();
        assert!((length - 1.0).abs() < 1e-9, "{length}");
        let zeros = Var::constant(Tensor::zeros([5, 3]));
        assert_eq!(layer.divided(&zeros, &u).0.value(), zeros.value());
    }

    #[test]
    fn gradients() {
        // With u at its place, it does not move with the kernel, to the first order.
        let layer = SpectralNormalization::new(Conv2d::new(2, 2)).power_iterations(400);
        let u = draw(&[1, 2], 4);
        gradcheck(
            |[x, kernel, bias]| {
                let weights = [kernel.clone(), bias.clone(), Var::constant(u.clone())];
                layer.forward(&weights, x, &mut Context::new(TRAINING)).square()
            },
            [draw(&[2, 3, 3, 2], 1), draw(&[2, 2, 2, 2], 2), draw(&[2], 3)],
        )
        .unwrap();
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: SpectralNormalization, input: &[usize]| {
            layer.output_shape(Shape::new(input)).unwrap_err().as_str().to_owned()
        };
        let no_kernel = "in it has no kernel and no embeddings";
        assert!(error(SpectralNormalization::new(Flatten::new()), &[3]).contains(no_kernel));
        assert!(error(SpectralNormalization::new(Lstm::new(2)), &[3, 2]).contains(no_kernel));
        let none = SpectralNormalization::new(Dense::new(2)).power_iterations(0);
        assert!(error(none, &[3]).contains("at least 1"));
        assert!(error(SpectralNormalization::new(Dense::new(0)), &[3]).contains("Dense in it"));
    }
}
