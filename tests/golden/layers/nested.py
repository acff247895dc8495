"""Models in models, with penalties on what their layers give and with masks that go through them: see cases.py. Writes nested.json."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(52)


def told(inputs, outputs, **options):
    """A case with the loss at its end, which has the penalties in it."""
    model = keras.Model(inputs, outputs)
    made = case(rng, model, 6, **options)
    arrays = [np.asarray(it["data"], "float32").reshape(it["shape"]) for it in (*made["inputs"], made["y"])]
    *x, y = arrays
    loss = model.evaluate(x if len(x) > 1 else x[0], y, batch_size=6, verbose=0)
    return {**slim(made), "loss": loss}


def penalised():
    return chain((4,), layers.Dense(3, activation="tanh", activity_regularizer="l2"), layers.ActivityRegularization(l1=0.1),
                 layers.Dense(3, activation="softmax", activity_regularizer=keras.regularizers.L1L2(0.02, 0.05)))


def alone():
    x = keras.Input((4,))
    return told(x, penalised()(x))


def twice():
    """One model in two places, in a model with a penalty of its own, in a model."""
    a, b, x, y = (keras.Input((4,)) for _ in range(4))
    inner = penalised()
    middle = keras.Model([a, b], layers.ActivityRegularization(l2=0.3)(layers.Add()([inner(a), inner(b)])))
    return told([x, y], layers.Dense(2)(layers.ReLU()(middle([x, y]))))


def several():
    """Of two outputs, one of which nobody takes."""
    a, x = keras.Input((4,)), keras.Input((4,))
    inner = keras.Model(a, [layers.Dense(3, activity_regularizer="l2")(a), layers.Dense(2, activity_regularizer="l1")(a)])
    return told(x, layers.Dense(2)(inner(x)[0]))


def frozen():
    x, inner = keras.Input((4,)), penalised()
    inner.trainable = False
    return told(x, inner(layers.Dense(4)(x)))


def words(*inner, before=(), after=()):
    """A mask of words that goes into a model, through it or out of it."""
    x = keras.Input((5,))
    y = x
    for layer in before:
        y = layer(y)
    y = chain(y.shape[1:], *inner)(y)
    for layer in after:
        y = layer(y)
    return told(x, y, high=4)


embedding = lambda: layers.Embedding(4, 3, mask_zero=True)
write("nested", [
    alone(),
    twice(),
    several(),
    frozen(),
    words(embedding(), layers.Dense(3, activation="tanh"), after=[layers.LSTM(2)]),
    words(layers.Dense(3, activity_regularizer="l2"), layers.GRU(2), before=[embedding()]),
    words(layers.LSTM(3, return_sequences=True), layers.Dropout(0.0), before=[embedding()], after=[layers.Dense(2), layers.SimpleRNN(2)]),
    words(layers.LSTM(3, return_sequences=True), before=[embedding()]),
])
