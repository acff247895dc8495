//! A random small model trained for one step, against a naive interpreter in `f64`: loops, one sample after the other.
//!
//! The model computes in `f64`, where it must agree closely, and in `f32`, where it must agree to 1e-4 unless a decision
//! (a rectifier, a maximum) hangs on less than `f32` can tell.
#![no_main]

use cinta::Scalar;
use cinta::prelude::*;
use cinta_fuzz::Choices;
use libfuzzer_sys::fuzz_target;

/// A layer as the interpreter sees it.
#[derive(Clone, Debug)]
enum Step {
    Conv {
        filters: usize,
        size: [usize; 2],
        strides: [usize; 2],
        same: bool,
        relu: bool,
        bias: bool,
    },
    MaxPool {
        size: [usize; 2],
        strides: [usize; 2],
        same: bool,
    },
    Flatten,
    Dense {
        units: usize,
        relu: bool,
        bias: bool,
    },
}

#[derive(Clone, Debug)]
struct Program {
    image: [usize; 3],
    samples: usize,
    steps: Vec<Step>,
    /// Softmax and crossentropy, or the mean squared error.
    classes: bool,
    learning_rate: f64,
    seed: u64,
}

/// The first cell of a window at an output, and the number of outputs, along one axis.
fn along(len: usize, size: usize, stride: usize, same: bool) -> (isize, usize) {
    if !same {
        return (0, (len - size) / stride + 1);
    }
    let outputs = len.div_ceil(stride);
    let padding = ((outputs - 1) * stride + size).saturating_sub(len);
    (-((padding / 2) as isize), outputs)
}

impl Program {
    fn new(choices: &mut Choices<'_>) -> Self {
        let image =
            [1 + choices.below(9), 1 + choices.below(9), choices.one_of(&[1, 2, 3, 8, 16, 17])];
        let samples = choices.one_of(&[1, 2, 3, 5, 16, 17, 33, 40]);
        let classes = choices.below(2) == 0;
        let (learning_rate, seed) = (choices.one_of(&[1.0, 0.1, 0.01]), choices.byte() as u64);
        let mut steps = Vec::new();
        let [mut h, mut w, _] = image;
        for _ in 0..choices.below(4) {
            let same = choices.below(2) == 0;
            let largest = |len: usize| if same { 5 } else { len.min(5) };
            let size = [1 + choices.below(largest(h)), 1 + choices.below(largest(w))];
            let strides = [1 + choices.below(3), 1 + choices.below(3)];
            if choices.below(3) == 0 {
                steps.push(Step::MaxPool { size, strides, same });
            } else {
                let size =
                    if choices.below(2) == 0 && (same || h.min(w) >= 3) { [3, 3] } else { size };
                let strides = if choices.below(2) == 0 { [1, 1] } else { strides };
                let filters = choices.one_of(&[1, 2, 3, 5, 8, 16, 17, 32]);
                let (relu, bias) = (choices.below(2) == 0, choices.below(4) != 0);
                steps.push(Step::Conv { filters, size, strides, same, relu, bias });
            }
            let (Step::Conv { size, strides, .. } | Step::MaxPool { size, strides, .. }) =
                steps[steps.len() - 1]
            else {
                unreachable!("just pushed")
            };
            (h, w) = (along(h, size[0], strides[0], same).1, along(w, size[1], strides[1], same).1);
        }
        steps.push(Step::Flatten);
        for _ in 0..choices.below(3) {
            let units = choices.one_of(&[1, 2, 3, 7, 16, 33]);
            steps.push(Step::Dense {
                units,
                relu: choices.below(2) == 0,
                bias: choices.below(4) != 0,
            });
        }
        let units = if classes { 2 + choices.below(9) } else { 1 + choices.below(4) };
        steps.push(Step::Dense { units, relu: false, bias: choices.below(4) != 0 });
        Program { image, samples, steps, classes, learning_rate, seed }
    }

    fn outputs(&self) -> usize {
        let Some(Step::Dense { units, .. }) = self.steps.last() else {
            unreachable!("the last layer")
        };
        *units
    }

