//! Keras's own files.
//!
//! There are three: `.keras` of Keras 3 (an archive), `.h5` of whole models (all versions), and `.weights.h5` (Keras
//! 3), which is also what the archive has its weights in. What a file is, is seen from its content.
//!
//! Keras has no place for the seed and for how many epochs and steps there were. They are in an attribute `cinta` of
//! the HDF5 file's root, which Keras does not look at; a file without it is read as well.

mod archive;
mod cudnn;
mod hdf5;
mod indexing;
mod input_shapes;
mod json;
mod keras1;
mod keras1_weights;
mod kernels;
mod lambda;
mod legacy;
mod names;
mod operations;
mod optimizer;
mod places;
mod shapes;
mod stateful;
mod tree;
mod twelve;
mod weights;

use super::{training_from_json, training_to_json};
use crate::config::{Value, json, name_of};
use crate::error::Reason;
use crate::model::{
    Built, Description, Model, Outline, Outlined, Param, Training, convert_types, from_config,
    to_config, unsupported,
};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::Registry;
use archive::Archive;
use hdf5::Group;
use legacy::Refused;
use optimizer::Variables;
use std::collections::HashMap;
use tree::Tree;
use weights::Place;

/// The version of Keras whose files these are.
const KERAS: &str = "3.15.1";
/// The attribute for what Keras has no place for.
const CINTA: &str = "cinta";
/// The longest configuration, and the most values in it: a thousand layers take 1.4 MB and 60 000 values.
const MAX_CONFIG: usize = 16 << 20;
const MAX_VALUES: usize = 1 << 18;

/// The files that Keras 3 writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `.keras`.
    Archive,
    /// `.h5` or `.hdf5`: a whole model.
    Hdf5,
    /// `.weights.h5`.
    Weights,
}

impl Format {
    /// The format that a file's name stands for.
    pub fn of(name: &str) -> Self {
        match name {
            name if name.ends_with(".keras") => Format::Archive,
            name if name.ends_with(".weights.h5") => Format::Weights,
            _ => Format::Hdf5,
        }
    }

    /// Whether it is for weights alone, or for whole models.
    pub fn check(self, weights_only: bool) -> Result<(), Reason> {
        match (self == Format::Weights, weights_only) {
            (true, false) => Err("`.weights.h5` is for weights alone; use save_weights".into()),
            (false, true) => {
                Err("the name of a file of weights ends in `.weights.h5` or `.safetensors`".into())
            }
            _ => Ok(()),
        }
    }
}

fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
}

fn parse(name: &str, text: &[u8]) -> Result<Value, Reason> {
    let values = text.iter().filter(|byte| b",[{".contains(byte)).count();
    if text.len() > MAX_CONFIG || values > MAX_VALUES {
        return Err(
            format!("the {name} is too long: {} bytes, about {values} values", text.len()).into()
        );
    }
    crate::config::parse(text)
        .map_err(|reason| reason.inside(|why| format!("the {name} is damaged: {why}")))
}

/// How a whole model is read: what [`Load`](crate::Load) was told.
pub(super) struct How<'a> {
    pub compile: bool,
    pub input_shapes: &'a [Shape],
    pub convert: bool,
    /// Whether layers that are stateful are refused.
    pub stateful: bool,
}

/// A file of a whole model, with the model as Keras 3 would describe it.
struct Opened {
    root: Group,
    config: Value,
    archive: bool,
    /// Layers that stand in `config` as they were.
    refused: Refused,
}

fn open<T: Scalar>(bytes: Vec<u8>, how: &How<'_>) -> Result<Opened, Reason> {
    let How { compile, input_shapes, convert, stateful } = *how;
    let len = bytes.len() as u64;
    let mut refused = Vec::new();
    let archive = is_archive(&bytes);
    let (root, mut config) = if archive {
        let mut archive = Archive::open(&bytes)?;
        let mut config = parse("config.json", &archive.config()?)?;
        let metadata = archive.metadata().map(|text| parse("metadata.json", &text)).transpose()?;
        let version = metadata.as_ref().and_then(|it| it["keras_version"].as_str());
        legacy::upgrade_archive(&mut config, compile, version.unwrap_or(KERAS), &mut refused)?;
        (Group::open(archive.weights()?, len, convert)?, config)
    } else {
        let root = Group::open(bytes, len, convert)?;
        let attributes = root.attributes()?;
        let config = |name: &str| {
            let text = attributes.text(name)?;
            text.map(|text| parse(name, text.as_bytes())).transpose()
        };
        let model = config("model_config")?
            .ok_or("the file holds weights, but no model; build the model, and use load_weights")?;
        let version = attributes.text("keras_version")?.unwrap_or_default();
        let training = config("training_config")?.filter(|_| compile);
        let config = legacy::upgrade(model, training, version, &mut refused)?;
        (root, config)
    };
    input_shapes::fill(&mut config, input_shapes)?;
    stateful::settle(&mut config, stateful, &mut refused);
    if convert {
        convert_types::<T>(&mut config);
    }
    Ok(Opened { root, config, archive, refused })
}

