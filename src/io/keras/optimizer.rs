//! What an optimizer keeps, in the order of Keras's files.
//!
//! Keras 3 stores a list: the iteration, the learning rate (unless it follows a schedule), and then the slots of all
//! weights that are trained: the first few weight by weight (`Optimizer::slots_together`), the others one after the
//! other. `tests/keras_round_trip.py` checks this against Keras.
//!
//! | | slots |
//! |---|---|
//! | SGD | momentum (only if it is not 0) |
//! | RMSprop | velocity; momentum (only if above 0); average gradient (only if centered) |
//! | Adagrad | accumulator |
//! | Adam, AdamW | momentum and velocity, together; largest velocity (only with `amsgrad`) |
//! | Adafactor | means of rows, means of columns (both of matrices alone) and velocity, together |
//! | Nadam | momentum and velocity, together; the product of momentums, one number |
//! | the others | two or one, together |
//!
//! Until TensorFlow 2.10, no slots were together, and the learning rate was not in the list. Keras 2.2 had no iteration
//! for RMSprop and Adagrad, kept a momentum even where it is 0, and for Adam a last slot that it did not use.

use super::hdf5::Group;
use super::tree::Tree;
use super::weights::checked;
use crate::config::Value;
use crate::error::Reason;
use crate::model::{Built, Model, Param};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::{Compile, Optimizer, Whole, initial_slots};
use std::collections::HashSet;

/// Where a file keeps the variables of an optimizer, in order.
pub(super) struct Variables<'f> {
    pub group: &'f Group,
    pub paths: Vec<String>,
    /// Whether the moments of a weight are together, which they are since TensorFlow 2.11.
    pub together: bool,
}

/// What a file says about an optimizer's past.
pub(super) struct State<T: Scalar> {
    pub iterations: u64,
    /// Unless it follows a schedule, or is in the configuration alone.
    pub learning_rate: Option<T>,
    /// The slots of each weight that is trained; none before the first step.
    pub slots: Vec<Vec<Tensor<T>>>,
}

/// The slots that are kept in the order of files, as pairs of a weight and a slot.
fn kept<T: Scalar>(
    optimizer: &dyn Optimizer<T>,
    together: usize,
    weights: &[(&str, &Param<T>)],
) -> Vec<(usize, usize)> {
    let mut order = order(optimizer.slots().len(), together, weights.len());
    order.retain(|&(weight, slot)| slot_shape(optimizer, weights[weight], slot).is_some());
    order
}

/// The shape of a slot of a weight, which has the layer's name beside it.
fn slot_shape<T: Scalar>(
    optimizer: &dyn Optimizer<T>,
    (layer, param): (&str, &Param<T>),
    slot: usize,
) -> Option<Shape> {
    let path = param.weight.path(layer);
    let of = Whole { path: &path, shape: param.weight.shape };
    optimizer.slot_shape(optimizer.slots()[slot], of)
}

/// The slots in the order of files, as pairs of a weight and a slot. The first `together` are weight by weight.
fn order(slots: usize, together: usize, weights: usize) -> Vec<(usize, usize)> {
    let first = together.min(slots);
    let by_weight = (0..weights).flat_map(|weight| (0..first).map(move |slot| (weight, slot)));
    let others = (first..slots).flat_map(|slot| (0..weights).map(move |weight| (weight, slot)));
    by_weight.chain(others).collect()
}

impl<'f> Variables<'f> {
    /// The list in a file of Keras 3: `optimizer/vars/0`, `1`, and so on.
    pub fn counted(root: &'f Group) -> Result<Option<Self>, Reason> {
        let Some(mut optimizer) = root.find("optimizer")? else { return Ok(None) };
        // With mixed precision, it is in another one.
        if let Some(inner) = optimizer.find("inner_optimizer")? {
            optimizer = inner;
        }
        let Some(group) = optimizer.find("vars")? else { return Ok(None) };
        let paths = (0..group.array_count()?).map(|i| i.to_string()).collect();
        Ok(Some(Variables { group, paths, together: true }))
    }

