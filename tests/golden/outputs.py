"""Golden values of a model with two inputs and two outputs: run with Keras 3 (any backend), writes outputs.json."""

import json
import pathlib

import keras
import numpy as np


def wave(shape, first):
    """Numbers in [-1, 1] that Rust finds as well."""
    count = int(np.prod(shape))
    return np.sin(first + 0.7 * np.arange(count)).reshape(shape).astype("float32")


a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
joined = keras.layers.Concatenate(name="joined")([a, b])
hidden = keras.layers.Dense(4, activation="relu", name="hidden")(joined)
scores = keras.layers.Dense(2, activation="softmax", name="scores")(hidden)
size = keras.layers.Dense(1, name="size")(hidden)
model = keras.Model([a, b], [scores, size])
shapes = [(5, 4), (4,), (4, 2), (2,), (4, 1), (1,)]
model.set_weights([wave(shape, i) for i, shape in enumerate(shapes)])
inputs = [wave((8, 3), 10), wave((8, 2), 11)]
targets = [np.eye(2, dtype="float32")[[0, 1, 1, 0, 0, 1, 0, 1]], wave((8, 1), 12)]
sample_weight = np.array([1, 0.5, 2, 1, 0, 1, 1.5, 1], "float32")

model.compile(
    keras.optimizers.SGD(0.1, momentum=0.5),
    loss={"scores": "categorical_crossentropy", "size": "mse"},
    loss_weights={"scores": 1.5, "size": 0.5},
    metrics={"scores": ["accuracy"], "size": ["mean_absolute_error"]},
)
before = model.evaluate(inputs, targets, verbose=0, return_dict=True)
history = model.fit(
    inputs, targets, epochs=2, batch_size=3, shuffle=False, verbose=0, validation_data=(inputs, targets)
)
plain = {"before": before, "history": history.history, "weights": [w.flatten().tolist() for w in model.get_weights()]}
history = model.fit(inputs, targets, epochs=1, batch_size=8, shuffle=False, verbose=0, sample_weight=sample_weight)
golden = {**plain, "weighted": history.history, "after": [w.flatten().tolist() for w in model.get_weights()]}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden) + "\n")
