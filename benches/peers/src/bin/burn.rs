//! Burn with its CPU backend Flex and automatic differentiation. Tensors are NCHW.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Int, Tensor};
use peers::{Case, Convolution, LECTURE_SAMPLES, Pooling, median, serve, shuffled};
use std::hint::black_box;

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn padding(pad: usize) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(pad, pad, pad, pad)
}

fn convolution(case: &Convolution, device: &Device) -> (Conv2d, Tensor<4>) {
    let layer = Conv2dConfig::new([case.c_in, case.c_out], [case.k; 2])
        .with_stride([case.stride; 2])
        .with_padding(padding(case.pad))
        .with_groups(case.groups)
        .init(device);
    (layer, normal([case.n, case.c_in, case.side, case.side], device))
}

fn pooled(x: Tensor<4>) -> Tensor<4> {
    MaxPool2dConfig::new([2, 2]).init().forward(x)
}

fn pooling(case: &Pooling, device: &Device) -> Tensor<4> {
    normal([case.n, case.c, case.side, case.side], device)
}

/// All three networks: blocks of convolutions with a pooling at the end of each, then dense layers.
#[derive(Module, Debug)]
struct Network {
    blocks: Vec<Vec<Conv2d>>,
    block_dropout: Dropout,
    hidden: Option<Linear>,
    head_dropout: Dropout,
    head: Linear,
}

impl Network {
    fn forward(&self, mut x: Tensor<4>) -> Tensor<2> {
        for block in &self.blocks {
            x = block.iter().fold(x, |x, layer| relu(layer.forward(x)));
            x = self.block_dropout.forward(pooled(x));
        }
        let mut x = x.flatten::<2>(1, 3);
        if let Some(hidden) = &self.hidden {
            x = relu(hidden.forward(x));
        }
        self.head.forward(self.head_dropout.forward(x))
    }

    /// The sum of the squares of all kernels.
    fn squares(&self) -> Tensor<1> {
        let convolutions =
            self.blocks.iter().flatten().map(|layer| layer.weight.val().square().sum());
        let dense = self.hidden.iter().chain([&self.head]);
        let dense = dense.map(|layer| layer.weight.val().square().sum());
        convolutions.chain(dense).reduce(|sum, square| sum + square).expect("a layer")
    }
}

fn conv(channels: [usize; 2], k: usize, pad: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [k, k]).with_padding(padding(pad)).init(device)
}

fn dropout(rate: f64) -> Dropout {
    DropoutConfig::new(rate).init()
}

fn lecture(device: &Device) -> Network {
    Network {
        blocks: vec![vec![conv([1, 8], 5, 2, device)], vec![conv([8, 12], 3, 0, device)]],
        block_dropout: dropout(0.25),
        hidden: Some(LinearConfig::new(108, 50).init(device)),
        head_dropout: dropout(0.5),
        head: LinearConfig::new(50, 10).init(device),
    }
}

fn mnist(device: &Device) -> Network {
    Network {
        blocks: vec![vec![conv([1, 32], 3, 0, device)], vec![conv([32, 64], 3, 0, device)]],
        block_dropout: dropout(0.0),
        hidden: None,
        head_dropout: dropout(0.5),
        head: LinearConfig::new(1600, 10).init(device),
    }
}

fn vgg(device: &Device) -> Network {
    let block =
        |c_in, c_out| vec![conv([c_in, c_out], 3, 1, device), conv([c_out, c_out], 3, 1, device)];
    Network {
        blocks: vec![block(3, 64), block(64, 128), block(128, 256)],
        block_dropout: dropout(0.0),
        hidden: None,
        head_dropout: dropout(0.0),
        head: LinearConfig::new(4096, 10).init(device),
    }
}

struct Training {
    samples: usize,
    shape: [usize; 3],
    batch: usize,
    rate: f64,
    /// The factor of the squares of the kernels in the loss.
    l2: f64,
}

