"""Writes the golden files of the arithmetic of training: what Keras (on JAX)
makes of small inputs. Runs like make.py beside it, and writes files of the same
form, with the column of Keras alone. "config" is what Keras writes for the
object at hand.

    python tests/golden/train.py

optimizers.json: the two weights "a" and "b" after the first and after the last
of 20 steps, and the optimizer's variables then, in Keras's order (without the
step's number and the learning rate); those that are single numbers apart. The gradients of a step are a row: those
of "a", then those of "b". Weights and gradients are the same in all cases, and
written in the first alone. "change" is a step after which the learning rate was
set by hand.

schedules.json: the learning rate at "steps".

losses.json: the loss of each sample, and the gradient of their mean.

metrics.json: the value after two updates, without and with weights of samples.

regularizers.json: the penalty on a weight, and its gradient.

No absolute value is taken of 0, and no probability is exactly where it would be
clipped: what the slope is there depends on Keras's backend.
"""

from make import Random, write

import jax
import jax.numpy as jnp
import keras
import numpy as np

serialize = keras.saving.serialize_keras_object
schedules = keras.optimizers.schedules


# ---------------------------------------------------------------- optimizers


def optimizers():
    random = Random(21)
    a, b = random.normal(3), random.normal(2, 2)
    # Steps of different sizes, so that clipping clips some of them.
    sizes = np.linspace(2, 0.1, 20)[:, None]
    gradients = (random.normal(20, 7) * sizes).round(3).astype(np.float32)
    o = keras.optimizers
    cases = []
    for name, optimizer, change in [
        ("sgd", o.SGD(0.05), None),
        ("sgd, nesterov", o.SGD(0.05, momentum=0.9, nesterov=True), None),
        ("sgd, changed rate", o.SGD(0.05, momentum=0.9), [10, 0.01]),
        (
            "sgd, clipnorm and decay",
            o.SGD(0.05, momentum=0.5, clipnorm=1.0, weight_decay=0.1),
            None,
        ),
        (
            "sgd, clipvalue and schedule",
            o.SGD(schedules.ExponentialDecay(0.1, 4, 0.5), clipvalue=0.5),
            None,
        ),
        ("adam", o.Adam(0.05, beta_1=0.8, beta_2=0.9, epsilon=0.01), None),
        ("adam, amsgrad", o.Adam(0.05, beta_2=0.8, amsgrad=True), None),
        (
            "adam, global_clipnorm and schedule",
            o.Adam(
                schedules.CosineDecay(0.01, 10, warmup_target=0.1, warmup_steps=5),
                epsilon=0.01,
                global_clipnorm=1.0,
            ),
            None,
        ),
        ("adamw", o.AdamW(0.05), None),
        (
            "adamw, decay and schedule",
            o.AdamW(schedules.PiecewiseConstantDecay([4, 9], [0.1, 0.05, 0.02]), weight_decay=0.2),
            None,
        ),
        ("rmsprop", o.RMSprop(0.02, rho=0.8, epsilon=0.05), None),
        ("rmsprop, momentum", o.RMSprop(0.02, momentum=0.7), [5, 0.05]),
        ("rmsprop, centered", o.RMSprop(0.02, centered=True, epsilon=0.05), None),
        (
            "rmsprop, all",
            o.RMSprop(0.02, momentum=0.5, centered=True, epsilon=0.01, weight_decay=0.1),
            None,
        ),
        ("adagrad", o.Adagrad(0.1, epsilon=0.05), None),
        ("adagrad, clipnorm", o.Adagrad(0.1, initial_accumulator_value=0.5, clipnorm=0.5), None),
        ("nadam", o.Nadam(0.05), None),
        ("nadam, betas", o.Nadam(0.05, beta_1=0.7, beta_2=0.9, epsilon=0.01, weight_decay=0.1), [7, 0.01]),
        ("adamax", o.Adamax(0.05), None),
        ("adamax, betas", o.Adamax(0.05, beta_1=0.7, beta_2=0.8, epsilon=0.05, clipnorm=1.0), None),
        ("adadelta", o.Adadelta(1.0), None),
        ("adadelta, rho", o.Adadelta(0.5, rho=0.8, epsilon=0.05), [5, 0.25]),
        ("ftrl", o.Ftrl(0.1), None),
        (
            "ftrl, all",
            o.Ftrl(
                0.2,
                learning_rate_power=-0.7,
                initial_accumulator_value=0.3,
                l1_regularization_strength=0.1,
                l2_regularization_strength=0.2,
                l2_shrinkage_regularization_strength=0.05,
                beta=0.3,
            ),
            [10, 0.1],
        ),
        ("lion", o.Lion(0.02), None),
        ("lion, betas", o.Lion(0.02, beta_1=0.6, beta_2=0.8, weight_decay=0.1), None),
        ("lamb", o.Lamb(0.05), None),
        ("lamb, betas", o.Lamb(0.05, beta_1=0.7, beta_2=0.9, epsilon=0.05), None),
        ("adafactor", o.Adafactor(0.05), None),
        (
            "adafactor, all",
            o.Adafactor(0.5, beta_2_decay=-0.5, epsilon_1=1e-3, epsilon_2=0.1, clip_threshold=0.4, weight_decay=0.1),
            None,
        ),
        ("adafactor, long steps", o.Adafactor(2.0, relative_step=False), None),
        ("muon", o.Muon(0.05), None),
        (
            "muon, all",
            o.Muon(
                0.05,
                adam_beta_1=0.8,
                adam_beta_2=0.9,
                adam_weight_decay=0.2,
                weight_decay=0.1,
                epsilon=0.01,
                muon_a=2.0,
                muon_b=-1.5,
                muon_c=0.5,
                adam_lr_ratio=0.5,
                momentum=0.8,
                ns_steps=3,
                nesterov=False,
                rms_rate=None,
            ),
            None,
        ),
        ("muon, excluded", o.Muon(0.05, exclude_layers=["b"], adam_weight_decay=None, rms_rate=0.5), None),
        ("schedule-free", o.ScheduleFreeAdamW(0.05), None),
        (
            "schedule-free, all",
            o.ScheduleFreeAdamW(0.1, beta_1=0.7, beta_2=0.9, epsilon=0.01, warmup_steps=5, weight_decay=0.1),
            None,
        ),
    ]:
        config = serialize(optimizer)
        weights = {"a": keras.Variable(a, name="a"), "b": keras.Variable(b, name="b")}

        def values():
            return {name: weight.numpy().copy() for name, weight in weights.items()}

        for step, row in enumerate(gradients, 1):
            optimizer.apply([row[:3], row[3:].reshape(2, 2)], list(weights.values()))
            if step == 1:
                first = values()
            if change and step == change[0]:
                optimizer.learning_rate = change[1]
        kept = {}
        last = lambda v: v.path.split("/")[-1]
        for v in (v for v in optimizer.variables if v.shape or last(v) in weights):
            slot = last(v)
            if slot in weights:  # Adafactor calls those of rows and of columns by the weight's name.
                slot += "_c" if f"{slot}_r" in kept else "_r"
            kept[slot] = v.numpy()
        # Those that are no slots, nor the step's number, nor a learning rate.
        known = [optimizer.iterations, getattr(optimizer, "_learning_rate", None)]
        others = [v for v in optimizer.variables if not v.shape and last(v) not in weights]
        numbers = [v.numpy() for v in others if all(v is not it for it in known)]
        cases.append({
            "name": name,
            "attrs": {"config": config, "change": change},
            "inputs": {} if cases else {"a": a, "b": b, "gradients": gradients},
            "keras": {"first": first, "last": values(), "kept": kept, "numbers": np.array(numbers, np.float32)},
        })
    write("optimizers.json", cases)


