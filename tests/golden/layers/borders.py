"""Layers that make images larger or smaller: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(17)
LAYERS = [
    ((3, 2), layers.ZeroPadding1D(1)),
    ((3, 2), layers.ZeroPadding1D((2, 0))),
    ((3, 2, 1), layers.ZeroPadding2D((1, 2))),
    ((3, 2, 1), layers.ZeroPadding2D(((0, 1), (2, 0)))),
    ((1, 2, 2, 1), layers.ZeroPadding3D(((1, 0), (0, 0), (0, 1)))),
    ((5, 2), layers.Cropping1D((1, 2))),
    ((4, 3, 2), layers.Cropping2D(((1, 2), (0, 1)))),
    ((3, 4, 3, 1), layers.Cropping3D((1, 1, 0))),
    ((3, 2), layers.UpSampling1D(3)),
    ((2, 3, 1), layers.UpSampling2D((2, 3))),
    ((2, 3, 2), layers.UpSampling2D((3, 2), interpolation="bilinear")),
    ((2, 1, 2, 1), layers.UpSampling3D((1, 2, 2))),
]
# A layer with weights in front, so that there is something to train.
write("borders", [
    case(rng, chain(shape, layers.Dense(shape[-1]), layer, layers.Flatten()), samples=2) for shape, layer in LAYERS
])
