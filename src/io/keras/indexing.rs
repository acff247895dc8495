//! Operations between layers that move values without changing them: slices, transpositions, new shapes.

use super::operations::{Operation, Source, Step, activation, sources, step};
use super::shapes::{Dims, Shapes};
use crate::config::{Value, json, name_of};
use std::collections::{HashMap, HashSet};

/// What a slice takes of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Taken {
    All,
    Backwards,
    One(i64),
    Range(Option<i64>, Option<i64>),
    /// All of as many axes as are left.
    Rest,
}

/// `x[:, -1, :]` as files have it, axis by axis.
fn taken(operation: &Operation) -> Option<Vec<Taken>> {
    let spec = operation.option(&["slice_spec", "key"])?;
    let one = |value: &Value| {
        if let Some(index) = value.as_i64() {
            return Some(Taken::One(index));
        }
        if value.get("class_name").is_some_and(|it| *it == "__ellipsis__") {
            return Some(Taken::Rest);
        }
        // Keras 3 has the three in a `config`.
        let slice = value.get("config").unwrap_or(value);
        slice.as_object()?;
        let end = |name: &str| match slice.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => value.as_i64().map(Some),
        };
        Some(match (end("start")?, end("stop")?, end("step")?) {
            (None, None, None | Some(1)) => Taken::All,
            (None, None, Some(-1)) => Taken::Backwards,
            (start, stop, None | Some(1)) => Taken::Range(start, stop),
            _ => return None,
        })
    };
    match spec {
        Value::Array(axes) => axes.iter().map(one).collect(),
        axis => Some(vec![one(axis)?]),
    }
}

