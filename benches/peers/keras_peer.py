"""Keras on TensorFlow: answers each line of standard input with the median seconds of one run.

    python keras_peer.py THREADS

The layout is NHWC, the only one that TensorFlow trains in on a CPU. Single operations are measured as
`tf.function`s, which is how a compiled Keras model runs them.
"""

import os
import sys

# Answers go where standard output went; what the libraries print goes to standard error.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import keras  # noqa: E402 (the environment comes first)
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from keras_networks import NETWORKS
from measuring import CASES, median  # noqa: E402

THREADS = int(sys.argv[1])
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


def measured(operation, inputs, gradient):
    """The time of an operation, or of it and the gradients of all its inputs."""
    if not gradient:
        compiled = tf.function(operation)
        return median(lambda: compiled(*inputs))
    dy = tf.random.normal(operation(*inputs).shape)

    @tf.function
    def gradients(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = operation(*inputs)
        return tape.gradient(y, inputs, output_gradients=dy)

    return median(lambda: gradients(*inputs))


def convolution(name, gradient):
    case = CASES[name]
    k, stride, pad, c_in, c_out = (case[key] for key in ("k", "stride", "pad", "c_in", "c_out"))
    x = tf.random.normal([case["n"], case["side"], case["side"], c_in])
    bias = tf.zeros([c_out])
    padding = "SAME" if pad else "VALID"
    if case["groups"] == 1:
        kernel = tf.random.normal([k, k, c_in, c_out])
        apply = tf.nn.conv2d
    else:
        kernel = tf.random.normal([k, k, c_in, c_out // c_in])
        apply = tf.nn.depthwise_conv2d

    def operation(x, kernel, bias):
        return tf.nn.bias_add(apply(x, kernel, [1, stride, stride, 1], padding), bias)

    return measured(operation, (x, kernel, bias), gradient)


def pool(name, gradient):
    case = CASES[name]
    x = tf.random.normal([case["n"], case["side"], case["side"], case["c"]])
    return measured(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"), (x,), gradient)


def lecture():
    layers, l2 = keras.layers, keras.regularizers.L2(0.01)
    model = keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(8, 5, padding="same", activation="relu", kernel_regularizer=l2),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Conv2D(12, 3, activation="relu", kernel_regularizer=l2),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(50, activation="relu", kernel_regularizer=l2),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax", kernel_regularizer=l2),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(0.02, momentum=0.5),
        loss="categorical_crossentropy",
        metrics=["accuracy", "categorical_crossentropy"],
    )
    return model


def mnist():
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def vgg():
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (64, 128, 256):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model, shape, batch, samples):
    x = np.random.rand(samples, *shape).astype("float32")
    # A class for each sample, or for each pixel.
    output = model.output_shape[1:]
    labels = np.random.randint(output[-1], size=(samples, *output[:-1]))
    y = np.eye(output[-1], dtype="float32")[labels]
    return median(lambda: model.fit(x, y, batch_size=batch, epochs=1, verbose=0)) / samples


def predict(model, shape, samples):
    """The faster of `predict` with one large batch and a compiled call of the model."""
    x = np.random.rand(samples, *shape).astype("float32")
    tensor = tf.constant(x)
    call = tf.function(lambda x: model(x, training=False))
    compiled = median(lambda: call(tensor).numpy())
    if samples == 1:
        return compiled
    return min(compiled, median(lambda: model.predict(x, batch_size=samples, verbose=0)))


def other(name):
    if name == "train lecture":
        return train(lecture(), (16, 16, 1), 256, 7291)
    if name == "train mnist":
        return train(mnist(), (28, 28, 1), 128, 1024)
    if name == "train vgg":
        return train(vgg(), (32, 32, 3), 64, 64)
    if name == "predict lecture":
        return predict(lecture(), (16, 16, 1), 7291)
    if name == "predict one":
        return predict(lecture(), (16, 16, 1), 1)
    kind, _, network = name.partition(" ")
    if network in NETWORKS:
        make, shape, batch = NETWORKS[network]
        model, samples = make(), 1 if kind == "one" else batch
        if kind != "train":
            return predict(model, shape, samples) / samples
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
        return train(model, shape, batch, samples)
    if name == "gemm":
        return measured(tf.matmul, [tf.random.normal([1024, 1024]) for _ in range(2)], False)
    return None


for line in sys.stdin:
    kind, _, name = line.strip().partition(" ")
    if kind in ("forward", "backward"):
        seconds = convolution(name, kind == "backward")
    elif kind in ("pool", "pool_backward"):
        seconds = pool(name, kind == "pool_backward")
    else:
        seconds = other(line.strip())
    print("-" if seconds is None else f"{seconds:e}", file=ANSWERS, flush=True)
