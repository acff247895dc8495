"""Layers that normalise: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(7)
OPTIONS = [
    {},
    {"axis": 1, "momentum": 0.5, "epsilon": 0.01},
    {"axis": 2, "momentum": 0.9, "scale": False},
    {"center": False, "momentum": 0.8},
    {"center": False, "scale": False},
    {"trainable": False},
]
# More samples than one shard has.
write("normalization", [
    case(rng, chain((2, 3, 2), layers.BatchNormalization(**options), layers.Flatten()), samples=40, rate=0.5)
    for options in OPTIONS
])
