//! A rectifier behind a layer, as its activation or as a layer of its own: the layer rectifies its sums while they are in
//! registers.

use super::{Drafted, Step, Work};
use crate::nn::layers::{LeakyRelu, Relu};
use crate::nn::{Activation, MultiLayer, NamedActivation, known};
use crate::scalar::Scalar;

pub(super) fn join<T: Scalar>(plan: &mut Drafted<'_, T>) {
    for at in 0..plan.steps.len() {
        let layer = &*plan.layers[plan.graph.nodes[at].layer].layer;
        let Some(rectifier) = plan.steps[at].activation.rectifier() else { continue };
        let rectified = Work::Rectified(rectifier);
        if passes_on(layer)
            && let Some(before) = plan.source(at)
            && plan.steps[before] == (Step { work: Work::Layer, activation: Activation::Linear })
        {
            plan.steps[before].work = rectified;
            plan.steps[at] = Step { work: Work::Done, activation: Activation::Linear };
        } else {
            plan.steps[at] = Step { work: rectified, activation: Activation::Linear };
        }
    }
}

/// Whether a layer is nothing but an activation.
fn passes_on<T: Scalar>(layer: &dyn MultiLayer<T>) -> bool {
    known::<T, Activation>(layer).is_some()
        || known::<T, NamedActivation>(layer).is_some()
        || known::<T, Relu>(layer).is_some()
        || known::<T, LeakyRelu>(layer).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Padding;
    use crate::model::plan::Plan;
    use crate::model::plan::testing::{train, with_data};
    use crate::model::{Input, Model, Of, Sequential};
    use crate::nn::layers::*;
    use crate::nn::{Layer, Rectifier, Regularizer};

    fn steps(model: &Model<f32>) -> Vec<(Work, Activation)> {
        model.plan.steps.iter().map(|step| (step.work, step.activation)).collect()
    }

    /// Bit for bit what the layer and then the rectifier give, with the gradients.
    #[test]
    fn it_agrees_with_the_plain_steps() {
        let dense = || Sequential::new([5]);
        let series = || Sequential::new([6, 3]);
        let image = || Sequential::new([6, 5, 3]);
        let volume = || Sequential::new([4, 4, 3, 2]);
        let relu = Activation::Relu;
        let same = Padding::Same;
        for chain in [
            dense().add(Dense::new(4).activation(relu)),
            dense().add(Dense::new(4)).add(relu),
            series().add(Dense::new(4).use_bias(false)).add(relu.name("after")),
            series().add(Conv1d::new(4, 3).activation(relu)),
            series().add(Conv1dTranspose::new(4, 3)).add(Relu::new()),
            series().add(SeparableConv1d::new(4, 3).activation(relu)),
            series().add(DepthwiseConv1d::new(3).activation(relu)),
            series().add(TimeDistributed::new(Dense::new(4).activation(relu))),
            image().add(Conv2d::new(4, 3).padding(same)).add(relu).add(MaxPooling2d::new(2)),
            image().add(Box::new(Conv2d::new(4, 3)) as Box<dyn Layer<f32>>).add(relu),
            image().add(Conv2dTranspose::new(4, 3).activation(relu)),
            image().add(DepthwiseConv2d::new(3).activation(relu)),
            image().add(SeparableConv2d::new(4, 3).activation(relu)).add(Flatten::new()),
            volume().add(Conv3d::new(3, 2).activation(relu)),
            volume().add(Conv3dTranspose::new(3, 2).activation(relu)),
            image().add(BatchNormalization::new()).add(relu),
            image().add(BatchNormalization::new().axis(1)).add(Activation::Relu6),
            image().add(BatchNormalization::new()).add(Relu::new().max_value(0.5).threshold(0.1)),
            image().add(BatchNormalization::new().scale(false)).add(LeakyRelu::new()),
            dense().add(Dense::new(4).activation(Activation::Relu6)),
            dense().add(Dense::new(4)).add(LeakyRelu::new().negative_slope(0.5)),
            series().add(Conv1d::new(4, 3).activation(Activation::LeakyRelu)),
            image().add(Conv2d::new(40, 3)).add(Relu::new().max_value(6.0)),
            image().add(DepthwiseConv2d::new(3)).add(Activation::Relu6.name("six")),
            image().add(Conv2dTranspose::new(4, 3)).add(Relu::new().max_value(6.0)),
            volume().add(Conv3d::new(3, 2).activation(Activation::Relu6)),
            volume().add(Conv3dTranspose::new(3, 2).activation(Activation::Relu6)),
        ] {
            let (model, data) = with_data(chain.build(5).unwrap());
            let joined = Plan::open(&model.graph, &model.layers, |_| false);
            let plain = Plan::plain(&model);
            assert_ne!(joined.steps, plain.steps);
            let plain = train(&model, &plain, &data);
            assert_eq!(train(&model, &joined, &data), plain, "{model:?}");
        }
    }

    /// The same for sums of branches.
    #[test]
    fn sums_of_branches_agree_with_the_plain_steps() {
        for (count, activation) in [
            (2, Activation::Relu),
            (3, Activation::Relu),
            (2, Activation::Relu6),
            (2, Activation::LeakyRelu),
        ] {
            let image = Input::new([6, 5, 3]);
            let branches: Vec<_> =
                (0..count).map(|_| image.then(Conv2d::new(4, 3).use_bias(false))).collect();
            let y = Of::of(Add::new(), &branches[..]).then(activation).then(Flatten::new());
            let (model, data) = with_data(Model::new(&image, &y).build(5).unwrap());
            let joined = Plan::open(&model.graph, &model.layers, |_| false);
            let plain = Plan::plain(&model);
            assert_ne!(joined.steps, plain.steps);
            assert_eq!(train(&model, &joined, &data), train(&model, &plain, &data));
        }
    }

    #[test]
    fn a_value_that_others_see_stays_as_it_is() {
        const PLAIN: (Work, Activation) = (Work::Layer, Activation::Linear);
        const RECTIFIED: (Work, Activation) = (
            Work::Rectified(Rectifier { negative_slope: 0.0, max_value: None, threshold: 0.0 }),
            Activation::Linear,
        );
        const DONE: (Work, Activation) = (Work::Done, Activation::Linear);
        let x = || Input::new([4]);
        // Joined: one use, no penalty.
        let input = x();
        let y = input.then(Dense::new(3)).then(Activation::Relu).then(Dense::new(2));
        let model = Model::new(&input, &y).build(0).unwrap();
        assert_eq!(steps(&model), [RECTIFIED, DONE, PLAIN]);
        // Another layer takes it as well.
        let input = x();
        let shared = input.then(Dense::new(3));
        let y = Of::of(Add::new(), [&shared, &shared.then(Activation::Relu)]);
        let model = Model::new(&input, &y).build(0).unwrap();
        assert_eq!(steps(&model), [PLAIN, RECTIFIED, PLAIN]);
        // It is an output.
        let input = x();
        let first = input.then(Dense::new(3));
        let model = Model::new(&input, [&first, &first.then(Relu::new())]).build(0).unwrap();
        assert_eq!(steps(&model), [PLAIN, RECTIFIED]);
        // It has a penalty.
        let penalised = Dense::new(3).activity_regularizer(Regularizer::L2(0.1));
        let model = Sequential::new([4]).add(penalised).add(Activation::Relu).build(0).unwrap();
        assert_eq!(steps(&model), [PLAIN, RECTIFIED]);
        // It has an activation of its own.
        let model = Sequential::new([4]).add(Dense::new(3).activation(Activation::Tanh));
        let model = model.add(Activation::Relu).build(0).unwrap();
        assert_eq!(steps(&model), [(Work::Layer, Activation::Tanh), RECTIFIED]);
        // Rectifiers with options are joined as well.
        for layer in [Relu::new().max_value(1.0), Relu::new().max_value(6.0)] {
            let model = Sequential::new([4]).add(Dense::new(3)).add(layer).build(0).unwrap();
            assert!(matches!(steps(&model)[..], [(Work::Rectified(_), Activation::Linear), DONE]));
        }
    }
}
