import inspect

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state

from kerasdl import models
from kerasdl.models import summary_table

COLUMNS = [
    "network",
    "year",
    "input_shape",
    "layers",
    "parameters",
    "multiply_adds",
    "activation_bytes",
    "file_bytes",
]


def test_the_table_of_all_networks(tmp_path):
    """In one test, as two workers of pytest would each make the table."""
    table = summary_table()
    check_every_builder_is_in_it(table)
    check_every_network_is_at_its_own_size(table)
    check_rows_of_the_papers(table)
    rows = table.set_index("network")
    for name in ("mobilenet_v3_small", "squeezenet", "vgg_small"):
        with keras.StatelessScope(initialize_variables=False):
            model = getattr(models, name)(weights=None, seed=1)
        assert rows.loc[name, "parameters"] == model.count_params()
        global_state.set_global_attribute("uninitialized_variables", [])
    check_file_bytes_are_a_file_s(rows, tmp_path / "squeezenet.weights.h5")


def check_every_builder_is_in_it(table):
    builders = {
        name
        for name, value in vars(models).items()
        if inspect.isfunction(value) and "build" in inspect.signature(value).parameters
    }
    assert set(table["network"]) == builders | {"efficientnet_lite0"}
    assert table["network"].is_unique
    assert list(table) == COLUMNS


def check_every_network_is_at_its_own_size(table):
    for name, shape in zip(table["network"], table["input_shape"], strict=True):
        parameters = inspect.signature(getattr(models, name)).parameters
        assert shape == parameters["input_shape"].default


def check_rows_of_the_papers(table):
    """Years, parameters and millions of multiply-adds as published."""
    rows = table.set_index("network")
    for name, year, layers, parameters, millions in (
        ("lenet5", 1998, 5, 61_706, 0.42),
        ("alexnet", 2012, 8, 62_378_344, 1135),
        ("googlenet", 2014, 22, 6_998_552, 1583),
        ("vgg16", 2014, 16, 138_357_544, 15_470),
        ("mobilenet_v1", 2017, 28, 4_253_864, 569),
        ("mobilenet_v2", 2018, 53, 3_538_984, 301),
    ):
        row = rows.loc[name]
        assert (row["year"], row["layers"]) == (year, layers)
        assert row["parameters"] == parameters
        assert row["multiply_adds"] / 1e6 == pytest.approx(millions, rel=0.01)
    assert table["year"].is_monotonic_increasing


def check_file_bytes_are_a_file_s(rows, path):
    models.squeezenet(seed=1).save_weights(path)
    bytes_ = rows.loc["squeezenet", "file_bytes"]
    assert path.stat().st_size == pytest.approx(bytes_, rel=0.03)


def test_one_size_for_some_networks():
    table = summary_table((32, 48, 1), ["vgg_small", "lenet5"])
    assert table["network"].tolist() == ["lenet5", "vgg_small"]
    assert table["input_shape"].tolist() == [(32, 48, 1)] * 2
    first = 32 * 48 * 6 * 5 * 5
    second = (16 - 4) * (24 - 4) * 16 * 5 * 5 * 6
    dense = 6 * 10 * 16 * 120 + 120 * 84 + 84 * 10
    assert table.loc[0, "multiply_adds"] == first + second + dense
    # Its pixels scaled; two convolutions, each with sigmoids and averages; three dense
    # layers, two with sigmoids.
    values = 32 * 48 * (1 + 6 * 2.25) + 12 * 20 * 16 * 2.25 + 2 * (120 + 84) + 10
    assert table.loc[0, "activation_bytes"] == 4 * values


def test_nothing_is_drawn_or_left_behind(capsys):
    before = np.random.get_state()[1].copy()
    summary_table(networks=["lenet5"])
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    assert capsys.readouterr().out == ""
    assert not global_state.get_global_attribute("uninitialized_variables")
    pixels = np.zeros((1, 28, 28, 1))
    assert models.lenet5(seed=1)(pixels).numpy().shape == (1, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"networks": ["resnet"]}, "`networks` must be one of 'alexnet', .*'resnet'"),
        ({"networks": []}, "`networks` must name at least one"),
        ({"input_shape": (None, 32, 3)}, r"`input_shape` must be .*\(None, 32, 3\)"),
        ({"input_shape": 224}, "`input_shape` must be .* input_shape=224"),
        (
            {"input_shape": (16, 16, 1), "networks": ["lenet5", "nin", "alexnet"]},
            r"must suit all .* which nin, alexnet cannot take .* can: lenet5\.",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        summary_table(**arguments)
