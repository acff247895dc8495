//! The tape's rules: what is recorded, what is an error, what is printed.

use cinta::{Gradients, Op, Tape, Tensor, Var, apply, gradcheck};

fn scalar(x: f64) -> Tensor<f64> {
    Tensor::scalar(x)
}

#[test]
fn gradients_add_up_where_a_variable_is_used_twice() {
    let tape = Tape::new();
    let x = tape.leaf(scalar(3.0));
    let y = &x * &x * &x + &x * 2.0;
    assert_eq!(y.value().item(), 33.0);
    assert_eq!(y.backward().wrt(&x).item(), 29.0);
}

#[test]
fn backward_of_a_tensor_is_that_of_its_sum() {
    let tape = Tape::new();
    let x = tape.leaf(Tensor::from([1.0, 2.0]));
    assert_eq!(x.square().backward().wrt(&x).to_vec(), [2.0, 4.0]);
}

#[test]
fn constants_record_nothing() {
    let tape = Tape::<f64>::new();
    let a = Var::constant(scalar(2.0));
    let b = (&a * &a).exp();
    assert!(!b.is_tracked() && tape.is_empty());
}

#[test]
fn an_unused_leaf_has_a_gradient_of_zeros() {
    let tape = Tape::new();
    let (x, unused) = (tape.leaf(scalar(3.0)), tape.leaf(Tensor::<f64>::ones([2, 3])));
    let gradients = x.square().backward();
    assert_eq!(gradients.wrt(&unused), Tensor::zeros([2, 3]));
}

#[test]
fn what_comes_after_the_loss_does_not_count() {
    let tape = Tape::new();
    let x = tape.leaf(scalar(3.0));
    let loss = x.square();
    let _later = x.exp();
    assert_eq!(loss.backward().wrt(&x).item(), 6.0);
}

#[test]
#[should_panic(expected = "backward has run on this tape")]
fn a_second_backward_panics() {
    let tape = Tape::new();
    let y = tape.leaf(scalar(3.0)).square();
    y.backward();
    y.backward();
}

#[test]
#[should_panic(expected = "this tape's backward has run")]
fn recording_after_backward_panics() {
    let tape = Tape::new();
    let x = tape.leaf(scalar(3.0));
    x.square().backward();
    x.square();
}

#[test]
#[should_panic(expected = "backward: a constant was made without a leaf")]
fn backward_of_a_constant_panics() {
    Var::constant(scalar(1.0)).backward();
}

#[test]
#[should_panic(expected = "wrt: %1 is the result of square; gradients are kept for leaves")]
fn the_gradient_of_an_interior_variable_panics() {
    let tape = Tape::new();
    let y = tape.leaf(scalar(3.0)).square();
    y.exp().backward().wrt(&y);
}

#[test]
#[should_panic(expected = "wrt: a constant has no gradient")]
fn the_gradient_of_a_constant_panics() {
    let tape = Tape::new();
    tape.leaf(scalar(3.0)).square().backward().wrt(&Var::constant(scalar(1.0)));
}

#[test]
#[should_panic(expected = "wrt: the variable belongs to another tape")]
fn the_gradient_of_another_tapes_variable_panics() {
    let (tape, other) = (Tape::new(), Tape::new());
    let foreign = other.leaf(scalar(1.0));
    let gradients: Gradients<'_, f64> = tape.leaf(scalar(3.0)).square().backward();
    gradients.wrt(&foreign);
}

#[test]
#[should_panic(expected = "an operation on variables of two tapes")]
fn variables_of_two_tapes_do_not_mix() {
    let (tape, other) = (Tape::new(), Tape::new());
    let _ = tape.leaf(scalar(3.0)) + other.leaf(scalar(1.0));
}

#[test]
fn a_cleared_tape_starts_afresh() {
    let mut tape = Tape::new();
    for _ in 0..3 {
        {
            let x = tape.leaf(scalar(3.0));
            assert_eq!(x.square().backward().wrt(&x).item(), 6.0);
        }
        tape.clear();
    }
}

#[test]
fn the_tape_prints_its_record() {
    let tape = Tape::new();
    let x = tape.leaf(Tensor::<f64>::ones([2, 3]));
    let w = tape.leaf(Tensor::ones([3, 1]));
    let loss = (x.matmul(&w) + Var::constant(scalar(1.0))).relu().mean(..);
    let expected = "\
%0 = leaf [2, 3]
%1 = leaf [3, 1]
%2 = matmul(%0, %1) [2, 1]
%3 = add(%2, constant) [2, 1]
%4 = relu(%3) [2, 1]
%5 = mean(%4) []
";
    assert_eq!(format!("{tape:?}"), expected);
    loss.backward();
    assert_eq!(format!("{tape:?}"), expected);
}

/// y = x1 x2, but it forgets the second gradient.
struct Forgetful;

impl Op<f64, 2> for Forgetful {
    const NAME: &'static str = "forgetful";
    type Saved = (Tensor<f64>, Tensor<f64>);

    fn forward(&self, [a, b]: [&Tensor<f64>; 2], _: [bool; 2]) -> (Tensor<f64>, Self::Saved) {
        (a * b, (a.clone(), b.clone()))
    }

    fn backward(
        &self,
        (_, b): Self::Saved,
        dy: Tensor<f64>,
        _: [bool; 2],
    ) -> [Option<Tensor<f64>>; 2] {
        [Some(dy * &b), None]
    }
}

#[test]
fn an_op_need_not_give_gradients_that_nobody_wants() {
    let tape = Tape::new();
    let x = tape.leaf(scalar(3.0));
    let y = apply(Forgetful, [&x, &Var::constant(scalar(5.0))]);
    assert_eq!(y.backward().wrt(&x).item(), 5.0);
}

#[test]
#[should_panic(expected = "forgetful: backward gave no gradient of input 1, which is wanted")]
fn a_forgotten_gradient_panics() {
    let tape = Tape::new();
    apply(Forgetful, [&tape.leaf(scalar(3.0)), &tape.leaf(scalar(5.0))]).backward();
}

/// The identity, with a gradient of the wrong shape.
struct Misshapen;

impl Op<f64, 1> for Misshapen {
    const NAME: &'static str = "misshapen";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<f64>; 1], _: [bool; 1]) -> (Tensor<f64>, ()) {
        (x.clone(), ())
    }

    fn backward(&self, (): (), dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
        [Some(dy.sum(..))]
    }
}

#[test]
#[should_panic(expected = "misshapen: the gradient of input 0 has another shape than the input")]
fn a_gradient_of_another_shape_panics() {
    apply(Misshapen, [&Tape::new().leaf(Tensor::ones([2]))]).backward();
}

#[test]
fn long_chains_need_no_stack() {
    let tape = Tape::new();
    let x = tape.leaf(scalar(1.0));
    let y = (0..100_000).fold(x.clone(), |y, _| y + 1e-5);
    assert_eq!(y.backward().wrt(&x).item(), 1.0);
}

#[test]
fn a_gradient_check_sees_every_memory_order() {
    // The shape's meaning is the same in all of them, so a function of shapes alone passes.
    let x = Tensor::<f64>::arange(30).reshape([3, 2, 5]) * 0.1;
    gradcheck(|[x]| x.permute([2, 0, 1]).tanh().sum([0, 2]), [x]).unwrap();
}
