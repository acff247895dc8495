//! Convolution and its gradients, each way of computing them, against windows that are read pixel by pixel.

use super::super::conv2d::{
    self, Algorithm, Geometry, column_sums, depthwise, direct, minor,
    winograd::{self, F2, F4},
};
use super::super::gemm::Finish;
use super::super::window::{Padding, Window};
use super::{at_each_level, soil};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd;
use crate::tensor::testing::{Draw, LAYOUTS, SIZES, laid_out, pairs, read};
use crate::tensor::{Order, Tensor};

/// How a case is computed: by one of the files, or by the way that its shapes have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Direct,
    Minor,
    Depthwise,
    F2,
    F4,
    /// With images and gradients that lie in memory in these ways.
    Choice([usize; 2]),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    /// `[n, h, w]`.
    images: [usize; 3],
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
    same: bool,
    /// Of all groups, in and out.
    channels: [usize; 2],
    groups: usize,
}

/// Values of a convolution, and the definition's results, all in reading order.
struct Values<T> {
    x: Vec<T>,
    kernel: Vec<T>,
    bias: Vec<T>,
    dy: Vec<T>,
    /// `y`, `dx`, `dw`, `db`.
    expected: [Vec<T>; 4],
}

const NAMES: [&str; 4] = ["y", "dx", "dw", "db"];

/// What `forward` gives with weights that are transformed for it, and the same with those that are kept: when they are made, and when they
/// are there.
fn kept_or_not<T: Scalar>(
    kernel: &[T],
    forward: impl Fn((&[T], Option<&Tensor<T>>)) -> Buffer<T>,
) -> Buffer<T> {
    let keeper = Tensor::new([kernel.len()], kernel.to_vec());
    let y = forward((kernel, None));
    for _ in 0..2 {
        assert!(forward((kernel, Some(&keeper)))[..] == y[..], "kept weights give something else");
    }
    y
}

impl Case {
    /// Windows that do not fit are padded.
    fn geometry(&self) -> Geometry {
        let [images, h, w] = self.images;
        let span = [0, 1].map(|axis| (self.size[axis] - 1) * self.dilation[axis] + 1);
        let fits = span[0] <= h && span[1] <= w;
        let padding = if self.same || !fits { Padding::Same } else { Padding::Valid };
        let window = Window::dilated([h, w], self.size, self.strides, self.dilation, padding);
        let ([c_in, c_out], groups) = (self.channels, self.groups);
        let algorithm = Algorithm::Direct;
        Geometry { window: window.expect("a window"), images, c_in, c_out, groups, algorithm }
    }

