//! Residual networks for small images: those of the paper's experiments on CIFAR-10.

use super::application::{Application, Family, Top};
use crate::kernels::Padding;
use crate::model::{Node, Of};
use crate::nn::layers::{Add, AveragePooling2d, BatchNormalization, Conv2d, Flatten};
use crate::nn::{Activation, Initializer, Regularizer};
use crate::scalar::Scalar;

/// ResNet-20 for images of 32 by 32 pixels in ten classes: a convolution, nine blocks of two convolutions with 16, 32 and 64
/// channels, and a dense layer. It is version 1 of Keras's example `cifar10_resnet`.
///
/// Kernels are drawn by [`HeNormal`](Initializer::HeNormal), and those of convolutions have the penalty `L2(1e-4)`. The mean at the end is over the whole image, whatever
/// its size; the example has it for images of this size alone. It also scales pixels to numbers between 0 and 1, and subtracts the mean image of the
/// training set.
///
/// ```
/// use cinta::applications::resnet20;
/// let model = resnet20().build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([10].into(), 274_442));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet20() -> Application {
    small(3)
}

/// ResNet-32: as [`resnet20`](fn@resnet20), with fifteen blocks.
///
/// ```
/// use cinta::applications::resnet32;
/// assert_eq!(resnet32().build(1)?.count_params(), 470_218);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet32() -> Application {
    small(5)
}

/// ResNet-56: as [`resnet20`](fn@resnet20), with 27 blocks.
///
/// ```
/// use cinta::applications::resnet56;
/// assert_eq!(resnet56().build(1)?.count_params(), 861_770);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet56() -> Application {
    small(9)
}

fn small(blocks: usize) -> Application {
    let family = Family::SmallResNet(SmallResNet { blocks });
    Application::new(family).for_images(32, 10, Activation::Softmax)
}

/// Three stacks of so many blocks.
#[derive(Clone, Debug)]
pub(super) struct SmallResNet {
    blocks: usize,
}

fn convolution(filters: usize, size: usize, strides: usize) -> Conv2d {
    let convolution = Conv2d::new(filters, size).strides(strides).padding(Padding::Same);
    convolution.kernel_initializer(Initializer::HeNormal).kernel_regularizer(Regularizer::L2(1e-4))
}

impl SmallResNet {
    pub(super) fn name(&self) -> String {
        format!("resnet{}", 6 * self.blocks + 2)
    }

    pub(super) fn features<T: Scalar>(&self, image: &Node<T>) -> Node<T> {
        let x = image.then(convolution(16, 3, 1)).then(BatchNormalization::new());
        let mut x = x.then(Activation::Relu);
        for stack in 0..3 {
            let filters = 16 << stack;
            for block in 0..self.blocks {
                // The first block of a stack halves the image, but for that of the first stack.
                let halves = block == 0 && stack > 0;
                let strides = if halves { 2 } else { 1 };
                let y = x.then(convolution(filters, 3, strides)).then(BatchNormalization::new());
                let y = y.then(Activation::Relu);
                let y = y.then(convolution(filters, 3, 1)).then(BatchNormalization::new());
                let shortcut =
                    if halves { x.then(convolution(filters, 1, strides)) } else { x.clone() };
                x = Add::new().of([&shortcut, &y]).then(Activation::Relu);
            }
        }
        x
    }

    /// For images of this size, which two of the stacks have halved.
    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top, size: [usize; 2]) -> Node<T> {
        let whole = size.map(|length| length.div_ceil(2).div_ceil(2));
        let dense = top.dense();
        x.then(AveragePooling2d::new(whole))
            .then(Flatten::new())
            .then(dense.kernel_initializer(Initializer::HeNormal))
    }
}
