"""Numbers of classes and bins: see cases.py. Writes encoding.json."""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(29)
EDGES = [-0.5, 0.0, 0.75, 1.5]


def encoded(layer, *shape, **options):
    return slim(case(rng, chain(shape, layer), train=False, **options))


write("encoding", [
    encoded(layers.CategoryEncoding(4), 3, high=4),
    encoded(layers.CategoryEncoding(4, output_mode="count"), 5, high=4),
    encoded(layers.CategoryEncoding(4, output_mode="one_hot"), 3, high=4),
    encoded(layers.CategoryEncoding(4, output_mode="one_hot"), 1, high=4),
    encoded(layers.CategoryEncoding(4, output_mode="one_hot"), 2, 3, high=4),
    encoded(layers.CategoryEncoding(4, output_mode="one_hot"), 2, 1, high=4),
    encoded(layers.Discretization(EDGES), 4),
    encoded(layers.Discretization(EDGES), 2, 3),
    encoded(layers.Discretization([0.0, 1.0, 1.0, 2.0]), 4, high=4),
    encoded(layers.Discretization(EDGES, output_mode="one_hot"), 3),
    encoded(layers.Discretization(EDGES, output_mode="one_hot"), 1),
    encoded(layers.Discretization(EDGES, output_mode="multi_hot"), 4),
    encoded(layers.Discretization(EDGES, output_mode="count"), 6),
])
