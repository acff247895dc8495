//! Batch normalisation behind sums, where nothing is trained: it multiplies each channel by a number and adds one, and so do the
//! weights of the layer before it.
//!
//! `s (sum of x w + b) + t` is `sum of x (s w) + (s b + t)`: one pass over the image less, and no more to remember than other
//! weights. The results differ in their last digits.

use super::{Drafted, Step, Work};
use crate::model::graph::Source;
use crate::model::model::Built;
use crate::nn::layers::*;
use crate::nn::{Activation, Layer, MultiLayer, known};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::any::TypeId;

/// Two layers that are one: their numbers in the model, and how the first one's kernel lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fold {
    sums: usize,
    norm: usize,
    kernel: Kernel,
}

/// Which weight of a layer is the kernel that makes its outputs, and which axes count those, with the last one at 0. A bias
/// comes after it, if there is one.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    weight: usize,
    outputs: Outputs,
}

#[derive(Clone, Copy, Debug)]
enum Outputs {
    Last,
    LastTwo,
    BeforeLast,
}

/// The kernel of a layer that gives sums, and where these have their channels.
fn kernel<T: Scalar>(layer: &dyn MultiLayer<T>) -> Option<(Kernel, DataFormat)> {
    let mut format = DataFormat::ChannelsLast;
    macro_rules! is {
        ($($class:ident)*) => {
            $(known::<T, $class>(layer).map(|it| format = Layer::<T>::data_format(it)).is_some())||*
        };
    }
    let (weight, outputs) = if is!(Dense Conv1d Conv2d Conv3d) {
        (0, Outputs::Last)
    } else if is!(SeparableConv1d SeparableConv2d) {
        (1, Outputs::Last)
    } else if is!(DepthwiseConv1d DepthwiseConv2d) {
        (0, Outputs::LastTwo)
    } else if is!(Conv1dTranspose Conv2dTranspose Conv3dTranspose) {
        (0, Outputs::BeforeLast)
    } else {
        return None;
    };
    Some((Kernel { weight, outputs }, format))
}

pub(super) fn join<T: Scalar>(plan: &mut Drafted<'_, T>) -> Vec<Fold> {
    // Folded weights are computed in f64, which would lose a derivative.
    if TypeId::of::<T::Wide>() != TypeId::of::<f64>() {
        return Vec::new();
    }
    let nodes = &plan.graph.nodes;
    let mut works = vec![0; plan.layers.len()];
    nodes.iter().for_each(|node| works[node.layer] += 1);
    let plain = Step { work: Work::Layer, activation: Activation::Linear };
    let mut folds = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let norm = &*plan.layers[node.layer].layer;
        let Some(normalization) = known::<T, BatchNormalization>(norm) else { continue };
        let [Source::Node { node: before, .. }] = node.inputs[..] else { continue };
        let sums = nodes[before].layer;
        if let Some((kernel, format)) = kernel(&*plan.layers[sums].layer)
            && normalization.is_over_the_channels(format, node.outputs[0].rank())
            && plan.is_private(before)
            && plan.steps[before] == plain
            && plan.steps[at] == plain
            && works[sums] == 1
            && works[node.layer] == 1
        {
            plan.steps[at].work = Work::Done;
            folds.push(Fold { sums, norm: node.layer, kernel });
        }
    }
    folds
}

impl Fold {
    /// The numbers of both layers.
    pub(super) fn layers(&self) -> [usize; 2] {
        [self.sums, self.norm]
    }

