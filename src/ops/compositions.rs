//! Random compositions of ops pass the gradient check, not only each op alone.

use super::testing::random;
use crate::autograd::{Tape, Var, gradcheck};
use crate::kernels::Padding;
use crate::tensor::{Stream, Tensor};
use proptest::prelude::*;

/// One step from a batch of images `[3, h, w, c]` to another: smooth ops only, so that finite
/// differences mean something everywhere.
fn step<'t>(x: &Var<'t, f64>, w: &Var<'t, f64>, choice: u8) -> Var<'t, f64> {
    let [_, h, width, c] = x.value().dims();
    // A kernel for the channels at hand, cut from one pool of weights.
    let kernel = |kh: usize, kw: usize, out: usize| {
        w.slice(0, 0..kh * kw * c * out).reshape([kh, kw, c, out])
    };
    let bias = |out: usize| w.slice(0, 0..out);
    match choice {
        0 => x.tanh(),
        1 => x.sigmoid() * x,
        2 => x.square() * 0.5 + 1.0,
        3 => (x * 0.3).exp() - x,
        4 => (x.square() + 1.0).sqrt(),
        5 => (x.square() + 0.5).ln(),
        6 => x / (x.square() + 1.0),
        7 => x.softmax(),
        8 => x.log_softmax() * 0.2,
        9 => x.conv2d(&kernel(2, 2, 2), &bias(2), [1, 1], Padding::Same),
        10 => x.conv2d(&kernel(1, 2, 3), &bias(3), [2, 1], Padding::Same),
        11 => x.avg_pool2d([2, 2], [1, 2], Padding::Same),
        12 => x.permute([0, 2, 1, 3]),
        13 => x.reshape([3, width, h, c]),
        14 => x - x.mean([1, 2]).reshape([3, 1, 1, c]),
        15 => x * x.sum(3).reshape([3, h, width, 1]) * 0.3,
        16 => {
            let (flat, out) = (h * width * c, h * width * c);
            // Only the small ones: the pool of weights ends somewhere.
            if flat * out > w.shape()[0] {
                return -x;
            }
            x.reshape([3, flat])
                .matmul(&w.slice(0, 0..flat * out).reshape([flat, out]))
                .reshape([3, h, width, c])
        }
        17 => x.dropout(0.3, &Stream::new(4), 11),
        18 => x.slice(1, 0..h.div_ceil(2)) + 1.0,
        _ => -x + w.slice(0, 0..c),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn gradients_of_compositions(choices in prop::collection::vec(0u8..20, 1..6), seed: u64) {
        let x = random(&[3, 3, 2, 2], -1.0, 1.0, seed, 0);
        let w = random(&[40], -1.0, 1.0, seed ^ 1, 0);
        let target = Tensor::full([3], 0.3);
        let checked = gradcheck(
            |[x, w]| {
                let y = choices.iter().fold(x.clone(), |x, &choice| step(&x, w, choice));
                let per_sample = y.mean([1, 2, 3]);
                per_sample.reshape([3, 1]).mean_squared_error(&target.reshape([3, 1]))
                    + y.sum([1, 2, 3]) * 0.1
            },
            [x, w],
        );
        prop_assert!(checked.is_ok(), "{choices:?}: {}", checked.unwrap_err());
    }
}

/// Those that are recorded as functions of each element have names of their own.
#[test]
fn a_tape_names_functions_of_each_element() {
    let tape = Tape::<f64>::new();
    let x = tape.leaf(Tensor::from([0.25, 0.5]));
    let nowhere = x.value().isnan();
    let _ =
        (x.ceil(), x.cos(), x.erf(), x.expm1(), x.floor(), x.log1p(), x.masked_fill(&nowhere, 0.0));
    let _ =
        (x.powf(0.5), x.powi(3), x.reciprocal(), x.round(), x.rsqrt(), x.sign(), x.sin(), x.tan());
    let names: Vec<&str> = tape.printed().iter().map(|node| node.name).collect();
    let expected = "leaf ceil cos erf expm1 floor log1p masked_fill powf powi reciprocal round rsqrt sign sin tan";
    assert_eq!(names.join(" "), expected);
}
