"""Writes HDF5 files as others than Keras store their arrays, and files of models that compute in 16 and 64 bits:

    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python make_packed.py

All have the model of `bars.keras` beside this script. `packed.*` keep its arrays in chunks, each with other filters;
`growing.weights.h5` keeps them in chunks that only the newest format of HDF5 has. `deflated.keras` is `bars.keras`, packed again.
`float16.h5`, `bfloat16.keras`, `float64.h5` and `float64.keras` are by Keras itself, whose predictions are in `packed.json`; and so is
`named_weights.h5`, a file of weights in Keras's older format, with names that mean something to other formats.
"""

import json
import os
import zipfile

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

assert keras.__version__ == "3.15.1", keras.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
layers = keras.layers
STORED = [
    {"compression": "gzip", "shuffle": True},
    {"compression": "lzf"},
    {"fletcher32": True},
    {},
    {"compression": "gzip", "compression_opts": 9, "shuffle": True, "fletcher32": True},
    {"compression": "lzf", "shuffle": True, "fletcher32": True},
]


def path(name):
    return os.path.join(HERE, name)


def rewrite(source, target, store, **options):
    """Copies an HDF5 file. `store` writes an array of at least one axis."""
    number = 0
    with h5py.File(path(source)) as old, h5py.File(path(target), "w", **options) as new:
        new.attrs.update(old.attrs)

        def copy(name, it):
            nonlocal number
            if isinstance(it, h5py.Group):
                written = new.require_group(name)
            elif it.shape:
                written = store(new, name, it[()], number)
                number += 1
            else:
                written = new.create_dataset(name, data=it[()])
            for key, value in it.attrs.items():
                written.attrs[key] = value

        old.visititems(copy)


def packed(file, name, array, number):
    # Two chunks along each axis, of which the last may reach beyond the array.
    chunks = tuple((n + 1) // 2 for n in array.shape)
    return file.create_dataset(name, data=array, chunks=chunks, **STORED[number % len(STORED)])


def packed_anew(file, name, array, number):
    """With the ways in which newer versions of HDF5 find chunks."""
    chunks, growing = [
        (array.shape, array.shape),
        (tuple((n + 1) // 2 for n in array.shape), array.shape),
        (tuple((n + 1) // 2 for n in array.shape), (None, *array.shape[1:])),
    ][number % 3]
    return file.create_dataset(
        name, data=array, chunks=chunks, maxshape=growing, **STORED[number % len(STORED)]
    )


def growing(file, name, array, number):
    """Arrays that can grow along all axes, whose chunks a B-tree of version 2 finds. Keras never writes these."""
    return file.create_dataset(name, data=array, chunks=array.shape, maxshape=(None,) * array.ndim)


def big_endian(file, name, array, number):
    return file.create_dataset(name, data=array.astype([">f4", ">f2"][number % 2]))


def bars(dtype):
    """The model of bars.keras, with its weights rounded to another type."""
    keras.config.set_dtype_policy(dtype)
    model = keras.Sequential([
        keras.Input((6, 6, 1)),
        layers.Conv2D(3, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01), name="first"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(3, activation="softmax", name="last"),
    ], name="bars")
    keras.config.set_dtype_policy("float32")
    model.set_weights(keras.models.load_model(path("bars.keras")).get_weights())
    return model


def predictions(model):
    x = (np.arange(4 * 36) * 37 % 101 / 101).astype("float32").reshape(4, 6, 6, 1)
    return [float(value) for value in np.asarray(model.predict(x, verbose=0), dtype="float64").ravel()]


def main():
    keras.models.load_model(path("bars.keras")).save(path("whole.h5"))
    rewrite("whole.h5", "packed.h5", packed)
    os.remove(path("whole.h5"))
    rewrite("bars.weights.h5", "packed.weights.h5", packed_anew, libver="latest")
    rewrite("bars.weights.h5", "big_endian.weights.h5", big_endian)
    rewrite("bars.weights.h5", "growing.weights.h5", growing, libver="latest")
    with zipfile.ZipFile(path("bars.keras")) as old, \
            zipfile.ZipFile(path("deflated.keras"), "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    # Keras reads what is packed.
    expected = keras.models.load_model(path("bars.keras")).get_weights()
    model = bars("float32")
    for name in ["packed.h5", "packed.weights.h5", "growing.weights.h5", "deflated.keras"]:
        model.set_weights([0 * weight for weight in expected])
        model.load_weights(path(name))
        assert all(map(np.array_equal, model.get_weights(), expected)), name

    golden = {}
    files = ["float16.h5", "bfloat16.keras", "float64.h5", "float64.keras"]
    for dtype, name in [(name.split(".")[0], name) for name in files]:
        model = bars(dtype)
        model.save(path(name))
        golden[name] = predictions(model)

    names = ["model_weights", "layers", "optimizer_weights", "..", "a: b"]
    model = keras.Sequential([keras.Input((2,)), *(layers.Dense(2, name=name) for name in names)])
    count = 0
    for weight in model.weights:
        weight.assign(np.arange(count, count + np.prod(weight.shape)).reshape(weight.shape))
        count += np.prod(weight.shape)
    with h5py.File(path("named_weights.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)

    with open(path("packed.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
