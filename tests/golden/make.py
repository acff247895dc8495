"""Writes the golden files of the tests: small inputs, with the outputs and
gradients that Keras (on JAX) and PyTorch give for them.

    pip install keras jax torch numpy
    python tests/golden/make.py

Each JSON file is written beside this script, one case on a line:

    {"versions": {"keras": "...", "torch": "...", "backend": "jax"},
     "cases": [{"name": ..., "attrs": {...}, "inputs": {...},
                "keras": {outputs}, "torch": {outputs}}, ...]}

An array is {"shape": [...], "data": [...]}: float32 in row-major order, with
the fewest digits that read back as the same float32; labels are integers.
Images are [n, h, w, c] and convolution kernels [h, w, in, out], for both
libraries. Gradients (dx, dkernel, dbias) are those of sum(y * dy), with dy
among the inputs; those of a loss are of its mean over the samples.

The two columns are computed apart: Keras's by its own layers, losses and
optimizers, PyTorch's by torch.nn.functional, with "same" padding, clipping and
Adam spelled out as Keras defines them. The script fails if the two differ by
more than 1e-5 of the largest value of the array.

training_step.json: the loss (penalties included) and the gradients are those
of the first step, the weights those after the last. The inputs and gradients
are the same in all its cases, and written in the first alone.

summary-*.txt: what Keras prints as a model's summary.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["COLUMNS"] = "100"  # wide enough for the whole summary

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-5


# ---------------------------------------------------------------- the files


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def encode(value):
    """JSON text of a value, in which any array is a {"shape", "data"} object."""
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}:{encode(v)}" for key, v in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        array = np.asarray(value)
        assert array.dtype in (np.float32, np.int32), array.dtype
        assert np.isfinite(array).all()
        data = ",".join(str(number) for number in array.ravel())
        return f'{{"shape":{compact(array.shape)},"data":[{data}]}}'
    return compact(value)


def check(name, ours, theirs):
    """Asserts that two (nested) dicts of arrays agree."""
    assert ours.keys() == theirs.keys(), name
    for key in ours:
        if isinstance(ours[key], dict):
            check(f"{name}, {key}", ours[key], theirs[key])
            continue
        a, b = np.asarray(ours[key]), theirs[key].detach().numpy()
        assert a.shape == b.shape, f"{name}, {key}: {a.shape} and {b.shape}"
        error, limit = np.abs(a - b).max(), TOLERANCE * np.abs(b).max()
        assert error <= limit, f"{name}, {key}: {error} > {limit}"


def write(file, cases):
    versions = {"keras": keras.__version__, "torch": torch.__version__}
    versions["torch"] = versions["torch"].split("+")[0]  # "+cpu" and the like
    versions["backend"] = keras.backend.backend()
    for case in cases:
        if "torch" in case:
            check(f"{file}, {case['name']}", case["keras"], case["torch"])
    lines = ",\n".join(encode(case) for case in cases)
    text = f'{{"versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n'
    json.loads(text)
    (HERE / file).write_text(text)
    print(f"{file}: {len(cases)} cases, {len(text)} bytes")


class Random:
    """Random float32 inputs of few digits; each file has its own seed."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape, scale=1.0):
        return (self.rng.normal(size=shape) * scale).round(3).astype(np.float32)

    def distinct(self, *shape):
        """No two values nearer than 0.01, so that no maximum is a tie."""
        size = int(np.prod(shape))
        values = (np.arange(size) - size // 2) * 0.037
        return self.rng.permutation(values).round(3).reshape(shape).astype(np.float32)

    def one_hot(self, n, classes):
        return np.eye(classes, dtype=np.float32)[self.rng.integers(classes, size=n)]


# ------------------------------------------------------------- the libraries


def run_keras(layer, inputs):
    """Output and gradients of a Keras layer, whose weights are inputs too."""
    names = [name for name in ("kernel", "bias") if name in inputs]
    layer.build(inputs["x"].shape)

    def call(x, weights):
        return layer.stateless_call(weights, [], x)[0]

    x, dy = jnp.array(inputs["x"]), jnp.array(inputs["dy"])
    y, pull_back = jax.vjp(call, x, [jnp.array(inputs[name]) for name in names])
    dx, dweights = pull_back(dy)
    return {"y": y, "dx": dx, **{f"d{n}": d for n, d in zip(names, dweights)}}


def run_torch(call, inputs):
    """The same of a function of PyTorch tensors (channels last)."""
    names = [name for name in ("x", "kernel", "bias") if name in inputs]
    args = [torch.tensor(inputs[name], requires_grad=True) for name in names]
    y = call(*args)
    (y * torch.tensor(inputs["dy"])).sum().backward()
    return {"y": y, **{f"d{n}": arg.grad for n, arg in zip(names, args)}}


def pad_same(x, window, strides, value=0.0):
    """Pads an NCHW tensor as Keras's "same" does: ceil(size / stride) windows,
    with the odd pixel of the padding at the end."""
    pads = []
    for size, w, s in zip(x.shape[2:], window, strides):
        total = max((-(-size // s) - 1) * s + w - size, 0)
        pads = [total // 2, total - total // 2] + pads  # F.pad: last axis first
    return F.pad(x, pads, value=value)


def torch_conv2d(x, kernel, bias, strides=(1, 1), padding="valid"):
    x = x.permute(0, 3, 1, 2)
    if padding == "same":
        x = pad_same(x, kernel.shape[:2], strides)
    y = F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride=tuple(strides))
    return y.permute(0, 2, 3, 1)


def torch_max_pool2d(x, pool_size, strides, padding):
    x = x.permute(0, 3, 1, 2)
    if padding == "same":
        x = pad_same(x, pool_size, strides, value=-torch.inf)
    return F.max_pool2d(x, tuple(pool_size), tuple(strides)).permute(0, 2, 3, 1)


def torch_avg_pool2d(x, pool_size, strides, padding):
    x = x.permute(0, 3, 1, 2)
    real = torch.ones_like(x)
    if padding == "same":  # padding counts neither in the sum nor in the divisor
        x, real = (pad_same(t, pool_size, strides) for t in (x, real))
    means = [F.avg_pool2d(t, tuple(pool_size), tuple(strides)) for t in (x, real)]
    return (means[0] / means[1]).permute(0, 2, 3, 1)


TORCH_ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "elu": F.elu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x: F.softmax(x, dim=-1),
}


# -------------------------------------------------------------------- layers


def conv2d():
    random = Random(1)
    cases = []
    for name, x, kernel, strides, padding in [
        ("valid", (1, 4, 4, 1), (3, 3, 1, 1), (1, 1), "valid"),
        ("same 5x5", (1, 3, 3, 1), (5, 5, 1, 1), (1, 1), "same"),
        ("same 2x2, even kernel", (1, 3, 2, 1), (2, 2, 1, 1), (1, 1), "same"),
        ("same stride 2, even input", (1, 4, 4, 1), (3, 3, 1, 1), (2, 2), "same"),
        ("same stride 2, even kernel", (1, 5, 3, 1), (4, 4, 1, 1), (2, 2), "same"),
        ("same stride 3 above the kernel", (1, 4, 2, 1), (2, 1, 1, 1), (3, 3), "same"),
        ("valid strides 2 and 3", (1, 4, 6, 1), (2, 3, 1, 1), (2, 3), "valid"),
        ("1x1", (1, 2, 1, 3), (1, 1, 3, 2), (1, 1), "valid"),
        ("batch of 3, channels", (3, 2, 2, 2), (2, 1, 2, 2), (1, 1), "valid"),
    ]:
        layer = keras.layers.Conv2D(kernel[-1], kernel[:2], strides, padding)
        inputs = {
            "x": random.normal(*x),
            "kernel": random.normal(*kernel),
            "bias": random.normal(kernel[-1]),
            "dy": random.normal(*layer.compute_output_shape(x)),
        }
        attrs = {"strides": strides, "padding": padding}
        cases.append({
            "name": name,
            "attrs": attrs,
            "inputs": inputs,
            "keras": run_keras(layer, inputs),
            "torch": run_torch(lambda *args: torch_conv2d(*args, **attrs), inputs),
        })
    write("conv2d.json", cases)


def pooling(file, seed, keras_layer, torch_pool):
    random = Random(seed)
    cases = []
    for name, x, pool, strides, padding in [
        ("2x2", (2, 4, 4, 2), (2, 2), (2, 2), "valid"),
        ("2x2, odd input", (1, 5, 3, 1), (2, 2), (2, 2), "valid"),
        ("3x3 stride 2 same", (1, 5, 5, 2), (3, 3), (2, 2), "same"),
        ("2x3 strides 1 and 2", (1, 4, 7, 1), (2, 3), (1, 2), "valid"),
        ("asymmetric same", (1, 4, 6, 1), (3, 3), (2, 2), "same"),
        ("asymmetric same 2x2 stride 1", (1, 3, 3, 1), (2, 2), (1, 1), "same"),
        ("negative border, same", (1, 4, 4, 1), (2, 2), (1, 1), "same"),
        ("all negative, same", (1, 5, 3, 1), (3, 3), (2, 2), "same"),
    ]:
        layer = keras_layer(pool, strides, padding)
        images = random.distinct(*x)
        if name.startswith("negative border"):  # around the inner pixels as they are
            inner = images[:, 1:-1, 1:-1].copy()
            images -= 1
            images[:, 1:-1, 1:-1] = inner
        elif name.startswith("all negative"):
            images -= 1
        images = images.round(3)
        assert len(np.unique(images)) == images.size, "a tie"
        inputs = {"x": images, "dy": random.normal(*layer.compute_output_shape(x))}
        attrs = {"pool_size": pool, "strides": strides, "padding": padding}
        cases.append({
            "name": name,
            "attrs": attrs,
            "inputs": inputs,
            "keras": run_keras(layer, inputs),
            "torch": run_torch(lambda x: torch_pool(x, **attrs), inputs),
        })
    write(file, cases)


def dense():
    random = Random(4)
    cases = []
    for name, activation in TORCH_ACTIVATIONS.items():
        inputs = {
            "x": random.normal(3, 4),
            "kernel": random.normal(4, 3),
            "bias": random.normal(3),
            "dy": random.normal(3, 3),
        }
        cases.append({
            "name": name,
            "attrs": {"activation": name},
            "inputs": inputs,
            "keras": run_keras(keras.layers.Dense(3, name), inputs),
            "torch": run_torch(lambda x, k, b: activation(x @ k + b), inputs),
        })
    write("dense.json", cases)


# -------------------------------------------------------------------- losses


def torch_probabilities(targets, p):
    """Keras's crossentropy of probabilities, as it is defined there."""
    p = p / p.sum(dim=-1, keepdim=True)
    return -(targets * p.clamp(1e-7, 1 - 1e-7).log()).sum(dim=-1)


# kind: names of the predictions and of the targets, Keras's loss and PyTorch's
# loss of (targets, predictions); each gives one number for each sample.
LOSSES = {
    "from_logits": (
        "logits",
        "targets",
        lambda t, p: keras.losses.categorical_crossentropy(t, p, from_logits=True),
        lambda t, p: F.cross_entropy(p, t, reduction="none"),
    ),
    "sparse_from_logits": (
        "logits",
        "labels",
        lambda t, p: keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True),
        lambda t, p: F.cross_entropy(p, t.long(), reduction="none"),
    ),
    "probabilities": (
        "probabilities",
        "targets",
        keras.losses.categorical_crossentropy,
        torch_probabilities,
    ),
    "mean_squared_error": (
        "predictions",
        "targets",
        keras.losses.mean_squared_error,
        lambda t, p: ((p - t) ** 2).mean(dim=-1),
    ),
}


def losses():
    random = Random(5)

    def probabilities(n, classes):
        p = np.exp(random.normal(n, classes))
        return (p / p.sum(axis=-1, keepdims=True)).round(3).astype(np.float32)

    # Predictions out of [1e-7, 1 - 1e-7] in turn: those of the target, of
    # another class, of both, and of none.
    clipped = np.array(
        [[3e-8, 0.6, 0.4], [0.7, 0.3, 2e-9], [1, 0, 0], [0.2, 0.3, 0.5]], np.float32
    )
    clipped_targets = np.eye(3, dtype=np.float32)[[0, 0, 0, 2]]
    labels = random.rng.integers(4, size=5).astype(np.int32)
    cases = []
    for name, kind, predictions, targets in [
        ("logits", "from_logits", random.normal(4, 3), random.one_hot(4, 3)),
        ("large logits", "from_logits", random.normal(3, 4, scale=60), random.one_hot(3, 4)),
        ("logits, soft targets", "from_logits", random.normal(4, 3), probabilities(4, 3)),
        ("logits, labels", "sparse_from_logits", random.normal(5, 4), labels),
        ("probabilities", "probabilities", probabilities(4, 3), random.one_hot(4, 3)),
        ("not normalised", "probabilities", 1.5 * probabilities(4, 3), random.one_hot(4, 3)),
        ("soft targets", "probabilities", probabilities(3, 4), probabilities(3, 4)),
        ("clipped", "probabilities", clipped, clipped_targets),
        ("mean squared error", "mean_squared_error", random.normal(4, 3), random.normal(4, 3)),
    ]:
        if name.endswith("soft targets"):  # rounded, they need not sum to 1
            targets[:, -1] = (1 - targets[:, :-1].sum(axis=-1)).round(3)
        p_name, t_name, keras_loss, torch_loss = LOSSES[kind]
        predictions = predictions.astype(np.float32)

        def keras_mean(p):
            loss = keras_loss(targets, p)
            return loss.mean(), loss

        grad, loss = jax.grad(keras_mean, has_aux=True)(jnp.array(predictions))
        p = torch.tensor(predictions, requires_grad=True)
        their_loss = torch_loss(torch.tensor(targets), p)
        their_loss.mean().backward()
        cases.append({
            "name": name,
            "attrs": {"kind": kind},
            "inputs": {p_name: predictions, t_name: targets},
            "keras": {"loss": loss, f"d{p_name}": grad},
            "torch": {"loss": their_loss, f"d{p_name}": p.grad},
        })
    write("crossentropy.json", cases)


# ------------------------------------------------------------------ training

L2 = 0.01
STEPS = 3


def keras_network():
    layers = keras.layers
    l2 = keras.regularizers.L2(L2)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(
            2, 3, padding="same", activation="relu", kernel_regularizer=l2, name="conv2d"
        ),
        layers.MaxPooling2D(2),
        layers.Conv2D(3, 3, activation="relu", kernel_regularizer=l2, name="conv2d_1"),
        layers.Flatten(),
        layers.Dense(4, activation="relu", kernel_regularizer=l2, name="dense"),
        layers.Dense(3, activation="softmax", kernel_regularizer=l2, name="dense_1"),
    ])


