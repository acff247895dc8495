//! Two recurrent layers, one from each end.

use super::multi_layer::first_of_several;
use super::nested::nested;
use super::recipe::{described, recipe};
use super::{
    Context, Gru, Layer, Lstm, Mode, MultiLayer, Part, Regularizer, SimpleRnn, StackedRnn, Weight,
    one_input,
};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, keras_object, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// One of the recurrent layers, as [`Bidirectional`] takes it.
///
/// ```
/// use cinta::prelude::*;
/// let layer: Rnn = Lstm::new(4).into();
/// assert!(format!("{layer:?}").contains("Lstm"));
/// ```
#[derive(Clone, Debug)]
pub enum Rnn {
    /// The simple recurrent layer.
    SimpleRnn(SimpleRnn),
    /// The long short-term memory.
    Lstm(Lstm),
    /// The gated recurrent unit.
    Gru(Gru),
    /// Several of them, one above the other.
    StackedRnn(StackedRnn),
}

/// The same for each of them.
macro_rules! each {
    ($rnn:expr, $layer:ident => $result:expr) => {
        match $rnn {
            Rnn::SimpleRnn($layer) => $result,
            Rnn::Lstm($layer) => $result,
            Rnn::Gru($layer) => $result,
            Rnn::StackedRnn($layer) => $result,
        }
    };
}

macro_rules! from {
    ($($layer:ident)*) => {
        $(impl From<$layer> for Rnn {
            fn from(layer: $layer) -> Self {
                Rnn::$layer(layer)
            }
        })*
    };
}
from!(SimpleRnn Lstm Gru StackedRnn);

impl Rnn {
    pub(super) fn layer<T: Scalar>(&self) -> &dyn MultiLayer<T> {
        each!(self, layer => layer)
    }

    pub(super) fn weight_count(&self) -> usize {
        each!(self, layer => layer.weight_count())
    }

    fn goes_backwards(&self) -> bool {
        each!(self, layer => layer.goes_backwards())
    }

    fn returns_sequences(&self) -> bool {
        each!(self, layer => layer.returns_sequences())
    }

    fn returns_state(&self) -> bool {
        each!(self, layer => layer.returns_state())
    }

    /// How many states it has.
    pub(super) fn states(&self) -> usize {
        match self {
            Rnn::SimpleRnn(_) => SimpleRnn::STATES,
            Rnn::Lstm(_) => Lstm::STATES,
            Rnn::Gru(_) => Gru::STATES,
            Rnn::StackedRnn(stack) => stack.states(),
        }
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.layer::<f32>().activity_regularizer()
    }

    /// The layer in the other direction.
    fn turned(self) -> Self {
        let backwards = !self.goes_backwards();
        each!(self, layer => layer.go_backwards(backwards).into())
    }

    /// The layer going forwards, with these outputs.
    pub(super) fn giving(self, sequences: bool, state: bool, zeros: bool) -> Self {
        each!(self, layer => layer
            .go_backwards(false)
            .return_sequences(sequences)
            .return_state(state)
            .zero_output_for_mask(zeros)
            .into())
    }

    /// The layer, not trained.
    pub(super) fn frozen(self) -> Self {
        each!(self, layer => layer.trainable(false).into())
    }

    /// The layer, giving zeros where a mask leaves out steps of a sequence.
    fn zeroing(self) -> Self {
        let zeroing = self.returns_sequences();
        each!(self, layer => layer.zero_output_for_mask(zeroing).into())
    }
}

impl OptionValue for Rnn {
    fn read(value: &Value) -> Result<Self, Reason> {
        let (class_name, config) = nested(value).map_err(|error| format!(": {error}"))?;
        let layer = match class_name {
            SimpleRnn::CLASS => SimpleRnn::from_config(&config).map(Rnn::from),
            Lstm::CLASS => Lstm::from_config(&config).map(Rnn::from),
            Gru::CLASS => Gru::from_config(&config).map(Rnn::from),
            StackedRnn::CLASS => StackedRnn::from_config(&config).map(Rnn::from),
            _ => {
                return Err(format!(
                    " is a {class_name}; supported are SimpleRNN, LSTM, GRU and RNN"
                )
                .into());
            }
        };
        layer.map_err(|error| format!(" ({class_name}): {error}").into())
    }

    fn write(&self) -> Value {
        let layer = self.layer::<f32>();
        keras_object("keras.layers", layer.class_name(), Value::Object(layer.config()))
    }
}

