"""Files of Keras 2 (tensorflow 2.12 to 2.15) and the crate: python tests/keras_2_round_trip.py [--seed N].. [MODEL..]

    python3 -m venv keras2; keras2/bin/pip install 'tensorflow-cpu==2.15.*' 'numpy<2' h5py       # Python 3.11

Models as people write them, and those of `drawn.py` with random options, are saved in each way that this Keras has: `.h5`, `.hdf5`, `.keras`,
`.weights.h5`, weights in the older `.h5`, JSON. The crate opens every file (`tests/keras_round_trip.rs`, run with cargo), predicts the
same, and predicts the same after three more steps of training. The last line says whether it does.
"""

import os
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf

import drawn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
keras = tf.keras
K, L, O = keras, keras.layers, keras.optimizers
LEGACY = O.legacy if hasattr(O, "legacy") else O

MODELS = {}
# Whose training differs: see docs/keras.md.
OTHERWISE = {"images_with_batch_normalization", "rmsprop", "legacy_rmsprop", "legacy_rmsprop_centered"}


def model(make):
    MODELS[make.__name__] = make
    return make


def chain(*layers, optimizer="sgd", loss="mse", metrics=(), **options):
    made = K.Sequential(list(layers))
    made.compile(optimizer, loss, metrics=list(metrics), **options)
    return made


def small(optimizer="sgd", loss="mse", metrics=(), end=3, activation=None, **options):
    return chain(L.Dense(4, activation="tanh", input_shape=(5,)), L.Dense(end, activation=activation), optimizer=optimizer, loss=loss,
                 metrics=metrics, **options)


@model
def digits():
    return chain(
        L.Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 1), kernel_regularizer=K.regularizers.l2(0.01)),
        L.MaxPool2D((2, 2)), L.Dropout(0.0), L.Flatten(), L.Dense(6, activation=tf.nn.relu), L.Dense(3, activation=tf.nn.softmax),
        optimizer=LEGACY.Adam(0.01, decay=1e-2), loss="categorical_crossentropy", metrics=["accuracy"],
    )


@model
def built_late():
    made = K.Sequential([L.Dense(4, activation="selu"), L.Dense(2)])
    made.build((None, 5))
    made.compile("adam", "mae")
    return made


@model
def called_late():
    made = K.Sequential([L.Conv1D(3, 2), L.GlobalMaxPooling1D(), L.Dense(2)])
    made(np.zeros((2, 6, 3), "float32"))
    made.compile("adagrad", "mse")
    return made


@model
def never_compiled():
    return K.Sequential([K.Input((5,)), L.Dense(3)])


def optimizers():
    S = O.schedules
    yield "sgd", lambda: O.SGD(0.05, momentum=0.5, nesterov=True)
    yield "adam", lambda: O.Adam(0.01, amsgrad=True, clipnorm=0.5, use_ema=False)
    yield "adam_global", lambda: O.Adam(0.01, global_clipnorm=0.5)
    yield "rmsprop", lambda: O.RMSprop(0.01, momentum=0.2)
    yield "adagrad", lambda: O.Adagrad(0.05)
    yield "adamw", lambda: getattr(O, "AdamW", O.Adam)(0.01, weight_decay=0.01)
    yield "exponential", lambda: O.SGD(S.ExponentialDecay(0.1, 2, 0.5, staircase=True))
    yield "piecewise", lambda: O.SGD(S.PiecewiseConstantDecay([1, 3], [0.1, 0.05, 0.01]))
    yield "polynomial", lambda: O.Adam(S.PolynomialDecay(0.1, 5, 0.01, power=2.0))
    yield "inverse", lambda: O.Adam(S.InverseTimeDecay(0.1, 2, 0.5))
    yield "cosine", lambda: O.SGD(S.CosineDecay(0.1, 7, alpha=0.1))
    yield "legacy_sgd", lambda: LEGACY.SGD(0.05, momentum=0.5, decay=0.1)
    yield "legacy_adam", lambda: LEGACY.Adam(0.01, amsgrad=True, clipvalue=0.1)
    yield "legacy_rmsprop", lambda: LEGACY.RMSprop(0.01, decay=1e-3)
    yield "legacy_rmsprop_centered", lambda: LEGACY.RMSprop(0.01, centered=True, momentum=0.1)
    yield "legacy_adagrad", lambda: LEGACY.Adagrad(0.05, decay=0.01)
    yield "legacy_exponential", lambda: LEGACY.Adam(S.ExponentialDecay(0.01, 2, 0.5))


