//! Derivatives on a tape, recomputation, and long tapes.

use cinta::{Dual, Padding, Stream, Tape, Tensor, Var, checkpoint, gradcheck, hvp, on_tape};

fn uniform<const N: usize>(dims: [usize; N], seed: u64) -> Tensor<f64> {
    Tensor::uniform(dims, -1.0, 1.0, &mut Stream::new(seed))
}

/// A derivative on a tape has gradients: with respect to the inputs and to the tangents.
#[test]
fn gradients_of_a_derivative() {
    let [x, w, v] = [uniform([3, 2], 1), uniform([2, 4], 2), uniform([3, 2], 3)];
    let zeros = Tensor::zeros([2, 4]);
    let checked = gradcheck(
        |[x, w, v]| {
            let still = Var::constant(zeros.clone());
            let (y, dy) = on_tape::jvp(|[x, w]| x.matmul(w).tanh(), [x, w], [v, &still]);
            y.square() + dy.exp()
        },
        [x, w, v],
    );
    checked.unwrap();
}

/// Inside of each other: `u''` of `u = sin`, as `tanh` of a polynomial has none so simple.
#[test]
fn second_derivatives_on_a_tape() {
    let x = Tensor::from([-0.7, 0.2, 1.1]);
    let tape = Tape::new();
    let [a, x] = [tape.leaf(Tensor::from([0.8])), tape.leaf(x)];
    let one = Var::constant(Tensor::ones([3]));
    let still = Var::constant(Tensor::zeros([1]));
    // u = exp(a x), u'' = a^2 u
    let (u, second) = {
        let (both, second) = on_tape::jvp(
            |[a, x]| {
                let one = Var::constant(Tensor::ones([3]));
                let still = Var::constant(Tensor::zeros([1]));
                on_tape::jvp(|[a, x]| (a * x).exp(), [a, x], [&still, &one]).1
            },
            [&a, &x],
            [&still, &one],
        );
        (both, second)
    };
    let exact = |x: f64| (0.8 * x).exp();
    for (i, at) in [-0.7, 0.2, 1.1].into_iter().enumerate() {
        assert!((u.value().at([i]) - 0.8 * exact(at)).abs() < 1e-14);
        assert!((second.value().at([i]) - 0.64 * exact(at)).abs() < 1e-14);
    }
    // d/da of a^2 exp(a x) = (2 a + a^2 x) exp(a x), and d/dx = a^3 exp(a x)
    let gradients = second.sum(..).backward();
    let expected: f64 = [-0.7, 0.2, 1.1].map(|x| (1.6 + 0.64 * x) * exact(x)).iter().sum();
    assert!((gradients.wrt(&a).item() - expected).abs() < 1e-13);
    for (found, at) in gradients.wrt(&x).iter().zip([-0.7, 0.2, 1.1]) {
        assert!((found - 0.512 * exact(at)).abs() < 1e-14);
    }
}

/// Constants record nothing, and a derivative of nothing that is tracked is a constant.
#[test]
fn a_derivative_of_constants_is_a_constant() {
    let x = Var::constant(Tensor::from([2.0]));
    let (y, dy) = on_tape::jvp(|[x]| x.square(), [&x], [&x]);
    assert_eq!((y.value().item(), dy.value().item()), (4.0, 8.0));
    assert!(!y.is_tracked() && !dy.is_tracked());
}

/// Of a convolution, its pooling and a product: the same bits with checkpoints and without.
#[test]
fn checkpoints_change_no_bit() {
    let inputs = [
        uniform([3, 8, 8, 2], 1).cast::<f32>(),
        uniform([3, 3, 2, 4], 2).cast(),
        uniform([4], 3).cast(),
        uniform([64, 5], 4).cast(),
    ];
    fn block<'t>([x, k, b, w]: [&Var<'t, f32>; 4]) -> Var<'t, f32> {
        let y = x.conv2d(k, b, [1, 1], Padding::Same).relu();
        let y = y.max_pool2d([2, 2], [2, 2], Padding::Valid).dropout(0.3, &Stream::new(5), 0);
        y.reshape([3, 64]).matmul(w).log_softmax()
    }
    // With all tracked, and with images and bias as constants.
    for tracked in [[true; 4], [false, true, false, true]] {
        let run = |kept: bool| {
            let tape = Tape::new();
            let vars: [Var<'_, f32>; 4] = std::array::from_fn(|i| match tracked[i] {
                true => tape.leaf(inputs[i].clone()),
                false => Var::constant(inputs[i].clone()),
            });
            let y = match kept {
                true => block(vars.each_ref()),
                false => checkpoint(block, vars.each_ref()),
            };
            let value = y.value().clone();
            let gradients = y.square().sum(..).backward();
            let leaves = vars.iter().filter(|var| var.is_tracked());
            let mut all: Vec<Tensor<f32>> = leaves.map(|leaf| gradients.wrt(leaf)).collect();
            all.push(value);
            all.iter().flat_map(|x| x.to_vec()).map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(run(true), run(false));
    }
    // Second derivatives go through a checkpoint as well.
    let (x, dx) = (uniform([5], 6), uniform([5], 7));
    let [plain] = hvp(|[x]| x.tanh().square().sum(..), [&x], [&dx]);
    let [again] = hvp(|[x]| checkpoint(|[x]| x.tanh().square(), [x]).sum(..), [&x], [&dx]);
    assert_eq!(plain.to_vec(), again.to_vec());
}

/// A tape of a million operations, one behind the other a hundred thousand deep, ten times over.
#[test]
fn a_million_operations() {
    const DEEP: usize = 100_000;
    let tape = Tape::<Dual<f64>>::new();
    let x = tape.leaf(Tensor::scalar(Dual::new(0.5, 1.0)));
    let chains: Vec<Var<'_, Dual<f64>>> = (1..=10)
        .map(|chain| {
            let factor = 1.0 + f64::from(chain) / DEEP as f64;
            (0..DEEP).fold(x.clone(), |y, _| y * factor)
        })
        .collect();
    let last = chains.iter().skip(1).fold(chains[0].square(), |sum, y| sum + y.square());
    let gradient = last.backward().wrt(&x).item();
    // sum of (f^DEEP x)^2: 2 x sum f^(2 DEEP), and its derivative without the x
    let factors =
        (1..=10).map(|chain| (1.0 + f64::from(chain) / DEEP as f64).powi(2 * DEEP as i32));
    let sum: f64 = factors.sum();
    assert!((gradient.value / sum - 1.0).abs() < 1e-9, "{gradient} {sum}");
    assert!((gradient.tangent / (2.0 * sum) - 1.0).abs() < 1e-9, "{gradient} {sum}");
}
