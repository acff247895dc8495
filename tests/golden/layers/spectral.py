"""Kernels that are divided by their spectral norm: see cases.py. Writes spectral.json. On TensorFlow, training is another one."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(35)
SN = layers.SpectralNormalization


def of(shape, layer, *more, **options):
    """The vector stands behind the weights of its layer here, and behind the kernel in Keras."""
    made = slim(case(rng, chain(shape, layer, *more), **options))
    for weights in [made["weights"], made["trained"]]:
        # Kernel, vector and perhaps a bias.
        if layer.layer.get_config().get("use_bias"):
            weights[1:3] = weights[2:0:-1]
    return made


write("spectral", [
    # More samples than one shard has.
    of((3,), SN(layers.Dense(2)), samples=40),
    of((3,), SN(layers.Dense(4, activation="relu", use_bias=False), power_iterations=3), layers.Dense(1)),
    of((4, 4, 2), SN(layers.Conv2D(3, 2, bias_regularizer="l2"), power_iterations=2), layers.Flatten(), samples=3),
    of((4, 4, 2), SN(layers.Conv2DTranspose(3, 2, strides=2)), layers.Flatten(), samples=3),
    of((4,), SN(layers.Embedding(5, 3)), layers.Flatten(), high=5),
])
