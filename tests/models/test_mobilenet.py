import keras
import numpy as np
import pytest

from kerasdl import models
from kerasdl.models._blocks import divisible_by_8

# keras.applications; with the top, and without
PARAMETERS = {
    "mobilenet_v1": (4_253_864, 3_228_864),
    "mobilenet_v2": (3_538_984, 2_257_984),
    "mobilenet_v3_large": (5_507_432, 2_996_352),
    "mobilenet_v3_small": (2_554_968, 939_120),
}
# The papers, in millions; without the moving statistics, which nothing trains.
MILLIONS = {
    "mobilenet_v1": 4.2,  # table 8
    "mobilenet_v2": 3.4,  # table 4
    "mobilenet_v3_large": 5.4,  # table 3
    "mobilenet_v3_small": 2.5,  # table 3
}


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    model = getattr(models, name)(seed=1)
    trunk = getattr(models, name)(include_top=False, seed=1)
    assert (model.count_params(), trunk.count_params()) == PARAMETERS[name]
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained / 1e6 == pytest.approx(MILLIONS[name], abs=0.11)
    assert trunk.output_shape[1:3] == (7, 7)


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small"])
def test_odd_sides_as_in_keras_applications(name):
    theirs = {
        "mobilenet_v2": keras.applications.MobileNetV2,
        "mobilenet_v3_small": keras.applications.MobileNetV3Small,
    }[name]
    arguments = {"input_shape": (45, 37, 3), "include_top": False, "alpha": 0.35}
    ours = getattr(models, name)(**arguments, pixels="none", seed=1)
    extra = {} if name == "mobilenet_v2" else {"include_preprocessing": False}
    other = theirs(**arguments, weights=None, **extra)
    for layer in ours.layers:
        if layer.weights:
            other.get_layer(layer.name).set_weights(layer.get_weights())
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 45, 37, 3))
    np.testing.assert_allclose(ours(pixels), other(pixels), rtol=1e-4, atol=1e-4)


def test_depthwise_separable_convolution_saves_what_the_paper_says():
    """Equation 5: 1/filters + 1/9 of a standard 3x3 convolution's weights."""
    model = models.mobilenet_v1(include_top=False, input_shape=(32, 32, 3), seed=1)
    channel = model.get_layer("conv_dw_5").count_params()
    point = model.get_layer("conv_pw_5").count_params()
    standard = 9 * 256 * 256
    assert (channel + point) / standard == pytest.approx(1 / 256 + 1 / 9)


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("alpha", [0.5, 1.4])
def test_width_multiplier(alpha):
    """Widths as keras.applications has them, at its counts of parameters."""
    for name, theirs in (
        ("mobilenet_v1", keras.applications.MobileNet),
        ("mobilenet_v2", keras.applications.MobileNetV2),
        ("mobilenet_v3_small", keras.applications.MobileNetV3Small),
    ):
        arguments = {"input_shape": (32, 32, 3), "alpha": alpha, "classes": 5}
        ours = getattr(models, name)(**arguments, seed=1)
        assert ours.count_params() == theirs(weights=None, **arguments).count_params()


def test_linear_bottlenecks():
    """No activation follows the projection; equal shapes are added."""
    model = models.mobilenet_v2(
        input_shape=(32, 32, 3), alpha=0.35, build="sequential", classes=3, seed=1
    )
    block = model.get_layer("block_2")
    assert [layer.name for layer in block.layers][-3:] == [
        "block_2_project",
        "block_2_project_BN",
        "block_2_add",
    ]
    assert model.get_layer("block_1").layers[-1].name == "block_1_project_BN"
    blocks = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    assert len(blocks) == 17


def test_sides_that_are_not_known():
    model = models.mobilenet_v1(
        input_shape=(None, None, 3), alpha=0.25, classes=3, build="sequential", seed=1
    )
    assert model(np.zeros((1, 28, 45, 3))).shape == (1, 3)


@pytest.mark.parametrize(
    ("filters", "rounded"), [(1, 8), (8.4, 8), (12, 16), (18, 24), (24, 24), (89.6, 88)]
)
def test_divisible_by_8(filters, rounded):
    assert divisible_by_8(filters) == rounded


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("alpha", [0, -1.0, "1", True])
def test_wrong_alpha(name, alpha):
    with pytest.raises(ValueError, match="`alpha` must be a number of at least 1/32"):
        getattr(models, name)(alpha=alpha)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v3_small"])
def test_wrong_dropout(name):
    with pytest.raises(ValueError, match="`dropout` must be at least 0"):
        getattr(models, name)(dropout=-0.5)