def keras_training(optimizer, x, y, weights):
    model = keras_network()
    variables = model.trainable_variables
    assert [v.path.removeprefix(f"{model.name}/") for v in variables] == list(weights)
    for variable, value in zip(variables, weights.values()):
        variable.assign(value)

    def loss_of(values):
        p, _, penalties = model.stateless_call(values, [], x, return_losses=True)
        return keras.losses.categorical_crossentropy(y, p).mean() + sum(penalties)

    loss, grads = jax.value_and_grad(loss_of)([v.value for v in variables])
    model.compile(optimizer, "categorical_crossentropy")
    for step in range(STEPS):
        reported = model.train_on_batch(x, y)
        if step == 0:
            assert abs(reported - loss) <= TOLERANCE * loss
    after = dict(zip(weights, (v.value for v in variables)))
    return loss, dict(zip(weights, grads)), after


class TorchAdam:
    """Adam in Keras's arithmetic: torch.optim.Adam corrects v before it adds
    epsilon, Keras puts both corrections into the learning rate."""

    def __init__(self, parameters, lr, betas=(0.9, 0.999), epsilon=1e-7):
        self.lr, self.betas, self.epsilon, self.t = lr, betas, epsilon, 0
        self.slots = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    def zero_grad(self):
        for p, _, _ in self.slots:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        alpha = self.lr * (1 - b2**self.t) ** 0.5 / (1 - b1**self.t)
        for p, m, v in self.slots:
            m += (p.grad - m) * (1 - b1)
            v += (p.grad**2 - v) * (1 - b2)
            p -= m * alpha / (v.sqrt() + self.epsilon)


