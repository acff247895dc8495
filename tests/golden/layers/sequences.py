"""Layers of sequences: see cases.py. Writes recurrent.json and sequences.json."""

import json

import numpy as np
from cases import case, chain, keras, write

layers = keras.layers
rng = np.random.default_rng(16)


def short(value):
    """A model's JSON without what is the same everywhere."""
    if isinstance(value, dict):
        without = ("registered_name", "build_config", "shared_object_id", "dtype")
        return {name: short(it) for name, it in value.items() if name not in without}
    return [short(it) for it in value] if isinstance(value, list) else value


def compact(model, **options):
    """A case whose model takes little space."""
    result = case(rng, model, **options)
    result["model"] = json.dumps(short(json.loads(result["model"])), separators=(",", ":"))
    return result


def alone(layer, shape=(4, 3), **options):
    return compact(chain(shape, layer, layers.Flatten()), **options)


# More samples than one shard has, once.
write("recurrent", [
    alone(layers.SimpleRNN(2), samples=40),
    alone(layers.SimpleRNN(2, activation="relu", return_sequences=True, go_backwards=True, use_bias=False)),
    alone(layers.SimpleRNN(3, activation="softmax", recurrent_regularizer="l2", bias_regularizer="l1")),
    alone(layers.LSTM(2)),
    alone(layers.LSTM(2, activation="elu", recurrent_activation="tanh", return_sequences=True, unit_forget_bias=False)),
    alone(layers.LSTM(2, activation="linear", go_backwards=True, use_bias=False, kernel_regularizer="l2")),
    alone(layers.LSTM(2, recurrent_activation="relu", trainable=False)),
    alone(layers.GRU(2)),
    alone(layers.GRU(2, reset_after=False, return_sequences=True, go_backwards=True)),
    alone(layers.GRU(2, activation="softmax", recurrent_activation="tanh", use_bias=False, return_sequences=True)),
    alone(layers.GRU(2, activation="elu", recurrent_activation="relu", reset_after=False, use_bias=False)),
    compact(chain((3, 2), layers.SimpleRNN(2, return_sequences=True), layers.GRU(2, return_sequences=True), layers.LSTM(2))),
])


rng = np.random.default_rng(17)


def words(*after, mask_zero=True, shape=(4,), **options):
    table = layers.Embedding(3, 2, mask_zero=mask_zero)
    return compact(chain(shape, table, *after), high=3, **options)


def joined(join):
    """Two masked branches and one without a mask."""
    left, right, plain = keras.Input((3,)), keras.Input((3,)), keras.Input((3,))
    x = [layers.Embedding(3, 2, mask_zero=mask)(it) for it, mask in [(left, True), (right, True), (plain, False)]]
    return keras.Model([left, right, plain], layers.LSTM(2)(join(x)))


layer = layers
write("sequences", [
    words(layer.Flatten(), mask_zero=False, samples=40),
    words(layer.Flatten(), mask_zero=False, shape=(2, 2)),
    words(layer.SimpleRNN(2)),
    words(layer.LSTM(2, return_sequences=True), layer.Flatten()),
    words(layer.LSTM(2, go_backwards=True)),
    words(layer.GRU(2, return_sequences=True, zero_output_for_mask=True), layer.Flatten()),
    words(layer.GRU(2, reset_after=False, zero_output_for_mask=True)),
    words(layer.Dense(2), layer.Activation("tanh"), layer.GRU(2, return_sequences=True, go_backwards=True), layer.LSTM(2)),
    compact(chain((3, 2), layer.Masking(1.0), layer.SimpleRNN(2)), high=2, samples=12),
    compact(chain((3, 2), layer.Masking(), layer.TimeDistributed(layer.Dense(2)), layer.GRU(2)), high=2, samples=12),
    compact(joined(layer.Concatenate()), high=3, samples=12, train=False),
    compact(joined(layer.Concatenate(axis=1)), high=3, samples=12, train=False),
    compact(joined(layer.Add()), high=3, samples=12, train=False),
    words(layer.LSTM(2, return_sequences=True), layer.Dense(2)),
    words(layer.Bidirectional(layer.GRU(2, return_sequences=True)), layer.TimeDistributed(layer.Dense(2, activation="softmax"))),
    alone(layer.Bidirectional(layer.LSTM(2))),
    alone(layer.Bidirectional(layer.GRU(2, return_sequences=True), merge_mode="sum")),
    words(layer.Bidirectional(layer.SimpleRNN(2, return_sequences=True), merge_mode="mul"), layer.Flatten()),
    words(layer.Bidirectional(layer.SimpleRNN(2), merge_mode="ave")),
    alone(layer.Bidirectional(
        layer.SimpleRNN(2), backward_layer=layer.GRU(2, go_backwards=True, activation="relu", use_bias=False))),
    alone(layer.TimeDistributed(layer.Dense(2, activation="softmax"))),
    alone(layer.TimeDistributed(layer.Conv2D(2, 2)), shape=(2, 3, 3, 1)),
    alone(layer.TimeDistributed(layer.BatchNormalization(momentum=0.5)), shape=(3, 2)),
    alone(layer.TimeDistributed(layer.LSTM(2)), shape=(2, 3, 2)),
    words(layer.GlobalAveragePooling1D(), samples=12),
])
