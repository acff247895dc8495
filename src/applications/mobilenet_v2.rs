//! MobileNetV2, a network for small devices, as `keras.applications.mobilenet_v2`.

use super::application::{Application, Family, Top};
use super::preprocessing;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::model::{Node, Of};
use crate::nn::layers::{
    Add, BatchNormalization, Conv2d, DepthwiseConv2d, GlobalAveragePooling2d, Relu, ZeroPadding2d,
};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

/// MobileNetV2: seventeen blocks that go to many channels, filter each of them, and come back to few. It is
/// `keras.applications.MobileNetV2(alpha=alpha)`: the numbers of channels are the paper's times the width `alpha`, rounded to multiples of 8.
/// Weights of Keras exist for 0.35, 0.5, 0.75, 1.0, 1.3 and 1.4.
///
/// ```
/// use cinta::applications::mobilenet_v2;
/// let model = mobilenet_v2(0.35).input_shape([96, 96, 3]).classes(10).build(1)?;
/// assert_eq!((model.output_shape(), model.count_params()), ([10].into(), 423_018));
/// assert_eq!(model.get_layer("block_16_project")?.output_shape(), [3, 3, 112]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn mobilenet_v2(alpha: f64) -> Application {
    Application::new(Family::MobileNetV2(MobileNetV2 { alpha }))
}

/// Pixels from 0 to 255 as this network was trained to see them: `pixel / 127.5 - 1`, from -1 to 1. It is Keras's mode `"tf"`.
///
/// # Panics
/// When the last of the axes has not three colours.
///
/// ```
/// use cinta::{Tensor, applications::mobilenet_v2};
/// let red: Tensor = Tensor::from([255.0, 0.0, 0.0]).reshape([1, 1, 3]);
/// assert_eq!(mobilenet_v2::preprocess_input(&red).to_vec(), [1.0, -1.0, -1.0]);
/// ```
#[track_caller]
#[inline(never)]
pub fn preprocess_input<T: Scalar>(pixels: &Tensor<T>) -> Tensor<T> {
    preprocessing::tf("mobilenet_v2::preprocess_input", pixels)
}

/// The network of a width.
#[derive(Clone, Debug)]
pub(super) struct MobileNetV2 {
    alpha: f64,
}

/// The blocks: how many channels come out, and how far windows move.
const BLOCKS: [(usize, usize); 17] = [
    (16, 1),
    (24, 2),
    (24, 1),
    (32, 2),
    (32, 1),
    (32, 1),
    (64, 2),
    (64, 1),
    (64, 1),
    (64, 1),
    (96, 1),
    (96, 1),
    (96, 1),
    (160, 2),
    (160, 1),
    (160, 1),
    (320, 1),
];

/// The widest network: one thousand times the paper's channels.
const WIDEST: f64 = 1000.0;

/// The multiple of 8 that is nearest to a number of channels, but not less than nine tenths of it.
fn multiple_of_8(channels: f64) -> usize {
    let nearest = (((channels + 4.0) as usize) / 8 * 8).max(8);
    if (nearest as f64) < 0.9 * channels { nearest + 8 } else { nearest }
}

fn convolution(filters: usize, size: usize) -> Conv2d {
    Conv2d::new(filters, size).padding(Padding::Same).use_bias(false)
}

fn normalization(name: String) -> BatchNormalization {
    BatchNormalization::new().momentum(0.999).name(name)
}

fn relu6(name: String) -> Relu {
    Relu::new().max_value(6.0).name(name)
}

impl MobileNetV2 {
    pub(super) fn name(&self, input_shape: Shape) -> String {
        let rows = input_shape.first().copied().unwrap_or_default();
        format!("mobilenetv2_{:.2}_{rows}", self.alpha)
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        let alpha = self.alpha;
        match alpha > 0.0 && alpha <= WIDEST {
            true => Ok(()),
            false => {
                Err(format!("the width {alpha} is not between 0 and {WIDEST}; 1 is the paper's")
                    .into())
            }
        }
    }

    pub(super) fn features<T: Scalar>(&self, image: &Node<T>, mut size: [usize; 2]) -> Node<T> {
        let mut channels = multiple_of_8(32.0 * self.alpha);
        let x = image.then(convolution(channels, 3).strides(2).name("Conv1"));
        let x = x.then(normalization("bn_Conv1".to_owned()));
        let mut x = x.then(relu6("Conv1_relu".to_owned()));
        size = size.map(|length| length.div_ceil(2));
        for (number, &(filters, strides)) in BLOCKS.iter().enumerate() {
            // Keras cuts the fraction off first.
            let filters = multiple_of_8((filters as f64 * self.alpha).trunc());
            let y = block(&x, number, channels, filters, strides, size);
            x = match strides == 1 && channels == filters {
                true => Add::new().name(format!("{}add", prefix(number))).of([&x, &y]),
                false => y,
            };
            channels = filters;
            size = size.map(|length| length.div_ceil(strides));
        }
        // A narrow network keeps the width of its last features.
        let last = if self.alpha > 1.0 { multiple_of_8(1280.0 * self.alpha) } else { 1280 };
        let x = x.then(Conv2d::new(last, 1).use_bias(false).name("Conv_1"));
        x.then(normalization("Conv_1_bn".to_owned())).then(relu6("out_relu".to_owned()))
    }

    pub(super) fn classifier<T: Scalar>(&self, x: &Node<T>, top: Top) -> Node<T> {
        let x = x.then(GlobalAveragePooling2d::new());
        x.then(top.dense().name("predictions"))
    }
}

fn prefix(number: usize) -> String {
    if number == 0 { "expanded_conv_".to_owned() } else { format!("block_{number}_") }
}

/// To six times as many channels (in the first block, none more), a filter for each of them, and back to `filters`. With strides
/// of 2, images of an even length get zeros at their end alone, and others at both ends.
fn block<T: Scalar>(
    x: &Node<T>,
    number: usize,
    channels: usize,
    filters: usize,
    strides: usize,
    size: [usize; 2],
) -> Node<T> {
    let named = |what: &str| format!("{}{what}", prefix(number));
    let mut y = x.clone();
    if number > 0 {
        y = y.then(convolution(6 * channels, 1).name(named("expand")));
        y = y.then(normalization(named("expand_BN"))).then(relu6(named("expand_relu")));
    }
    let mut depthwise = DepthwiseConv2d::new(3).strides(strides).use_bias(false);
    if strides == 2 {
        y = y.then(ZeroPadding2d::new(size.map(|length| [length % 2, 1])).name(named("pad")));
    } else {
        depthwise = depthwise.padding(Padding::Same);
    }
    y = y.then(depthwise.name(named("depthwise")));
    y = y.then(normalization(named("depthwise_BN"))).then(relu6(named("depthwise_relu")));
    y = y.then(convolution(filters, 1).name(named("project")));
    y.then(normalization(named("project_BN")))
}

compiled!(|pixels: &Tensor<T>| preprocess_input(pixels));
