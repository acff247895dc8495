//! Recurrent layers made of cells.

use super::bidirectional::Rnn;
use super::multi_layer::first_of_several;
use super::nested::nested;
use super::recipe::{described, recipe};
use super::{Context, Gru, Layer, Lstm, Mode, MultiLayer, Part, SimpleRnn, Weight, one_input};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, file_groups, json, keras_object};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// What a cell does not say, because the layer around it does.
const OF_LAYERS: [&str; 6] = [
    "return_sequences",
    "return_state",
    "go_backwards",
    "zero_output_for_mask",
    "activity_regularizer",
    "stateful",
];

/// The cells of a [`StackedRnn`], the lowest one first: one of the recurrent layers, or a list.
///
/// ```
/// use cinta::prelude::*;
/// let one = Cells::from(Gru::new(4));
/// let list = Cells::from([Gru::new(4)]); // Keras's files tell both apart
/// assert_ne!(format!("{one:?}"), format!("{list:?}"));
/// ```
#[derive(Clone, Debug)]
pub struct Cells {
    /// As the layers that compute the same.
    cells: Vec<Rnn>,
    listed: bool,
}

macro_rules! one_cell {
    ($($layer:ident)*) => {
        $(impl From<$layer> for Cells {
            fn from(layer: $layer) -> Self {
                Cells { cells: vec![layer.into()], listed: false }
            }
        })*
    };
}
one_cell!(SimpleRnn Lstm Gru);

impl<C: Into<Rnn>> From<Vec<C>> for Cells {
    fn from(cells: Vec<C>) -> Self {
        Cells { cells: cells.into_iter().map(Into::into).collect(), listed: true }
    }
}

impl<C: Into<Rnn>, const N: usize> From<[C; N]> for Cells {
    fn from(cells: [C; N]) -> Self {
        Cells::from(Vec::from(cells))
    }
}

fn read_cell(value: &Value) -> Result<Rnn, Reason> {
    let (class_name, config) = nested(value).map_err(|error| format!(": {error}"))?;
    let cell = match class_name {
        "SimpleRNNCell" => SimpleRnn::from_config(&config).map(Rnn::from),
        "LSTMCell" => Lstm::from_config(&config).map(Rnn::from),
        "GRUCell" => Gru::from_config(&config).map(Rnn::from),
        _ => {
            return Err(format!(
                " is a {class_name}; supported are SimpleRNNCell, LSTMCell, GRUCell and StackedRNNCells of these"
            ).into());
        }
    };
    cell.map_err(|error| format!(" ({class_name}): {error}").into())
}

/// Keras's name of the cell of such a layer.
fn class_of(cell: &Rnn) -> String {
    format!("{}Cell", cell.layer::<f32>().class_name())
}

fn write_cell(cell: &Rnn) -> Value {
    let mut config = cell.layer::<f32>().config();
    config.retain(|name, _| !OF_LAYERS.contains(&name.as_str()));
    keras_object("keras.layers", &class_of(cell), Value::Object(config))
}

impl OptionValue for Cells {
    fn read(value: &Value) -> Result<Self, Reason> {
        let stack = value.get("class_name").is_some_and(|class| *class == "StackedRNNCells");
        if !stack {
            return Ok(Cells { cells: vec![read_cell(value)?], listed: false });
        }
        let config = nested(value).map_err(|error| format!(": {error}"))?.1;
        let cells = config.get("cells").and_then(Value::as_array).unwrap_or_default();
        let trained = config.get("trainable") != Some(&json!(false));
        let read = |cell| read_cell(cell).map(|cell| if trained { cell } else { cell.frozen() });
        Ok(Cells { cells: cells.iter().map(read).collect::<Result<_, _>>()?, listed: true })
    }

    fn write(&self) -> Value {
        match &self.cells[..] {
            [cell] if !self.listed => write_cell(cell),
            cells => {
                let cells: Vec<Value> = cells.iter().map(write_cell).collect();
                keras_object("keras.layers", "StackedRNNCells", json!({ "cells": cells }))
            }
        }
    }
}

