import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.applications.imagenet_utils import preprocess_input

from kerasdl.models._pixels import PIXEL_RULES, scale_pixels


@pytest.fixture
def pixels():
    return np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")


def scaling_model(rule):
    inputs = keras.Input((4, 5, 3))
    return keras.Model(inputs, keras.layers.Identity()(scale_pixels(inputs, rule)))


@pytest.mark.parametrize("rule", ["tf", "torch", "caffe"])
def test_equals_keras_applications(rule, pixels):
    expected = preprocess_input(pixels.copy(), mode=rule)
    np.testing.assert_allclose(scaling_model(rule)(pixels), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("rule", "black", "white"),
    [("none", 0, 255), ("unit", 0, 1), ("tf", -1, 1), ("lite", -127 / 128, 1)],
)
def test_ends_of_the_range(rule, black, white):
    ends = np.array([[[[0.0] * 3, [255.0] * 3]]], "float32")
    scaled = np.array(scale_pixels(ends, rule))
    np.testing.assert_allclose(scaled[0, 0, :, 0], [black, white], atol=1e-6)


def test_cifar_statistics(pixels):
    """What torchvision's recipes and others give for the 50,000 training images."""
    mean, deviation = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    expected = (pixels / 255 - mean) / deviation
    np.testing.assert_allclose(scaling_model("cifar")(pixels), expected, atol=1e-5)


@pytest.mark.parametrize("rule", PIXEL_RULES)
def test_gray_pixels_are_scaled_by_the_mean_of_the_statistics(rule):
    """At the mean of all channels' means it is what the channels are on average."""
    gray = np.array([0.0, 255.0], "float32").reshape(1, 1, 2, 1)
    colour = np.array(scale_pixels(np.repeat(gray, 3, axis=-1), rule))
    scaled = np.array(scale_pixels(gray, rule))
    assert scaled.shape == gray.shape
    black, white = scaled.ravel()
    assert white > black
    channels = colour.reshape(2, 3)
    # mean / deviation and 1 / deviation of the averaged statistics
    deviations = 1 / (channels[1] - channels[0])
    means = -channels[0] * deviations
    assert white - black == pytest.approx(1 / deviations.mean(), rel=1e-5)
    assert black == pytest.approx(-means.mean() / deviations.mean(), abs=1e-4)


@pytest.mark.filterwarnings("ignore:\\s*Warning")
@pytest.mark.parametrize("rule", PIXEL_RULES)
def test_converts_to_tflite(rule, pixels):
    model = scaling_model(rule)
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[:1])
    interpreter.invoke()
    scaled = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(scaled, model(pixels[:1]), atol=1e-4)


def test_half_precision_policy_does_not_round_pixels(pixels):
    exact = np.array(scale_pixels(pixels, "torch"))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        scaled = np.array(scale_pixels(pixels, "torch"))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(scaled, exact)


def test_unknown_rule():
    with pytest.raises(ValueError, match="`pixels` must be one of 'none', 'unit'"):
        scale_pixels(np.zeros((1, 2, 2, 3)), "imagenet")
