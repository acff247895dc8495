//! Candle on the CPU, without system libraries. Tensors are NCHW. Its SGD has no momentum.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::ops::dropout;
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Linear, Module, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap,
};
use peers::{Case, Convolution, LECTURE_SAMPLES, median, serve, shuffled};
use std::hint::black_box;

const CPU: Device = Device::Cpu;

fn normal(shape: &[usize]) -> Result<Tensor> {
    Tensor::randn(0f32, 1.0, shape, &CPU)
}

/// A layer and its input, all of them variables.
fn convolution(case: &Convolution) -> Result<(Conv2d, [Var; 3])> {
    let variables = [
        Var::from_tensor(&normal(&[case.n, case.c_in, case.side, case.side])?)?,
        Var::from_tensor(&normal(&[case.c_out, case.c_in / case.groups, case.k, case.k])?)?,
        Var::from_tensor(&normal(&[case.c_out])?)?,
    ];
    let config = Conv2dConfig {
        padding: case.pad,
        stride: case.stride,
        groups: case.groups,
        ..Conv2dConfig::default()
    };
    let [_, weight, bias] = variables.each_ref().map(|variable| variable.as_tensor().clone());
    Ok((Conv2d::new(weight, Some(bias), config), variables))
}

/// All three networks: blocks of convolutions with a pooling at the end of each, then dense layers.
struct Network {
    blocks: Vec<Vec<Conv2d>>,
    block_dropout: f32,
    hidden: Option<Linear>,
    head_dropout: f32,
    head: Linear,
}

fn drop_some(x: Tensor, rate: f32, training: bool) -> Result<Tensor> {
    if training && rate > 0.0 { dropout(&x, rate) } else { Ok(x) }
}

impl Network {
    fn forward(&self, x: &Tensor, training: bool) -> Result<Tensor> {
        let mut x = x.clone();
        for block in &self.blocks {
            for layer in block {
                x = layer.forward(&x)?.relu()?;
            }
            x = drop_some(x.max_pool2d(2)?, self.block_dropout, training)?;
        }
        x = x.flatten_from(1)?;
        if let Some(hidden) = &self.hidden {
            x = hidden.forward(&x)?.relu()?;
        }
        self.head.forward(&drop_some(x, self.head_dropout, training)?)
    }

    /// The sum of the squares of all kernels.
    fn squares(&self) -> Result<Tensor> {
        let convolutions = self.blocks.iter().flatten().map(Conv2d::weight);
        let dense = self.hidden.iter().chain([&self.head]).map(Linear::weight);
        let mut sum = Tensor::zeros((), DType::F32, &CPU)?;
        for weight in convolutions.chain(dense) {
            sum = (sum + weight.sqr()?.sum_all()?)?;
        }
        Ok(sum)
    }
}

/// Makes layers under names of their own, as `VarBuilder` wants it.
struct Layers<'a> {
    variables: VarBuilder<'a>,
    count: usize,
}

impl Layers<'_> {
    fn next(&mut self) -> VarBuilder<'_> {
        self.count += 1;
        self.variables.pp(self.count.to_string())
    }

    fn conv(&mut self, c_in: usize, c_out: usize, k: usize, padding: usize) -> Result<Conv2d> {
        let config = Conv2dConfig { padding, ..Conv2dConfig::default() };
        candle_nn::conv2d(c_in, c_out, k, config, self.next())
    }

    fn dense(&mut self, inputs: usize, outputs: usize) -> Result<Linear> {
        candle_nn::linear(inputs, outputs, self.next())
    }
}

fn network(name: &str, variables: VarBuilder) -> Result<Network> {
    let mut layers = Layers { variables, count: 0 };
    Ok(match name {
        "lecture" => Network {
            blocks: vec![vec![layers.conv(1, 8, 5, 2)?], vec![layers.conv(8, 12, 3, 0)?]],
            block_dropout: 0.25,
            hidden: Some(layers.dense(108, 50)?),
            head_dropout: 0.5,
            head: layers.dense(50, 10)?,
        },
        "mnist" => Network {
            blocks: vec![vec![layers.conv(1, 32, 3, 0)?], vec![layers.conv(32, 64, 3, 0)?]],
            block_dropout: 0.0,
            hidden: None,
            head_dropout: 0.5,
            head: layers.dense(1600, 10)?,
        },
        _ => {
            let mut block = |c_in, c_out| {
                Result::Ok(vec![layers.conv(c_in, c_out, 3, 1)?, layers.conv(c_out, c_out, 3, 1)?])
            };
            Network {
                blocks: vec![block(3, 64)?, block(64, 128)?, block(128, 256)?],
                block_dropout: 0.0,
                hidden: None,
                head_dropout: 0.0,
                head: layers.dense(4096, 10)?,
            }
        }
    })
}

struct Training {
    samples: usize,
    shape: [usize; 3],
    batch: usize,
    /// The factor of the squares of the kernels in the loss.
    l2: f64,
}

