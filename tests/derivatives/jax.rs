//! JAX agrees: `tests/golden/derivatives.py` wrote the numbers.

use cinta::{PadMode, Padding, Scalar, Tensor, Var, grad, hessian, hvp, jacobian, jvp};
use serde_json::Value;

fn wave<const N: usize>(shape: [usize; N], first: f64) -> Tensor<f64> {
    let count = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (first + 0.7 * i as f64).sin()).collect();
    Tensor::new(shape, values)
}

fn constant<'t, T: Scalar, const N: usize>(shape: [usize; N], first: f64) -> Var<'t, T> {
    Var::constant(wave(shape, first).cast())
}

/// The functions of `derivatives.py`, of a row `[1, 4]`.
fn function<'t, T: Scalar>(name: &str, x: &Var<'t, T>) -> Var<'t, T> {
    let number = |value: f64| T::lit(value);
    let b = || constant([4, 3], 2.0);
    match name {
        "products" => x * constant([4, 4], 1.0).matmul(&x.permute([1, 0])).reshape([1, 4]),
        "dense" => x.matmul(&b()).tanh(),
        "softmax" => x.softmax(),
        "log_softmax" => x.log_softmax(),
        "bells" => (-x.square()).exp(),
        "quotients" => x / (x.square() + T::one()) + (x + number(2.0)).sqrt(),
        "gelu" => (x * number(3.0)).gelu(false),
        "silu" => x.matmul(&b()).silu() * x.slice(1, 0..3).softplus(),
        "normalized" => {
            let [gamma, beta] =
                [T::one(), T::zero()].map(|value| Var::constant(Tensor::full([4], value)));
            x.layer_norm(&gamma, &beta, 1e-3)
        }
        "rosenbrock" => {
            let (this, next) = (x.slice(1, 0..3), x.slice(1, 1..4));
            (next - this.square()).square() * number(100.0) + (this - T::one()).square()
        }
        "scans" => x.cumsum(1) * x.cumprod(1) + x.logsumexp(1),
        "order" => x.square().sort(1) * x.top_k(1, 4).0 + x.max(1) * x.min(1),
        "places" => {
            let values = x.index_select(1, [2, 0, 2]).square();
            x.powi(3).scatter_add(1, [[1, 3, 1]], &values)
        }
        "angles" => x.sin().atan2(&(x.cos() + number(2.0))) + (x * number(0.5)).tan(),
        "logarithms" => x.erf() * x.expm1() + x.square().log1p() + (x + number(2.0)).ln(),
        "spreads" => x / (x.std(1, 0) + T::one()) + x.var(1, 1) * x.norm(3.0, 1) + x.prod(1),
        "powers" => {
            let above = x + number(2.0);
            let smooth = above.pow(&x.flip(1)) + x.powi(3) + above.rsqrt() + above.reciprocal();
            smooth + x.abs().powf(number(2.5))
        }
        "masks" => {
            let chosen = Var::select(&x.value().greater(number(0.2)), &x.exp(), &x.square());
            let some = x.masked_select(&x.value().less(number(0.5))).sum(..).square();
            chosen + some + x.square().clamp(number(0.1), number(0.6))
        }
        "sides" => {
            let sides = x.maximum(&x.square()) * (x * number(2.0)).sin().minimum(x);
            sides + x.sign() * x.powi(3)
        }
        "einsum" => {
            let v = x.squeeze(0);
            let a = constant([4, 4], 1.0);
            Var::einsum("i,ij,j,kl->lk", &[&v, &a, &v, &v.outer(&v)]).reshape([1, 16])
        }
        "borders" => {
            let border = [[0, 0], [2, 3]];
            let [reflected, edge] = [(x.square(), PadMode::Reflect), (x.clone(), PadMode::Edge)]
                .map(|(x, mode)| x.pad_with(&border, mode));
            reflected * edge + x.powi(3).pad(&border)
        }
        "repeats" => {
            let each = x.square().repeat(1, [1, 0, 2, 5]) * x.tile(&[1, 2]);
            each + x.repeat(1, 2).roll(1, 3).square()
        }
        "triangles" => {
            let v = x.squeeze(0);
            let square = v.outer(&v);
            let both = square.triu(0) + constant([4, 4], 1.0).tril(-1);
            let product = both.matmul(&x.permute([1, 0])).reshape([1, 4]);
            product + (square.diagonal(0, [0, 1]) * square.trace()).expand_dims(0)
        }
        "batches" => {
            let v = x.squeeze(0);
            let a = constant([4, 4], 1.0);
            let left = Var::stack(&[&(&a * &v), &v.outer(&v)], 0);
            let right = Var::stack(&[&a, &a.swap_axes(0, 1)], 0);
            left.batch_matmul(&right).slice(1, 1..2).reshape([1, 8])
        }
        "series" => {
            let bias = Var::constant(Tensor::zeros([3]));
            let series = x.square().reshape([1, 4, 1]);
            series.conv1d(&constant([2, 1, 3], 3.0), &bias, 1, Padding::Causal).reshape([1, 12])
        }
        "volumes" => {
            let v = x.squeeze(0);
            let (volume, bias) =
                (v.outer(&v).reshape([1, 2, 2, 4, 1]), Var::constant(Tensor::zeros([2])));
            let kernel = constant([2, 1, 2, 1, 2], 4.0);
            volume.conv3d(&kernel, &bias, [1, 1, 1], Padding::Valid).reshape([1, 12])
        }
        "units" => {
            let smooth = x.elu() * (x * number(2.0)).selu() + x.softsign() * x.squareplus();
            smooth + x.leaky_relu(0.1).square()
        }
        "divergence" => {
            let likely = Tensor::from([[0.1, 0.2, 0.3, 0.4]]).cast();
            x.softmax().kl_divergence(&likely) * x.sigmoid()
        }
        other => panic!("no function {other}"),
    }
}

