"""ONNX Runtime: answers each line of standard input with the median seconds of one prediction.

    python onnx_peer.py THREADS

The models are those of `torch_peer.py`, exported by PyTorch.
"""

import pathlib
import sys
import tempfile

import numpy as np
import onnxruntime
import torch
from measuring import median
from torch_networks import NETWORKS, Lecture

threads = int(sys.argv[1])
ANSWERS = sys.stdout
# What the export has to say must not be taken for an answer.
sys.stdout = sys.stderr


def predict(model, shape, samples):
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory) / "model.onnx")
        torch.onnx.export(model.eval(), (torch.rand(samples, *shape),), path, input_names=["x"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = np.random.rand(samples, *shape).astype("float32")
    return median(lambda: session.run(None, {"x": x}))


def answer(line):
    kind, _, name = line.partition(" ")
    if kind not in ("predict", "one"):
        return None
    if name in ("lecture", "one"):
        return predict(Lecture(), (1, 16, 16), 1 if name == "one" else 7291)
    make, shape, batch = NETWORKS[name]
    samples = 1 if kind == "one" else batch
    return predict(make(), shape, samples) / samples


for line in sys.stdin:
    seconds = answer(line.strip())
    print("-" if seconds is None else f"{seconds:e}", file=ANSWERS, flush=True)
