//! What a model gives in a step of training, by one plan and by another.

use super::{Drafted, Plan};
use crate::autograd::{Tape, Var};
use crate::datasets::Dataset;
use crate::model::Model;
use crate::model::forward::Run;
use crate::nn::{Activation, Mode};
use crate::tensor::{Stream, Tensor};
use crate::train::Compile;
use crate::train::losses::all::MeanSquaredError;
use crate::train::optimizers::all::Sgd;

impl Plan<f32> {
    /// The steps without rules.
    pub fn plain(model: &Model<f32>) -> Plan<f32> {
        let Drafted { steps, uses, graph, .. } = Drafted::new(&model.graph, &model.layers);
        let open = vec![Activation::Linear; graph.outputs.len()];
        Plan { steps, uses, open, folds: vec![], others: vec![], folded: Default::default() }
    }
}

/// The losses of all samples, the predictions, and the gradients of the sum of all losses by all weights.
pub fn train(model: &Model<f32>, plan: &Plan<f32>, data: &Dataset<f32>) -> Vec<Tensor<f32>> {
    let compiled = model.compiled().expect("compiled");
    let goals = model.goals(compiled).expect("goals that fit");
    let tape = Tape::new();
    let leaves = |layer: &crate::model::Built<f32>| {
        layer.params.iter().map(|param| tape.leaf(param.value.clone())).collect()
    };
    let weights: Vec<Vec<Var<'_, f32>>> = model.layers.iter().map(leaves).collect();
    let mode = Mode::Train { seed: 1, step: 2, layer: 0, first_sample: 0 };
    let mut run = Run::new(&model.graph, &model.layers, plan, weights.clone(), mode, true);
    let (losses, mut all) = run.losses(data, &goals);
    let losses: Vec<Var<'_, f32>> = losses.into_iter().flatten().collect();
    let total = losses.iter().map(|loss| loss.sum(..)).reduce(|a, b| a + b).expect("a loss");
    let gradients = total.backward();
    all.extend(losses.into_iter().map(Var::into_value));
    all.extend(weights.iter().flatten().map(|leaf| gradients.wrt(leaf)));
    all
}

/// The model, compiled with the mean squared error, and three samples for it.
pub fn with_data(mut model: Model<f32>) -> (Model<f32>, Dataset<f32>) {
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let rng = &mut Stream::new(7);
    let inputs = Tensor::uniform(model.input_shape().batch(3), -1.0, 1.0, rng);
    let targets = Tensor::uniform(model.output_shape().batch(3), -1.0, 1.0, rng);
    let data = Dataset::new(inputs, targets).expect("as many samples");
    (model, data)
}
