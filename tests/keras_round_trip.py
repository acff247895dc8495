"""The round trip between this crate and the real Keras: python tests/keras_round_trip.py [--seed N].. [MODEL..]

Needs keras (3.15) with a backend, and h5py; builds and runs `tests/keras_round_trip.rs` with cargo. Models of every
layer and every optimizer that both know, chains and graphs, are trained and saved by Keras, opened and saved again by the crate, opened
again by Keras. Weights, predictions, scores, the optimizer's variables in their order, and three more steps of training
must agree all the way. The last line says whether they do.

With `--seed N`, these are the models of `drawn.py` instead: every class, with options drawn at random. What is random in training
(dropout and noise) has rates above 0 in a model of its own, of which are compared: predictions, the rates that come back, and the mean square and
the mean difference of each output over an epoch of training, which are those of Keras's up to chance.
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np

import drawn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))
from networks import NETWORKS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
L, O = keras.layers, keras.optimizers
SCHEDULE = lambda: O.schedules.ExponentialDecay(0.05, decay_steps=3, decay_rate=0.5)

OPTIMIZERS = {
    "sgd": lambda: O.SGD(0.05),
    "sgd_momentum": lambda: O.SGD(0.05, momentum=0.5),
    "sgd_nesterov": lambda: O.SGD(0.05, momentum=0.5, nesterov=True, weight_decay=0.01),
    "sgd_scheduled": lambda: O.SGD(SCHEDULE(), momentum=0.5, clipnorm=1.0),
    "adam": lambda: O.Adam(0.01),
    "adam_clipped": lambda: O.Adam(0.01, beta_1=0.8, epsilon=1e-6, global_clipnorm=0.5),
    "adam_amsgrad": lambda: O.Adam(0.01, amsgrad=True),
    "adam_scaled": lambda: O.LossScaleOptimizer(O.Adam(0.01)),
    "adamw": lambda: O.AdamW(0.01, weight_decay=0.01),
    "rmsprop": lambda: O.RMSprop(0.01),
    "rmsprop_all": lambda: O.RMSprop(0.01, momentum=0.3, centered=True),
    "adagrad": lambda: O.Adagrad(0.05, initial_accumulator_value=0.2),
    "nadam": lambda: O.Nadam(0.01, beta_1=0.8),
    "nadam_scheduled": lambda: O.Nadam(SCHEDULE()),
    "adamax": lambda: O.Adamax(0.01, epsilon=1e-3),
    "adadelta": lambda: O.Adadelta(0.5, epsilon=1e-3),
    "ftrl": lambda: O.Ftrl(0.05, l2_regularization_strength=0.01, beta=0.1),
    "lion": lambda: O.Lion(0.002, beta_1=0.8),
    "lamb": lambda: O.Lamb(0.01),
    "adafactor": lambda: O.Adafactor(0.05),
    "muon": lambda: O.Muon(0.01),
    "schedule_free": lambda: O.ScheduleFreeAdamW(0.01, warmup_steps=2),
}


def small():
    return [L.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"), L.Flatten(), L.Dense(3, activation="softmax")]


def wide():
    """Every layer that draws no random numbers, with options that are not the usual ones."""
    return [
        L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="elu", kernel_initializer="he_normal",
                 bias_initializer="random_normal", kernel_regularizer=keras.regularizers.L1(0.001), name="a"),
        L.AveragePooling2D((2, 3), strides=1, padding="same"),
        L.Activation("tanh"),
        L.Conv2D(5, 2, use_bias=False, activation="sigmoid", kernel_initializer="lecun_uniform"),
        L.MaxPooling2D(2, strides=1),
        L.ReLU(),
        L.Flatten(),
        L.Dense(6, activation="linear", kernel_initializer=keras.initializers.VarianceScaling(0.5, "fan_out", "uniform"),
                kernel_regularizer=keras.regularizers.L1L2(0.001, 0.002), bias_regularizer="l1"),
        L.Dense(4, trainable=False, kernel_initializer=keras.initializers.TruncatedNormal(0.1, 0.2)),
        L.ELU(),
        L.Dense(3, kernel_initializer="lecun_normal"),
        L.Softmax(),
    ]


def dropping():
    return [L.RandomFlip("vertical"), L.Conv2D(3, 3, padding="same"), L.Dropout(0.25, seed=3), L.MaxPooling2D(),
            L.Flatten(), L.Dropout(0.5), L.Dense(3, activation="softmax")]


def recurrent():
    """Every recurrent layer, also in others."""
    # As an argument of a layer that has layers inside, it would not reach these.
    frozen = L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="ave")
    frozen.trainable = False
    return [
        L.LSTM(4, return_sequences=True),
        L.Bidirectional(L.GRU(3, return_sequences=True, recurrent_regularizer="l2")),
        L.TimeDistributed(L.Dense(4, activation="tanh")),
        frozen,
        L.GRU(3, reset_after=False, return_sequences=True, recurrent_activation="tanh"),
        L.TimeDistributed(L.BatchNormalization(momentum=0.9)),
        L.SimpleRNN(3, go_backwards=True, use_bias=False),
        L.Dense(3, activation="softmax"),
    ]


def text():
    """Words with a mask, which all layers but the last pass on."""
    return [
        L.Embedding(11, 4, mask_zero=True),
        L.Bidirectional(L.LSTM(3, return_sequences=True, unit_forget_bias=False)),
        L.Dense(4, activation="tanh"),
        L.GRU(3),
        L.Dense(3, activation="softmax"),
    ]


def deep():
    """Enough layers, with names long enough, that lists of names need several attributes."""
    layers = [L.Dense(4, name=f"layer_{i:03}_" + "x" * 900) for i in range(80)]
    return [L.Flatten(), *layers, L.Dense(3, activation="softmax")]


def named():
    """Names that mean something to a format."""
    names = ["model_weights", "optimizer_weights", "layers", "vars", "..", "a: b", "cinta", "dense_1", "é"]
    layers = [L.Dense(4, name=name) for name in names]
    return [L.Flatten(), *layers, L.Dense(3, activation="softmax")]


def graph(optimizer):
    """Branches that are added, put side by side and joined in every other way, and a layer in two places."""
    image = keras.Input((6, 6, 2), name="image")
    x = L.Conv2D(4, 3, padding="same", activation="relu", name="stem")(image)
    y = L.Conv2D(4, 3, padding="same", name="branch")(x)
    x = L.Activation("relu")(L.Add()([x, y]))
    # Made after the layer that it comes before.
    late = L.Conv2D(2, 1)
    z = L.Concatenate()([x, late(L.AveragePooling2D(3, strides=1, padding="same")(image)), image])
    twin = L.Conv2D(3, 3, name="twin")
    left, right = twin(z), twin(L.Multiply()([z, z]))
    joined = [L.Maximum()([left, right]), L.Minimum()([left, right]), L.Average()([left, right, right]),
              L.Subtract()([left, right])]
    sides = L.Concatenate(axis=2)(joined)
    pooled = [L.GlobalAveragePooling2D()(sides), L.Flatten()(L.GlobalMaxPooling2D(keepdims=True)(sides))]
    flat = L.Concatenate()([L.Flatten()(sides), *pooled])
    model = keras.Model(image, L.Dense(3, activation="softmax", name="scores")(flat))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def normalised(optimizer):
    """Batch normalisation: with all its weights, without some, along another axis, and frozen."""
    image = keras.Input((6, 6, 2), name="image")
    x = L.Activation("relu")(L.BatchNormalization(momentum=0.9)(L.Conv2D(4, 3, use_bias=False)(image)))
    x = L.BatchNormalization(axis=1, epsilon=1e-2, scale=False)(x)
    frozen = L.BatchNormalization(center=False, name="frozen")
    frozen.trainable = False
    x = L.BatchNormalization(center=False)(L.Dense(5, use_bias=False)(L.Flatten()(L.Activation("relu")(frozen(x)))))
    model = keras.Model(image, L.Dense(3, activation="softmax")(x))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def prepared(optimizer):
    """What prepares, reshapes and normalises samples, one by one; random changes that change nothing. Keras 3.15 cannot save it
    as .h5, for it fails to copy layers that prepare data."""
    image = keras.Input((6, 6, 2), name="image")
    adapted = L.Normalization(name="adapted")
    adapted.adapt(inputs(20, 6, 6, 2) * 3 - 1)
    x = L.Rescaling([2.0, 0.5], offset=-0.25)(L.Normalization(mean=0.5, variance=0.1)(adapted(image)))
    x = L.RandomTranslation(0.0, 0.0)(L.RandomZoom(0.0)(L.RandomRotation(0.0, interpolation="nearest")(x)))
    x = L.RandomContrast(0.0, value_range=(-50, 50))(L.RandomBrightness(0.0, value_range=(-50, 50))(x))
    x = L.CenterCrop(4, 5)(L.Resizing(7, 5, interpolation="bicubic", antialias=True)(x))
    x = L.LayerNormalization(axis=[1, 3], epsilon=0.01)(L.Conv2D(4, 3, padding="same")(L.Identity()(x)))
    x = L.RMSNormalization()(L.GroupNormalization(2, scale=False)(L.GroupNormalization(-1, center=False)(x)))
    rows = L.UnitNormalization()(L.Permute((2, 1))(L.Reshape((-1, 4))(x)))
    pairs = L.Dot(axes=(2, -1), normalize=True)([rows, L.RepeatVector(3)(L.Flatten()(L.Dense(5)(rows)))])
    model = keras.Model(image, L.Dense(3, activation="softmax")(L.Flatten()(pairs)))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def chained(optimizer, *layers):
    """A chain that ends in a softmax."""
    model = keras.Sequential([*layers, L.Dense(3, activation="softmax")])
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def images(optimizer):
    """What convolves images in other ways, and makes them larger and smaller."""
    return chained(
        optimizer,
        keras.Input((6, 6, 2)),
        L.ZeroPadding2D(((0, 1), (2, 1))),
        L.DepthwiseConv2D((3, 2), depth_multiplier=2, strides=2, activation="tanh", depthwise_regularizer="l2"),
        L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu", kernel_initializer="he_normal"),
        L.Conv2DTranspose(3, (2, 3), strides=(3, 2), output_padding=(1, 1), use_bias=False),
        L.Cropping2D(((1, 2), (0, 3))),
        L.SeparableConv2D(4, 3, depth_multiplier=2, activation="elu", pointwise_regularizer="l1", bias_regularizer="l2"),
        L.Conv2D(4, 2, groups=2, dilation_rate=2, padding="same"),
        L.UpSampling2D((1, 2), interpolation="bilinear"),
        L.AdaptiveAveragePooling2D((3, 4)),
        L.AdaptiveMaxPooling2D(2),
        L.Flatten(),
    )


def channels_first(optimizer):
    """Layers whose channels come first, in chains and graphs."""
    image = keras.Input((2, 6, 6), name="image")
    of = {"data_format": "channels_first"}
    x = L.Conv2D(4, 3, padding="same", activation="relu", **of)(L.ZeroPadding2D(1, **of)(image))
    x = L.Activation("relu")(L.BatchNormalization(axis=1, momentum=0.9)(L.DepthwiseConv2D(2, **of)(x)))
    x = L.Concatenate(axis=1)([L.MaxPooling2D(2, **of)(x), L.AveragePooling2D(2, **of)(x), L.SpatialDropout2D(0.0, **of)(L.Conv2D(1, 3, strides=2, **of)(x))])
    x = L.PReLU(shared_axes=[2, 3])(L.Conv2DTranspose(4, 2, strides=2, kernel_regularizer="l2", **of)(x))
    x = L.Concatenate()([L.Flatten(**of)(x), L.GlobalAveragePooling2D(**of)(L.SeparableConv2D(3, 2, **of)(x))])
    model = keras.Model(image, L.Dense(3, activation="softmax")(x))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def series(optimizer):
    """What convolves and pools series."""
    return chained(
        optimizer,
        keras.Input((12, 2)),
        L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        L.ZeroPadding1D((2, 0)),
        L.DepthwiseConv1D(2, depth_multiplier=2, padding="same"),
        L.MaxPooling1D(3, strides=2, padding="same"),
        L.Conv1DTranspose(6, 3, strides=2, padding="same", activation="tanh"),
        L.Cropping1D((1, 2)),
        L.SeparableConv1D(4, 2, use_bias=False),
        L.AveragePooling1D(2, strides=1),
        L.UpSampling1D(2),
        L.Conv1D(4, 2, strides=2, groups=2, kernel_regularizer="l2"),
        L.AdaptiveAveragePooling1D(4),
        L.AdaptiveMaxPooling1D(3),
        L.GlobalAveragePooling1D(keepdims=True),
        L.GlobalMaxPooling1D(),
    )


def volumes(optimizer):
    """What convolves and pools volumes."""
    return chained(
        optimizer,
        keras.Input((4, 3, 4, 2)),
        L.ZeroPadding3D(((0, 1), (1, 1), (0, 0))),
        L.Conv3D(4, (2, 3, 2), activation="relu", kernel_regularizer="l2"),
        L.Conv3DTranspose(3, (3, 2, 2), strides=(2, 1, 2), padding="same", activation="tanh"),
        L.MaxPooling3D((3, 1, 2), strides=2, padding="same"),
        L.UpSampling3D((1, 2, 1)),
        L.AveragePooling3D((2, 2, 1), strides=1),
        L.Cropping3D(((1, 0), (0, 0), (1, 0))),
        L.AdaptiveAveragePooling3D((2, 3, 2)),
        L.AdaptiveMaxPooling3D((1, 2, 2)),
        L.GlobalAveragePooling3D(keepdims=True),
        L.GlobalMaxPooling3D(),
    )


def several(optimizer):
    """Two inputs and two outputs, each with a loss, a weight and metrics of its own."""
    image, extra = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="extra")
    x = L.Flatten()(L.Conv2D(3, 3, activation="relu")(image))
    x = L.Dense(5, activation="tanh")(L.Concatenate()([x, extra]))
    scores, size = L.Dense(3, activation="softmax", name="scores")(x), L.Dense(2, name="size")(x)
    model = keras.Model([image, extra], [scores, size])
    losses = {"scores": "categorical_crossentropy", "size": "mean_squared_error"}
    metrics = {"scores": ["accuracy"], "size": ["mean_absolute_error"]}
    model.compile(optimizer, losses, loss_weights={"scores": 1.0, "size": 0.25}, metrics=metrics)
    train(model)
    return model


def pack(path):
    """Writes the arrays of an HDF5 file anew, in chunks and with gzip."""
    with h5py.File(path, "a") as file:
        names = []
        file.visititems(lambda name, it: names.append(name) if getattr(it, "shape", ()) else None)
        for name in names:
            array = file[name][()]
            del file[name]
            file.create_dataset(name, data=array, chunks=True, compression="gzip", shuffle=True)


def nested(optimizer):
    """Models in models: a chain and a graph, the graph in two places and with a model of its own, and a normalisation in it."""
    inner = keras.Sequential([keras.Input((4, 4, 3)), L.Conv2D(3, 3, activation="tanh"), L.Flatten()], name="inner")
    a = keras.Input((6, 6, 2), name="a")
    x = L.Conv2D(3, 3, activation="relu", use_bias=False)(a)
    x = L.Activation("relu")(L.BatchNormalization(momentum=0.9)(x))
    twin = keras.Model(a, L.Dense(4)(inner(x)), name="twin")
    left, right = keras.Input((6, 6, 2), name="left"), keras.Input((6, 6, 2), name="right")
    x = L.Concatenate()([twin(left), twin(right)])
    tail = keras.Sequential([keras.Input((8,)), L.Dense(5, activation="tanh", activity_regularizer="l2"), L.Dropout(0.0)],
                            name="tail")
    model = keras.Model([left, right], L.Dense(3, activation="softmax")(tail(x)))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def attended(optimizer):
    """Attention with masks that are an input and an array, and with scores."""
    x, seen = keras.Input((6, 4), name="x"), keras.Input((6, 6), name="seen")
    y = L.MultiHeadAttention(2, 3)(x, x, attention_mask=L.ReLU(threshold=0.4)(seen))
    y = L.GroupQueryAttention(3, 4, 2)(y, x, attention_mask=np.tril(np.ones((6, 6))))
    z, scores = L.Attention(use_scale=True)([y, x], return_attention_scores=True)
    model = keras.Model([x, seen], L.Dense(3, activation="softmax")(L.Concatenate()([L.Flatten()(z), L.Flatten()(scores)])))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def nested_text(optimizer):
    """Masks that go into models, through them and out of them."""
    inner = keras.Sequential([keras.Input((7,)), L.Embedding(11, 4, mask_zero=True), L.Dropout(0.0)], name="inner")
    middle = keras.Sequential([keras.Input((7, 4)), L.Dense(4, activation="tanh"), L.LSTM(3, return_sequences=True)], name="middle")
    # An embedding of the model itself, by which the samples are seen to be words.
    words = keras.Input((7,), name="words")
    beside = middle(L.Embedding(11, 4, mask_zero=True)(words))
    x = L.Concatenate()([L.GRU(3)(middle(inner(words))), L.GRU(2)(beside)])
    model = keras.Model(words, L.Dense(3, activation="softmax")(x))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def transfer(optimizer):
    """A trained model that is frozen, and a new head; beside it, a model of which one layer is frozen."""
    image = keras.Input((6, 6, 2), name="image")
    x = L.BatchNormalization()(L.Conv2D(4, 3, activation="relu")(image))
    base = keras.Model(image, L.GlobalAveragePooling2D()(x), name="base")
    base.trainable = False
    half = keras.Sequential([keras.Input((6, 6, 2)), L.Conv2D(3, 3, trainable=False), L.BatchNormalization(),
                             L.Flatten(), L.Dense(3)])
    x = keras.Input((6, 6, 2), name="x")
    features = L.Concatenate()([base(x, training=False), half(x)])
    model = keras.Model(x, L.Dense(3, activation="softmax", name="head")(features))
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", "categorical_crossentropy"])
    train(model)
    return model


def inputs(*shape):
    return (np.arange(np.prod(shape)) * 37 % 101 / 101).astype("float32").reshape(shape)


def targets(n, classes):
    return np.eye(classes, dtype="float32")[np.arange(n) * 7 % classes]


def samples(model, n):
    x = [inputs(n, *x.shape[1:]) for x in model.inputs]
    # Words, by their numbers.
    if any(isinstance(layer, L.Embedding) for layer in model.layers):
        x = [np.round(one * 101) % 11 for one in x]
    # Of a picture, every pixel has a target.
    wanted = lambda y: targets(n, y.shape[-1]) if len(y.shape) == 2 else (inputs(n, *y.shape[1:]) > 0.5).astype("float32")
    y = [wanted(y) for y in model.outputs]
    return (x[0] if len(x) == 1 else x), (y[0] if len(y) == 1 else y)


def flat(predictions):
    several = predictions if isinstance(predictions, list) else [predictions]
    return np.concatenate([np.asarray(one).ravel() for one in several])


def build(layers, optimizer, loss="categorical_crossentropy", metrics=("accuracy", "categorical_crossentropy"),
          shape=(6, 6, 2)):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer, loss, metrics=list(metrics))
    train(model)
    return model


def train(model):
    x, y = samples(model, 12)
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)


def variables(model):
    """Those of the optimizer; of one that scales losses, those of the optimizer that it holds, as which the crate reads it."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return [np.asarray(variable.value) for variable in optimizer.variables]


