//! The options that recurrent layers share, and what they do around their operation.

use super::recurrent_dropout::Dropping;
use super::{Activation, Context, Mode};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::Nonlinearity;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Stream, Tensor};

/// A [`recipe`](super::recipe) of a recurrent layer with so many gates.
macro_rules! recurrent_recipe {
    (
        $(#[$doc:meta])*
        pub struct $layer:ident = $class:literal;
        gates $gates:literal;
        options { $($options:tt)* }
    ) => {
        $crate::nn::recipe::recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// A layer whose state has so many numbers.
            new(units: usize);
            example [5, 3] => $layer::new(2) => [2];
            options {
                $($options)*
                /// Whether it gives its state after every step, or after the last one alone.
                return_sequences: bool = false, true => [5, 2];
                /// Whether it has its last states as further outputs, all of them of shape `[units]`.
                return_state: bool = false, true;
                /// Whether it goes from the last step to the first one. What it gives has that order, too.
                go_backwards: bool = false, true;
                /// Whether it gives zeros for the steps that a mask leaves out, and not the state before them.
                zero_output_for_mask: bool = false, true;
                /// The function of what is new.
                activation: $crate::nn::Activation = $crate::nn::Activation::Tanh, Relu;
                /// Whether a bias is added.
                use_bias: bool = true, false;
                /// How the kernel's first values are drawn.
                kernel_initializer: $crate::nn::Initializer = $crate::nn::Initializer::GlorotUniform, Initializer::Ones;
                /// How the recurrent kernel's first values are drawn.
                recurrent_initializer: $crate::nn::Initializer = $crate::nn::Initializer::Orthogonal { gain: 1.0 }, Initializer::Ones;
                /// How the bias's first values are drawn.
                bias_initializer: $crate::nn::Initializer = $crate::nn::Initializer::Zeros, Initializer::Ones;
                /// A penalty on the kernel.
                kernel_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.01);
                /// A penalty on the recurrent kernel.
                recurrent_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.01);
                /// A penalty on the bias.
                bias_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L1(0.02);
                /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
                activity_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.03);
                /// What the kernel is kept within.
                kernel_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::max_norm(2.0);
                /// What the recurrent kernel is kept within.
                recurrent_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::unit_norm();
                /// What the bias is kept within.
                bias_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::NonNeg;
                /// The fraction of the inputs that is dropped in training: for a sample, the same ones in all steps.
                dropout: f64 = 0.0, 0.5;
                /// The fraction of the state that each gate does not see in training. Training is slower with it.
                recurrent_dropout: f64 = 0.0, 0.25;
            }
            fixed { "stateful": false }
            only { "time_major": false }
            // Of no consequence for what is computed.
            ignored ["unroll", "implementation", "seed", "use_cudnn"]
        }

        impl $layer {
            pub(super) fn goes_backwards(&self) -> bool {
                self.go_backwards
            }

            pub(super) fn returns_sequences(&self) -> bool {
                self.return_sequences
            }

            pub(super) fn returns_state(&self) -> bool {
                self.return_state
            }

            /// How many states it has.
            pub(super) const STATES: usize = if $gates == 4 { 2 } else { 1 };

            /// How many weights it has.
            pub(super) fn weight_count(&self) -> usize {
                2 + usize::from(self.use_bias)
            }

            fn around(&self) -> $crate::nn::recurrent::Around {
                $crate::nn::recurrent::Around {
                    units: self.units,
                    return_sequences: self.return_sequences,
                    return_state: self.return_state,
                    states: Self::STATES,
                    go_backwards: self.go_backwards,
                    zero_output_for_mask: self.zero_output_for_mask,
                    dropout: self.dropout,
                    recurrent_dropout: self.recurrent_dropout,
                }
            }

            fn outputs(
                &self,
                inputs: &[$crate::tensor::Shape],
            ) -> Result<Vec<$crate::tensor::Shape>, $crate::error::Reason> {
                let weights = [self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer];
                let all = weights.into_iter().chain([self.activity_regularizer]);
                all.flatten().try_for_each($crate::nn::Regularizer::check)?;
                self.around().output_shapes(inputs)
            }

            /// The kernel, the recurrent kernel, and a bias of this shape if there is one.
            fn kernels_and_bias(
                &self,
                input: $crate::tensor::Shape,
                bias: $crate::tensor::Shape,
            ) -> Vec<$crate::nn::Weight> {
                use $crate::nn::Weight;
                let columns = $gates * self.units;
                let kernel = Weight::new("kernel", [input[1], columns], self.kernel_initializer)
                    .regularizer(self.kernel_regularizer)
                    .constraint(self.kernel_constraint.clone());
                let recurrent =
                    Weight::new("recurrent_kernel", [self.units, columns], self.recurrent_initializer)
                        .regularizer(self.recurrent_regularizer)
                        .constraint(self.recurrent_constraint.clone());
                let bias = Weight::new("bias", bias, self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                let bias = self.use_bias.then_some(bias);
                [Some(kernel), Some(recurrent), bias]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }
    };
}

