//! Gradients against finite differences.

use super::{Tape, Var};
use crate::tensor::{Stream, Tensor};
use std::fmt;

/// A gradient that differs from the slope of the function.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Which input's gradient.
    pub input: usize,
    /// The element, in row-major order.
    pub element: usize,
    /// The gradient from the tape.
    pub gradient: f64,
    /// The slope from central differences.
    pub slope: f64,
    /// The memory order of the inputs: `"row-major"`, `"batch-minor"` or `"sliced"`.
    pub layout: &'static str,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { input, element, gradient, slope, layout } = self;
        write!(
            f,
            "the gradient of input {input} at element {element} is {gradient:e}, \
             but the function's slope there is {slope:e} ({layout} inputs)"
        )
    }
}

impl std::error::Error for Mismatch {}

/// The half-width of a central difference, relative to the element.
const STEP: f64 = 1e-5;
/// Differences up to this, relative to the larger number or to one, are rounding.
const TOLERANCE: f64 = 1e-6;

/// Compares the gradients of `f` with central differences, in `f64`:
/// `(f(x + h) - f(x - h)) / 2h` for every element of every input, where the output is contracted with
/// fixed random numbers so that no two of its elements can hide each other's errors.
///
/// The check runs on the inputs in row-major order, with the first axis innermost in memory
/// (batch-minor), and as a part of larger tensors. Choose inputs away from kinks (the 0 of a ReLU,
/// ties of a maximum), and batches of an odd size such as 3 or 5, which no vector length divides.
///
/// # Errors
/// The first [`Mismatch`].
///
/// # Panics
/// When `f` panics, or gives an output that depends on none of its inputs.
///
/// ```
/// use cinta::{Tensor, gradcheck};
/// let (x, w) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[0.5], [-0.25]]));
/// gradcheck(|[x, w]| x.matmul(w).tanh(), [x, w]).unwrap();
/// ```
#[track_caller]
pub fn gradcheck<const N: usize>(
    f: impl for<'t> Fn([&Var<'t, f64>; N]) -> Var<'t, f64>,
    inputs: [Tensor<f64>; N],
) -> Result<(), Mismatch> {
    LAYOUTS.iter().try_for_each(|layout| check(&f, &inputs, layout))
}

type Arrange = fn(&Tensor<f64>) -> Tensor<f64>;
const LAYOUTS: [(&str, Arrange); 3] =
    [("row-major", Tensor::row_major), ("batch-minor", batch_minor), ("sliced", sliced)];

/// The same values with stride 1 along the first axis.
fn batch_minor(x: &Tensor<f64>) -> Tensor<f64> {
    if x.rank() < 2 {
        return x.clone();
    }
    let [n, rest] = [x.shape()[0], x.shape().sample().count()];
    let stored = x.reshape([n, rest]).t().row_major();
    // [rest..., n] in memory, with the last axis moved to the front.
    let mut dims = x.shape().sample().to_vec();
    dims.push(n);
    let stored = stored.reshape(&dims[..]);
    match x.rank() {
        2 => stored.permute([1, 0]),
        3 => stored.permute([2, 0, 1]),
        4 => stored.permute([3, 0, 1, 2]),
        5 => stored.permute([4, 0, 1, 2, 3]),
        _ => stored.permute([5, 0, 1, 2, 3, 4]),
    }
}

/// The same values as every second element along the last axis of a larger tensor.
fn sliced(x: &Tensor<f64>) -> Tensor<f64> {
    let Some(last) = x.rank().checked_sub(1) else { return x.clone() };
    let mut dims = x.shape().to_vec();
    dims[last] = 2 * dims[last] + 1;
    let values = x.row_major();
    let larger = Tensor::from_fn(&dims[..], |at| match at[last] % 2 {
        0 => f64::NAN, // must never be read
        _ => {
            let row = at[..last].iter().zip(&*x.shape()).fold(0, |row, (&i, &dim)| row * dim + i);
            values.as_slice().expect("row-major")[row * x.shape()[last] + at[last] / 2]
        }
    });
    larger.slice(last, 1..).step(last, 2)
}

fn check<const N: usize>(
    f: &impl for<'t> Fn([&Var<'t, f64>; N]) -> Var<'t, f64>,
    inputs: &[Tensor<f64>; N],
    &(layout, arrange): &(&'static str, Arrange),
) -> Result<(), Mismatch> {
    let tape = Tape::new();
    let leaves = inputs.each_ref().map(|input| tape.leaf(arrange(input)));
    let y = f(leaves.each_ref());
    let dy = Tensor::uniform(y.shape(), 0.5, 1.5, &mut Stream::new(20_181_001));
    let loss = (&y * &Var::constant(dy.clone())).sum(..);
    let gradients = loss.backward();

    for (input, leaf) in leaves.iter().enumerate() {
        for (element, gradient) in gradients.wrt(leaf).iter().enumerate() {
            let mut moved = inputs[input].clone();
            let value = moved.as_mut_slice()[element];
            let mut loss_at = |shifted: f64| {
                moved.as_mut_slice()[element] = shifted;
                let mut constants = inputs.each_ref().map(|x| Var::constant(arrange(x)));
                constants[input] = Var::constant(arrange(&moved));
                (f(constants.each_ref()).value() * &dy).sum(..).item()
            };
            let h = STEP * value.abs().max(1.0);
            let slope = (loss_at(value + h) - loss_at(value - h)) / ((value + h) - (value - h));
            let scale = gradient.abs().max(slope.abs()).max(1.0);
            // Written so that a NaN is a mismatch.
            if (gradient - slope).abs() <= TOLERANCE * scale {
                continue;
            }
            return Err(Mismatch { input, element, gradient, slope, layout });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Op, apply};

    /// Says that the derivative of `x` is `slope`.
    struct Scaled(f64);

    impl Op<f64, 1> for Scaled {
        const NAME: &'static str = "scaled";
        type Saved = ();
        fn forward(&self, [x]: [&Tensor<f64>; 1], _: [bool; 1]) -> (Tensor<f64>, ()) {
            (x.clone(), ())
        }
        fn backward(&self, (): (), dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
            [Some(dy * self.0)]
        }
    }

    #[test]
    fn a_wrong_gradient_is_found_and_named() {
        let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        gradcheck(|[x]| apply(Scaled(1.0), [x]), [x.clone()]).unwrap();
        let mismatch = gradcheck(|[x]| apply(Scaled(1.001), [x]), [x]).unwrap_err();
        assert_eq!((mismatch.input, mismatch.element), (0, 0));
        assert!(mismatch.to_string().starts_with("the gradient of input 0 at element 0 is "));
    }

    #[test]
    fn a_nan_gradient_is_a_mismatch() {
        assert!(gradcheck(|[x]| apply(Scaled(f64::NAN), [x]), [Tensor::scalar(1.0)]).is_err());
    }

    #[test]
    fn layouts_change_the_memory_and_not_the_values() {
        let x = Tensor::<f64>::arange(24).reshape([3, 2, 4]);
        for (layout, arrange) in LAYOUTS {
            assert_eq!(arrange(&x), x, "{layout}");
        }
        assert_eq!(batch_minor(&x).strides(), [1, 12, 3]);
        assert_eq!(sliced(&x).strides(), [18, 9, 2]);
    }
}
