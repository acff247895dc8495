"""Layers that turn a convolution around: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(19)


def cases(shape, layer, options):
    return [case(rng, chain(shape, layer(**given), layers.Flatten()), samples=2) for given in options]


write("transposed", [
    *cases((2, 3, 2), layers.Conv2DTranspose, [
        {"filters": 2, "kernel_size": 2, "activation": "relu"},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "softmax"},
        {"filters": 1, "kernel_size": (1, 2), "strides": (2, 3), "use_bias": False, "kernel_regularizer": "l2"},
        {"filters": 1, "kernel_size": (4, 3), "strides": 2, "padding": "same", "output_padding": (1, 0)},
        {"filters": 1, "kernel_size": 2, "strides": (2, 3), "output_padding": (1, 2), "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "padding": "same", "bias_regularizer": "l1"},
    ]),
    *cases((4, 3), layers.Conv1DTranspose, [
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 3, "use_bias": False},
        {"filters": 1, "kernel_size": 3, "strides": 2, "output_padding": 1, "activation": "elu"},
    ]),
    *cases((2, 2, 2, 2), layers.Conv3DTranspose, [
        {"filters": 1, "kernel_size": 2, "activation": "relu"},
        {"filters": 2, "kernel_size": (3, 1, 2), "strides": (2, 1, 1), "padding": "same", "activation": "softmax"},
        {"filters": 1, "kernel_size": 2, "strides": (3, 1, 2), "output_padding": (2, 0, 1), "use_bias": False},
    ]),
])
