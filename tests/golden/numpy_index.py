"""Golden values of operations that move, choose and multiply: run with NumPy, writes numpy_index.json.

A case is {"op", "inputs", "attrs", "outputs"}. An input is an array {"shape", "data"} and the views that are taken of it, one after
another: ["permute", axes], ["flip", axis], ["step", axis, step], ["slice", axis, start, end]. So each operation meets strides of all kinds.
Data is row-major; null stands for NaN. Attributes are numbers, lists, or arrays of indices.
"""

import json
import pathlib

import numpy as np

rng = np.random.default_rng(18)
cases = []


def plain(x):
    """An array as JSON."""
    x = np.asarray(x)
    flat = x.astype(float).flatten().tolist()
    return {"shape": list(x.shape), "data": [None if v != v else int(v) if v == int(v) else v for v in flat]}


def integer(low, high):
    return int(rng.integers(low, high))


class Drawn:
    """A random array behind random views."""

    def __init__(self, shape, nan=False, few=False):
        """The view has this shape, whatever the array has."""
        rank = len(shape)
        order = rng.permutation(rank).tolist()
        steps = [integer(1, 3) if rng.random() < 0.3 else 1 for _ in range(rank)]
        starts = [integer(0, 3) if rng.random() < 0.3 else 0 for _ in range(rank)]
        ends = [integer(0, 3) if rng.random() < 0.3 else 0 for _ in range(rank)]
        flips = [bool(rng.random() < 0.3) for _ in range(rank)]
        # From the view back to the array: axis i of the view is axis order[i] of the array.
        base = [0] * rank
        for i, axis in enumerate(order):
            base[axis] = starts[i] + (shape[i] - 1) * steps[i] + 1 + ends[i] if shape[i] else starts[i] + ends[i]
        data = rng.integers(-3, 4, base) if few else rng.integers(-40, 41, base) / 8
        data = np.array(data, dtype=float)
        if nan and data.size:
            data[rng.random(base) < 0.15] = np.nan
        self.base, self.views, x = data, [], data
        if order != list(range(rank)):
            self.views.append(["permute", order])
            x = x.transpose(order)
        for axis in range(rank):
            length = x.shape[axis]
            if starts[axis] or ends[axis]:
                start, end = starts[axis], length - ends[axis]
                self.views.append(["slice", axis, start, end])
                x = x[(slice(None),) * axis + (slice(start, end),)]
            if steps[axis] > 1:
                self.views.append(["step", axis, steps[axis]])
                x = x[(slice(None),) * axis + (slice(None, None, steps[axis]),)]
            if flips[axis]:
                self.views.append(["flip", axis])
                x = np.flip(x, axis)
        assert x.shape == tuple(shape), (x.shape, shape)
        self.x = x

    def json(self):
        return {**plain(self.base), "views": self.views}