/// The methods of [`MultiLayer`](super::MultiLayer) that are the same for all recurrent layers.
macro_rules! recurrent {
    () => {
        $crate::nn::multi_layer::first_of_several!();

        fn output_shapes(
            &self,
            inputs: &[$crate::tensor::Shape],
        ) -> Result<Vec<$crate::tensor::Shape>, $crate::error::Reason> {
            self.outputs(inputs)
        }

        fn activity_regularizer(&self) -> Option<$crate::nn::Regularizer> {
            self.activity_regularizer
        }

        fn parts(&self, weights: usize) -> Vec<$crate::nn::Part> {
            vec![$crate::nn::Part { group: "cell".to_owned(), weights }]
        }

        fn mask(
            &self,
            _: &[&$crate::tensor::Tensor<T>],
            masks: &[Option<&$crate::tensor::Tensor<T>>],
        ) -> Option<$crate::tensor::Tensor<T>> {
            masks[0].filter(|_| self.return_sequences).cloned()
        }
    };
}
pub(super) use {recurrent, recurrent_recipe};

/// The options that say what goes into the operation of a recurrent layer, and what comes out of the layer.
pub(super) struct Around {
    pub units: usize,
    pub return_sequences: bool,
    pub return_state: bool,
    /// How many states it has.
    pub states: usize,
    pub go_backwards: bool,
    pub zero_output_for_mask: bool,
    pub dropout: f64,
    pub recurrent_dropout: f64,
}

