//! The layers of attention without projections.

use super::dropout::{check_rate, dropout};
use super::heads::HIDDEN;
use super::multi_layer::first_of_several;
use super::recipe::{described, recipe};
use super::sight::Sight;
use super::{Context, Initializer, MultiLayer, Weight};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// How well a query and a key fit each other.
///
/// ```
/// use cinta::prelude::*;
/// let x = Input::new([5, 8]);
/// let layer = Attention::new().score_mode(ScoreMode::Concat);
/// assert_eq!(Model::new(&x, &layer.of([&x, &x])).build(0)?.count_params(), 1);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreMode {
    /// `q k'`, times a scale if there is one (Luong et al., *Effective approaches to attention-based neural machine translation*, 2015).
    Dot,
    /// `w` times the sum of `tanh(s (q + k))`, with two numbers that are learnt.
    Concat,
}

impl OptionValue for ScoreMode {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("dot") => Ok(ScoreMode::Dot),
            Some("concat") => Ok(ScoreMode::Concat),
            _ => Err(not(value, "\"dot\" or \"concat\"")),
        }
    }

    fn write(&self) -> Value {
        match self {
            ScoreMode::Dot => json!("dot"),
            ScoreMode::Concat => json!("concat"),
        }
    }
}

recipe! {
    /// Attention: each step of a query `[t, features]` takes a mean of the values of another sequence `[s, channels]`, weighted by a softmax of how well their keys
    /// `[s, features]` fit it. It gives `[t, channels]`.
    ///
    /// Its inputs are `[query, value]` or `[query, value, key]`; without keys, the values are the keys. Steps of values that a mask leaves out
    /// are not seen, and those of queries give 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (query, value) = (Input::new([1, 2]), Input::new([2, 2]));
    /// let model = Model::new([&query, &value], &Attention::new().of([&query, &value])).build(0)?;
    /// let (q, v) = (Tensor::from([[[1.0, 0.0]]]), Tensor::from([[[2f32.ln(), 0.0], [0.0, 1.0]]]));
    /// let y = model.predict_all(&[&q, &v])?; // weights 2/3 and 1/3
    /// assert!(y[0].all_close(&Tensor::from([[[2f32.ln() * 2.0 / 3.0, 1.0 / 3.0]]]), 1e-6, 1e-6));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Attention = "Attention";
    /// The layer; [`of`](crate::Of::of) gives it its inputs.
    new();
    example ([5, 3] twice) => Attention::new() => [5, 3];
    options {
        /// Whether there is a scale to be learnt.
        use_scale: bool = false, true;
        /// How well a query and a key fit each other.
        score_mode: ScoreMode = ScoreMode::Dot, ScoreMode::Concat;
        /// The fraction of the weights of values that is dropped in training.
        dropout: f64 = 0.0, 0.1;
        /// Whether a query sees no value of a later step. In Keras this is an argument of the call.
        use_causal_mask: bool = false, true;
        /// Whether it has a second output: which part of each value each query takes, `[t, s]`. In Keras this is an argument of the call.
        return_attention_scores: bool = false, true;
    }
    null ["seed"]
    fixed {}
    also { "causal": use_causal_mask }
    ignored []
}

recipe! {
    /// Attention as in [`Attention`], where a query and a key fit as the sum of `scale tanh(q + k)` says, with a scale for each feature (Bahdanau, Cho and Bengio, *Neural machine
    /// translation by jointly learning to align and translate*, 2015). While it runs, it has `t s features` numbers for each sample.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (query, value) = (Input::new([4, 3]), Input::new([6, 3]));
    /// let y = AdditiveAttention::new().of([&query, &value]);
    /// let model = Model::new([&query, &value], &y).build(0)?;
    /// assert_eq!((model.output_shape(), model.count_params()), ([4, 3].into(), 3));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct AdditiveAttention = "AdditiveAttention";
    /// The layer; [`of`](crate::Of::of) gives it its inputs.
    new();
    example ([5, 3] twice) => AdditiveAttention::new() => [5, 3];
    options {
        /// Whether there is a scale to be learnt.
        use_scale: bool = true, false;
        /// The fraction of the weights of values that is dropped in training.
        dropout: f64 = 0.0, 0.1;
        /// Whether a query sees no value of a later step. In Keras this is an argument of the call.
        use_causal_mask: bool = false, true;
        /// Whether it has a second output: which part of each value each query takes, `[t, s]`. In Keras this is an argument of the call.
        return_attention_scores: bool = false, true;
    }
    null ["seed"]
    fixed {}
    also { "causal": use_causal_mask }
    ignored []
}