def close(what, found, expected):
    if len(found) != len(expected):
        raise SystemExit(f"FAILED: {what}: {len(found)} values instead of {len(expected)}")
    for i, (a, b) in enumerate(zip(found, expected)):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-5, atol=1e-5):
            raise SystemExit(f"FAILED: {what}, number {i}: {a.ravel()[:5]} instead of {b.ravel()[:5]}")


def scores(model, x, y):
    return np.atleast_1d(model.evaluate(x, y, verbose=0))


def rust(folder, variable="CINTA_KERAS"):
    """Opens and saves all models in a folder with the crate."""
    command = ["cargo", "test", "--quiet", "--all-features", "--test", "keras_round_trip"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {variable: folder}, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: {done.stdout}\n{done.stderr}")


def listed_variables(path):
    """The optimizer's variables of an .h5 file."""
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        return [np.asarray(group[name]) for name in group.attrs["weight_names"]]


def check(folder, name, model, train_on):
    """Compares what the crate said and wrote with the model that Keras saved. Returns what Keras made of it."""
    out = os.path.join(folder, "out", name)
    said = json.load(open(out + ".json"))
    x, y = samples(model, 4)
    predictions = model.predict(x, verbose=0)
    close(f"{name}: predictions", said["predictions"], flat(predictions))
    close(f"{name}: scores", said["scores"], scores(model, x, y))

    again = keras.models.load_model(out + ".keras")
    # Keras 3.15 can write no .h5 file of layers that prepare data, and reads several axes of a normalisation as one. And it looks
    # for the optimizer of an .h5 file by its name in small letters, by which it does not find Lamb,
    # and takes the score_mode of an Attention for one of its functions.
    others = [again]
    if not name.startswith(("prepared", "lamb", "attended")):
        others.append(keras.models.load_model(out + ".h5"))
        close(f"{name}: weights of .h5", others[1].get_weights(), model.get_weights())
    close(f"{name}: weights", again.get_weights(), model.get_weights())
    for other in others:
        close(f"{name}: predictions again", flat(other(x, training=False)), flat(predictions))
        close(f"{name}: scores again", scores(other, x, y), said["scores"])
    close(f"{name}: optimizer", variables(again), variables(model))
    close(f"{name}: optimizer of .h5", listed_variables(out + ".h5"), variables(model))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]

    fresh = keras.models.clone_model(model)
    fresh.load_weights(out + ".weights.h5")
    close(f"{name}: .weights.h5", fresh.get_weights(), model.get_weights())

    if train_on:
        train(again)
    if train_on == "equally":
        trained = keras.models.load_model(os.path.join(folder, "trained", name + ".keras"))
        close(f"{name}: weights after three steps", trained.get_weights(), again.get_weights())
        close(f"{name}: optimizer after three steps", variables(trained), variables(again))
    return again


