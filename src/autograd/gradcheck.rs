//! Gradients against finite differences.

use super::{Tape, Var};
use crate::scalar::Scalar;
use crate::tensor::{Stream, Tensor};
use std::fmt;

/// A gradient that differs from the slope of the function.
///
/// ```
/// use cinta::{Tensor, gradcheck};
/// // The slope of max(x, 0) at 0 is taken as 0; differences to both sides see 1/2.
/// let mismatch: cinta::Mismatch = gradcheck(|[x]| x.relu(), [Tensor::from([0.0])]).unwrap_err();
/// println!("{mismatch}");
/// ```
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
/// Differences up to this part of the larger number are rounding.
const TOLERANCE: f64 = 1e-6;
/// The rounding of a central difference, as a part of what is subtracted divided by the step.
const ROUNDING: f64 = 1e-13;

/// Slopes below this are taken for 0.
const FLOOR: f64 = 1e-9;

/// Compares the gradients of `f` with central differences, in `f64`:
/// `(f(x + h) - f(x - h)) / 2h` for every element of every input, where the output is contracted with
/// fixed random numbers so that no two of its elements can hide each other's errors.
///
/// The check runs on the inputs in row-major order, with the first axis innermost in memory
/// (batch-minor), and as a part of larger tensors; the output's gradient comes in those orders too, and
/// as a repeated number. It runs with all inputs tracked, and with each of them alone while the others are
/// constants, as the images of a first layer are. Choose inputs away from kinks (the 0 of a ReLU, ties of a
/// maximum), and batches of an odd size such as 3 or 5, which no vector length divides.
///
/// # Errors
/// The first [`Mismatch`].
///
/// # Panics
/// When `f` panics, gives an output that depends on none of its inputs or on the memory order of one, or
/// has nothing to check because the inputs are empty.
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
    assert!(inputs.iter().any(|input| !input.is_empty()), "gradcheck: all inputs are empty");
    let expected =
        f(inputs.each_ref().map(|x| Var::constant(x.row_major())).each_ref()).into_value();
    let slopes = slopes(&f, &inputs, &cotangent(&expected), &expected);
    let alone = (0..N).map(|i| std::array::from_fn(|j| i == j));
    for tracked in alone.chain([[true; N]]) {
        for (layout, arrange) in layouts() {
            let tape = Tape::new();
            let vars: [Var<'_, f64>; N] = std::array::from_fn(|i| {
                let value = arrange(&inputs[i]);
                if tracked[i] { tape.leaf(value) } else { Var::constant(value) }
            });
            let y = f(vars.each_ref());
            assert!(
                y.value().all_close(&expected, 1e-9, 1e-12),
                "gradcheck: the output for {layout} inputs differs from that for row-major ones"
            );
            // Multiplication by a constant hands the op a dy in the constant's memory order.
            let dy = arrange(&cotangent(&expected));
            // An output that does not depend on what is tracked has no gradients: they are all 0.
            let loss = (y * Var::constant(dy)).sum(..);
            let gradients = loss.is_tracked().then(|| loss.backward());
            for (input, leaf) in vars.iter().enumerate().filter(|(i, _)| tracked[*i]) {
                let gradient = match &gradients {
                    Some(gradients) => gradients.wrt(leaf),
                    None => Tensor::zeros(leaf.shape()),
                };
                for (element, gradient) in gradient.iter().enumerate() {
                    let (slope, rounding) = slopes[input][element];
                    let scale = gradient.abs().max(slope.abs());
                    // Written so that a NaN is a mismatch.
                    if (gradient - slope).abs() <= TOLERANCE * scale + rounding {
                        continue;
                    }
                    return Err(Mismatch { input, element, gradient, slope, layout });
                }
            }
        }
    }
    // A sum repeats one number: its dy has strides of 0, which the op must be able to read.
    let tape = Tape::new();
    let leaves = inputs.each_ref().map(|input| tape.leaf(input.clone()));
    f(leaves.each_ref()).sum(..).backward();
    Ok(())
}

/// Fixed random numbers in the shape of the output.
pub(crate) fn cotangent(y: &Tensor<f64>) -> Tensor<f64> {
    Tensor::uniform(y.shape(), 0.5, 1.5, &mut Stream::new(20_181_001))
}

/// For each element of each input, the slope of `sum(f dy)` and how far rounding may move it.
fn slopes<const N: usize>(
    f: &impl for<'t> Fn([&Var<'t, f64>; N]) -> Var<'t, f64>,
    inputs: &[Tensor<f64>; N],
    dy: &Tensor<f64>,
    y: &Tensor<f64>,
) -> [Vec<(f64, f64)>; N] {
    let magnitude = (y.abs() * dy).sum(..).item();
    std::array::from_fn(|input| {
        let mut moved = inputs[input].row_major();
        let values = moved.to_vec();
        let mut slope = |(element, &value): (usize, &f64)| {
            let mut loss_at = |shifted: f64| {
                moved.as_mut_slice()[element] = shifted;
                let mut constants = inputs.each_ref().map(|x| Var::constant(x.clone()));
                constants[input] = Var::constant(moved.clone());
                (f(constants.each_ref()).value() * dy).sum(..).item()
            };
            let h = STEP * value.abs().max(1.0);
            let slope = (loss_at(value + h) - loss_at(value - h)) / ((value + h) - (value - h));
            moved.as_mut_slice()[element] = value;
            (slope, ROUNDING * magnitude / h + FLOOR)
        };
        values.iter().enumerate().map(&mut slope).collect()
    })
}

