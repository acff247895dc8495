"""Layers that Keras 3 does not have any more, or otherwise: see cases.py. Writes keras_2.json, with

    pip install 'tensorflow-cpu==2.15.*' 'numpy<2'
"""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(30)


def alone(layer, *shape, **options):
    return slim(case(rng, chain(shape, layer), **options))


write("keras_2", [
    alone(layers.LocallyConnected1D(2, 3), 6, 3),
    alone(layers.LocallyConnected1D(3, 2, strides=2, activation="relu", use_bias=False, kernel_regularizer="l2"), 7, 2),
    alone(layers.LocallyConnected2D(2, 2), 4, 3, 2),
    alone(layers.LocallyConnected2D(2, (3, 2), strides=(1, 2), activation="softmax", bias_regularizer="l1"), 4, 5, 1),
    alone(layers.RandomCrop(2, 3), 6, 5, 2, train=False),
    alone(layers.RandomCrop(4, 2), 3, 5, 1, train=False),
    alone(layers.LocallyConnected1D(3, 2, strides=2, activation="softmax", data_format="channels_first"), 2, 7),
    alone(layers.LocallyConnected2D(2, (3, 2), strides=(1, 2), data_format="channels_first"), 3, 4, 5),
])