/// The shapes of a sample's output and of the scores.
fn shapes(inputs: &[Shape], dropout: f64) -> Result<[Shape; 2], Reason> {
    check_rate(dropout)?;
    let (query, value, key) = match *inputs {
        [query, value] => (query, value, value),
        [query, value, key] => (query, value, key),
        _ => {
            return Err(format!(
                "takes a query, a value and perhaps a key, and {} inputs are given",
                inputs.len()
            )
            .into());
        }
    };
    match [query, value, key].map(|shape| shape.rank()) {
        [2, 2, 2] if query[1] == key[1] && value[0] == key[0] => {
            Ok([[query[0], value[1]].into(), [query[0], value[0]].into()])
        }
        _ => Err(format!(
            "needs a query [t, features], a value [s, channels] and, if it is not the value, a key [s, features], \
             and they have the shapes {query}, {value} and {key}"
        )
        .into()),
    }
}

/// `[n, t, s]` numbers for queries and keys: of `[n, t, 1, features]` and `[n, 1, s, features]`.
fn sums<'t, T: Scalar>(query: &Var<'t, T>, key: &Var<'t, T>) -> Var<'t, T> {
    query.expand_dims(2) + key.expand_dims(1)
}

/// What queries take of values by scores `[n, t, s]`, and how much of each.
fn take<'t, T: Scalar>(
    scores: Var<'t, T>,
    value: &Var<'t, T>,
    rate: f64,
    causal: bool,
    cx: &Context<T>,
) -> [Var<'t, T>; 2] {
    let [n, t, s] = scores.value().dims();
    let masks: Vec<Option<Tensor<T>>> = cx.masks().collect();
    let values = masks.get(1).into_iter().flatten().collect();
    let sight = Sight { queries: None, values, causal, window: None };
    let scores = match sight.hidden([t, s]) {
        Some(hidden) => scores + Var::constant(hidden.cast::<T>() * T::lit(HIDDEN)),
        None => scores,
    };
    let shares = dropout(&scores.softmax(), rate, &[], cx);
    let y = shares.batch_matmul(value);
    let y = match &masks[0] {
        Some(counts) => y * Var::constant(counts.reshape([n, t, 1])),
        None => y,
    };
    [y, shares]
}

/// The methods of [`MultiLayer`] that are the same for both.
macro_rules! attending {
    () => {
        described!(without "use_causal_mask": false, "return_attention_scores": false);
        first_of_several!();

        fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
            let shapes = shapes(inputs, self.dropout)?;
            Ok(shapes[..1 + usize::from(self.return_attention_scores)].to_vec())
        }

        fn forward_all<'t>(
            &self,
            weights: &[Var<'t, T>],
            inputs: &[&Var<'t, T>],
            cx: &mut Context<T>,
        ) -> Vec<Var<'t, T>> {
            let scores = self.scores(weights, inputs[0], inputs.get(2).unwrap_or(&inputs[1]));
            let outputs = take(scores, inputs[1], self.dropout, self.use_causal_mask, cx);
            outputs.into_iter().take(1 + usize::from(self.return_attention_scores)).collect()
        }

        fn mask(&self, _: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
            masks[0].cloned()
        }
    };
}

