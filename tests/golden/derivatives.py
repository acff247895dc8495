"""Golden derivatives: run with JAX, writes derivatives.json."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def wave(shape, first):
    """Numbers in [-1, 1] that Rust finds as well."""
    count = int(np.prod(shape))
    return jnp.asarray(np.sin(first + 0.7 * np.arange(count)).reshape(shape))


A, B = wave((4, 4), 1), wave((4, 3), 2)
C, D = wave((2, 1, 3), 3), wave((2, 1, 2, 1, 2), 4)
P = jnp.array([0.1, 0.2, 0.3, 0.4])
# Where the derivatives are taken; masks are constants.
x0 = wave((4,), 0.3)

# Functions of a vector x of 4 numbers, with vectors as values.
FUNCTIONS = {
    "products": lambda x: x * (A @ x),
    "dense": lambda x: jnp.tanh(x @ B),
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "bells": lambda x: jnp.exp(-(x**2)),
    "quotients": lambda x: x / (1 + x**2) + jnp.sqrt(2 + x),
    "gelu": lambda x: jax.nn.gelu(3 * x, approximate=False),
    "silu": lambda x: jax.nn.silu(x @ B) * jax.nn.softplus(x[:3]),
    "normalized": lambda x: (x - x.mean()) / jnp.sqrt(x.var() + 1e-3),
    "rosenbrock": lambda x: 100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2,
    "scans": lambda x: jnp.cumsum(x) * jnp.cumprod(x) + jax.nn.logsumexp(x),
    "order": lambda x: jnp.sort(x**2) * jax.lax.top_k(x, 4)[0] + x.max() * x.min(),
    "places": lambda x: (x**3).at[jnp.array([1, 3, 1])].add(x[jnp.array([2, 0, 2])] ** 2),
    "angles": lambda x: jnp.arctan2(jnp.sin(x), 2 + jnp.cos(x)) + jnp.tan(x / 2),
    "logarithms": lambda x: jax.scipy.special.erf(x) * jnp.expm1(x) + jnp.log1p(x**2) + jnp.log(2 + x),
    "spreads": lambda x: x / (1 + x.std()) + x.var(ddof=1) * jnp.linalg.norm(x, 3) + x.prod(),
    "powers": lambda x: (2 + x) ** x[::-1] + x**3 + jnp.abs(x) ** 2.5 + jax.lax.rsqrt(2 + x) + 1 / (2 + x),
    "masks": lambda x: jnp.where(x > 0.2, jnp.exp(x), x**2) + x[np.asarray(x0 < 0.5)].sum() ** 2 + jnp.clip(x**2, 0.1, 0.6),
    "sides": lambda x: jnp.maximum(x, x**2) * jnp.minimum(jnp.sin(2 * x), x) + jnp.sign(x) * x**3,
    "einsum": lambda x: jnp.einsum("i,ij,j,kl->lk", x, A, x, jnp.outer(x, x)).flatten(),
    "borders": lambda x: jnp.pad(x**2, (2, 3), "reflect") * jnp.pad(x, (2, 3), "edge") + jnp.pad(x**3, (2, 3)),
    "repeats": lambda x: jnp.repeat(x**2, np.array([1, 0, 2, 5])) * jnp.tile(x, 2) + jnp.roll(jnp.repeat(x, 2), 3) ** 2,
    "triangles": lambda x: (jnp.triu(jnp.outer(x, x)) + jnp.tril(A, -1)) @ x + jnp.diag(jnp.outer(x, x)) * jnp.trace(jnp.outer(x, x)),
    "batches": lambda x: (jnp.stack([A * x, jnp.outer(x, x)]) @ jnp.stack([A, A.T]))[:, 1].flatten(),
    "series": lambda x: convolved((x**2).reshape(1, 4, 1), C, (1,), ((1, 0),), "NWC", "WIO").flatten(),
    "volumes": lambda x: convolved(jnp.outer(x, x).reshape(1, 2, 2, 4, 1), D, (1, 1, 1), "VALID", "NDHWC", "DHWIO").flatten(),
    "units": lambda x: jax.nn.elu(x) * jax.nn.selu(2 * x) + jax.nn.soft_sign(x) * jax.nn.squareplus(x) + jax.nn.leaky_relu(x, 0.1) ** 2,
    "divergence": lambda x: (P * (jnp.log(P) - jnp.log(jax.nn.softmax(x)))).sum() * jax.nn.sigmoid(x),
}


def convolved(x, kernel, strides, padding, axes, kernel_axes):
    """A convolution of a series or a volume."""
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=(axes, kernel_axes, axes))



def flat(x):
    return np.asarray(x).flatten().tolist()


cases = []
x, dx = x0, wave((4,), 5)
for name, f in FUNCTIONS.items():
    y, dy = jax.jvp(f, (x,), (dx,))
    u = wave(y.shape, 7)
    g = lambda x: (f(x) * u).sum()
    _, hx = jax.jvp(jax.grad(g), (x,), (dx,))
    cases.append(
        {
            "name": name,
            "value": flat(y),
            "jvp": flat(dy),
            "jacobian": flat(jax.jacobian(f)(x)),
            "hessian": flat(jax.hessian(g)(x)),
            "hvp": flat(hx),
        }
    )


def network(kernel, bias, weights, shift):
    images = wave((3, 6, 6, 2), 0.1)
    y = jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    y = jax.nn.relu(y + bias)
    y = jax.lax.reduce_window(y, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    z = y.reshape(3, -1) @ weights + shift
    targets = jnp.eye(5)[jnp.array([1, 4, 2])]
    return -(targets * jnp.log(jax.nn.softmax(z))).sum(-1).mean()


shapes = [(3, 3, 2, 4), (4,), (36, 5), (5,)]
inputs = tuple(wave(shape, i) for i, shape in enumerate(shapes))
tangents = tuple(wave(shape, 10 + i) for i, shape in enumerate(shapes))
gradient = jax.grad(network, argnums=(0, 1, 2, 3))
first, second = jax.jvp(gradient, inputs, tangents)
cases.append(
    {
        "name": "network",
        "value": flat(network(*inputs)),
        "gradients": [flat(g) for g in first],
        "hvp": [flat(h) for h in second],
    }
)

path = pathlib.Path(__file__).parent / "derivatives.json"
path.write_text(json.dumps({"jax": jax.__version__, "cases": cases}, indent=1) + "\n")