    /// The list of names of a whole-model `.h5` file.
    pub fn listed(root: &'f Group) -> Result<Option<Self>, Reason> {
        let Some(group) = root.find("optimizer_weights")? else { return Ok(None) };
        let attributes = group.attributes()?;
        let names = attributes.texts("weight_names")?.unwrap_or_default();
        let mut paths: Vec<String> = names.into_iter().map(str::to_owned).collect();
        // With mixed precision, those of the optimizer around it come first.
        let around = paths.iter().take(4).position(|path| path.ends_with("/dynamic_scale"));
        paths.drain(..around.map_or(0, |last| last + 1));
        let first = paths.first().map_or("", String::as_str);
        let together = first.trim_end_matches(":0").ends_with("iteration");
        Ok(Some(Variables { group, paths, together }))
    }

    /// Reads the variables for an optimizer of these weights. One that has not seen its weights yet starts afresh.
    pub fn read<T: Scalar>(
        self,
        optimizer: &dyn Optimizer<T>,
        weights: &[(&str, &Param<T>)],
    ) -> Result<State<T>, Reason> {
        let (mut paths, mut iterations, mut learning_rate) = (&self.paths[..], None, None);
        let is_scalar = |path: &str| Ok::<_, Reason>(self.group.shape(path)?.is_empty());
        if let [first, rest @ ..] = paths
            && is_scalar(first)?
        {
            iterations = Some(self.group.count(first)?);
            paths = rest;
        }
        let slots = optimizer.slots().len();
        let together = if self.together { optimizer.slots_together() } else { 0 };
        let order = kept(optimizer, together, weights);
        // Numbers that follow from the iterations: at the end in Keras 3, first until TensorFlow 2.10, nowhere in between.
        let numbers = optimizer.numbers_after(0).len();
        if numbers > 0 && paths.len() >= order.len() + numbers {
            let (first, last) = (paths.split_at(numbers), paths.split_at(paths.len() - numbers));
            let are_scalar = |paths: &[String]| {
                paths.iter().try_fold(true, |all, path| Ok::<_, Reason>(all && is_scalar(path)?))
            };
            if are_scalar(last.1)? {
                paths = last.0;
            } else if !self.together && are_scalar(first.0)? {
                paths = first.1;
            }
        }
        if let [first, rest @ ..] = paths
            && self.together
            && paths.len() != order.len()
            && is_scalar(first)?
        {
            learning_rate = Some(self.group.tensor(first)?.item());
            paths = rest;
        }
        // Where a file does not say how many steps there were, it is because Keras did not need to know.
        let iterations = match iterations {
            Some(iterations) if slots == 0 || !paths.is_empty() => iterations,
            None if !paths.is_empty() => 1,
            _ => 0,
        };
        if iterations == 0 {
            return Ok(State { iterations, learning_rate, slots: Vec::new() });
        }
        // What Keras 2.2 kept without using it, and for SGD without momentum the optimizers of TensorFlow 2.11 to 2.15.
        let unused = (!self.together || slots == 0) && paths.len() == order.len() + weights.len();
        if paths.len() != order.len() && !unused {
            return Err(format!(
                "the optimizer {} of {} weights keeps {} arrays, and the file has {}",
                optimizer.class_name(),
                weights.len(),
                order.len(),
                paths.len()
            )
            .into());
        }
        let mut read: Vec<Vec<Option<Tensor<T>>>> = vec![vec![None; slots]; weights.len()];
        for (&(weight, slot), path) in order.iter().zip(paths) {
            let (layer, Param { weight: of, .. }) = weights[weight];
            let name = format!("{layer}/{}/{}", of.name, optimizer.slots()[slot]);
            let shape = slot_shape(optimizer, weights[weight], slot).unwrap_or(of.shape);
            read[weight][slot] = Some(checked(self.group, path, &name, &shape)?);
        }
        // One that is not kept is empty.
        let filled = |slot: Option<Tensor<T>>| slot.unwrap_or_else(|| Tensor::zeros([0]));
        let slots = read.into_iter().map(|slots| slots.into_iter().map(filled).collect()).collect();
        Ok(State { iterations, learning_rate, slots })
    }
}

/// The weights of these layers that an optimizer trains, with the names of their layers.
pub(super) fn trained<'m, T: Scalar>(
    layers: impl IntoIterator<Item = &'m Built<T>>,
) -> Vec<(&'m str, &'m Param<T>)> {
    let named = |layer: &'m Built<T>| layer.params.iter().map(|param| (&*layer.name, param));
    let named = layers.into_iter().flat_map(named);
    named.filter(|(_, param)| param.weight.trainable).collect()
}

