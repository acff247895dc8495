"""Dense layers of any axes: see cases.py. Writes einsum.json."""

import numpy as np
from cases import case, chain, keras, slim, write

layers = keras.layers
rng = np.random.default_rng(33)


def of(shape, *inner):
    return slim(case(rng, chain(shape, *inner), 3))


write("einsum", [
    of((3,), layers.EinsumDense("ab,bc->ac", 4, bias_axes="c", activation="relu", kernel_regularizer="l2")),
    of((4, 3), layers.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de", bias_regularizer="l1"),
       layers.EinsumDense("abde,def->abf", (4, 2), bias_axes="f", activation="softmax")),
    of((4, 3), layers.EinsumDense("...x,xy->...y", 5, bias_axes="y")),
    of((4, 3), layers.EinsumDense("abc,cd->abd", (None, 2), bias_axes="d"), layers.Reshape((8,))),
    of((4, 3, 2), layers.EinsumDense("...bc,bd->...dc", (4, 2), bias_axes="d")),
    of((4, 3), layers.EinsumDense("ab...,bc->ac...", 5, bias_axes="c")),
    of((4, 3), layers.EinsumDense("abc,bcd->ad", 2), layers.EinsumDense("ab,b->ab", 2, kernel_constraint="non_neg")),
])
