"""Layers that prepare inputs: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(12)
METHODS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]


def one(shape, layer):
    return case(rng, chain(shape, layer), samples=1, train=False)


write("preprocessing", [
    one((2, 3), layers.Rescaling(1 / 127.5, offset=-1)),
    one((2, 3), layers.Rescaling([0.5, 2.0, -1.0], offset=np.array([0.0, 1.0, 0.25], "float32"))),
    *[one((5, 4, 1), layers.Resizing(3, 7, interpolation=method)) for method in METHODS],
    *[one((7, 5, 1), layers.Resizing(3, 2, interpolation=method, antialias=True)) for method in METHODS],
    one((4, 9, 1), layers.Resizing(2, 3, crop_to_aspect_ratio=True)),
    one((7, 6, 2), layers.CenterCrop(4, 3)),
    one((4, 6, 1), layers.CenterCrop(5, 3)),
    one((4, 9, 1), layers.Resizing(2, 3, pad_to_aspect_ratio=True)),
    one((4, 9, 2), layers.Resizing(5, 5, "nearest", pad_to_aspect_ratio=True, fill_value=0.5)),
    one((7, 2, 1), layers.Resizing(4, 3, pad_to_aspect_ratio=True, fill_value=-1.0)),
    # The gradient goes back through both.
    case(rng, chain((3, 4, 1), layers.Conv2D(2, 2), layers.Resizing(3, 2, "bicubic"), layers.CenterCrop(2, 1)), samples=2),
])
