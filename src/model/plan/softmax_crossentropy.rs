//! A softmax or a sigmoid that a crossentropy comes behind: the loss takes what goes in, and computes both at once.
//!
//! `-ln(exp(z_i) / sum of exp(z_j))` is `ln(sum of exp(z_j)) - z_i`, which neither overflows nor loses digits.

use super::Drafted;
use crate::model::graph::Source;
use crate::nn::Activation;
use crate::scalar::Scalar;

/// Leaves the activation of an output to the caller, if it is one that a crossentropy can do without: this activation, or
/// `Linear`. An output that another node takes as well, that is an output twice, or that has a penalty, stays complete.
pub(super) fn open<T: Scalar>(plan: &mut Drafted<'_, T>, output: Source) -> Activation {
    match output {
        Source::Node { node, .. } if plan.is_private(node) => {
            let activation = &mut plan.steps[node].activation;
            match activation.takes_logits() {
                true => std::mem::take(activation),
                false => Activation::Linear,
            }
        }
        _ => Activation::Linear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Dataset;
    use crate::model::plan::Plan;
    use crate::model::plan::testing::train;
    use crate::model::{Input, Model, Node, Sequential};
    use crate::nn::Regularizer;
    use crate::nn::layers::*;
    use crate::tensor::{Stream, Tensor};
    use crate::train::losses::all::{BinaryCrossentropy, CategoricalCrossentropy};
    use crate::train::optimizers::all::Sgd;
    use crate::train::{Compile, Loss};

    /// What is open when all outputs may be.
    fn opened(model: &Model<f32>) -> Vec<Activation> {
        Plan::open(&model.graph, &model.layers, |_| true).open
    }

    fn nested() -> Model<f32> {
        let inner = Sequential::new([4]).add(Dense::new(3).activation(Activation::Softmax));
        let inner = inner.build(3).unwrap();
        Sequential::new([4]).add(Dense::new(4)).add(inner.as_layer()).build(4).unwrap()
    }

    /// Close to the loss of the probabilities, where those are not extreme; and the same predictions.
    #[test]
    fn it_agrees_with_the_plain_steps() {
        let chain = || Sequential::new([4]).add(Dense::new(6));
        let steps = || Sequential::new([4]).add(Reshape::new([2, 2]));
        let categorical = || CategoricalCrossentropy::new();
        fn check(mut model: Model<f32>, loss: impl Loss<f32> + 'static, expected: Activation) {
            model.compile(Compile::new(Sgd::new(0.1), loss));
            let rng = &mut Stream::new(7);
            let x = Tensor::uniform(model.input_shape().batch(3), -1.0, 1.0, rng);
            let shape = model.output_shape().batch(3);
            let last = shape.rank() - 1;
            let targets = Tensor::from_fn(shape, |at| f32::from(u8::from(at[last] == at[0] % 2)));
            let data = Dataset::new(x, targets).unwrap();
            let open = Plan::open(&model.graph, &model.layers, |_| true);
            assert_eq!(open.open, [expected]);
            let plain = train(&model, &Plan::plain(&model), &data);
            for (fused, plain) in train(&model, &open, &data).iter().zip(&plain) {
                assert!(fused.all_close(plain, 1e-5, 1e-5), "{model:?}");
            }
        }
        let softmax = Activation::Softmax;
        check(chain().add(softmax).build(1).unwrap(), categorical(), softmax);
        check(chain().add(Softmax::new()).build(1).unwrap(), categorical(), softmax);
        check(
            steps().add(Dense::new(3).activation(softmax)).build(1).unwrap(),
            categorical(),
            softmax,
        );
        let each = TimeDistributed::new(Dense::new(3).activation(softmax));
        check(steps().add(each).build(1).unwrap(), categorical(), softmax);
        check(nested(), categorical(), softmax);
        let sigmoid = Activation::Sigmoid;
        let model = chain().add(Dense::new(2).activation(sigmoid)).build(1).unwrap();
        check(model, BinaryCrossentropy::new(), sigmoid);
    }

    /// Probabilities of 0 and 1 would give a loss of 16: the largest that Keras's small constant allows.
    #[test]
    fn a_model_in_a_model_passes_its_logits_on() {
        let mut model = nested();
        let mut weights = model.get_weights();
        weights.iter_mut().for_each(|weight| *weight = weight.map(|_| 0.0));
        let bias = weights.len() - 1;
        weights[bias] = Tensor::from([1000.0, 0.0, 0.0]);
        model.set_weights(&weights).unwrap();
        model.compile(Compile::new(Sgd::new(0.1), CategoricalCrossentropy::new()));
        let data = Dataset::new(Tensor::zeros([1, 4]), Tensor::from([[0.0, 1.0, 0.0]])).unwrap();
        assert_eq!(model.evaluate(&data).unwrap()["loss"], 1000.0);
        assert_eq!(model.predict(data.inputs()).unwrap().to_vec(), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn an_output_that_others_see_is_complete() {
        let input = Input::new([4]);
        let scores = input.then(Dense::new(3).activation(Activation::Softmax));
        let model = |outputs: Vec<Node>| Model::new(&input, &outputs[..]).build(0).unwrap();
        let linear = Activation::Linear;
        assert_eq!(opened(&model(vec![scores.clone()])), [Activation::Softmax]);
        assert_eq!(opened(&model(vec![scores.clone(), scores.clone()])), [linear; 2]);
        assert_eq!(opened(&model(vec![scores.clone(), scores.then(Dense::new(2))])), [linear; 2]);
        let penalised = Dense::new(3)
            .activation(Activation::Softmax)
            .activity_regularizer(Regularizer::L2(0.1));
        assert_eq!(opened(&model(vec![input.then(penalised)])), [linear]);
        assert_eq!(opened(&model(vec![scores.then(Flatten::new())])), [linear]);
        let tanh = input.then(Dense::new(3).activation(Activation::Tanh));
        assert_eq!(opened(&model(vec![tanh])), [linear]);
    }
}