/// How [`Bidirectional`] joins what its two layers give.
///
/// ```
/// use cinta::prelude::*;
/// let layer = Bidirectional::new(Gru::new(4)).merge_mode(MergeMode::Ave);
/// let model = Sequential::new([5, 3]).add(layer).build(0)?;
/// assert_eq!(model.output_shape(), [4]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMode {
    /// Side by side.
    Concat,
    /// Their sum.
    Sum,
    /// Their product, element by element.
    Mul,
    /// Their mean.
    Ave,
    /// Not at all: each is an output. Keras says `None`.
    Apart,
}

const MODES: [(&str, MergeMode); 4] = [
    ("concat", MergeMode::Concat),
    ("sum", MergeMode::Sum),
    ("mul", MergeMode::Mul),
    ("ave", MergeMode::Ave),
];

impl OptionValue for MergeMode {
    fn read(value: &Value) -> Result<Self, Reason> {
        let found = MODES.into_iter().find(|(name, _)| value.as_str() == Some(name));
        found
            .map(|(_, mode)| mode)
            .ok_or_else(|| not(value, "\"concat\", \"sum\", \"mul\", \"ave\" or null"))
    }

    fn write(&self) -> Value {
        let found = MODES.into_iter().find(|(_, mode)| mode == self);
        found.map_or(Value::Null, |(name, _)| json!(name))
    }

    fn read_null() -> Result<Option<Self>, Reason> {
        Ok(Some(MergeMode::Apart))
    }
}

recipe! {
    /// A recurrent layer twice, from each end of the sequences, and both results side by side or joined otherwise (Schuster
    /// and Paliwal, 1997).
    ///
    /// Its weights are those of both layers, `forward_kernel` and so on first, then `backward_kernel` and so on. With
    /// `return_sequences`, the results are joined step by step, and are zeros where a mask leaves out a step. A penalty on outputs
    /// is that of both layers, which have the same one; it goes with [`MergeMode::Concat`] alone.
    ///
    /// With `return_state`, the states of both layers are outputs as well, those from the front first; and states to begin
    /// with come behind the sequences in the same order.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let words = Sequential::new([20]).add(Embedding::new(100, 8).mask_zero(true));
    /// let model = words.add(Bidirectional::new(Lstm::new(4))).add(Dense::new(1)).build(0)?;
    /// assert_eq!(model.weight("bidirectional", "backward_kernel")?.shape(), [8, 16]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Bidirectional = "Bidirectional";
    /// This layer from the first step on, and another one like it from the last step back.
    new(layer: Rnn as impl Into<Rnn>, into);
    example [5, 3] => Bidirectional::new(Lstm::new(2)) => [4];
    options {
        /// How both results are joined.
        merge_mode: MergeMode = MergeMode::Concat, MergeMode::Sum => [2];
        /// The layer from the last step back, if it has other options. It goes backwards, and returns sequences if the other
        /// one does.
        backward_layer: Option<Rnn> as Rnn, into = None, Gru::new(2).go_backwards(true).into();
    }
    fixed {}
    ignored []
}

impl Bidirectional {
    fn backward(&self) -> Rnn {
        self.backward_layer.clone().unwrap_or_else(|| self.layer.clone().turned())
    }

    /// What each of both layers takes: the sequences, and its half of the states to begin with.
    fn split<X: Copy>(&self, inputs: &[X]) -> [Vec<X>; 2] {
        let Some((&x, start)) = inputs.split_first() else { return [Vec::new(), Vec::new()] };
        let (front, back) = start.split_at(self.layer.states().min(start.len()));
        [front, back].map(|states| [&[x], states].concat())
    }
}

