"""The PyTorch network with the layers of a Keras model, for a fair comparison.

Layer by layer, with the same weights. One thing differs: where Keras pads a strided
convolution more on one side, PyTorch pads both alike, as its users would.
"""

import keras
import numpy as np
import torch
from keras import layers
from torch import nn


class TorchTwin(nn.Module):
    """What `model` computes, channels first, without the last softmax.

    Args:
        model: functional, of layers that classic networks are made of.
    """

    def __init__(self, model):
        super().__init__()
        self.parts = nn.ModuleList()
        self.inputs = []  # of each part: numbers of the values that go in
        numbers = {id(model.inputs[0]): 0}
        for layer in model.layers:
            if isinstance(layer, layers.InputLayer):
                continue
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            self.inputs.append([numbers[id(tensor)] for tensor in inputs])
            self.parts.append(part(layer))
            numbers[id(layer.output)] = len(numbers)

    def forward(self, pixels):
        values = [pixels]
        for part, inputs in zip(self.parts, self.inputs, strict=True):
            values.append(part(*(values[number] for number in inputs)))
        return values[-1]


def part(layer):
    """The module that does what `layer` does."""
    if type(layer) not in TRANSLATIONS:
        raise TypeError(f"no translation of {type(layer).__name__} ({layer.name})")
    module = TRANSLATIONS[type(layer)](layer)
    activation = getattr(layer, "activation", None)
    if activation in (None, keras.activations.linear, keras.activations.softmax):
        return module
    return nn.Sequential(module, ACTIVATIONS[activation]())


def convolution(layer, kernel, groups):
    module = nn.Conv2d(
        layer.input.shape[-1],
        layer.output.shape[-1],
        layer.kernel_size,
        layer.strides,
        padding=paddings(layer, layer.kernel_size),
        groups=groups,
        bias=layer.use_bias,
    )
    copy(module.weight, np.transpose(kernel, (3, 2, 0, 1)))
    if layer.use_bias:
        copy(module.bias, layer.bias)
    return module


def depthwise(layer):
    kernel = np.transpose(layer.kernel, (0, 1, 3, 2))
    return convolution(layer, kernel, groups=layer.input.shape[-1])


def paddings(layer, window):
    """Pixels on each side that give Keras's output shape."""
    if layer.padding == "valid":
        return [0, 0]
    sides = zip(
        layer.input.shape[1:3],
        layer.output.shape[1:3],
        window,
        layer.strides,
        strict=True,
    )
    return [
        -(-max(0, (after - 1) * stride + size - before) // 2)
        for before, after, size, stride in sides
    ]


def batch_norm(layer):
    module = nn.BatchNorm2d(layer.moving_mean.shape[0], layer.epsilon)
    module.momentum = 1 - layer.momentum
    module.weight.requires_grad_(layer.scale)
    if layer.scale:
        copy(module.weight, layer.gamma)
    copy(module.bias, layer.beta)
    return module


def dense(layer):
    module = nn.Linear(*layer.kernel.shape)
    copy(module.weight, np.transpose(layer.kernel))
    copy(module.bias, layer.bias)
    return module


def pool(kind):
    return lambda layer: kind(
        layer.pool_size, layer.strides, paddings(layer, layer.pool_size)
    )


class Flatten(nn.Module):
    """Flatten in Keras's order, channels last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Rescaling(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.scale, self.offset = float(layer.scale), float(layer.offset)

    def forward(self, x):
        return x * self.scale + self.offset


class Add(nn.Module):
    def forward(self, x, y):
        return x + y


class Concatenate(nn.Module):
    def forward(self, *xs):
        return torch.cat(xs, 1)


class Multiply(nn.Module):
    def forward(self, x, y):
        return x * y


class GlobalAverage(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.keepdims = layer.keepdims

    def forward(self, x):
        return x.mean((2, 3), self.keepdims)


def copy(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(values)))


TRANSLATIONS = {
    layers.Conv2D: lambda layer: convolution(layer, layer.kernel, layer.groups),
    layers.DepthwiseConv2D: depthwise,
    layers.BatchNormalization: batch_norm,
    layers.Dense: dense,
    layers.MaxPooling2D: pool(nn.MaxPool2d),
    layers.AveragePooling2D: pool(nn.AvgPool2d),
    layers.ZeroPadding2D: lambda layer: nn.ZeroPad2d(
        [pad for pair in layer.padding[::-1] for pad in pair]
    ),
    layers.GlobalAveragePooling2D: GlobalAverage,
    layers.Flatten: lambda layer: Flatten(),
    layers.Reshape: lambda layer: Flatten(),  # of one place, MobileNet's last
    layers.Dropout: lambda layer: nn.Dropout(layer.rate),
    layers.Rescaling: Rescaling,
    layers.ReLU: lambda layer: nn.ReLU6() if layer.max_value else nn.ReLU(),
    layers.Activation: lambda layer: nn.Identity(),
    layers.Add: lambda layer: Add(),
    layers.Multiply: lambda layer: Multiply(),
    layers.Concatenate: lambda layer: Concatenate(),
}
ACTIVATIONS = {
    keras.activations.relu: nn.ReLU,
    keras.activations.sigmoid: nn.Sigmoid,
    keras.activations.tanh: nn.Tanh,
    keras.activations.hard_sigmoid: nn.Hardsigmoid,
    keras.activations.hard_silu: nn.Hardswish,
}
