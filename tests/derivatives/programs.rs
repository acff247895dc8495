//! Random programs of up to 30 operations: gradients and Hessians against differences, forward mode against reverse mode.

use super::ops::all;
use super::steps::{STEPS, WEIGHTS, step};
use cinta::{
    Dual, Scalar, Stream, Tensor, Var, grad, gradcheck, gradgradcheck, hessian, hvp, jvp, vjp,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Which steps a program consists of.
fn programs() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(&STEPS[..]), 1..31)
}

/// The images behind the last step.
fn last<'t, T: Scalar>([x, w]: [&Var<'t, T>; 2], steps: &[&str]) -> Var<'t, T> {
    steps.iter().fold(x.clone(), |x, name| step(name, &x, w))
}

/// The whole program, as one number: a function of `x` and `w`, written once.
fn program<'t, T: Scalar>(inputs: [&Var<'t, T>; 2], steps: &[&str]) -> Var<'t, T> {
    let y = last(inputs, steps);
    (y.square() * T::lit(0.5) + y).mean(..)
}

fn inputs(seed: u64) -> [Tensor<f64>; 2] {
    let draws = &mut Stream::new(seed);
    [Tensor::uniform([2, 2, 2, 2], -1.0, 1.0, draws), Tensor::uniform([WEIGHTS], -1.0, 1.0, draws)]
}

