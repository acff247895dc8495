//! Where Keras's files keep the weights of layers.
//!
//! Keras 3 counts the layers of each class: `layers/dense/vars/0` is the first weight of the first dense layer, and
//! `layers/dense_1/vars/0` that of the second, whatever their names. The weights of a recurrent layer are those of its cell,
//! `layers/lstm/cell/vars/0`, and a layer around others has groups for them. Files of Keras 2, and the `.h5` files of whole
//! models that Keras 3 still writes, list names: `layer_names` of a group, and `weight_names` of each layer's group,
//! which are the paths of its weights in there. Layers are matched by their position among those that have weights.

use super::hdf5::Group;
use super::tree::Tree;
use crate::model::{Built, Planned};
use crate::nn::{Config, Weight, object, snake_case};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};

/// A layer of a model, as far as its weights are concerned.
pub(super) struct Place<'m> {
    name: &'m str,
    class_name: &'m str,
    /// The groups with arrays in the group of the layer, and how many weights each has.
    homes: Vec<(String, usize)>,
    weights: Vec<&'m Weight>,
}

impl<'m, T: Scalar> From<&'m Planned<T>> for Place<'m> {
    fn from(layer: &'m Planned<T>) -> Self {
        let weights = layer.weights.iter().collect();
        Place::new(&layer.name, layer.layer.class_name(), &layer.layer.config(), weights)
    }
}

impl<'m, T: Scalar> From<&'m Built<T>> for Place<'m> {
    fn from(layer: &'m Built<T>) -> Self {
        let weights = layer.params.iter().map(|param| &param.weight).collect();
        Place::new(&layer.name, layer.layer.class_name(), &layer.layer.config(), weights)
    }
}

/// The groups with the arrays of a layer of this class, in the order of its weights.
fn homes(class_name: &str, config: &Config, weights: &[&Weight]) -> Vec<(String, usize)> {
    let home = |path: &str, count: usize| (path.to_owned(), count);
    match class_name {
        "SimpleRNN" | "LSTM" | "GRU" => vec![home("cell/vars", weights.len())],
        "Bidirectional" => {
            let first = weights.iter().filter(|weight| weight.name.starts_with("forward_")).count();
            vec![
                home("forward_layer/cell/vars", first),
                home("backward_layer/cell/vars", weights.len() - first),
            ]
        }
        "TimeDistributed" => match config.get("layer").map(object) {
            Some(Ok((class_name, config))) => homes(class_name, &config, weights)
                .into_iter()
                .map(|(path, count)| (format!("layer/{path}"), count))
                .collect(),
            _ => vec![home("layer/vars", weights.len())],
        },
        _ => vec![home("vars", weights.len())],
    }
}

/// The group at a path of several names.
fn group_at<'g>(group: &'g Group, path: &str) -> Result<Option<&'g Group>, String> {
    path.split('/').try_fold(Some(group), |group, name| match group {
        Some(group) => group.find(name),
        None => Ok(None),
    })
}

impl<'m> Place<'m> {
    fn new(name: &'m str, class_name: &'m str, config: &Config, weights: Vec<&'m Weight>) -> Self {
        let homes = homes(class_name, config, &weights);
        Place { name, class_name, homes, weights }
    }

    /// The paths of the arrays that a file has in the layer's group.
    fn paths(&self, group: &Group) -> Result<Vec<String>, String> {
        let mut paths = Vec::new();
        for (home, _) in &self.homes {
            if let Some(found) = group_at(group, home)? {
                paths.extend((0..found.array_count()?).map(|i| format!("{home}/{i}")));
            }
        }
        Ok(paths)
    }

    fn check_count(&self, found: usize) -> Result<(), String> {
        match self.weights.len() {
            wanted if wanted == found => Ok(()),
            wanted => Err(format!(
                "the layer {} has {wanted} weights, and the file has {found} for it",
                self.name
            )),
        }
    }

    fn read<T: Scalar>(&self, group: &Group, paths: &[String]) -> Result<Vec<Tensor<T>>, String> {
        self.check_count(paths.len())?;
        let read = |(weight, path): (&&Weight, &String)| {
            let name = format!("{}/{}", self.name, weight.name);
            checked(&name, &weight.shape, group.tensor(path)?)
        };
        self.weights.iter().zip(paths).map(read).collect()
    }
}

/// A tensor, if it has this shape and is finite.
pub(super) fn checked<T: Scalar>(
    name: &str,
    shape: &[usize],
    tensor: Tensor<T>,
) -> Result<Tensor<T>, String> {
    if *tensor.shape() != *shape {
        return Err(format!(
            "the weight {name} has the shape {}, and the architecture asks for {shape:?}",
            tensor.shape()
        ));
    }
    if !tensor.is_finite() {
        return Err(format!("the weight {name} holds values that are not finite"));
    }
    Ok(tensor)
}

