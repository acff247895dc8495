"""Golden values of the tensor's mathematics: run with NumPy, writes numpy_math.json.

Every input is an array of random numbers seen through random views, so that its strides are of every kind. The seed and the
views are written down, and Rust does the same with its own tensor.
"""

import json
import math
import pathlib
import warnings

import numpy as np

rng = np.random.default_rng(18)
np.seterr(all="ignore")
warnings.simplefilter("ignore")


def plain(value):
    """A number as JSON has it: those that are none are texts."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def array(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "data": [plain(value) for value in x.flatten()]}


SPECIAL = [0.0, -0.0, math.nan, math.inf, -math.inf, 1e-9, -2.5, 0.5]


def numbers(shape, kind, seed):
    """Numbers that Rust finds as well. `plain`: some of them halves, so that there are ties. `odd`: with those that are special.
    `positive`: away from 0. `small`: up to 0.75."""
    values, state = [], seed

    def draw(n):
        nonlocal state
        state = (state * 1103515245 + 12345) % 2**31
        return (state >> 8) % n

    for _ in range(math.prod(shape)):
        x, choice, other = (draw(601) - 300) / 100, draw(10), draw(104)
        if kind == "positive":
            x = abs(x) + 0.25
        elif kind == "small":
            x /= 4
        elif choice < 3:
            x = (other % 13 - 6) / 2
        elif choice < 6 and kind == "odd":
            x = SPECIAL[other % 8]
        values.append(x)
    return np.array(values, float).reshape(shape)


def viewed(shape, kind):
    """An array of this shape, and how it came about: a base, and the views of it."""
    rank = len(shape)
    order = [int(axis) for axis in rng.permutation(rank)]
    steps = [int(step) for step in rng.choice([1, 1, 2, 3], size=rank)]
    extra = [int(n) for n in rng.choice([0, 0, 1, 2], size=rank)]
    repeated = [bool(n) and rng.uniform() < 0.15 for n in shape]
    base_shape = [0] * rank
    for i, axis in enumerate(order):
        n = 1 if repeated[i] else shape[i]
        base_shape[axis] = n * steps[i] + extra[i]
    seed = int(rng.integers(1, 10**6))
    base = numbers(base_shape, kind, seed)
    x, views = base, []
    if rank:
        x = x.transpose(order)
        views.append(["permute", order])
    for axis in range(rank):
        if extra[axis]:
            start = int(rng.integers(0, extra[axis] + 1))
            end = start + x.shape[axis] - extra[axis]
            x = x[(slice(None),) * axis + (slice(start, end),)]
            views.append(["slice", axis, start, end])
        if steps[axis] > 1:
            x = x[(slice(None),) * axis + (slice(None, None, steps[axis]),)]
            views.append(["step", axis, steps[axis]])
        if rng.uniform() < 0.3:
            x = np.flip(x, axis)
            views.append(["flip", axis])
    if any(repeated):
        x = np.broadcast_to(x, shape)
        views.append(["broadcast_to", list(shape)])
    assert x.shape == tuple(shape), (x.shape, shape)
    return x, {"base": base_shape, "kind": kind, "seed": seed, "views": views}


SHAPES = [(), (7,), (3, 4), (2, 3, 4), (0, 3), (2, 1, 3, 2)]
cases = []


def case(name, inputs, result, **options):
    golden = array(result)
    cases.append({"name": name, "inputs": [written for _, written in inputs], "options": options, **golden})


def each(name, f, kind="odd", **options):
    """A function of every element."""
    for shape in SHAPES:
        x = viewed(shape, kind)
        case(name, [x], f(x[0]), **options)


PAIRS = [((), ()), ((5,), ()), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((2, 3), (2, 3)), ((0, 2), (1,)), ((1, 3), (2, 2, 1))]


def pair(name, f, kinds=("odd", "odd")):
    """A function of two arrays, with broadcasting."""
    for shapes in PAIRS:
        a, b = (viewed(shape, kind) for shape, kind in zip(shapes, kinds))
        case(name, [a, b], f(a[0], b[0]))


def flat(x, axes):
    """The elements along these axes, side by side in the last one."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    count = math.prod(x.shape[axis] for axis in axes)
    return x.transpose(kept + list(axes)).reshape([x.shape[axis] for axis in kept] + [count])


AXES = [((), ()), ((7,), (0,)), ((3, 4), (1,)), ((3, 4), (0, 1)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (1,)), ((2, 1, 3, 2), (1, 2, 3)), ((2, 3), ())]
NOTHING = [((0, 3), (0,)), ((2, 0, 3), (0, 1))]


def along(name, f, kind="odd", of_nothing=True, **options):
    """A reduction of the elements along axes: `f` reduces the last axis."""
    for shape, axes in AXES + (NOTHING if of_nothing else []):
        x = viewed(shape, kind)
        case(name, [x], f(flat(x[0], axes)), axes=list(axes), **options)


def scan(name, f, kind="odd"):
    """What runs along an axis."""
    for shape in [shape for shape in SHAPES if shape]:
        axis = int(rng.integers(0, len(shape)))
        x = viewed(shape, kind)
        case(name, [x], f(x[0], axis=axis), axis=axis)


