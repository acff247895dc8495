//! The mathematics of tensors and masks against NumPy, on random shapes and strides: see `golden/numpy_math.py`.

use cinta::{Mask, Shape, Tensor, Var};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

type T = Tensor<f64>;

fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/numpy_math.json");
    let text = std::fs::read_to_string(&path).expect("the golden file");
    let mut golden: Value = serde_json::from_str(&text).expect("valid JSON");
    let Value::Array(cases) = golden["cases"].take() else { panic!("no cases") };
    cases
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

/// A number, or the text that stands for one that JSON does not have.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().expect("a number").parse().expect("a number"))
}

fn sizes(value: &Value) -> Vec<usize> {
    let sizes = value.as_array().expect("a list of sizes").iter();
    sizes.map(|n| n.as_u64().expect("a size") as usize).collect()
}

const SPECIAL: [f64; 8] = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-9, -2.5, 0.5];

/// The random numbers that Python drew: the same in this order.
fn drawn(count: usize, kind: &str, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut draw = |n: u64| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        (state >> 8) % n
    };
    let mut one = || {
        let (x, choice, other) = ((draw(601) as f64 - 300.0) / 100.0, draw(10), draw(104));
        match (kind, choice) {
            ("positive", _) => x.abs() + 0.25,
            ("small", _) => x / 4.0,
            (_, 0..3) => ((other % 13) as f64 - 6.0) / 2.0,
            ("odd", 3..6) => SPECIAL[other as usize % 8],
            _ => x,
        }
    };
    (0..count).map(|_| one()).collect()
}

fn permuted(x: &T, order: &[usize]) -> T {
    match *order {
        [a] => x.permute([a]),
        [a, b] => x.permute([a, b]),
        [a, b, c] => x.permute([a, b, c]),
        [a, b, c, d] => x.permute([a, b, c, d]),
        _ => panic!("{order:?}"),
    }
}

/// An input: random numbers, seen through random views.
fn viewed(input: &Value) -> T {
    let shape = Shape::new(&sizes(&input["base"]));
    let seed = input["seed"].as_u64().expect("a seed");
    let base = Tensor::new(shape, drawn(shape.count(), text(input, "kind"), seed));
    input["views"].as_array().expect("views").iter().fold(base, |x, view| {
        let at = |i: usize| view[i].as_u64().expect("a number") as usize;
        match view[0].as_str().expect("a view") {
            "permute" => permuted(&x, &sizes(&view[1])),
            "slice" => x.slice(at(1), at(2)..at(3)),
            "step" => x.step(at(1), at(2)),
            "flip" => x.flip(at(1)),
            "broadcast_to" => x.broadcast_to(&sizes(&view[1])[..]),
            other => panic!("the view {other}"),
        }
    })
}

fn of_mask(mask: Mask) -> T {
    mask.cast()
}

