import keras
import numpy as np
import pytest

from kerasdl.models.convnet import convnet


def test_the_books_parameters():
    """Listing 5.5."""
    assert convnet(seed=1).count_params() == 3_453_121


@pytest.mark.parametrize(("classes", "units"), [(2, 1), (3, 3)])
def test_output(classes, units):
    model = convnet((46, 50, 3), classes, seed=1)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 46, 50, 3))
    assert model(pixels).shape == (2, units)


def test_pixels_are_scaled_inside():
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 46, 46, 3)).astype("float32")
    model, bare = (convnet((46, 46, 3), pixels=p, seed=1) for p in ("unit", "none"))
    np.testing.assert_allclose(bare(pixels / 255), model(pixels), atol=1e-5)


def test_seed_repeats_weights_and_dropout():
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 46, 46, 3))
    first, again = (convnet((46, 46, 3), dropout=0.5, seed=1) for _ in range(2))
    np.testing.assert_array_equal(
        first(pixels, training=True), again(pixels, training=True)
    )


def test_dropout_stands_before_the_dense_layers():
    names = [layer.name for layer in convnet(dropout=0.5, seed=1).layers]
    assert names[-4:] == ["flatten", "dropout", "dense", "predictions"]
    assert isinstance(convnet(seed=1), keras.Model)


def test_errors():
    with pytest.raises(ValueError, match=r"at least 46. .*input_shape=\(45, 46, 3\)"):
        convnet((45, 46, 3))
    with pytest.raises(ValueError, match="`classes` must be"):
        convnet(classes=1)
    with pytest.raises(ValueError, match="`dropout` must be"):
        convnet(dropout=-0.1)
    with pytest.raises(ValueError, match="`pixels` must be one of"):
        convnet(pixels="bgr", seed=1)
