//! The steps of random programs: one for each operation, from a batch of images `[2, h, w, c]` to another, with up to three channels.
//!
//! Values stay small. Where an operation has a kink, the step keeps away from it: it gets numbers that lie [`apart`].

use cinta::Nonlinearity::{Sigmoid, Tanh};
use cinta::{
    FillMode, Indices, Interpolation, Mask, PadMode, Padding, Rectifier, Scalar, Stream, Tensor,
    TransposedConvolution, Var, checkpoint, on_tape,
};

/// As many as the largest kernel below has, and some more.
pub const WEIGHTS: usize = 26;

/// All operations, and what goes over several of them.
#[rustfmt::skip]
pub const STEPS: [&str; 112] = [
    "abs", "add", "affine", "affine_transform", "atan2", "avg_pool2d", "batch_matmul", "batch_norm", "binary_crossentropy",
    "categorical_crossentropy", "ceil", "checkpoint", "clamp", "concat", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "cos", "cumprod",
    "cumsum", "dense", "diag", "div", "dropout", "einsum", "elu", "embedding", "erf", "exp", "expand_dims", "expm1", "flip", "floor",
    "gather", "gelu", "gru", "huber", "index_select", "jvp", "kl_divergence", "layer_norm", "ln", "log1p", "log_softmax", "logsumexp",
    "lstm", "masked_fill", "masked_select", "matmul", "max", "max_pool2d", "max_pool2d_relu", "maximum", "mean", "mean_squared_error",
    "min", "minimum", "move_axis", "mul", "neg", "norm", "outer", "pad", "pad_with", "permute", "pow", "powf", "powi", "prod",
    "reciprocal", "rectifier", "relu", "repeat", "resample", "reshape", "resize", "roll", "round", "rsqrt", "scatter_add", "select",
    "sigmoid", "sign", "silu", "simple_rnn", "sin", "slice", "softmax", "softplus", "softsign", "sort",
    "sparse_categorical_crossentropy", "sparse_plus", "sparsemax", "split", "sqrt", "square", "squareplus", "stack",
    "standard_deviation", "sub", "sum", "tan", "tanh", "tensordot", "threshold", "tile", "trace", "triangle", "unfold", "variance",
];

/// Distance of the places that [`apart`] puts numbers around.
const GAP: f64 = 0.7;

/// What the steps need to know of a batch of images.
struct Step<'a, 't, T: Scalar> {
    name: &'a str,
    x: &'a Var<'t, T>,
    w: &'a Var<'t, T>,
}

/// The step of this name. `w` are the weights of all steps that have some.
pub fn step<'t, T: Scalar>(name: &str, x: &Var<'t, T>, w: &Var<'t, T>) -> Var<'t, T> {
    let step = Step { name, x, w };
    let kinds = [Step::smooth, Step::kinked, Step::along_axes, Step::moved, Step::chosen];
    let more = [Step::products, Step::normalised, Step::losses, Step::sequences, Step::of_several];
    let found = kinds.iter().chain(&more).find_map(|kind| kind(&step));
    found.unwrap_or_else(|| panic!("no step {name}"))
}

fn lit<T: Scalar>(value: f64) -> T {
    T::lit(value)
}

