//! Random programs of up to 30 operations: gradients and Hessians against differences, forward mode against reverse mode.

use super::ops::all;
use super::steps::{STEPS, WEIGHTS, step};
use cinta::{
    Dual, Scalar, Stream, Tensor, Var, grad, gradcheck, gradgradcheck, hessian, hvp, jacobian, jvp,
    value_and_grad, vjp,
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

/// Inputs, directions and what they multiply may lie in memory in any way.
#[test]
fn any_order_of_memory() {
    type Order = fn(&Tensor<f64>) -> Tensor<f64>;
    fn f<'t, T: Scalar>([x, w]: [&Var<'t, T>; 2]) -> Var<'t, T> {
        (x.matmul(w).sin() * x.cumsum(0).slice(1, 0..1)).square().log1p()
    }
    let draws = &mut Stream::new(5);
    let mut draw = |dims: [usize; 2]| Tensor::<f64>::uniform(dims, -1.0, 1.0, draws);
    let plain = [[draw([3, 4]), draw([4, 2])], [draw([3, 4]), draw([4, 2])]];
    let turned = |x: &Tensor<f64>| x.t().row_major().t();
    let backwards = |x: &Tensor<f64>| x.flip(0).flip(1).row_major().flip(1).flip(0);
    let sparse = |x: &Tensor<f64>| {
        let twice = x.repeat(0, 2).repeat(1, 3);
        twice.step(0, 2).step(1, 3)
    };
    let orders: [Order; 4] = [turned, backwards, sparse, Tensor::clone];
    let u = draw([3, 2]);
    let all = |[x, dx]: [[Tensor<f64>; 2]; 2], u: &Tensor<f64>| {
        let (x, dx) = (x.each_ref(), dx.each_ref());
        let mut found = Vec::from(jacobian(f, x));
        let (y, gradients) = vjp(f, x, u);
        let (same, dy) = jvp(f, x, dx);
        assert_eq!(y, same);
        found.extend([y, dy]);
        found.extend(gradients);
        found.extend(grad(|inputs| f(inputs).sum(..), x));
        found.extend(hvp(|inputs| f(inputs).sum(..), x, dx));
        found.extend(hessian(|inputs| f(inputs).sum(..), x).into_iter().flatten());
        found
    };
    let expected = all(plain.clone(), &u);
    for (i, order) in orders.iter().enumerate() {
        let other = orders[(i + 1) % orders.len()];
        let [x, dx] = plain.each_ref();
        let found = all([x.each_ref().map(order), dx.each_ref().map(other)], &other(&u));
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.shape(), expected.shape());
            assert!(found.all_close(expected, 1e-12, 1e-14), "{found:?} {expected:?}");
        }
    }
}

/// Of no numbers, of one without axes, and of some that are none.
#[test]
fn derivatives_of_little() {
    let nothing = Tensor::<f64>::zeros([0, 2]);
    let [g] = grad(|[x]| x.exp().sum(..), [&nothing]);
    let [j] = jacobian(|[x]| x.exp(), [&nothing]);
    let (y, dy) = jvp(|[x]| x.exp(), [&nothing], [&nothing]);
    let (_, [v]) = vjp(|[x]| x.exp(), [&nothing], &nothing);
    assert_eq!([&g, &y, &dy, &v].map(Tensor::shape), [nothing.shape(); 4]);
    assert_eq!(j.shape(), [0, 2, 0, 2]);
    // Beside an input that has numbers.
    let x = Tensor::from([3.0]);
    let [[xx, xn], [nx, nn]] = hessian(|[x, n]| x.powi(3).sum(..) + n.sum(..), [&x, &nothing]);
    assert_eq!(xx.to_vec(), [18.0]);
    assert_eq!((xn.shape(), nx.shape()), ([1, 0, 2].into(), [0, 2, 1].into()));
    assert_eq!(nn.shape(), [0, 2, 0, 2]);

    let x = Tensor::scalar(2.0);
    let [j] = jacobian(|[x]| x.powi(3), [&x]);
    let [[h]] = hessian(|[x]| x.powi(3), [&x]);
    assert_eq!((j, h), (Tensor::scalar(12.0), Tensor::scalar(12.0)));
    // A function of nothing at all.
    let (y, []) = value_and_grad(|[]| Var::constant(Tensor::scalar(5.0)), []);
    assert_eq!(y, 5.0);

    // What is no number spoils its own place only.
    let x = Tensor::from([f64::NAN, 2.0, f64::INFINITY]);
    let [g] = grad(|[x]| x.square().sum(..), [&x]);
    assert!(g.at([0]).is_nan() && g.at([1]) == 4.0 && g.at([2]) == f64::INFINITY);
    let one = Tensor::ones([3]);
    let [h] = hvp(|[x]| x.powi(3).sum(..), [&x], [&one]);
    assert!(h.at([0]).is_nan() && h.at([1]) == 12.0, "{h:?}");
    let [kept] = grad(|[x]| x.masked_select(&x.value().isfinite()).square().sum(..), [&x]);
    assert_eq!(kept.to_vec(), [0.0, 4.0, 0.0]);
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

/// An operation of one's own has derivatives of all orders, if it is written for all numbers.
#[test]
fn an_operation_of_ones_own() {
    /// x^3
    #[derive(Clone, Copy)]
    struct Cube;
    impl<T: Scalar> cinta::Op<T, 1> for Cube {
        const NAME: &'static str = "cube";
        type Saved = Tensor<T>;
        fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
            (x * x * x, x.clone())
        }
        fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
            [Some(dy * x.square() * T::lit(3.0))]
        }
    }
    fn f<'t, T: Scalar>([x]: [&Var<'t, T>; 1]) -> Var<'t, T> {
        cinta::apply(Cube, [x])
    }
    let x = Tensor::from([[0.5, 1.0], [-2.0, 3.0]]);
    gradcheck(f, [x.clone()]).unwrap();
    gradgradcheck(f, [x.clone()]).unwrap();
    let one = Tensor::ones([2, 2]);
    let [h] = hvp(|[x]| f([x]).sum(..), [&x], [&one]);
    assert_eq!(h, &x * 6.0);
    let zero = Tensor::zeros([2, 2]);
    let [third] = hvp(|[x]| f([x]).sum(..), [&x.dual(&one)], [&one.dual(&zero)]);
    assert_eq!(third.tangents(), Tensor::full([2, 2], 6.0));
    let (y, dy) = cinta::on_tape::jvp(f, [&Var::constant(x.clone())], [&Var::constant(one)]);
    assert_eq!((y.value(), dy.value()), (&(&x * &x * &x), &(x.square() * 3.0)));
}
