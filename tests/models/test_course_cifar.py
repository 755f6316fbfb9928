"""The course's networks for CIFAR-10: parameters layer by layer, and sides."""

import math

import keras
import numpy as np
import pytest

from kerasdl import models

# Trained parameters by layer: kernel and bias of each convolution, then of its norm.
VGG = [
    *(1792, 128, 73_856, 256, 147_584, 256, 295_168, 512, 590_080, 512),
    *(1_180_160, 1024, 2_359_808, 1024, 20_490),
]
MOBILENET = [
    *(896, 64, 288, 64, 1024, 64, 288, 64, 2048, 128, 576, 128, 4096, 128),
    *(576, 128, 8192, 256, 1152, 256, 16_384, 256, 1152, 256, 32_768, 512),
    *(2304, 512, 65_536, 512, 2304, 512, 131_072, 1024, 5130),
]
# Twice the channels of all normalisations, counted by hand.
MOVING = {
    "course_vgg": 2 * (64 + 2 * (128 + 256 + 512)),
    "course_resnet18": 2 * (32 + 5 * (64 + 128 + 256 + 512)),
    "course_mobilenet": 2 * (4 * (32 + 64 + 128 + 256) + 512),
    "course_inception": 2 * (64 + 128 + (4 * 64 + 32) + (4 * 96 + 64)),
}
NETWORKS = {
    "course_vgg": (4_672_650, VGG),
    "course_resnet18": (11_156_778, None),
    "course_mobilenet": (280_650, MOBILENET),
    "course_inception": (577_194, None),
}


def bare(name):
    """Built without values, which take long to draw."""
    with keras.StatelessScope(initialize_variables=False):
        return getattr(models, name)(seed=1)


def trained(layer):
    return sum(math.prod(weight.shape) for weight in layer.trainable_weights)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_courses_parameters(name):
    total, by_layer = NETWORKS[name]
    found = [trained(layer) for layer in bare(name).layers if trained(layer)]
    assert sum(found) == total
    if by_layer:
        assert found == by_layer
    averages = [w for w in bare(name).non_trainable_weights if "moving" in w.path]
    assert sum(math.prod(weight.shape) for weight in averages) == MOVING[name]


def test_the_courses_resnet_layer_by_layer():
    expected, before = [864, 64], 32  # the first convolution
    for filters in (64, 128, 256, 512):
        square, norm = 9 * filters**2, 2 * filters
        first = 9 * before * filters
        # Two convolutions, the shortcut's, then two of the second block.
        expected += [first, norm, square, norm, before * filters, norm]
        expected += [square, norm, square, norm]
        before = filters
    found = [
        trained(layer) for layer in bare("course_resnet18").layers if trained(layer)
    ]
    assert sorted(found) == sorted([*expected, 5130])


def test_the_courses_inception_layer_by_layer():
    expected = [9472, 128, 73_856, 256]
    for before, filters, reduced in ((128, 64, 16), (256, 96, 32)):
        for inputs, outputs, kernel in (
            (before, filters, 1),
            (before, reduced, 1),
            (reduced, filters, 3),
            (before, reduced, 1),
            (reduced, filters, 5),
            (before, filters, 3),  # after the maxima, where papers have 1x1
        ):
            expected += [kernel**2 * inputs * outputs + outputs, 2 * outputs]
    found = [
        trained(layer) for layer in bare("course_inception").layers if trained(layer)
    ]
    assert sorted(found) == sorted([*expected, 3850])


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("course_vgg", [28, 14, 7, 4, 2]),
        ("course_resnet18", [28, 14, 7, 4, 2]),
        ("course_mobilenet", [28, 14, 7, 4, 2]),
        ("course_inception", [28, 12, 6, 3, 2]),
    ],
)
def test_the_courses_sides(name, sides):
    found = [
        layer.output.shape[1]
        for layer in bare(name).layers
        if len(layer.output.shape) == 4 and "pad" not in layer.name
    ]
    assert list(dict.fromkeys(found)) == sides


def test_maxima_pad_at_the_beginning():
    """Of 7 places, 0 stands alone, then 1 and 2, ..., as a pad of 1 has it."""
    from kerasdl.models.course_cifar import _padded_maxima

    x = np.arange(1.0, 50).reshape(1, 7, 7, 1)
    for stage in _padded_maxima(2, "pool"):
        x = stage(x)
    assert x[0, :, :, 0].numpy().diagonal().tolist() == [1, 17, 33, 49]