def case(op, inputs, outputs, **attrs):
    attrs = {name: plain(value) if isinstance(value, np.ndarray) else value for name, value in attrs.items()}
    outputs = [plain(y) for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
    cases.append({"op": op, "inputs": [drawn.json() for drawn in inputs], "attrs": attrs, "outputs": outputs})


def shape(least=1, most=4, empty=True):
    """A random shape of so many axes, sometimes with one of length 0."""
    dims = [integer(1, 6) for _ in range(integer(least, most + 1))]
    if empty and dims and rng.random() < 0.12:
        dims[integer(0, len(dims))] = 0
    return dims


def draw(least=1, most=4, nan=True, empty=True, few=False):
    drawn = Drawn(shape(least, most, empty), nan, few)
    return drawn, drawn.x


def largest(x, axis, k):
    """The indices of the k largest values; NaN, as infinity, first."""
    order = np.argsort(-np.where(np.isnan(x), np.inf, x), axis=axis, kind="stable")
    return np.take(order, np.arange(k), axis)


for _ in range(6):
    a, x = draw(few=True)
    axis = integer(0, x.ndim)
    order = np.argsort(x, axis=axis, kind="stable")
    case("sort", [a], np.sort(x, axis=axis), axis=axis)
    case("argsort", [a], order, axis=axis)
    k = integer(0, x.shape[axis] + 1)
    top = largest(x, axis, k)
    case("top_k", [a], [np.take_along_axis(x, top, axis), top], axis=axis, k=k)

    a, x = draw(0, few=True)
    values, indices, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    case("unique", [a], [values, indices, inverse.reshape(x.shape), counts])

    a, x = draw(empty=False)
    axis = integer(0, x.ndim)
    places = list(x.shape)
    places[axis] = integer(0, 6)
    if rng.random() < 0.3:
        other = integer(0, x.ndim)
        places[other] = places[other] if other == axis else 1
    indices = rng.integers(0, x.shape[axis], places)
    case("gather", [a], np.take_along_axis(x, indices, axis), axis=axis, indices=indices)
    full = np.broadcast_to(indices, x.shape[:axis] + (places[axis],) + x.shape[axis + 1 :])
    b = Drawn(full.shape, nan=True)
    y = x.copy()
    grid = list(np.indices(full.shape))
    grid[axis] = full
    np.add.at(y, tuple(grid), b.x)
    case("scatter_add", [a, b], y, axis=axis, indices=indices)
    table = rng.integers(0, x.shape[axis], shape(0, 2)) if x.ndim < 4 else rng.integers(0, x.shape[axis], 3)
    case("index_select", [a], np.take(x, table, axis), axis=axis, indices=table)

    labels, classes = rng.integers(0, 4, shape(0, 3)), integer(4, 7)
    case("one_hot", [], np.eye(classes)[labels], indices=labels, classes=classes)

    dims = shape(0, 3)
    parts = [Drawn(dims, nan=True) for _ in range(integer(1, 6))]
    axis = integer(0, len(dims) + 1)
    case("stack", parts, np.stack([part.x for part in parts], axis), axis=axis)
    dims = shape(1, 4)
    axis = integer(0, len(dims))
    parts = [Drawn(dims[:axis] + [integer(0, 4)] + dims[axis + 1 :], nan=True) for _ in range(integer(1, 6))]
    case("concat_along", parts, np.concatenate([part.x for part in parts], axis), axis=axis)

    a, x = draw()
    axis = integer(0, x.ndim)
    cut = sorted(integer(0, x.shape[axis] + 1) for _ in range(integer(0, 3)))
    lengths = np.diff([0, *cut, x.shape[axis]]).tolist()
    case("split", [a], np.split(x, cut, axis), axis=axis, lengths=lengths)
    count = integer(1, 5)
    case("chunks", [a], np.array_split(x, count, axis), axis=axis, count=count)

    border = [[integer(0, 3), integer(0, 3)] for _ in x.shape]
    case("pad", [a], np.pad(x, border), border=border)
    case("pad_constant", [a], np.pad(x, border, constant_values=1.5), border=border, value=1.5)
    a, x = draw(1, 2, empty=False)
    border = [[integer(0, 6), integer(0, 6)] for _ in x.shape]
    for mode in ["edge", "reflect", "symmetric", "wrap"]:
        case("pad_with", [a], np.pad(x, border, mode), border=border, mode=mode)

    a, x = draw()
    axis, shift, times = integer(0, x.ndim), integer(-9, 9), integer(0, 4)
    case("roll", [a], np.roll(x, shift, axis), axis=axis, shift=shift)
    case("flip", [a], np.flip(x, axis), axis=axis)
    case("repeat", [a], np.repeat(x, times, axis), axis=axis, times=times)
    a, x = draw(0)
    times = [integer(1, 4) for _ in range(integer(0, 5))]
    case("tile", [a], np.tile(x, times), times=times)

    a, x = draw(1, 2)
    offset = integer(-4, 5)
    case("diag", [a], np.diag(x, offset), offset=offset)
    a, x = draw(2)
    first, second = rng.permutation(x.ndim)[:2].tolist()
    case("diagonal", [a], np.diagonal(x, offset, first, second), offset=offset, axes=[first, second])
    case("trace", [a], np.trace(x))
    case("triu", [a], np.triu(x, offset), offset=offset)
    case("tril", [a], np.tril(x, offset), offset=offset)

    a, x = draw(1, 4)
    first, second = integer(0, x.ndim), integer(0, x.ndim)
    case("swap_axes", [a], np.swapaxes(x, first, second), axes=[first, second])
    case("move_axis", [a], np.moveaxis(x, first, second), axes=[first, second])
    case("expand_dims", [a], np.expand_dims(x, first), axis=first)
    a = Drawn(x.shape[:first] + (1,) + x.shape[first:], nan=True)
    case("squeeze", [a], np.squeeze(a.x, first), axis=first)

    (a, x), (b, y) = draw(0, 2), draw(0, 2)
    case("outer", [a, b], np.outer(x, y))

    p, q, i, j, k, l = (integer(1, 5) for _ in range(6))
    ones = [1 if rng.random() < 0.4 else p, 1 if rng.random() < 0.4 else q]
    drop = integer(0, 3)
    a, b = Drawn([p, q, i, j]), Drawn(([1, 1] if rng.random() < 0.2 else ones)[drop:] + [j, k])
    case("batch_matmul", [a, b], a.x @ b.x)
    a, b = Drawn([i, j, k]), Drawn([k, l, i])
    case("tensordot", [a, b], np.tensordot(a.x, b.x, [[2, 0], [0, 2]]), axes=[2, 0], other_axes=[0, 2])
    case("tensordot", [a, b], np.tensordot(a.x, b.x, [[0], [2]]), axes=[0], other_axes=[2])

    lens = dict(zip("abcdef", (i, j, k, l, p, q)))
    for formula in [
        "ab,bc->ac", "ab,bc", "ba", "aab->ba", "aab,b->a", "abc,cd,be->ade", "ab,ab->a", "ab,cd->dbca", "abc->", "a,a", "ab,bc,cd,da",
        "abc,acd->abd", "ab,b,cb->ac", "aa,aa->a", "a,b,c->cba",
    ]:
        inputs = [Drawn([lens[c] for c in term]) for term in formula.split("->")[0].split(",")]
        case("einsum", inputs, np.einsum(formula, *(drawn.x for drawn in inputs)), formula=formula)
    for formula, shapes in [
        ("...ab,...bc->...ac", [[p, 1, i, j], [q, j, k]]), ("...a,a...", [[q, p, i], [i, 1, p]]), ("a...->...", [[i, p, q]]),
        ("...,...", [[p, 1], [q]]), ("b...a->...", [[i, p, q, j]]), ("...aa->a...", [[p, i, i]]),
    ]:
        inputs = [Drawn(shape) for shape in shapes]
        case("einsum", inputs, np.einsum(formula, *(drawn.x for drawn in inputs)), formula=formula)

    # Windows without a border, and the product with the kernel.
    window = np.lib.stride_tricks.sliding_window_view
    strides = [integer(1, 4) for _ in range(3)]
    s0, s1, s2 = (slice(None, None, stride) for stride in strides)
    a, kernel = Drawn([p, q + i, j]), Drawn([i, j, k])
    y = np.einsum("nack,kco->nao", window(a.x, i, 1)[:, s0], kernel.x)
    case("conv1d", [a, kernel], y, strides=strides[:1])
    a, kernel = Drawn([2, p + 2, q + 2, 4, i]), Drawn([2, 3, 2, i, j])
    y = np.einsum("nabcixyz,xyzio->nabco", window(a.x, (2, 3, 2), (1, 2, 3))[:, s0, s1, s2], kernel.x)
    case("conv3d", [a, kernel], y, strides=strides)

for _ in range(6):
    a, x = draw()
    axis = integer(0, x.ndim)
    each = [integer(0, 4) for _ in range(x.shape[axis])]
    case("repeat_each", [a], np.repeat(x, each, axis), axis=axis, times=each)

    start = integer(0, x.shape[axis] + 1)
    end = integer(start, x.shape[axis] + 1)
    along = (slice(None),) * axis
    case("slice", [a], x[along + (slice(start, end),)], axis=axis, start=start, end=end)
    step = integer(1, 4)
    case("step", [a], x[along + (slice(None, None, step),)], axis=axis, step=step)
    order = rng.permutation(x.ndim).tolist()
    case("permute", [a], x.transpose(order), axes=order)
    dims = [integer(1, 4) for _ in range(integer(0, 3))] + [integer(1, 4) if n == 1 else n for n in x.shape]
    case("broadcast_to", [a], np.broadcast_to(x, dims), shape=dims)
    lengths = list(x.shape)
    first = integer(0, x.ndim)
    merged = lengths[:first] + [int(np.prod(lengths[first:]))]
    case("reshape", [a], x.reshape(merged), shape=merged)
    a, x = draw(empty=False)
    rows = rng.integers(0, len(x), integer(0, 6))
    case("take", [a], x[rows], indices=rows)
    dims = shape(0, 3)
    parts = [Drawn([integer(0, 4)] + dims, nan=True) for _ in range(integer(1, 5))]
    case("concat", parts, np.concatenate([part.x for part in parts]))
    n = integer(0, 6)
    case("eye", [], np.eye(n), n=n)
    case("arange", [], np.arange(n), n=n)
    a = Drawn([integer(1, 5), integer(0, 5)])
    case("t", [a], a.x.T)

    # Windows of images.
    (kh, kw), strides = (integer(1, 4) for _ in range(2)), [integer(1, 4) for _ in range(2)]
    c, o = integer(1, 4), integer(1, 4)
    a, kernel = Drawn([2, kh + integer(0, 4), kw + integer(0, 4), c]), Drawn([kh, kw, c, o])
    windows = window(a.x, (kh, kw), (1, 2))[:, :: strides[0], :: strides[1]]  # [n, oh, ow, c, kh, kw]
    sizes = dict(size=[kh, kw], strides=strides)
    case("windows", [a], windows.transpose(0, 1, 2, 4, 5, 3), **sizes)
    case("conv2d", [a, kernel], np.einsum("nabcxy,xyco->nabo", windows, kernel.x), strides=strides)
    case("max_pool2d", [a], windows.max((4, 5)), **sizes)
    case("avg_pool2d", [a], windows.sum((4, 5)), **sizes)  # times the size of a window
    a, rows = Drawn([4, c]), rng.integers(0, 4, shape(0, 2))
    case("embedding", [a], a.x[rows], indices=rows)

path = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
path.write_text(f'{{"numpy":"{np.__version__}","cases":[\n{lines}\n]}}\n')
print(len(cases), "cases,", path.stat().st_size // 1024, "KiB")
