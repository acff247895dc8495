"""Writes the golden files of training: what the real Keras reports, decides,
prints and writes while a model trains. Runs like make.py beside it.

    pip install keras jax numpy
    python tests/golden/fit.py

fit.json: the history, the weights and the scores of small networks that were
trained without shuffling, for the options of fit.

callbacks.json: callbacks that are told a made-up history, epoch after epoch,
and a model whose only weight is the number of the epoch (from 1). "ran" is the
number of epochs until training was stopped, "weight" the model's weight at the
end, "rates" the learning rate after each epoch, "printed" the text that was
printed, "saved" the files that were saved, "file" the text of a file that was
written, "keys" the names in the history.

progress.json: what the progress bar prints at given times, on a terminal
("verbose": 1) and as a line for each epoch (2). Each update is [step, seconds
since the epoch began, names and values]; the last one finishes the epoch.
"""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import warnings
from unittest import mock

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def encode(value):
    """Arrays as {"shape", "data"}, with the fewest digits that read back."""
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}:{encode(v)}" for key, v in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(encode(v) for v in value) + "]"
    if isinstance(value, np.ndarray):
        data = ",".join(str(number) for number in value.ravel())
        return f'{{"shape":{json.dumps(value.shape)},"data":[{data}]}}'
    if isinstance(value, (float, np.floating)) and not np.isfinite(value):
        return json.dumps(str(value))  # "nan", "inf", "-inf"
    if isinstance(value, np.generic):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def write(file, cases):
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    lines = ",\n".join(encode(case) for case in cases)
    text = f'{{"versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n'
    json.loads(text)
    (HERE / file).write_text(text)
    print(f"{file}: {len(cases)} cases, {len(text)} bytes")


# ----------------------------------------------------------------------- fit

N, CLASSES = 11, 3


def fits():
    rng = np.random.default_rng(7)

    def normal(*shape):
        return rng.normal(size=shape).round(3).astype(np.float32)

    labels = rng.integers(CLASSES, size=N)
    inputs = {
        "x": normal(N, 4),
        "labels": labels.astype(np.float32),
        "sample_weight": rng.uniform(0, 3, size=N).round(2).astype(np.float32),
        "val_x": normal(5, 4),
        "val_labels": rng.integers(CLASSES, size=5).astype(np.float32),
        "val_sample_weight": rng.uniform(0, 3, size=5).round(2).astype(np.float32),
        "weights": [normal(4, 5), normal(5), normal(5, CLASSES), normal(CLASSES)],
    }
    cases = []
    for name, options in [
        ("plain", {}),
        ("class numbers", {"sparse": True}),
        ("validation_split", {"validation_split": 0.3}),
        ("a large validation_split", {"validation_split": 0.75}),
        ("validation_data", {"validation_data": True}),
        ("weighted validation_data", {"validation_data": True, "val_sample_weight": True}),
        ("class_weight", {"class_weight": {0: 2.0, 2: 0.25}}),
        ("class_weight of class numbers", {"class_weight": {1: 0.0}, "sparse": True}),
        ("class_weight and validation_split", {"class_weight": {0: 2.0}, "validation_split": 0.3}),
        ("sample_weight", {"sample_weight": True}),
        ("sample_weight and validation_split", {"sample_weight": True, "validation_split": 0.3}),
        ("weighted_metrics", {"sample_weight": True, "validation_split": 0.3, "weighted": True}),
        ("weighted_metrics without weights", {"weighted": True}),
        ("validation_freq", {"validation_data": True, "validation_freq": 2, "epochs": 5}),
        ("initial_epoch", {"validation_data": True, "validation_freq": 2, "initial_epoch": 2}),
    ]:
        fit = {"epochs": 3, "batch_size": 4, **options}
        sparse = fit.pop("sparse", False)
        labels_of = (lambda y: y) if sparse else (lambda y: np.eye(CLASSES)[y.astype(int)])
        weighted = fit.pop("weighted", False)
        weights = inputs["sample_weight"] if fit.pop("sample_weight", False) else None
        val_weights = fit.pop("val_sample_weight", False)
        if fit.pop("validation_data", False):
            validation = (inputs["val_x"], labels_of(inputs["val_labels"]))
            fit["validation_data"] = (
                validation + (inputs["val_sample_weight"],) if val_weights else validation
            )
        model = keras.Sequential([
            keras.Input((4,)),
            keras.layers.Dense(5, "tanh", kernel_regularizer=keras.regularizers.L2(0.01)),
            keras.layers.Dense(CLASSES, "softmax"),
        ])
        model.set_weights(inputs["weights"])
        loss = ("sparse_" if sparse else "") + "categorical_crossentropy"
        model.compile(
            keras.optimizers.SGD(0.2, momentum=0.5),
            loss,
            metrics=["accuracy", loss],
            weighted_metrics=["accuracy"] if weighted else None,
        )
        x, y = inputs["x"], labels_of(inputs["labels"])
        history = model.fit(x, y, sample_weight=weights, shuffle=False, verbose=0, **fit)
        scores = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
        attrs = dict(options)
        if "class_weight" in attrs:
            attrs["class_weight"] = [list(pair) for pair in attrs["class_weight"].items()]
        case = {"name": name, "attrs": attrs}
        if not cases:
            case["inputs"] = inputs
        case["epochs"] = history.epoch
        case["history"] = history.history
        case["weights"] = model.get_weights()
        case["scores"] = scores
        cases.append(case)
    write("fit.json", cases)


