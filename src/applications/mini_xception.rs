//! A small version of Xception.

use super::application::{Application, Family, Top};
use super::unet::down;
use crate::kernels::Padding;
use crate::model::Node;
use crate::nn::Activation;
use crate::nn::layers::{
    BatchNormalization, Conv2d, Dropout, GlobalAveragePooling2d, Rescaling, SeparableConv2d,
};
use crate::scalar::Scalar;

/// The network of Keras's tutorial *Image classification from scratch*: residual blocks of separable convolutions, for images of 180 by 180
/// pixels from 0 to 255, which its first layer scales.
///
/// As there, it gives one number: what goes into a sigmoid, which says which of two classes it is. The tutorial has this for
/// two classes; here, `classes` is always the number of values.
///
/// ```
/// use cinta::applications::mini_xception;
/// let model = mini_xception().input_shape([32, 32, 3]).build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([1].into(), 2_731_065));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn mini_xception() -> Application {
    Application::new(Family::MiniXception(MiniXception)).for_images(180, 1, Activation::Linear)
}

/// The network has no other options than all networks.
#[derive(Clone, Debug)]
pub(super) struct MiniXception;

impl MiniXception {
    pub(super) fn features<T: Scalar>(&self, image: &Node<T>) -> Node<T> {
        let x = image.then(Rescaling::new(1.0 / 255.0));
        let x = x.then(Conv2d::new(128, 3).strides(2).padding(Padding::Same));
        let mut x = x.then(BatchNormalization::new()).then(Activation::Relu);
        for filters in [256, 512, 728] {
            x = down(&x, filters);
        }
        let x = x.then(SeparableConv2d::new(1024, 3).padding(Padding::Same));
        x.then(BatchNormalization::new()).then(Activation::Relu)
    }

    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top) -> Node<T> {
        let x = x.then(GlobalAveragePooling2d::new()).then(Dropout::new(0.25));
        x.then(top.dense())
    }
}