fn near(a: &Tensor<f64>, b: &Tensor<f64>, relative: f64) -> bool {
    let largest = b.abs().max(..).item();
    a.all_close(b, 0.0, relative * largest + 1e-12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_programs(steps in programs(), seed: u64) {
        let [x, w] = inputs(seed);
        let first = gradcheck(|vars| program(vars, &steps), [x.clone(), w.clone()]);
        prop_assert!(first.is_ok(), "{steps:?}: {}", first.unwrap_err());
        let second = gradgradcheck(|vars| program(vars, &steps), [x.clone(), w.clone()]);
        prop_assert!(second.is_ok(), "{steps:?}: {}", second.unwrap_err());

        // Whatever way a derivative is computed, it is the same.
        let [dx, dw] = inputs(seed ^ 1);
        let f = |vars: [&Var<'_, f64>; 2]| -> f64 { program(vars, &steps).value().item() };
        let constants = [x.clone(), w.clone()].map(Var::constant);
        let plain = f(constants.each_ref());
        let (y, dy) = jvp(|vars| program(vars, &steps), [&x, &w], [&dx, &dw]);
        prop_assert!((y.item() - plain).abs() <= 1e-12 * (1.0 + plain.abs()), "{} {}", y.item(), plain);
        let [gx, gw] = grad(|vars| program(vars, &steps), [&x, &w]);
        let along = (&gx * &dx).sum(..).item() + (&gw * &dw).sum(..).item();
        prop_assert!((dy.item() - along).abs() <= 1e-9 * (1.0 + along.abs()), "{} {}", dy.item(), along);

        // A Hessian is symmetric, and its product with a direction is hvp.
        let [[xx, xw], [wx, ww]] = hessian(
            |[x, w]| program([&x.reshape([2, 2, 2, 2]), w], &steps),
            [&x.reshape([16]), &w],
        );
        prop_assert!(near(&xx, &xx.t(), 1e-9) && near(&ww, &ww.t(), 1e-9) && near(&wx, &xw.t(), 1e-9));
        let [hx, hw] = hvp(|vars| program(vars, &steps), [&x, &w], [&dx, &dw]);
        let [dx, dw] = [dx.reshape([16, 1]), dw.reshape([WEIGHTS, 1])];
        let product = xx.matmul(&dx) + xw.matmul(&dw);
        prop_assert!(near(&hx.reshape([16, 1]), &product, 1e-8), "{hx:?} {product:?}");
        let product = wx.matmul(&dx) + ww.matmul(&dw);
        prop_assert!(near(&hw.reshape([WEIGHTS, 1]), &product, 1e-8), "{hw:?} {product:?}");
    }

    /// `(J v) u = v (J u)`: forward and reverse mode are each other's transpose.
    #[test]
    fn forward_and_reverse_are_transposes(steps in programs(), seed: u64) {
        let ([x, w], [dx, dw]) = (inputs(seed), inputs(seed ^ 1));
        let (y, forward) = jvp(|vars| last(vars, &steps), [&x, &w], [&dx, &dw]);
        let u = Tensor::uniform(y.shape(), -1.0, 1.0, &mut Stream::new(seed ^ 2));
        let (_, [gx, gw]) = vjp(|vars| last(vars, &steps), [&x, &w], &u);
        let there = (&forward * &u).sum(..).item();
        let back = (&gx * &dx).sum(..).item() + (&gw * &dw).sum(..).item();
        prop_assert!((there - back).abs() <= 1e-9 * (1.0 + there.abs()), "{there} {back}");
    }
}

/// Each step by itself, behind itself, and with derivatives that are checked: so no random program is needed to find one that is wrong.
#[test]
fn programs_of_one_step() {
    let mut wrong = Vec::new();
    for name in STEPS {
        let (steps, [x, w]) = ([name, name], inputs(7));
        let first = gradcheck(|vars| program(vars, &steps), [x.clone(), w.clone()]);
        let second = gradgradcheck(|vars| program(vars, &steps), [x, w]);
        wrong.extend([first, second].into_iter().filter_map(Result::err).map(|it| (name, it)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn programs_draw_from_all_operations() {
    let several = ["checkpoint", "jvp"];
    let operations = STEPS.iter().filter(|name| !several.contains(name));
    assert_eq!(operations.map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), all());
}

/// Duals of duals: third derivatives of programs, in closed form.
#[test]
fn third_derivatives() {
    // The derivative along 1 of the Hessian's product with 1: f'''.
    fn third(
        f: impl for<'t> Fn(&Var<'t, Dual<Dual<f64>>>) -> Var<'t, Dual<Dual<f64>>>,
        at: &[f64],
    ) -> Vec<f64> {
        let x = Tensor::new([at.len()], at.to_vec());
        let (one, zero) = (Tensor::ones(x.shape()), Tensor::zeros(x.shape()));
        let [h] = hvp(|[x]| f(x).sum(..), [&x.dual(&one)], [&one.dual(&zero)]);
        h.tangents().to_vec()
    }
    let at = [-1.2, 0.4, 2.0];
    let close = |found: Vec<f64>, expected: fn(f64) -> f64| {
        for (found, x) in found.iter().zip(at) {
            let expected = expected(x);
            assert!(
                (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                "{found} {expected}"
            );
        }
    };
    close(third(|x| x.square() * x * x + x.square(), &at), |x| 24.0 * x);
    close(third(|x| x.exp(), &at), f64::exp);
    close(third(|x| x.tanh(), &at), |x| {
        let t = x.tanh();
        (1.0 - t * t) * (6.0 * t * t - 2.0)
    });
    close(third(|x| (x.square() + 1.0).ln(), &at), |x| {
        4.0 * x * (x * x - 3.0) / (x * x + 1.0).powi(3)
    });
}

/// What all of them do with functions that do not fit.
#[test]
fn wrong_functions_panic() {
    let message = |run: fn()| {
        let panicked = std::panic::catch_unwind(run).expect_err("a panic");
        panicked.downcast_ref::<String>().cloned().expect("a message")
    };
    let of_two = "the function's value has shape [2], and must be a single number";
    let x = || Tensor::from([1.0, 2.0]);
    let said = message(|| drop(grad(|[x]| x.exp(), [&Tensor::from([1.0, 2.0])])));
    assert!(said.contains(&format!("grad: {of_two}")), "{said}");
    let said = message(|| {
        let x = Tensor::from([1.0, 2.0]);
        drop(hvp(|[x]| x.exp(), [&x], [&x]));
    });
    assert!(said.contains(&format!("hvp: {of_two}")), "{said}");
    let said = message(|| {
        drop(jvp(|[x]| x.exp(), [&Tensor::from([1.0, 2.0])], [&Tensor::from([1.0])]));
    });
    assert!(said.contains("dual: tangents of shape [1] for values of shape [2]"), "{said}");
    let said = message(|| drop(vjp(|[x]| x.exp(), [&Tensor::from([1.0])], &Tensor::scalar(1.0))));
    assert!(said.contains("vjp: a gradient of shape [] for a value of shape [1]"), "{said}");
    let said = message(|| {
        let x = Tensor::<f64>::ones([1, 1, 1, 1]);
        drop(hessian(|[x]| x.square().sum(..), [&x]));
    });
    assert!(
        said.contains("hessian: the derivative of shape [1, 1, 1, 1] by [1, 1, 1, 1] has 8 axes")
    );
    // A function that depends on nothing has gradients of zeros, as in JAX.
    let constant = grad(|[_]| Var::constant(Tensor::scalar(1.0)), [&x()]);
    assert_eq!(constant[0].to_vec(), [0.0, 0.0]);
    let [h] = hvp(|[x]| x.stop_gradient().exp().sum(..), [&x()], [&x()]);
    assert_eq!(h.to_vec(), [0.0, 0.0]);
    let (_, dy) = jvp(|[x]| x.stop_gradient() * x, [&x()], [&x()]);
    assert_eq!(dy.to_vec(), [1.0, 4.0]);
}

/// A gradient check that finds what is wrong.
#[test]
fn a_wrong_second_derivative_is_found() {
    /// x^2, whose rule has a factor that does not move with x.
    struct Careless;
    impl<T: Scalar> cinta::Op<T, 1> for Careless {
        const NAME: &'static str = "careless";
        type Saved = Tensor<T>;
        fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
            (x.square(), x.cast())
        }
        fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
            // Not the value that moves.
            [Some(dy * x.cast::<T>() * T::lit(2.0))]
        }
    }
    let x = Tensor::from([[0.5, 1.0], [-2.0, 3.0]]);
    gradcheck(|[x]| cinta::apply(Careless, [x]), [x.clone()]).unwrap();
    let wrong = gradgradcheck(|[x]| cinta::apply(Careless, [x]), [x]).unwrap_err();
    assert_eq!((wrong.input, wrong.element, wrong.gradient), (0, 0, 0.0));
    assert!(wrong.slope > 0.9);
}