# ----------------------------------------------------------------- callbacks


def scripted_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.5), "mean_squared_error", metrics=["accuracy"])
    model.train_on_batch(np.zeros((1, 1)), np.zeros((1, 1)))  # builds the metrics
    return model


def run(make, options, epochs, folder, batches=None):
    """Tells a callback a history; several in a row if `epochs` is a list of lists."""
    model = scripted_model()
    saved = []
    model.save = lambda path, **_: saved.append(os.path.relpath(path, folder))
    callback = make(**options)
    result = {"rates": []}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for history in epochs if isinstance(epochs[0], list) else [epochs]:
            callbacks = keras.callbacks.CallbackList([callback], add_history=True, model=model)
            model.stop_training = False
            callbacks.on_train_begin()
            ran = 0
            for epoch, logs in enumerate(history):
                callbacks.on_epoch_begin(epoch)
                model.set_weights([np.full((1, 1), epoch + 1)])
                for batch in range(batches or 0):
                    callbacks.on_train_batch_end(batch, {"loss": logs["loss"] + (batch % 2)})
                callbacks.on_epoch_end(epoch, logs)
                ran += 1
                result["rates"].append(float(model.optimizer.learning_rate.numpy()))
                if model.stop_training:
                    break
            callbacks.on_train_end(logs)
    result["ran"] = ran
    result["weight"] = float(model.get_weights()[0][0, 0])
    result["keys"] = list(model.history.history)
    result["printed"] = printed.getvalue().replace(f"{folder}/", "")
    result["saved"] = saved
    return result


def series(name, values):
    return [{name: value} for value in values]


