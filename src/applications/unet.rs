//! A network that says of every pixel what it belongs to.

use super::application::{Application, Family, Top};
use crate::kernels::Padding;
use crate::model::{Node, Of};
use crate::nn::Activation;
use crate::nn::layers::{
    Add, BatchNormalization, Conv2d, Conv2dTranspose, MaxPooling2d, SeparableConv2d, UpSampling2d,
};
use crate::scalar::Scalar;

/// The network of Keras's tutorial *Image segmentation with a U-Net-like architecture*, for images of 160 by 160 pixels and three classes of
/// pixels: `[h, w, 3]` becomes `[h, w, classes]`, where the sides are multiples of 16. (Others are rounded up to the next one.)
///
/// The image is halved four times by separable convolutions and doubled four times by transposed ones; around each of these blocks leads a
/// convolution of one pixel, so that the blocks are residual. The classic U-Net differs in what it hands from its downward half to
/// its upward one: it puts the images of one size side by side. This one was chosen because its layers, names and number of parameters are
/// published, and files of it exist. `docs/graphs.md` shows how a network with other ways is written.
///
/// Without its top, it gives the 32 features of every pixel.
///
/// ```
/// use cinta::applications::unet;
/// let model = unet().input_shape([32, 48, 3]).build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([32, 48, 3].into(), 2_058_979));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn unet() -> Application {
    Application::new(Family::UNet(UNet)).for_images(160, 3, Activation::Softmax)
}

/// The network has no other options than all networks.
#[derive(Clone, Debug)]
pub(super) struct UNet;

impl UNet {
    pub(super) fn features<T: Scalar>(&self, image: &Node<T>) -> Node<T> {
        let x = image.then(Conv2d::new(32, 3).strides(2).padding(Padding::Same));
        let mut x = x.then(BatchNormalization::new()).then(Activation::Relu);
        for filters in [64, 128, 256] {
            x = down(&x, filters);
        }
        for filters in [256, 128, 64, 32] {
            x = up(&x, filters);
        }
        x
    }

    /// A convolution for every pixel.
    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top) -> Node<T> {
        x.then(Conv2d::new(top.classes, 3).padding(Padding::Same).activation(top.activation))
    }
}

/// Half the image: two separable convolutions, beside a convolution of one pixel. It is a block of Xception.
pub(super) fn down<T: Scalar>(x: &Node<T>, filters: usize) -> Node<T> {
    let mut y = x.clone();
    for _ in 0..2 {
        y = y.then(Activation::Relu);
        y = y.then(SeparableConv2d::new(filters, 3).padding(Padding::Same));
        y = y.then(BatchNormalization::new());
    }
    let y = y.then(MaxPooling2d::new(3).strides(2).padding(Padding::Same));
    let around = x.then(Conv2d::new(filters, 1).strides(2).padding(Padding::Same));
    Add::new().of([&y, &around])
}

/// Twice the image: two transposed convolutions, beside a convolution of one pixel.
fn up<T: Scalar>(x: &Node<T>, filters: usize) -> Node<T> {
    let mut y = x.clone();
    for _ in 0..2 {
        y = y.then(Activation::Relu);
        y = y.then(Conv2dTranspose::new(filters, 3).padding(Padding::Same));
        y = y.then(BatchNormalization::new());
    }
    let y = y.then(UpSampling2d::new(2));
    let around = x.then(UpSampling2d::new(2));
    let around = around.then(Conv2d::new(filters, 1).padding(Padding::Same));
    Add::new().of([&y, &around])
}
