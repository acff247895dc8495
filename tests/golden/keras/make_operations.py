"""Writes models of the kinds that need more than the words of Keras 3: operations between layers, layers of TensorFlow 1 for graphics cards,
`Lambda`, names with a `/`, a transposed convolution of Keras 1. Each with an input and what it predicts from that, in operations.json.

    python make_operations.py        # with tensorflow-cpu==2.15.*
    python make_operations.py 3      # with keras==3.15.*, adds its own
"""

import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
facts_file = here / "operations.json"
facts = json.loads(facts_file.read_text()) if facts_file.exists() else {}
random = np.random.default_rng(41)


def numbers(array):
    return [round(float(x), 7) for x in np.asarray(array, np.float32).ravel()]


def note(name, inputs, output):
    inputs = [np.asarray(x, np.float32) for x in inputs]
    facts[name] = {
        "shapes": [list(x.shape) for x in inputs],
        "inputs": [numbers(x) for x in inputs],
        "output": numbers(output),
    }


def weights(model):
    model.set_weights([random.uniform(-1, 1, w.shape).round(3) for w in model.get_weights()])


def image(rows, columns, channels):
    return random.uniform(0, 255, (2, rows, columns, channels)).round(1).astype(np.float32)


def keras_2():
    import h5py
    import tensorflow as tf

    keras = tf.keras
    layers = keras.layers

    # What people write before a network of keras.applications, and between layers.
    x = keras.Input((4, 4, 3))
    y = keras.applications.resnet50.preprocess_input(x)
    y = keras.applications.mobilenet_v2.preprocess_input(y)
    y = layers.Conv2D(3, 3, padding="same", name="conv1/conv")(y)
    z = layers.BatchNormalization(name="conv1/bn")(y)
    y = tf.nn.relu(y * 0.5 + z)
    y = tf.concat([y, 1 - z], axis=-1)
    y = tf.abs(y)
    y = tf.reduce_mean(y, axis=[1, 2])
    model = keras.Model(x, tf.nn.softmax(layers.Dense(2)(y)))
    weights(model)
    bn = model.get_layer("conv1/bn")
    bn.set_weights([np.abs(w) + 0.1 for w in bn.get_weights()])
    model.compile("sgd", "categorical_crossentropy")
    model.fit(image(4, 4, 3), np.eye(2), verbose=0)
    data = image(4, 4, 3)
    note("operations.h5", [data], model.predict(data, verbose=0))
    model.save(here / "operations.h5")

    # The last step of a recurrent layer.
    x = keras.Input((5, 2))
    y = layers.LSTM(3, return_sequences=True)(x)
    model = keras.Model(x, layers.Dense(2)(y[:, -1, :]))
    weights(model)
    data = random.normal(size=(2, 5, 2)).round(3)
    note("last_step.h5", [data], model.predict(data, verbose=0))
    model.save(here / "last_step.h5")

    # Python's own bytes.
    model = keras.Sequential([
        layers.Lambda(lambda x: x / 127.5 - 1.0, input_shape=(3,)), layers.Dense(2),
    ])
    weights(model)
    data = random.uniform(0, 255, (2, 3)).round(1)
    note("lambda.h5", [data], model.predict(data, verbose=0))
    model.save(here / "lambda.h5")

    # These cannot run without a card; the layers that took their place can, with the same weights.
    old = tf.compat.v1.keras.layers
    cards = [old.CuDNNLSTM(3, return_sequences=True), layers.Bidirectional(old.CuDNNGRU(2))]
    today = [layers.LSTM(3, return_sequences=True), layers.Bidirectional(layers.GRU(2))]
    model, same = (keras.Sequential([keras.Input((5, 2)), *own]) for own in (cards, today))
    weights(model)
    model.save_weights(here / "cudnn.h5")
    same.load_weights(here / "cudnn.h5")
    data = random.normal(size=(2, 5, 2)).round(3)
    note("cudnn.h5", [data], same.predict(data, verbose=0))
    model.save(here / "cudnn.h5")

    # A model at every step.
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    x = keras.Input((5, 4))
    model = keras.Model(x, layers.LSTM(2)(layers.TimeDistributed(inner)(x)))
    weights(model)
    inner.layers[1].set_weights([np.abs(w) + 0.1 for w in inner.layers[1].get_weights()])
    data = random.normal(size=(2, 5, 4)).round(3)
    note("model_in_time.h5", [data], model.predict(data, verbose=0))
    model.save(here / "model_in_time.h5")

    # Keras 1 had the channels of a transposed convolution in the other order.
    model = keras.Sequential([keras.Input((3, 3, 2)), layers.Conv2DTranspose(3, 2, strides=2)])
    weights(model)
    kernel, bias = model.get_weights()
    options = {
        "name": "deconvolution2d_1", "trainable": True, "nb_filter": 3, "nb_row": 2, "nb_col": 2,
        "init": "glorot_uniform", "activation": "linear", "border_mode": "valid", "subsample": [2, 2],
        "dim_ordering": "tf", "W_regularizer": None, "b_regularizer": None, "activity_regularizer": None,
        "W_constraint": None, "b_constraint": None, "bias": True, "output_shape": [None, 6, 6, 3],
        "batch_input_shape": [None, 3, 3, 2], "input_dtype": "float32",
    }
    config = {"class_name": "Sequential", "config": [{"class_name": "Deconvolution2D", "config": options}]}
    with h5py.File(here / "keras_1_transposed.h5", "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        group.attrs["keras_version"] = b"1.2.2"
        group.attrs["layer_names"] = np.array([b"deconvolution2d_1"])
        layer = group.create_group("deconvolution2d_1")
        layer.attrs["weight_names"] = np.array([b"deconvolution2d_1_W:0", b"deconvolution2d_1_b:0"])
        layer["deconvolution2d_1_W:0"] = kernel.transpose(0, 1, 3, 2)
        layer["deconvolution2d_1_b:0"] = bias
    data = random.normal(size=(2, 3, 3, 2)).round(3)
    note("keras_1_transposed.h5", [data], model.predict(data, verbose=0))

    # What needs shapes that such files say of the inputs alone.
    x = keras.Input((6, 4, 2))
    y = layers.Conv2D(3, 3, padding="same")(x)
    y = tf.image.resize(y, (5, 3))
    rows = tf.expand_dims(tf.reduce_sum(y, axis=[1, 2]), 1)
    z = layers.Reshape((15, 3))(y)
    z = tf.concat([tf.reduce_sum(z, axis=1, keepdims=True), rows, z[:, 2:4]], axis=1)
    z = tf.nn.tanh(z * 0.1)
    z = tf.concat([tf.squeeze(tf.reduce_sum(z, axis=-1, keepdims=True), -1), tf.reduce_mean(z, axis=2), tf.reduce_max(z, axis=-1)], axis=-1)
    model = keras.Model(x, layers.Dense(2)(z))
    weights(model)
    data = image(6, 4, 2) / 255
    note("shapes.h5", [data], model.predict(data, verbose=0))
    model.save(here / "shapes.h5")


def keras_3():
    import keras

    layers, ops = keras.layers, keras.ops
    x = keras.Input((4, 4, 3))
    y = keras.applications.resnet50.preprocess_input(x)
    y = y / 127.5 - 1.0
    y = layers.Conv2D(3, 3, padding="same")(y)
    y = ops.relu(y) + y
    y = ops.concatenate([y, -y], axis=-1)
    y = ops.squeeze(ops.expand_dims(ops.mean(y, axis=[1, 2]), -1), -1)
    y = ops.reshape(ops.abs(y), (-1, 3, 2))
    y = ops.transpose(y, (0, 2, 1))[:, -1, :]
    model = keras.Model(x, layers.Dense(2)(y))
    weights(model)
    data = image(4, 4, 3)
    note("operations.keras", [data], model.predict(data, verbose=0))
    model.save(here / "operations.keras")

    x = keras.Input((6, 4, 2))
    y = ops.image.resize(layers.Conv2D(3, 3, padding="same")(x), (5, 3), interpolation="nearest")
    y = ops.sum(ops.transpose(y, (0, 3, 1, 2)), axis=[2, 3])
    model = keras.Model(x, layers.Dense(2)(y))
    weights(model)
    data = image(6, 4, 2) / 255
    note("shapes.keras", [data], model.predict(data, verbose=0))
    model.save(here / "shapes.keras")


def longer_way():
    """A slice that becomes two layers, so that what comes before it changes places with a layer beside it. The kernels have one shape."""
    import keras

    layers, own = keras.layers, np.random.default_rng(7)
    v, x = keras.Input((3,), name="v"), keras.Input((4, 3), name="x")
    y = layers.Dense(3, name="a3")(layers.Dense(3, name="a2")(layers.Dense(3, name="a1")(v)))
    z = layers.Dense(3, name="b2")(layers.Dense(3, name="b1")(x)[:, 1, :])
    model = keras.Model([v, x], layers.Add()([y, z]))
    model.set_weights([own.normal(0, 0.5, w.shape) for w in model.get_weights()])
    data = [own.normal(size=(2, 3)).round(3), own.normal(size=(2, 4, 3)).round(3)]
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    y = own.normal(size=(2, 3)).round(3)
    train = lambda: model.fit(data, y, epochs=2, shuffle=False, verbose=0)
    train()
    for name in ["longer_way.keras", "longer_way.h5"]:
        note(name, data, model.predict(data, verbose=0))
        model.save(here / name)
    train()
    facts["longer_way.keras"].update(targets=numbers(y), trained=numbers(model.predict(data, verbose=0)))


def divided_kernels():
    """Whose kernels are twice in a `.keras` file."""
    import keras

    layers, own = keras.layers, np.random.default_rng(8)
    model = keras.Sequential([
        keras.Input((3, 4, 2)), layers.SpectralNormalization(layers.Conv2D(3, 2)), layers.SpectralNormalization(layers.Conv2D(2, 1, use_bias=False)),
        layers.Flatten(), layers.SpectralNormalization(layers.Dense(2)), layers.Dense(2),
    ])
    model.set_weights([own.normal(0, 0.5, w.shape) for w in model.get_weights()])
    data = own.normal(size=(2, 3, 4, 2)).round(3)
    for name in ["divided.keras", "divided.h5"]:
        note(name, [data], model.predict(data, verbose=0))
        model.save(here / name)


if sys.argv[1:]:
    keras_3()
    longer_way()
    divided_kernels()
else:
    keras_2()
facts_file.write_text(json.dumps(facts) + "\n")
