"""Writes the files beside this script with the real Keras (3.15.1, on JAX) and h5py:

    KERAS_BACKEND=jax python make_keras.py

`lecture.keras` and `lecture.h5` are the lecture's network after two steps of training. The network of `bars.*` is
small. Keras 3 cannot write what its predecessors wrote, so `bars_2_2_2.h5` and `bars_2_2_4.h5` are put together
here as Keras 2.2.2 and 2.2.4 did it; the states in them are those of the real optimizers. `golden.json` says what
Keras predicts, and where three more steps lead. Inputs follow a formula that the tests repeat.
"""

import json
import os

import h5py
import keras
import numpy as np

assert keras.__version__ == "3.15.1", keras.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
layers, optimizers = keras.layers, keras.optimizers


def path(name):
    return os.path.join(HERE, name)


def inputs(*shape):
    """Numbers between 0 and 1: (37 i mod 101) / 101."""
    return (np.arange(np.prod(shape)) * 37 % 101 / 101).astype("float32").reshape(shape)


def targets(n, classes):
    return np.eye(classes, dtype="float32")[np.arange(n) * 7 % classes]


def lecture():
    conv = lambda filters, size, **options: layers.Conv2D(
        filters, size, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01), **options
    )
    dense = lambda units, activation: layers.Dense(
        units, activation=activation, kernel_regularizer=keras.regularizers.L2(0.01)
    )
    model = keras.Sequential([
        keras.Input((16, 16, 1)),
        conv(8, 5, padding="same", name="conv_1"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        conv(12, 3, name="conv_2"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        dense(50, "relu"),
        layers.Dropout(0.5),
        dense(10, "softmax"),
    ])
    model.compile(
        optimizers.SGD(0.02, momentum=0.5),
        "categorical_crossentropy",
        metrics=["accuracy", "categorical_crossentropy"],
    )
    return model


def bars(optimizer):
    """Biases that are not 0 after the first step; no layer that draws random numbers."""
    model = keras.Sequential([
        keras.Input((6, 6, 1)),
        layers.Conv2D(3, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01), name="first"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(3, activation="softmax", name="last"),
    ], name="bars")
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model, steps):
    n = 4 * steps
    x, y = inputs(n, *model.input_shape[1:]), targets(n, model.output_shape[-1])
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)


def numbers(array):
    return [float(value) for value in np.asarray(array, dtype="float64").ravel()]


def facts(model):
    """What Keras says about a model, and about the same model after three more steps."""
    x, y = inputs(4, *model.input_shape[1:]), targets(4, model.output_shape[-1])
    said = {
        "predictions": numbers(model.predict(x, verbose=0)),
        "scores": numbers(model.evaluate(x, y, verbose=0)),
        "iterations": int(model.optimizer.iterations.value),
    }
    if model.name == "bars":
        train(model, 3)
        said["weights after three steps"] = [numbers(weight) for weight in model.get_weights()]
    return said


def plain(model, version, weights_root, names_as):
    """Writes weights as Keras 2 did: lists of names that end in `:0`."""
    names = [layer.name.encode() for layer in model.layers]
    weights_root.attrs["layer_names"] = names_as(names)
    weights_root.attrs["backend"] = b"tensorflow"
    weights_root.attrs["keras_version"] = version.encode()
    for layer in model.layers:
        group = weights_root.create_group(layer.name)
        paths = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
        group.attrs["weight_names"] = names_as([path.encode() for path in paths])
        for name, variable in zip(paths, layer.weights):
            group[name] = np.asarray(variable.value)


def old_layer(layer, first):
    """A layer's options as Keras 2.2 wrote them."""
    glorot = {"class_name": "VarianceScaling", "config": {
        "scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}}
    zeros = {"class_name": "Zeros", "config": {}}
    l2 = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.009999999776482582}}
    config = {"name": layer.name, "trainable": True}
    if first:
        config |= {"batch_input_shape": [None, 6, 6, 1], "dtype": "float32"}
    class_name = layer.__class__.__name__
    if class_name == "Conv2D":
        config |= {
            "filters": 3, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
            "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "relu", "use_bias": True,
            "kernel_initializer": glorot, "bias_initializer": zeros, "kernel_regularizer": l2,
            "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None,
            "bias_constraint": None,
        }
    elif class_name == "MaxPooling2D":
        config |= {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}
    elif class_name == "Flatten":
        config |= {"data_format": "channels_last"}
    else:
        config |= {
            "units": 3, "activation": "softmax", "use_bias": True, "kernel_initializer": glorot,
            "bias_initializer": zeros, "kernel_regularizer": None, "bias_regularizer": None,
            "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
        }
    return {"class_name": class_name, "config": config}


def old_file(name, version, model, optimizer, variables, named, names_as):
    old_layers = [old_layer(layer, i == 0) for i, layer in enumerate(model.layers)]
    config = {"name": "bars", "layers": old_layers} if named else old_layers
    training = {
        "optimizer_config": optimizer, "loss": "categorical_crossentropy", "metrics": ["acc"],
        "sample_weight_mode": None, "loss_weights": None,
    }
    with h5py.File(path(name), "w") as file:
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = version.encode()
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        plain(model, version, file.create_group("model_weights"), names_as)
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = names_as([name.encode() for name, _ in variables])
        for name, value in variables:
            group[name] = value


def main():
    keras.utils.set_random_seed(9)
    golden = {}

    model = lecture()
    train(model, 2)
    model.save(path("lecture.keras"))
    model.save(path("lecture.h5"))
    golden["lecture"] = facts(model)

    model = bars(optimizers.SGD(0.05, momentum=0.5))
    train(model, 2)
    iteration, _, *momenta = [np.asarray(variable.value) for variable in model.optimizer.variables]
    variables = [("SGD/iterations:0", np.int64(iteration))]
    for i, momentum in enumerate(momenta):
        variables.append((f"training/SGD/Variable{f'_{i}' if i else ''}:0", momentum))
    optimizer = {"class_name": "SGD", "config": {
        "lr": 0.05000000074505806, "momentum": 0.5, "decay": 0.0, "nesterov": False}}
    fixed = lambda names: np.array(names) if names else np.array([])
    old_file("bars_2_2_2.h5", "2.2.2", model, optimizer, variables, False, fixed)
    golden["bars_2_2_2"] = facts(model)

    model = bars(optimizers.Adam(0.01))
    train(model, 2)
    model.save(path("bars.keras"))
    model.save_weights(path("bars.weights.h5"))
    with h5py.File(path("bars_legacy_weights.h5"), "w") as file:
        plain(model, "2.2.4", file, lambda names: names)
    iteration, _, *moments = [np.asarray(variable.value) for variable in model.optimizer.variables]
    # Keras 2.2: all momenta, all velocities, and one unused number for each weight.
    moments = moments[0::2] + moments[1::2] + [np.zeros(1, "float32") for _ in moments[0::2]]
    variables = [("Adam/iterations:0", np.int64(iteration))]
    for i, moment in enumerate(moments):
        variables.append((f"training/Adam/Variable{f'_{i}' if i else ''}:0", moment))
    optimizer = {"class_name": "Adam", "config": {
        "lr": 0.009999999776482582, "beta_1": 0.8999999761581421, "beta_2": 0.9990000128746033,
        "decay": 0.0, "epsilon": 1e-07, "amsgrad": False}}
    old_file("bars_2_2_4.h5", "2.2.4", model, optimizer, variables, True, lambda names: names)
    golden["bars"] = facts(model)

    with open(path("golden.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
