"""Writes `digits.keras` beside this script, the model that the example `transfer` begins with:

    python make_digits.py          # keras 3.15

A small network that tells the digits of the crate's own data apart.
"""

import os

import keras
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDS = os.path.join(HERE, "..", "..", "data", "optdigits-8x8-3823-1797.bin")

keras.utils.set_random_seed(3)
records = np.fromfile(RECORDS, "uint8").reshape(-1, 65)[:3823]
images = records[:, :64].reshape(-1, 8, 8, 1).astype("float32") / 16
images = np.asarray(keras.ops.image.resize(images, (16, 16), interpolation="bilinear"))

model = keras.Sequential([
    keras.Input((16, 16, 1), name="image"),
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(16, 3, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.MaxPooling2D(),
    keras.layers.Flatten(),
    keras.layers.Dense(16, activation="relu", name="features"),
    keras.layers.Dense(10, activation="softmax", name="scores"),
])
# Without an optimizer the file stays small, and nobody trains this model on.
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, records[:, 64], epochs=40, batch_size=64, verbose=2)
keras.Model(model.inputs, model.outputs, name="digits").save(os.path.join(HERE, "digits.keras"))