/// Seconds a sample of one epoch.
fn train(
    network: Network,
    mut optimizer: ModuleOptimizer,
    training: Training,
    device: &Device,
) -> Option<f64> {
    let Training { samples, shape: [c, h, w], batch, rate, l2 } = training;
    let inputs = Tensor::<4>::random([samples, c, h, w], Distribution::Default, device);
    let labels: Vec<i32> = (0..samples as i32).map(|i| i % 10).collect();
    let labels = Tensor::<1, Int>::from_ints(labels.as_slice(), device);
    let cross_entropy = CrossEntropyLossConfig::new().init(device);
    let mut network = Some(network);
    let mut state = 1;
    let epoch = median(|| {
        for indices in shuffled(samples, &mut state).chunks(batch) {
            let indices: Vec<i32> = indices.iter().map(|&i| i as i32).collect();
            let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), device);
            let x = inputs.clone().select(0, indices.clone());
            let targets = labels.clone().select(0, indices);
            let model = network.take().expect("a network");
            let mut loss = cross_entropy.forward(model.forward(x), targets);
            if l2 > 0.0 {
                loss = loss + model.squares() * l2;
            }
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            network = Some(optimizer.step(rate, model, gradients));
        }
    })?;
    Some(epoch / samples as f64)
}

fn measure(case: Case) -> Option<f64> {
    let plain = Device::flex();
    let taped = Device::flex().autodiff();
    match case {
        Case::Forward(case) => {
            let (layer, x) = convolution(&case, &plain);
            median(|| {
                black_box(layer.forward(x.clone()));
            })
        }
        Case::Backward(case) => {
            let (layer, x) = convolution(&case, &taped);
            let x = x.require_grad();
            let dy = normal(layer.forward(x.clone()).dims(), &taped);
            // Gradients start at a tensor of ones, so a product and a sum are measured as well.
            median(|| {
                let mut gradients = (layer.forward(x.clone()) * dy.clone()).sum().backward();
                black_box(x.grad_remove(&mut gradients));
                black_box(layer.weight.val().grad_remove(&mut gradients));
                black_box(layer.bias.as_ref().map(|bias| bias.val().grad_remove(&mut gradients)));
            })
        }
        Case::Pool(case) => {
            let x = pooling(&case, &plain);
            median(|| {
                black_box(pooled(x.clone()));
            })
        }
        Case::PoolBackward(case) => {
            let x = pooling(&case, &taped).require_grad();
            let dy = normal([case.n, case.c, case.side / 2, case.side / 2], &taped);
            median(|| {
                let mut gradients = (pooled(x.clone()) * dy.clone()).sum().backward();
                black_box(x.grad_remove(&mut gradients));
            })
        }
        Case::Other(name) => match name.as_str() {
            "train lecture" => {
                let momentum = MomentumConfig::new().with_momentum(0.5).with_dampening(0.0);
                let optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
                let training = Training {
                    samples: LECTURE_SAMPLES,
                    shape: [1, 16, 16],
                    batch: 256,
                    rate: 0.02,
                    l2: 0.01,
                };
                train(lecture(&taped), optimizer, training, &taped)
            }
            "train mnist" => {
                let training = Training {
                    samples: 1024,
                    shape: [1, 28, 28],
                    batch: 128,
                    rate: 0.001,
                    l2: 0.0,
                };
                train(mnist(&taped), AdamConfig::new().init(), training, &taped)
            }
            "train vgg" => {
                let training =
                    Training { samples: 64, shape: [3, 32, 32], batch: 64, rate: 0.001, l2: 0.0 };
                train(vgg(&taped), AdamConfig::new().init(), training, &taped)
            }
            "predict lecture" | "predict one" => {
                // Without a tape there is no dropout either.
                let network = lecture(&plain);
                let samples = if name == "predict one" { 1 } else { LECTURE_SAMPLES };
                let x = Tensor::<4>::random([samples, 1, 16, 16], Distribution::Default, &plain);
                median(|| {
                    black_box(network.forward(x.clone()));
                })
            }
            "gemm" => {
                let [a, b] = [(); 2].map(|()| normal([1024, 1024], &plain));
                median(|| {
                    black_box(a.clone().matmul(b.clone()));
                })
            }
            _ => None,
        },
    }
}

fn main() {
    serve(measure);
}
