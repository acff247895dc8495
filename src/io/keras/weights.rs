//! Where Keras's files keep the weights of layers.
//!
//! Keras 3 counts the layers of each class: `layers/dense/vars/0` is the first weight of the first dense layer, and
//! `layers/dense_1/vars/0` that of the second, whatever their names. Files of Keras 2, and the `.h5` files of whole
//! models that Keras 3 still writes, list names: `layer_names` of a group, and `weight_names` of each layer's group,
//! which are the paths of its weights in there. Layers are matched by their position among those that have weights.

use super::cudnn;
use super::hdf5::Group;
use super::keras1_weights;
use super::kernels::{self, Origin, Owner};
use super::tree::Tree;
use super::twelve;
use crate::config::file_groups;
use crate::error::Reason;
use crate::model::{Built, Outlined, Param};
use crate::nn::{MultiLayer, Part, Weight};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};

/// How deep layers may be in layers, in groups: two for each model in a model.
const MAX_DEPTH: usize = 64;

/// A layer of a model, as far as its weights are concerned.
pub(super) struct Place<'m> {
    name: &'m str,
    class_name: &'m str,
    weights: Vec<&'m Weight>,
    parts: Vec<Part>,
    /// The layers that have the weights.
    owners: Vec<Owner>,
}

impl<'m, T: Scalar> From<&'m Outlined<T>> for Place<'m> {
    fn from(layer: &'m Outlined<T>) -> Self {
        Place::new(&layer.name, &*layer.layer, layer.weights.iter().collect())
    }
}

impl<'m, T: Scalar> From<&'m Built<T>> for Place<'m> {
    fn from(layer: &'m Built<T>) -> Self {
        let weights = layer.params.iter().map(|param| &param.weight).collect();
        Place::new(&layer.name, &*layer.layer, weights)
    }
}

impl<'m> Place<'m> {
    fn new<T: Scalar>(
        name: &'m str,
        layer: &'m dyn MultiLayer<T>,
        weights: Vec<&'m Weight>,
    ) -> Self {
        let (class_name, parts) = (layer.class_name(), layer.parts(weights.len()));
        let owners = kernels::owners(class_name, &layer.config(), &parts);
        Place { name, class_name, weights, parts, owners }
    }

    /// Whether the part that begins with this weight has a copy of another layer's kernel before it: in a `SpectralNormalization`.
    fn has_copy(&self, at: usize) -> bool {
        self.owners.get(at).is_some_and(Owner::divides_a_kernel)
    }

    /// The last kernel before this weight.
    fn kernel_before(&self, at: usize) -> usize {
        let named = |weight: &&Weight| {
            weight.name.ends_with("kernel") || weight.name.ends_with("embeddings")
        };
        self.weights[..at].iter().rposition(named).expect("a layer with a kernel")
    }

    fn check_count(&self, found: usize) -> Result<(), Reason> {
        match self.weights.len() {
            wanted if wanted == found => Ok(()),
            wanted => Err(format!(
                "the layer {} has {wanted} weights, and the file has {found} for it",
                self.name
            )
            .into()),
        }
    }

    /// Reads the weights from these places, of which each has its array as it is.
    fn read<T: Scalar>(
        &self,
        found: &[(&Group, String)],
        origin: Origin,
    ) -> Result<Vec<Tensor<T>>, Reason> {
        self.check_count(found.len())?;
        let name = |weight: &Weight| weight.path(self.name);
        let read = |at: usize| {
            let (weight, (group, path)) = (self.weights[at], &found[at]);
            kernels::read(group, path, &name(weight), weight, self.owners.get(at), origin)
        };
        let (mut values, mut at) = (Vec::with_capacity(found.len()), 0);
        while at < found.len() {
            if let Some(gates) = cudnn::gates(&self.weights[at..], &found[at..])? {
                let of = [0, 1, 2].map(|i| (self.weights[at + i], &found[at + i]));
                let of =
                    of.map(|(weight, (group, path))| (*group, &**path, name(weight), weight.shape));
                values.extend(cudnn::read(of, gates)?);
                at += 3;
            } else {
                values.push(read(at)?);
                at += 1;
            }
        }
        Ok(values)
    }

