"""The network of the course's chapter on digits, layer by layer."""

import math

from kerasdl.models import course_convnet


def test_the_courses_layers_and_parameters():
    model = course_convnet(seed=1)
    trained = {
        layer.name: sum(math.prod(weight.shape) for weight in layer.trainable_weights)
        for layer in model.layers
        if layer.trainable_weights
    }
    assert trained == {"conv": 832, "conv_bn": 64, "predictions": 62_730}
    assert sum(trained.values()) == 63_626
    assert model.count_params() == 63_626 + 64  # the moving averages
    assert course_convnet(include_top=False, seed=1).count_params() == 960
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers]
    assert shapes[-3:] == [(14, 14, 32), (6272,), (10,)]