def rates():
    steps = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 30]
    cases = []
    for name, schedule in [
        ("exponential", schedules.ExponentialDecay(0.1, 4, 0.7)),
        ("exponential staircase", schedules.ExponentialDecay(0.1, 4, 0.7, staircase=True)),
        ("piecewise", schedules.PiecewiseConstantDecay([3, 8], [0.3, 0.2, 0.1])),
        ("cosine", schedules.CosineDecay(0.1, 12)),
        ("cosine alpha", schedules.CosineDecay(0.1, 12, alpha=0.2)),
        (
            "cosine warmup",
            schedules.CosineDecay(0.02, 12, alpha=0.2, warmup_target=0.1, warmup_steps=5),
        ),
        ("polynomial", schedules.PolynomialDecay(0.1, 8)),
        (
            "polynomial power",
            schedules.PolynomialDecay(0.1, 8, end_learning_rate=0.02, power=0.5),
        ),
        (
            "polynomial cycle",
            schedules.PolynomialDecay(0.1, 8, end_learning_rate=0.02, power=2.0, cycle=True),
        ),
        ("inverse time", schedules.InverseTimeDecay(0.1, 4, 0.5)),
        ("inverse time staircase", schedules.InverseTimeDecay(0.1, 4, 0.5, staircase=True)),
    ]:
        values = [np.float32(schedule(np.int32(step))) for step in steps]
        cases.append({
            "name": name,
            "attrs": {"config": serialize(schedule), "steps": steps},
            "inputs": {},
            "keras": {"rates": np.array(values, np.float32)},
        })
    write("schedules.json", cases)


# ------------------------------------------------------- losses, penalties


def probabilities(random, *shape):
    return np.clip(1 / (1 + np.exp(-2 * random.normal(*shape))), 0.001, 0.999).round(3)