    /// Whole numbers, whose sums are exact in whatever order they are added, and what the definition makes of them.
    fn values<T: Scalar>(&self, finish: Finish) -> Values<T> {
        let geometry = self.geometry();
        let ([n, h, w], [kh, kw], [c_in, c_out]) = (self.images, self.size, self.channels);
        let [oh, ow] = geometry.window.output();
        let [top, left] = geometry.window.before();
        let (group_in, group_out) = (c_in / self.groups, c_out / self.groups);
        let mut draw = Draw::new((n + h * w + c_in * 3 + c_out) as u64);
        let x = draw.whole::<f64>(n * h * w * c_in, 3);
        let kernel = draw.whole::<f64>(kh * kw * group_in * c_out, 3);
        let bias = draw.whole::<f64>(c_out, 9);
        let dy = draw.whole::<f64>(n * oh * ow * c_out, 3);
        let mut y: Vec<f64> = bias.iter().copied().cycle().take(dy.len()).collect();
        let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; kernel.len()]);
        let mut db = vec![0.0; c_out];
        for (pixel, dy) in dy.chunks_exact(c_out).enumerate() {
            db.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
            let [image, oy, ox] = [pixel / (oh * ow), pixel / ow % oh, pixel % ow];
            let y = &mut y[pixel * c_out..][..c_out];
            for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                let iy = (oy * self.strides[0] + ky * self.dilation[0]).checked_sub(top);
                let ix = (ox * self.strides[1] + kx * self.dilation[1]).checked_sub(left);
                let (Some(iy), Some(ix)) = (iy, ix) else { continue };
                if iy >= h || ix >= w {
                    continue;
                }
                for channel in 0..c_in {
                    let (group, c) = (channel / group_in, channel % group_in);
                    let at = ((image * h + iy) * w + ix) * c_in + channel;
                    let weights = ((ky * kw + kx) * group_in + c) * c_out;
                    for o in group * group_out..(group + 1) * group_out {
                        y[o] += x[at] * kernel[weights + o];
                        dx[at] += dy[o] * kernel[weights + o];
                        dw[weights + o] += x[at] * dy[o];
                    }
                }
            }
        }
        let most = if finish == Finish::Relu6 { 6.0 } else { f64::INFINITY };
        if finish != Finish::Plain {
            y.iter_mut().for_each(|y| *y = y.clamp(0.0, most));
        }
        let lit = |values: Vec<f64>| values.into_iter().map(T::lit).collect();
        let [x, kernel, bias, dy] = [x, kernel, bias, dy].map(lit);
        Values { x, kernel, bias, dy, expected: [y, dx, dw, db].map(lit) }
    }

    fn run<T: Scalar>(&self, by: By, finish: Finish, values: &Values<T>) -> [Vec<T>; 4] {
        let mut g = self.geometry();
        let Values { x, kernel, bias, dy, .. } = values;
        let ([n, h, w], [c_in, c_out]) = (self.images, self.channels);
        let (x_shape, [oh, ow]) = ([n, h, w, c_in], g.window.output());
        let y_shape = [n, oh, ow, c_out];
        let summed = |dw: Buffer<T>| (dw, column_sums(dy, c_out));
        let (y, dx, (dw, db)) = match by {
            By::Direct => (
                direct::forward(g, x, kernel, bias, finish),
                direct::backward_input(g, kernel, dy),
                summed(direct::backward_kernel(g, x, dy)),
            ),
            By::Depthwise => (
                depthwise::forward(g, x, kernel, bias, finish),
                depthwise::backward_input(g, kernel, dy),
                depthwise::backward_kernel(g, x, dy),
            ),
            By::F2 => (
                kept_or_not(kernel, |kernel| {
                    winograd::forward::<_, F2, 4, 2>(g, x, kernel, bias, finish)
                }),
                winograd::backward_input::<_, F2, 4, 2>(g, kernel, dy),
                summed(winograd::backward_kernel::<_, F2, 4, 2>(g, x, dy)),
            ),
            By::F4 => (
                kept_or_not(kernel, |kernel| {
                    winograd::forward::<_, F4, 6, 4>(g, x, kernel, bias, finish)
                }),
                winograd::backward_input::<_, F4, 6, 4>(g, kernel, dy),
                summed(winograd::backward_kernel::<_, F4, 6, 4>(g, x, dy)),
            ),
            By::Minor => {
                let order = Order::Innermost;
                let x = Tensor::new(x_shape, x.clone()).in_order(order);
                let dy = Tensor::new(y_shape, dy.clone()).in_order(order);
                let (x, dy) = (x.stored(order), dy.stored(order));
                let y = minor::forward(g, x, kernel, bias, finish);
                let dx = minor::backward_input(g, kernel, dy);
                let both = minor::backward_kernel(g, x, dy);
                let [y, dx] = [order.tensor(y_shape, y), order.tensor(x_shape, dx)];
                (read(&y).into(), read(&dx).into(), both)
            }
            By::Choice([of_x, of_dy]) => {
                g.algorithm = Algorithm::Winograd4;
                let (x, dy) = (laid_out(x_shape, x, of_x), laid_out(y_shape, dy, of_dy));
                let y = conv2d::forward(g, &x, kernel, bias, finish);
                let dx = conv2d::backward_input(g, kernel, &dy);
                let both = conv2d::backward_kernel(g, &x, &dy, true);
                (read(&y).into(), read(&dx).into(), both)
            }
        };
        [y, dx, dw, db].map(|values| values.to_vec())
    }

    /// Compares all four results. The points of F(4, 3) are no fractions of two, so they round: by much less than a
    /// product that is wrong.
    fn check<T: Scalar>(&self, by: By, finish: Finish) {
        let values = self.values::<T>(finish);
        let most = if matches!(by, By::F4 | By::Choice(_)) { 0.01 } else { 0.0 };
        at_each_level(|| {
            values.expected.iter().for_each(|expected| soil::<T>(expected.len()));
            let results = self.run(by, finish, &values);
            for ((result, expected), name) in results.iter().zip(&values.expected).zip(NAMES) {
                let level = simd::instruction_set();
                let of = T::NAME;
                assert_eq!(result.len(), expected.len(), "{name} of {self:?} by {by:?}");
                let wrong = result.iter().zip(expected).position(|(value, expected)| {
                    // A NaN is not close to anything.
                    !matches!((value.widen() - expected.widen()).abs(), error if error <= most)
                });
                if let Some(at) = wrong {
                    let (value, expected) = (result[at], expected[at]);
                    panic!(
                        "{name}[{at}] is {value}, not {expected}: {self:?} by {by:?}, {of} {level}"
                    );
                }
            }
        });
    }
}

