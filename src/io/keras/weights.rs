//! Where Keras's files keep the weights of layers.
//!
//! Keras 3 counts the layers of each class: `layers/dense/vars/0` is the first weight of the first dense layer, and
//! `layers/dense_1/vars/0` that of the second, whatever their names. Files of Keras 2, and the `.h5` files of whole
//! models that Keras 3 still writes, list names: `layer_names` of a group, and `weight_names` of each layer's group,
//! which are the paths of its weights in there. Layers are matched by their position among those that have weights.

use super::hdf5::Group;
use super::tree::Tree;
use crate::model::{Built, Planned};
use crate::nn::{Weight, snake_case};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};

/// A layer of a model, as far as its weights are concerned.
pub(super) struct Place<'m> {
    name: &'m str,
    class_name: &'m str,
    weights: Vec<&'m Weight>,
}

impl<'m, T: Scalar> From<&'m Planned<T>> for Place<'m> {
    fn from(layer: &'m Planned<T>) -> Self {
        let weights = layer.weights.iter().collect();
        Place { name: &layer.name, class_name: layer.layer.class_name(), weights }
    }
}

impl<'m, T: Scalar> From<&'m Built<T>> for Place<'m> {
    fn from(layer: &'m Built<T>) -> Self {
        let weights = layer.params.iter().map(|param| &param.weight).collect();
        Place { name: &layer.name, class_name: layer.layer.class_name(), weights }
    }
}

impl Place<'_> {
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
            checked(group, path, &name, &weight.shape)
        };
        self.weights.iter().zip(paths).map(read).collect()
    }
}

/// A tensor of the file, if it has this shape and is finite. Nothing is read of another shape.
pub(super) fn checked<T: Scalar>(
    group: &Group,
    path: &str,
    name: &str,
    shape: &[usize],
) -> Result<Tensor<T>, String> {
    let found = group.shape(path)?;
    if !found.iter().copied().eq(shape.iter().map(|&dim| dim as u64)) {
        return Err(format!(
            "the weight {name} has the shape {found:?}, and the architecture asks for {shape:?}"
        ));
    }
    let tensor = group.tensor(path)?;
    if !tensor.is_finite() {
        return Err(format!("the weight {name} holds values that are not finite"));
    }
    Ok(tensor)
}

/// The group beside those of layers for weights of no layer.
const OTHERS: &str = "top_level_model_weights";

/// The longest name: what describes a thing in a group has at most 64 KiB, and variables of optimizers have names of a model
/// and of a layer together.
const MAX_NAME: usize = 1 << 14;

/// Whether a group of HDF5 can have something of this name. A dot is the group itself, and a text ends at its first zero.
pub(super) fn is_link(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && name != "." && !name.contains(['/', '\0'])
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
    let mut vars = BTreeMap::new();
    for (name, layer) in layers.children()? {
        if let Some(group) = layer.find("vars")?
            && group.array_count()? > 0
        {
            vars.insert(name.as_str(), group);
        }
    }
    let mut read = Vec::with_capacity(places.len());
    for (place, name) in places.iter().zip(groups(places.iter().map(|place| place.class_name))) {
        read.push(match vars.remove(&name[..]) {
            Some(group) => {
                let paths: Vec<String> = (0..group.array_count()?).map(|i| i.to_string()).collect();
                place.read(group, &paths)?
            }
            None => place.check_count(0).map(|()| Vec::new())?,
        });
    }
    match vars.keys().next() {
        Some(name) => Err(format!("the weights in layers/{name} belong to no layer of the model")),
        None => Ok(read),
    }
}

/// Writes the weights of all layers as Keras 3 does.
///
/// # Errors
/// When a class has the name that a second layer of another class would have: `Dense_1`.
pub(super) fn write<T: Scalar>(tree: &mut Tree, layers: &[Built<T>]) -> Result<(), String> {
    let groups = groups(layers.iter().map(|layer| layer.layer.class_name()));
    for (i, (layer, group)) in layers.iter().zip(&groups).enumerate() {
        if let Some(other) = groups[..i].iter().position(|before| before == group) {
            return Err(format!(
                "the layers {} and {} of the classes {:?} and {:?} would both be {group:?} in a file of Keras; \
                 give the class of your own another name, or save as `.safetensors`",
                layers[other].name,
                layer.name,
                layers[other].layer.class_name(),
                layer.layer.class_name()
            ));
        }
        let vars = tree.group(&format!("layers/{group}/vars"));
        vars.text("name", &layer.name);
        for (i, param) in layer.params.iter().enumerate() {
            vars.tensor(&i.to_string(), &param.value);
        }
    }
    Ok(())
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
///
/// # Errors
/// When a group of HDF5 cannot have a layer's name, or has it for something else.
pub(super) fn write_listed<T: Scalar>(
    tree: &mut Tree,
    model: &str,
    layers: &[Built<T>],
) -> Result<(), String> {
    if let Some(layer) = layers.iter().find(|it| it.name == OTHERS || !is_link(&it.name)) {
        return Err(format!(
            "the layer {:?} cannot have this name in an `.h5` file, where it is too long or means something else; \
             give the layer another name, or save as `.keras`",
            layer.name
        ));
    }
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
    tree.group(OTHERS).texts("weight_names", &[]);
    Ok(())
}