type Arrange<T> = fn(&Tensor<T>) -> Tensor<T>;

/// Memory orders, by their names.
pub(crate) fn layouts<T: Scalar>() -> [(&'static str, Arrange<T>); 3] {
    [("row-major", Tensor::row_major), ("batch-minor", batch_minor), ("sliced", sliced)]
}

/// The same values with stride 1 along the first axis.
fn batch_minor<T: Scalar>(x: &Tensor<T>) -> Tensor<T> {
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
fn sliced<T: Scalar>(x: &Tensor<T>) -> Tensor<T> {
    let Some(last) = x.rank().checked_sub(1) else { return x.clone() };
    let mut dims = x.shape().to_vec();
    dims[last] = 2 * dims[last] + 1;
    let values = x.row_major();
    let larger = Tensor::from_fn(&dims[..], |at| match at[last] % 2 {
        0 => T::nan(), // must never be read
        _ => {
            let row = at[..last].iter().zip(&*x.shape()).fold(0, |row, (&i, &dim)| row * dim + i);
            values.as_slice().expect("row-major")[row * x.shape()[last] + at[last] / 2]
        }
    });
    larger.slice(last, 1..).step(last, 2)
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

    /// x a, which saves `a` for the wrong reason, or reads memory that it should not rely on.
    struct Careless {
        swapped: bool,
        dense_only: bool,
    }

    impl Op<f64, 2> for Careless {
        const NAME: &'static str = "careless";
        type Saved = (Tensor<f64>, Option<Tensor<f64>>);
        fn forward(
            &self,
            [x, a]: [&Tensor<f64>; 2],
            wanted: [bool; 2],
        ) -> (Tensor<f64>, Self::Saved) {
            let needed = if self.swapped { wanted[1] } else { wanted[0] };
            (x * a, (x.clone(), needed.then(|| a.clone())))
        }
        fn backward(
            &self,
            (x, a): Self::Saved,
            dy: Tensor<f64>,
            wanted: [bool; 2],
        ) -> [Option<Tensor<f64>>; 2] {
            if self.dense_only {
                dy.as_slice().expect("row-major");
            }
            [wanted[0].then(|| &dy * a.expect("saved")), wanted[1].then(|| &dy * &x)]
        }
    }

    fn check(op: impl Fn() -> Careless) {
        let inputs =
            [Tensor::from([[0.5, 2.0], [1.0, 3.0]]), Tensor::from([[0.3, 0.2], [4.0, 1.0]])];
        gradcheck(|[x, a]| apply(op(), [x, a]), inputs).unwrap();
    }

    #[test]
    fn a_careful_op_passes() {
        check(|| Careless { swapped: false, dense_only: false });
    }

    #[test]
    #[should_panic(expected = "saved")]
    fn each_input_is_tracked_alone_too() {
        check(|| Careless { swapped: true, dense_only: false });
    }

    #[test]
    #[should_panic(expected = "row-major")]
    fn the_gradient_of_the_output_comes_in_other_orders_too() {
        check(|| Careless { swapped: false, dense_only: true });
    }

    /// x in row-major memory, twice that in other orders.
    struct Fickle;

    impl Op<f64, 1> for Fickle {
        const NAME: &'static str = "fickle";
        type Saved = f64;
        fn forward(&self, [x]: [&Tensor<f64>; 1], _: [bool; 1]) -> (Tensor<f64>, f64) {
            let factor = if x.as_slice().is_some() { 1.0 } else { 2.0 };
            (x * factor, factor)
        }
        fn backward(&self, factor: f64, dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
            [Some(dy * factor)]
        }
    }

    #[test]
    #[should_panic(expected = "the output for batch-minor inputs differs")]
    fn outputs_must_not_depend_on_the_memory_order() {
        let _ = gradcheck(|[x]| apply(Fickle, [x]), [Tensor::from([[1.0, 2.0], [3.0, 4.0]])]);
    }

    #[test]
    fn small_gradients_are_not_taken_for_none() {
        let wrong = gradcheck(|[x]| apply(Scaled(0.0), [&(x * 5e-7)]), [Tensor::scalar(1.0)]);
        assert!(wrong.is_err());
    }

    #[test]
    #[should_panic(expected = "gradcheck: all inputs are empty")]
    fn nothing_to_check_is_no_success() {
        let _ = gradcheck(|[x]| x.exp(), [Tensor::zeros([0, 3])]);
    }

    #[test]
    fn layouts_change_the_memory_and_not_the_values() {
        let x = Tensor::<f64>::arange(24).reshape([3, 2, 4]);
        for (layout, arrange) in layouts() {
            assert_eq!(arrange(&x), x, "{layout}");
        }
        assert_eq!(batch_minor(&x).strides(), [1, 12, 3]);
        assert_eq!(sliced(&x).strides(), [18, 9, 2]);
    }
}
