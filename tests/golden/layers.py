"""Writes layers.json, beside this file: what the real Keras computes in layers that normalise.

    pip install keras jax numpy
    python tests/golden/layers.py

Each case is a model of one layer and a Flatten, with given weights: what it predicts, its weights after two steps of
plain gradient descent on the mean squared error, and what it predicts then.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent

CASES = [
    {},
    {"axis": 1, "momentum": 0.5, "epsilon": 0.01},
    {"axis": 2, "momentum": 0.9, "scale": False},
    {"center": False, "momentum": 0.8},
    {"center": False, "scale": False},
    {"trainable": False},
]


def array(value):
    value = np.asarray(value, "float32")
    return {"shape": list(value.shape), "data": [float(x) for x in value.ravel()]}


def main():
    rng = np.random.default_rng(7)
    cases = []
    for options in CASES:
        x = rng.normal(1.0, 2.0, (40, 3, 4, 2)).astype("float32")
        y = rng.normal(0.0, 1.0, (40, 24)).astype("float32")
        layers = [keras.Input((3, 4, 2)), keras.layers.BatchNormalization(**options), keras.layers.Flatten()]
        model = keras.Sequential(layers)
        weights = [rng.uniform(0.5, 1.5, w.shape).astype("float32") for w in model.get_weights()]
        model.set_weights(weights)
        case = {"class_name": "BatchNormalization", "options": options, "x": array(x), "y": array(y), "weights": [array(w) for w in weights]}
        case["names"] = [w.name for w in model.layers[0].variables if "seed" not in w.name]
        case["before"] = array(model.predict(x, verbose=0))
        model.compile(keras.optimizers.SGD(0.5), "mean_squared_error")
        model.fit(x, y, batch_size=40, epochs=2, shuffle=False, verbose=0)
        case["trained"] = [array(w) for w in model.get_weights()]
        case["after"] = array(model.predict(x, verbose=0))
        cases.append(case)
    text = json.dumps({"keras": keras.__version__, "cases": cases})
    (HERE / "layers.json").write_text(text + "\n")


main()
