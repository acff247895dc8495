//! Every layer with nothing: batches without samples, and samples without values.

use super::{Context, Mode, MultiLayer, Weight};
use crate::autograd::{Tape, Var};
use crate::tensor::{Shape, Tensor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const MODES: [Mode; 2] = [Mode::Infer, Mode::Train { seed: 1, step: 2, layer: 3, first_sample: 4 }];

/// What layers say where there is no answer, and where Keras has none either: a maximum of nothing, a softmax over it, or a window on it.
const REFUSALS: [&str; 6] = [
    "cannot become images of",
    "divide neither the 0 channels",
    "has no channels",
    "has no pixels",
    "has none with elements",
    "of no elements",
];

/// Runs a layer on `n` samples of zeros, for outputs of the shapes that it says, and gradients of the shapes of inputs and weights.
fn run(layer: &dyn MultiLayer<f32>, inputs: &[Shape], outputs: &[Shape], n: usize, mode: Mode) {
    let tape = Tape::new();
    let mut values = layer.values().into_iter();
    let mut leaf = |weight: Weight| {
        let value = values.next().unwrap_or_else(|| Tensor::full(weight.shape, 0.5));
        if weight.trainable { tape.leaf(value) } else { Var::constant(value) }
    };
    let weights: Vec<_> = layer.weights(inputs).into_iter().map(&mut leaf).collect();
    let zeros = |input: &Shape| tape.leaf(Tensor::zeros(input.batch(n)));
    let leaves: Vec<_> = inputs.iter().map(zeros).collect();
    let cx = &mut Context::new(mode).with_other_masks(vec![None; inputs.len() - 1]);
    let all = layer.forward_all(&weights, &leaves.iter().collect::<Vec<_>>(), cx);
    let shapes: Vec<Shape> = all.iter().map(Var::shape).collect();
    assert_eq!(shapes, outputs.iter().map(|output| output.batch(n)).collect::<Vec<_>>());
    let sum = all.iter().map(|y| y.sum(..)).reduce(|a, b| a + b).expect("an output");
    if !sum.is_tracked() {
        return;
    }
    let gradients = sum.backward();
    for leaf in leaves.iter().chain(&weights).filter(|leaf| leaf.is_tracked()) {
        let gradient = gradients.wrt(leaf);
        assert_eq!(gradient.shape(), leaf.shape());
        assert!(n > 0 || gradient.iter().all(|x| x == 0.0), "a gradient of no samples");
    }
}

/// The inputs as they are or with the channels first, whichever the layer takes, and what it gives for them.
fn taken(layer: &dyn MultiLayer<f32>, inputs: &[Vec<usize>]) -> Option<[Vec<Shape>; 2]> {
    [0, 1].into_iter().find_map(|turn| {
        let turned = |input: &Vec<usize>| {
            let mut input = input.clone();
            input.rotate_right(turn);
            Shape::new(&input)
        };
        let inputs: Vec<Shape> = inputs.iter().map(turned).collect();
        let outputs = layer.output_shapes(&inputs).ok()?;
        Some([inputs, outputs])
    })
}

pub(super) fn without_samples(layer: Arc<dyn MultiLayer<f32>>, inputs: Vec<Vec<usize>>) {
    let [inputs, outputs] = taken(&*layer, &inputs).expect("inputs of the example");
    MODES.into_iter().for_each(|mode| run(&*layer, &inputs, &outputs, 0, mode));
}

/// Without any set of the axes of a sample.
pub(super) fn without_values(layer: Arc<dyn MultiLayer<f32>>, inputs: Vec<Vec<usize>>) {
    for axes in 1..1usize << inputs[0].len() {
        let without = |input: &Vec<usize>| -> Vec<usize> {
            let of = |(axis, &len): (usize, &usize)| if axes >> axis & 1 == 1 { 0 } else { len };
            input.iter().enumerate().map(of).collect()
        };
        let inputs: Vec<Vec<usize>> = inputs.iter().map(without).collect();
        let Some([inputs, outputs]) = taken(&*layer, &inputs) else { continue };
        for (n, mode) in [0, 3].into_iter().flat_map(|n| MODES.map(|mode| (n, mode))) {
            let run = AssertUnwindSafe(|| run(&*layer, &inputs, &outputs, n, mode));
            let Err(panicked) = catch_unwind(run) else { continue };
            let message = panicked.downcast_ref::<String>().expect("a sentence");
            let refused = REFUSALS.iter().any(|words| message.contains(words));
            assert!(refused, "{} of {n} times {inputs:?}: {message}", layer.class_name());
        }
    }
}
