//! Attention in several heads: what its layers share.

use super::attention_axes::{AttentionAxes, check_mask};
use super::attention_mask::AttentionMask;
use super::dropout::{check_rate, dropout};
use super::sight::Sight;
use super::{Context, Part};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Mask, Shape, Tensor};

/// A [`recipe`](super::recipe) of a layer of several heads.
macro_rules! heads_recipe {
    (
        $(#[$doc:meta])*
        pub struct $layer:ident = $class:literal;
        $(#[$new_doc:meta])*
        new($($arguments:tt)*);
        example $input:tt => $made:expr => $output:tt;
        options { $($options:tt)* }
        $(only $only:tt)?
        ignored $ignored:tt
    ) => {
        $crate::nn::recipe::recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            $(#[$new_doc])*
            new($($arguments)*);
            example $input => $made => $output;
            options {
                $($options)*
                /// The fraction of the weights of values that is dropped in training.
                dropout: f64 = 0.0, 0.1;
                /// Whether a bias is added to queries, keys, values and outputs.
                use_bias: bool = true, false;
                /// Whether what the heads give is multiplied by a sigmoid of a further projection of the queries (Qiu et al., *Gated attention for
                /// large language models*, 2025).
                use_gate: bool = false, true;
                /// How many steps a query sees to either side, its own included; all, if this is not said.
                sliding_window: Option<usize> as usize, into = None, 2;
                /// Whether a query sees no value of a later step. In Keras this is an argument of the call.
                use_causal_mask: bool = false, true;
                /// Whether it has a second output: which part of each value each query takes, `[heads, t, s]`. In Keras this is an argument of the call.
                return_attention_scores: bool = false, true;
                /// Which values a query may see at all: fixed, or a further input behind the others. In Keras this is an argument of the call.
                attention_mask: Option<$crate::nn::layers::AttentionMask> as $crate::nn::layers::AttentionMask, into = None, AttentionMask::fixed([[true; 5]]);
                /// How the first values of the kernels are drawn.
                kernel_initializer: $crate::nn::Initializer = $crate::nn::Initializer::GlorotUniform, Initializer::Ones;
                /// How the first values of the biases are drawn.
                bias_initializer: $crate::nn::Initializer = $crate::nn::Initializer::Zeros, Initializer::Ones;
                /// A penalty on each kernel.
                kernel_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.01);
                /// A penalty on each bias.
                bias_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L1(0.02);
                /// What each kernel is kept within.
                kernel_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::max_norm(2.0);
                /// What each bias is kept within.
                bias_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::NonNeg;
            }
            null ["seed"]
            // In Keras it is a penalty on what each of the projections gives.
            fixed { "activity_regularizer": null }
            $(only $only)?
            ignored $ignored
        }

        impl $layer {
            /// A kernel of this shape, whose first so many axes are those of what it takes, and its bias if there is one.
            fn projection(&self, name: &str, shape: &[usize], taken: usize) -> Vec<$crate::nn::Weight> {
                use $crate::nn::Weight;
                let given = $crate::tensor::Shape::new(&shape[taken..]);
                let fans = [shape[..taken].iter().product(), given.count()];
                let shape = $crate::tensor::Shape::new(shape);
                let kernel = Weight::new(
                    format!("{name}/kernel"),
                    shape,
                    self.kernel_initializer.with_fans(fans, shape),
                )
                .regularizer(self.kernel_regularizer)
                .constraint(self.kernel_constraint.clone());
                let bias = Weight::new(format!("{name}/bias"), given, self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                [Some(kernel), self.use_bias.then_some(bias)].into_iter().flatten().collect()
            }
        }

        impl<T: $crate::scalar::Scalar> $crate::nn::MultiLayer<T> for $layer {
            $crate::nn::recipe::described!(without "use_causal_mask": false, "return_attention_scores": false, "attention_mask": null, "output_shape": [], "attention_axes": []);
            $crate::nn::multi_layer::first_of_several!();

            fn output_shapes(
                &self,
                inputs: &[$crate::tensor::Shape],
            ) -> Result<Vec<$crate::tensor::Shape>, $crate::error::Reason> {
                let weights = [self.kernel_regularizer, self.bias_regularizer];
                weights.into_iter().flatten().try_for_each($crate::nn::Regularizer::check)?;
                self.heads().output_shapes(inputs)
            }

            fn weights(&self, inputs: &[$crate::tensor::Shape]) -> Vec<$crate::nn::Weight> {
                let projections = self.heads().projections(inputs);
                let weights = |(name, shape, taken): (&str, Vec<usize>, usize)| {
                    self.projection(name, &shape, taken)
                };
                projections.into_iter().flat_map(weights).collect()
            }

            fn forward_all<'t>(
                &self,
                weights: &[$crate::autograd::Var<'t, T>],
                inputs: &[&$crate::autograd::Var<'t, T>],
                cx: &mut $crate::nn::Context<T>,
            ) -> Vec<$crate::autograd::Var<'t, T>> {
                self.heads().run(weights, inputs, cx)
            }

            fn check_masks(
                &self,
                inputs: &[$crate::tensor::Shape],
                masks: &[Option<$crate::tensor::Shape>],
            ) -> Result<(), $crate::error::Reason> {
                $crate::nn::heads::check_masks(self.heads().without_mask(inputs).0, masks)
            }

            fn parts(&self, _: usize) -> Vec<$crate::nn::Part> {
                self.heads().parts(Self::PRIVATE)
            }

            fn mask(
                &self,
                _: &[&$crate::tensor::Tensor<T>],
                masks: &[Option<&$crate::tensor::Tensor<T>>],
            ) -> Option<$crate::tensor::Tensor<T>> {
                masks[0].cloned()
            }
        }
    };
}
pub(super) use heads_recipe;

/// The score of what a query must not see, from which a softmax makes 0: that of Keras.
pub(super) const HIDDEN: f64 = -1e9;

/// What is left of the options once the weights are made.
pub(super) struct Heads<'a> {
    /// How many heads queries have.
    pub heads: usize,
    /// How many keys and values have, each of them for as many heads of queries.
    pub groups: usize,
    pub key_dim: usize,
    pub value_dim: usize,
    /// The shape of a step's output; that of the query, if it is empty.
    pub output: &'a [usize],
    pub dropout: f64,
    pub use_bias: bool,
    pub use_gate: bool,
    pub sliding_window: Option<usize>,
    pub use_causal_mask: bool,
    pub return_attention_scores: bool,
    pub attention_mask: Option<&'a AttentionMask>,
    /// The axes that it goes over, for a layer that can choose them.
    pub axes: Option<&'a [isize]>,
}

/// The shapes of query, value and key; the value is the key if there is no third input.
fn given(inputs: &[Shape]) -> Result<[Shape; 3], Reason> {
    let [query, value, ref key @ ..] = *inputs else {
        return Err("takes a query and a value, and one input is given".into());
    };
    let key = match *key {
        [] => value,
        [key] => key,
        _ => {
            return Err(format!(
                "takes a query, a value and perhaps a key, and {} inputs are given",
                inputs.len()
            )
            .into());
        }
    };
    Ok([query, value, key])
}

/// Whether each input's mask is one of its places.
pub(super) fn check_masks(inputs: &[Shape], masks: &[Option<Shape>]) -> Result<(), Reason> {
    let given = inputs.iter().zip(masks);
    given
        .filter_map(|(&input, &mask)| Some((input, mask?)))
        .try_for_each(|(x, it)| check_mask(x, it))
}

impl Heads<'_> {
    /// The shapes of query, value and key as sequences `[steps, features]`, and what makes sequences of them.
    fn sequences(&self, inputs: &[Shape]) -> Result<([Shape; 3], AttentionAxes), Reason> {
        let (inputs, mask) = self.without_mask(inputs);
        let given = given(inputs)?;
        let query = given[0];
        for (name, shape) in ["query", "value", "key"].iter().zip(given) {
            let fits = match self.axes {
                None => shape.rank() == 2,
                Some(_) => shape.rank() >= 2 && shape.rank() == query.rank(),
            };
            if !fits {
                return Err(format!(
                    "needs sequences [steps, features], and the {name} of one sample has the shape {shape}"
                )
                .into());
            }
        }
        let axes = AttentionAxes::new(self.axes.unwrap_or(&[1]), query.rank())?;
        let [(query, beside), (value, first), (key, second)] =
            given.map(|shape| axes.sequence(shape));
        if given[1][..given[1].rank() - 1] != given[2][..given[2].rank() - 1] {
            return Err(format!(
                "needs a key for each value, and the values have the shape {} where the keys have {}",
                given[1], given[2]
            )
            .into());
        }
        if beside != first || beside != second {
            return Err(format!(
                "the query {} and the values {} differ along an axis that it does not go over",
                given[0], given[1]
            )
            .into());
        }
        if !axes.is_first() && (self.use_causal_mask || self.sliding_window.is_some()) {
            return Err("what comes later is known along the first axis alone".into());
        }
        if !axes.is_plain() && self.return_attention_scores {
            return Err("attention scores are there for sequences [steps, features] alone".into());
        }
        if !axes.is_plain() && self.attention_mask.is_some() {
            return Err("attention masks are there for sequences [steps, features] alone".into());
        }
        self.check_attention_mask(mask, [query[0], value[0]])?;
        Ok(([query, value, key], axes))
    }

    pub(super) fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let sizes = [self.heads, self.groups, self.key_dim, self.value_dim];
        if sizes.contains(&0) || self.output.contains(&0) || self.sliding_window == Some(0) {
            return Err("numbers of heads, dimensions and steps are at least 1".into());
        }
        if !self.heads.is_multiple_of(self.groups) {
            return Err(format!(
                "{} heads of queries cannot share {} heads of keys and values evenly",
                self.heads, self.groups
            )
            .into());
        }
        check_rate(self.dropout)?;
        let ([query, value, _], _) = self.sequences(inputs)?;
        if self.output.len() + inputs[0].rank() > MAX_RANK {
            return Err(
                format!("the shape {:?} of a step's output is too long", self.output).into()
            );
        }
        let countable = |shape: &[usize]| Shape::new(shape).checked_count().is_some();
        if !self.projections(inputs).iter().all(|(_, shape, _)| countable(shape)) {
            return Err("its kernels would be larger than any memory".into());
        }
        let places = &inputs[0][..inputs[0].rank() - 1];
        let mut outputs = vec![match self.output {
            [] => inputs[0],
            output => Shape::new(&[places, output].concat()),
        }];
        if self.return_attention_scores {
            outputs.push(Shape::from([self.heads, query[0], value[0]]));
        }
        Ok(outputs)
    }

    /// The name of each projection, the shape of its kernel, and how many of its axes are those of what it takes.
    pub(super) fn projections(&self, inputs: &[Shape]) -> Vec<(&'static str, Vec<usize>, usize)> {
        let ([query, value, key], _) = self.sequences(inputs).expect("output_shapes checks it");
        let Heads { heads, groups, key_dim, value_dim, output, .. } = *self;
        let output = if output.is_empty() { &query[1..] } else { output };
        let gate = self.use_gate.then(|| ("gate", vec![query[1], heads, value_dim], 1));
        let before = [
            ("query", vec![query[1], heads, key_dim], 1),
            ("key", vec![key[1], groups, key_dim], 1),
        ];
        let after = [
            ("value", vec![value[1], groups, value_dim], 1),
            ("attention_output", [&[heads, value_dim], output].concat(), 2),
        ];
        before.into_iter().chain(gate).chain(after).collect()
    }

    /// Where Keras keeps the weights. The attributes of some classes begin with an underscore.
    pub(super) fn parts(&self, private: bool) -> Vec<Part> {
        let hidden = |name: &str| format!("_{name}_dense");
        let shown = |name: &str| if private { hidden(name) } else { format!("{name}_dense") };
        let gate = self.use_gate.then(|| hidden("gate"));
        let groups = [shown("query"), shown("key")].into_iter().chain(gate);
        let groups = groups.chain([shown("value"), shown("output")]);
        groups.map(|group| Part { group, weights: 1 + usize::from(self.use_bias) }).collect()
    }

    pub(super) fn run<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &Context<T>,
    ) -> Vec<Var<'t, T>> {
        let samples: Vec<Shape> = inputs.iter().map(|x| x.shape().sample()).collect();
        let (_, axes) = self.sequences(&samples).expect("output_shapes has checked it");
        let (inputs, mask) = self.without_mask(inputs);
        let hidden = self.hidden_by_mask(mask.map(|mask| mask.value()));
        let [y, scores] = if axes.is_plain() {
            self.attend(weights, inputs, hidden, cx)
        } else {
            let folded: Vec<_> = inputs.iter().map(|x| axes.folded(x)).collect();
            let folded: Vec<_> = folded.iter().collect();
            let [y, scores] = self.attend(weights, &folded, None, &axes.context(cx, &samples));
            [axes.unfolded(&y, inputs[0].shape()), scores]
        };
        if self.return_attention_scores { vec![y, scores] } else { vec![y] }
    }

    /// What sequences become, and how much each query takes of each value.
    fn attend<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        hidden: Option<Mask>,
        cx: &Context<T>,
    ) -> [Var<'t, T>; 2] {
        let (query, value) = (inputs[0], inputs[1]);
        let key = inputs.get(2).unwrap_or(&value);
        let mut projections = weights.chunks_exact(1 + usize::from(self.use_bias));
        let mut next = || projections.next().expect("weights of all projections");
        let scale = T::lit(1.0 / (self.key_dim as f64).sqrt());
        let queries = in_heads(query, next()) * scale;
        let keys = in_heads(key, next());
        let gate = self.use_gate.then(|| in_heads(query, next()).sigmoid());
        let values = in_heads(value, next());

        let [n, _, t, _] = queries.value().dims();
        let [_, groups, s, dim] = values.value().dims();
        let masks: Vec<Option<Tensor<T>>> = cx.masks().take(inputs.len()).collect();
        let hidden = [self.hidden_by_steps(&masks, [t, s]), hidden].into_iter().flatten();
        let hidden = hidden.reduce(|steps, mask| steps | mask);
        let [shares, scores] = self.shares(&queries, &keys, hidden, cx);
        let rows = self.heads / groups * t;
        let seen = shares.reshape([n, groups, rows, s]).batch_matmul(&values);
        let mut seen = seen.reshape([n, self.heads, t, dim]);
        if let Some(gate) = gate {
            seen = seen * gate;
        }
        let joined = seen.permute([0, 2, 1, 3]).reshape([n * t, self.heads * dim]);
        let [kernel, bias @ ..] = next() else { unreachable!("a kernel") };
        let step = if self.output.is_empty() { &query.shape()[2..] } else { self.output };
        let y = linear(&joined, kernel, bias.first(), step.iter().product());
        [y.reshape(&[&[n, t], step].concat()[..]), scores]
    }

    /// What masks of steps and their order hide, to be broadcast over `[n, heads, t, s]`.
    fn hidden_by_steps<T: Scalar>(
        &self,
        masks: &[Option<Tensor<T>>],
        size: [usize; 2],
    ) -> Option<Mask> {
        let sight = Sight {
            queries: masks[0].as_ref(),
            values: masks[1..].iter().flatten().collect(),
            causal: self.use_causal_mask,
            window: self.sliding_window,
        };
        let hidden = sight.hidden(size)?;
        let [n, rows, columns] = *hidden.shape() else { unreachable!("three axes") };
        Some(hidden.reshape([n, 1, rows, columns]))
    }

    /// How much each query takes of each value: `[n, heads, t, s]`, with what is dropped and without.
    fn shares<'t, T: Scalar>(
        &self,
        queries: &Var<'t, T>,
        keys: &Var<'t, T>,
        hidden: Option<Mask>,
        cx: &Context<T>,
    ) -> [Var<'t, T>; 2] {
        let [n, heads, t, dim] = queries.value().dims();
        let [_, groups, s, _] = keys.value().dims();
        // The heads that share keys are rows of one product.
        let rows = queries.reshape([n, groups, heads / groups * t, dim]);
        let scores = rows.batch_matmul(&keys.permute([0, 1, 3, 2])).reshape([n, heads, t, s]);
        let scores = match &hidden {
            Some(hidden) => scores.masked_fill(hidden, T::lit(HIDDEN)),
            None => scores,
        };
        let mut shares = scores.softmax();
        if self.dropout > 0.0 || self.return_attention_scores {
            // As in Keras, a query that sees nothing takes the same of all values, but nothing where there is dropout, or scores are wanted.
            if let Some(hidden) = &hidden {
                shares = shares.masked_fill(hidden, T::zero());
            }
        }
        let scores = shares.clone();
        if self.dropout > 0.0 {
            shares = dropout(&shares, self.dropout, &[], cx);
        }
        [shares, scores]
    }
}