erf = np.vectorize(math.erf, otypes=[float])
for name, f in {
    "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.round, "exp": np.exp, "ln": np.log,
    "sqrt": np.sqrt, "square": np.square, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "tan": np.tan, "log1p": np.log1p,
    "expm1": np.expm1, "erf": erf, "reciprocal": np.reciprocal, "rsqrt": lambda x: 1 / np.sqrt(x),
}.items():
    each(name, f)
each("log1p", np.log1p, "small")
each("expm1", np.expm1, "small")
for n in [0, 1, 2, 3, -1, -3]:
    each("powi", lambda x: np.power(x, float(n)), n=n)
for n in [0.0, 0.5, 1.0, -1.5, 2.0]:
    each("powf", lambda x: np.power(x, n), n=n)
each("clamp", lambda x: np.clip(x, -1, 0.5), low=-1.0, high=0.5)

for name, f in {
    "pow": np.power, "atan2": np.arctan2, "maximum": np.maximum, "minimum": np.minimum, "equal": np.equal,
    "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal, "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": lambda a, b: np.logical_and(a > 0, b > 0), "logical_or": lambda a, b: np.logical_or(a > 0, b > 0),
    "logical_xor": lambda a, b: np.logical_xor(a > 0, b > 0),
}.items():
    pair(name, f)
pair("pow", np.power, ("positive", "plain"))
each("logical_not", lambda x: np.logical_not(x > 0))
for shapes in [((), (), ()), ((5,), (5,), ()), ((2, 1), (3,), (2, 3)), ((4, 1, 1), (1, 3, 1), (2,)), ((0, 1), (2,), ())]:
    m, a, b = (viewed(shape, "odd") for shape in shapes)
    case("select", [m, a, b], np.where(m[0] > 0, a[0], b[0]))
for shapes in [((), ()), ((5,), ()), ((2, 3), (3,)), ((2, 3, 2), (3, 1)), ((0, 2), (2,))]:
    x, m = (viewed(shape, "odd") for shape in shapes)
    case("masked_fill", [x, m], np.where(m[0] > 0, 7.5, x[0]), value=7.5)

along("sum", lambda x: x.sum(-1), "plain")
along("mean", lambda x: x.mean(-1), "plain")
along("sum", lambda x: x.sum(-1))
along("prod", lambda x: x.prod(-1))
along("prod", lambda x: x.prod(-1), "plain")
along("max", lambda x: x.max(-1), of_nothing=False)
along("min", lambda x: x.min(-1), of_nothing=False)
along("logsumexp", lambda x: np.logaddexp.reduce(x, -1))
for ddof in [0, 1]:
    for kind in ["plain", "odd"]:
        along("var", lambda x: x.var(-1, ddof=ddof), kind, ddof=ddof)
        along("std", lambda x: x.std(-1, ddof=ddof), kind, ddof=ddof)
for order in [1, 2, 3, 1.5]:
    along("norm", lambda x: np.linalg.norm(x, order, -1), "plain", order=float(order))
    along("norm", lambda x: np.linalg.norm(x, order, -1), order=float(order))
along("norm", lambda x: np.linalg.norm(x, np.inf, -1), of_nothing=False, order="inf")
along("any", lambda x: (x > 0).any(-1))
along("all", lambda x: (x > 0).all(-1))
along("count", lambda x: np.count_nonzero(x > 0, -1))
scan("cumsum", np.cumsum)
scan("cumsum", np.cumsum, "plain")
scan("cumprod", np.cumprod)
scan("cumprod", np.cumprod, "plain")
for name, f in {"argmax": np.argmax, "argmin": np.argmin}.items():
    for shape, axis in [((7,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((3, 0, 2), 0)]:
        for kind in ["plain", "odd"]:
            x = viewed(shape, kind)
            case(name, [x], f(x[0], axis=axis), axis=axis)

for name, f in {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "neg": np.negative}.items():
    each(name, f)
for name, f in {
    "affine": lambda x: -2 * x + 1.5, "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x), "softsign": lambda x: x / (1 + np.abs(x)), "silu": lambda x: x / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)), "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
}.items():
    each(name, f, "plain")
for name, f in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}.items():
    pair(name, f)
for shape in [(7,), (3, 4), (2, 3, 4), (0, 3), (2, 1, 3, 2)]:
    x = viewed(shape, "plain")
    scores = x[0] - np.logaddexp.reduce(x[0], -1, keepdims=True)
    case("log_softmax", [x], scores)
    case("softmax", [x], np.exp(scores))
for shapes in [((3, 4), (4, 2)), ((1, 1), (1, 5)), ((7, 2), (2, 7)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((9, 17), (17, 11))]:
    a, b = (viewed(shape, "plain") for shape in shapes)
    case("matmul", [a, b], a[0] @ b[0])
for shape, axes in [((), 0), ((7,), 1), ((3, 4), 1), ((3, 4), 2), ((2, 3, 4), 2), ((2, 1, 3, 2), 3), ((0, 3), 1), ((2, 0, 3), 2), ((2, 3), 0)]:
    x, m = viewed(shape, "odd"), viewed(shape[:axes], "plain")
    case("masked_select", [x, m], x[0][m[0] > 0])
for shape in SHAPES:
    x = viewed(shape, "odd")
    case("flatnonzero", [x], np.flatnonzero(x[0] > 0))

path = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text('{"numpy": "%s", "cases": [\n%s\n]}\n' % (np.__version__, lines))
print(len(cases), "cases")
