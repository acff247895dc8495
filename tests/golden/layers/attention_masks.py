"""Masks that attention is called with, and scores of attention without projections: see cases.py. Writes attention_masks.json."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(41)


def masked(layer, query, value, mask, key=None, **options):
    """Of inputs of these shapes, with a mask: an array, or a further input, which hides where it is not above 0."""
    inputs = [keras.Input(shape) for shape in (query, value, *([key] if key else []))]
    given = [*inputs]
    if isinstance(mask, tuple):
        inputs.append(keras.Input(mask))
        options["attention_mask"] = layers.ReLU(name="seen")(inputs[-1])
    else:
        options["attention_mask"] = mask
    y = layer(*given, **options)
    return slim(case(rng, keras.Model(inputs, layers.Flatten()(y)), 4))


def scored(layer, *shapes, **options):
    """The scores beside the other output."""
    inputs = [keras.Input(shape) for shape in shapes]
    y, scores = layer(inputs, return_attention_scores=True, **options)
    return slim(case(rng, keras.Model(inputs, layers.Concatenate()([layers.Flatten()(scores), layers.Flatten()(y)])), 3))


heads, groups = layers.MultiHeadAttention, layers.GroupQueryAttention
band = np.array([[1, 1, 0, 0, 1], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [1, 0, 0, 1, 1]])
write("attention_masks", [
    masked(heads(2, 3), (4, 3), (5, 2), (4, 5)),
    masked(heads(2, 2), (4, 3), (5, 2), (1, 5), key=(5, 3)),
    masked(heads(2, 2, use_gate=True), (4, 3), (5, 2), (4, 1), use_causal_mask=True),
    masked(heads(2, 2), (4, 3), (5, 2), (2, 4, 5)),
    masked(heads(3, 2), (4, 3), (5, 2), (1, 4, 5)),
    masked(heads(2, 3), (4, 3), (5, 2), band),
    masked(heads(2, 3, sliding_window=3), (4, 3), (5, 2), band.astype("float32")[None]),
    masked(heads(2, 3), (4, 3), (5, 2), band[:1] > 0),
    masked(groups(3, 4, 2), (4, 3), (5, 3), (4, 5)),
    masked(groups(2, 2, 1), (4, 3), (4, 3), (4, 4), use_causal_mask=True),
    masked(groups(2, 4, 2), (4, 3), (5, 3), band[None, None]),
    scored(layers.Attention(), (4, 3), (5, 3)),
    scored(layers.Attention(use_scale=True, score_mode="concat"), (4, 3), (5, 2), (5, 3), use_causal_mask=True),
    scored(layers.AdditiveAttention(), (4, 3), (4, 3), use_causal_mask=True),
])