fn network<'t, T: Scalar>([kernel, bias, weights, shift]: [&Var<'t, T>; 4]) -> Var<'t, T> {
    let images = constant([3, 6, 6, 2], 0.1);
    let y = images.conv2d(kernel, bias, [1, 1], Padding::Same).relu();
    let y = y.max_pool2d([2, 2], [2, 2], Padding::Valid);
    let z = y.reshape([3, 36]).dense(weights, shift);
    let mut targets = Tensor::zeros([3, 5]);
    for (row, class) in [1, 4, 2].into_iter().enumerate() {
        targets.as_mut_slice()[5 * row + class] = T::one();
    }
    z.softmax().categorical_crossentropy(&targets).mean(..)
}

#[track_caller]
fn assert_near(what: &str, found: &Tensor<f64>, golden: &Value) {
    let golden: Vec<f64> =
        golden.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect();
    assert_eq!(found.len(), golden.len(), "{what}");
    let largest = golden.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(&golden).enumerate() {
        assert!((a - b).abs() <= 1e-11 * largest, "{what}, element {i}: {a} instead of {b}");
    }
}

fn golden() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/derivatives.json");
    let text = std::fs::read_to_string(path).expect("the golden file");
    let mut golden: Value = serde_json::from_str(&text).expect("JSON");
    let Value::Array(cases) = golden["cases"].take() else { panic!("no cases") };
    cases
}

#[test]
fn functions_of_a_row() {
    let (x, dx) = (wave([1, 4], 0.3), wave([1, 4], 5.0));
    let mut count = 0;
    for case in golden().iter().filter(|case| case["name"] != "network") {
        let name = case["name"].as_str().expect("a name");
        let (y, dy) = jvp(|[x]| function(name, x), [&x], [&dx]);
        assert_near(name, &y, &case["value"]);
        assert_near(&format!("jvp of {name}"), &dy, &case["jvp"]);
        let [j] = jacobian(|[x]| function(name, x), [&x]);
        assert_near(&format!("jacobian of {name}"), &j, &case["jacobian"]);
        let u = wave([1, y.len()], 7.0);
        let [[h]] = hessian(|[x]| (function(name, x) * Var::constant(u.cast())).sum(..), [&x]);
        assert_near(&format!("hessian of {name}"), &h, &case["hessian"]);
        let [hx] = hvp(|[x]| (function(name, x) * Var::constant(u.cast())).sum(..), [&x], [&dx]);
        assert_near(&format!("hvp of {name}"), &hx, &case["hvp"]);
        count += 1;
    }
    assert_eq!(count, 28);
}

#[test]
fn a_small_network() {
    let cases = golden();
    let case = cases.iter().find(|case| case["name"] == "network").expect("the network");
    let inputs = [&wave([3, 3, 2, 4], 0.0), &wave([4], 1.0), &wave([36, 5], 2.0), &wave([5], 3.0)];
    let tangents =
        [&wave([3, 3, 2, 4], 10.0), &wave([4], 11.0), &wave([36, 5], 12.0), &wave([5], 13.0)];
    let (y, _) = jvp(network, inputs, tangents);
    assert_near("value", &y, &case["value"]);
    let (gradients, products) = (grad(network, inputs), hvp(network, inputs, tangents));
    for i in 0..4 {
        assert_near(&format!("gradient {i}"), &gradients[i], &case["gradients"][i]);
        assert_near(&format!("hvp {i}"), &products[i], &case["hvp"][i]);
    }
}