/// Seconds a sample of one epoch.
fn train(
    network: Network,
    mut optimizer: impl Optimizer,
    training: Training,
) -> Result<Option<f64>> {
    let Training { samples, shape: [c, h, w], batch, l2 } = training;
    let inputs = Tensor::rand(0f32, 1.0, (samples, c, h, w), &CPU)?;
    let labels: Vec<u32> = (0..samples as u32).map(|i| i % 10).collect();
    let labels = Tensor::from_vec(labels, samples, &CPU)?;
    let mut state = 1;
    let mut epoch = || -> Result<()> {
        for indices in shuffled(samples, &mut state).chunks(batch) {
            let indices = Tensor::new(indices, &CPU)?;
            let (x, targets) =
                (inputs.index_select(&indices, 0)?, labels.index_select(&indices, 0)?);
            let mut loss = candle_nn::loss::cross_entropy(&network.forward(&x, true)?, &targets)?;
            if l2 > 0.0 {
                loss = (loss + (network.squares()? * l2)?)?;
            }
            optimizer.backward_step(&loss)?;
        }
        Ok(())
    };
    Ok(median(|| epoch().expect("an epoch")).map(|epoch| epoch / samples as f64))
}

fn answer(case: Case) -> Result<Option<f64>> {
    Ok(match case {
        Case::Forward(case) => {
            let (layer, [x, ..]) = convolution(&case)?;
            // Detached, so that nothing is recorded for gradients.
            let layer = Conv2d::new(
                layer.weight().detach(),
                layer.bias().map(Tensor::detach),
                *layer.config(),
            );
            let x = x.as_detached_tensor();
            median(|| {
                black_box(layer.forward(&x).expect("a convolution"));
            })
        }
        Case::Backward(case) => {
            let (layer, variables) = convolution(&case)?;
            let dy = normal(layer.forward(&variables[0])?.dims())?;
            // Gradients start at a scalar, so a product and a sum are measured as well.
            let run = || -> Result<()> {
                let gradients = (layer.forward(&variables[0])? * &dy)?.sum_all()?.backward()?;
                black_box(variables.each_ref().map(|variable| gradients.get(variable).is_some()));
                Ok(())
            };
            median(|| run().expect("gradients"))
        }
        Case::Pool(case) => {
            let x = normal(&[case.n, case.c, case.side, case.side])?;
            median(|| {
                black_box(x.max_pool2d(2).expect("a pooling"));
            })
        }
        Case::PoolBackward(case) => {
            let x = Var::from_tensor(&normal(&[case.n, case.c, case.side, case.side])?)?;
            let dy = normal(&[case.n, case.c, case.side / 2, case.side / 2])?;
            let run = || -> Result<()> {
                black_box((x.max_pool2d(2)? * &dy)?.sum_all()?.backward()?);
                Ok(())
            };
            median(|| run().expect("gradients"))
        }
        Case::Other(name) => {
            let map = VarMap::new();
            let variables = || VarBuilder::from_varmap(&map, DType::F32, &CPU);
            let adam = || {
                AdamW::new(
                    map.all_vars(),
                    ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() },
                )
            };
            match name.as_str() {
                "train lecture" => {
                    let network = network("lecture", variables())?;
                    let training = Training {
                        samples: LECTURE_SAMPLES,
                        shape: [1, 16, 16],
                        batch: 256,
                        l2: 0.01,
                    };
                    train(network, SGD::new(map.all_vars(), 0.02)?, training)?
                }
                "train mnist" => {
                    let network = network("mnist", variables())?;
                    train(
                        network,
                        adam()?,
                        Training { samples: 1024, shape: [1, 28, 28], batch: 128, l2: 0.0 },
                    )?
                }
                "train vgg" => {
                    let network = network("vgg", variables())?;
                    train(
                        network,
                        adam()?,
                        Training { samples: 64, shape: [3, 32, 32], batch: 64, l2: 0.0 },
                    )?
                }
                "predict lecture" | "predict one" => {
                    network("lecture", variables())?;
                    // As if read from a file: constants, so that nothing is recorded for gradients.
                    let weights = map.data().lock().expect("variables");
                    let weights = weights
                        .iter()
                        .map(|(name, weight)| (name.clone(), weight.as_detached_tensor()));
                    let constants = VarBuilder::from_tensors(weights.collect(), DType::F32, &CPU);
                    let network = network("lecture", constants)?;
                    let samples = if name == "predict one" { 1 } else { LECTURE_SAMPLES };
                    let x = Tensor::rand(0f32, 1.0, (samples, 1, 16, 16), &CPU)?;
                    median(|| {
                        black_box(network.forward(&x, false).expect("a prediction"));
                    })
                }
                "gemm" => {
                    let (a, b) = (normal(&[1024, 1024])?, normal(&[1024, 1024])?);
                    median(|| {
                        black_box(a.matmul(&b).expect("a product"));
                    })
                }
                _ => None,
            }
        }
    })
}

fn main() {
    serve(|case| answer(case).expect("a measurement"));
}
