"""Layers that change the values of images, most of them while training alone: see cases.py. Writes recoloring.json.

Random numbers lie between two ends that are the same, or do not matter: half a turn of the hue is the same in both directions.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np
from cases import case, chain, keras, slim, write

L = keras.layers
rng = np.random.default_rng(63)
RANGE = {"value_range": (-2.0, 3.0)}


def learnt(layer, shape=(4, 5, 3), samples=3):
    """Between layers that learn, so that gradients go through it."""
    return slim(case(rng, chain(shape, L.Dense(shape[-1]), layer, L.Flatten(), L.Dense(1)), samples=samples, rate=0.02))


def alone(layer, shape):
    """Images of bytes."""
    return slim(case(rng, chain(shape, layer), samples=3, high=256, train=False))


write("recoloring", [
    *[learnt(layer) for layer in [
        L.RandomInvert([1.0, 1.0], **RANGE),
        L.RandomInvert([0.0, 0.0], **RANGE),
        L.RandomGrayscale(1.0),
        L.RandomColorDegeneration([0.3, 0.3], **RANGE),
        L.RandomColorDegeneration([-0.6, -0.6], value_range=(-0.5, 0.7)),
        L.RandomPosterization([2, 2], **RANGE),
        L.RandomPosterization([3, 4], **RANGE),
        L.RandomSharpness([0.1, 0.1], **RANGE),
        L.RandomSharpness([0.9, 0.9], value_range=(-0.5, 0.7)),
        L.RandomHue([1.0, 1.0], value_range=(-4.0, 5.0)),
        L.RandomGaussianBlur([1.0, 1.0], sigma=[0.7, 0.7], **RANGE),
        L.RandomGaussianBlur([1.0, 1.0], kernel_size=(5, 3), sigma=[0.9, 0.9], value_range=(-0.5, 0.7)),
        L.RandomErasing([1.0, 1.0], scale=[1.0, 1.0], fill_value=0.25, value_range=(0, 1)),
        L.RandomErasing([0.0, 0.0]),
        L.Solarization(**RANGE),
        L.AutoContrast(value_range=(-1.0, 2.0)),
        L.ContrastLimitedAdaptiveHistogramEqualization(value_range=(-1.0, 2.0), tile_grid_size=(2, 2)),
        L.RandomColorJitter(value_range=(-4.0, 5.0), brightness_factor=[0.1, 0.1], hue_factor=[1.0, 1.0]),
        L.RandomColorJitter(value_range=(-4.0, 5.0), contrast_factor=0.0),
        L.RandomColorJitter(),
    ]],
    # Saturation and hue are of colours that are not negative.
    slim(case(rng, chain((4, 5, 3), L.Activation("sigmoid"), L.RandomSaturation([0.7, 0.7], value_range=(0, 1)), L.Flatten(), L.Dense(1)), samples=3)),
    slim(case(rng, chain((4, 5, 3), L.Activation("sigmoid"), L.RandomSaturation([0.2, 0.2]), L.Flatten(), L.Dense(1)), samples=3)),
    learnt(L.RandomSharpness([0.3, 0.3], data_format="channels_first", **RANGE), (2, 5, 3)),
    learnt(L.RandomGaussianBlur([1.0, 1.0], kernel_size=(5, 3), sigma=[0.7, 0.7], data_format="channels_first", **RANGE), (2, 5, 3)),
    alone(L.AutoContrast(), (4, 5, 3)),
    alone(L.ContrastLimitedAdaptiveHistogramEqualization(), (19, 13, 2)),
    alone(L.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0.0, tile_grid_size=(3, 2)), (7, 9, 1)),
    alone(L.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=40.0, tile_grid_size=(2, 5), data_format="channels_first"), (2, 6, 11)),
    alone(L.Solarization(0.3, 0.5), (4, 5, 1)),
])