def with_random_options(seeds):
    """Models of every class with options drawn at random: to the crate and back."""
    saved, found = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            models = drawn.models(keras, seed) | {"noisy": drawn.noisy(keras, seed)}
            for name, model in models.items():
                noisy = name == "noisy"
                metrics = [["mae"]] * len(model.outputs) if noisy else None
                model.compile(O.SGD(0.02, momentum=0.5), ["mse"] * len(model.outputs), metrics=metrics)
                files = ["model.keras"] if name.startswith("prepared") else ["model.keras", "model.h5"]
                place = os.path.join(folder, f"{name} {seed}")
                samples = drawn.samples(model, 8192 if noisy else 12)
                saved[f"{name} {seed}"] = drawn.save(place, model, *samples, files, ["weights.weights.h5"])
        rust(folder, "CINTA_DRAWN")
        for name, it in saved.items():
            found += drawn.differences(os.path.join(folder, name), name, it, keras)
    if found:
        raise SystemExit("\n".join([*found, f"FAILED: {len(found)} differences"]))
    print(f"keras_round_trip: {len(saved)} models with the random options of the seeds {seeds}: all is equal")


def main():
    arguments = sys.argv[1:]
    seeds = [int(number) for word, number in zip(arguments, arguments[1:]) if word == "--seed"]
    if seeds:
        return with_random_options(seeds)
    models = {name: build(small(), make()) for name, make in OPTIMIZERS.items()}
    models["wide"] = build(wide(), O.Adam(0.01))
    models["dropping"] = build(dropping(), O.SGD(0.05, momentum=0.5))
    models["graph"] = graph(O.SGD(0.05, momentum=0.5))
    models["graph_adam"] = graph(O.Adam(0.01))
    models["normalised"] = normalised(O.SGD(0.05, momentum=0.5))
    models["images"] = images(O.SGD(0.05, momentum=0.5))
    models["series"] = series(O.SGD(0.05, momentum=0.5))
    # TensorFlow has no such convolutions on a processor.
    if keras.backend.backend() == "jax":
        models["channels_first"] = channels_first(O.SGD(0.05, momentum=0.5))
    models["volumes"] = volumes(O.SGD(0.05, momentum=0.5))
    models["prepared"] = prepared(O.SGD(0.05, momentum=0.5))
    models["several"] = several(O.SGD(0.05, momentum=0.5))
    models["several_adam"] = several(O.Adam(0.01))
    models["attended"] = attended(O.SGD(0.05, momentum=0.5))
    models["nested"] = nested(O.SGD(0.05, momentum=0.5))
    models["nested_text"] = nested_text(O.SGD(0.05, momentum=0.5))
    models["transfer"] = transfer(O.Adam(0.01))
    for network in NETWORKS:
        model, loss = network()
        model.compile(O.SGD(0.05, momentum=0.5), loss)
        train(model)
        models[network.__name__] = model
    models["deep"] = build(deep(), O.SGD(0.01))
    models["named"] = build(named(), O.Adam(0.01))
    models["squared"] = build(small(), O.SGD(0.05), "mean_squared_error", ["mean_squared_error"])
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    models["smoothed"] = build(small(), O.SGD(0.05), smoothed, ["accuracy"])
    models["recurrent"] = build(recurrent(), O.SGD(0.05, momentum=0.5), shape=(7, 3))
    models["recurrent_adam"] = build(recurrent(), O.Adam(0.01), shape=(7, 3))
    models["text"] = build(text(), O.SGD(0.05, momentum=0.5), shape=(7,))
    untrained = keras.Sequential([keras.Input((6, 6, 2)), *small()])
    untrained.compile(O.Adam(0.01), "categorical_crossentropy")
    models["untrained"] = untrained
    if sys.argv[1:]:
        models = {name: models[name] for name in sys.argv[1:]}

    with tempfile.TemporaryDirectory() as folder:
        first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
        for place in [first, second]:
            os.makedirs(os.path.join(place, "in"))
        for name, model in models.items():
            model.save(os.path.join(first, "in", name + ".keras"))
            # Nor of Adafactor, whose variables share names.
            if name not in ("prepared", "adafactor"):
                model.save(os.path.join(first, "in", name + ".h5"))
        if "adam" in models:
            pack(os.path.join(first, "in", "adam.h5"))
        rust(first)
        trained = {}
        for name, model in models.items():
            if name not in ("prepared", "lamb", "adafactor"):
                check(first, f"{name}_h5", model, None)
            train_on = "otherwise" if name == "dropping" else "equally"
            trained[name] = check(first, f"{name}_keras", model, train_on)
            # What Keras made of the crate's file goes back.
            trained[name].save(os.path.join(second, "in", name + ".keras"))
        own = keras.models.load_model(os.path.join(first, "out", "own.keras"))
        check(first, "own", own, "otherwise")
        rust(second)
        for name, model in trained.items():
            check(second, f"{name}_keras", model, None)
    print(f"keras_round_trip: {len(models)} models went to Keras {keras.__version__} and back: all is equal")


sys.exit(main())
