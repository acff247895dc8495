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
}


def flat(x):
    return np.asarray(x).flatten().tolist()


cases = []
x, dx = wave((4,), 0.3), wave((4,), 5)
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