recipe! {
    /// Recurrent layers one above the other that count as one: Keras's `RNN` of a cell or a list of cells. Each takes the sequence of what the one below
    /// it gives; sequences `[steps, features]` become the last state of the uppermost one, or all of them.
    ///
    /// A cell is given as the layer that computes the same, [`SimpleRnn`], [`Lstm`] or [`Gru`], of which the options for sequences, states and the
    /// direction do not count. The weights are those of the cells, one after the other; if they are given as a list, even of one, with names as
    /// `lstm_cell/kernel`. With `return_state`, the last states of all cells are outputs as well, those of the lowest one first. States to begin with
    /// come behind the sequences in that order, unless there are several cells and one of them has two states.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let cells: [Rnn; 2] = [Lstm::new(4).into(), Gru::new(2).into()];
    /// let model = Sequential::new([7, 3]).add(StackedRnn::new(cells)).add(Dense::new(1)).build(0)?;
    /// assert_eq!(model.weight("rnn", "lstm_cell/kernel")?.shape(), [3, 16]);
    /// assert_eq!(model.weight("rnn", "gru_cell/kernel")?.shape(), [4, 6]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct StackedRnn = "RNN";
    /// These cells, the lowest one first.
    new(cell: Cells as impl Into<Cells>, into);
    example [5, 3] => StackedRnn::new([Lstm::new(4), Lstm::new(2)]) => [2];
    options {
        /// Whether it gives the uppermost state after every step, or after the last one alone.
        return_sequences: bool = false, true => [5, 2];
        /// Whether it has the last states of all cells as further outputs.
        return_state: bool = false, true;
        /// Whether it goes from the last step to the first one. What it gives has that order, too.
        go_backwards: bool = false, true;
        /// Whether it gives zeros for the steps that a mask leaves out, and not the state before them.
        zero_output_for_mask: bool = false, true;
    }
    fixed { "stateful": false }
    only { "time_major": false }
    // Of no consequence for what is computed.
    ignored ["unroll"]
}

impl StackedRnn {
    /// The cells as layers that stand one behind the other, the first of which alone may go backwards.
    fn layers(&self) -> impl ExactSizeIterator<Item = Rnn> {
        let last = self.cell.cells.len().saturating_sub(1);
        self.cell.cells.iter().enumerate().map(move |(at, cell)| {
            let sequences = at < last || self.return_sequences;
            let zeros = at == last && self.zero_output_for_mask;
            cell.clone().giving(sequences, self.return_state, zeros)
        })
    }

    pub(super) fn goes_backwards(&self) -> bool {
        self.go_backwards
    }

    pub(super) fn returns_sequences(&self) -> bool {
        self.return_sequences
    }

    pub(super) fn returns_state(&self) -> bool {
        self.return_state
    }

    pub(super) fn states(&self) -> usize {
        self.cell.cells.iter().map(Rnn::states).sum()
    }

    pub(super) fn weight_count(&self) -> usize {
        self.cell.cells.iter().map(Rnn::weight_count).sum()
    }

    /// The groups of the cells in files.
    fn groups(&self) -> Vec<String> {
        let classes: Vec<String> = self.cell.cells.iter().map(class_of).collect();
        file_groups(classes.iter().map(String::as_str))
    }
}

impl<T: Scalar> Layer<T> for StackedRnn {
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for StackedRnn {
    described!();
    first_of_several!();

    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let Some((&input, mut start)) = inputs.split_first() else {
            return Err("needs sequences, and has no input".into());
        };
        let cells = &self.cell.cells;
        if cells.is_empty() || cells.iter().any(|cell| matches!(cell, Rnn::StackedRnn(_))) {
            return Err("needs at least one cell, none of which is a StackedRnn".into());
        }
        if !start.is_empty() && cells.len() > 1 && self.states() > cells.len() {
            return Err("cells one above the other with two states each begin with zeros; leave out the states behind the sequences".into());
        }
        let (given, wanted) = (start.len(), self.states());
        if given != 0 && given != wanted {
            return Err(format!("begins with {wanted} states, and is given {given}").into());
        }
        let (mut x, mut outputs) = (input, Vec::new());
        for (at, layer) in self.layers().enumerate() {
            let own;
            (own, start) = start.split_at(layer.states().min(start.len()));
            let given = layer.layer::<T>().output_shapes(&[&[x], own].concat());
            let mut given = given.map_err(|error| format!("the cell {at} in it: {error}"))?;
            x = given.remove(0);
            outputs.append(&mut given);
        }
        outputs.insert(0, x);
        Ok(outputs)
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let (mut x, mut weights) = (inputs[0], Vec::new());
        for (layer, group) in self.layers().zip(self.groups()) {
            let name = |weight: &Weight| match self.cell.listed {
                true => format!("{group}/{}", weight.name),
                false => weight.name.to_string(),
            };
            let trained = layer.layer::<T>().trainable();
            weights.extend(layer.layer::<T>().weights(&[x]).into_iter().map(|weight| Weight {
                name: name(&weight).into(),
                trainable: weight.trainable && trained,
                ..weight
            }));
            let output = layer.layer::<T>().output_shape(&[x]);
            x = output.expect("output_shapes has checked it");
        }
        weights
    }

