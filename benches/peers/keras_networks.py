"""The networks with shortcuts, in Keras: `NETWORKS` has, by name, the model, the shape of a sample, and the batch."""

import keras
from keras import layers


def resnet20():
    def normalised(x, filters, strides=1):
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    image = keras.Input((32, 32, 3))
    x = layers.ReLU()(normalised(image, 16))
    for filters in (16, 32, 64):
        for block in range(3):
            strides = 2 if block == 0 and filters > 16 else 1
            y = normalised(layers.ReLU()(normalised(x, filters, strides)), filters)
            around = layers.Conv2D(filters, 1, strides)(x) if strides == 2 else x
            x = layers.ReLU()(layers.Add()([y, around]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def mobilenet():
    return keras.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, weights=None, classes=10)


def unet():
    def twice(x, filters):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    image = keras.Input((64, 64, 3))
    large = twice(image, 16)
    small = twice(layers.MaxPooling2D(2)(large), 32)
    x = twice(layers.MaxPooling2D(2)(small), 64)
    x = twice(layers.Concatenate()([layers.Conv2DTranspose(32, 2, 2)(x), small]), 32)
    x = twice(layers.Concatenate()([layers.Conv2DTranspose(16, 2, 2)(x), large]), 16)
    return keras.Model(image, layers.Conv2D(2, 1, activation="softmax")(x))


NETWORKS = {
    "resnet20": (resnet20, (32, 32, 3), 64),
    "mobilenet": (mobilenet, (96, 96, 3), 32),
    "unet": (unet, (64, 64, 3), 32),
}