impl Around {
    /// The shapes of the outputs, for the sequences and the states to begin with, if there are any.
    pub(super) fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let Some((input, start)) = inputs.split_first() else {
            return Err("needs sequences, and has no input".into());
        };
        let steps = match **input {
            [steps, _] if steps > 0 => steps,
            _ => {
                return Err(format!(
                    "needs sequences [steps, features] of at least one step, and one sample has the shape {input}"
                ).into());
            }
        };
        if self.units == 0 {
            return Err("0 units give no output; use at least 1".into());
        }
        for rate in [self.dropout, self.recurrent_dropout] {
            if !(0.0..=1.0).contains(&rate) {
                return Err(format!("the dropout {rate} is not between 0 and 1").into());
            }
        }
        let state = Shape::from([self.units]);
        check_start(start, state, self.states)?;
        let all = Shape::from([steps, self.units]);
        let mut outputs = vec![if self.return_sequences { all } else { state }];
        outputs.extend(std::iter::repeat_n(state, if self.return_state { self.states } else { 0 }));
        Ok(outputs)
    }

    /// What the layer gives for sequences and, if they come behind these, states to begin with: with the operation `op` of
    /// sequences, states and a mask or, where a part of the state is dropped, with `dropping`. Both give the states after all
    /// steps, and the second state after the last one.
    pub(super) fn run<'t, T: Scalar>(
        &self,
        inputs: &[&Var<'t, T>],
        weights: [&Var<'t, T>; 3],
        cx: &Context<T>,
        op: impl FnOnce(&Var<'t, T>, [&Var<'t, T>; 2], Option<&Tensor<T>>) -> [Var<'t, T>; 2],
        dropping: impl FnOnce(Dropping<'_, 't, T>) -> [Var<'t, T>; 2],
    ) -> Vec<Var<'t, T>> {
        let x = inputs[0];
        let [n, _, features] = x.value().dims();
        let zeros = Var::constant(Tensor::zeros([n, self.units]));
        let start = match inputs[1..] {
            [] => [&zeros; 2],
            [h] => [h; 2],
            [h, c, ..] => [h, c],
        };
        // Where a part of the state is dropped, each gate sees other parts of the input, too.
        let (mut inputs, mut kept) = (vec![x.clone()], None);
        if let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) {
            let drop = |shape: [usize; 3], rate: f64, stream: Stream| {
                Var::constant(Tensor::ones(shape)).dropout(rate, &stream, first_sample)
            };
            let mut gates = 1;
            if self.recurrent_dropout > 0.0 {
                gates = weights[1].shape()[1] / self.units;
                let stream = stream.fork(1);
                kept = Some(drop([n, gates, self.units], self.recurrent_dropout, stream));
            }
            if self.dropout > 0.0 {
                let seen = drop([n, gates, features], self.dropout, stream.fork(0));
                inputs = (0..gates).map(|gate| x * seen.slice(1, gate..gate + 1)).collect();
            }
        }
        let mut mask = cx.mask().cloned();
        if self.go_backwards {
            inputs.iter_mut().for_each(|x| *x = x.flip(1));
            mask = mask.map(|mask| mask.flip(1));
        }
        let [y, second] = match kept {
            None => op(&inputs[0], start, mask.as_ref()),
            Some(kept) => {
                dropping(Dropping { x: &inputs, mask: mask.as_ref(), weights, kept, start })
            }
        };
        let second = (self.states == 2).then_some(second);
        let mask = mask.filter(|_| self.zero_output_for_mask);
        given(y, second, mask, [self.return_sequences, self.return_state])
    }
}

/// What a recurrent layer gives, from the states `[n, steps, units]` after all steps and, if there is one, the second state after the
/// last step: the output, which is zeros where a mask says so, and the states if they are wanted.
pub(super) fn given<'t, T: Scalar>(
    y: Var<'t, T>,
    second: Option<Var<'t, T>>,
    mask: Option<Tensor<T>>,
    [return_sequences, return_state]: [bool; 2],
) -> Vec<Var<'t, T>> {
    let [n, steps, units] = y.value().dims();
    let last = |y: &Var<'t, T>| y.slice(1, steps - 1..steps).reshape([n, units]);
    let states = return_state.then(|| last(&y)).into_iter().chain(second.filter(|_| return_state));
    let states: Vec<_> = states.collect();
    let y = match mask {
        Some(mask) => y * Var::constant(mask.reshape([n, steps, 1])),
        None => y,
    };
    let y = if return_sequences { y } else { last(&y) };
    std::iter::once(y).chain(states).collect()
}

/// Whether these are so many states of a layer whose states have this shape, or none.
pub(super) fn check_start(given: &[Shape], state: Shape, states: usize) -> Result<(), Reason> {
    let fits = given.is_empty() || given.len() == states;
    if fits && given.iter().all(|given| *given == state) {
        return Ok(());
    }
    let given: Vec<String> = given.iter().map(Shape::to_string).collect();
    Err(format!(
        "begins with {} of shape {state} behind its sequences, or with none, and is given {}",
        if states == 1 { "one state" } else { "two states" },
        given.join(" and ")
    )
    .into())
}

impl Activation {
    /// As recurrent operations take it.
    pub(super) fn nonlinearity<T: Scalar>(self) -> Nonlinearity<T> {
        match self {
            Activation::Linear => Nonlinearity::Linear,
            Activation::Sigmoid => Nonlinearity::Sigmoid,
            Activation::Tanh => Nonlinearity::Tanh,
            other => Nonlinearity::other(move |x| other.of(x)),
        }
    }
}