    /// The number of the layer of sums, and the weights that it runs with, when each layer's own ones are `values`.
    pub(super) fn weights<T: Scalar>(
        &self,
        layers: &[Built<T>],
        values: &dyn Fn(usize) -> Vec<Tensor<T>>,
    ) -> (usize, Vec<Tensor<T>>) {
        let normalization = known::<T, BatchNormalization>(&*layers[self.norm].layer);
        let normalization = normalization.expect("the rule has found it");
        // In f64, so that each weight is rounded once.
        let wide = |weights: Vec<Tensor<T>>| -> Vec<Tensor<f64>> {
            weights.iter().map(Tensor::cast).collect()
        };
        let (scale, shift) = normalization.moving(&wide(values(self.norm)));
        let mut weights = values(self.sums);
        let Kernel { weight, outputs } = self.kernel;
        let own = wide(weights.split_off(weight));
        let kernel = &own[0];
        let shape = kernel.shape();
        let beside = match outputs {
            Outputs::Last => scale.clone(),
            Outputs::LastTwo => scale.reshape(&shape[shape.rank() - 2..]),
            Outputs::BeforeLast => scale.reshape([scale.len(), 1]),
        };
        let bias = match own.get(1) {
            Some(bias) => bias * &scale + &shift,
            None => shift,
        };
        let kernel = kernel * &beside;
        weights.extend([kernel, bias].map(|it| it.cast::<T>().row_major()));
        (self.sums, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Dataset;
    use crate::kernels::Padding;
    use crate::model::plan::Plan;
    use crate::model::{Fit, Input, Model, Node, Sequential, Shared, Verbose};
    use crate::nn::Rectifier;
    use crate::tensor::Stream;
    use crate::train::Compile;
    use crate::train::losses::all::MeanSquaredError;
    use crate::train::optimizers::all::Sgd;

    /// A model whose moving averages and other weights are not those that layers begin with.
    fn drawn(mut model: Model<f32>) -> Model<f32> {
        let rng = &mut Stream::new(9);
        let weights: Vec<Tensor> = model
            .get_weights()
            .iter()
            .map(|it| Tensor::uniform(it.shape(), 0.1, 1.0, rng))
            .collect();
        model.set_weights(&weights).unwrap();
        model
    }

    fn folds(model: &Model<f32>) -> usize {
        model.plan.folds.len()
    }

    /// To the last digits what the layers give one by one, for each layer of sums, with a bias and without.
    #[test]
    fn it_agrees_with_the_plain_steps() {
        let norm = BatchNormalization::new;
        let dense = || Sequential::new([5]);
        let series = || Sequential::new([6, 3]);
        let image = || Sequential::new([6, 5, 3]);
        let volume = || Sequential::new([4, 4, 3, 2]);
        let relu = Activation::Relu;
        for chain in [
            dense().add(Dense::new(4)).add(norm().scale(false)),
            series().add(Dense::new(4).use_bias(false)).add(norm()).add(relu),
            series().add(Conv1d::new(4, 3)).add(norm().center(false)),
            series().add(Conv1dTranspose::new(4, 3)).add(norm()),
            series().add(SeparableConv1d::new(4, 3)).add(norm()),
            series().add(DepthwiseConv1d::new(3).depth_multiplier(2)).add(norm()).add(relu),
            image()
                .add(Conv2d::new(4, 3).padding(Padding::Same))
                .add(norm())
                .add(relu)
                .add(MaxPooling2d::new(2)),
            image()
                .add(Conv2d::new(40, 3))
                .add(norm().axis(3))
                .add(Flatten::new())
                .add(Dense::new(2))
                .add(norm()),
            image().add(Conv2dTranspose::new(4, 3).use_bias(false)).add(norm().epsilon(0.1)),
            image().add(DepthwiseConv2d::new(3).depth_multiplier(3)).add(norm()),
            image().add(SeparableConv2d::new(4, 3).use_bias(false)).add(norm()).add(relu),
            image()
                .add(Conv2d::new(4, 3).data_format(DataFormat::ChannelsFirst))
                .add(norm().axis(1))
                .add(relu),
            volume().add(Conv3d::new(3, 2)).add(norm()),
            volume().add(Conv3dTranspose::new(3, 2)).add(norm()).add(relu),
        ] {
            let model = drawn(chain.build(5).unwrap());
            assert!(folds(&model) > 0, "{model:?}");
            let x = Tensor::uniform(model.input_shape().batch(3), -1.0, 1.0, &mut Stream::new(7));
            let plain = Plan::plain(&model);
            let run = crate::model::forward::Run::infer(&model.graph, &model.layers, &plain, None);
            let expected = run.outputs(vec![x.clone()]).remove(0);
            assert!(model.predict(&x).unwrap().all_close(&expected, 1e-5, 1e-5), "{model:?}");
        }
    }

    /// The rectifier behind it joins the sums.
    #[test]
    fn one_step_is_left() {
        let chain =
            Sequential::new([6, 5, 3]).add(Conv2d::new(4, 3)).add(BatchNormalization::new());
        let model = chain.add(Activation::Relu).build(0).unwrap();
        let works: Vec<Work> = model.plan.steps.iter().map(|step| step.work).collect();
        assert_eq!(works, [Work::Rectified(Rectifier::default()), Work::Done, Work::Done]);
    }

    /// Weights that change are folded anew, and others are kept.
    #[test]
    fn training_goes_on() {
        let chain = Sequential::new([5]).add(Dense::new(4)).add(BatchNormalization::new());
        let mut model = drawn(chain.build(3).unwrap());
        model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        let x = Tensor::uniform([4, 5], -1.0, 1.0, &mut Stream::new(7));
        let data = Dataset::new(x.clone(), Tensor::ones([4, 4])).unwrap();
        let before = model.predict(&x).unwrap();
        for _ in 0..3 {
            let fit = Fit { verbose: Verbose::Silent, ..Fit::default() };
            model.fit(&data, fit).unwrap();
            let after = model.predict(&x).unwrap();
            assert!(!after.all_close(&before, 1e-3, 1e-3));
            // A copy has folded nothing yet.
            assert_eq!(model.clone().predict(&x).unwrap(), after);
            assert_eq!(model.predict(&x).unwrap(), after);
        }
        let folded = || {
            let values = |layer: usize| model.layers[layer].values();
            model.plan.folded(&model.layers, &values).unwrap()
        };
        assert!(std::sync::Arc::ptr_eq(&folded(), &folded()));
    }

    #[test]
    fn where_it_does_nothing() {
        let input = Input::new([6, 6, 2]);
        let norm = BatchNormalization::new;
        let conv = input.then(Conv2d::new(3, 3));
        let model = |outputs: Vec<Node>| Model::new(&input, &outputs[..]).build(0).unwrap();
        assert_eq!(folds(&model(vec![conv.then(norm())])), 1);
        // Somebody else sees the sums, or something stands between.
        assert_eq!(folds(&model(vec![conv.then(norm()), conv.clone()])), 0);
        assert_eq!(folds(&model(vec![conv.then(Activation::Relu).then(norm())])), 0);
        let rectified = input.then(Conv2d::new(3, 3).activation(Activation::Relu));
        assert_eq!(folds(&model(vec![rectified.then(norm())])), 0);
        // Another axis, and no sums at all.
        assert_eq!(folds(&model(vec![conv.then(norm().axis(1))])), 0);
        assert_eq!(folds(&model(vec![input.then(MaxPooling2d::new(2)).then(norm())])), 0);
        // One layer in two places.
        let shared = Shared::new(Conv2d::new(2, 3).padding(Padding::Same));
        let (a, b) = (shared.of(&input), shared.of(&input.then(norm())));
        assert_eq!(folds(&model(vec![a.then(norm()), b])), 0);
    }
}