    fn parts(&self, _: usize) -> Vec<Part> {
        let group = |of: String| match self.cell.listed {
            true => format!("cell/cells/{of}"),
            false => "cell".to_owned(),
        };
        let cells = self.cell.cells.iter().zip(self.groups());
        cells.map(|(cell, of)| Part { group: group(of), weights: cell.weight_count() }).collect()
    }

    fn forward_all<'t>(
        &self,
        mut weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let (mut x, mut start) = (inputs[0].clone(), &inputs[1..]);
        let mut mask = cx.mask().cloned();
        if self.go_backwards {
            (x, mask) = (x.flip(1), mask.map(|mask| mask.flip(1)));
        }
        let mut states = Vec::new();
        for (at, layer) in (0..).zip(self.layers()) {
            let (own, used);
            (own, start) = start.split_at(layer.states().min(start.len()));
            (used, weights) = weights.split_at(layer.weight_count());
            // What the cells drop is not the same.
            let mode = match cx.inside() {
                Mode::Train { seed, step, first_sample, .. } => {
                    Mode::Train { seed, step, layer: at, first_sample }
                }
                Mode::Infer => Mode::Infer,
            };
            let mut inner = Context::new(mode).with_mask(mask.clone());
            let taken = [&[&x], own].concat();
            let mut given = layer.layer().forward_all(used, &taken, &mut inner);
            let y = given.remove(0);
            states.append(&mut given);
            x = y;
        }
        states.insert(0, x);
        states
    }

    fn mask(&self, _: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        masks[0].filter(|_| self.return_sequences).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Activation;
    use crate::tensor::Stream;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    fn stack() -> StackedRnn {
        StackedRnn::new([Rnn::from(Lstm::new(3)), Gru::new(2).into(), SimpleRnn::new(3).into()])
    }

    fn weights(layer: &StackedRnn, input: Shape) -> Vec<Tensor<f64>> {
        let weights = MultiLayer::<f64>::weights(layer, &[input]);
        (1..).zip(weights).map(|(seed, weight)| draw(&weight.shape, seed)).collect()
    }

    /// The same bits as layers one behind the other, with their states.
    #[test]
    fn a_stack_is_a_chain() {
        let (x, mask) = (draw(&[2, 4, 2], 1), Tensor::from([[0.0, 1.0, 1.0, 0.0], [1.0; 4]]));
        for (sequences, backwards) in [(false, false), (true, true)] {
            let layer = stack().return_sequences(sequences).go_backwards(backwards);
            let layer = layer.return_state(true);
            let weights: Vec<_> =
                weights(&layer, [4, 2].into()).into_iter().map(Var::constant).collect();
            let cx = |mask| Context::new(Mode::Infer).with_mask(Some(mask));
            let x = Var::constant(x.clone());
            let given = layer.forward_all(&weights, &[&x], &mut cx(mask.clone()));
            let turned = if backwards { mask.flip(1) } else { mask.clone() };
            let all = |layer: &dyn MultiLayer<f64>, weights: &[Var<'static, f64>], x, mask| {
                layer.forward_all(weights, &[x], &mut cx(mask))
            };
            let first = Lstm::new(3).return_sequences(true).return_state(true);
            let first = first.go_backwards(backwards);
            let first = all(&first, &weights[..3], &x, mask.clone());
            let second = Gru::new(2).return_sequences(true).return_state(true);
            let second = all(&second, &weights[3..6], &first[0], turned.clone());
            let third = SimpleRnn::new(3).return_sequences(sequences).return_state(true);
            let third = all(&third, &weights[6..], &second[0], turned);
            let expected = [&third[..1], &first[1..], &second[1..], &third[1..]].concat();
            let values = |all: Vec<Var<'static, f64>>| -> Vec<Tensor<f64>> {
                all.into_iter().map(Var::into_value).collect()
            };
            assert_eq!(values(given), values(expected));
        }
    }

    #[test]
    fn gradients() {
        let layer = StackedRnn::new([SimpleRnn::new(2), SimpleRnn::new(3)]).go_backwards(true);
        let w = weights(&layer, [3, 2].into());
        let w = [0, 1, 2, 3, 4, 5].map(|i| w[i].clone());
        let [a, b, c, d, e, f] = w;
        gradcheck(
            |[x, start, second, a, b, c, d, e, f]| {
                let weights = [a, b, c, d, e, f].map(Var::clone);
                let mut cx = Context::new(Mode::Infer);
                MultiLayer::forward(&layer, &weights, &[x, start, second], &mut cx).square()
            },
            [draw(&[2, 3, 2], 7), draw(&[2, 2], 8), draw(&[2, 3], 9), a, b, c, d, e, f],
        )
        .unwrap();
    }

    /// Names of weights say the cell in a list alone, however long it is.
    #[test]
    fn names_of_weights() {
        let first = |layer: StackedRnn| {
            MultiLayer::<f32>::weights(&layer, &[[4, 2].into()])[0].name.to_string()
        };
        assert_eq!(first(StackedRnn::new(Lstm::new(2))), "kernel");
        assert_eq!(first(StackedRnn::new([Lstm::new(2)])), "lstm_cell/kernel");
    }

    /// Two equal cells, through kernels that are the identity: what they drop is not the same.
    #[test]
    fn cells_drop_differently() {
        let cell = || SimpleRnn::new(8).activation(Activation::Linear).dropout(0.5);
        let own = [Tensor::eye(8), Tensor::zeros([8, 8]), Tensor::zeros([8])].map(Var::constant);
        let run = |cells: usize| {
            let layer = StackedRnn::new(vec![cell(); cells]);
            let x = Var::constant(Tensor::<f64>::ones([4, 1, 8]));
            let mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };
            let weights: Vec<_> = (0..cells).flat_map(|_| own.iter().cloned()).collect();
            let mut cx = Context::new(mode);
            MultiLayer::forward(&layer, &weights, &[&x], &mut cx).into_value()
        };
        // 2 where the first cell drops nothing, 4 where both do not.
        let (one, two) = (run(1), run(2));
        let kept = |y: &Tensor<f64>, value| y.iter().filter(|&y| y == value).count();
        assert_eq!(kept(&one, 0.0) + kept(&one, 2.0), 32);
        assert_eq!(kept(&two, 0.0) + kept(&two, 4.0), 32);
        assert!(one.iter().zip(two.iter()).all(|(one, two)| one > 0.0 || two == 0.0));
        assert!((1..kept(&one, 2.0)).contains(&kept(&two, 4.0)));
    }

    #[test]
    fn files_say_one_cell_or_a_list() {
        for (layer, groups) in [
            (StackedRnn::new(Lstm::new(2)), vec!["cell"]),
            (
                stack(),
                vec!["cell/cells/lstm_cell", "cell/cells/gru_cell", "cell/cells/simple_rnn_cell"],
            ),
        ] {
            let again = StackedRnn::from_config(&MultiLayer::<f32>::config(&layer)).unwrap();
            assert_eq!(format!("{again:?}"), format!("{layer:?}"));
            let parts = MultiLayer::<f32>::parts(&again, 0);
            assert_eq!(parts.into_iter().map(|part| part.group).collect::<Vec<_>>(), groups);
        }
        let cell = json!({ "cell": { "class_name": "MyCell", "config": {} } });
        let error = StackedRnn::from_config(cell.as_object().unwrap()).unwrap_err();
        assert!(
            error.as_str().starts_with("the option cell is a MyCell; supported are"),
            "{error}"
        );
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: StackedRnn, inputs: &[Shape]| {
            MultiLayer::<f32>::output_shapes(&layer, inputs).unwrap_err().as_str().to_owned()
        };
        let x = Shape::from([4, 2]);
        assert!(error(StackedRnn::new(Gru::new(0)), &[x]).contains("the cell 0 in it: 0 units"));
        assert!(error(StackedRnn::new(Vec::<Rnn>::new()), &[x]).contains("at least one cell"));
        assert!(error(stack(), &[x, [3].into()]).contains("begin with zeros"));
        let two = StackedRnn::new([Gru::new(2), Gru::new(2)]);
        assert!(error(two, &[x, [2].into()]).contains("2 states, and is given 1"));
    }
}