    fn model<T: Scalar>(&self) -> Model<T> {
        let mut chain = Sequential::<T>::typed(self.image);
        for (i, step) in self.steps.iter().enumerate() {
            let activation = |relu| match relu {
                true => Relu,
                false if self.classes && i + 1 == self.steps.len() => Softmax,
                false => Linear,
            };
            let padding = |same| if same { Same } else { Valid };
            chain = match *step {
                Step::Conv { filters, size, strides, same, relu, bias } => chain.add(
                    Conv2d::new(filters, size)
                        .strides(strides)
                        .padding(padding(same))
                        .activation(activation(relu))
                        .use_bias(bias),
                ),
                Step::MaxPool { size, strides, same } => {
                    chain.add(MaxPooling2d::new(size).strides(strides).padding(padding(same)))
                }
                Step::Flatten => chain.add(Flatten::new()),
                Step::Dense { units, relu, bias } => {
                    chain.add(Dense::new(units).activation(activation(relu)).use_bias(bias))
                }
            };
        }
        let mut model = chain.build(self.seed).expect("a model");
        let sgd = Sgd::new(self.learning_rate);
        model.compile(match self.classes {
            true => Compile::new(sgd, CategoricalCrossentropy::new()),
            false => Compile::new(sgd, MeanSquaredError),
        });
        model
    }

    /// The loss, and the weights after one step on all samples.
    fn trained<T: Scalar>(
        &self,
        start: &[Tensor<f32>],
        x: &Tensor<f32>,
        y: &Tensor<f32>,
    ) -> (f64, Vec<Vec<f64>>) {
        let typed = |tensor: &Tensor<f32>| {
            let values: Vec<T> = tensor.iter().map(|value| T::lit(f64::from(value))).collect();
            Tensor::new(tensor.shape(), values)
        };
        let mut model = self.model::<T>();
        model.set_weights(&start.iter().map(typed).collect::<Vec<_>>()).expect("its own weights");
        let data = Dataset::new(typed(x), typed(y)).expect("samples");
        let fit = Fit {
            batch_size: self.samples,
            shuffle: false,
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let history = model.fit(&data, fit).expect("one step");
        let loss = history.get("loss").expect("a loss")[0];
        (
            loss,
            model
                .get_weights()
                .iter()
                .map(|weight| weight.iter().map(|x| x.widen()).collect())
                .collect(),
        )
    }
}

/// The interpreter's state: weights and their gradients in the order of the model, and how close a decision was.
struct Naive {
    weights: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
    closest: f64,
}

/// What a layer was given, for the way back.
struct Saved {
    input: Vec<f64>,
    shape: [usize; 3],
    output: Vec<f64>,
    out_shape: [usize; 3],
    /// The first of its weights.
    weight: usize,
    /// For each output of a max pooling, where its value came from.
    winners: Vec<usize>,
}

/// Calls `f` with each output's place and each cell of its window that lies in the image: `[oy, ox, ky, kx, y, x]`.
fn taps(
    shape: [usize; 3],
    size: [usize; 2],
    strides: [usize; 2],
    same: bool,
    mut f: impl FnMut([usize; 6]),
) -> [usize; 2] {
    let [h, w, _] = shape;
    let ((top, oh), (left, ow)) =
        (along(h, size[0], strides[0], same), along(w, size[1], strides[1], same));
    for oy in 0..oh {
        for ox in 0..ow {
            for ky in 0..size[0] {
                for kx in 0..size[1] {
                    let y = top + (oy * strides[0] + ky) as isize;
                    let x = left + (ox * strides[1] + kx) as isize;
                    if (0..h as isize).contains(&y) && (0..w as isize).contains(&x) {
                        f([oy, ox, ky, kx, y as usize, x as usize]);
                    }
                }
            }
        }
    }
    [oh, ow]
}

impl Naive {
    fn rectify(&mut self, values: &mut [f64]) {
        let scale = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        for x in values {
            if *x != 0.0 {
                self.closest = self.closest.min(x.abs() / scale);
            }
            *x = x.max(0.0);
        }
    }

