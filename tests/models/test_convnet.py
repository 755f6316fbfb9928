import keras
import numpy as np
import pytest

from kerasdl.models import convnet, mnist_convnet

SMALL = {"input_shape": (46, 46, 3), "seed": 1}


@pytest.mark.usefixtures("without_values")
def test_the_books_parameters():
    """Listing 5.5, and listings 5.1 and 5.2."""
    assert convnet(seed=1).count_params() == 3_453_121
    assert convnet(include_top=False, seed=1).count_params() == 240_832
    assert mnist_convnet(seed=1).count_params() == 93_322
    assert mnist_convnet(include_top=False, seed=1).count_params() == 55_744


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_the_books_shapes(build):
    shapes = [tuple(x.output.shape[1:]) for x in mnist_convnet(build=build).layers]
    assert shapes[-8:-4] == [(26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64)]
    assert shapes[-4:] == [(3, 3, 64), (576,), (64,), (10,)]
    shapes = [tuple(x.output.shape[1:]) for x in convnet(build=build).layers]
    assert shapes[-5:] == [(15, 15, 128), (7, 7, 128), (6272,), (512,), (1,)]


@pytest.mark.parametrize(("classes", "units"), [(2, 1), (3, 3)])
def test_two_classes_end_in_one_sigmoid_unit(classes, units):
    model = convnet(input_shape=(46, 50, 3), classes=classes, seed=1)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 46, 50, 3))
    assert model(pixels).shape == (2, units)
    wanted = keras.activations.sigmoid if classes == 2 else keras.activations.softmax
    assert model.layers[-1].activation is wanted


def test_seed_repeats_weights_and_dropout():
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 46, 46, 3))
    first, again = (convnet(**SMALL, dropout=0.5) for _ in range(2))
    np.testing.assert_array_equal(
        first(pixels, training=True), again(pixels, training=True)
    )


@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_dropout_stands_before_the_dense_layers(build):
    for model in (
        convnet(**SMALL, build=build, dropout=0.5),
        mnist_convnet(build=build, dropout=0.5, seed=1),
    ):
        names = [layer.name for layer in model.layers]
        assert names[-4:] == ["flatten", "dropout", "dense", "predictions"]
        assert model.get_layer("dropout").rate == 0.5
    names = [layer.name for layer in convnet(**SMALL, build=build).layers]
    assert names[-3:] == ["flatten", "dense", "predictions"]


def test_errors():
    with pytest.raises(ValueError, match=r"at least 46, .*input_shape=\(45, 46, 3\)"):
        convnet(input_shape=(45, 46, 3))
    with pytest.raises(ValueError, match="`dropout` must be"):
        convnet(dropout=-0.1)
    with pytest.raises(ValueError, match="`dropout` must be"):
        mnist_convnet(dropout=1.0)
