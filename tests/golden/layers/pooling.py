"""Layers that keep one value of every window: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(13)
SHAPES = {1: (5, 2), 2: (3, 4, 2), 3: (3, 2, 4, 1)}
# A layer with weights in front, so that there is something to train.
cases = []
for axes, shape in SHAPES.items():
    for kind, same in (("Max", axes == 2), ("Average", axes != 2)):
        options = {"pool_size": 3, "strides": 2, "padding": "same"} if same else {"pool_size": 2}
        layer = getattr(layers, f"{kind}Pooling{axes}D")(**options)
        cases.append(case(rng, chain(shape, layers.Dense(2), layer, layers.Flatten()), samples=2))
        layer = getattr(layers, f"Global{kind}Pooling{axes}D")(keepdims=kind == "Max")
        cases.append(case(rng, chain(shape, layers.Dense(2), layer), samples=2))
for layer in (layers.AdaptiveAveragePooling1D(3), layers.AdaptiveMaxPooling1D(4)):
    cases.append(case(rng, chain((5, 1), layers.Dense(2), layer, layers.Flatten()), samples=2))
for layer in (layers.AdaptiveAveragePooling2D((2, 3)), layers.AdaptiveMaxPooling2D((3, 2))):
    cases.append(case(rng, chain((4, 5, 1), layers.Dense(1), layer, layers.Flatten()), samples=2))
for layer in (layers.AdaptiveAveragePooling3D((2, 2, 1)), layers.AdaptiveMaxPooling3D(2)):
    cases.append(case(rng, chain((3, 3, 2, 1), layers.Dense(1), layer, layers.Flatten()), samples=2))
write("pooling", cases)
