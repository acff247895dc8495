"""Attention over other axes than the steps of sequences, and its scores: see cases.py. Writes attention_axes.json."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(34)


def over(layer, *shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    y = layer(*(inputs * 2 if len(inputs) == 1 else inputs))
    return slim(case(rng, keras.Model(inputs, layers.Flatten()(y)), 3))


def scored(layer, *shapes, **options):
    """The scores alone, and beside the other output."""
    inputs = [keras.Input(shape) for shape in shapes]
    y, scores = layer(*inputs, return_attention_scores=True, **options)
    return slim(case(rng, keras.Model(inputs, layers.Concatenate()([layers.Flatten()(scores), layers.Flatten()(y)])), 3))


heads = layers.MultiHeadAttention
write("attention_axes", [
    over(heads(2, 3), (2, 3, 4)),
    over(heads(2, 2, attention_axes=2, output_shape=5), (2, 3, 4)),
    over(heads(2, 2, attention_axes=(1,), value_dim=3, use_bias=False), (2, 3, 4), (3, 3, 2)),
    over(heads(1, 2, attention_axes=(1, 3)), (2, 3, 2, 4)),
    over(heads(2, 2, attention_axes=(-2,)), (4, 3)),
    scored(heads(2, 3), (4, 3), (4, 2)),
    scored(heads(2, 2, use_gate=True), (4, 3), (4, 2), use_causal_mask=True),
    scored(layers.GroupQueryAttention(3, 4, 2), (4, 3), (4, 3)),
])