/// `x kernel + bias` as a matrix with so many columns.
fn linear<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    bias: Option<&Var<'t, T>>,
    columns: usize,
) -> Var<'t, T> {
    let kernel = kernel.reshape([x.shape()[1], columns]);
    match bias {
        Some(bias) => x.dense(&kernel, &bias.reshape([columns])),
        None => x.matmul(&kernel),
    }
}

/// `[n, steps, features]` by a kernel `[features, heads, dim]`: `[n, heads, steps, dim]`.
fn in_heads<'t, T: Scalar>(x: &Var<'t, T>, weights: &[Var<'t, T>]) -> Var<'t, T> {
    let [n, steps, features] = x.value().dims();
    let [_, heads, dim] = weights[0].value().dims();
    let rows = x.reshape([n * steps, features]);
    let y = linear(&rows, &weights[0], weights.get(1), heads * dim);
    y.reshape([n, steps, heads, dim]).permute([0, 2, 1, 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::layers::{GroupQueryAttention, MultiHeadAttention};
    use crate::nn::{Mode, MultiLayer};
    use crate::tensor::Stream;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    /// The layer by its definition, as loops: without masks and gate.
    fn definition(heads: &Heads, weights: &[Tensor<f64>], x: [&Tensor<f64>; 3]) -> Tensor<f64> {
        let [query, value, key] = x;
        let ([n, t, _], [_, s, _]) = (query.dims(), value.dims());
        let project = |x: &Tensor<f64>, at: usize, [i, step, head, d]: [usize; 4]| -> f64 {
            let (kernel, bias) = (&weights[at], &weights[at + 1]);
            let sum = (0..x.shape()[2]).map(|f| x.at([i, step, f]) * kernel.at([f, head, d]));
            bias.at([head, d]) + sum.sum::<f64>()
        };
        Tensor::from_fn([n, t, weights[7].len()], |at| {
            let (i, row, out) = (at[0], at[1], at[2]);
            let mut y = weights[7].at([out]);
            for head in 0..heads.heads {
                let group = head * heads.groups / heads.heads;
                let score = |column: usize| -> f64 {
                    let one = |d| {
                        project(query, 0, [i, row, head, d])
                            * project(key, 2, [i, column, group, d])
                    };
                    let sum: f64 = (0..heads.key_dim).map(one).sum();
                    let seen = !heads.use_causal_mask || column <= row;
                    if seen { (sum / (heads.key_dim as f64).sqrt()).exp() } else { 0.0 }
                };
                let total: f64 = (0..s).map(score).sum();
                for d in 0..heads.value_dim {
                    let seen = |c: usize| score(c) / total * project(value, 4, [i, c, group, d]);
                    y += (0..s).map(seen).sum::<f64>() * weights[6].at([head, d, out]);
                }
            }
            y
        })
    }

    fn weights(layer: &impl MultiLayer<f64>, inputs: &[&Tensor<f64>]) -> Vec<Tensor<f64>> {
        let shapes: Vec<Shape> = inputs.iter().map(|x| x.shape().sample()).collect();
        layer.output_shape(&shapes).unwrap();
        let wanted = layer.weights(&shapes).into_iter().zip(10..);
        wanted.map(|(weight, seed)| draw(&weight.shape, seed)).collect()
    }

    #[test]
    fn as_defined() {
        let (query, value, key) = (draw(&[2, 3, 4], 1), draw(&[2, 5, 2], 2), draw(&[2, 5, 3], 3));
        let check = |layer: &dyn MultiLayer<f64>, heads: Heads, weights: Vec<Tensor<f64>>| {
            let expected = definition(&heads, &weights, [&query, &value, &key]);
            let vars: Vec<_> = weights.into_iter().map(Var::constant).collect();
            let [query, value, key] = [&query, &value, &key].map(|x| Var::constant(x.clone()));
            let y = layer.forward(&vars, &[&query, &value, &key], &mut Context::new(Mode::Infer));
            assert!(y.value().all_close(&expected, 1e-12, 1e-12), "{y:?}");
        };
        for causal in [false, true] {
            let layer = MultiHeadAttention::new(2, 3).value_dim(2).use_causal_mask(causal);
            check(&layer, layer.heads(), weights(&layer, &[&query, &value, &key]));
            let layer = GroupQueryAttention::new(3, 4, 2).use_causal_mask(causal);
            check(&layer, layer.heads(), weights(&layer, &[&query, &value, &key]));
        }
    }

    #[test]
    fn gradients() {
        let (query, value) = (draw(&[2, 3, 4], 1), draw(&[2, 4, 2], 2));
        let counts = || Some(Tensor::from([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]));
        let values = || Some(Tensor::from([[1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0]]));
        let check = |layer: &dyn MultiLayer<f64>, weights: [Tensor<f64>; 10]| {
            let [a, b, c, d, e, f, g, h, i, j] = weights;
            for mode in [Mode::Infer, Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 }] {
                let cx = || Context::new(mode).with_mask(counts()).with_other_masks(vec![values()]);
                gradcheck(
                    |[query, value, weights @ ..]| {
                        let weights: Vec<_> = weights.into_iter().cloned().collect();
                        layer.forward(&weights, &[query, value], &mut cx()).square()
                    },
                    [&query, &value, &a, &b, &c, &d, &e, &f, &g, &h, &i, &j].map(Tensor::clone),
                )
                .unwrap();
            }
        };
        let layer = MultiHeadAttention::new(2, 2).value_dim(3).use_gate(true).dropout(0.3);
        let drawn = weights(&layer, &[&query, &value]);
        check(&layer, drawn.try_into().expect("ten weights"));
        let layer = GroupQueryAttention::new(2, 4, 2).use_gate(true).sliding_window(3);
        let layer = layer.use_causal_mask(true);
        let drawn = weights(&layer, &[&query, &value]);
        check(&layer, drawn.try_into().expect("ten weights"));
    }

    /// Of sequences that stand beside each other, and of all places of an image in one sequence.
    #[test]
    fn other_axes() {
        let x = draw(&[2, 3, 4, 2], 1);
        let layer = MultiHeadAttention::new(2, 2);
        let w: Vec<_> = weights(&layer, &[&x, &x]).into_iter().map(Var::constant).collect();
        let run = |layer: &MultiHeadAttention, x: Tensor<f64>| {
            let (x, mut cx) = (Var::constant(x), Context::new(Mode::Infer));
            layer.forward(&w, &[&x, &x], &mut cx).into_value()
        };
        let rows = run(&layer, x.reshape([6, 4, 2])).reshape(x.shape());
        assert!(run(&layer.clone().attention_axes([2]), x.clone()).all_close(&rows, 1e-12, 1e-12));
        let turned = x.permute([0, 2, 1, 3]);
        let columns = run(&layer, turned.reshape([8, 3, 2])).reshape(turned.shape());
        let columns = columns.permute([0, 2, 1, 3]);
        let first = layer.clone().attention_axes([1]);
        assert!(run(&first, x.clone()).all_close(&columns, 1e-12, 1e-12));
        let all = run(&layer, x.reshape([2, 12, 2])).reshape(x.shape());
        assert!(run(&layer, x.clone()).all_close(&all, 1e-12, 1e-12));
        let dropping = first.dropout(0.4);
        let mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };
        gradcheck(
            |[x]| {
                let w: Vec<_> = w.iter().map(|it| Var::constant(it.value().clone())).collect();
                dropping.forward(&w, &[x, x], &mut Context::new(mode)).square()
            },
            [x],
        )
        .unwrap();
    }

    /// The second half of a batch drops what it does in the whole one.
    #[test]
    fn halves_of_a_batch_with_dropout() {
        let x = draw(&[4, 3, 4, 2], 1);
        let layer = MultiHeadAttention::new(2, 2).attention_axes([2]).dropout(0.5);
        let w: Vec<_> = weights(&layer, &[&x, &x]).into_iter().map(Var::constant).collect();
        let run = |samples: std::ops::Range<usize>| {
            let first_sample = samples.start;
            let mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample };
            let (x, mut cx) = (Var::constant(x.slice(0, samples)), Context::new(mode));
            layer.forward(&w, &[&x, &x], &mut cx).into_value()
        };
        let all = run(0..4);
        for half in [0..2, 2..4] {
            assert!(run(half.clone()).all_close(&all.slice(0, half), 1e-12, 1e-12));
        }
    }

    /// Steps that a mask leaves out do not change what the others become, in whichever sequences they stand.
    #[test]
    fn masks_of_other_axes() {
        let x = draw(&[2, 3, 4, 2], 1);
        let mask =
            Tensor::from_fn(
                [2, 3, 4],
                |at| if (at[0] + at[1] + at[2]) % 3 == 0 { 0.0 } else { 1.0 },
            );
        let run = |layer: &MultiHeadAttention, x: Tensor<f64>, mask: Tensor<f64>| {
            let w: Vec<_> = weights(layer, &[&x, &x]).into_iter().map(Var::constant).collect();
            let cx = Context::new(Mode::Infer).with_mask(Some(mask.clone()));
            let mut cx = cx.with_other_masks(vec![Some(mask)]);
            let x = Var::constant(x);
            layer.forward(&w, &[&x, &x], &mut cx).into_value()
        };
        let layer = MultiHeadAttention::new(2, 2);
        let rows = run(&layer, x.reshape([6, 4, 2]), mask.reshape([6, 4])).reshape(x.shape());
        let second = layer.clone().attention_axes([2]);
        assert!(run(&second, x.clone(), mask.clone()).all_close(&rows, 1e-12, 1e-12));
        let (turned, of_turned) = (x.permute([0, 2, 1, 3]), mask.permute([0, 2, 1]));
        let columns = run(&layer, turned.reshape([8, 3, 2]), of_turned.reshape([8, 3]));
        let columns = columns.reshape(turned.shape()).permute([0, 2, 1, 3]);
        let first = layer.clone().attention_axes([1]);
        assert!(run(&first, x.clone(), mask.clone()).all_close(&columns, 1e-12, 1e-12));
        let all = run(&layer, x.reshape([2, 12, 2]), mask.reshape([2, 12])).reshape(x.shape());
        assert!(run(&layer, x, mask).all_close(&all, 1e-12, 1e-12));
    }

    /// They are what values are multiplied with.
    #[test]
    fn scores() {
        let x = draw(&[2, 3, 2], 1);
        let layer = MultiHeadAttention::new(2, 2).return_attention_scores(true);
        let layer = layer.use_causal_mask(true).dropout(0.5);
        let w: Vec<_> = weights(&layer, &[&x, &x]).into_iter().map(Var::constant).collect();
        let shapes = layer.heads().output_shapes(&[[3, 2].into(); 2]).unwrap();
        assert_eq!(shapes, [Shape::from([3, 2]), [2, 3, 3].into()]);
        let x = Var::constant(x);
        let scores = layer.forward_all(&w, &[&x, &x], &mut Context::new(Mode::Infer)).remove(1);
        assert!(scores.value().sum(3).all_close(&Tensor::ones([2, 2, 3]), 1e-12, 1e-12));
        assert_eq!(scores.value().at([1, 1, 0, 2]), 0.0);
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: &dyn MultiLayer<f32>, inputs: &[&[usize]]| {
            let inputs: Vec<Shape> = inputs.iter().map(|shape| Shape::new(shape)).collect();
            layer.output_shape(&inputs).unwrap_err().as_str().to_owned()
        };
        let layer = MultiHeadAttention::new(2, 3);
        let cases: [(&[&[usize]], &str); 4] = [
            (&[&[4, 3]], "one input is given"),
            (&[&[4, 3], &[4, 3], &[4, 3], &[4, 3]], "4 inputs are given"),
            (&[&[4, 4, 3], &[4, 3]], "the value of one sample has the shape [4, 3]"),
            (
                &[&[4, 3], &[5, 3], &[6, 3]],
                "values have the shape [5, 3] where the keys have [6, 3]",
            ),
        ];
        for (inputs, part) in cases {
            let found = error(&layer, inputs);
            assert!(found.contains(part), "{found:?} does not say {part:?}");
        }
        let images: &[&[usize]] = &[&[4, 5, 3], &[4, 6, 3]];
        assert!(error(&layer.clone().attention_axes([1]), images).contains("does not go over"));
        assert!(error(&layer.clone().use_causal_mask(true), images).contains("first axis alone"));
        let scores = layer.clone().return_attention_scores(true);
        assert!(error(&scores, images).contains("sequences [steps, features] alone"));
        assert!(error(&GroupQueryAttention::new(3, 4, 2), images).contains("needs sequences"));
        let pair: &[&[usize]] = &[&[4, 3], &[4, 3]];
        assert!(error(&GroupQueryAttention::new(3, 4, 3), pair).contains("4 heads of queries"));
        assert!(error(&MultiHeadAttention::new(usize::MAX, 3), pair).contains("any memory"));
        assert!(error(&MultiHeadAttention::new(0, 3), pair).contains("at least 1"));
        assert!(error(&MultiHeadAttention::new(2, 3).dropout(1.5), pair).contains("1.5"));
        assert!(
            error(&MultiHeadAttention::new(2, 3).output_shape([2; 6]), pair).contains("too long")
        );
    }
}
