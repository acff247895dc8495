//! A rectifier before max-pooling, and dropout behind it: one pass over the image, which keeps who survived and nothing else.
//!
//! The largest of rectified values is the rectified largest value. So the layer before gives its sums as they are, and what
//! the rectifier, the pooling and the dropout leave is decided row by row, while the maxima are in the cache.

use super::{Drafted, Work};
use crate::model::graph::Source;
use crate::nn::layers::{DataFormat, Dropout, MaxPooling2d};
use crate::nn::{Activation, Layer, Rectifier, known};
use crate::scalar::Scalar;

pub(super) fn join<T: Scalar>(plan: &mut Drafted<'_, T>) {
    let nodes = &plan.graph.nodes;
    let takes = |node: usize| match nodes[node].inputs[..] {
        [Source::Node { node, .. }] => Some(node),
        _ => None,
    };
    for at in 0..nodes.len() {
        let layer = &*plan.layers[nodes[at].layer].layer;
        let Some(pooling) = known::<T, MaxPooling2d>(layer) else { continue };
        let Some(before) = plan.source(at) else { continue };
        if plan.steps[before].work != Work::Rectified(Rectifier::default()) {
            continue;
        }
        plan.steps[before].work = Work::Layer;
        let mut dropout = None;
        // What is dropped is counted in the order of the output's axes.
        if plan.is_private(at) && Layer::<T>::data_format(pooling) == DataFormat::ChannelsLast {
            let behind = (at + 1..nodes.len()).find(|&node| takes(node) == Some(at));
            dropout = behind.filter(|&node| {
                let layer = known::<T, Dropout>(&*plan.layers[nodes[node].layer].layer);
                layer.is_some_and(Dropout::is_plain)
            });
        }
        if let Some(node) = dropout {
            plan.steps[node].work = Work::Done;
        }
        plan.steps[at].work = Work::Survivors { dropout };
        debug_assert_eq!(plan.steps[at].activation, Activation::Linear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Padding;
    use crate::model::plan::Plan;
    use crate::model::plan::testing::{train, with_data};
    use crate::model::{Input, Model, Sequential};
    use crate::nn::Regularizer;
    use crate::nn::layers::*;

    fn works(model: &Model<f32>) -> Vec<Work> {
        let plan = Plan::open(&model.graph, &model.layers, |_| false);
        plan.steps.iter().map(|step| step.work).collect()
    }

    const RECTIFIED: Work =
        Work::Rectified(Rectifier { negative_slope: 0.0, max_value: None, threshold: 0.0 });
    const RELU: Activation = Activation::Relu;

    /// Bit for bit what the layers give one by one, with the gradients; the random numbers are those of the dropout's node.
    #[test]
    fn it_agrees_with_the_plain_steps() {
        let image = || Sequential::new([7, 6, 3]);
        let first = || Sequential::new([3, 7, 6]);
        let conv = || Conv2d::new(5, 3).padding(Padding::Same);
        let pool = || MaxPooling2d::new(2);
        let (joined, alone) =
            (Work::Survivors { dropout: Some(2) }, Work::Survivors { dropout: None });
        for (chain, expected) in [
            (
                image().add(conv().activation(RELU)).add(pool()).add(Dropout::new(0.3)),
                vec![Work::Layer, joined, Work::Done],
            ),
            (
                image().add(conv()).add(RELU).add(pool().strides(1)).add(Dropout::new(0.6)),
                vec![Work::Layer, Work::Done, Work::Survivors { dropout: Some(3) }, Work::Done],
            ),
            (
                image()
                    .add(conv().activation(RELU))
                    .add(pool())
                    .add(conv().activation(RELU))
                    .add(pool()),
                vec![Work::Layer, alone, Work::Layer, alone],
            ),
            (
                image().add(conv()).add(BatchNormalization::new()).add(Relu::new()).add(pool()),
                vec![Work::Layer, Work::Layer, Work::Done, alone],
            ),
            (
                first()
                    .add(conv().data_format(DataFormat::ChannelsFirst).activation(RELU))
                    .add(pool().data_format(DataFormat::ChannelsFirst))
                    .add(Dropout::new(0.3)),
                vec![Work::Layer, alone, Work::Layer],
            ),
            // Nothing to join.
            (image().add(conv()).add(pool()).add(Dropout::new(0.3)), vec![Work::Layer; 3]),
            (
                image().add(conv().activation(RELU)).add(AveragePooling2d::new(2)),
                vec![RECTIFIED, Work::Layer],
            ),
            // Dropout that is not one of every value by itself, or leaves nothing.
            (
                image().add(conv().activation(RELU)).add(pool()).add(SpatialDropout2d::new(0.3)),
                vec![Work::Layer, alone, Work::Layer],
            ),
            (
                image().add(conv().activation(RELU)).add(pool()).add(Dropout::new(1.0)),
                vec![Work::Layer, alone, Work::Layer],
            ),
        ] {
            let (model, data) = with_data(chain.build(5).unwrap());
            assert_eq!(works(&model), expected);
            let steps = Plan::open(&model.graph, &model.layers, |_| false);
            assert_eq!(train(&model, &steps, &data), train(&model, &Plan::plain(&model), &data));
            let without = Plan::plain(&model);
            let by = |plan: &Plan<f32>| {
                let run =
                    crate::model::forward::Run::infer(&model.graph, &model.layers, plan, None);
                run.outputs(vec![data.inputs().clone()])
            };
            assert_eq!(by(&steps), by(&without));
        }
    }

    #[test]
    fn a_value_that_others_see_stays_as_it_is() {
        let conv = || Conv2d::new(3, 3).activation(RELU);
        let input = Input::new([6, 6, 1]);
        let x = input.then(conv());
        let model = Model::new(&input, [&x, &x.then(MaxPooling2d::new(2))]).build(0).unwrap();
        assert_eq!(works(&model), [RECTIFIED, Work::Layer]);
        let pooled = input.then(conv()).then(MaxPooling2d::new(2));
        let model =
            Model::new(&input, [&pooled, &pooled.then(Dropout::new(0.5))]).build(0).unwrap();
        assert_eq!(works(&model), [Work::Layer, Work::Survivors { dropout: None }, Work::Layer]);
        let penalised = conv().activity_regularizer(Regularizer::L2(0.1));
        let model = Sequential::new([6, 6, 1]).add(penalised).add(MaxPooling2d::new(2)).build(0);
        assert_eq!(works(&model.unwrap()), [RECTIFIED, Work::Layer]);
        let boxed: Box<dyn Layer<f32>> = Box::new(MaxPooling2d::new(2));
        let model = Sequential::new([6, 6, 1]).add(conv()).add(boxed).build(0).unwrap();
        assert_eq!(works(&model), [Work::Layer, Work::Survivors { dropout: None }]);
    }
}
