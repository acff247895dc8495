//! What the networks have in common: their options, and how a model is made.

use super::mini_xception::MiniXception;
use super::mobilenet_v2::MobileNetV2;
use super::resnet::ResNet;
use super::small_resnet::SmallResNet;
use super::unet::UNet;
use super::vgg::Vgg;
use crate::error::{Error, Result};
use crate::model::{Input, Model, Node};
use crate::nn::Activation;
use crate::nn::layers::{Dense, GlobalAveragePooling2d, GlobalMaxPooling2d};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Shape;

/// The networks, each with what it is made of.
#[derive(Clone, Debug)]
pub(super) enum Family {
    MiniXception(MiniXception),
    MobileNetV2(MobileNetV2),
    ResNet(ResNet),
    SmallResNet(SmallResNet),
    UNet(UNet),
    Vgg(Vgg),
}

/// What comes behind the features of a network without its top: one value for each channel.
///
/// ```
/// use cinta::applications::{Pooling, resnet20};
/// let build = |pooling| resnet20().include_top(false).pooling(pooling).build(1);
/// assert_eq!(build(Pooling::None)?.output_shape(), [8, 8, 64]);
/// assert_eq!(build(Pooling::Average)?.output_shape(), [64]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pooling {
    /// Nothing: the features stay an image `[h, w, c]`. It is the default.
    #[default]
    None,
    /// The mean over the image, `[c]`: Keras's `"avg"`.
    Average,
    /// The largest value of the image, `[c]`: Keras's `"max"`.
    Max,
}

/// What a classifier ends with: so many values, and a function of them.
pub(super) struct Top {
    pub classes: usize,
    pub activation: Activation,
}

impl Top {
    /// It as a dense layer.
    pub(super) fn dense(self) -> Dense {
        Dense::new(self.classes).activation(self.activation)
    }
}

/// The names of the two pooling layers; automatic ones, where there are none.
pub(super) type PoolingNames = Option<[&'static str; 2]>;

/// A well-known network in the making: the functions of [`applications`](super) begin it, the methods are Keras's options, and
/// [`build`](Self::build) makes a [`Model`].
///
/// ```
/// use cinta::applications::{Application, resnet20};
/// let network: Application = resnet20().classes(100);
/// assert_eq!(network.build(1)?.output_shape(), [100]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Application {
    family: Family,
    name: Option<String>,
    input_shape: Shape,
    include_top: bool,
    classes: usize,
    classifier_activation: Activation,
    pooling: Pooling,
}

impl Application {
    /// With Keras's defaults: images of 224 by 224 in three colours, and probabilities of the thousand classes of ImageNet.
    pub(super) fn new(family: Family) -> Self {
        Application {
            family,
            name: None,
            input_shape: Shape::from([224, 224, 3]),
            include_top: true,
            classes: 1000,
            classifier_activation: Activation::Softmax,
            pooling: Pooling::None,
        }
    }

