"""Recurrent layers over images: see cases.py. Writes films.json. It takes TensorFlow: with JAX, Keras fails where there is a mask."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(28)


def film(layer, shape=(3, 4, 5, 2), before=(), **options):
    return slim(case(rng, chain(shape, *before, layer, layers.Flatten()), **options))


def words(layer):
    """Each word becomes an image; the word 0 does not count."""
    images = [layers.Embedding(3, 6, mask_zero=True), layers.TimeDistributed(layers.Reshape((2, 3, 1)))]
    return film(layer, shape=(4,), before=images, high=3, samples=12)


write("films", [
    # More samples than one shard has.
    film(layers.ConvLSTM2D(2, 2), shape=(2, 3, 3, 1), samples=40),
    film(layers.ConvLSTM2D(2, (3, 2), padding="same", return_sequences=True, kernel_regularizer="l2", bias_regularizer="l1")),
    film(layers.ConvLSTM2D(1, (2, 3), strides=(1, 2), go_backwards=True, use_bias=False, recurrent_regularizer="l2")),
    film(layers.ConvLSTM2D(2, 2, dilation_rate=2, activation="relu", recurrent_activation="hard_sigmoid", unit_forget_bias=False)),
    film(layers.ConvLSTM2D(2, 2, strides=2, padding="same", activation="softmax", recurrent_constraint="non_neg")),
    words(layers.ConvLSTM2D(2, 2)),
    words(layers.ConvLSTM2D(2, 2, go_backwards=True, return_sequences=True)),
    words(layers.ConvLSTM2D(1, 2, return_sequences=True, zero_output_for_mask=True)),
    film(layers.ConvLSTM1D(2, 3, strides=2, padding="same", return_sequences=True), shape=(3, 5, 2)),
    film(layers.ConvLSTM1D(3, 2, dilation_rate=2, go_backwards=True, activation="relu"), shape=(3, 5, 2)),
    film(layers.ConvLSTM3D(2, (1, 2, 2), padding="same", return_sequences=True), shape=(2, 2, 3, 2, 2)),
    film(layers.ConvLSTM3D(1, 2, strides=(1, 1, 2), use_bias=False, recurrent_activation="hard_sigmoid"), shape=(2, 2, 3, 3, 2)),
])
