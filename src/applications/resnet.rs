//! Residual networks for large images: 50, 101 and 152 layers with weights, as `keras.applications.resnet`.

use super::application::{Application, Family, PoolingNames, Top};
use super::preprocessing;
use crate::kernels::Padding;
use crate::model::{Node, Of};
use crate::nn::Activation;
use crate::nn::layers::{
    Add, BatchNormalization, Conv2d, GlobalAveragePooling2d, MaxPooling2d, ZeroPadding2d,
};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// ResNet-50: sixteen blocks of three convolutions, each of which adds what it computes to what goes in. It is
/// `keras.applications.ResNet50`, with the stride in the first convolution of a block, as in the paper.
///
/// ```
/// use cinta::applications::resnet50;
/// let model = resnet50().input_shape([32, 32, 3]).include_top(false).build(1)?;
/// assert_eq!(model.output_shape(), [1, 1, 2048]);
/// assert_eq!(model.get_layer("conv2_block1_out")?.output_shape(), [8, 8, 256]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet50() -> Application {
    Application::new(Family::ResNet(ResNet { blocks: [3, 4, 6, 3], name: "resnet50" }))
}

/// ResNet-101: as [`resnet50`](fn@resnet50), with 23 blocks in place of 6. It is `keras.applications.ResNet101`.
///
/// ```
/// use cinta::applications::resnet101;
/// let model = resnet101().input_shape([32, 32, 3]).include_top(false).build(1)?;
/// assert_eq!(model.get_layer("conv4_block23_out")?.output_shape(), [2, 2, 1024]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet101() -> Application {
    Application::new(Family::ResNet(ResNet { blocks: [3, 4, 23, 3], name: "resnet101" }))
}

/// ResNet-152: as [`resnet50`](fn@resnet50), with 8 and 36 blocks in place of 4 and 6. It is `keras.applications.ResNet152`.
///
/// ```
/// use cinta::applications::resnet152;
/// let model = resnet152().input_shape([32, 32, 3]).include_top(false).build(1)?;
/// assert_eq!(model.get_layer("conv4_block36_out")?.output_shape(), [2, 2, 1024]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn resnet152() -> Application {
    Application::new(Family::ResNet(ResNet { blocks: [3, 8, 36, 3], name: "resnet152" }))
}

/// Pixels from 0 to 255, red first, as these networks were trained to see them: blue first, less the mean of ImageNet,
/// `[b - 103.939, g - 116.779, r - 123.68]`. It is Keras's mode `"caffe"`.
///
/// # Panics
/// When the last of the axes has not three colours.
///
/// ```
/// use cinta::{Tensor, applications::resnet};
/// let red: Tensor = Tensor::from([255.0, 0.0, 0.0]).reshape([1, 1, 3]);
/// assert_eq!(resnet::preprocess_input(&red).to_vec(), [-103.939, -116.779, 255.0 - 123.68]);
/// ```
#[track_caller]
#[inline(never)]
pub fn preprocess_input<T: Scalar>(pixels: &Tensor<T>) -> Tensor<T> {
    preprocessing::caffe("resnet::preprocess_input", pixels)
}

/// Four stacks of so many blocks.
#[derive(Clone, Debug)]
pub(super) struct ResNet {
    blocks: [usize; 4],
    name: &'static str,
}

fn convolution(filters: usize, size: usize, name: String) -> Conv2d {
    Conv2d::new(filters, size).name(name)
}

fn normalization(name: String) -> BatchNormalization {
    BatchNormalization::new().epsilon(1.001e-5).name(name)
}

fn relu<T: Scalar>(x: &Node<T>, name: String) -> Node<T> {
    x.then(Activation::Relu.name(name))
}

impl ResNet {
    pub const POOLING_NAMES: PoolingNames = Some(["avg_pool", "max_pool"]);

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn features<T: Scalar>(&self, image: &Node<T>) -> Node<T> {
        let x = image.then(ZeroPadding2d::new(3).name("conv1_pad"));
        let x = x.then(Conv2d::new(64, 7).strides(2).name("conv1_conv"));
        let x = relu(&x.then(normalization("conv1_bn".to_owned())), "conv1_relu".to_owned());
        let x = x.then(ZeroPadding2d::new(1).name("pool1_pad"));
        let mut x = x.then(MaxPooling2d::new(3).strides(2).name("pool1_pool"));
        for (stack, &blocks) in self.blocks.iter().enumerate() {
            let filters = 64 << stack;
            for number in 1..=blocks {
                let name = format!("conv{}_block{number}", stack + 2);
                // The first block of a stack halves the image, but for that of the first stack.
                let strides = if number == 1 && stack > 0 { 2 } else { 1 };
                x = block(&x, filters, strides, number == 1, &name);
            }
        }
        x
    }

    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top) -> Node<T> {
        let x = x.then(GlobalAveragePooling2d::new().name("avg_pool"));
        x.then(top.dense().name("predictions"))
    }
}

/// Three convolutions, to few channels, over 3 by 3 pixels, and to many channels; and what they are added to: the input, or where
/// the number of channels changes, a convolution of it.
fn block<T: Scalar>(
    x: &Node<T>,
    filters: usize,
    strides: usize,
    projected: bool,
    name: &str,
) -> Node<T> {
    let named = |what: &str| format!("{name}_{what}");
    let shortcut = if projected {
        let projection = convolution(4 * filters, 1, named("0_conv")).strides(strides);
        x.then(projection).then(normalization(named("0_bn")))
    } else {
        x.clone()
    };
    let y = x.then(convolution(filters, 1, named("1_conv")).strides(strides));
    let y = relu(&y.then(normalization(named("1_bn"))), named("1_relu"));
    let y = y.then(convolution(filters, 3, named("2_conv")).padding(Padding::Same));
    let y = relu(&y.then(normalization(named("2_bn"))), named("2_relu"));
    let y = y.then(convolution(4 * filters, 1, named("3_conv")));
    let y = y.then(normalization(named("3_bn")));
    relu(&Add::new().name(named("add")).of([&shortcut, &y]), named("out"))
}

compiled!(|pixels: &Tensor<T>| preprocess_input(pixels));
