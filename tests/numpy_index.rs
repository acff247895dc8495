//! NumPy agrees on what moves, chooses and multiplies, for random shapes and strides: `tests/golden/numpy_index.py` wrote the values.

use cinta::{Indices, PadMode, Padding, Tensor, Var};
use serde_json::Value;
use std::collections::BTreeMap;

fn list(value: &Value) -> Vec<usize> {
    let values = value.as_array().expect("a list");
    values.iter().map(|x| x.as_u64().expect("a whole number") as usize).collect()
}

fn tensor(array: &Value) -> Tensor<f64> {
    let values = array["data"].as_array().expect("values");
    let number = |x: &Value| if x.is_null() { f64::NAN } else { x.as_f64().expect("a number") };
    Tensor::new(&list(&array["shape"])[..], values.iter().map(number).collect::<Vec<_>>())
}

fn permuted(x: &Tensor<f64>, order: &[usize]) -> Tensor<f64> {
    match *order {
        [a, b] => x.permute([a, b]),
        [a, b, c] => x.permute([a, b, c]),
        [a, b, c, d] => x.permute([a, b, c, d]),
        [a, b, c, d, e] => x.permute([a, b, c, d, e]),
        _ => panic!("an order of {} axes", order.len()),
    }
}

/// An input: an array behind views.
fn input(array: &Value) -> Tensor<f64> {
    let views = array["views"].as_array().expect("views");
    views.iter().fold(tensor(array), |x, view| {
        let number = |i: usize| view[i].as_u64().expect("a number") as usize;
        match view[0].as_str().expect("a name") {
            "permute" => permuted(&x, &list(&view[1])),
            "flip" => x.flip(number(1)),
            "step" => x.step(number(1), number(2)),
            "slice" => x.slice(number(1), number(2)..number(3)),
            other => panic!("no view {other}"),
        }
    })
}

/// The attributes of a case.
struct Attrs<'a>(&'a Value);

impl Attrs<'_> {
    fn number(&self, name: &str) -> usize {
        self.0[name].as_u64().unwrap_or_else(|| panic!("a number {name}")) as usize
    }

    fn signed(&self, name: &str) -> isize {
        self.0[name].as_i64().unwrap_or_else(|| panic!("a number {name}")) as isize
    }

    fn axis(&self) -> usize {
        self.number("axis")
    }

    fn list(&self, name: &str) -> Vec<usize> {
        list(&self.0[name])
    }

    fn pair(&self, name: &str) -> [usize; 2] {
        self.list(name).try_into().expect("two numbers")
    }

    fn indices(&self) -> Indices {
        tensor(&self.0["indices"]).to_indices().expect("indices")
    }

    fn border(&self) -> Vec<[usize; 2]> {
        let sides = self.0["border"].as_array().expect("a border").iter();
        sides.map(|side| list(side).try_into().expect("two sides")).collect()
    }

    fn mode(&self) -> PadMode {
        match self.0["mode"].as_str().expect("a mode") {
            "edge" => PadMode::Edge,
            "reflect" => PadMode::Reflect,
            "symmetric" => PadMode::Symmetric,
            "wrap" => PadMode::Wrap,
            other => panic!("no mode {other}"),
        }
    }
}

/// What the crate's operation of this name gives.
fn outputs(op: &str, inputs: &[Tensor<f64>], attrs: &Attrs<'_>) -> Vec<Tensor<f64>> {
    let numbers = |indices: &Indices| indices.to_tensor::<f64>();
    let x = || &inputs[0];
    let y = || &inputs[1];
    let one = match op {
        "argsort" => numbers(&x().argsort(attrs.axis())),
        "batch_matmul" => x().batch_matmul(y()),
        "chunks" => return x().chunks(attrs.axis(), attrs.number("count")),
        "concat_along" => Tensor::concat_along(inputs, attrs.axis()),
        "conv1d" | "conv3d" => convolution(op, x(), y(), &list(&attrs.0["strides"])),
        "diag" => x().diag(attrs.signed("offset")),
        "diagonal" => x().diagonal(attrs.signed("offset"), attrs.pair("axes")),
        "einsum" => {
            let formula = attrs.0["formula"].as_str().expect("a formula");
            Tensor::einsum(formula, &inputs.iter().collect::<Vec<_>>())
        }
        "expand_dims" => x().expand_dims(attrs.axis()),
        "flip" => x().flip(attrs.axis()),
        "gather" => x().gather(attrs.axis(), attrs.indices()),
        "index_select" => x().index_select(attrs.axis(), attrs.indices()),
        "move_axis" => {
            let [from, to] = attrs.pair("axes");
            x().move_axis(from, to)
        }
        "one_hot" => attrs.indices().one_hot(attrs.number("classes")),
        "outer" => x().outer(y()),
        "pad" => x().pad(&attrs.border()),
        "pad_constant" => x().pad_constant(&attrs.border(), attrs.0["value"].as_f64().unwrap()),
        "pad_with" => x().pad_with(&attrs.border(), attrs.mode()),
        "repeat" => x().repeat(attrs.axis(), attrs.number("times")),
        "roll" => x().roll(attrs.axis(), attrs.signed("shift")),
        "scatter_add" => x().scatter_add(attrs.axis(), attrs.indices(), y()),
        "sort" => x().sort(attrs.axis()),
        "split" => return x().split(attrs.axis(), &list(&attrs.0["lengths"])),
        "squeeze" => x().squeeze(attrs.axis()),
        "stack" => Tensor::stack(inputs, attrs.axis()),
        "swap_axes" => {
            let [a, b] = attrs.pair("axes");
            x().swap_axes(a, b)
        }
        "tensordot" => x().tensordot(y(), &list(&attrs.0["axes"]), &list(&attrs.0["other_axes"])),
        "tile" => x().tile(&list(&attrs.0["times"])),
        "top_k" => {
            let (values, indices) = x().top_k(attrs.axis(), attrs.number("k"));
            return vec![values, numbers(&indices)];
        }
        "trace" => x().trace(),
        "tril" => x().tril(attrs.signed("offset")),
        "triu" => x().triu(attrs.signed("offset")),
        "unique" => {
            let unique = x().unique();
            let counts = unique.counts.iter().map(|&count| count as f64).collect();
            return vec![unique.values, numbers(&unique.indices), numbers(&unique.inverse), counts];
        }
        other => return vec![view(other, inputs, attrs)],
    };
    vec![one]
}