/// The optimizer's hyperparameters, as files have them.
fn config<T: Scalar>(compiled: &Compile<T>) -> Value {
    compiled.config(&[])["optimizer"]["config"].take()
}

/// Keras's name for an optimizer's variables: `sgd`.
fn name(config: &Value) -> &str {
    config["name"].as_str().unwrap_or("optimizer")
}

/// Calls `write` with all variables in the order of Keras 3, each with its name in a `.h5` file.
fn variables<T: Scalar>(
    model: &Model<T>,
    optimizer: &dyn Optimizer<T>,
    config: &Value,
    mut write: impl FnMut(String, Variable<T>),
) {
    let name = name(config);
    write(format!("{name}/iteration"), Variable::Count(model.progress.iterations));
    if let Some(rate) = config["learning_rate"].as_f64() {
        let rate = Tensor::new(&[][..], vec![T::lit(rate)]);
        write(format!("{name}/learning_rate"), Variable::Tensor(rate));
    }
    let params = trained(&model.layers);
    let slots = optimizer.slots();
    for (weight, slot) in kept(optimizer, optimizer.slots_together(), &params) {
        let (layer, Param { weight, slots: values, value }) = params[weight];
        // Before the first step, they are what the optimizer begins with.
        let path = weight.path(layer);
        let initial = || initial_slots(optimizer, &path, value).swap_remove(slot);
        let value = values.get(slot).cloned().unwrap_or_else(initial);
        let variable = format!("{}_{layer}_{}_{}", model.name, weight.name, slots[slot]);
        write(format!("{name}/{variable}"), Variable::Tensor(value));
    }
    for (i, number) in optimizer.numbers_after(model.progress.iterations).into_iter().enumerate() {
        let number = Tensor::new(&[][..], vec![T::lit(number)]);
        // Keras has no name for them.
        let counted = if i == 0 { String::new() } else { format!("_{i}") };
        write(format!("{name}/variable{counted}"), Variable::Tensor(number));
    }
}

enum Variable<T: Scalar> {
    Count(u64),
    Tensor(Tensor<T>),
}

impl<T: Scalar> Variable<T> {
    fn write(self, tree: &mut Tree, path: &str) {
        match self {
            Variable::Count(count) => tree.count(path, count),
            Variable::Tensor(tensor) => tree.tensor(path, &tensor),
        }
    }
}

/// Writes the variables as the files of Keras 3 count them.
pub(super) fn write<T: Scalar>(tree: &mut Tree, model: &Model<T>) {
    let Some(compiled) = &model.compiled else { return };
    let vars = tree.group("optimizer/vars");
    let config = config(compiled);
    vars.text("name", name(&config));
    let mut count = 0;
    variables(model, &*compiled.optimizer, &config, |_, variable| {
        variable.write(vars, &count.to_string());
        count += 1;
    });
}

/// Writes the variables with a list of names, as in a `.h5` file.
///
/// # Errors
/// When two of them would have one name, such as those of `a` and `b_kernel`, and of `a_b` and `kernel`.
pub(super) fn write_listed<T: Scalar>(tree: &mut Tree, model: &Model<T>) -> Result<(), Reason> {
    let Some(compiled) = &model.compiled else { return Ok(()) };
    let group = tree.group("optimizer_weights");
    let mut names = Vec::new();
    variables(model, &*compiled.optimizer, &config(compiled), |name, variable| {
        variable.write(group, &name);
        names.push(name);
    });
    group.texts("weight_names", &names);
    let mut known = HashSet::new();
    match names.iter().find(|name| !known.insert(*name)) {
        Some(name) => Err(format!(
            "two variables of the optimizer would be called {name:?} in an `.h5` file; \
             give a layer another name, or save as `.keras`"
        )
        .into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn slots_come_in_the_order_of_keras() {
        // Two weights. RMSprop with momentum: all velocities, then all momenta.
        assert_eq!(order(2, 1, 2), [(0, 0), (1, 0), (0, 1), (1, 1)]);
        // Adam with `amsgrad`: the moments of a weight together, then the largest velocities.
        assert_eq!(order(3, 2, 2), [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, 2)]);
        // SGD without momentum.
        assert_eq!(order(0, 1, 2), []);
    }
}