for name, make in optimizers():
    MODELS[name] = lambda make=make: small(make())

LOSSES = ["mse", "mean_squared_error", "MSE", "mae", "mean_absolute_error", "kld", "huber", K.losses.Huber(0.5),
          K.losses.MeanSquaredError(), K.losses.MeanAbsoluteError(name="mine"), K.losses.mean_squared_error]
for i, loss in enumerate(LOSSES):
    MODELS[f"loss_{i}"] = lambda loss=loss: small(loss=loss, activation="sigmoid")


@model
def sparse():
    return small(O.Adam(0.01), K.losses.SparseCategoricalCrossentropy(from_logits=True),
                 ["accuracy", K.metrics.SparseCategoricalAccuracy(name="acc")])


@model
def binary():
    return small(O.Adam(0.01), "binary_crossentropy", [
        "acc", K.metrics.AUC(name="auc"), K.metrics.Precision(), K.metrics.Recall(thresholds=0.4), K.metrics.BinaryAccuracy(threshold=0.3),
    ], end=1, activation="sigmoid")


@model
def categorical():
    return small(O.Adam(0.01), K.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
                 ["categorical_accuracy", K.metrics.CategoricalAccuracy(name="own"), K.metrics.TopKCategoricalAccuracy(k=2), "mse"])


@model
def weighted():
    return small(loss=K.losses.BinaryCrossentropy(), activation="sigmoid", weighted_metrics=["mae", "accuracy"])


def two_outputs(**compiled):
    a, b = K.Input((4,), name="a"), K.Input((3,), name="b")
    x = L.Dense(4, activation="relu", name="shared")(L.concatenate([a, b]))
    made = K.Model([a, b], [L.Dense(1, name="one")(x), L.Dense(2, name="two")(x)])
    made.compile("sgd", **compiled)
    return made


@model
def outputs_by_list():
    return two_outputs(loss=["mse", "mae"], loss_weights=[1.0, 0.25], metrics=[["mae"], ["mse"]])


@model
def outputs_by_name():
    return two_outputs(loss={"one": "mse", "two": K.losses.Huber()}, loss_weights={"one": 0.5, "two": 2.0}, metrics={"two": ["mae", "mse"]})


@model
def outputs_alike():
    return two_outputs(loss="mse", metrics=["mae"])


@model
def residual():
    x = image = K.Input((8, 8, 3), name="image")
    for filters in [4, 6]:
        y = L.Activation("relu")(L.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x))
        y = L.MaxPooling2D(3, strides=2, padding="same")(L.SeparableConv2D(filters, 3, padding="same")(y))
        x = L.add([y, L.Conv2D(filters, 1, strides=2, padding="same")(x)])
    y = L.DepthwiseConv2D(3, strides=(2, 2), depth_multiplier=2)(L.ZeroPadding2D(((0, 1), (0, 1)))(x))
    made = K.Model(image, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(L.ReLU(6.0)(y))))
    made.compile(O.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
    return made


@model
def decoder():
    return chain(
        L.Dense(12, input_shape=(4,)), L.LeakyReLU(), L.Reshape((2, 2, 3)), L.Conv2DTranspose(4, 3, strides=2, padding="same"), L.PReLU(shared_axes=[1, 2]),
        L.UpSampling2D(), L.Conv2D(3, 3, padding="same"), L.LeakyReLU(alpha=0.2), L.UpSampling2D(interpolation="bilinear"), L.Cropping2D(2),
        L.Conv2D(1, 3, activation="sigmoid", padding="same"), optimizer="adam",
    )


@model
def nested():
    base = K.Sequential([L.Conv2D(3, 3, input_shape=(6, 6, 2)), L.Flatten()], name="base")
    a = K.Input((6, 6, 2))
    inner = K.Model(a, L.Dense(4, activation="relu")(base(a)), name="inner")
    left, right = K.Input((6, 6, 2), name="left"), K.Input((6, 6, 2), name="right")
    made = K.Model([left, right], L.Dense(2)(L.subtract([inner(left), inner(right)])))
    made.compile("sgd", "mse")
    return made


@model
def transfer():
    image = K.Input((8, 8, 3))
    x = L.BatchNormalization()(L.Conv2D(4, 3, activation="relu")(image))
    base = K.Model(image, x, name="base")
    base.trainable = False
    whole = K.Input((8, 8, 3))
    augmentation = K.Sequential([L.RandomZoom(0.0), L.RandomRotation(0.0)], name="augmentation")
    x = base(L.Rescaling(1 / 127.5, offset=-1)(augmentation(whole)), training=False)
    made = K.Model(whole, L.Dense(2)(L.Dropout(0.0)(L.GlobalAveragePooling2D()(x))))
    made.compile(O.Adam(1e-3), K.losses.MeanSquaredError())
    return made


@model
def teachable():
    """As a browser's tool for teaching machines writes it: chains of a model."""
    mobile = K.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None)
    features = K.Sequential([mobile, L.GlobalAveragePooling2D()])
    head = K.Sequential([L.Dense(5, activation="relu", input_shape=(1280,)), L.Dense(2, activation="softmax", use_bias=False)])
    return K.Sequential([features, head])


