import numpy as np
import pytest

from kerasdl import models
from kerasdl.models import vgg11, vgg16, vgg_small

# Table 2 of the paper, in millions.
MILLIONS = {"vgg11": 133, "vgg13": 133, "vgg16": 138, "vgg19": 144}
# torchvision's vgg11 and vgg13; keras.applications' VGG16 and VGG19
PARAMETERS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
TRUNKS = {"vgg16": 14_714_688, "vgg19": 20_024_384}  # keras.applications


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    """Those of the trunk, and of the dense layers on its 7x7 maps."""
    trunk = getattr(models, name)(include_top=False, seed=1)
    assert trunk.output_shape == (None, 7, 7, 512)
    top = (7 * 7 * 512 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert trunk.count_params() + top == PARAMETERS[name]
    assert round(PARAMETERS[name] / 1e6) == MILLIONS[name]
    assert trunk.count_params() == TRUNKS.get(name, trunk.count_params())


@pytest.mark.usefixtures("without_values")
def test_vgg16_as_a_whole():
    assert vgg16(seed=1).count_params() == PARAMETERS["vgg16"]


@pytest.mark.usefixtures("without_values")
def test_the_lesson_s_narrow_vgg11():
    """Dive into Deep Learning, section 8.2: filters 16, 32, 64, 128 and 128."""
    model = vgg11(input_shape=(224, 224, 1), classes=10, ratio=4, units=8, seed=1)
    shapes = [
        tuple(model.get_layer(f"block{n}_pool").output.shape) for n in range(1, 6)
    ]
    assert shapes == [
        (None, 112, 112, 16),
        (None, 56, 56, 32),
        (None, 28, 28, 64),
        (None, 14, 14, 128),
        (None, 7, 7, 128),
    ]
    names = [layer.name for layer in model.layers][-6:]
    assert names == ["flatten", "fc1", "dropout1", "fc2", "dropout2", "predictions"]


@pytest.mark.usefixtures("without_values")
def test_vgg_small():
    model = vgg_small(seed=1)
    assert model.get_layer("pool3").output.shape == (None, 4, 4, 256)
    convs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256)]
    # Nine weights a pair of channels, and four of each normalised channel.
    trunk = sum(9 * before * after + 4 * after for before, after in convs)
    top = (4 * 4 * 256 + 1) * 256 + (256 + 1) * 10
    assert model.count_params() == trunk + top == 2_199_498
    narrow = vgg_small(ratio=4, include_top=False, pooling="avg", seed=1)
    assert narrow.output_shape == (None, 64)


def test_dropout_runs_in_training_alone():
    model = vgg11(input_shape=(32, 32, 3), ratio=16, units=64, classes=3, seed=1)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    assert not np.allclose(model(pixels, training=True), model(pixels), rtol=1e-6)
    np.testing.assert_array_equal(model(pixels), model(pixels))


@pytest.mark.parametrize("builder", [vgg11, vgg_small])
@pytest.mark.parametrize("ratio", [0, 65, 1.5, True])
def test_wrong_ratio(builder, ratio):
    with pytest.raises(ValueError, match=f"`ratio` must .* 1 to 64.* ratio={ratio}"):
        builder(ratio=ratio)


def test_errors():
    with pytest.raises(ValueError, match="`units` must be an integer of at least 1"):
        vgg11(units=0)
    with pytest.raises(ValueError, match="`dropout` must be at least 0"):
        vgg_small(dropout=1)
    with pytest.raises(ValueError, match=r"at least 32, .*\(32, 31, 3\)"):
        vgg16(input_shape=(32, 31, 3))


def test_weights_of_a_deeper_vgg_are_refused(tmp_path):
    small = {"input_shape": (32, 32, 3), "ratio": 16, "units": 8, "seed": 1}
    path = tmp_path / "vgg16.weights.h5"
    vgg16(**small).save_weights(path)
    with pytest.raises(ValueError, match="'vgg11'.*'block1_conv2' is one too many"):
        vgg11(**small, weights=path)
    with pytest.raises(ValueError, match="'vgg19'.*'block3_conv4' is missing"):
        models.vgg19(**small, weights=path)
    with pytest.raises(ValueError, match="'block1_conv1' has shapes .* instead of"):
        vgg16(**{**small, "ratio": 8}, weights=path)