/// The operations that take the last step of what a recurrent layer gives, where nothing else takes any. Such a layer gives its last
/// step by itself from now on, and the operation does nothing.
pub(super) fn last_steps(config: &mut Value, found: &[Option<Operation>]) -> HashSet<usize> {
    let (mut linear, mut counts) = (HashSet::new(), HashMap::<String, usize>::new());
    // How often a value is taken from each layer, in the model and for its outputs.
    sources(config, &mut |history| {
        if let Some(name) = history[0].as_str() {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    });
    for (at, operation) in found.iter().enumerate() {
        let Some(operation) = operation.as_ref().filter(|it| it.function.starts_with("get")) else {
            continue;
        };
        let last = matches!(
            taken(operation).as_deref(),
            Some(
                [Taken::All, Taken::One(-1)]
                    | [Taken::All, Taken::One(-1), Taken::All | Taken::Rest]
            )
        );
        let Some(Source::Given(history)) = operation.tensor().filter(|_| last) else { continue };
        let Some(source) = history.as_array().and_then(|it| it.first()).and_then(Value::as_str)
        else {
            continue;
        };
        // Once for the operation.
        if counts.get(source) != Some(&1) {
            continue;
        }
        let Some(layers) = config.get_mut("layers").and_then(Value::as_array_mut) else { continue };
        let Some(layer) = layers.iter_mut().find(|it| name_of(it) == Some(source)) else {
            continue;
        };
        let recurrent = matches!(
            layer.get("class_name").and_then(Value::as_str),
            Some("LSTM" | "GRU" | "SimpleRNN" | "RNN" | "CuDNNLSTM" | "CuDNNGRU")
        );
        let Some(options) = layer.get_mut("config").and_then(Value::as_object_mut) else {
            continue;
        };
        let is = |name: &str| options.get(name) == Some(&json!(true));
        if recurrent && is("return_sequences") && !is("return_state") {
            options.insert("return_sequences", json!(false));
            linear.insert(at);
        }
    }
    linear
}

fn reshape(target: &[u64], input: Source) -> Step {
    let target: Value = target.iter().map(|&dim| json!(dim)).collect();
    step("Reshape", json!({ "target_shape": target }), vec![input])
}

/// The sizes of a sample, where all of them are known.
fn sample(dims: &Dims) -> Option<Vec<u64>> {
    dims.iter().skip(1).copied().collect()
}

/// The layers that do what an operation does, by its name without underscores.
pub(super) fn steps(operation: &Operation, function: &str, shapes: &Shapes) -> Option<Vec<Step>> {
    let x = operation.tensor()?;
    let Source::Given(history) = &x else { return None };
    let dims = shapes.of(history);
    match function {
        "reshape" => {
            let target = operation.option(&["newshape", "shape"])?.as_array()?;
            let target: Vec<i64> = target.iter().map(Value::as_i64).collect::<Option<_>>()?;
            let [-1, rest @ ..] = &target[..] else { return None };
            let fixed = rest.iter().all(|&dim| dim > 0);
            fixed.then(|| vec![step("Reshape", json!({ "target_shape": rest.to_vec() }), vec![x])])
        }
        "transpose" => {
            let axes = operation.option(&["axes", "perm"])?.as_array()?;
            let axes: Vec<i64> = axes.iter().map(Value::as_i64).collect::<Option<_>>()?;
            let [0, rest @ ..] = &axes[..] else { return None };
            Some(vec![step("Permute", json!({ "dims": rest.to_vec() }), vec![x])])
        }
        "expanddims" => {
            let axis = operation.option(&["axis"])?.as_i64()?;
            let mut dims = sample(dims?)?;
            let rank = dims.len() as i64 + 2;
            let at = if axis < 0 { axis + rank } else { axis };
            (1..rank).contains(&at).then(|| dims.insert(at as usize - 1, 1))?;
            Some(vec![reshape(&dims, x)])
        }
        "squeeze" => {
            let axis = match operation.option(&["axis"])? {
                Value::Array(axes) if axes.len() == 1 => axes[0].as_i64()?,
                axis => axis.as_i64()?,
            };
            let mut dims = sample(dims?)?;
            let at = if axis < 0 { axis + dims.len() as i64 } else { axis - 1 };
            let at = usize::try_from(at).ok().filter(|&at| dims.get(at) == Some(&1))?;
            dims.remove(at);
            Some(vec![reshape(&dims, x)])
        }
        "stack" => {
            let mut dims = sample(dims?)?;
            let axis = operation.options.get("axis").and_then(Value::as_i64)?;
            if axis != -1 && axis != dims.len() as i64 + 1 {
                return None;
            }
            dims.push(1);
            let inputs = operation.tensors()?;
            let count = inputs.len();
            let mut steps: Vec<Step> = inputs.into_iter().map(|it| reshape(&dims, it)).collect();
            let parts = (0..count).map(Source::Step).collect();
            steps.push(step("Concatenate", json!({ "axis": -1 }), parts));
            Some(steps)
        }
        "flip" | "reverse" => {
            let axis = operation.option(&["axis"])?;
            let axis = match axis.as_array() {
                Some([axis]) => axis.as_i64()?,
                _ => axis.as_i64()?,
            };
            let last = axis == -1 || axis == dims?.len() as i64 - 1;
            if last { channels_backwards(dims?, x) } else { None }
        }
        "pad" => {
            let paddings: Value = operation.option(&["paddings", "pad_width"])?.clone();
            let zero =
                operation.options.get("constant_values").and_then(Value::as_f64).unwrap_or(0.0);
            let mode = operation.options.get("mode").and_then(Value::as_str).unwrap_or("constant");
            let none = json!([0, 0]);
            match paddings.as_array()? {
                [first, rows, columns, last]
                    if *first == none
                        && *last == none
                        && zero == 0.0
                        && mode.eq_ignore_ascii_case("constant") =>
                {
                    Some(vec![step(
                        "ZeroPadding2D",
                        json!({ "padding": [rows, columns] }),
                        vec![x],
                    )])
                }
                _ => None,
            }
        }
        "getitem" => sliced(&taken(operation)?, dims?, x),
        _ => None,
    }
}

/// What is cropped at both ends of an axis, and how much is left.
fn cropped(taken: Taken, size: u64) -> Option<[u64; 2]> {
    let size = i64::try_from(size).ok()?;
    let at = |index: i64| {
        let index = if index < 0 { index + size } else { index };
        u64::try_from(index.clamp(0, size)).ok()
    };
    let size = size as u64;
    match taken {
        Taken::All => Some([0, 0]),
        Taken::One(index) => {
            // An index is within the axis, where a range may go beyond.
            let start = if index < 0 { index.checked_add_unsigned(size)? } else { index };
            let start = u64::try_from(start).ok().filter(|&it| it < size)?;
            Some([start, size - start - 1])
        }
        Taken::Range(start, stop) => {
            let (start, stop) = (at(start.unwrap_or(0))?, stop.map_or(Some(size), at)?);
            (start < stop).then(|| [start, size - stop])
        }
        Taken::Backwards | Taken::Rest => None,
    }
}

/// A slice of a value: along the channels of images, or along the other axes of series and images.
fn sliced(taken: &[Taken], dims: &Dims, x: Source) -> Option<Vec<Step>> {
    let rank = dims.len();
    let mut axes = Vec::with_capacity(rank);
    for &axis in taken {
        match axis {
            Taken::Rest => axes.extend(vec![Taken::All; (rank + 1).checked_sub(taken.len())?]),
            axis => axes.push(axis),
        }
    }
    axes.resize(rank.max(axes.len()), Taken::All);
    let (&first, axes) = axes.split_first()?;
    if first != Taken::All || axes.len() != rank - 1 {
        return None;
    }
    if axes.iter().all(|&axis| axis == Taken::All) {
        return Some(vec![activation("linear", x)]);
    }
    if let Some((Taken::Backwards, before)) = axes.split_last()
        && before.iter().all(|&axis| axis == Taken::All)
    {
        return channels_backwards(dims, x);
    }
    let sizes = sample(dims)?;
    let crops: Vec<[u64; 2]> =
        axes.iter().zip(&sizes).map(|(&axis, &size)| cropped(axis, size)).collect::<Option<_>>()?;
    let left: Vec<u64> = sizes.iter().zip(&crops).map(|(size, [a, b])| size - a - b).collect();
    let mut steps = match crops[..] {
        [features] => vec![
            reshape(&[sizes[0], 1], x),
            step("Cropping1D", json!({ "cropping": features.to_vec() }), vec![Source::Step(0)]),
            reshape(&left, Source::Step(1)),
        ],
        [time, [0, 0]] => vec![step("Cropping1D", json!({ "cropping": time.to_vec() }), vec![x])],
        [time, features] => vec![
            reshape(&[sizes[0], sizes[1], 1], x),
            crop_image([time, features], Source::Step(0)),
            reshape(&left, Source::Step(1)),
        ],
        [rows, columns, [0, 0]] => vec![crop_image([rows, columns], x)],
        [[0, 0], [0, 0], channels] => vec![
            step("Permute", json!({ "dims": [3, 1, 2] }), vec![x]),
            crop_image([channels, [0, 0]], Source::Step(0)),
            step("Permute", json!({ "dims": [2, 3, 1] }), vec![Source::Step(1)]),
        ],
        _ => return None,
    };
    let one = |axis: &Taken| matches!(axis, Taken::One(_));
    if axes.iter().any(one) {
        let kept = axes.iter().zip(left).filter(|(axis, _)| !one(axis)).map(|(_, size)| size);
        let kept: Vec<u64> = kept.collect();
        if kept.is_empty() {
            return None;
        }
        let last = steps.len() - 1;
        steps.push(reshape(&kept, Source::Step(last)));
    }
    Some(steps)
}

fn crop_image([rows, columns]: [[u64; 2]; 2], input: Source) -> Step {
    let cropping = json!([rows.to_vec(), columns.to_vec()]);
    step("Cropping2D", json!({ "cropping": cropping }), vec![input])
}

/// The channels of images in the other order: each is cut out, and they are joined again.
fn channels_backwards(dims: &Dims, x: Source) -> Option<Vec<Step>> {
    let &[_, _, _, Some(channels @ 1..=4)] = &dims[..] else { return None };
    let mut steps = vec![step("Permute", json!({ "dims": [3, 1, 2] }), vec![x])];
    for channel in (0..channels).rev() {
        steps.push(crop_image([[channel, channels - channel - 1], [0, 0]], Source::Step(0)));
    }
    let cut = (1..steps.len()).map(Source::Step).collect();
    steps.push(step("Concatenate", json!({ "axis": 1 }), cut));
    let joined = Source::Step(steps.len() - 1);
    steps.push(step("Permute", json!({ "dims": [2, 3, 1] }), vec![joined]));
    Some(steps)
}
