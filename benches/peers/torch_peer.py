"""PyTorch: answers each line of standard input with the median seconds of one run.

    python torch_peer.py THREADS LAYOUT     # LAYOUT: nchw or channels_last
"""

import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from measuring import CASES, median
from torch_networks import NETWORKS, Lecture

threads, layout = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
FORMAT = torch.channels_last if layout == "channels_last" else torch.contiguous_format


def convolution(name):
    case = CASES[name]
    layer = nn.Conv2d(
        case["c_in"], case["c_out"], case["k"], case["stride"], case["pad"], groups=case["groups"]
    ).to(memory_format=FORMAT)
    x = torch.randn(case["n"], case["c_in"], case["side"], case["side"])
    return layer, x.to(memory_format=FORMAT)


def forward(name):
    layer, x = convolution(name)
    with torch.inference_mode():
        return median(lambda: layer(x))


def backward(name):
    layer, x = convolution(name)
    x.requires_grad_(True)
    dy = torch.randn_like(layer(x))

    def run():
        x.grad = layer.weight.grad = layer.bias.grad = None
        layer(x).backward(dy)

    return median(run)


def pool(name, gradient):
    case = CASES[name]
    x = torch.randn(case["n"], case["c"], case["side"], case["side"]).to(memory_format=FORMAT)
    if not gradient:
        with torch.inference_mode():
            return median(lambda: F.max_pool2d(x, 2))
    x.requires_grad_(True)
    dy = torch.randn_like(F.max_pool2d(x, 2))

    def run():
        x.grad = None
        F.max_pool2d(x, 2).backward(dy)

    return median(run)


def mnist():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    )


def vgg():
    layers, channels = [], 3
    for filters in (64, 64, 0, 128, 128, 0, 256, 256, 0):
        if filters:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 16, 10))


def train(model, shape, batch, samples, penalised=(), momentum=None):
    model = model.to(memory_format=FORMAT)
    optimizer = (
        torch.optim.SGD(model.parameters(), 0.02, momentum=momentum)
        if momentum
        else torch.optim.Adam(model.parameters(), 0.001)
    )
    x = torch.rand(samples, *shape)
    with torch.inference_mode():
        scores = model(x[:2].to(memory_format=FORMAT))
    # A class for each sample, or for each pixel.
    labels = torch.randint(scores.shape[1], (samples, *scores.shape[2:]))

    def run():
        order = torch.randperm(samples)
        for first in range(0, samples, batch):
            indices = order[first : first + batch]
            inputs, targets = x[indices].to(memory_format=FORMAT), labels[indices]
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(inputs), targets)
            for weight in penalised:
                loss = loss + 0.01 * weight.square().sum()
            loss.backward()
            optimizer.step()

    return median(run) / samples


def other(name):
    if name == "train lecture":
        model = Lecture()
        weights = [model.conv_1.weight, model.conv_2.weight, model.dense_1.weight, model.dense_2.weight]
        return train(model, (1, 16, 16), 256, 7291, weights, 0.5)
    if name == "train mnist":
        return train(mnist(), (1, 28, 28), 128, 1024)
    if name == "train vgg":
        return train(vgg(), (3, 32, 32), 64, 64)
    if name in ("predict lecture", "predict one"):
        model = Lecture().to(memory_format=FORMAT).eval()
        samples = 1 if name == "predict one" else 7291
        x = torch.rand(samples, 1, 16, 16).to(memory_format=FORMAT)
        with torch.inference_mode():
            return median(lambda: model(x))
    kind, _, network = name.partition(" ")
    if network in NETWORKS:
        make, shape, batch = NETWORKS[network]
        if kind == "train":
            return train(make(), shape, batch, batch)
        model = make().to(memory_format=FORMAT).eval()
        samples = 1 if kind == "one" else batch
        x = torch.rand(samples, *shape).to(memory_format=FORMAT)
        with torch.inference_mode():
            return median(lambda: model(x)) / samples
    if name == "gemm":
        a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
        return median(lambda: a @ b)
    return None


for line in sys.stdin:
    kind, _, name = line.strip().partition(" ")
    if kind == "forward":
        seconds = forward(name)
    elif kind == "backward":
        seconds = backward(name)
    elif kind in ("pool", "pool_backward"):
        seconds = pool(name, kind == "pool_backward")
    else:
        seconds = other(line.strip())
    print("-" if seconds is None else f"{seconds:e}", flush=True)
