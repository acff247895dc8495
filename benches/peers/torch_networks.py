"""The lecture's network and those with shortcuts, in PyTorch: `NETWORKS` has, by name, the model, the shape of a sample, and the batch."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Lecture(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_1, self.conv_2 = nn.Conv2d(1, 8, 5, padding=2), nn.Conv2d(8, 12, 3)
        self.dense_1, self.dense_2 = nn.Linear(108, 50), nn.Linear(50, 10)

    def forward(self, x):
        x = F.dropout(F.max_pool2d(F.relu(self.conv_1(x)), 2), 0.25, self.training)
        x = F.dropout(F.max_pool2d(F.relu(self.conv_2(x)), 2), 0.25, self.training)
        x = F.dropout(F.relu(self.dense_1(x.flatten(1))), 0.5, self.training)
        return self.dense_2(x)


def normalised(c_in, c_out, k, stride=1, groups=1, activation=None):
    layers = [
        nn.Conv2d(c_in, c_out, k, stride, k // 2, groups=groups, bias=False),
        nn.BatchNorm2d(c_out),
    ]
    return nn.Sequential(*layers, *([activation] if activation else []))


class Residual(nn.Module):
    """Two convolutions beside the identity, or beside a convolution of one pixel where the size changes."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.first = normalised(c_in, c_out, 3, stride, activation=nn.ReLU())
        self.second = normalised(c_out, c_out, 3)
        self.around = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1, stride)

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.around(x))


def resnet20():
    layers, c_in = [normalised(3, 16, 3, activation=nn.ReLU())], 16
    for c_out in (16, 32, 64):
        for block in range(3):
            layers.append(Residual(c_in, c_out, 2 if block == 0 and c_out > 16 else 1))
            c_in = c_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Inverted(nn.Module):
    """Wide in the middle, where the convolution is depthwise."""

    def __init__(self, c_in, c_out, stride, expansion):
        super().__init__()
        wide = c_in * expansion
        layers = [normalised(c_in, wide, 1, activation=nn.ReLU6())] if expansion > 1 else []
        layers += [normalised(wide, wide, 3, stride, wide, nn.ReLU6()), normalised(wide, c_out, 1)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.layers(x) if self.shortcut else self.layers(x)


def mobilenet_v2(width):
    def channels(c):
        rounded = max(8, int(c * width + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * c * width else rounded

    c_in = channels(32)
    layers = [normalised(3, c_in, 3, 2, activation=nn.ReLU6())]
    plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, c, count, stride in plan:
        for block in range(count):
            layers.append(Inverted(c_in, channels(c), stride if block == 0 else 1, expansion))
            c_in = channels(c)
    layers.append(normalised(c_in, 1280, 1, activation=nn.ReLU6()))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10))


class UNet(nn.Module):
    """16, 32 and 64 channels: down, up, and across."""

    def __init__(self):
        super().__init__()

        def twice(c_in, c_out):
            return nn.Sequential(
                nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU(), nn.Conv2d(c_out, c_out, 3, padding=1), nn.ReLU()
            )

        self.down_1, self.down_2, self.bottom = twice(3, 16), twice(16, 32), twice(32, 64)
        self.up_2, self.up_1 = nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)
        self.across_2, self.across_1 = twice(64, 32), twice(32, 16)
        self.scores = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        large = self.down_1(x)
        small = self.down_2(F.max_pool2d(large, 2))
        x = self.bottom(F.max_pool2d(small, 2))
        x = self.across_2(torch.cat([self.up_2(x), small], 1))
        return self.scores(self.across_1(torch.cat([self.up_1(x), large], 1)))


NETWORKS = {
    "resnet20": (resnet20, (3, 32, 32), 64),
    "mobilenet": (lambda: mobilenet_v2(0.35), (3, 96, 96), 32),
    "unet": (UNet, (3, 64, 64), 32),
}