/// All that keeps the model of a file from being read.
#[inline(never)]
pub(super) fn unsupported_in<T: Scalar>(
    bytes: Vec<u8>,
    registry: &Registry<T>,
    how: &How<'_>,
) -> Result<Vec<Reason>, Reason> {
    let Opened { config, refused, .. } = open::<T>(bytes, how)?;
    let (names, mut reasons): (Vec<String>, Vec<Reason>) = refused.into_iter().unzip();
    let known = |reason: &Reason| {
        names.iter().any(|it| reason.as_str().starts_with(&format!("layer {it} (")))
    };
    reasons.extend(unsupported(&config, registry).into_iter().filter(|reason| !known(reason)));
    Ok(reasons)
}

/// Reads a whole model, from either of its files.
#[inline(never)]
pub(super) fn load<T: Scalar>(
    bytes: Vec<u8>,
    registry: &Registry<T>,
    how: &How<'_>,
) -> Result<Model<T>, Reason> {
    let Opened { root, config, archive, refused } = open::<T>(bytes, how)?;
    legacy::accept(refused)?;
    let parts = Parts::new(&root, config, registry)?;
    if archive {
        let weights = weights::read(&root, &parts.places())?;
        return parts.build(weights, Variables::counted(&root)?);
    }
    let group = root.find("model_weights")?.ok_or("the group model_weights is missing")?;
    let weights = weights::read_listed(group, &parts.places())?;
    parts.build(weights, Variables::listed(&root)?)
}

/// Reads the weights for a model, from any of Keras's files.
#[inline(never)]
pub(super) fn load_weights<T: Scalar>(
    bytes: Vec<u8>,
    model: &Model<T>,
) -> Result<Vec<Tensor<T>>, Reason> {
    let places: Vec<Place<'_>> = model.layers.iter().map(Place::from).collect();
    let len = bytes.len() as u64;
    let root = match is_archive(&bytes) {
        true => Group::open(Archive::open(&bytes)?.weights()?, len, false)?,
        false => Group::open(bytes, len, false)?,
    };
    // A file of weights may have a layer that is called `model_weights`.
    let weights = if root.attributes()?.texts("layer_names")?.is_some() {
        weights::read_listed(&root, &places)?
    } else if let Some(listed) = root.find("model_weights")? {
        weights::read_listed(listed, &places)?
    } else {
        weights::read(&root, &places)?
    };
    Ok(weights.into_iter().flatten().collect())
}

/// What a model is put together from, beside its weights.
struct Parts<T: Scalar> {
    model: Description<T>,
    training: Option<Training>,
    /// The numbers of the layers in the order of the file. Where layers stand for operations, that of the model may be another one: a way that
    /// has become longer or shorter changes the places of the layers on it.
    listed: Vec<usize>,
}

/// The numbers of a model's layers in the order in which a file lists them. Layers that it does not name keep their order, behind the others.
fn listed<T: Scalar>(config: &Value, layers: &[Outlined<T>]) -> Vec<usize> {
    let names = config["config"]["layers"].as_array().map_or(&[][..], |layers| layers);
    let names = names.iter().enumerate().filter_map(|(at, layer)| Some((name_of(layer)?, at)));
    let places: HashMap<&str, usize> = names.collect();
    let mut listed: Vec<usize> = (0..layers.len()).collect();
    listed.sort_by_key(|&layer| places.get(&*layers[layer].name).copied().unwrap_or(usize::MAX));
    listed
}

impl<T: Scalar> Parts<T> {
    fn new(root: &Group, mut config: Value, registry: &Registry<T>) -> Result<Self, Reason> {
        let attributes = root.attributes()?;
        let own = attributes.text(CINTA)?.map(|text| parse(CINTA, text.as_bytes())).transpose()?;
        let own = own.unwrap_or_default();
        let compiled = config.get("compile_config").is_some_and(|compiled| !compiled.is_null());
        if let Some(exact) = own.get("compile_config").filter(|_| compiled) {
            config["compile_config"] = exact.clone();
        }
        let training = own.get("training").map(training_from_json).transpose()?;
        let model = from_config(&config, registry)?;
        let listed = listed(&config, &model.outline.layers);
        Ok(Parts { model, training, listed })
    }

