"""Recurrent layers made of cells: see cases.py. Writes cells.json."""

import os

# With JAX, Keras fails where there is a mask.
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(32)
SimpleRNNCell, LSTMCell, GRUCell = layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell


def series(layer, *more):
    return slim(case(rng, chain((5, 3), layer, *more)))


def masked(layer):
    """The word 0 does not count."""
    return slim(case(rng, chain((5,), layers.Embedding(3, 4, mask_zero=True), layer), high=3, samples=9))


def states():
    """What two cells remember goes on in a layer of the same cells."""
    x = keras.Input((4, 2))
    cells = lambda: [SimpleRNNCell(2), GRUCell(3)]
    y, *given = layers.RNN(cells(), return_state=True)(x)
    z = layers.RNN(cells())(x, initial_state=given)
    u, h, c = layers.RNN(LSTMCell(2), return_state=True)(x)
    v = layers.RNN(LSTMCell(2), return_sequences=True)(x, initial_state=[c, h])
    w, lstm, gru = layers.RNN([LSTMCell(2), GRUCell(2)], return_state=True)(x)
    return slim(case(rng, keras.Model(x, layers.Concatenate()([y, z, u, layers.Flatten()(v), w, *lstm, gru]))))


write("cells", [
    series(layers.RNN(SimpleRNNCell(4, activation="relu", kernel_regularizer="l2"))),
    series(layers.RNN(LSTMCell(3, unit_forget_bias=False, recurrent_activation="hard_sigmoid"), return_sequences=True, go_backwards=True)),
    series(layers.RNN(GRUCell(3, reset_after=False, use_bias=False, recurrent_constraint="non_neg"))),
    series(layers.RNN([GRUCell(2)])),
    series(layers.RNN([LSTMCell(3), GRUCell(2, bias_regularizer="l1"), LSTMCell(2, use_bias=False)], return_sequences=True, unroll=True)),
    series(layers.RNN([SimpleRNNCell(3), SimpleRNNCell(2)], go_backwards=True)),
    series(layers.Bidirectional(layers.RNN([GRUCell(3), LSTMCell(2)], return_sequences=True)), layers.Bidirectional(layers.RNN(GRUCell(2)), merge_mode="sum")),
    masked(layers.RNN([LSTMCell(3), GRUCell(2)])),
    masked(layers.RNN([GRUCell(3), SimpleRNNCell(2)], return_sequences=True, zero_output_for_mask=True)),
    masked(layers.RNN([SimpleRNNCell(2), SimpleRNNCell(2)], return_sequences=True, go_backwards=True)),
    states(),
])
