"""Writes `keras_1_*.h5` beside this script as Keras 1.2.2 did, and `theano.h5` as Keras 2.1.6 did with Theano, and what they predict to
`keras_1.json`:

    python make_keras_1.py        # tensorflow-cpu 2.15, numpy below 2, h5py

Keras 1 runs nowhere any more. Its layout is known to `tf.keras` of TensorFlow 2.15, which reads the weights of these files here
and predicts. Descriptions are in the words of Keras 1.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import numpy as np
import tensorflow as tf

assert tf.__version__.startswith("2.15."), tf.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
keras, L = tf.keras, tf.keras.layers


def inputs(*shape):
    """Numbers between 0 and 1: (37 i mod 101) / 101."""
    return (np.arange(np.prod(shape)) * 37 % 101 / 101).astype("float32").reshape(shape)


def gates(letters, order, weights):
    """An array for each gate and kind: W, U and b, in the order of Keras 1."""
    split = [np.split(weight, len(letters), axis=-1) for weight in weights]
    for letter, at in zip(letters, order):
        yield from ((f"{kind}_{letter}", parts[at]) for kind, parts in zip("WUb", split))


def old_weights(layer):
    """The arrays that Keras 1 had for a layer, with their names."""
    weights = layer.get_weights()
    if isinstance(layer, L.LSTM):
        return list(gates("icfo", [0, 2, 1, 3], weights))
    if isinstance(layer, L.GRU):
        return list(gates("zrh", [0, 1, 2], weights))
    if isinstance(layer, L.Bidirectional):
        front, back = old_weights(layer.forward_layer), old_weights(layer.backward_layer)
        return [("forward_" + name, array) for name, array in front] + [("backward_" + name, array) for name, array in back]
    if isinstance(layer, L.Conv1D):
        return [("W", weights[0][:, None]), ("b", weights[1])]
    if isinstance(layer, (L.Conv2D, L.Conv3D)) and layer.data_format == "channels_first":
        order = (3, 2, 0, 1) if isinstance(layer, L.Conv2D) else (4, 3, 0, 1, 2)
        if isinstance(layer, L.Conv2DTranspose):
            order = (2, 3, 0, 1)
        return [("W", np.transpose(weights[0], order)), ("b", weights[1])]
    return list(zip("Wb", weights))


def write(name, model, description, training=None, predict=True):
    """The file; and what Keras 2.15 predicts with the weights that it reads from it."""
    path = os.path.join(HERE, name)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(description).encode()
        if training:
            file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        # Only the whole file says which version wrote it.
        group.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            arrays = [(f"{layer.name}_{name}:0", array) for name, array in old_weights(layer)]
            inside = group.create_group(layer.name)
            inside.attrs["weight_names"] = [name.encode() for name, _ in arrays]
            for name_, array in arrays:
                inside.create_dataset(name_, data=array)
    before = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in before])
    # Only Keras 2 reads it; the positions of layers are those of the file.
    with h5py.File(path) as file:
        from keras.src.saving.legacy import hdf5_format

        hdf5_format.load_weights_from_hdf5_group(file["model_weights"], model)
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)
    if not predict:
        return None
    x = [inputs(4, *one.shape[1:]) for one in model.inputs]
    return np.asarray(model.predict(x, verbose=0)).ravel().tolist()


def recurrent(class_name, name, units, activation, sequences, **more):
    return {"class_name": class_name, "config": {
        "name": name, "trainable": True, "output_dim": units, "init": "glorot_uniform", "inner_init": "orthogonal",
        "activation": activation, "inner_activation": "hard_sigmoid", "W_regularizer": None, "U_regularizer": None, "b_regularizer": None,
        "dropout_W": 0.0, "dropout_U": 0.0, "return_sequences": sequences, "go_backwards": False, "stateful": False, "unroll": False,
        "consume_less": "cpu", "input_dim": 3, "input_length": None, **more,
    }}


def dense(name, units, activation="linear", **more):
    return {"class_name": "Dense", "config": {
        "name": name, "trainable": True, "output_dim": units, "init": "glorot_uniform", "activation": activation,
        "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, "b_regularizer": None, "activity_regularizer": None,
        "W_constraint": None, "b_constraint": None, "bias": True, "input_dim": None, **more,
    }}


def series():
    """A convolution of a series, and recurrent layers of each kind."""
    old = dict(recurrent_activation="hard_sigmoid")
    model = keras.Sequential([
        L.Conv1D(3, 2, activation="relu", name="convolution1d_1", input_shape=(6, 2)),
        L.Bidirectional(L.LSTM(2, return_sequences=True, name="lstm_1", **old), name="bidirectional_1"),
        L.GRU(2, reset_after=False, name="gru_1", **old),
        L.Dense(2, activation="softmax", name="dense_1"),
    ])
    description = {"class_name": "Sequential", "keras_version": "1.2.2", "config": [
        {"class_name": "Convolution1D", "config": {
            "name": "convolution1d_1", "trainable": True, "batch_input_shape": [None, 6, 2], "input_dtype": "float32", "nb_filter": 3,
            "filter_length": 2, "init": "glorot_uniform", "activation": "relu", "border_mode": "valid", "subsample_length": 1,
            "W_regularizer": None, "b_regularizer": None, "activity_regularizer": None, "W_constraint": None, "b_constraint": None,
            "bias": True, "input_dim": 2, "input_length": 6,
        }},
        {"class_name": "Bidirectional", "config": {
            "name": "bidirectional_1", "trainable": True, "merge_mode": "concat",
            "layer": recurrent("LSTM", "lstm_1", 2, "tanh", True, forget_bias_init="one"),
        }},
        recurrent("GRU", "gru_1", 2, "tanh", False),
        dense("dense_1", 2, "softmax"),
    ]}
    training = {
        "optimizer_config": {"class_name": "RMSprop", "config": {"rho": 0.9, "lr": 0.001, "epsilon": 1e-8, "decay": 0.0}},
        "loss": "categorical_crossentropy", "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None,
    }
    return write("keras_1_series.h5", model, description, training)


def graph():
    """Branches that a layer Merge joins."""
    x = keras.Input((3,), name="input_1")
    a, b = L.Dense(2, activation="tanh", name="dense_1")(x), L.Dense(2, activation="relu", name="dense_2")(x)
    joined = L.Concatenate(name="merge_1")([a, b])
    summed = L.Add(name="merge_2")([joined, L.Dense(4, name="dense_3")(x)])
    model = keras.Model(x, L.Dense(1, name="dense_4")(summed))
    node = lambda layer, *inputs: {**layer, "name": layer["config"]["name"], "inbound_nodes": [[[i, 0, 0] for i in inputs]] if inputs else []}
    merge = lambda name, mode: {"class_name": "Merge", "config": {
        "name": name, "mode": mode, "mode_type": "raw", "concat_axis": -1, "dot_axes": -1, "output_shape": None, "output_shape_type": "raw",
        "output_mask": None, "output_mask_type": "raw", "arguments": {},
    }}
    layers = {
        "input_1": node({"class_name": "InputLayer", "config": {
            "name": "input_1", "batch_input_shape": [None, 3], "input_dtype": "float32", "sparse": False}}),
        "dense_1": node(dense("dense_1", 2, "tanh"), "input_1"), "dense_2": node(dense("dense_2", 2, "relu"), "input_1"),
        "dense_3": node(dense("dense_3", 4), "input_1"), "merge_1": node(merge("merge_1", "concat"), "dense_1", "dense_2"),
        "merge_2": node(merge("merge_2", "sum"), "merge_1", "dense_3"), "dense_4": node(dense("dense_4", 1), "merge_2"),
    }
    description = {"class_name": "Model", "keras_version": "1.2.2", "config": {
        "name": "model_1", "layers": [layers[layer.name] for layer in model.layers], "input_layers": [["input_1", 0, 0]],
        "output_layers": [["dense_4", 0, 0]],
    }}
    return write("keras_1_graph.h5", model, description)


def images(channels_last):
    """Convolutions with the channels first, and the same with them last, which TensorFlow can compute on a processor."""
    of = {} if channels_last else {"data_format": "channels_first"}
    x = keras.Input((2, 5, 4))
    y = L.Permute((2, 3, 1))(x) if channels_last else x
    y = L.ZeroPadding2D(1, name="zeropadding2d_1", **of)(y)
    y = L.Conv2D(3, (3, 2), activation="relu", name="convolution2d_1", **of)(y)
    y = L.MaxPooling2D(2, name="maxpooling2d_1", **of)(y)
    y = L.Conv2DTranspose(2, (2, 3), name="deconvolution2d_1", **of)(y)
    y = L.Permute((3, 1, 2))(y) if channels_last else y
    return keras.Model(x, L.Dense(2, activation="softmax", name="dense_1")(L.Flatten(name="flatten_1")(y)))


def first():
    """With the channels first, as they were with Theano; and with kernels that Theano has learnt."""
    model = images(channels_last=False)
    ordering = {"dim_ordering": "th", "trainable": True}
    conv = {
        "init": "glorot_uniform", "border_mode": "valid", "subsample": [1, 1], "W_regularizer": None, "b_regularizer": None,
        "activity_regularizer": None, "W_constraint": None, "b_constraint": None, "bias": True, **ordering,
    }
    described = {"class_name": "Sequential", "keras_version": "1.2.2", "config": [
        {"class_name": "ZeroPadding2D", "config": {
            "name": "zeropadding2d_1", "padding": [1, 1], "batch_input_shape": [None, 2, 5, 4], "input_dtype": "float32", **ordering}},
        {"class_name": "Convolution2D", "config": {
            "name": "convolution2d_1", "nb_filter": 3, "nb_row": 3, "nb_col": 2, "activation": "relu", **conv}},
        {"class_name": "MaxPooling2D", "config": {
            "name": "maxpooling2d_1", "pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", **ordering}},
        {"class_name": "Deconvolution2D", "config": {
            "name": "deconvolution2d_1", "nb_filter": 2, "nb_row": 2, "nb_col": 3, "activation": "linear", "output_shape": [None, 2, 4, 4], **conv}},
        {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}},
        dense("dense_1", 2, "softmax"),
    ]}
    twin = images(channels_last=True)
    twin.set_weights(model.get_weights())
    expected = np.asarray(twin.predict(inputs(4, 2, 5, 4), verbose=0)).ravel().tolist()
    write("keras_1_first.h5", model, described, predict=False)
    with h5py.File(os.path.join(HERE, "theano.h5"), "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.1.6", b"theano"
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": model.get_config()}).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        group.attrs["keras_version"], group.attrs["backend"] = b"2.1.6", b"theano"
        for layer in model.layers:
            inside = group.create_group(layer.name)
            weights = [(f"{layer.name}/{kind}", weight) for kind, weight in zip(["kernel", "bias"], layer.get_weights())]
            inside.attrs["weight_names"] = [name.encode() for name, _ in weights]
            for name, weight in weights:
                # What `convert_kernel` of Keras 2.1 undoes.
                inside.create_dataset(name, data=weight[::-1, ::-1] if weight.ndim == 4 else weight)
    return expected


keras.utils.set_random_seed(4)
with open(os.path.join(HERE, "keras_1.json"), "w") as file:
    json.dump({"keras_1_series.h5": series(), "keras_1_graph.h5": graph(), "keras_1_first.h5": first()}, file)
    file.write("\n")
