"""The course's chapter on convolution, by hand and by Keras."""

import re
import runpy

import numpy as np
import pytest

# By section: expressions of the tour and what the lesson gives for them.
LESSON = {
    "without_pooling": {
        "network.count_params()": 55_744,
        "dense.count_params()": 15_860_224,
        "tf.reduce_max(moved, axis=0) - tf.reduce_min(moved, axis=0) + 1": [7, 7],
    },
    "local_connections": {"dense": 4e8, "local": 160_000, "layer.count_params()": 16},
    "output_sizes": {
        "layers.Conv2D(33, 3, strides=2)(x).shape": [20, 24, 49, 33],
        "keras.ops.conv(padded, kernel, strides=(2, 1)).shape": [20, 28, 100, 33],
        "dilated[:, ::2].shape": [20, 26, 100, 33],
        "layers.MaxPooling2D(3, 2)(y).shape": [20, 24, 15, 16],
        "layers.MaxPooling2D((3, 2), (2, 1))(y).shape": [20, 24, 31, 16],
        "[-(-50 // 2), (50 - 3) // 2 + 1]": [25, 24],
    },
    "kinds_of_convolution": {"56 * 56 * (16 + 32) + 16 * 32": 151_040},
    "pooling_by_hand": {
        "layers.AveragePooling2D(2)(x).numpy().item()": 2.5,
        "layers.MaxPooling2D(2)(x).numpy().item()": 4,
        "[kd.models.lp_pooling(x, 2, p).numpy().item() for p in (1, 2, 50)]": [
            10,
            30**0.5,
            4,
        ],
        "kd.models.mixed_pooling(x, 2, 0.25).numpy().item()": 2.875,
        "kd.models.stochastic_pooling(x, 2).numpy().item()": 3,
    },
    "stochastic_pooling": {
        "np.unique(picked, return_counts=True)[1] / 10_000": [0.1, 0.2, 0.3, 0.4]
    },
    "activations": {
        'tf.reduce_max(slopes["sigmoid"])': 0.25,
        'tf.reduce_max(slopes["relu"][:100])': 0,
        'tf.reduce_min(slopes["leaky relu"])': 0.1,
    },
    "softmax": {
        "tf.nn.softmax(logits)": [0.8789, 0.1189, 0.0022],
        "exponentials / tf.reduce_sum(exponentials)": [0.8789, 0.1189, 0.0022],
        "tf.nn.softmax(logits + 1000.0)": [0.8789, 0.1189, 0.0022],
    },
    "optimizers": {
        "[sgd.learning_rate.value, sgd.momentum]": [0.01, 0],
        "[adam.learning_rate.value, adam.beta_1, adam.beta_2]": [0.001, 0.9, 0.999],
        "[decay(epoch) for epoch in range(4)]": [0.1, 0.09, 0.081, 0.0729],
    },
    "penalties": {"[l1, l2]": [0.3 * 2.501 / 3, 0.15 * 4.250001 / 3]},
}
# What is computed by hand and by Keras: the sections whose differences are shown.
DIFFERENCES = re.compile(r"^(tf\.reduce_max\(\n? *tf\.abs|np\.abs|regularizers)")


@pytest.fixture(scope="module")
def tour(take_tour):
    return take_tour("convolution_tour")


@pytest.mark.parametrize("section", LESSON)
def test_a_section_gives_what_the_lesson_does(tour, shows, section):
    # Of 10,000 draws a share is that far off.
    tolerance = 0.02 if section == "stochastic_pooling" else 1e-4
    shows(tour[1][section], LESSON[section], tolerance)


def test_by_hand_is_by_keras(tour):
    found = {}
    for section, shown in tour[1].items():
        for expression, value in shown.items():
            if DIFFERENCES.match(expression):
                assert float(value) < 1e-5, (section, expression)
                found[section] = found.get(section, 0) + 1
    assert found == {
        "cell_by_cell": 4,
        "deformable": 2,
        "activations": 2,
        "dense_is_convolution": 2,
        "linear_layers_are_one": 1,
        "batch_normalisation": 5,
        "of_rows_and_series": 4,
        "squeeze_and_excitation": 1,
        "self_attention": 3,
        "penalties": 2,
    }


def test_normalisations_in_both_modes(tour):
    (table,) = tour[1]["layer_instance_group"].values()
    assert set(table.columns) == {"layer", "instance", "group"}
    assert set(table.index) == {"train", "predict"}
    assert table.to_numpy().max() < 1e-5
    pure, gradients = tour[1]["switchable"].values()
    assert max(pure.values()) < 1e-5
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_costs_by_formula_are_those_by_layer(tour):
    by_layer, equal, *_ = tour[1]["kinds_of_convolution"].values()
    assert equal.all()
    row = by_layer.loc["separable"]
    assert (row["output_shape"], row["parameters"]) == ((56, 56, 32), 688)
    assert by_layer.loc["dilation 24", "receptive_field"] == (49, 49)


def test_a_transposed_convolution_is_a_gradient(tour):
    *_, by_layer, by_gradient = tour[1]["transposed_and_upsampling"].values()
    np.testing.assert_allclose(by_layer, by_gradient)
    assert by_layer[2, 2] == 10


def test_offsets_of_a_deformable_convolution_learn(tour):
    *_, share_with_a_gradient = tour[1]["deformable"].values()
    assert share_with_a_gradient > 0.9


def test_attention_needs_its_data(recipes_path, tmp_path, monkeypatch):
    main = runpy.run_path(str(recipes_path / "convolution_tour.py"))["main"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="`data` must be a folder of CIFAR-10"):
        main(["--section", "attention_on_cifar"])
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        main(["--section", "attention_on_cifar", "--data", "nothing"])
    assert not list(tmp_path.iterdir())


def test_units_overfit_and_penalties_help(tour):
    table, _ = tour[1]["under_and_overfitting"].values()
    few, many = table.loc["2 units"], table.loc["128 units"]
    assert few["last train"] > 1 > many["last train"]
    assert many["last valid"] > 1.3 * many["lowest valid"]
    table = next(iter(tour[1]["what_helps"].values()))
    below = table["weights below 1e-3"]
    # Of 64 x 128 weights a share is off by chance: five deviations of a difference.
    margin = 5 * np.sqrt(2 * 0.25 / (64 * 128))
    assert below["L1"] > below["L2"] + margin
    assert below["L2"] > below["nothing"] + margin
    # Nothing pulls to 0: the share is that of Glorot's uniform weights, or less.
    assert below["nothing"] < 1e-3 / np.sqrt(6 / (64 + 128)) + margin
    assert table["epochs"]["early stopping"] < table["epochs"]["nothing"]
    nothing = table["valid loss"]["nothing"]
    for name in ("L1", "L2", "dropout", "early stopping"):
        assert table["valid loss"][name] < nothing, name


def test_the_page_has_every_section_and_picture(tour):
    folder, shown = tour
    page = (folder / "tour.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert page.count("<img") == len(list(folder.glob("*.png")))
    assert len(re.findall("<h2 id=", page)) == len(shown)