def losses():
    random = Random(22)
    bits = random.rng.integers(2, size=(4, 3)).astype(np.float32)
    # Beyond, and within, what probabilities are clipped to.
    extremes = np.array([[0, 0.25, 1], [1e-8, 0.5, 0.75]], np.float32)
    extreme_bits = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    logits = np.array([[-80, -3, 0.5], [80, 0, 3]], np.float32)
    distributions = [random.rng.dirichlet(np.ones(3), 4).round(3) for _ in range(2)]
    differences = np.array([[0, 0.3, -0.5, 0.5], [2.5, -2.5, 1, -1], [4, -0.1, 0, 0.7]])
    around = random.normal(3, 4)
    # The differences are exact in float32.
    around = (np.round(around * 8) / 8).astype(np.float32)
    exact = (np.round(differences * 8) / 8).astype(np.float32)
    # Drawn apart, so that what was drawn before stays.
    late = Random(24)
    signs = 2 * bits - 1
    positive = [np.abs(late.normal(4, 3)) + 0.125 for _ in range(2)]
    k = keras.losses
    cases = []
    for name, loss_of, targets, predictions in [
        ("mean squared error", k.MeanSquaredError, random.normal(4, 3), random.normal(4, 3)),
        ("mean absolute error", k.MeanAbsoluteError, random.normal(4, 3), random.normal(4, 3)),
        ("mean absolute error, two axes", k.MeanAbsoluteError, random.normal(2, 3, 2), random.normal(2, 3, 2)),
        ("huber", k.Huber, around, around + exact),
        ("huber, delta", lambda **kw: k.Huber(delta=0.5, **kw), around, around + exact),
        ("binary crossentropy", k.BinaryCrossentropy, bits, probabilities(random, 4, 3)),
        ("binary crossentropy, clipped", k.BinaryCrossentropy, extreme_bits, extremes),
        (
            "binary crossentropy, smoothed",
            lambda **kw: k.BinaryCrossentropy(label_smoothing=0.2, **kw),
            bits,
            probabilities(random, 4, 3),
        ),
        (
            "binary crossentropy, logits",
            lambda **kw: k.BinaryCrossentropy(from_logits=True, **kw),
            extreme_bits,
            logits,
        ),
        (
            "binary crossentropy, logits, smoothed",
            lambda **kw: k.BinaryCrossentropy(from_logits=True, label_smoothing=0.2, **kw),
            bits,
            random.normal(4, 3),
        ),
        (
            "binary crossentropy, two axes",
            k.BinaryCrossentropy,
            bits.reshape(2, 3, 2),
            probabilities(random, 2, 3, 2),
        ),
        ("kl divergence", k.KLDivergence, *distributions),
        ("kl divergence, clipped", k.KLDivergence, extremes[:, ::-1], extremes * 0.9),
        (
            "categorical crossentropy, smoothed",
            lambda **kw: k.CategoricalCrossentropy(label_smoothing=0.2, **kw),
            np.eye(3, dtype=np.float32)[[0, 2, 1, 1]],
            distributions[0],
        ),
        (
            "categorical crossentropy, logits, smoothed",
            lambda **kw: k.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, **kw),
            np.eye(3, dtype=np.float32)[[0, 2, 1, 1]],
            random.normal(4, 3),
        ),
        ("hinge", k.Hinge, signs, late.normal(4, 3)),
        ("hinge, binary targets", k.Hinge, bits, late.normal(4, 3)),
        ("squared hinge", k.SquaredHinge, signs, late.normal(4, 3)),
        ("categorical hinge", k.CategoricalHinge, np.eye(3, dtype=np.float32)[[0, 2, 1, 1]], late.normal(4, 3)),
        ("mean absolute percentage error", k.MeanAbsolutePercentageError, late.normal(4, 3), late.normal(4, 3)),
        ("mean squared logarithmic error", k.MeanSquaredLogarithmicError, *positive),
        ("poisson", k.Poisson, np.floor(positive[0] * 3), positive[1]),
        ("log cosh", k.LogCosh, late.normal(4, 3), 3 * late.normal(4, 3)),
    ]:
        targets, predictions = (np.array(x, np.float32) for x in (targets, predictions))
        each = loss_of(reduction=None)(targets, predictions)
        mean = loss_of()
        cases.append({
            "name": name,
            "attrs": {"config": serialize(mean)},
            "inputs": {"targets": targets, "predictions": predictions},
            "keras": {
                "loss": np.asarray(each).reshape(len(targets), -1).mean(axis=1),
                "dpredictions": jax.grad(lambda p: mean(targets, p))(jnp.array(predictions)),
            },
        })
    write("losses.json", cases)