impl<'t, T: Scalar> Step<'_, 't, T> {
    fn dims(&self) -> [usize; 4] {
        self.x.value().dims()
    }

    /// Numbers no two of which come nearer than 0.1 to each other, nor one of them nearer than 0.05 to a multiple of [`GAP`].
    fn apart(&self) -> Var<'t, T> {
        let count = self.x.value().len();
        let order = Stream::new(count as u64).permutation(count);
        let middle = (count / 2) as f64 - 0.5;
        let places = order.iter().map(|&place| lit((place as f64 - middle) * GAP));
        let places = Tensor::new(self.x.shape(), places.collect::<Vec<T>>());
        self.x.tanh() * lit::<T>(0.3) + Var::constant(places)
    }

    /// True and false in turns of 2 and 1.
    fn pattern(&self, shape: &[usize]) -> Mask {
        let count: usize = shape.iter().product();
        Mask::new(shape, (0..count).map(|i| i % 3 < 2).collect::<Vec<bool>>())
    }

    /// Some of the weights, in a shape.
    fn weights(&self, first: usize, shape: &[usize]) -> Var<'t, T> {
        let count: usize = shape.iter().product();
        self.w.slice(0, first..first + count).reshape(shape)
    }

    fn smooth(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let bounded = || x.tanh();
        Some(match self.name {
            "affine" => x * lit::<T>(0.8) - lit::<T>(0.1),
            "atan2" => x.atan2(&(x.square() + lit::<T>(1.0))),
            "cos" => (bounded() * lit::<T>(0.5)).expm1().cos(),
            "div" => x / (x.square() + lit::<T>(1.0)),
            "erf" => x.erf() + x * lit::<T>(0.3),
            "exp" => (x * lit::<T>(0.3)).tanh().exp() - lit::<T>(1.0),
            "expm1" => bounded().expm1() * lit::<T>(0.5),
            "gelu" => x.gelu(false),
            "ln" => (x.square() + lit::<T>(0.5)).ln(),
            "log1p" => x.square().log1p() - x,
            "neg" => -x,
            "pow" => (x.square() + lit::<T>(1.0)).pow(&bounded()) - lit::<T>(1.0),
            "powf" => (bounded().square() + lit::<T>(0.5)).powf(lit(1.3)),
            "powi" => bounded().powi(3) + (bounded() + lit::<T>(2.0)).powi(-2),
            "reciprocal" => (x.square() + lit::<T>(0.7)).reciprocal(),
            "rsqrt" => (x.square() + lit::<T>(0.5)).rsqrt(),
            "sigmoid" => x.sigmoid() * x,
            "silu" => x.silu(),
            "sin" => (x * lit::<T>(2.0)).sin(),
            "softplus" => x.softplus() - lit::<T>(0.7),
            "sqrt" => (x.square() + lit::<T>(1.0)).sqrt() - lit::<T>(0.8),
            "square" => bounded().square() - lit::<T>(0.3),
            "squareplus" => x.squareplus() - lit::<T>(0.9),
            "tan" => (bounded() * lit::<T>(0.5)).tan(),
            "tanh" => bounded(),
            _ => return None,
        })
    }

    /// Kinks lie at multiples of [`GAP`], or where two numbers are the same.
    fn kinked(&self) -> Option<Var<'t, T>> {
        let (x, apart) = (self.x, self.apart());
        // Kinks at whole numbers.
        let scaled = || &apart * lit::<T>(1.0 / GAP);
        let [n, _, _, c] = self.dims();
        let found = match self.name {
            "abs" => apart.abs(),
            "ceil" => scaled().ceil() * x,
            "clamp" => apart.clamp(lit(-2.0 * GAP), lit(GAP)),
            "elu" => apart.elu() + apart.selu(),
            "floor" => scaled().floor() * x,
            "huber" => apart.huber(GAP),
            "max" => apart.max([1, 2]).reshape([n, 1, 1, c]) + x,
            "max_pool2d" => apart.max_pool2d([2, 2], [1, 2], Padding::Same),
            "max_pool2d_relu" => apart.max_pool2d_relu([2, 2], [1, 1], Padding::Same, None),
            "maximum" => apart.maximum(&-&apart),
            "min" => apart.min([1, 3]).reshape([n, 1, self.dims()[2], 1]) + x,
            "minimum" => apart.minimum(&(&apart * lit::<T>(-0.5))),
            "rectifier" => {
                let (max_value, threshold) = (Some(3.0 * GAP), GAP);
                apart.rectifier(Rectifier { negative_slope: 0.2, max_value, threshold })
            }
            "relu" => apart.relu(),
            "round" => (scaled() + lit::<T>(0.5)).round() * x,
            "sign" => apart.sign() * x,
            "softsign" => apart.softsign(),
            "sort" => apart.sort(3) + apart.top_k(2, 1).0,
            "sparse_plus" => scaled().sparse_plus(),
            // The second channel is never among the largest.
            "sparsemax" => {
                let low = Tensor::from_fn([c], |at| if at[0] == 1 { lit(-5.0) } else { lit(0.0) });
                (x.tanh() * lit::<T>(0.2) + Var::constant(low)).sparsemax()
            }
            "threshold" => apart.threshold(lit(GAP), lit(-1.0)),
            _ => return None,
        };
        Some((found * lit::<T>(0.3)).tanh())
    }

    fn along_axes(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let [n, h, w, c] = self.dims();
        let channels = |y: Var<'t, T>| y.reshape([n, 1, 1, c]);
        Some(match self.name {
            "cumprod" => x.tanh().cumprod(2) + x * lit::<T>(0.5),
            "cumsum" => x.cumsum(1).tanh(),
            "logsumexp" => x - channels(x.logsumexp([1, 2])) * lit::<T>(0.3),
            "mean" => x - channels(x.mean([1, 2])),
            "norm" => {
                x * (x.square() + lit::<T>(0.1)).norm(3.0, 2).reshape([n, h, 1, c]).reciprocal()
            }
            "prod" => x + x.tanh().prod([1, 3]).reshape([n, 1, w, 1]),
            "softmax" => x.softmax() - lit::<T>(0.3),
            "log_softmax" => x.log_softmax() * lit::<T>(0.2),
            "standard_deviation" => self.apart().std(.., 0) * lit::<T>(0.3) * x.tanh(),
            "sum" => (x * x.sum(3).reshape([n, h, w, 1])).tanh(),
            "variance" => x / (channels(x.var([1, 2], 0)) + lit::<T>(1.0)),
            _ => return None,
        })
    }

    /// What only moves values.
    fn moved(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let [n, h, w, c] = self.dims();
        let flat = || x.reshape([n * h, w * c]);
        let border = [[0, 0], [1, 1], [0, 0], [0, 0]];
        Some(match self.name {
            "concat" => Var::concat(&[x, &-x], 1).slice(1, 1..h + 1),
            "diag" => {
                let diagonal = x.diagonal(0, [1, 2]).sum(2).reshape([n, 1, 1, c]);
                let next = x.reshape([n * h * w * c]).diag(1).sum(1).slice(0, 0..n * h * w * c);
                (diagonal + next.reshape([n, h, w, c])).tanh()
            }
            "expand_dims" => (x.expand_dims(2) * x.expand_dims(1)).tanh().mean(2),
            "flip" => x.flip(1) * lit::<T>(0.5) + x,
            "move_axis" => x.move_axis(1, 2) * x.swap_axes(1, 2).tanh(),
            "pad" => {
                let zeros = x.pad(&border).slice(1, 0..h);
                zeros * x + x.pad_constant(&border, lit(0.4)).slice(1, 2..h + 2) * lit::<T>(0.5)
            }
            "pad_with" => {
                let modes = [PadMode::Edge, PadMode::Symmetric, PadMode::Wrap, PadMode::Reflect];
                let border = [[0, 0], [0, 1], [1, 0], [0, 0]];
                let parts = modes.map(|mode| x.pad_with(&border, mode).slice(1, 1..h + 1));
                (&parts[0] * &parts[1] + &parts[2] * &parts[3]).tanh().slice(2, 0..w)
            }
            "permute" => x.permute([0, 2, 1, 3]),
            "repeat" => {
                let times: Vec<usize> = (0..h).map(|i| [2, 1, 0][i % 3]).collect();
                x.repeat(1, times).slice(1, 0..h) * lit::<T>(0.5)
                    + x.repeat(2, 2).slice(2, 1..w + 1)
            }
            "reshape" => x.reshape([n, w, h, c]),
            "roll" => x.roll(2, 1) * x.roll(1, -1).tanh(),
            "slice" => x - x.slice(2, w - 1..w) * lit::<T>(0.5),
            "split" => {
                let parts = x.split(1, &[h / 2, h - h / 2]);
                parts[1].sum(1).reshape([n, 1, w, c]).tanh() * x + x.chunks(0, 2)[1].tanh()
            }
            "stack" => Var::stack(&[x, &x.square(), &x.sin()], 1).mean(1),
            "tile" => (x.tile(&[2, 1, 1]).slice(1, h..2 * h) + x) * lit::<T>(0.5),
            "trace" => x + flat().trace().tanh(),
            "triangle" => x.triu(0) + x.tril(-1) * lit::<T>(0.5),
            "unfold" => {
                let y = x.unfold(2, 1, 1, Padding::Same); // [n, h, w, 2, c]
                y.fold(1, 1, Padding::Same, None).tanh() * lit::<T>(0.5) + y.mean(3)
            }
            _ => return None,
        })
    }

    /// What goes by indices, masks and weighted sums of places.
    fn chosen(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let [n, h, w, c] = self.dims();
        let places =
            |len: usize, count: usize| (0..count).map(|i| i * 5 % 7 % len).collect::<Vec<_>>();
        let shape = x.shape();
        Some(match self.name {
            "affine_transform" => {
                let maps = [[0.9, 0.2, 0.1, -0.1, 1.1, 0.3], [1.0, 0.0, 0.5, 0.0, 1.0, -0.5]];
                x.affine_transform(&maps, Interpolation::Bilinear, FillMode::Reflect, 0.0)
            }
            "dropout" => x.dropout(0.2, &Stream::new(4), 11),
            "embedding" => {
                let indices = Tensor::from([[1.0, 0.0], [1.0, 1.0]]).cast();
                let rows = x.reshape([n, h * w * c]).embedding(&indices); // [2, 2, h w c]
                rows.tanh().sum(1).reshape([n, h, w, c]) * lit::<T>(0.5)
            }
            "gather" => x.gather(2, Indices::new(shape, places(w, shape.count()))) * x.tanh(),
            "index_select" => x.index_select(1, places(h, h)) + x * lit::<T>(0.3),
            "masked_fill" => x.masked_fill(&self.pattern(&shape), lit(0.5)),
            "masked_select" => {
                let rows = x.masked_select(&self.pattern(&[n, h])).sum(0).reshape([1, 1, w, c]);
                (x.masked_select(&self.pattern(&shape)).mean(..) + rows).tanh() * x
            }
            "resample" => {
                let taps = (0..h).map(|i| vec![(i, 0.5), ((i + 1) % h, 0.75)]).collect();
                x.resample(1, taps)
            }
            "resize" => x.resize([2, 2], Interpolation::Bilinear, true),
            "scatter_add" => {
                let indices = Indices::new(shape, places(c, shape.count()));
                x.scatter_add(3, indices, &x.square()).tanh()
            }
            "select" => Var::select(&self.pattern(&[w, c]), x, &x.sin()),
            _ => return None,
        })
    }

    fn products(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let [n, h, w, c] = self.dims();
        let square = || self.weights(2, &[c, c]);
        let flat = || x.reshape([n * h * w, c]);
        let images = |y: Var<'t, T>| y.reshape([n, h, w, c]);
        Some(match self.name {
            "add" => (-x + self.weights(0, &[c])).tanh(),
            "avg_pool2d" => x.avg_pool2d([2, 2], [1, 2], Padding::Same),
            "batch_matmul" => x.batch_matmul(&square()).tanh(),
            "conv1d" => {
                let (kernel, bias) = (self.weights(0, &[2, c, 2]), self.weights(1, &[2]));
                let rows = x.reshape([n * h, w, c]).conv1d(&kernel, &bias, 1, Padding::Causal);
                rows.reshape([n, h, w, 2]).tanh()
            }
            "conv2d" => {
                let (kernel, bias) = (self.weights(0, &[2, 2, c, 2]), self.weights(1, &[2]));
                let y = x.conv2d(&kernel, &bias, [1, 1], Padding::Same).tanh();
                let (kernel, bias) = (self.weights(3, &[1, 2, 2, 3]), self.weights(4, &[3]));
                y.conv2d(&kernel, &bias, [2, 1], Padding::Same) * lit::<T>(0.3)
            }
            "conv2d_transpose" => {
                let same = TransposedConvolution { padding: Padding::Same, ..Default::default() };
                let (kernel, bias) = (self.weights(0, &[2, 2, 2, c]), self.weights(1, &[2]));
                x.convolve_transposed(&kernel, &bias, same).tanh()
            }
            "conv3d" => {
                let (kernel, bias) = (self.weights(0, &[2, 1, 2, 1, 1]), self.weights(1, &[1]));
                let volume = x.reshape([n, h, w, c, 1]);
                images(volume.conv3d(&kernel, &bias, [1, 1, 1], Padding::Same)).tanh()
            }
            "dense" => images(flat().dense(&square(), &self.weights(0, &[c]))).tanh(),
            "einsum" => {
                let likeness = Var::einsum("nhwc,nhvc->nhwv", &[x, x]).softmax();
                Var::einsum("nhwv,nhvc,cd->nhwd", &[&likeness, x, &square()]).tanh()
            }
            "matmul" => images(flat().matmul(&square())).tanh(),
            "mul" => x * self.weights(5, &[c]) + x,
            "outer" => {
                let all = x.reshape([n * h * w * c]).outer(&self.weights(7, &[3]));
                images(all.tanh().sum(1)) * lit::<T>(0.5)
            }
            "sub" => self.weights(3, &[w, 1]) - x,
            "tensordot" => x.tensordot(&square(), &[3], &[1]).tanh(),
            _ => return None,
        })
    }

    fn normalised(&self) -> Option<Var<'t, T>> {
        let c = self.dims()[3];
        let (gamma, beta) = (self.weights(0, &[c]), self.weights(c, &[c]));
        Some(match self.name {
            "batch_norm" => self.x.batch_norm(&gamma, &beta, 3, 0.1).0,
            "layer_norm" => self.x.layer_norm(&gamma, &beta, 0.1),
            _ => return None,
        })
    }

    /// A loss of each row, next to the images.
    fn losses(&self) -> Option<Var<'t, T>> {
        let x = self.x;
        let [n, h, w, c] = self.dims();
        let even = Tensor::full(x.shape(), lit(1.0 / c as f64));
        let first = Tensor::from_fn(x.shape(), |at| lit(if at[3] == 0 { 1.0 } else { 0.0 }));
        let classes = Tensor::from_fn([n * h * w], |at| lit((at[0] % c) as f64));
        let loss = match self.name {
            "binary_crossentropy" => {
                let logits = x.binary_crossentropy_from_logits(&even);
                logits + x.sigmoid().binary_crossentropy(&first)
            }
            "categorical_crossentropy" => {
                let logits = x.categorical_crossentropy_from_logits(&even);
                logits + x.softmax().categorical_crossentropy(&first)
            }
            "kl_divergence" => x.softmax().kl_divergence(&even),
            "mean_squared_error" => x.tanh().mean_squared_error(&even),
            "sparse_categorical_crossentropy" => {
                let rows = x.reshape([n * h * w, c]);
                let logits = rows.sparse_categorical_crossentropy_from_logits(&classes);
                logits + rows.softmax().sparse_categorical_crossentropy(&classes)
            }
            _ => return None,
        };
        Some((loss.reshape([n, h, w, 1]) * lit::<T>(0.5)).tanh() * x)
    }

    fn sequences(&self) -> Option<Var<'t, T>> {
        let [n, h, w, c] = self.dims();
        let steps = self.x.reshape([n, h * w, c]);
        let masked = Tensor::from_fn([n, h * w], |at| lit(if at[1] == 1 { 0.0 } else { 1.0 }));
        let weights = |gates: usize, bias: &[usize]| {
            let kernel = self.weights(0, &[c, gates]);
            [kernel, self.weights(c, &[1, gates]), self.weights(2 * c, bias)]
        };
        let states = match self.name {
            "gru" => {
                let [k, r, b] = weights(3, &[2, 3]);
                steps.gru([&k, &r, &b], [&Tanh, &Sigmoid], None)
            }
            "lstm" => {
                let [k, r, b] = weights(4, &[4]);
                steps.lstm([&k, &r, &b], [&Tanh, &Sigmoid], Some(&masked))
            }
            "simple_rnn" => {
                let [k, r, b] = weights(1, &[1]);
                steps.simple_rnn([&k, &r, &b], &Tanh, Some(&masked))
            }
            _ => return None,
        };
        Some(states.reshape([n, h, w, 1]) + self.x * lit::<T>(0.5))
    }

    /// Operations that are computed again, and those whose derivative is on the tape.
    fn of_several(&self) -> Option<Var<'t, T>> {
        Some(match self.name {
            "checkpoint" => checkpoint(|[x]| x.square().log1p().sin() + x, [self.x]),
            "jvp" => {
                let c = self.dims()[3];
                let (slope, still) =
                    (self.x.sin(), Var::constant(Tensor::zeros(self.weights(0, &[c]).shape())));
                let of = [self.x, &self.weights(0, &[c])];
                on_tape::jvp(|[x, w]| (x * w).tanh(), of, [&slope, &still]).1
            }
            _ => return None,
        })
    }
}
