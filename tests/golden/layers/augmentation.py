"""Layers that change images at random while training: see cases.py. Their random numbers lie between two ends that are the same."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(14)
CHANGES = [
    layers.RandomTranslation([0.3, 0.3], [-0.15, -0.15]),
    layers.RandomTranslation([-0.3, -0.3], [0.7, 0.7], fill_mode="wrap", interpolation="nearest"),
    layers.RandomZoom([0.4, 0.4], fill_mode="constant", fill_value=0.5),
    layers.RandomZoom([-0.4, -0.4], [0.2, 0.2], fill_mode="nearest"),
    layers.RandomRotation([0.1, 0.1]),
    layers.RandomRotation([-0.2, -0.2], fill_mode="constant"),
    layers.RandomContrast(0.0, value_range=(-0.5, 0.7)),
    layers.RandomBrightness([0.2, 0.2], value_range=(-1.0, 1.5)),
]
write("augmentation", [
    case(rng, chain((4, 5, 1), layer, layers.Flatten(), layers.Dense(1)), samples=3, rate=0.05) for layer in CHANGES
])
