"""Activations, as options and as layers: see cases.py."""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(11)
# `glu` halves its axis and `threshold` needs numbers: Keras cannot use them by name.
NAMES = sorted(set(keras.src.activations.ALL_OBJECTS_DICT) - {"glu", "threshold"})
OPTIONS = [
    layers.ReLU(),
    layers.ReLU(max_value=0.75, negative_slope=0.125, threshold=0.25),
    layers.ReLU(max_value=6.0),
    layers.ReLU(negative_slope=0.5, threshold=0.5),
    layers.LeakyReLU(),
    layers.LeakyReLU(negative_slope=0.125),
    layers.PReLU(alpha_initializer="ones", alpha_regularizer="l2"),
    layers.PReLU(shared_axes=[1], alpha_constraint=keras.constraints.MaxNorm(0.5)),
    layers.PReLU(shared_axes=[1, 2]),
    layers.ELU(),
    layers.ELU(alpha=0.5),
    layers.Softmax(),
    layers.Softmax(axis=1),
    layers.Softmax(axis=[1, 2]),
]
cases = []
for name in NAMES:
    # As the option of a layer in the middle, where gradients go through it, and as a layer at the end.
    model = chain((3,), layers.Dense(5, activation=name), layers.Dense(2), layers.Activation(name))
    cases.append(case(rng, model, samples=4))
for layer in OPTIONS:
    model = chain((2, 3), layers.Dense(3), layer, layers.Dense(2))
    cases.append(case(rng, model, samples=4))
for layer in [layers.LeakyReLU(negative_slope=0.25), layers.ReLU(max_value=1.0), layers.ELU(), layers.Softmax()]:
    model = chain((3,), layers.Dense(5, activation=layer), layers.Dense(2))
    cases.append(case(rng, model, samples=4))
write("activations", [slim(it) for it in cases])