def regularizers():
    weight = np.array([[0.5, -1.5, 0.75], [2, -0.25, 1e-3]], np.float32)
    r = keras.regularizers
    cases = []
    for name, regularizer in [
        ("l1", r.L1(0.02)),
        ("l2", r.L2(0.03)),
        ("l1 and l2", r.L1L2(l1=0.02, l2=0.03)),
    ]:
        cases.append({
            "name": name,
            "attrs": {"config": serialize(regularizer)},
            "inputs": {} if cases else {"weight": weight},
            "keras": {
                "penalty": np.float32(regularizer(weight)),
                "gradient": jax.grad(regularizer)(jnp.array(weight)),
            },
        })
    write("regularizers.json", cases)


# ------------------------------------------------------------------- metrics


def metrics():
    random = Random(23)
    n = 12
    bits = random.rng.integers(2, size=(n, 2)).astype(np.float32)
    guesses = probabilities(random, n, 2)
    guesses[0], guesses[1] = [0, 1], [0.5, 0.25]  # on thresholds, and at the ends
    labels = random.rng.integers(7, size=n)
    scores = random.normal(n, 7)
    scores[0, :3] = scores[0, 3]  # ties
    one_hot = np.eye(7, dtype=np.float32)[labels]
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    weights = random.rng.uniform(0, 2, size=n).round(2).astype(np.float32)
    m = keras.metrics
    cases = []
    for name, metric, targets, predictions in [
        ("binary accuracy", m.BinaryAccuracy(), bits, guesses),
        ("binary accuracy, threshold", m.BinaryAccuracy(threshold=0.25), bits, guesses),
        ("categorical accuracy", m.CategoricalAccuracy(), one_hot, scores),
        ("sparse categorical accuracy", m.SparseCategoricalAccuracy(), labels, scores),
        ("top 5", m.TopKCategoricalAccuracy(), one_hot, scores),
        ("top 2", m.TopKCategoricalAccuracy(k=2), one_hot, scores),
        ("sparse top 5", m.SparseTopKCategoricalAccuracy(), labels, scores),
        ("sparse top 2", m.SparseTopKCategoricalAccuracy(k=2), labels, scores),
        ("precision", m.Precision(), bits, guesses),
        ("precision, threshold", m.Precision(thresholds=0.25), bits, guesses),
        ("recall", m.Recall(), bits, guesses),
        ("recall, threshold", m.Recall(thresholds=0.7), bits, guesses),
        ("auc, roc", m.AUC(), bits, guesses),
        ("auc, pr", m.AUC(curve="PR"), bits, guesses),
        ("auc, roc of few thresholds", m.AUC(num_thresholds=4), bits, guesses),
        ("auc, pr of few thresholds", m.AUC(num_thresholds=5, curve="PR"), bits, guesses),
        ("mean squared error", m.MeanSquaredError(), one_hot, scores),
        ("mean absolute error", m.MeanAbsoluteError(), one_hot, scores),
        ("binary crossentropy", m.BinaryCrossentropy(), bits, guesses),
        ("binary crossentropy, logits", m.BinaryCrossentropy(from_logits=True), one_hot, scores),
        ("categorical crossentropy", m.CategoricalCrossentropy(), one_hot, softmax),
        (
            "categorical crossentropy, smoothed",
            m.CategoricalCrossentropy(label_smoothing=0.1),
            one_hot,
            softmax,
        ),
        ("sparse categorical crossentropy", m.SparseCategoricalCrossentropy(), labels, softmax),
        ("kl divergence", m.KLDivergence(), one_hot, softmax),
        ("hinge", m.Hinge(), bits, guesses),
        ("mean absolute percentage error", m.MeanAbsolutePercentageError(), one_hot + 1, scores),
        ("root mean squared error", m.RootMeanSquaredError(), one_hot, scores),
        ("true positives", m.TruePositives(), bits, guesses),
        ("false positives", m.FalsePositives(), bits, guesses),
        ("true negatives", m.TrueNegatives(), bits, guesses),
        ("false negatives", m.FalseNegatives(thresholds=0.25), bits, guesses),
    ]:
        targets = np.array(targets, np.float32)
        predictions = np.array(predictions, np.float32).round(4)
        results = {}
        for kind, sample_weight in [("plain", None), ("weighted", weights)]:
            metric.reset_state()
            for part in (slice(0, 5), slice(5, n)):
                weight = None if sample_weight is None else sample_weight[part]
                metric.update_state(targets[part], predictions[part], weight)
            results[kind] = np.float32(metric.result())
        cases.append({
            "name": name,
            "attrs": {"config": serialize(metric)},
            "inputs": {"targets": targets, "predictions": predictions},
            "keras": results,
        })
    cases[0]["inputs"]["weights"] = weights
    write("metrics.json", cases)


if __name__ == "__main__":
    optimizers()
    rates()
    losses()
    regularizers()
    metrics()
