"""Layers that convolve volumes: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(23)
OPTIONS = [
    {"filters": 2, "kernel_size": 2, "activation": "relu"},
    {"filters": 2, "kernel_size": (3, 2, 1), "padding": "same", "strides": 2, "activation": "softmax"},
    {"filters": 2, "kernel_size": 2, "groups": 2, "dilation_rate": (2, 1, 1), "kernel_regularizer": "l2"},
    {"filters": 1, "kernel_size": (1, 2, 2), "use_bias": False, "activation": "tanh"},
]
write("volumes", [
    case(rng, chain((3, 2, 3, 2), layers.Conv3D(**options), layers.Flatten()), samples=2) for options in OPTIONS
])
