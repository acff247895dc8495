"""Constraints, and penalties on what layers give: see cases.py."""

import numpy as np
from cases import case, chain, keras, write

layers, constraints, regularizers = keras.layers, keras.constraints, keras.regularizers
rng = np.random.default_rng(12)
CONSTRAINTS = [
    "non_neg",
    constraints.UnitNorm(),
    constraints.UnitNorm(axis=[0, 1]),
    constraints.MaxNorm(0.75),
    constraints.MaxNorm(0.5, axis=-1),
    constraints.MinMaxNorm(0.5, 0.75),
    constraints.MinMaxNorm(1.0, 1.5, rate=0.5, axis=1),
]
cases = [
    case(rng, chain((3,), layers.Dense(4, kernel_constraint=constraint), layers.Dense(2)), samples=5)
    for constraint in CONSTRAINTS
]
convolution = layers.Conv2D(3, 2, kernel_constraint=constraints.MaxNorm(0.75, axis=[0, 1, 2]), bias_constraint="non_neg")
cases.append(case(rng, chain((3, 3, 2), convolution, layers.Flatten(), layers.Dense(1)), samples=5))
normalization = layers.BatchNormalization(beta_constraint="non_neg", gamma_constraint=constraints.MinMaxNorm(0.5, 1.0))
cases.append(case(rng, chain((4, 2), normalization, layers.Flatten()), samples=5))
# More samples than one shard has: the penalty is a mean over the batch.
cases.append(case(rng, chain((3,), layers.Dense(2, activity_regularizer=regularizers.L1L2(0.1, 0.2))), samples=40))
cases.append(case(rng, chain(
    (3, 3, 2),
    layers.Conv2D(2, 2, activation="relu", activity_regularizer=regularizers.L1(0.3)),
    layers.ActivityRegularization(l1=0.1, l2=0.2),
    layers.Flatten(),
    layers.Dense(1, activation="sigmoid", activity_regularizer=regularizers.L2(0.5)),
), samples=40))
# What training alone does cannot be compared; the options can.
cases.append(case(rng, chain(
    (4, 4, 2),
    layers.SpatialDropout2D(0.25),
    layers.GaussianNoise(0.5),
    layers.GaussianDropout(0.25),
    layers.AlphaDropout(0.25, noise_shape=(None, 1, 1, 2)),
    layers.Dropout(0.25, noise_shape=(None, 1, 1, 2)),
    layers.Flatten(),
    layers.Dense(2, kernel_initializer=keras.initializers.Orthogonal(gain=1.5)),
    layers.Dense(2, kernel_initializer=keras.initializers.Identity(gain=0.5)),
), samples=2, train=False))
cases.append(case(rng, chain((4, 2), layers.SpatialDropout1D(0.25)), samples=2, train=False))
cases.append(case(rng, chain((2, 2, 2, 2), layers.SpatialDropout3D(0.25)), samples=2, train=False))
cases.append(case(rng, chain(
    (4,),
    layers.Dense(3, kernel_regularizer=regularizers.OrthogonalRegularizer(0.5)),
    layers.Dense(2, kernel_regularizer=regularizers.OrthogonalRegularizer(0.3, mode="columns")),
), samples=6))
write("constraints", cases)
