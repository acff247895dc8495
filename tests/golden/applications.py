"""Writes applications.json, beside this file: the networks of `cinta::applications`, as the real Keras has them.

    pip install keras jax numpy
    python tests/golden/applications.py

Of each: the names and classes of the layers; for some sizes of the image the shapes of all outputs and the numbers of parameters; and
what it predicts with weights that follow a formula, which `tests/applications.rs` repeats. Of ResNet-20 also the losses of three steps of
training. `tests/keras_applications.py` uses the networks as well.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
L, A = keras.layers, keras.applications


def ended(model, x, include_top, pooling, classifier):
    """A network of a tutorial, with the options of keras.applications."""
    if include_top:
        x = classifier(x)
    elif pooling == "avg":
        x = L.GlobalAveragePooling2D()(x)
    elif pooling == "max":
        x = L.GlobalMaxPooling2D()(x)
    return keras.Model(model, x)


def small_resnet(depth):
    """Version 1 of the example cifar10_resnet."""
    def build(input_shape, include_top=True, pooling=None, classes=10, classifier_activation="softmax"):
        def conv(filters, size, strides=1):
            return L.Conv2D(filters, size, strides=strides, padding="same", kernel_initializer="he_normal",
                            kernel_regularizer=keras.regularizers.L2(1e-4))

        image = keras.Input(input_shape)
        x = L.Activation("relu")(L.BatchNormalization()(conv(16, 3)(image)))
        for stack, filters in enumerate([16, 32, 64]):
            for number in range((depth - 2) // 6):
                strides = 2 if stack > 0 and number == 0 else 1
                y = L.Activation("relu")(L.BatchNormalization()(conv(filters, 3, strides)(x)))
                y = L.BatchNormalization()(conv(filters, 3)(y))
                if strides == 2:
                    x = conv(filters, 1, 2)(x)
                x = L.Activation("relu")(L.Add()([x, y]))

        def classifier(x):
            # Of 8 by 8 pixels in the example, which is all of the image there.
            x = L.Flatten()(L.AveragePooling2D(tuple(x.shape[1:3]))(x))
            return L.Dense(classes, activation=classifier_activation, kernel_initializer="he_normal")(x)

        return ended(image, x, include_top, pooling, classifier)

    return build


def xception_block(x, filters):
    before = x
    for _ in range(2):
        x = L.BatchNormalization()(L.SeparableConv2D(filters, 3, padding="same")(L.Activation("relu")(x)))
    x = L.MaxPooling2D(3, strides=2, padding="same")(x)
    return L.Add()([x, L.Conv2D(filters, 1, strides=2, padding="same")(before)])


def unet(input_shape, include_top=True, pooling=None, classes=3, classifier_activation="softmax"):
    """That of the tutorial on segmentation."""
    image = keras.Input(input_shape)
    x = L.Conv2D(32, 3, strides=2, padding="same")(image)
    x = L.Activation("relu")(L.BatchNormalization()(x))
    for filters in [64, 128, 256]:
        x = xception_block(x, filters)
    for filters in [256, 128, 64, 32]:
        before = x
        for _ in range(2):
            x = L.BatchNormalization()(L.Conv2DTranspose(filters, 3, padding="same")(L.Activation("relu")(x)))
        x = L.UpSampling2D(2)(x)
        x = L.Add()([x, L.Conv2D(filters, 1, padding="same")(L.UpSampling2D(2)(before))])
    classifier = lambda x: L.Conv2D(classes, 3, activation=classifier_activation, padding="same")(x)
    return ended(image, x, include_top, pooling, classifier)


def mini_xception(input_shape, include_top=True, pooling=None, classes=1, classifier_activation=None):
    """That of the tutorial on classification from scratch."""
    image = keras.Input(input_shape)
    x = L.Conv2D(128, 3, strides=2, padding="same")(L.Rescaling(1.0 / 255)(image))
    x = L.Activation("relu")(L.BatchNormalization()(x))
    for filters in [256, 512, 728]:
        x = xception_block(x, filters)
    x = L.Activation("relu")(L.BatchNormalization()(L.SeparableConv2D(1024, 3, padding="same")(x)))
    classifier = lambda x: L.Dense(classes, activation=classifier_activation)(L.Dropout(0.25)(L.GlobalAveragePooling2D()(x)))
    return ended(image, x, include_top, pooling, classifier)


def pretrained(build, **options):
    return lambda input_shape, **others: build(weights=None, input_shape=tuple(input_shape), **options, **others)


def mobilenet(alpha):
    return pretrained(A.MobileNetV2, alpha=alpha)


raw = lambda pixels: pixels
# Each with two sizes (one for the largest), a size to predict with, and what is done to pixels before.
NETWORKS = {
    "resnet20": (small_resnet(20), [(32, 32, 3), (28, 30, 1)], (17, 22, 3), raw),
    "resnet32": (small_resnet(32), [(32, 32, 3), (16, 17, 3)], None, raw),
    "resnet56": (small_resnet(56), [(32, 32, 3), (16, 17, 3)], None, raw),
    "resnet50": (pretrained(A.ResNet50), [(224, 224, 3), (33, 64, 3)], (35, 50, 3), A.resnet.preprocess_input),
    "resnet101": (pretrained(A.ResNet101), [(224, 224, 3)], None, A.resnet.preprocess_input),
    "resnet152": (pretrained(A.ResNet152), [(224, 224, 3)], None, A.resnet.preprocess_input),
    "mobilenet_v2 0.35": (mobilenet(0.35), [(224, 224, 3), (97, 64, 3)], (35, 50, 3), A.mobilenet_v2.preprocess_input),
    "mobilenet_v2 1.0": (mobilenet(1.0), [(224, 224, 3), (97, 64, 3)], (64, 33, 3), A.mobilenet_v2.preprocess_input),
    "mobilenet_v2 1.4": (mobilenet(1.4), [(224, 224, 3), (97, 64, 3)], (33, 33, 3), A.mobilenet_v2.preprocess_input),
    "vgg16": (pretrained(A.VGG16), [(32, 32, 3), (64, 40, 3)], (32, 33, 3), A.vgg16.preprocess_input),
    "vgg19": (pretrained(A.VGG19), [(32, 32, 3), (64, 40, 3)], None, A.vgg19.preprocess_input),
    "unet": (unet, [(160, 160, 3), (48, 32, 1)], (32, 16, 3), raw),
    "mini_xception": (mini_xception, [(180, 180, 3), (33, 50, 1)], (30, 41, 3), raw),
}


def units(count, number):
    """Numbers from 0 to 1 in an order without a pattern: the high bits of a product, mixed, for the places of the array of this number."""
    x = np.arange(count, dtype="uint32") * np.uint32(2654435761) + np.uint32(number) * np.uint32(40503)
    for _ in range(2):
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x45D9F3B)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype("float64") / 2**24


def formula(layer, name, shape, number):
    """The value of a weight."""
    u = units(int(np.prod(shape)), number)
    if len(shape) > 1:
        alone = layer == "DepthwiseConv2D" or name == "depthwise_kernel"
        fan_in = np.prod(shape[:2]) if alone else np.prod(shape[:-1])
        value = (2 * u - 1) * np.sqrt(6 / fan_in)
    elif name in ["gamma", "moving_variance"]:
        value = 0.5 + u
    else:
        value = 0.2 * (2 * u - 1)
    return value.reshape(shape).astype("float32")


def by_formula(model):
    number = 0
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(formula(layer.__class__.__name__, weight.name, tuple(weight.shape), number))
            number += 1


def pixels(*shape):
    return (np.floor(units(int(np.prod(shape)), 1000) * 256)).astype("float32").reshape(shape)


def shape_text(shape):
    return "x".join(str(length) for length in shape)


def runs(items):
    """The same item several times is written once, with how often."""
    found = []
    for item in items:
        if found and found[-1][0] == item:
            found[-1][1] += 1
        else:
            found.append([item, 1])
    return [item if times == 1 else f"{item} {times}" for item, times in found]


def structure(model):
    layers = model.layers[1:]
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {
        "shapes": runs([shape_text(layer.output.shape[1:]) for layer in layers]),
        "total": f"{model.count_params():,}",
        "trainable": f"{trainable:,}",
    }


def layer_texts(layers):
    return [f"{layer.name} {layer.__class__.__name__}" for layer in layers]


def array(value):
    value = np.asarray(value, "float32")
    return {"shape": list(value.shape), "data": [float(f"{x:.9g}") for x in value.ravel()]}


def predicted(build, size, prepare):
    keras.backend.clear_session()
    model = build(size, classes=5, classifier_activation=None)
    by_formula(model)
    outputs = model.predict(prepare(pixels(2, *size)), verbose=0)
    # Of a picture, its first pixels.
    return {"input": list(size), "shape": list(outputs.shape), "first": array(outputs.ravel()[:24])}


def training():
    keras.backend.clear_session()
    # With images of this size, no rectifier gets a number so near to 0 that rounding decides its gradient; with 16 by 16 pixels, one does.
    model = small_resnet(20)((24, 24, 3), classes=4)
    by_formula(model)
    x = pixels(8, 24, 24, 3) / np.float32(256)
    y = np.eye(4, dtype="float32")[np.arange(8) * 7 % 4]
    model.compile(keras.optimizers.SGD(0.001, momentum=0.9), "categorical_crossentropy")
    losses = [model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0).history["loss"][0] for _ in range(3)]
    first, last = model.get_layer("batch_normalization"), model.layers[-1]
    return {"losses": losses, "moving_mean": array(first.moving_mean), "bias": array(last.bias)}


def main():
    cases = []
    for name, (build, sizes, small, prepare) in NETWORKS.items():
        case = {"name": name, "sizes": []}
        for size in sizes:
            keras.backend.clear_session()
            model = build(size)
            assert isinstance(model.layers[0], L.InputLayer) and model.layers[0].name == "input_layer"
            case["model"], case["layers"] = model.name, layer_texts(model.layers[1:])
            case["sizes"].append({"input": list(size), **structure(model)})
        case["ends"] = {}
        for pooling in [None, "avg", "max"]:
            keras.backend.clear_session()
            model = build(sizes[-1], include_top=False, pooling=pooling)
            case["ends"][str(pooling)] = [len(model.layers) - 1, *layer_texts(model.layers[-1:]), shape_text(model.output.shape[1:])]
        if small:
            case["predicted"] = predicted(build, small, prepare)
        cases.append(case)
        print(name)
    cases.append({"name": "training", **training()})
    first = pixels(1, 1, 2, 3)
    prepared = {name: array(prepare(first.copy())) for name, (_, _, _, prepare) in NETWORKS.items() if prepare is not raw}
    cases.append({"name": "preprocess_input", "pixels": array(first), "prepared": prepared})
    text = json.dumps({"keras": keras.__version__, "cases": cases}, separators=(",", ":"))
    (HERE / "applications.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
