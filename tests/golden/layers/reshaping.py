"""Layers that give samples another shape: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(11)


def joined(shapes, layer):
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layers.Flatten()(layer(inputs)))


DOTS = [
    ([(4,), (4,)], {"axes": 1}),
    ([(4,), (4,)], {"axes": -1, "normalize": True}),
    ([(3, 4), (5, 4)], {"axes": 2}),
    ([(2, 3), (3, 2)], {"axes": (1, 2), "normalize": True}),
    ([(2, 3), (3,)], {"axes": -1}),
    ([(2, 3, 2), (2, 3)], {"axes": (2, 2)}),
]
small = {"samples": 3, "rate": 0.5}
write("reshaping", [
    case(rng, chain((4, 3), layers.Reshape((2, -1, 3)), layers.Dense(2)), **small),
    case(rng, chain((4, 3), layers.Reshape((-1,)), layers.Dense(2)), **small),
    case(rng, chain((2, 3, 4), layers.Permute((3, 1, 2)), layers.Dense(2)), **small),
    case(rng, chain((3,), layers.RepeatVector(2), layers.Identity(), layers.Dense(2)), **small),
    case(rng, chain((4,), layers.Dense(3), layers.UnitNormalization()), **small),
    case(rng, chain((2, 4), layers.Dense(3), layers.UnitNormalization(axis=[1, 2])), **small),
    *[case(rng, joined(shapes, layers.Dot(**options)), train=False, **small) for shapes, options in DOTS],
])