const WINDOWS: [[usize; 2]; 9] =
    [[1, 1], [3, 3], [2, 3], [7, 7], [1, 7], [5, 2], [4, 6], [6, 1], [3, 5]];
/// Heights and widths that leave a rest of every number of outputs that are taken together.
const SIDES: [usize; 6] = [1, 2, 5, 7, 8, 13];
const STEPS: [[usize; 2]; 5] = [[1, 1], [1, 1], [2, 1], [1, 3], [2, 2]];
const FINISHES: [Finish; 3] = [Finish::Plain, Finish::Relu, Finish::Relu6];

/// Cases in which every two of windows, sides, strides, dilations, padding and channels meet. Large channels on both sides get
/// the smaller images.
fn cases(
    seed: u64,
    channels: &[[usize; 2]],
    images: &[usize],
    groups: impl Fn([usize; 2]) -> usize,
) -> Vec<(Case, Finish)> {
    let lens = [channels.len(), WINDOWS.len(), SIDES.len(), SIDES.len(), images.len(), 5, 5, 2, 3];
    let cases = pairs(seed, lens).into_iter().map(|at| {
        let channels = channels[at[0]];
        let [h, w] = [SIDES[at[2]], SIDES[at[3]]];
        let groups = groups(channels);
        let large = channels[0] * channels[1] / groups > 400;
        let case = Case {
            images: [images[at[4]], h.min(if large { 5 } else { 13 }), w],
            size: WINDOWS[at[1]],
            strides: STEPS[at[5]],
            dilation: STEPS[at[6]],
            same: at[7] == 1,
            channels,
            groups,
        };
        (case, FINISHES[at[8]])
    });
    cases.collect()
}

fn all_channels() -> Vec<[usize; 2]> {
    SIZES.iter().flat_map(|&c_in| SIZES.map(|c_out| [c_in, c_out])).collect()
}

#[test]
fn direct_sums() {
    for (case, finish) in cases(1, &all_channels(), &[1, 2], |_| 1) {
        case.check::<f32>(By::Direct, finish);
        case.check::<f64>(By::Direct, finish);
    }
    // More images than parts that sum for themselves, for many taps and for few.
    for channels in [[33, 3], [3, 33]] {
        tiled([19, 5, 6], true, channels).check::<f32>(By::Direct, Finish::Plain);
    }
}

/// Two groups with all these channels each; and a group for each channel, with one or several outputs.
#[test]
fn direct_sums_of_groups() {
    let two: Vec<_> =
        SIZES.iter().flat_map(|&c| [[2 * c, 2 * c], [2 * c, 6], [6, 2 * c]]).collect();
    let each: Vec<_> = SIZES.iter().flat_map(|&c| [[c, c], [c, 3 * c]]).collect();
    let cases = [cases(2, &two, &[1, 2], |_| 2), cases(3, &each, &[1, 3], |[c, _]| c)];
    for (case, finish) in cases.into_iter().flatten() {
        case.check::<f32>(By::Direct, finish);
        case.check::<f64>(By::Direct, finish);
    }
}