def torch_training(optimizer_of, x, y, weights):
    w = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
    x, y = torch.tensor(x), torch.tensor(y)

    def loss_of():
        h = torch_conv2d(x, w["conv2d/kernel"], w["conv2d/bias"], padding="same").relu()
        h = torch_max_pool2d(h, (2, 2), (2, 2), "valid")
        h = torch_conv2d(h, w["conv2d_1/kernel"], w["conv2d_1/bias"]).relu()
        h = h.flatten(1)
        h = (h @ w["dense/kernel"] + w["dense/bias"]).relu()
        p = F.softmax(h @ w["dense_1/kernel"] + w["dense_1/bias"], dim=-1)
        kernels = [value for name, value in w.items() if name.endswith("kernel")]
        penalty = sum(L2 * (kernel**2).sum() for kernel in kernels)
        return torch_probabilities(y, p).mean() + penalty

    optimizer = optimizer_of(list(w.values()))
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            first_loss = loss
            grads = {name: value.grad.clone() for name, value in w.items()}
        optimizer.step()
    return first_loss, grads, w


def training():
    random = Random(6)
    x, y = random.normal(5, 8, 8, 1), np.eye(3, dtype=np.float32)[[0, 2, 1, 2, 0]]
    weights = {}
    for name, *shape in [
        ("conv2d", 3, 3, 1, 2),
        ("conv2d_1", 3, 3, 2, 3),
        ("dense", 12, 4),
        ("dense_1", 4, 3),
    ]:
        scale = (2 / np.prod(shape[:-1])) ** 0.5
        weights[f"{name}/kernel"] = random.normal(*shape, scale=scale)
        weights[f"{name}/bias"] = random.normal(shape[-1], scale=0.1)

    keras_optimizers = {"SGD": keras.optimizers.SGD, "Adam": keras.optimizers.Adam}
    cases = []
    for name, optimizer, settings in [
        ("sgd with momentum", "SGD", {"learning_rate": 0.05, "momentum": 0.5, "nesterov": False}),
        ("sgd with nesterov", "SGD", {"learning_rate": 0.05, "momentum": 0.5, "nesterov": True}),
        ("adam", "Adam", {"learning_rate": 0.01}),
    ]:
        theirs = dict(settings, lr=settings["learning_rate"])
        del theirs["learning_rate"]
        torch_optimizer = torch.optim.SGD if optimizer == "SGD" else TorchAdam
        results = {
            "keras": keras_training(keras_optimizers[optimizer](**settings), x, y, weights),
            "torch": torch_training(lambda p: torch_optimizer(p, **theirs), x, y, weights),
        }
        attrs = {"optimizer": optimizer, **settings, "steps": STEPS, "l2": L2}
        case = {"name": name, "attrs": attrs, "inputs": {}}
        if not cases:
            case["inputs"] = {"x": x, "y": y, "weights": weights}
        for library, (loss, gradients, after) in results.items():
            case[library] = {"loss": loss, "weights": after}
            if not cases:
                case[library]["gradients"] = gradients
        cases.append(case)
    write("training_step.json", cases)