def callbacks():
    nan, inf = float("nan"), float("inf")
    falling = [1.0, 0.8, 0.7, 0.65, 0.64, 0.64, 0.66, 0.63, 0.7, 0.7, 0.7, 0.7]
    accuracies = [0.1, 0.5, 0.4, 0.5, 0.6, 0.6, 0.55, 0.5, 0.4, 0.3]
    noisy = [3.0, 2.0, 2.5, 2.4, 2.3, 1.0, 1.5, 0.9, 0.95, 0.97, 0.96, 0.98, 0.99]
    full = [
        {"loss": 0.5 - i / 16, "accuracy": i / 4, "val_loss": v, "val_accuracy": i / 8}
        for i, v in enumerate([0.7, 0.123456, 0.5, 1e-5])
    ]
    cases = []

    def add(kind, name, options, epochs, **more):
        make = getattr(keras.callbacks, kind)
        with tempfile.TemporaryDirectory() as folder:
            kwargs = dict(options)
            for path in ("filename", "filepath"):
                if path in kwargs:
                    kwargs[path] = os.path.join(folder, kwargs[path])
            if "schedule" in kwargs:
                kwargs["schedule"] = SCHEDULES[kwargs["schedule"]]
            result = run(make, kwargs, epochs, folder, **more)
            if "filename" in kwargs:
                result["file"] = pathlib.Path(kwargs["filename"]).read_bytes().decode()
        cases.append({
            "callback": kind,
            "name": name,
            "options": options,
            "epochs": epochs,
            **more,
            "keras": result,
        })

    losses = series("val_loss", falling)
    for name, options, epochs in [
        ("defaults", {}, losses),
        ("patience", {"patience": 2}, losses),
        ("never", {"patience": 20}, losses),
        ("restore", {"patience": 3, "restore_best_weights": True}, losses),
        ("restore at the end", {"patience": 20, "restore_best_weights": True}, losses),
        ("min_delta", {"patience": 2, "min_delta": 0.1}, losses),
        ("negative min_delta", {"patience": 2, "min_delta": -0.1}, losses),
        ("a min_delta that is just met", {"min_delta": 0.1}, series("val_loss", [0.8, 0.7, 0.1])),
        ("max", {"patience": 1, "mode": "max"}, losses),
        ("accuracy", {"monitor": "accuracy", "patience": 2}, series("accuracy", accuracies)),
        ("val_accuracy, small", {"monitor": "val_accuracy", "mode": "min", "patience": 3},
         series("val_accuracy", accuracies)),
        ("baseline", {"baseline": 0.65, "patience": 3}, losses),
        ("baseline, restore", {"baseline": 0.1, "patience": 3, "restore_best_weights": True}, losses),
        ("start_from_epoch", {"start_from_epoch": 5}, losses),
        ("start_from_epoch, restore", {"start_from_epoch": 5, "restore_best_weights": True}, losses),
        ("worse from the start", {"restore_best_weights": True}, series("val_loss", [1.0, 2.0, 3.0])),
        ("not a number first", {"patience": 2}, series("val_loss", [nan, 1.0, 0.5, 0.4])),
        ("not a number later", {"patience": 2}, series("val_loss", [1.0, nan, 0.5, inf, nan, 0.4])),
        ("the same", {"patience": 2}, series("val_loss", [1.0] * 6)),
        ("again", {"patience": 2, "restore_best_weights": True}, [losses, losses[4:]]),
    ]:
        add("EarlyStopping", name, {"verbose": 1, **options}, epochs)

    plateau = series("val_loss", noisy)
    # Better in every place of a pause, and long enough for two pauses in a row.
    pauses = series("val_loss", [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25] + [0.125] * 9)
    for name, options, epochs in [
        ("defaults", {}, series("val_loss", [1.0] * 15)),
        # Not printed: the rate is a float32 there, with more digits than 0.005.
        ("twice", {"verbose": 0}, series("val_loss", [1.0] * 22)),
        ("factor and patience", {"factor": 0.5, "patience": 2}, plateau),
        ("cooldown", {"factor": 0.5, "patience": 1, "cooldown": 2}, plateau),
        ("min_lr", {"factor": 0.5, "patience": 1, "min_lr": 0.2}, plateau),
        ("min_delta", {"factor": 0.5, "patience": 2, "min_delta": 0.5}, plateau),
        ("max", {"factor": 0.5, "patience": 2, "mode": "max"}, plateau),
        ("patience 0", {"factor": 0.5, "patience": 0}, plateau),
        ("accuracy", {"factor": 0.25, "patience": 1, "monitor": "accuracy"},
         series("accuracy", accuracies)),
        ("not a number", {"factor": 0.5, "patience": 1}, series("val_loss", [1.0, nan, 0.5, 0.5])),
        ("again", {"factor": 0.5, "patience": 3}, [plateau, plateau[5:]]),
        ("all names", {"factor": 0.5, "patience": 1}, full),
    ] + [
        (f"cooldown {cooldown} and patience {patience}",
         {"factor": 0.5, "patience": patience, "cooldown": cooldown}, pauses)
        for cooldown in range(4) for patience in range(3)
    ]:
        add("ReduceLROnPlateau", name, {"verbose": 1, **options}, epochs)

    for name, schedule in [("halved", "halve"), ("by epoch", "by epoch")]:
        add("LearningRateScheduler", name, {"schedule": schedule, "verbose": 1}, full)

    files = "models/{epoch:02d}-{val_loss:.2f}.keras"
    for name, options, epochs, more in [
        ("every epoch", {"filepath": files}, full, {}),
        ("one file", {"filepath": "model.keras"}, full, {}),
        ("other formats", {"filepath": "{epoch:3d}{epoch}-{val_loss:.1e}{{}}{loss}-{val_loss}.keras"},
         full, {}),
        ("the best", {"filepath": files, "save_best_only": True}, full, {}),
        ("the best accuracy",
         {"filepath": "m.keras", "save_best_only": True, "monitor": "val_accuracy"}, full, {}),
        ("the largest loss", {"filepath": files, "save_best_only": True, "mode": "max"}, full, {}),
        ("threshold",
         {"filepath": files, "save_best_only": True, "initial_value_threshold": 0.2}, full, {}),
        ("not a number", {"filepath": "{epoch}.keras", "save_best_only": True},
         series("val_loss", [1.0, nan, 0.5]), {}),
        ("again", {"filepath": "{epoch}.keras", "save_best_only": True}, [losses, losses[:3]], {}),
        ("batches", {"filepath": "{epoch}-{batch:02d}-{loss:.4f}.keras", "save_freq": 3}, full,
         {"batches": 5}),
        ("a batch", {"filepath": "{epoch}-{batch}.keras", "save_freq": 1}, full, {"batches": 1}),
    ]:
        add("ModelCheckpoint", name, {"verbose": 1, **options}, epochs, **more)

    for name, options, epochs in [
        ("all names", {}, full),
        ("without validation", {}, series("loss", [1.0, 0.1 + 0.2, 1e-7, 1e16, nan, inf])),
        ("validation later", {}, [{"loss": 1.5}, {"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5}]),
        ("validation at first", {}, [{"loss": 1.5, "val_loss": 2.0}, {"loss": 1.0}]),
        ("names that come later", {}, [{"loss": 1.5}, {"loss": 1.0, "other": 2.0}]),
        ("separator", {"separator": ";"}, full),
        ("a separator in values", {"separator": "."}, full),
        ("a separator in names", {}, [{"a,b": 1.0, 'c"d': 2.0, "val_e;f": 3.0}]),
        ("anew", {}, [full, full[:1]]),
        ("append", {"append": True}, [full, full[:1]]),
    ]:
        add("CSVLogger", name, {"filename": "log.csv", **options}, epochs)
    write("callbacks.json", cases)


SCHEDULES = {
    "halve": lambda epoch, rate: rate / 2,
    "by epoch": lambda epoch, rate: 1 / (1 << epoch),
}


# ------------------------------------------------------------------ progress


def progress():
    cases = []
    for name, steps, updates in [
        ("two steps", 2, [
            [1, 0.5, {"accuracy": 0.5, "loss": 2.0}],
            [2, 0.75, {"accuracy": 0.25, "loss": 1.0}],
            [2, 1.0, {"accuracy": 0.25, "loss": 1.0, "val_accuracy": 0.5, "val_loss": 1.5}],
        ]),
        ("one step", 1, [[1, 0.25, {"loss": 2.0}], [1, 0.5, {"loss": 2.0}]]),
        ("many steps, some too soon", 123, [
            [1, 2.0, {"loss": 1.0}],
            [2, 2.03, {"loss": 0.9}],
            [3, 2.06, {"loss": 0.8}],
            [60, 90.0, {"loss": 0.7}],
            [100, 100.5, {"loss": 0.00012345}],
            [123, 100.51, {"loss": 0.001}],
            [123, 123.0, {"loss": 0.001, "learning_rate": 1e-5}],
        ]),
        ("hours", 1000, [
            [1, 8.0, {"loss": -2.0}],
            [2, 16.0, {"loss": -0.0005}],
            [400, 3200.0, {"loss": 0.0}],
            [993, 7944.0, {"loss": float("nan")}],
            [1000, 8000.0, {"loss": float("inf"), "other": -2.0}],
        ]),
        ("names out of order", 20, [
            [1, 0.0001, {"loss": 1.0, "zeros": 2.0}],
            [20, 0.0096, {"loss": 1.0, "zeros": 2.0}],
            [20, 0.0101, {"loss": 1.0, "val_loss": 1.0, "val_zeros": 3.0, "zeros": 2.0}],
        ]),
        ("fast steps", 50, [[50, 0.01, {"loss": 1234567.0}], [50, 0.02, {"loss": 1.0}]]),
    ]:
        for verbose in (1, 2):
            with mock.patch("time.time") as clock, mock.patch("sys.stdout") as out:
                out.isatty.return_value = True
                clock.return_value = 1000.0
                bar = keras.utils.Progbar(steps, verbose=verbose, stateless_metrics=set())
                texts = []
                for i, (step, seconds, values) in enumerate(updates):
                    out.write.reset_mock()
                    clock.return_value = 1000.0 + seconds
                    last = i == len(updates) - 1
                    # As the callback that draws it: nothing between epochs.
                    if verbose == 1 or last:
                        bar.update(step, list(values.items()), finalize=last)
                    texts.append("".join(call.args[0] for call in out.write.call_args_list))
            cases.append({
                "name": name,
                "verbose": verbose,
                "steps": steps,
                "updates": updates,
                "texts": texts,
            })
    write("progress.json", cases)


if __name__ == "__main__":
    fits()
    callbacks()
    progress()
