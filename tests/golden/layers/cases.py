"""What the real Keras computes in models of a few layers, for the scripts beside this one.

    pip install keras jax numpy
    python tests/golden/layers/normalization.py     # writes normalization.json

Each case is a model with given weights: its JSON, what it predicts, its weights after two steps of plain gradient
descent on the mean squared error, and what it predicts then.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def array(value):
    value = np.asarray(value, "float32")
    return {"shape": list(value.shape), "data": [float(f"{x:.8g}") for x in value.ravel()]}


def path_of(variable):
    """Its name, in Keras 3 with those of the layers around it."""
    return getattr(variable, "path", variable.name)


def weight(rng, variable):
    """Scales and variances around 1, all others around 0."""
    path = path_of(variable)
    if "count" in path:
        return np.zeros(variable.shape, "float32")
    if any(part in path for part in ("gamma", "variance")):
        return rng.uniform(0.5, 1.5, variable.shape).astype("float32")
    return rng.normal(0.0, 0.5, variable.shape).astype("float32")


def case(rng, model, samples=6, high=None, rate=0.1, train=True):
    """Of a model. `high`: the inputs are whole numbers below it, and no normal ones."""
    draw = (lambda shape: rng.integers(0, high, shape)) if high else (lambda shape: rng.normal(0.2, 1.0, shape))
    # Single precision before anything is computed, so that both sides begin with the same numbers.
    single = lambda values: np.asarray([float(f"{x:.8g}") for x in values.ravel()], "float32").reshape(values.shape)
    inputs = [single(draw((samples, *x.shape[1:]))) for x in model.inputs]
    fed = inputs if len(inputs) > 1 else inputs[0]
    variables = [v for v in model.variables if "seed" not in path_of(v)]
    given = [single(weight(rng, v)) for v in variables]
    for variable, value in zip(variables, given):
        variable.assign(value)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # takes what was assigned
    result = {"model": model.to_json(), "inputs": [array(x) for x in inputs], "weights": [array(w) for w in given]}
    result["before"] = array(model.predict(fed, verbose=0))
    if train:
        y = rng.normal(0.0, 1.0, (samples, *model.outputs[0].shape[1:])).astype("float32")
        result["y"] = array(y)
        result["rate"] = rate
        model.compile(keras.optimizers.SGD(rate), "mean_squared_error")
        model.fit(fed, y, batch_size=samples, epochs=2, shuffle=False, verbose=0)
        result["trained"] = [array(v) for v in variables]
        result["after"] = array(model.predict(fed, verbose=0))
    return result


def chain(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


def slim(case):
    """The same case, its model without what is null or of no consequence here: Keras writes 2 kB for a layer."""
    left_out = ("dtype", "build_config", "kernel_initializer", "bias_initializer", "registered_name")

    def of(value):
        if isinstance(value, dict):
            return {k: of(v) for k, v in value.items() if k not in left_out and v is not None}
        return [of(v) for v in value] if isinstance(value, list) else value

    return {**case, "model": json.dumps(of(json.loads(case["model"])), separators=(",", ":"))}


def write(name, cases):
    text = json.dumps({"keras": keras.__version__, "cases": cases}, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text.replace('{"model"', '\n{"model"') + "\n")