@model
def images_with_batch_normalization():
    return chain(
        L.Conv2D(4, 3, input_shape=(6, 6, 2)), L.BatchNormalization(), L.BatchNormalization(axis=1), L.Flatten(), L.Dense(4),
        L.BatchNormalization(renorm=False, fused=False), L.Dense(2),
    )


@model
def prices():
    """A series to forecast."""
    return chain(L.LSTM(4, return_sequences=True, input_shape=(7, 2)), L.Dropout(0.0), L.LSTM(units=3), L.Dense(1), optimizer="adam")


@model
def encoder_and_decoder():
    return chain(
        L.LSTM(4, activation="relu", input_shape=(5, 2)), L.RepeatVector(3), L.LSTM(4, activation="relu", return_sequences=True),
        L.TimeDistributed(L.Dense(2)), optimizer=LEGACY.Adam(0.01),
    )


@model
def translator():
    """The encoder and the decoder of Keras's tutorials, which pass states on."""
    words, answer = K.Input((5, 3)), K.Input((4, 2))
    _, h, c = L.LSTM(4, return_state=True)(words)
    x, _, _ = L.LSTM(4, return_sequences=True, return_state=True)(answer, initial_state=[h, c])
    both, fh, fc, bh, bc = L.Bidirectional(L.LSTM(3, return_sequences=True, return_state=True))(x)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(both, initial_state=[fh, fc, bh, bc])
    made = K.Model([words, answer], L.Dense(2, activation="softmax")(x))
    made.compile("sgd", "categorical_crossentropy")
    return made


@model
def states():
    """States that are outputs, and a model with several outputs in a model."""
    series = K.Input((5, 3))
    x, state = L.GRU(4, return_sequences=True, return_state=True)(series)
    step = K.Input((5, 4))
    pair = K.Model(step, [L.Dense(2, activation="tanh")(step), L.Dense(3)(step)])
    left, right = pair(x)
    y = L.SimpleRNN(3)(L.concatenate([left, right]), initial_state=L.Dense(3)(state))
    made = K.Model(series, [y, state])
    made.compile("sgd", "mse")
    return made


@model
def transformer():
    """Keras's classifier of series by blocks of attention."""
    series = K.Input((6, 2))
    x = series
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        y = L.Dropout(0.0)(L.MultiHeadAttention(key_dim=3, num_heads=2, dropout=0.0)(y, y))
        between = y + x
        y = L.Conv1D(4, 1, activation="relu")(L.LayerNormalization(epsilon=1e-6)(between))
        x = L.Conv1D(2, 1)(L.Dropout(0.0)(y)) + between
    x = L.GlobalAveragePooling1D(data_format="channels_first")(x)
    made = K.Model(series, L.Dense(3, activation="softmax")(L.Dense(5, activation="relu")(x)))
    made.compile(O.Adam(1e-2), K.losses.SparseCategoricalCrossentropy(), metrics=["sparse_categorical_accuracy"])
    return made


@model
def pooled_channels_first():
    image, volume = K.Input((3, 4, 5)), K.Input((2, 3, 2, 2))
    pools = [L.GlobalMaxPooling2D(data_format="channels_first")(image), L.GlobalAveragePooling2D(data_format="channels_first")(image),
             L.Flatten()(L.GlobalMaxPooling3D(data_format="channels_first", keepdims=True)(volume))]
    made = K.Model([image, volume], L.Dense(2)(L.concatenate(pools)))
    made.compile("sgd", "mse")
    return made


@model
def masked():
    return chain(L.Masking(0.0, input_shape=(5, 2)), L.Bidirectional(L.GRU(3, return_sequences=True)), L.Bidirectional(L.LSTM(2)), L.Dense(1))


