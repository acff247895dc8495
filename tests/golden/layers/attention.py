"""Attention: see cases.py. Writes attention.json. It takes TensorFlow: with JAX, Keras wants values as wide as keys."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(27)


def as_lists(value):
    """A model's JSON where each layer takes a list and has all that is said of it among its options, as in the crate's own files."""
    for layer in value["config"]["layers"]:
        for node in layer["inbound_nodes"]:
            causal = node["kwargs"].get("use_causal_mask")
            if causal:
                layer["config"]["use_causal_mask"] = True
            if len(node["args"]) > 1:
                node["args"] = [node["args"]]
            node["kwargs"] = {}
    # What computes masks beside the layers.
    value["config"]["layers"] = [it for it in value["config"]["layers"] if it["module"] == "keras.layers"]
    return value


def attending(layer, *shapes, masked=(), causal=False, **options):
    """A model of what the layer gives for inputs of these shapes; those in `masked` are words."""
    inputs = [keras.Input(shape[:1] if masked else shape) for shape in shapes]
    x = [layers.Embedding(4, shape[1], mask_zero=i in masked)(x) if masked else x for i, (x, shape) in enumerate(zip(inputs, shapes))]
    x = x * 2 if len(x) == 1 else x
    arguments = {"use_causal_mask": True} if causal else {}
    single = isinstance(layer, (layers.Attention, layers.AdditiveAttention))
    y = layer(x, **arguments) if single else layer(*x, **arguments)
    if masked:
        y = layers.LSTM(2)(y)  # which sees the mask
    made = slim(case(rng, keras.Model(inputs, y), high=4 if masked else None, **options))
    return {**made, "model": json.dumps(as_lists(json.loads(made["model"])), separators=(",", ":"))}


def heads(*numbers, **options):
    return layers.MultiHeadAttention(*numbers, **options)


def groups(*numbers, **options):
    return layers.GroupQueryAttention(*numbers, **options)


# More samples than one shard has, once.
write("attention", [
    attending(heads(2, 3), (4, 3), samples=40),
    attending(heads(2, 3, value_dim=2, output_shape=5), (4, 3), (5, 2)),
    attending(heads(3, 2, use_bias=False), (3, 2), (4, 3), (4, 2), causal=True),
    attending(heads(2, 2, output_shape=(2, 3), kernel_regularizer="l2", bias_regularizer="l1"), (3, 2)),
    attending(heads(2, 2, sliding_window=2, use_gate=True, kernel_constraint="non_neg"), (5, 2)),
    attending(heads(2, 2, sliding_window=2, value_dim=3, use_gate=True), (5, 2), (4, 3), causal=True),
    attending(heads(1, 2, dropout=0.3), (4, 2), causal=True, train=False),
    attending(heads(2, 2), (4, 3), masked=[0], samples=12),
    attending(heads(2, 2), (4, 3), (5, 2), masked=[1], samples=12),
    attending(heads(2, 2), (4, 3), (5, 2), masked=[0], samples=12),
    attending(heads(2, 2), (4, 3), (5, 2), (5, 3), masked=[0, 1, 2], causal=True, samples=12),
    attending(heads(2, 2, dropout=0.3), (4, 3), (5, 2), masked=[0, 1], samples=12, train=False),
    attending(groups(3, 4, 2), (4, 3)),
    attending(groups(2, 3, 1, use_bias=False, sliding_window=2), (4, 3), (5, 3)),
    attending(groups(2, 4, 2, use_gate=True), (4, 3), (4, 3), (4, 2), causal=True),
    attending(groups(2, 2, 2, dropout=0.3), (4, 3), masked=[0], samples=12, train=False),
    attending(layers.Attention(), (4, 3)),
    attending(layers.Attention(use_scale=True), (4, 3), (5, 3), (5, 3), causal=True),
    attending(layers.Attention(use_scale=True, score_mode="concat"), (4, 3), (5, 2), (5, 3)),
    attending(layers.Attention(score_mode="concat", dropout=0.4), (4, 3), train=False),
    attending(layers.Attention(use_scale=True), (4, 3), (5, 3), masked=[0, 1], samples=12),
    attending(layers.Attention(use_scale=True), (4, 3), masked=[0], causal=True, samples=12),
    attending(layers.AdditiveAttention(), (4, 3), (5, 3)),
    attending(layers.AdditiveAttention(use_scale=False), (4, 3), causal=True, train=False),
    attending(layers.AdditiveAttention(), (4, 3), (5, 3), (5, 3), masked=[1], samples=12),
])