/// What shows values in another shape, and what goes over windows of images.
fn view(op: &str, inputs: &[Tensor<f64>], attrs: &Attrs<'_>) -> Tensor<f64> {
    let x = || &inputs[0];
    let on_tape = |x: &Tensor<f64>| Var::constant(x.clone());
    match op {
        "arange" => Tensor::arange(attrs.number("n")),
        "avg_pool2d" => {
            let [size, strides] = ["size", "strides"].map(|name| attrs.pair(name));
            // The sum of a window is a multiple of 1/8, its mean is none.
            let means = on_tape(x()).avg_pool2d(size, strides, Padding::Valid).into_value();
            (means * (size[0] * size[1]) as f64 * 8.0).round() * 0.125
        }
        "broadcast_to" => x().broadcast_to(&attrs.list("shape")[..]),
        "concat" => Tensor::concat(inputs),
        "conv2d" => {
            let (kernel, bias) = (on_tape(&inputs[1]), Tensor::zeros([inputs[1].shape()[3]]));
            let bias = Var::constant(bias);
            on_tape(x()).conv2d(&kernel, &bias, attrs.pair("strides"), Padding::Valid).into_value()
        }
        "embedding" => on_tape(x()).embedding(&attrs.indices().to_tensor()).into_value(),
        "eye" => Tensor::eye(attrs.number("n")),
        "max_pool2d" => {
            let [size, strides] = ["size", "strides"].map(|name| attrs.pair(name));
            on_tape(x()).max_pool2d(size, strides, Padding::Valid).into_value()
        }
        "permute" => match *attrs.list("axes") {
            [_] => x().clone(),
            ref order => permuted(x(), order),
        },
        "repeat_each" => x().repeat(attrs.axis(), attrs.list("times")),
        "reshape" => x().reshape(&attrs.list("shape")[..]),
        "slice" => x().slice(attrs.axis(), attrs.number("start")..attrs.number("end")),
        "step" => x().step(attrs.axis(), attrs.number("step")),
        "t" => x().t(),
        "take" => x().take(attrs.indices().values()),
        "windows" => x().windows(attrs.pair("size"), attrs.pair("strides")),
        other => panic!("no operation {other}"),
    }
}

fn convolution(op: &str, x: &Tensor<f64>, kernel: &Tensor<f64>, strides: &[usize]) -> Tensor<f64> {
    let outputs = *kernel.shape().last().expect("outputs");
    let bias = Var::constant(Tensor::zeros([outputs]));
    let [x, kernel] = [x, kernel].map(|x| Var::constant(x.clone()));
    match (op, strides) {
        ("conv1d", &[stride]) => x.conv1d(&kernel, &bias, stride, Padding::Valid),
        (_, &[a, b, c]) => x.conv3d(&kernel, &bias, [a, b, c], Padding::Valid),
        _ => panic!("{op} with the strides {strides:?}"),
    }
    .into_value()
}

#[test]
fn numpy_agrees() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/numpy_index.json");
    let text = std::fs::read_to_string(path).expect("the golden file");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    let mut seen = BTreeMap::new();
    for (number, case) in golden["cases"].as_array().expect("cases").iter().enumerate() {
        let op = case["op"].as_str().expect("a name");
        let inputs: Vec<Tensor<f64>> =
            case["inputs"].as_array().expect("inputs").iter().map(input).collect();
        let found = outputs(op, &inputs, &Attrs(&case["attrs"]));
        let expected: Vec<Tensor<f64>> =
            case["outputs"].as_array().expect("outputs").iter().map(tensor).collect();
        assert_eq!(found.len(), expected.len(), "case {number}, {op}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.shape(), expected.shape(), "case {number}, {op} {}", case["attrs"]);
            // All numbers are multiples of 1/8, and so are exact however they are added up.
            let same = |(a, b): (f64, f64)| a == b || a.is_nan() && b.is_nan();
            assert!(
                found.iter().zip(expected.iter()).all(same),
                "case {number}, {op} {}: {found:?} instead of {expected:?}",
                case["attrs"]
            );
        }
        *seen.entry(op).or_insert(0) += 1;
    }
    // As many operations as `outputs` knows, each of them several times.
    assert!(seen.len() == 50 && seen.values().all(|&count| count >= 6), "{seen:?}");
}