# ----------------------------------------------------------------- summaries


def summary(model):
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    return "\n".join(lines).rstrip("\n") + "\n"


def summaries():
    """summary-lenet.txt: the lecture's network, then the same after a step of
    SGD with momentum. summary-names.txt: a long name and a frozen layer."""
    layers = keras.layers
    l2 = keras.regularizers.L2(0.01)
    keras.backend.clear_session()
    lenet = keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(
            8, 5, padding="same", activation="relu", kernel_regularizer=l2, name="conv_1"
        ),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Conv2D(12, 3, activation="relu", kernel_regularizer=l2, name="conv_2"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(50, activation="relu", kernel_regularizer=l2),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax", kernel_regularizer=l2),
    ])
    text = summary(lenet)
    lenet.compile(keras.optimizers.SGD(0.02, momentum=0.5), "categorical_crossentropy")
    lenet.train_on_batch(np.zeros((2, 16, 16, 1)), np.eye(10)[:2])
    (HERE / "summary-lenet.txt").write_text(text + summary(lenet))

    keras.backend.clear_session()
    names = keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(8, 3, name="a_layer_whose_name_is_longer_than_its_column"),
        layers.Activation("relu"),
        layers.AveragePooling2D(2),
        layers.Conv2D(4, 3, trainable=False, name="frozen"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ], name="names")
    (HERE / "summary-names.txt").write_text(summary(names))


if __name__ == "__main__":
    summaries()
    conv2d()
    pooling("max_pool2d.json", 2, keras.layers.MaxPooling2D, torch_max_pool2d)
    pooling("avg_pool2d.json", 3, keras.layers.AveragePooling2D, torch_avg_pool2d)
    dense()
    losses()
    training()
