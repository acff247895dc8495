//! Second derivatives against finite differences of first ones.

use super::first::unit;
use crate::autograd::{Mismatch, Recording, Var, cotangent, layouts};
use crate::scalar::Dual;
use crate::tensor::Tensor;

type D = Dual<f64>;

/// The half-width of a central difference, relative to the element.
const STEP: f64 = 1e-5;
/// Differences up to this part of the larger number are rounding.
const TOLERANCE: f64 = 1e-5;
/// The rounding of a central difference, as a part of what is subtracted divided by the step.
const ROUNDING: f64 = 1e-13;
/// Second derivatives below this are taken for 0.
const FLOOR: f64 = 1e-8;

/// Compares second derivatives of `f` with central differences of its gradients, in `f64`: every element of the Hessian of `sum(f dy)`,
/// with fixed random numbers `dy`.
///
/// It is to [`hvp`](crate::hvp) what [`gradcheck`](crate::gradcheck) is to gradients. Two numbers agree if they differ by less than
/// 10^-5 of the larger one, beside what rounding may do to a difference with steps of 10^-5. The check runs on the inputs in
/// row-major order, with the first axis innermost in memory, and as a part of larger tensors. In the [`Mismatch`], `element` is a
/// column of the Hessian: the element along which the inputs moved.
///
/// # Errors
/// The first [`Mismatch`].
///
/// # Panics
/// When `f` panics, gives another value for another memory order, or has nothing to check because the inputs are empty.
///
/// ```
/// use cinta::{Tensor, gradgradcheck};
/// let (x, w) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[0.5], [-0.25]]));
/// gradgradcheck(|[x, w]| x.matmul(w).tanh(), [x, w]).unwrap();
/// ```
#[track_caller]
pub fn gradgradcheck<const N: usize>(
    f: impl for<'t> Fn([&Var<'t, D>; N]) -> Var<'t, D>,
    inputs: [Tensor<f64>; N],
) -> Result<(), Mismatch> {
    assert!(inputs.iter().any(|input| !input.is_empty()), "gradgradcheck: all inputs are empty");
    let expected = {
        let constants = inputs.each_ref().map(|x| Var::constant(x.cast::<D>()));
        f(constants.each_ref()).into_value().values()
    };
    let dy = cotangent(&expected).cast::<D>();
    let gradients = |duals: [Tensor<D>; N], layout: &str| {
        let run = Recording::new(&f, duals, [true; N]);
        assert!(
            run.value().values().all_close(&expected, 1e-3, 1e-3),
            "gradgradcheck: the output for {layout} inputs differs from that for row-major ones"
        );
        run.backward(&dy)
    };
    for input in 0..N {
        let values = inputs[input].to_vec();
        for (element, &value) in values.iter().enumerate() {
            let h = STEP * value.abs().max(1.0);
            let gradient_at = |shifted: f64| {
                let duals = std::array::from_fn(|i| {
                    let mut x = inputs[i].row_major();
                    if i == input {
                        x.as_mut_slice()[element] = shifted;
                    }
                    x.cast::<D>()
                });
                gradients(duals, "row-major").map(|gradient| gradient.values())
            };
            let (above, below) = (gradient_at(value + h), gradient_at(value - h));
            for (layout, arrange) in layouts() {
                let duals = std::array::from_fn(|i| {
                    let tangent = match i == input {
                        true => unit(inputs[i].shape(), element),
                        false => Tensor::zeros(inputs[i].shape()),
                    };
                    arrange(&inputs[i].dual(&tangent))
                });
                let columns = gradients(duals, layout).map(|gradient| gradient.tangents());
                for (i, column) in columns.iter().enumerate() {
                    let pairs = above[i].iter().zip(below[i].iter());
                    for (second, (above, below)) in column.iter().zip(pairs) {
                        let slope = (above - below) / ((value + h) - (value - h));
                        let rounding = ROUNDING * (above.abs() + below.abs()) / h + FLOOR;
                        let scale = second.abs().max(slope.abs());
                        // Written so that a NaN is a mismatch.
                        if (second - slope).abs() <= TOLERANCE * scale + rounding {
                            continue;
                        }
                        return Err(Mismatch { input, element, gradient: second, slope, layout });
                    }
                }
            }
        }
    }
    Ok(())
}
