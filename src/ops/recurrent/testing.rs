//! What the tests of the recurrent operations share.

use super::Nonlinearity;
use crate::autograd::Var;
use crate::tensor::Tensor;

impl Nonlinearity<f64> {
    /// The function of all values.
    pub fn of<'t>(&self, x: &Var<'t, f64>) -> Var<'t, f64> {
        match self {
            Nonlinearity::Linear => x.clone(),
            Nonlinearity::Sigmoid => x.sigmoid(),
            Nonlinearity::Tanh => x.tanh(),
            Nonlinearity::Other(function) => function(x),
        }
    }
}

/// Each of the usual functions, one that looks at whole rows, and one that does not look at anything.
pub fn nonlinearity(kind: u8) -> Nonlinearity<f64> {
    match kind {
        0 => Nonlinearity::Linear,
        1 => Nonlinearity::Sigmoid,
        2 => Nonlinearity::Tanh,
        3 => Nonlinearity::other(|x| x.softmax()),
        _ => Nonlinearity::other(|x| Var::constant(Tensor::full(x.shape(), 0.25))),
    }
}

/// No mask, and one that leaves out the first step, the last one, some between, or all of a sample.
pub fn masks(n: usize, steps: usize) -> Vec<Option<Tensor<f64>>> {
    let left_out = |at: &[usize]| match at[0] % 4 {
        0 => at[1] == 0,
        1 => at[1] + 1 == steps,
        2 => at[1] % 2 == 1,
        _ => true,
    };
    let mask = Tensor::from_fn([n, steps], |at| if left_out(at) { 0.0 } else { 1.0 });
    vec![None, Some(mask)]
}