impl Attention {
    /// `[n, t, s]`.
    fn scores<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        query: &Var<'t, T>,
        key: &Var<'t, T>,
    ) -> Var<'t, T> {
        let scale = self.use_scale.then(|| &weights[0]);
        match self.score_mode {
            ScoreMode::Dot => {
                let scores = query.batch_matmul(&key.swap_axes(1, 2));
                scale.map_or(scores.clone(), |scale| scores * scale)
            }
            ScoreMode::Concat => {
                let sums = sums(query, key);
                let scaled = scale.map_or(sums.clone(), |scale| sums * scale);
                scaled.tanh().sum(3) * &weights[usize::from(self.use_scale)]
            }
        }
    }
}

impl<T: Scalar> MultiLayer<T> for Attention {
    attending!();

    fn weights(&self, _: &[Shape]) -> Vec<Weight> {
        let concat = self.score_mode == ScoreMode::Concat;
        let named = [(self.use_scale, "scale"), (concat, "concat_score_weight")];
        let named = named.into_iter().filter(|(there, _)| *there);
        named.map(|(_, name)| Weight::new(name, Shape::from([]), Initializer::Ones)).collect()
    }
}

impl AdditiveAttention {
    /// `[n, t, s]`.
    fn scores<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        query: &Var<'t, T>,
        key: &Var<'t, T>,
    ) -> Var<'t, T> {
        let fits = sums(query, key).tanh();
        weights.first().map_or(fits.clone(), |scale| fits * scale).sum(3)
    }
}

impl<T: Scalar> MultiLayer<T> for AdditiveAttention {
    attending!();

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let scale = Weight::new("scale", [inputs[0][1]], Initializer::GlorotUniform);
        self.use_scale.then_some(scale).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    #[test]
    fn gradients() {
        let inputs = [draw(&[2, 3, 4], 1), draw(&[2, 4, 2], 2), draw(&[2, 4, 4], 3)];
        let masks = |[i, t]: [usize; 2]| {
            Some(Tensor::from_fn([2, t], |at| f64::from(u8::from(at[0] != i || at[1] != 1))))
        };
        let check = |layer: &dyn MultiLayer<f64>, weights: [Tensor<f64>; 2]| {
            let mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };
            let others = || vec![masks([1, 4]), None];
            let cx = || Context::new(mode).with_mask(masks([0, 3])).with_other_masks(others());
            let [query, value, key] = inputs.clone();
            gradcheck(
                |[query, value, key, a, b]| {
                    let weights = [a.clone(), b.clone()];
                    layer.forward(&weights, &[query, value, key], &mut cx()).square()
                },
                [query, value, key, weights[0].clone(), weights[1].clone()],
            )
            .unwrap();
        };
        let one = |seed| draw(&[], seed);
        let dot = Attention::new().use_scale(true).dropout(0.3);
        check(&dot, [one(4), one(5)]);
        let concat = Attention::new().use_scale(true).score_mode(ScoreMode::Concat);
        check(&concat.use_causal_mask(true), [one(4), one(5)]);
        check(&AdditiveAttention::new().use_causal_mask(true), [draw(&[4], 4), one(5)]);
    }

    #[test]
    fn what_does_not_fit() {
        let error = |inputs: &[&[usize]]| {
            let inputs: Vec<Shape> = inputs.iter().map(|shape| Shape::new(shape)).collect();
            let found = MultiLayer::<f32>::output_shape(&Attention::new(), &inputs);
            found.unwrap_err().as_str().to_owned()
        };
        assert!(error(&[&[4, 3]]).contains("1 inputs are given"));
        assert!(error(&[&[4, 3], &[5, 2]]).contains("shapes [4, 3], [5, 2] and [5, 2]"));
        assert!(error(&[&[4, 3], &[5, 2], &[6, 3]]).contains("and [6, 3]"));
        assert!(error(&[&[4, 3, 3], &[5, 3]]).contains("[4, 3, 3]"));
        let layer = AdditiveAttention::new().dropout(-0.1);
        let shapes = [Shape::from([4, 3]); 2];
        assert!(
            MultiLayer::<f32>::output_shape(&layer, &shapes).unwrap_err().as_str().contains("-0.1")
        );
    }
}