    /// The shape of an image, `[h, w, c]`. By default, three colours, and the size that the network was made for.
    ///
    /// ```
    /// let model = cinta::applications::resnet20().input_shape([28, 28, 1]).build(1)?;
    /// assert_eq!(model.input_shape(), [28, 28, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn input_shape(mut self, input_shape: impl Into<Shape>) -> Self {
        self.input_shape = input_shape.into();
        self
    }

    /// Whether the network ends with its classifier, as it does by default, or with the features before that.
    ///
    /// ```
    /// let model = cinta::applications::resnet20().include_top(false).build(1)?;
    /// assert_eq!(model.output_shape(), [8, 8, 64]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn include_top(mut self, include_top: bool) -> Self {
        self.include_top = include_top;
        self
    }

    /// How many values the classifier gives. Without a top, it means nothing.
    ///
    /// ```
    /// let model = cinta::applications::resnet20().classes(7).build(1)?;
    /// assert_eq!(model.output_shape(), [7]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn classes(mut self, classes: usize) -> Self {
        self.classes = classes;
        self
    }

    /// The classifier's last function: [`Softmax`](Activation::Softmax) by default, for probabilities. [`Linear`](Activation::Linear), Keras's `None`,
    /// gives what goes into it.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let network = cinta::applications::resnet20().classes(3);
    /// let x = Tensor::ones([1, 32, 32, 3]);
    /// let logits = network.clone().classifier_activation(Linear).build(1)?.predict(&x)?;
    /// let probabilities = network.build(1)?.predict(&x)?;
    /// let sum = logits.exp().sum(..).item();
    /// assert!(probabilities.all_close(&logits.map(|logit| logit.exp() / sum), 1e-5, 1e-6));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn classifier_activation(mut self, activation: impl Into<Activation>) -> Self {
        self.classifier_activation = activation.into();
        self
    }

    /// What comes behind the features of a network without its top; nothing by default. With a top, it means nothing, as in Keras.
    ///
    /// ```
    /// use cinta::applications::{Pooling, resnet20};
    /// let model = resnet20().include_top(false).pooling(Pooling::Max).build(1)?;
    /// assert_eq!(model.output_shape(), [64]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn pooling(mut self, pooling: Pooling) -> Self {
        self.pooling = pooling;
        self
    }

    /// The model's name, in place of the network's.
    ///
    /// ```
    /// let model = cinta::applications::resnet20().name("cifar").build(1)?;
    /// assert!(model.summary().starts_with("Model: \"cifar\""));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes the model, of type `f32`, and draws its weights.
    ///
    /// # Errors
    /// [`Error::Config`] for a shape that is not `[h, w, c]`, for images smaller than 32 by 32 where Keras refuses them too, and for a width of
    /// [`mobilenet_v2`](fn@super::mobilenet_v2) that makes no sense; [`Error::Layer`] for no class at all.
    ///
    /// ```
    /// use cinta::applications::mobilenet_v2;
    /// let error = mobilenet_v2(1.0).input_shape([28, 28, 3]).build(1).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "mobilenetv2_1.00_28: the images are [28, 28, 3], and the network needs 32 by 32 pixels at least; make them larger"
    /// );
    /// ```
    pub fn build(self, seed: u64) -> Result<Model> {
        self.build_typed(seed)
    }

    /// The same for a model of any element type.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let network = cinta::applications::resnet20().input_shape([8, 8, 3]);
    /// let model: Model<f64> = network.build_typed(1)?;
    /// assert_eq!(model.predict(&Tensor::<f64>::zeros([1, 8, 8, 3]))?.shape(), [1, 10]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn build_typed<T: Scalar>(self, seed: u64) -> Result<Model<T>> {
        let name = self.name.clone().unwrap_or_else(|| self.family.name(self.input_shape));
        let wrong = |reason: String| Err(Error::Config(format!("{name}: {reason}").into()));
        let [h, w, _] = *self.input_shape else {
            return wrong(format!(
                "the input shape is {}, and the network takes images [height, width, channels]",
                self.input_shape
            ));
        };
        let least = self.family.least_size();
        if h.min(w) < least {
            return wrong(format!(
                "the images are {}, and the network needs {least} by {least} pixels at least; make them larger",
                self.input_shape
            ));
        }
        if let Family::MobileNetV2(network) = &self.family
            && let Err(reason) = network.check()
        {
            return wrong(reason.to_string());
        }
        let image = Input::typed::<T>(self.input_shape);
        let features = self.family.features(&image, [h, w]);
        let output = if self.include_top {
            let top = Top { classes: self.classes, activation: self.classifier_activation };
            self.family.classifier(&features, top, [h, w])
        } else {
            self.pooled(&features)
        };
        Model::new(&image, &output).name(name).build(seed)
    }

    fn pooled<T: Scalar>(&self, x: &Node<T>) -> Node<T> {
        let names = self.family.pooling_names();
        match (self.pooling, names) {
            (Pooling::None, _) => x.clone(),
            (Pooling::Average, None) => x.then(GlobalAveragePooling2d::new()),
            (Pooling::Average, Some([name, _])) => x.then(GlobalAveragePooling2d::new().name(name)),
            (Pooling::Max, None) => x.then(GlobalMaxPooling2d::new()),
            (Pooling::Max, Some([_, name])) => x.then(GlobalMaxPooling2d::new().name(name)),
        }
    }

    /// With other defaults than those of ImageNet.
    pub(super) fn for_images(
        self,
        size: usize,
        classes: usize,
        classifier_activation: Activation,
    ) -> Self {
        Application {
            input_shape: Shape::from([size, size, 3]),
            classes,
            classifier_activation,
            ..self
        }
    }
}

impl Family {
    /// Keras's name of the model; for those that have none there, the function's.
    fn name(&self, input_shape: Shape) -> String {
        match self {
            Family::MiniXception(_) => "mini_xception".to_owned(),
            Family::MobileNetV2(network) => network.name(input_shape),
            Family::ResNet(network) => network.name().to_owned(),
            Family::SmallResNet(network) => network.name(),
            Family::UNet(_) => "unet".to_owned(),
            Family::Vgg(network) => network.name().to_owned(),
        }
    }

    /// Keras asks for images of this size at least; its tutorials do not ask.
    fn least_size(&self) -> usize {
        match self {
            Family::MobileNetV2(_) | Family::ResNet(_) | Family::Vgg(_) => 32,
            Family::MiniXception(_) | Family::SmallResNet(_) | Family::UNet(_) => 1,
        }
    }

    fn pooling_names(&self) -> PoolingNames {
        match self {
            Family::ResNet(_) => ResNet::POOLING_NAMES,
            _ => None,
        }
    }

    /// All layers but those of the classifier.
    fn features<T: Scalar>(&self, image: &Node<T>, size: [usize; 2]) -> Node<T> {
        match self {
            Family::MiniXception(network) => network.features(image),
            Family::MobileNetV2(network) => network.features(image, size),
            Family::ResNet(network) => network.features(image),
            Family::SmallResNet(network) => network.features(image),
            Family::UNet(network) => network.features(image),
            Family::Vgg(network) => network.features(image),
        }
    }

    fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top, size: [usize; 2]) -> Node<T> {
        match self {
            Family::MiniXception(network) => network.classifier(x, top),
            Family::MobileNetV2(network) => network.classifier(x, top),
            Family::ResNet(network) => network.classifier(x, top),
            Family::SmallResNet(network) => network.classifier(x, top, size),
            Family::UNet(network) => network.classifier(x, top),
            Family::Vgg(network) => network.classifier(x, top),
        }
    }
}

compiled!(|network: Application| network.build_typed::<T>(0));