/// The groups that Keras 3 gives to layers of these classes.
fn groups<'n>(class_names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    class_names
        .map(|class_name| {
            let base = snake_case(class_name);
            let count = counts.entry(base.clone()).or_default();
            *count += 1;
            if *count == 1 { base } else { format!("{base}_{}", *count - 1) }
        })
        .collect()
}

/// Reads the weights of all layers from a file of Keras 3: its `model.weights.h5`, or a `.weights.h5`.
pub(super) fn read<T: Scalar>(
    root: &Group,
    places: &[Place<'_>],
) -> Result<Vec<Vec<Tensor<T>>>, String> {
    // The second is what Keras 2.12 and 2.13 wrote.
    let layers = match root.find("layers")? {
        Some(layers) => Some(layers),
        None => root.find("_layer_checkpoint_dependencies")?,
    };
    let layers = layers.ok_or("the file has no group layers, so there are no weights in it")?;
    let mut left: BTreeMap<&str, &Group> =
        layers.children()?.iter().map(|(name, group)| (name.as_str(), group)).collect();
    let mut read = Vec::with_capacity(places.len());
    for (place, name) in places.iter().zip(groups(places.iter().map(|place| place.class_name))) {
        read.push(match left.remove(&name[..]) {
            Some(group) => place.read(group, &place.paths(group)?)?,
            None => place.check_count(0).map(|()| Vec::new())?,
        });
    }
    for (name, group) in left {
        for home in ["vars", "cell/vars", "layer/vars", "forward_layer/cell/vars"] {
            if let Some(found) = group_at(group, home)?
                && found.array_count()? > 0
            {
                return Err(format!(
                    "the weights in layers/{name} belong to no layer of the model"
                ));
            }
        }
    }
    Ok(read)
}

/// Writes the weights of all layers as Keras 3 does.
pub(super) fn write<T: Scalar>(tree: &mut Tree, layers: &[Built<T>]) {
    let groups = groups(layers.iter().map(|layer| layer.layer.class_name()));
    for (layer, group) in layers.iter().zip(groups) {
        let mut params = layer.params.iter();
        for (home, count) in Place::from(layer).homes {
            let vars = tree.group(&format!("layers/{group}/{home}"));
            vars.text("name", &layer.name);
            for (i, param) in params.by_ref().take(count).enumerate() {
                vars.tensor(&i.to_string(), &param.value);
            }
        }
    }
}

/// Reads the weights of all layers from a group that lists the names of its layers.
pub(super) fn read_listed<T: Scalar>(
    group: &Group,
    places: &[Place<'_>],
) -> Result<Vec<Vec<Tensor<T>>>, String> {
    let attributes = group.attributes()?;
    let names = attributes.texts("layer_names")?.ok_or("the file does not list its layers")?;
    if attributes.text("backend")? == Some("theano") {
        return Err("the weights come from Theano, which mirrors the kernels of convolutions; \
                    save them from Keras with TensorFlow"
            .to_owned());
    }
    let groups = group.children()?;
    let mut listed = Vec::new();
    for name in names {
        let layer = groups.get(name).ok_or_else(|| format!("the group {name} is missing"))?;
        let weights = layer.attributes()?;
        let paths = weights.texts("weight_names")?;
        let paths = paths.ok_or_else(|| format!("the layer {name} does not list its weights"))?;
        if !paths.is_empty() {
            listed.push((layer, paths.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        }
    }
    let wanted = places.iter().filter(|place| !place.weights.is_empty()).count();
    if listed.len() != wanted {
        return Err(format!(
            "the file has weights for {} layers, and the model has {wanted} with weights",
            listed.len()
        ));
    }
    let mut listed = listed.into_iter();
    let read = |place: &Place<'_>| match place.weights.is_empty() {
        true => Ok(Vec::new()),
        false => {
            let (group, paths) = listed.next().expect("counted");
            place.read(group, &paths)
        }
    };
    places.iter().map(read).collect()
}

/// Writes the weights of all layers with lists of names, as Keras 3 does in its `.h5` files of whole models.
pub(super) fn write_listed<T: Scalar>(tree: &mut Tree, model: &str, layers: &[Built<T>]) {
    let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    tree.texts("layer_names", &names);
    for layer in layers {
        let group = tree.group(&layer.name);
        let path = |weight: &Weight| format!("{model}/{}/{}", layer.name, weight.name);
        let names: Vec<String> = layer.params.iter().map(|param| path(&param.weight)).collect();
        group.texts("weight_names", &names);
        for (name, param) in names.iter().zip(&layer.params) {
            group.tensor(name, &param.value);
        }
    }
    tree.group("top_level_model_weights").texts("weight_names", &[]);
}