    fn forward(&mut self, step: &Step, input: Vec<f64>, shape: [usize; 3], weight: usize) -> Saved {
        let c = shape[2];
        let (mut output, mut winners, out_shape);
        match *step {
            Step::Conv { filters, size, strides, same, relu, bias } => {
                let kernel = &self.weights[weight];
                let ow = along(shape[1], size[1], strides[1], same).1;
                output = vec![0.0; along(shape[0], size[0], strides[0], same).1 * ow * filters];
                for (i, y) in output.iter_mut().enumerate() {
                    *y = if bias { self.weights[weight + 1][i % filters] } else { 0.0 };
                }
                let [oh, ow] = taps(shape, size, strides, same, |[oy, ox, ky, kx, y, x]| {
                    for from in 0..c {
                        for to in 0..filters {
                            output[(oy * ow + ox) * filters + to] += input
                                [(y * shape[1] + x) * c + from]
                                * kernel[((ky * size[1] + kx) * c + from) * filters + to];
                        }
                    }
                });
                if relu {
                    self.rectify(&mut output);
                }
                (winners, out_shape) = (Vec::new(), [oh, ow, filters]);
            }
            Step::MaxPool { size, strides, same } => {
                let (oh, ow) = (
                    along(shape[0], size[0], strides[0], same).1,
                    along(shape[1], size[1], strides[1], same).1,
                );
                output = vec![f64::NEG_INFINITY; oh * ow * c];
                winners = vec![0; output.len()];
                let mut second = output.clone();
                taps(shape, size, strides, same, |[oy, ox, _, _, y, x]| {
                    for channel in 0..c {
                        let (to, from) =
                            ((oy * ow + ox) * c + channel, (y * shape[1] + x) * c + channel);
                        let value = input[from];
                        if value > output[to] {
                            (second[to], output[to], winners[to]) = (output[to], value, from);
                        } else if value > second[to] && value < output[to] {
                            second[to] = value;
                        }
                    }
                });
                let scale = input.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                for (first, second) in output.iter().zip(&second) {
                    if second.is_finite() {
                        self.closest = self.closest.min((first - second) / scale);
                    }
                }
                out_shape = [oh, ow, c];
            }
            Step::Flatten => {
                (output, winners, out_shape) = (input.clone(), Vec::new(), [1, 1, input.len()]);
            }
            Step::Dense { units, relu, bias } => {
                output = (0..units)
                    .map(|to| {
                        let start = if bias { self.weights[weight + 1][to] } else { 0.0 };
                        let kernel = &self.weights[weight];
                        input
                            .iter()
                            .enumerate()
                            .fold(start, |sum, (from, x)| sum + x * kernel[from * units + to])
                    })
                    .collect();
                if relu {
                    self.rectify(&mut output);
                }
                (winners, out_shape) = (Vec::new(), [1, 1, units]);
            }
        }
        Saved { input, shape, output, out_shape, weight, winners }
    }

    /// Adds to the gradients of the weights, and gives that of the input.
    fn backward(&mut self, step: &Step, saved: &Saved, mut dy: Vec<f64>) -> Vec<f64> {
        let Saved { input, shape, output, out_shape, weight, winners } = saved;
        let [weight, c] = [*weight, shape[2]];
        let mut dx = vec![0.0; input.len()];
        if let Step::Conv { relu: true, .. } | Step::Dense { relu: true, .. } = step {
            dy.iter_mut().zip(output).for_each(|(dy, y)| *dy = if *y > 0.0 { *dy } else { 0.0 });
        }
        if let Step::Conv { bias: true, filters: n, .. }
        | Step::Dense { bias: true, units: n, .. } = step
        {
            dy.iter().enumerate().for_each(|(i, dy)| self.gradients[weight + 1][i % n] += dy);
        }
        match *step {
            Step::Conv { filters, size, strides, same, .. } => {
                let ow = out_shape[1];
                taps(*shape, size, strides, same, |[oy, ox, ky, kx, y, x]| {
                    for from in 0..c {
                        for to in 0..filters {
                            let dy = dy[(oy * ow + ox) * filters + to];
                            let (pixel, tap) = (
                                (y * shape[1] + x) * c + from,
                                ((ky * size[1] + kx) * c + from) * filters + to,
                            );
                            self.gradients[weight][tap] += dy * input[pixel];
                            dx[pixel] += dy * self.weights[weight][tap];
                        }
                    }
                });
            }
            Step::MaxPool { .. } => winners.iter().zip(&dy).for_each(|(&from, dy)| dx[from] += dy),
            Step::Flatten => dx = dy,
            Step::Dense { units, .. } => {
                for from in 0..input.len() {
                    for to in 0..units {
                        self.gradients[weight][from * units + to] += dy[to] * input[from];
                        dx[from] += dy[to] * self.weights[weight][from * units + to];
                    }
                }
            }
        }
        dx
    }