    /// Reads the weights from listed arrays of which each has a part.
    fn read_parts<T: Scalar>(
        &self,
        group: &Group,
        paths: &[String],
        parts: &keras1_weights::Parts,
    ) -> Result<Vec<Tensor<T>>, Reason> {
        let order = self.listed_order();
        let place_of = |i: usize| order.iter().position(|&it| it == i).expect("all are listed");
        let read = |(i, weight): (usize, &&Weight)| {
            let name = weight.path(self.name);
            keras1_weights::joined(group, paths, &parts[place_of(i)], &name, &weight.shape)
        };
        self.weights.iter().enumerate().map(read).collect()
    }

    /// The numbers of the weights in the order of lists: those that are trained come first.
    fn listed_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.weights.len()).collect();
        order.sort_by_key(|&i| !self.weights[i].trainable);
        order
    }
}

/// A tensor of the file, if it has this shape and is finite. Nothing is read of another shape.
pub(super) fn checked<T: Scalar>(
    group: &Group,
    path: &str,
    name: &str,
    shape: &[usize],
) -> Result<Tensor<T>, Reason> {
    let found = group.shape(path)?;
    if !found.iter().copied().eq(shape.iter().map(|&dim| dim as u64)) {
        return Err(format!(
            "the weight {name} has the shape {found:?}, and the architecture asks for {shape:?}"
        )
        .into());
    }
    let tensor = group.tensor(path)?;
    if !tensor.is_finite() {
        return Err(format!("the weight {name} holds values that are not finite").into());
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

/// Reads the weights of all layers from a file of Keras 3: its `model.weights.h5`, or a `.weights.h5`.
pub(super) fn read<T: Scalar>(
    root: &Group,
    places: &[Place<'_>],
) -> Result<Vec<Vec<Tensor<T>>>, Reason> {
    let layers = root.find("layers")?;
    let old = if layers.is_none() { root.find(twelve::LAYERS)? } else { None };
    let found = layers.or(old);
    let found = found.ok_or("the file has no group layers, so there are no weights in it")?;
    let mut vars = BTreeMap::new();
    find_vars(found, String::new(), &mut vars)?;
    // Only layers with weights are counted in the older files.
    let counted = |place: &&Place<'_>| old.is_none() || !place.weights.is_empty();
    if old.is_some() {
        let paths = twelve::renamed(vars.keys().map(String::as_str));
        vars = paths.into_iter().zip(vars.into_values()).collect();
    }
    let classes = places.iter().filter(counted).map(|it| it.class_name);
    let mut names = file_groups(classes).into_iter();
    let origin = Origin { keras1: false, theano: false };
    let mut read = Vec::with_capacity(places.len());
    for place in places {
        let name = if counted(&place) { names.next().unwrap_or_default() } else { String::new() };
        let mut found = Vec::with_capacity(place.weights.len());
        for part in &place.parts {
            let group = vars.remove(&path(&name, &part.group));
            if let Some(group) = group.or_else(|| vars.remove(&path(&name, &private(&part.group))))
            {
                // Keras lists the kernel of another layer among these as well.
                let copies = if place.has_copy(found.len()) { 1 } else { 0 };
                found.extend((copies..group.array_count()?).map(|i| (group, i.to_string())));
            }
        }
        read.push(place.read(&found, origin)?);
    }
    match vars.keys().next() {
        Some(name) => {
            Err(format!("the weights in layers/{name} belong to no layer of the model").into())
        }
        None => Ok(read),
    }
}

/// The group of a part of a layer.
fn path(layer: &str, part: &str) -> String {
    if part.is_empty() { layer.to_owned() } else { format!("{layer}/{part}") }
}

/// A part by the name of a private attribute, as Keras 2.12 to 2.15 call those of attention.
fn private(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((outside, name)) => format!("{outside}/_{name}"),
        None => format!("_{part}"),
    }
}

/// All groups `vars` that have arrays, by the path of the layer.
fn find_vars<'g>(
    layers: &'g Group,
    path: String,
    found: &mut BTreeMap<String, &'g Group>,
) -> Result<(), Reason> {
    // A file may hold groups that hold themselves.
    if path.split('/').count() > MAX_DEPTH {
        return Err(format!("the group layers/{path} is too deep").into());
    }
    for (name, group) in layers.children()? {
        if name == "optimizer" && !path.is_empty() {
            // That of a model in the model, which was compiled by itself.
        } else if name != "vars" {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            find_vars(group, path, found)?;
        } else if group.array_count()? > 0 {
            found.insert(path.clone(), group);
        }
    }
    Ok(())
}

/// Writes the weights of all layers as Keras 3 does.
///
/// # Errors
/// When a class has the name that a second layer of another class would have: `Dense_1`.
pub(super) fn write<T: Scalar>(tree: &mut Tree, layers: &[Built<T>]) -> Result<(), Reason> {
    let groups = file_groups(layers.iter().map(|layer| layer.layer.class_name()));
    let mut taken: HashMap<String, &Built<T>> = HashMap::new();
    for (layer, group) in layers.iter().zip(groups) {
        let mut params = layer.params.iter();
        let (place, mut at) = (Place::from(layer), 0);
        for part in &place.parts {
            let path = path(&group, &part.group);
            let vars = tree.group(&format!("layers/{path}/vars"));
            if let Some(other) = taken.insert(path.clone(), layer) {
                return Err(format!(
                    "the layers {} ({}) and {} ({}) would both be {path:?} in a file of Keras; \
                     give a class of your own another name, or save as `.safetensors`",
                    other.name,
                    other.layer.class_name(),
                    layer.name,
                    layer.layer.class_name()
                )
                .into());
            }
            vars.text("name", &layer.name);
            let copy = place.has_copy(at).then(|| &layer.params[place.kernel_before(at)]);
            let own = params.by_ref().take(part.weights);
            for (i, param) in copy.into_iter().chain(own).enumerate() {
                vars.tensor(&i.to_string(), &param.value);
            }
            at += part.weights;
        }
    }
    Ok(())
}

/// The group with a path: names of Keras 2 may have a `/`.
fn inside<'g>(group: &'g Group, path: &str) -> Result<Option<&'g Group>, Reason> {
    let mut found = group;
    for name in path.split('/') {
        match found.find(name)? {
            Some(next) => found = next,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// Reads the weights of all layers from a group that lists the names of its layers.
pub(super) fn read_listed<T: Scalar>(
    group: &Group,
    places: &[Place<'_>],
) -> Result<Vec<Vec<Tensor<T>>>, Reason> {
    let attributes = group.attributes()?;
    let names = attributes.texts("layer_names")?.ok_or("the file does not list its layers")?;
    let mut listed = Vec::new();
    for name in names {
        let layer = inside(group, name)?.ok_or_else(|| format!("the group {name} is missing"))?;
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
        )
        .into());
    }
    let mut listed = listed.into_iter();
    // Keras 1 did not always say that it is it.
    let keras1 = attributes.text("keras_version")?.is_none_or(|it| it.starts_with("1."));
    let origin = Origin { keras1, theano: attributes.text("backend")? == Some("theano") };
    let read = |place: &Place<'_>| match place.weights.is_empty() {
        true => Ok(Vec::new()),
        false => {
            let (group, mut paths) = listed.next().expect("counted");
            let order = place.listed_order();
            let weights: Vec<&Weight> = order.iter().map(|&i| place.weights[i]).collect();
            if let Some(parts) = keras1_weights::parts(&weights, paths.len()) {
                return place.read_parts(group, &paths, &parts);
            }
            place.check_count(paths.len())?;
            let mut found = vec![(group, String::new()); paths.len()];
            for (i, path) in order.into_iter().zip(&mut paths) {
                found[i].1 = std::mem::take(path);
            }
            place.read(&found, origin)
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
) -> Result<(), Reason> {
    for layer in layers {
        // Layers in layers are part of the names of weights.
        let mut inside = layer.params.iter().flat_map(|param| param.weight.name.split('/'));
        let name = if layer.name == OTHERS || !is_link(&layer.name) {
            Some(&*layer.name)
        } else {
            inside.find(|name| !is_link(name))
        };
        if let Some(name) = name {
            return Err(format!(
                "a layer cannot be called {name:?} in an `.h5` file, where this is too long or means something else; \
                 give the layer another name, or save as `.keras`"
            ).into());
        }
    }
    let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    tree.texts("layer_names", &names);
    for layer in layers {
        let group = tree.group(&layer.name);
        let order = Place::from(layer).listed_order();
        let params: Vec<&Param<T>> = order.into_iter().map(|i| &layer.params[i]).collect();
        let path = |weight: &Weight| format!("{model}/{}/{}", layer.name, weight.name);
        let names: Vec<String> = params.iter().map(|param| path(&param.weight)).collect();
        group.texts("weight_names", &names);
        for (name, param) in names.iter().zip(params) {
            group.tensor(name, &param.value);
        }
    }
    tree.group(OTHERS).texts("weight_names", &[]);
    Ok(())
}
