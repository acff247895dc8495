//! Zeros around the images of a convolution, as a layer of its own: the convolution adds them itself.
//!
//! Where a border of zeros is what padding `same` would add, as in MobileNet and in many a VGG, nobody has to write images with a
//! border, or to cut it off the gradient.

use super::{Drafted, Work};
use crate::nn::layers::*;
use crate::nn::{Layer, MultiLayer, known, shared_layer};
use crate::scalar::Scalar;
use std::sync::Arc;

/// The layers that work instead of others, by node.
pub(super) type Others<T> = Vec<(usize, Arc<dyn MultiLayer<T>>)>;

pub(super) fn join<T: Scalar>(plan: &mut Drafted<'_, T>) -> Others<T> {
    let mut others = Others::new();
    for at in 0..plan.graph.nodes.len() {
        let layer = |node: usize| &*plan.layers[plan.graph.nodes[node].layer].layer;
        let Some(before) = plan.source(at) else { continue };
        let Some(zeros) = known::<T, ZeroPadding2d>(layer(before)) else { continue };
        if Layer::<T>::data_format(zeros) == DataFormat::ChannelsLast
            && let image = plan.graph.shape(plan.graph.nodes[before].inputs[0])
            && let Some(other) = padded(layer(at), [image[0], image[1]], zeros.border())
        {
            plan.steps[before].work = Work::Done;
            others.push((at, other));
        }
    }
    others
}

/// The same convolution with the border of its images added by itself, if there is one.
fn padded<T: Scalar>(
    layer: &dyn MultiLayer<T>,
    image: [usize; 2],
    border: [[usize; 2]; 2],
) -> Option<Arc<dyn MultiLayer<T>>> {
    if let Some(layer) = known::<T, Conv2d>(layer) {
        return layer.padded(image, border).map(shared_layer);
    }
    known::<T, DepthwiseConv2d>(layer)?.padded(image, border).map(shared_layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Padding;
    use crate::model::plan::Plan;
    use crate::model::plan::testing::{train, with_data};
    use crate::model::{Input, Model, Of, Sequential};
    use crate::nn::{Activation, Regularizer};
    use crate::tensor::Tensor;

    fn joined(model: &Model<f32>) -> usize {
        Plan::open(&model.graph, &model.layers, |_| false).others.len()
    }

    /// What the two layers give, with the gradients: bit for bit but for depthwise convolutions, whose sums over an image are cut
    /// by its size.
    #[test]
    fn it_agrees_with_the_plain_steps() {
        let conv = || Conv2d::new(4, 3);
        let depthwise = || DepthwiseConv2d::new(3);
        let relu = Activation::Relu;
        for (size, zeros, layer) in [
            ([6, 8], [[1, 1], [1, 1]], Box::new(conv().activation(relu)) as Box<dyn Layer<f32>>),
            ([6, 8], [[0, 1], [0, 1]], Box::new(conv().strides(2)) as Box<dyn Layer<f32>>),
            ([7, 8], [[1, 1], [0, 1]], Box::new(depthwise().strides(2)) as Box<dyn Layer<f32>>),
            (
                [5, 9],
                [[1, 1], [1, 1]],
                Box::new(depthwise().use_bias(false)) as Box<dyn Layer<f32>>,
            ),
            ([6, 8], [[2, 2], [2, 2]], Box::new(conv().dilation_rate(2)) as Box<dyn Layer<f32>>),
            ([6, 8], [[2, 2], [1, 1]], Box::new(Conv2d::new(4, [5, 3])) as Box<dyn Layer<f32>>),
        ] {
            let chain = Sequential::new([size[0], size[1], 3]);
            let chain = chain.add(conv().padding(Padding::Same)).add(relu);
            let chain = chain.add(ZeroPadding2d::new(zeros)).add(layer).add(Flatten::new());
            let (model, data) = with_data(chain.build(5).unwrap());
            let plan = Plan::open(&model.graph, &model.layers, |_| false);
            assert_eq!(plan.others.len(), 1, "{model:?}");
            let plain = train(&model, &Plan::plain(&model), &data);
            let joined = train(&model, &plan, &data);
            if format!("{model:?}").contains("DepthwiseConv2D") {
                let close = |(a, b): (&Tensor<f32>, &Tensor<f32>)| a.all_close(b, 1e-5, 1e-6);
                assert!(joined.iter().zip(&plain).all(close), "{model:?}");
            } else {
                assert_eq!(joined, plain, "{model:?}");
            }
        }
    }

    #[test]
    fn other_borders_stay() {
        let conv = || Conv2d::new(4, 3);
        for (zeros, layer) in [
            ([[1, 1], [0, 0]], Box::new(conv()) as Box<dyn Layer<f32>>),
            ([[1, 1], [1, 1]], Box::new(conv().strides(2)) as Box<dyn Layer<f32>>),
            ([[2, 2], [2, 2]], Box::new(conv()) as Box<dyn Layer<f32>>),
            ([[1, 1], [1, 1]], Box::new(conv().padding(Padding::Same)) as Box<dyn Layer<f32>>),
            ([[1, 1], [1, 1]], Box::new(MaxPooling2d::new(3)) as Box<dyn Layer<f32>>),
        ] {
            let model = Sequential::new([6, 8, 3]).add(ZeroPadding2d::new(zeros)).add(layer);
            assert_eq!(joined(&model.build(0).unwrap()), 0, "{zeros:?}");
        }
        // Channels first.
        let zeros = || ZeroPadding2d::new(1).data_format(DataFormat::ChannelsFirst);
        let model = Sequential::new([3, 6, 8]).add(zeros());
        let model = model.add(conv().data_format(DataFormat::ChannelsFirst));
        assert_eq!(joined(&model.build(0).unwrap()), 0);
        // The channels where the other layer has a side.
        let conv_first = conv().data_format(DataFormat::ChannelsFirst);
        let model = Sequential::new([6, 8, 3]).add(ZeroPadding2d::new(1)).add(conv_first);
        assert_eq!(joined(&model.build(0).unwrap()), 0);
        // Somebody else sees the images with their border.
        let image = Input::new([6, 8, 3]);
        let bordered = image.then(ZeroPadding2d::new(1));
        let seen = Model::new(&image, [&bordered, &bordered.then(conv())]).build(0).unwrap();
        assert_eq!(joined(&seen), 0);
        let twice = Of::of(Add::new(), [&bordered.then(conv()), &bordered.then(conv())]);
        assert_eq!(joined(&Model::new(&image, &twice).build(0).unwrap()), 0);
        let alone = Model::new(&image, &bordered.then(conv())).build(0).unwrap();
        assert_eq!(joined(&alone), 1);
        let penalised = conv().activity_regularizer(Regularizer::L2(0.1));
        let alone = Model::new(&image, &bordered.then(penalised)).build(0).unwrap();
        assert_eq!(joined(&alone), 1);
    }
}