impl<T: Scalar> Layer<T> for Bidirectional {
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for Bidirectional {
    described!();

    fn parts(&self, _: usize) -> Vec<Part> {
        let of = |layer: &Rnn, end: &str| {
            let parts = layer.layer::<T>().parts(layer.weight_count());
            parts.into_iter().map(|part| part.within(end)).collect::<Vec<_>>()
        };
        [of(&self.layer, "forward_layer"), of(&self.backward(), "backward_layer")].concat()
    }

    first_of_several!();

    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let backward = self.backward();
        if self.layer.goes_backwards() || !backward.goes_backwards() {
            return Err(
                "needs a layer that goes forwards, and its backward_layer goes backwards".into()
            );
        }
        let [front, back] = self.split(inputs);
        let mut states = self.layer.layer::<T>().output_shapes(&front)?;
        let mut others = backward.layer::<T>().output_shapes(&back)?;
        let (one, other) = (states.remove(0), others.remove(0));
        if self.layer.returns_state() != backward.returns_state() {
            return Err("one of both layers returns its state, and the other does not".into());
        }
        states.append(&mut others);
        let [front, back] = [&self.layer, &backward].map(Rnn::activity_regularizer);
        if front != back || (front.is_some() && self.merge_mode != MergeMode::Concat) {
            return Err(
                "a penalty on outputs is supported where both layers have the same one and their \
                        outputs stand side by side"
                    .into(),
            );
        }
        let last = one.rank() - 1;
        if one.rank() != other.rank() {
            return Err("one of both layers returns sequences, and the other does not".into());
        }
        let joined = match self.merge_mode {
            MergeMode::Concat => {
                let mut output = one.to_vec();
                output[last] += other[last];
                vec![Shape::new(&output)]
            }
            MergeMode::Apart => vec![one, other],
            _ if one == other => vec![one],
            _ => {
                return Err(
                    format!("joins what its layers give, {one} and {other}, which differ").into()
                );
            }
        };
        Ok([joined, states].concat())
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        self.layer.activity_regularizer()
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let of = |layer: &Rnn, end: &str| {
            let named =
                |weight: Weight| Weight { name: format!("{end}_{}", weight.name).into(), ..weight };
            layer.layer::<T>().weights(&inputs[..1]).into_iter().map(named).collect::<Vec<_>>()
        };
        [of(&self.layer, "forward"), of(&self.backward(), "backward")].concat()
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let [one, other] = [self.layer.clone(), self.backward()].map(Rnn::zeroing);
        let sequences = one.returns_sequences();
        let [front, back] = self.split(inputs);
        let (first, second) = weights.split_at(one.weight_count());
        // What the layers drop is not the same.
        let mode = match cx.mode() {
            Mode::Train { seed, step, layer, first_sample } => {
                Mode::Train { seed, step, layer: !layer, first_sample }
            }
            Mode::Infer => Mode::Infer,
        };
        let mut states = one.layer().forward_all(first, &front, cx);
        let mut cx = Context::new(mode).with_mask(cx.mask().cloned());
        let mut others = other.layer().forward_all(second, &back, &mut cx);
        let (y, mut z) = (states.remove(0), others.remove(0));
        if sequences {
            z = z.flip(1);
        }
        states.append(&mut others);
        let joined = match self.merge_mode {
            MergeMode::Concat => vec![Var::concat(&[&y, &z], y.shape().rank() - 1)],
            MergeMode::Sum => vec![y + z],
            MergeMode::Mul => vec![y * z],
            MergeMode::Ave => vec![(y + z) * T::lit(0.5)],
            MergeMode::Apart => vec![y, z],
        };
        [joined, states].concat()
    }

    fn mask(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        self.masks(inputs, masks).swap_remove(0)
    }

    fn masks(&self, _: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Vec<Option<Tensor<T>>> {
        let mask = masks[0].filter(|_| self.layer.returns_sequences()).cloned();
        let outputs = if self.merge_mode == MergeMode::Apart { 2 } else { 1 };
        vec![mask; outputs]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said() {
        let refused =
            |layer: Bidirectional| Layer::<f32>::output_shape(&layer, [4, 3].into()).unwrap_err();
        let states = Bidirectional::new(Lstm::new(2));
        let error =
            MultiLayer::<f32>::output_shape(&states, &[[4, 3].into(), [2].into()]).unwrap_err();
        assert!(error.as_str().contains("two states of shape [2]"), "{error}");
        let error = refused(Bidirectional::new(Gru::new(2).go_backwards(true)));
        assert!(error.as_str().contains("goes forwards"), "{error}");
        let pair = |backward: Rnn| Bidirectional::new(Gru::new(2)).backward_layer(backward);
        assert!(refused(pair(Gru::new(2).into())).as_str().contains("goes backwards"));
        let sequences = Gru::new(2).return_sequences(true).go_backwards(true);
        assert!(refused(pair(sequences.into())).as_str().contains("returns sequences"));
        let larger = pair(Gru::new(3).go_backwards(true).into()).merge_mode(MergeMode::Sum);
        assert!(refused(larger).as_str().contains("[2] and [3]"));
        let other = json!({ "layer": Rnn::from(Gru::new(2)).write(), "merge_mode": "max" });
        let error = Bidirectional::from_config(other.as_object().unwrap()).unwrap_err();
        assert!(error.as_str().contains("merge_mode = \"max\" is not \"concat\""), "{error}");
        let dense = json!({ "layer": { "class_name": "Dense", "config": { "units": 3 } } });
        let error = Bidirectional::from_config(dense.as_object().unwrap()).unwrap_err();
        assert!(error.as_str().contains("the option layer is a Dense"), "{error}");
    }
}
