"""Layers that convolve: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(11)


def cases(shape, layer, options):
    return [case(rng, chain(shape, layer(**given), layers.Flatten()), samples=2) for given in options]


write("convolution", [
    *cases((3, 4, 2), layers.DepthwiseConv2D, [
        {"kernel_size": 2, "activation": "relu"},
        {"kernel_size": (3, 2), "depth_multiplier": 2, "strides": 2, "padding": "same", "activation": "tanh"},
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False, "depthwise_regularizer": "l2"},
        {"kernel_size": 3, "padding": "same", "activation": "softmax", "bias_regularizer": "l1"},
    ]),
    *cases((3, 3, 1), layers.DepthwiseConv2D, [{"kernel_size": 2, "depth_multiplier": 3, "activation": "elu"}]),
    *cases((5, 2), layers.DepthwiseConv1D, [
        {"kernel_size": 3, "depth_multiplier": 2, "dilation_rate": 2, "activation": "sigmoid"},
        {"kernel_size": 2, "strides": 2, "padding": "same", "use_bias": False},
    ]),
    *cases((3, 4, 2), layers.SeparableConv2D, [
        {"filters": 3, "kernel_size": 2, "activation": "relu", "pointwise_regularizer": "l2"},
        {"filters": 2, "kernel_size": (2, 3), "depth_multiplier": 2, "strides": 2, "padding": "same", "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False, "activation": "softmax"},
    ]),
    *cases((5, 2), layers.SeparableConv1D, [
        {"filters": 2, "kernel_size": 3, "depth_multiplier": 2, "activation": "elu"},
        {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "padding": "same", "depthwise_regularizer": "l1"},
    ]),
    *cases((6, 2), layers.Conv1D, [
        {"filters": 3, "kernel_size": 3, "activation": "relu"},
        {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, "activation": "softmax"},
        {"filters": 2, "kernel_size": 4, "padding": "causal", "strides": 3},
        {"filters": 2, "kernel_size": 4, "padding": "same", "strides": 2, "use_bias": False, "kernel_regularizer": "l2"},
        {"filters": 4, "kernel_size": 2, "groups": 2, "activation": "tanh", "bias_regularizer": "l1"},
    ]),
    *cases((3, 3, 4), layers.Conv2D, [
        {"filters": 2, "kernel_size": 2, "groups": 2, "activation": "relu"},
        {"filters": 2, "kernel_size": (2, 3), "dilation_rate": (2, 1), "padding": "same", "activation": "softmax"},
    ]),
])
