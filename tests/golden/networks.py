"""Writes networks.json, beside this file: six small networks of well-known kinds, as the real Keras trains them.

    pip install keras jax numpy
    python tests/golden/networks.py

Of each: inputs, targets, the weights before and after three steps, and the outputs before and after.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
L = keras.layers


def residual():
    image = keras.Input((8, 8, 2), name="image")
    x = L.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(image)
    x = L.Activation("relu")(L.BatchNormalization()(x))
    for i in range(2):
        y = L.Conv2D(4, 3, padding="same", use_bias=False, name=f"first_{i}")(x)
        y = L.Activation("relu")(L.BatchNormalization()(y))
        y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False, name=f"second_{i}")(y))
        x = L.Activation("relu")(L.Add()([x, y]))
    x = L.Dense(3, activation="softmax", name="scores")(L.GlobalAveragePooling2D()(x))
    return keras.Model(image, x, name="residual"), "categorical_crossentropy"


def unet():
    image = keras.Input((8, 8, 1), name="image")
    down = L.Conv2D(3, 3, padding="same", activation="relu")(image)
    low = L.Conv2D(4, 3, padding="same", activation="relu")(L.MaxPooling2D()(down))
    up = L.UpSampling2D()(low)
    x = L.Conv2D(3, 3, padding="same", activation="relu")(L.Concatenate()([up, down]))
    return keras.Model(image, L.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="unet"), "binary_crossentropy"


def inception():
    image = keras.Input((6, 6, 3), name="image")
    one = L.Conv2D(2, 1, activation="relu")(image)
    three = L.Conv2D(3, 3, padding="same", activation="relu")(L.Conv2D(2, 1, activation="relu")(image))
    five = L.Conv2D(2, 5, padding="same", activation="relu")(L.Conv2D(2, 1, activation="relu")(image))
    pool = L.Conv2D(2, 1, activation="relu")(L.MaxPooling2D(3, strides=1, padding="same")(image))
    x = L.Flatten()(L.Concatenate()([one, three, five, pool]))
    return keras.Model(image, L.Dense(3, activation="softmax", name="scores")(x), name="inception"), "categorical_crossentropy"


def siamese():
    left, right = keras.Input((6, 6, 1), name="left"), keras.Input((6, 6, 1), name="right")
    image = keras.Input((6, 6, 1))
    features = L.Dense(4, activation="tanh")(L.Flatten()(L.Conv2D(2, 3, activation="relu")(image)))
    twin = keras.Model(image, features, name="twin")
    a, b = twin(left), twin(right)
    same = L.Dense(1, activation="sigmoid", name="same")(L.Multiply()([a, b]))
    kind = L.Dense(3, activation="softmax", name="kind")(a)
    return keras.Model([left, right], [same, kind], name="siamese"), {"same": "binary_crossentropy", "kind": "categorical_crossentropy"}


def transfer():
    image = keras.Input((6, 6, 2))
    x = L.BatchNormalization(name="norm")(L.Conv2D(3, 3, activation="relu", name="conv")(image))
    base = keras.Model(image, L.GlobalAveragePooling2D()(x), name="base")
    base.trainable = False
    x = keras.Input((6, 6, 2), name="x")
    head = L.Dense(3, activation="softmax", name="head")(base(x))
    return keras.Model(x, head, name="transfer"), "categorical_crossentropy"


def seq2seq():
    """Layers with several outputs, and states to begin with."""
    words, answer = keras.Input((5, 3), name="words"), keras.Input((4, 2), name="answer")
    _, h, c = L.LSTM(3, return_state=True, name="encoder")(words)
    x, last, _ = L.LSTM(3, return_sequences=True, return_state=True, name="decoder")(answer, initial_state=[h, c])
    both, front, back = L.Bidirectional(L.GRU(2, return_sequences=True, return_state=True), name="both")(x)
    x = L.GRU(2, return_sequences=True, name="after")(both, initial_state=front)
    end = L.SimpleRNN(2, name="end")(both, initial_state=back)
    step = keras.Input((4, 2), name="step")
    pair = keras.Model(step, [L.Dense(2, activation="tanh", name="left")(step), L.Dense(2, name="right")(step)], name="pair")
    left, right = pair(x)
    said = L.Dense(3, activation="softmax", name="said")(L.Concatenate()([left, right]))
    size = L.Dense(1, activation="sigmoid", name="size")(L.Concatenate()([last, end]))
    losses = {"said": "categorical_crossentropy", "size": "binary_crossentropy"}
    return keras.Model([words, answer], [said, size], name="seq2seq"), losses


NETWORKS = [residual, unet, inception, siamese, transfer, seq2seq]


def array(value):
    value = np.asarray(value, "float32")
    return {"shape": list(value.shape), "data": [float(f"{x:.9g}") for x in value.ravel()]}


def some(values):
    return values if isinstance(values, list) else [values]


def main():
    rng = np.random.default_rng(3)
    cases = []
    for build in NETWORKS:
        keras.backend.clear_session()
        model, loss = build()
        variables = model.weights
        for v in variables:
            spread = rng.uniform(0.5, 1.5, v.shape) if "variance" in v.path or "gamma" in v.path else rng.normal(0, 0.2, v.shape)
            v.assign(spread.astype("float32"))
        n = 6
        inputs = [rng.normal(0, 1, (n, *x.shape[1:])).astype("float32") for x in model.inputs]
        targets = []
        for y in model.outputs:
            shape = (n, *y.shape[1:])
            binary = shape[-1] == 1
            targets.append(rng.integers(0, 2, shape).astype("float32") if binary else np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])])
        fed, wanted = (inputs if len(inputs) > 1 else inputs[0]), (targets if len(targets) > 1 else targets[0])
        case = {"name": model.name, "inputs": [array(x) for x in inputs], "targets": [array(y) for y in targets]}
        case["weights"] = [array(v) for v in variables]
        case["before"] = [array(y) for y in some(model.predict(fed, verbose=0))]
        model.compile(keras.optimizers.SGD(0.2, momentum=0.5), loss)
        case["losses"] = [model.fit(fed, wanted, batch_size=n, epochs=3, shuffle=False, verbose=0).history["loss"]]
        case["trained"] = [array(v) for v in variables]
        case["after"] = [array(y) for y in some(model.predict(fed, verbose=0))]
        cases.append(case)
    text = json.dumps({"keras": keras.__version__, "cases": cases}, separators=(",", ":"))
    (HERE / "networks.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
