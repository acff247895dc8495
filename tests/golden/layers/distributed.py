"""Models at every step of a sequence, with penalties inside: see cases.py. Writes distributed.json."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(62)
TD = layers.TimeDistributed


def told(*after, **options):
    """A case with the loss at its end, which has the penalties in it."""
    model = chain((3, 4), *after)
    made = case(rng, model, 40)
    x, y = (np.asarray(it["data"], "float32").reshape(it["shape"]) for it in (made["inputs"][0], made["y"]))
    return {**slim(made), "loss": model.evaluate(x, y, batch_size=40, verbose=0)}


def inner(*more):
    return chain((4,), layers.Dense(3, activation="tanh", activity_regularizer=keras.regularizers.L2(0.2)), *more)


write("distributed", [
    told(TD(inner(layers.Dense(2))), layers.Flatten()),
    told(TD(inner(layers.ActivityRegularization(l2=0.3), layers.Dense(2, activation="softmax"))), layers.LSTM(2)),
    # Step by step.
    told(TD(inner(layers.BatchNormalization(momentum=0.5))), layers.ReLU(), layers.Flatten()),
    # The penalty of the layer itself does not count.
    told(TD(layers.Dense(2, activity_regularizer="l2")), layers.Flatten()),
    told(TD(chain((4,), inner(), layers.Dense(2, activity_regularizer="l2"))), layers.Flatten()),
])
