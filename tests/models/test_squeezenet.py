import keras
import pytest

from kerasdl.models import squeezenet

# Table 1 of the paper: name, output, and its parameters before pruning.
TABLE = {
    "conv1": ((111, 111, 96), 14_208),
    "pool1": ((55, 55, 96), 0),
    "fire2": ((55, 55, 128), 11_920),
    "fire3": ((55, 55, 128), 12_432),
    "fire4": ((55, 55, 256), 45_344),
    "pool4": ((27, 27, 256), 0),
    "fire5": ((27, 27, 256), 49_440),
    "fire6": ((27, 27, 384), 104_880),
    "fire7": ((27, 27, 384), 111_024),
    "fire8": ((27, 27, 512), 188_992),
    "pool8": ((13, 13, 512), 0),
    "fire9": ((13, 13, 512), 197_184),
    "conv10": ((13, 13, 1000), 513_000),
    "avg_pool": ((1000,), 0),
}


@pytest.mark.usefixtures("without_values")
def test_the_paper_s_table():
    model = squeezenet(build="sequential", seed=1)
    for name, (shape, parameters) in TABLE.items():
        layer = model.get_layer(name)
        assert tuple(layer.output.shape[1:]) == shape
        assert layer.count_params() == parameters
    assert model.count_params() == 1_248_424


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("classes", [2, 7])
def test_classes(classes):
    model = squeezenet(input_shape=(35, 35, 3), classes=classes, seed=1)
    assert model.output_shape == (None, classes)
    assert isinstance(model.layers[-1], keras.layers.Activation)
