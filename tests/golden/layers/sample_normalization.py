"""Layers that normalise each sample by itself, or by what is known of the data: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(13)
LAYER = [
    {},
    {"axis": [1, 2], "epsilon": 0.01},
    {"axis": 1, "scale": False},
    {"axis": [1, 3], "center": False, "gamma_regularizer": keras.regularizers.L2(0.1)},
    {"center": False, "scale": False},
]
GROUP = [
    {"groups": 2},
    {"groups": -1, "epsilon": 0.01, "beta_regularizer": keras.regularizers.L1(0.1)},
    {"groups": 1, "scale": False},
    {"groups": 3, "axis": 2, "center": False},
]
images = np.random.default_rng(1).normal(1.0, 2.0, (5, 2, 3, 4)).astype("float32")
adapted = layers.Normalization(axis=(1, -1))
adapted.adapt(images)
KNOWN = [
    adapted,
    layers.Normalization(axis=None),
    layers.Normalization(mean=[0.5, 1.0, 2.0, -1.0], variance=[4.0, 1.0, 0.5, 0.25]),
    layers.Normalization(axis=(2, 3), mean=0.5, variance=0.25, invert=True),
]


def normalised(layer):
    return case(rng, chain((2, 3, 4), layer, layers.Flatten(), layers.Dense(1)), samples=2, rate=0.02)


write("sample_normalization", [
    *[normalised(layers.LayerNormalization(**options)) for options in LAYER],
    *[normalised(layers.GroupNormalization(**options)) for options in GROUP],
    normalised(layers.RMSNormalization()),
    normalised(layers.RMSNormalization(axis=[2, 3], epsilon=0.01)),
    *[normalised(layer) for layer in KNOWN],
    normalised(layers.LayerNormalization(rms_scaling=True, scale=False, epsilon=0.01)),
    normalised(layers.LayerNormalization(rms_scaling=True, axis=[1, 3], gamma_regularizer=keras.regularizers.L2(0.1))),
])
