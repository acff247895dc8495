"""Networks of `keras.applications` in the crate, and back: python tests/keras_applications.py [NETWORK..]

Needs keras (3.15) with a backend, and h5py; builds and runs `tests/keras_applications.rs` with cargo. Each network gets random weights and
statistics in Keras, and is written in all formats: `.weights.h5`, `.h5` of weights as Keras 2 wrote it (which is what keras.applications
downloads), `.keras` and `.h5` of the whole model. The crate builds the network by itself, takes the weights from each of them, and must predict
the same, where both sides compute in 64 bits; then Keras takes what the crate has written. The last line says whether all agrees.
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))
from applications import NETWORKS, formula

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The shape of the images, and the number of classes; none, if the network is to end with the mean of its features. Classifiers have no softmax,
# which would hide differences.
CASES = {
    "resnet20": ((32, 32, 3), 10),
    "resnet32": ((21, 16, 1), 4),
    "resnet56": ((16, 16, 3), 4),
    "resnet50": ((45, 64, 3), 7),
    "resnet101": ((32, 32, 3), None),
    "resnet152": ((32, 32, 3), None),
    "mobilenet_v2 0.35": ((96, 96, 3), 1000),
    "mobilenet_v2 1.0": ((50, 61, 3), None),
    "mobilenet_v2 1.4": ((32, 32, 3), 5),
    "vgg16": ((32, 32, 3), 5),
    "vgg19": ((32, 40, 3), None),
    "unet": ((48, 32, 3), 3),
    "mini_xception": ((61, 44, 3), 1),
}
# On TensorFlow, 1e-14 and less, but where `Rescaling` rounds its factor to 32 bits. On JAX, Keras's normalisation rounds to 32 bits on its way;
# fifty of them make 1e-5 of that.
TOLERANCE = 1e-7 if keras.backend.backend() == "tensorflow" else 1e-4
# The others of ResNet are the same code with more blocks, and take minutes.
USUAL = [name for name in CASES if name not in ["resnet101", "resnet152"]]


def randomise(model, rng):
    """Weights that keep values in a range in which all of them count."""
    for layer in model.layers:
        for weight in layer.weights:
            shape = tuple(weight.shape)
            by_formula = formula(layer.__class__.__name__, weight.name, shape, 0)
            weight.assign(rng.permuted(by_formula.ravel()).reshape(shape))


def write_legacy(model, path):
    """Weights as Keras 2 wrote them, with lists of names that end in `:0`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        for layer in model.layers:
            group = file.create_group(layer.name)
            # Keras 2 called the kernel of this layer otherwise.
            own = lambda name: "depthwise_kernel" if isinstance(layer, keras.layers.DepthwiseConv2D) else name
            names = [f"{layer.name}/{own(weight.name)}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights):
                group[name] = np.asarray(weight.value)


def rust(folder):
    command = ["cargo", "test", "--quiet", "--all-features", "--test", "keras_applications"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"CINTA_KERAS_APPLICATIONS": folder}, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: {done.stdout}\n{done.stderr}")
    return json.load(open(os.path.join(folder, "said.json")))


def difference(ours, theirs):
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def check(name, folder):
    """The largest difference of predictions."""
    keras.backend.clear_session()
    build, _, _, prepare = NETWORKS[name]
    size, classes = CASES[name]
    rng = np.random.default_rng(7)
    options = {"include_top": False, "pooling": "avg"} if classes is None else {"classes": classes, "classifier_activation": None}
    model = build(size, **options)
    randomise(model, rng)
    pixels = rng.integers(0, 256, (2, *size)).astype("float64")
    # In which Keras hands inputs over.
    x = prepare(pixels.copy()).astype("float32")
    before = model.predict(x, verbose=0)
    # In 32 bits, what rounding does in fifty layers would hide a small fault.
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float64")
    exact = build(size, **options)
    keras.config.set_dtype_policy("float32")
    exact.set_weights(model.get_weights())
    expected = exact.predict(x, verbose=0)
    assert expected.dtype == "float64"
    path = lambda file: os.path.join(folder, file)
    json.dump({"name": name, "classes": classes}, open(path("network.json"), "w"))
    np.save(path("pixels.npy"), pixels)
    np.save(path("predictions.npy"), expected)
    model.save_weights(path("keras.weights.h5"))
    write_legacy(model, path("legacy.h5"))
    model.save(path("model.keras"))
    model.save(path("model.h5"))

    found = rust(folder)
    keras.backend.clear_session()  # names are counted from the beginning
    fresh = build(size, **options)
    fresh.load_weights(path("ours.weights.h5"))
    again = keras.models.load_model(path("ours.keras"))
    for what, other in [("weights of ours.weights.h5", fresh), ("model of ours.keras", again)]:
        assert np.array_equal(other.predict(x, verbose=0), before), (name, what)
        assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers], (name, what)
    for what, error in found.items():
        if not error <= TOLERANCE:
            raise SystemExit(f"FAILED: {name}, {what}: predictions differ by {error:.1e} of the largest one")
    return max(found.values())


def main():
    names = sys.argv[1:] or USUAL
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: {check(name, folder):.1e}", flush=True)
    print(f"keras_applications: {len(names)} networks of Keras {keras.__version__} take weights from each other's files: all is equal")


if __name__ == "__main__":
    main()
