import keras
import pytest
from keras import layers

from kerasdl.train import freeze, freeze_to, layer_table, summary


@pytest.fixture
def model():
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="bn"),
        ],
        name="inner",
    )
    inputs = keras.Input((8, 8, 3), name="pixels")
    x = layers.Flatten(name="flatten")(inner(inputs))
    x = layers.Dense(5, name="dense")(x)
    return keras.Model(inputs, layers.Dense(2, name="top")(x), name="small")


def test_has_a_row_for_each_layer(model):
    freeze_to(model, "dense")
    table = layer_table(model)
    assert table.to_dict("list") == {
        "layer": ["pixels", "conv", "bn", "flatten", "dense", "top"],
        "type": [
            "InputLayer",
            "Conv2D",
            "BatchNormalization",
            "Flatten",
            "Dense",
            "Dense",
        ],
        "output": [
            "(None, 8, 8, 3)",
            "(None, 6, 6, 4)",
            "(None, 6, 6, 4)",
            "(None, 144)",
            "(None, 5)",
            "(None, 2)",
        ],
        # 3*3*3*4 + 4; 4*4; 144*5 + 5; 5*2 + 2
        "parameters": [0, 112, 16, 0, 725, 12],
        "group": [0, 0, 0, 0, 1, 2],
        "state": ["", "frozen", "frozen", "", "trains", "trains"],
    }
    assert table["parameters"].sum() == model.count_params()


def test_a_layer_of_layers_may_train_in_part():
    inner = layers.LSTM(2)
    both = layers.Bidirectional(inner, name="both")
    model = keras.Sequential([keras.Input((3, 2)), both])
    both.forward_layer.trainable = False
    assert list(layer_table(model)["state"]) == ["partly"]


def test_summary_marks_what_trains_and_counts_it(model, capsys):
    freeze(model)
    summary(model)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "small"
    assert lines[-1] == "12 of 865 parameters train (*)"
    assert [line.split()[1] for line in lines if line.startswith("* ")] == ["top"]
    (row,) = [line.split() for line in lines if " dense " in line]
    assert row == ["dense", "Dense", "(None,", "5)", "725", "frozen"]
    headers = [line.split()[1:3] for line in lines if line.startswith("-- ")]
    assert headers == [["group", "0"], ["group", "1"], ["group", "2"]]


def test_a_subclassed_model_has_no_shapes():
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name="dense")

        def call(self, inputs):
            return self.dense(inputs)

    model = Plain()
    with pytest.raises(ValueError, match="`model` must be built"):
        layer_table(model)
    model(keras.ops.ones((1, 3)))
    assert layer_table(model)[
        ["layer", "output", "parameters"]
    ].to_numpy().tolist() == [["dense", "", 8]]
