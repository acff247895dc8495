//! The networks of the Visual Geometry Group, as `keras.applications.vgg16` and `vgg19`.

use super::application::{Application, Family, Top};
use super::preprocessing;
use crate::kernels::Padding;
use crate::model::Node;
use crate::nn::Activation;
use crate::nn::layers::{Conv2d, Dense, Flatten, MaxPooling2d};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// VGG-16: thirteen convolutions over 3 by 3 pixels and three dense layers. It is `keras.applications.VGG16`.
///
/// ```
/// use cinta::applications::vgg16;
/// let model = vgg16().input_shape([32, 32, 3]).include_top(false).build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([1, 1, 512].into(), 14_714_688));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn vgg16() -> Application {
    Application::new(Family::Vgg(Vgg { convolutions: [2, 2, 3, 3, 3], name: "vgg16" }))
}

/// VGG-19: as [`vgg16`](fn@vgg16), with sixteen convolutions. It is `keras.applications.VGG19`.
///
/// ```
/// use cinta::applications::vgg19;
/// let model = vgg19().input_shape([32, 32, 3]).include_top(false).build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([1, 1, 512].into(), 20_024_384));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn vgg19() -> Application {
    Application::new(Family::Vgg(Vgg { convolutions: [2, 2, 4, 4, 4], name: "vgg19" }))
}

/// Pixels from 0 to 255, red first, as these networks were trained to see them: blue first, less the mean of ImageNet,
/// `[b - 103.939, g - 116.779, r - 123.68]`. It is Keras's mode `"caffe"`.
///
/// # Panics
/// When the last of the axes has not three colours.
///
/// ```
/// use cinta::{Tensor, applications::vgg};
/// let red: Tensor = Tensor::from([255.0, 0.0, 0.0]).reshape([1, 1, 3]);
/// assert_eq!(vgg::preprocess_input(&red).to_vec(), [-103.939, -116.779, 255.0 - 123.68]);
/// ```
#[track_caller]
#[inline(never)]
pub fn preprocess_input<T: Scalar>(pixels: &Tensor<T>) -> Tensor<T> {
    preprocessing::caffe("vgg::preprocess_input", pixels)
}

/// Five blocks of so many convolutions.
#[derive(Clone, Debug)]
pub(super) struct Vgg {
    convolutions: [usize; 5],
    name: &'static str,
}

impl Vgg {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn features<T: Scalar>(&self, image: &Node<T>) -> Node<T> {
        let mut x = image.clone();
        for (block, (&convolutions, filters)) in
            self.convolutions.iter().zip([64, 128, 256, 512, 512]).enumerate()
        {
            for number in 1..=convolutions {
                let layer = Conv2d::new(filters, 3).padding(Padding::Same);
                let layer = layer.activation(Activation::Relu);
                x = x.then(layer.name(format!("block{}_conv{number}", block + 1)));
            }
            x = x.then(MaxPooling2d::new(2).name(format!("block{}_pool", block + 1)));
        }
        x
    }

    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top) -> Node<T> {
        let hidden = |name: &str| Dense::new(4096).activation(Activation::Relu).name(name);
        let x = x.then(Flatten::new().name("flatten")).then(hidden("fc1")).then(hidden("fc2"));
        x.then(top.dense().name("predictions"))
    }
}

compiled!(|pixels: &Tensor<T>| preprocess_input(pixels));