    /// The layers in the order of the file.
    fn places(&self) -> Vec<Place<'_>> {
        self.listed.iter().map(|&layer| Place::from(&self.model.outline.layers[layer])).collect()
    }

    /// With the weights of all layers, in the order of the file.
    fn build(
        self,
        weights: Vec<Vec<Tensor<T>>>,
        variables: Option<Variables<'_>>,
    ) -> Result<Model<T>, Reason> {
        let Description { outline: Outline { name, graph, layers }, mut compile } = self.model;
        let mut of_layers: Vec<_> = self.listed.iter().zip(weights).collect();
        of_layers.sort_by_key(|(layer, _)| **layer);
        let built = layers.into_iter().zip(of_layers).map(|(outlined, (_, values))| {
            let weights = outlined.weights.clone();
            let params = weights.into_iter().zip(values).map(|(of, value)| Param::new(of, value));
            let params = params.collect();
            Built::new(outlined, params)
        });
        let mut model = Model::from_parts(name, graph, built.collect(), 0);
        let mut iterations = 0;
        if let (Some(compile), Some(variables)) = (&mut compile, variables) {
            let in_file: Vec<&Built<T>> = self.listed.iter().map(|&it| &model.layers[it]).collect();
            let state = variables.read(&*compile.optimizer, &optimizer::trained(in_file))?;
            // The configuration has more digits, or is older.
            let same = |rate: T| T::lit(compile.step(state.iterations).learning_rate) == rate;
            if let Some(rate) = state.learning_rate.filter(|&rate| !same(rate)) {
                compile.set_learning_rate(rate.widen())?;
            }
            iterations = state.iterations;
            let mut slots = state.slots.into_iter();
            for layer in self.listed {
                let params = model.layers[layer].params.iter_mut();
                let trained = params.filter(|param| param.weight.trainable);
                trained.zip(&mut slots).for_each(|(param, slots)| param.slots = slots);
            }
        }
        let unknown = Training { step: iterations, ..Training::default() };
        model.compiled = compile;
        model.progress = Training { iterations, ..self.training.unwrap_or(unknown) };
        Ok(model)
    }
}

/// A whole model as the bytes of a file.
#[inline(never)]
pub(super) fn save<T: Scalar>(model: &Model<T>, format: Format) -> Result<Vec<u8>, Reason> {
    format.check(false)?;
    check_name(&model.name)?;
    let mut config = to_config(model);
    let mut own = json!({ "training": training_to_json(model.progress) });
    if let Some(compile) = config.get_mut("compile_config") {
        let exact = compile.clone();
        without_own_options(compile);
        if *compile != exact {
            own["compile_config"] = exact;
        }
        // Keras decides, as when nobody asks.
        compile["jit_compile"] = json!("auto");
    }
    let mut tree = Tree::default();
    tree.text(CINTA, own.to_string());
    match format {
        Format::Archive => {
            write_weights(&mut tree, model)?;
            archive::write(KERAS, &config.to_string(), &tree.into_bytes()?)
        }
        Format::Hdf5 => {
            let [model_config, training_config] = legacy::downgrade(config);
            tree.text("model_config", model_config.to_string());
            if !training_config.is_null() {
                tree.text("training_config", training_config.to_string());
            }
            optimizer::write_listed(&mut tree, model)?;
            let listed = tree.group("model_weights");
            weights::write_listed(listed, &model.name, &model.layers)?;
            write_version(listed);
            write_version(&mut tree);
            tree.into_bytes()
        }
        Format::Weights => unreachable!("checked"),
    }
}

/// The weights of a model as the bytes of a `.weights.h5` file.
#[inline(never)]
pub(super) fn save_weights<T: Scalar>(model: &Model<T>, format: Format) -> Result<Vec<u8>, Reason> {
    format.check(true)?;
    check_name(&model.name)?;
    let mut tree = Tree::default();
    write_weights(&mut tree, model)?;
    tree.into_bytes()
}

fn write_weights<T: Scalar>(tree: &mut Tree, model: &Model<T>) -> Result<(), Reason> {
    weights::write(tree, &model.layers)?;
    optimizer::write(tree, model);
    tree.group("vars").text("name", &model.name);
    Ok(())
}

/// A model's name is a part of the names of its arrays, and Keras opens no model whose name has a `/`.
fn check_name(name: &str) -> Result<(), Reason> {
    match weights::is_link(name) {
        true => Ok(()),
        false => Err(format!(
            "the model's name {name:?} cannot be one in files of Keras: it is empty, `.`, too long, or has a `/` or a zero; \
             give the model another name, or save as `.safetensors`"
        ).into()),
    }
}

fn write_version(tree: &mut Tree) {
    tree.text("keras_version", KERAS);
    // The layout of kernels has this name, whatever computed them.
    tree.text("backend", "tensorflow");
}

/// Removes options that Keras would refuse, because only this crate has them.
fn without_own_options(config: &mut Value) {
    match config {
        Value::Object(object) => {
            object.remove("from_probabilities");
            object.iter_mut().for_each(|(_, value)| without_own_options(value));
        }
        Value::Array(values) => values.iter_mut().for_each(without_own_options),
        _ => {}
    }
}