@model
def shape_inside():
    made = chain(L.Bidirectional(L.LSTM(3, return_sequences=True, input_shape=(5, 2))), L.TimeDistributed(L.Dense(2)))
    made.build((None, 5, 2))
    return made


@model
def films():
    return chain(
        L.TimeDistributed(L.Conv2D(2, 3, activation="relu"), input_shape=(3, 6, 6, 1)), L.TimeDistributed(L.MaxPooling2D()),
        L.TimeDistributed(L.Flatten()), L.GRU(3, recurrent_dropout=0.0, reset_after=False), L.Dense(2),
    )


@model
def sentences():
    words = K.Input((5,), name="words", dtype="int32")
    x = L.SpatialDropout1D(0.0)(L.Embedding(drawn.WORDS, 4, input_length=5)(words))
    x = L.concatenate([L.GlobalMaxPooling1D()(L.Conv1D(3, size, activation="relu")(x)) for size in [2, 3]])
    made = K.Model(words, L.Dense(1, activation="sigmoid")(x))
    made.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return made


@model
def sentences_masked():
    return chain(L.InputLayer((5,), name="words"), L.Embedding(drawn.WORDS, 4, mask_zero=True), L.LSTM(3, dropout=0.0), L.Dense(1))


@model
def prepared():
    normalization = L.Normalization()
    normalization.adapt(np.arange(48, dtype="float32").reshape(4, 4, 3, 1))
    return chain(K.Input((4, 3, 1)), normalization, L.Resizing(5, 6), L.CenterCrop(4, 4), L.RandomTranslation(0.0, 0.0), L.Flatten(), L.Dense(1))


@model
def held():
    C, R = K.constraints, K.regularizers
    return chain(
        L.Dense(4, kernel_constraint=C.max_norm(0.5), bias_constraint="non_neg", input_shape=(5,), kernel_regularizer=R.l1_l2(0.01, 0.02)),
        L.Dense(4, kernel_constraint=C.UnitNorm(axis=1), activity_regularizer=R.l1(0.01), activation=L.LeakyReLU(0.3)),
        L.ActivityRegularization(l2=0.1), L.Dense(2, kernel_constraint=C.MinMaxNorm(0.1, 0.9), activation=K.activations.swish),
    )


@model
def fixed_batch():
    return chain(L.Dense(4, batch_input_shape=(4, 5), kernel_initializer=K.initializers.RandomNormal(stddev=0.5)), L.Dense(2))


def targets(name, model, y):
    """Classes for the losses that need them."""
    classes = np.arange(12) % 3
    if type(model.loss).__name__ == "SparseCategoricalCrossentropy":
        return [classes.reshape(12, 1).astype("float32")]
    if name in ("digits", "residual", "categorical"):
        return [np.eye(3, dtype="float32")[classes]]
    return y


def main():
    arguments = sys.argv[1:]
    seeds = [int(number) for word, number in zip(arguments, arguments[1:]) if word == "--seed"]
    names = [word for word in arguments if word in MODELS]
    with tempfile.TemporaryDirectory() as folder:
        saved = {}

        def keep(name, model):
            x, y = drawn.samples(model)
            y = targets(name, model, y) if model.optimizer is not None else y
            files, weights = ["model.h5", "model.hdf5", "model.keras"], ["weights.weights.h5", "weights.h5"]
            # There, the name alone makes an archive no archive.
            archive = {"save_format": "keras_v3"} if tf.__version__.startswith("2.12.") else {}
            saved[name] = drawn.save(os.path.join(folder, name), model, x, y, files, weights, archive)

        for name, make in MODELS.items():
            if not names or name in names:
                keras.backend.clear_session()
                keras.utils.set_random_seed(7)
                keep(name, make())
        for seed in seeds or ([] if names else [0]):
            for name, model in drawn.models(keras, seed).items():
                model.compile(O.SGD(0.02, momentum=0.5), ["mse"] * len(model.outputs))
                keep(f"{name} {seed}", model)
        command = ["cargo", "test", "--quiet", "--all-features", "--test", "keras_round_trip", "drawn"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"CINTA_DRAWN": folder}, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"FAILED: {done.stdout}\n{done.stderr}")
        found = []
        for name, it in saved.items():
            found += drawn.differences(os.path.join(folder, name), name, it, untrained=OTHERWISE, otherwise="batchnormalization")
    if found:
        raise SystemExit("\n".join([*found, f"FAILED: {len(found)} differences"]))
    print(f"keras_2_round_trip: {len(saved)} models of tensorflow {tf.__version__} in five kinds of files: all is equal")


main()
