//! How gradients are computed: the tape, a derivative by hand and by tape, and an operation of one's own.
//!
//! `cargo run --release --example autograd`

use cinta::{Op, Tape, Tensor, Var, apply, gradcheck};

/// `y = x^3`, element by element: an operation that the crate does not have.
struct Cube;

impl Op<f64, 1> for Cube {
    const NAME: &'static str = "cube";
    type Saved = Tensor<f64>; // x

    fn forward(&self, [x]: [&Tensor<f64>; 1], _: [bool; 1]) -> (Tensor<f64>, Tensor<f64>) {
        (x.map(|x| x * x * x), x.clone())
    }

    // dx = 3 x^2 dy
    fn backward(&self, x: Tensor<f64>, dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
        [Some(dy * x.map(|x| 3.0 * x * x))]
    }
}

fn cube<'t>(x: &Var<'t, f64>) -> Var<'t, f64> {
    apply(Cube, [x])
}

/// The same with a gradient that is wrong.
struct WrongCube;

impl Op<f64, 1> for WrongCube {
    const NAME: &'static str = "wrong_cube";
    type Saved = Tensor<f64>;

    fn forward(&self, x: [&Tensor<f64>; 1], wanted: [bool; 1]) -> (Tensor<f64>, Tensor<f64>) {
        Cube.forward(x, wanted)
    }

    fn backward(&self, x: Tensor<f64>, dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
        [Some(dy * x.map(|x| 2.0 * x * x))]
    }
}

fn main() {
    // One unit of a network: y = tanh(w1 x1 + w2 x2 + b), and its squared distance from a target.
    let tape = Tape::new();
    let w = tape.leaf(Tensor::from([0.5, -0.25]));
    let b = tape.leaf(Tensor::scalar(0.1));
    let x = Var::constant(Tensor::from([1.0, 2.0]));
    let y = ((&w * &x).sum(..) + &b).tanh();
    let loss = (&y - 1.0).square();
    println!("loss = {:.6}\n\nthe tape\n{tape:?}", loss.value().item());

    // By hand: with z = w x + b,  d loss / dw = 2 (y - 1) (1 - y^2) x.
    let y = y.value().item();
    let dz = 2.0 * (y - 1.0) * (1.0 - y * y);
    println!("by hand  dw = [{:.6}, {:.6}], db = {dz:.6}", dz * 1.0, dz * 2.0);
    let gradients = loss.backward();
    println!("by tape  dw = {:.6}, db = {:.6}\n", gradients.wrt(&w), gradients.wrt(&b));

    // An operation of one's own is a formula and its rule; it is recorded as any other.
    let tape = Tape::new();
    let x = tape.leaf(Tensor::from([1.0, -2.0, 0.5]));
    let loss = cube(&x).sum(..);
    println!("the tape\n{tape:?}");
    println!("d sum(x^3) / dx = {}\n", loss.backward().wrt(&x));

    // Finite differences know whether the rule is right.
    let at = Tensor::from([[1.0, -2.0], [0.5, 3.0]]);
    println!("cube: {:?}", gradcheck(|[x]| cube(x), [at.clone()]));
    let mismatch = gradcheck(|[x]| apply(WrongCube, [x]), [at]).expect_err("a wrong rule");
    println!("wrong_cube: {mismatch}");
}
