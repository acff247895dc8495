"""Batch normalisation of the steps that a mask lets through: see cases.py. Writes masked_normalization.json."""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(61)
BN, TD = layers.BatchNormalization, layers.TimeDistributed


def words(*after):
    """More samples than one shard has. A third of the words does not count."""
    return slim(case(rng, chain((4,), layers.Embedding(3, 2, mask_zero=True), *after), high=3, samples=40, rate=0.01))


write("masked_normalization", [
    words(BN(momentum=0.5), layers.LSTM(2)),
    # A rectifier may be joined with it.
    words(BN(momentum=0.5, scale=False), layers.ReLU(), layers.GRU(2)),
    words(BN(axis=1, momentum=0.5, center=False), layers.Flatten()),
    words(layers.Dense(3), BN(momentum=0.5, trainable=False), layers.Flatten()),
    words(TD(BN(momentum=0.5)), layers.LSTM(2)),
    words(TD(chain((2,), layers.Dense(3), BN(momentum=0.9))), layers.Flatten()),
])