    /// The loss of one sample, and its gradient.
    fn loss(classes: bool, z: &[f64], target: &[f64], samples: f64) -> (f64, Vec<f64>) {
        if !classes {
            let n = z.len() as f64;
            let loss =
                z.iter().zip(target).map(|(z, t)| (z - t) * (z - t)).sum::<f64>() / n / samples;
            return (
                loss,
                z.iter().zip(target).map(|(z, t)| 2.0 * (z - t) / n / samples).collect(),
            );
        }
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = z.iter().map(|z| (z - most).exp()).sum();
        let log = |z: f64| z - most - sum.ln();
        let loss = -z.iter().zip(target).map(|(&z, t)| t * log(z)).sum::<f64>() / samples;
        (loss, z.iter().zip(target).map(|(&z, t)| (log(z).exp() - t) / samples).collect())
    }
}

/// The loss, the weights after one step, and how close the closest decision was.
fn interpreted(
    program: &Program,
    start: &[Tensor<f32>],
    x: &Tensor<f32>,
    y: &Tensor<f32>,
) -> (f64, Vec<Vec<f64>>, f64) {
    let weights: Vec<Vec<f64>> =
        start.iter().map(|weight| weight.iter().map(f64::from).collect()).collect();
    let gradients = weights.iter().map(|weight| vec![0.0; weight.len()]).collect();
    let mut naive = Naive { weights, gradients, closest: f64::INFINITY };
    let (inputs, targets) = (x.to_vec(), y.to_vec());
    let mut total = 0.0;
    for sample in 0..program.samples {
        let of = |values: &[f32]| -> Vec<f64> {
            let len = values.len() / program.samples;
            values[sample * len..][..len].iter().map(|&x| f64::from(x)).collect()
        };
        let (mut values, mut shape, mut weight) = (of(&inputs), program.image, 0);
        let mut saved = Vec::new();
        for step in &program.steps {
            let ran = naive.forward(step, values, shape, weight);
            if let Step::Conv { bias, .. } | Step::Dense { bias, .. } = step {
                weight += 1 + usize::from(*bias);
            }
            (values, shape) = (ran.output.clone(), ran.out_shape);
            saved.push(ran);
        }
        let (loss, mut dy) =
            Naive::loss(program.classes, &values, &of(&targets), program.samples as f64);
        total += loss;
        for (step, saved) in program.steps.iter().zip(&saved).rev() {
            dy = naive.backward(step, saved, dy);
        }
    }
    for (weight, gradient) in naive.weights.iter_mut().zip(&naive.gradients) {
        weight.iter_mut().zip(gradient).for_each(|(w, g)| *w -= program.learning_rate * g);
    }
    (total, naive.weights, naive.closest)
}

fn close(program: &Program, what: &str, found: &[f64], right: &[f64], tolerance: f64) {
    assert_eq!(found.len(), right.len(), "{what}: {program:?}");
    // Residuals near 1 may cancel in the gradient of a bias, and leave their rounding errors.
    let least = if tolerance > 1e-6 { 1e-2 } else { 1e-3 };
    let scale = right.iter().fold(least, |most: f64, x| most.max(x.abs()));
    for (i, (found, right)) in found.iter().zip(right).enumerate() {
        assert!(
            (found - right).abs() <= tolerance * scale,
            "{what}[{i}]: {found} and {right}: {program:?}"
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    let choices = &mut Choices(bytes);
    let program = Program::new(choices);
    let model = program.model::<f32>();
    if model.count_params() > 20_000 {
        return;
    }
    let mut random = Stream::new(program.seed);
    // Biases of zero would hide a bias that is forgotten.
    let start: Vec<Tensor> = model
        .get_weights()
        .iter()
        .map(|weight| weight + &Tensor::uniform(weight.shape(), -0.1, 0.1, &mut random))
        .collect();
    let [h, w, c] = program.image;
    let x = Tensor::uniform([program.samples, h, w, c], -1.0, 1.0, &mut random);
    let n = program.outputs();
    let y = match program.classes {
        true => Tensor::from_fn([program.samples, n], |at| {
            f32::from(u8::from(at[1] == (at[0] * 7 + 3) % n))
        }),
        false => Tensor::uniform([program.samples, n], -1.0, 1.0, &mut random),
    };
    let (loss, weights, closest) = interpreted(&program, &start, &x, &y);
    let compare = |name: &str, (found_loss, found): (f64, Vec<Vec<f64>>), tolerance: f64| {
        close(&program, &format!("the loss in {name}"), &[found_loss], &[loss], tolerance);
        assert_eq!(found.len(), weights.len());
        for (i, (found, right)) in found.iter().zip(&weights).enumerate() {
            close(&program, &format!("weight {i} in {name}"), found, right, tolerance);
        }
    };
    compare("f64", program.trained::<f64>(&start, &x, &y), 1e-9);
    if closest > 1e-5 {
        compare("f32", program.trained::<f32>(&start, &x, &y), 1e-4);
    }
});