/// With one and several vectors of images.
#[test]
fn images_innermost() {
    let few: Vec<_> = all_channels().into_iter().filter(|c| c[0].min(c[1]) <= 15).collect();
    for (case, finish) in cases(4, &few, &[16, 32], |_| 1) {
        // As large as these channels are in use, and a few that are larger.
        let [c_in, c_out] = case.channels;
        let small = c_in * c_out > 50;
        let [n, h, w] = case.images;
        let case = if small { Case { images: [n, h.min(3), w.min(5)], ..case } } else { case };
        case.check::<f32>(By::Minor, finish);
        case.check::<f64>(By::Minor, finish);
    }
}

/// With fewer images than partial sums, and more.
#[test]
fn depthwise_channels() {
    let channels = SIZES.map(|c| [c, c]);
    for seed in 5..8 {
        for (case, finish) in cases(seed, &channels, &[1, 3, 19], |[c, _]| c) {
            case.check::<f32>(By::Depthwise, finish);
            case.check::<f64>(By::Depthwise, finish);
        }
    }
}

fn tiled(images: [usize; 3], same: bool, channels: [usize; 2]) -> Case {
    let one = [1, 1];
    Case { images, size: [3, 3], strides: one, dilation: one, same, channels, groups: 1 }
}

/// More tiles than channels, and fewer; images that end in the middle of a tile, and with it.
#[test]
fn tiles() {
    let channels = [[16, 16], [16, 48], [80, 16], [32, 32], [32, 64], [48, 80], [64, 64]];
    let sides = [3, 4, 5, 6, 7, 8, 9, 10, 19];
    for at in pairs(9, [channels.len(), sides.len(), sides.len(), 2, 2, 2]) {
        let case = tiled([at[4] + 1, sides[at[1]], sides[at[2]]], at[3] == 1, channels[at[0]]);
        case.check::<f32>(By::F2, FINISHES[at[5]]);
        case.check::<f32>(By::F4, FINISHES[at[5]]);
    }
}

/// So many tiles that groups of them sum the kernel's gradient for themselves, or, with more channels, that they come in turns.
#[test]
fn many_tiles() {
    tiled([9, 39, 38], true, [16, 16]).check::<f32>(By::F4, Finish::Plain);
    tiled([3, 37, 33], false, [16, 32]).check::<f32>(By::F2, Finish::Plain);
    tiled([2, 39, 38], true, [32, 64]).check::<f32>(By::F4, Finish::Plain);
}

/// Whatever way the shapes have, whatever order memory has; also in blocks of images, and with more pixels than the gradient
/// of the bias sums at a time.
#[test]
fn the_chosen_way() {
    let mut chosen = std::collections::BTreeSet::new();
    let mut check = |case: Case, finish: Finish, layouts: [usize; 2]| {
        let geometry = Geometry { algorithm: Algorithm::Winograd4, ..case.geometry() };
        chosen.insert(format!("{:?}", geometry.way::<f32>()));
        case.check::<f32>(By::Choice(layouts), finish);
        case.check::<f64>(By::Choice(layouts), finish);
    };
    let channels = [[1, 3], [3, 15], [3, 17], [33, 1], [15, 15], [17, 31]];
    for (at, (case, finish)) in cases(10, &channels, &[1, 3, 16], |_| 1).into_iter().enumerate() {
        let [n, h, w] = case.images;
        let case = Case { images: [n, h.min(5), w.min(7)], ..case };
        check(case, finish, [at % LAYOUTS, at / LAYOUTS % LAYOUTS]);
    }
    for (at, c) in SIZES.into_iter().enumerate() {
        let many = [if c <= 3 { 67 } else { 2 }, 26, 25];
        check(
            tiled(if c <= 3 { [67, 5, 6] } else { many }, true, [c, 3]),
            Finish::Relu,
            [at % 9, 0],
        );
        check(Case { groups: c, ..tiled([3, 5, 6], true, [c, c]) }, Finish::Plain, [0, at % 9]);
    }
    check(tiled([2, 7, 9], true, [32, 64]), Finish::Relu, [2, 1]);
    check(tiled([2, 7, 9], true, [32, 16]), Finish::Plain, [1, 2]);
    assert_eq!(chosen.len(), 5, "{chosen:?}");
}
