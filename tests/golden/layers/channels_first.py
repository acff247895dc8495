"""Layers whose channels come first: see cases.py. Writes channels_first.json. It takes JAX: TensorFlow has no such convolutions on a processor."""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(31)
# As people do who have their channels first in all layers.
keras.config.set_image_data_format("channels_first")

SERIES, IMAGE, VOLUME, FILM = (4, 7), (4, 5, 4), (2, 2, 3, 4), (2, 2, 3, 4)


def of(shape, *inner, samples=3, **options):
    return slim(case(rng, chain(shape, *inner), samples, **options))


def flat(shape, *inner, **options):
    return of(shape, *inner, layers.Flatten(), **options)


def graph():
    """Branches that are joined along the channels, and all that has an axis."""
    x = keras.Input(IMAGE)
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.BatchNormalization(axis=1, momentum=0.9)(y)
    z = layers.PReLU(shared_axes=[2, 3])(layers.Conv2D(4, 1)(layers.Add()([x, y])))
    y = layers.Concatenate(axis=1)([y, z, layers.LayerNormalization(axis=1)(z)])
    y = layers.Softmax(axis=1)(layers.MaxPooling2D()(layers.Activation("relu")(y)))
    y = layers.Dense(3)(layers.GroupNormalization(groups=2, axis=1)(y))
    return slim(case(rng, keras.Model(x, layers.Dense(2, activation="tanh")(layers.Flatten()(y))), 3))


write("channels_first", [
    # More samples than one shard has.
    of((2, 4, 5), layers.Conv2D(3, (3, 2), activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(2), samples=40),
    flat(IMAGE, layers.Conv2D(4, 3, strides=(2, 1), padding="same", groups=2, activation="softmax", kernel_regularizer="l2")),
    flat(IMAGE, layers.Conv2D(4, 2, dilation_rate=2, use_bias=False), layers.LeakyReLU()),
    flat(SERIES, layers.Conv1D(3, 3, strides=2, padding="same", activation="log_softmax"), layers.Conv1D(2, 2, activation="tanh")),
    flat(VOLUME, layers.Conv3D(3, (2, 3, 2), padding="same"), layers.AveragePooling3D(2)),
    flat(IMAGE, layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), layers.SeparableConv2D(3, 2, depth_multiplier=2)),
    flat(SERIES, layers.DepthwiseConv1D(3, depth_multiplier=2), layers.SeparableConv1D(3, 2, padding="same")),
    flat(IMAGE, layers.Conv2DTranspose(3, (3, 2), strides=2, padding="same", activation="elu")),
    flat(SERIES, layers.Conv1DTranspose(3, 3, strides=2), layers.Conv1D(1, 1)),
    flat(VOLUME, layers.Conv3DTranspose(2, 2, strides=(1, 2, 1))),
    flat(IMAGE, layers.Conv2D(4, 1), layers.MaxPooling2D((3, 2), strides=2, padding="same"), layers.AveragePooling2D((1, 2), padding="same")),
    flat(SERIES, layers.Conv1D(3, 1), layers.MaxPooling1D(3, strides=2, padding="same"), layers.AveragePooling1D(2)),
    flat(VOLUME, layers.Conv3D(3, 1), layers.MaxPooling3D((2, 1, 3))),
    flat(IMAGE, layers.Conv2D(4, 1), layers.AdaptiveMaxPooling2D((3, 2)), layers.AdaptiveAveragePooling2D((2, 2))),
    flat(SERIES, layers.Conv1D(3, 1), layers.AdaptiveAveragePooling1D(3), layers.AdaptiveMaxPooling1D(2)),
    flat(VOLUME, layers.Conv3D(3, 1), layers.AdaptiveAveragePooling3D((2, 2, 3)), layers.AdaptiveMaxPooling3D((2, 1, 2))),
    of(IMAGE, layers.Conv2D(4, 1), layers.GlobalMaxPooling2D(keepdims=True), layers.GlobalAveragePooling2D()),
    of(SERIES, layers.Conv1D(4, 1), layers.GlobalAveragePooling1D(keepdims=True), layers.GlobalMaxPooling1D()),
    of(VOLUME, layers.Conv3D(4, 1), layers.GlobalMaxPooling3D(keepdims=True), layers.GlobalAveragePooling3D()),
    flat(IMAGE, layers.Conv2D(2, 1), layers.UpSampling2D((2, 1)), layers.ZeroPadding2D(((1, 0), (2, 1))), layers.Cropping2D(((0, 1), (1, 2)))),
    flat(IMAGE, layers.Conv2D(2, 1), layers.UpSampling2D(2, interpolation="bilinear")),
    flat(VOLUME, layers.Conv3D(2, 1), layers.UpSampling3D((1, 2, 1)), layers.ZeroPadding3D((1, 0, 2)), layers.Cropping3D((0, 1, 2))),
    flat(SERIES, layers.Conv1D(2, 1), layers.ZeroPadding1D((1, 2))),
    flat(IMAGE, layers.Conv2D(2, 1), layers.SpatialDropout2D(0.0), layers.Flatten(data_format="channels_last"), layers.Dense(2)),
    flat(IMAGE, layers.Resizing(4, 7), layers.CenterCrop(3, 4), layers.Conv2D(2, 1)),
    flat(IMAGE, layers.Resizing(3, 3, interpolation="nearest", crop_to_aspect_ratio=True), layers.RandomFlip(), train=False),
    flat(FILM, layers.TimeDistributed(layers.Conv2D(3, 2, activation="softmax")), layers.TimeDistributed(layers.Flatten())),
    flat(FILM, layers.ConvLSTM2D(2, 2, strides=(1, 2), return_sequences=True, activation="softmax"), layers.ConvLSTM2D(1, 2, padding="same")),
    graph(),
])