/// What this crate says.
fn computed(name: &str, options: &Value, inputs: &[T]) -> T {
    let x = &inputs[0];
    let y = || &inputs[1];
    let option = |name: &str| number(&options[name]);
    let count = |name: &str| options[name].as_u64().expect("a whole number") as usize;
    let list = sizes(options.get("axes").unwrap_or(&Value::Array(Vec::new())));
    let axes = &list[..];
    // Places along an axis, in the shape without it.
    let places = |places: Vec<usize>| {
        let mut dims = x.shape().to_vec();
        dims.remove(count("axis"));
        Tensor::new(&dims[..], places.iter().map(|&place| place as f64).collect::<Vec<f64>>())
    };
    let positive = |x: &T| x.greater(0.0);
    match name {
        "abs" => x.abs(),
        "sign" => x.sign(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        "exp" => x.exp(),
        "ln" => x.ln(),
        "sqrt" => x.sqrt(),
        "square" => x.square(),
        "tanh" => x.tanh(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "log1p" => x.log1p(),
        "expm1" => x.expm1(),
        "erf" => x.erf(),
        "reciprocal" => x.reciprocal(),
        "rsqrt" => x.rsqrt(),
        "powi" => x.powi(option("n") as i32),
        "powf" => x.powf(option("n")),
        "clamp" => x.clamp(option("low"), option("high")),
        "pow" => x.pow(y()),
        "atan2" => x.atan2(y()),
        "maximum" => x.maximum(y()),
        "minimum" => x.minimum(y()),
        "equal" => of_mask(x.equal(y())),
        "not_equal" => of_mask(x.not_equal(y())),
        "less" => of_mask(x.less(y())),
        "less_equal" => of_mask(x.less_equal(y())),
        "greater" => of_mask(x.greater(y())),
        "greater_equal" => of_mask(x.greater_equal(y())),
        "logical_and" => of_mask(positive(x) & positive(y())),
        "logical_or" => of_mask(positive(x) | positive(y())),
        "logical_xor" => of_mask(positive(x) ^ positive(y())),
        "logical_not" => of_mask(!positive(x)),
        "select" => Tensor::select(&positive(x), y(), &inputs[2]),
        "masked_fill" => x.masked_fill(&positive(y()), option("value")),
        "sum" => x.sum(axes),
        "mean" => x.mean(axes),
        "prod" => x.prod(axes),
        "max" => x.max(axes),
        "min" => x.min(axes),
        "logsumexp" => x.logsumexp(axes),
        "var" => x.var(axes, count("ddof")),
        "std" => x.std(axes, count("ddof")),
        "norm" => x.norm(option("order"), axes),
        "any" => of_mask(positive(x).any(axes)),
        "all" => of_mask(positive(x).all(axes)),
        "count" => of_mask(positive(x)).sum(axes),
        "cumsum" => x.cumsum(count("axis")),
        "cumprod" => x.cumprod(count("axis")),
        "argmax" => places(x.argmax(count("axis"))),
        "argmin" => places(x.argmin(count("axis"))),
        "isnan" => of_mask(x.isnan()),
        "isinf" => of_mask(x.isinf()),
        "isfinite" => of_mask(x.isfinite()),
        "neg" => -x,
        "add" => x + y(),
        "sub" => x - y(),
        "mul" => x * y(),
        "div" => x / y(),
        "softmax" => x.softmax(),
        "matmul" => x.matmul(y()),
        "masked_select" => x.masked_select(&positive(y())),
        "flatnonzero" => positive(x).flatnonzero().to_tensor(),
        other => on_tape(other, &Var::constant(x.clone())).into_value(),
    }
}

/// What there is for variables alone.
fn on_tape<'t>(name: &str, x: &Var<'t, f64>) -> Var<'t, f64> {
    match name {
        "affine" => x * -2.0 + 1.5,
        "elu" => x.elu(),
        "gelu" => x.gelu(false),
        "log_softmax" => x.log_softmax(),
        "relu" => x.relu(),
        "sigmoid" => x.sigmoid(),
        "silu" => x.silu(),
        "softplus" => x.softplus(),
        "softsign" => x.softsign(),
        "squareplus" => x.squareplus(),
        other => panic!("the function {other}"),
    }
}

#[test]
fn numpy_agrees() {
    let mut seen = BTreeSet::new();
    let mut strided = 0;
    for case in cases() {
        let name = text(&case, "name");
        seen.insert(name.to_owned());
        let inputs: Vec<T> =
            case["inputs"].as_array().expect("inputs").iter().map(viewed).collect();
        strided += inputs.iter().filter(|x| x.as_slice().is_none()).count();
        let ours = computed(name, &case["options"], &inputs);
        assert_eq!(ours.shape(), Shape::new(&sizes(&case["shape"])), "{case}");
        let golden = case["data"].as_array().expect("numbers").iter().map(number);
        for (i, (ours, golden)) in ours.iter().zip(golden).enumerate() {
            // Sums may cancel: then what is rounded is not small.
            let agrees = ours == golden
                || ours.is_nan() && golden.is_nan()
                || (ours - golden).abs() <= 1e-12 * (1.0 + golden.abs());
            assert!(agrees, "element {i}: {ours} instead of {golden} for {inputs:?}: {case}");
        }
    }
    assert_eq!(seen.len(), 75, "{seen:?}");
    assert!(strided > 400, "{strided} inputs that are not row-major");
}
