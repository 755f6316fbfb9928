import json

import keras
import numpy as np
import pandas as pd
import pytest

from kerasdl.train._stage import read_stage, write_stage

MADE_WITH = {"seed": 1, "epochs": None, "photos": {"batch_size": 4}}
FACTS = {
    "history": [{"epoch": 1, "loss": 0.5}],
    "trained_parameters": 4,
    "minutes": 0.1,
    "activations": {"computed": 2, "reused": 0},
    "choices": {"l2": 0.1},
}


@pytest.fixture
def folder(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    predictions = {"valid": np.ones((2, 1), "float32")}
    write_stage(tmp_path, "scratch", model, predictions, FACTS, MADE_WITH)
    return tmp_path


def test_a_stage_is_read_as_it_was_written(folder):
    stage = read_stage(folder, "scratch", MADE_WITH)
    assert (stage.name, stage.trained_parameters, stage.minutes) == ("scratch", 4, 0.1)
    pd.testing.assert_frame_equal(stage.history, pd.DataFrame(FACTS["history"]))
    np.testing.assert_array_equal(stage.predictions["valid"], np.ones((2, 1)))
    assert stage.load_model().count_params() == 4
    names = ["scratch.json", "scratch.keras", "scratch.npz"]
    assert sorted(path.name for path in folder.iterdir()) == names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 2}, r"seed=2 \(recorded: 1\)"),
        ({"epochs": 3}, r"epochs=3 \(recorded: None\)"),
        ({"photos": {"batch_size": 8}}, r"photos.batch_size=8 \(recorded: 4\)"),
    ],
)
def test_other_arguments_are_told_with_those_recorded(given, message, folder):
    with pytest.raises(ValueError, match=f"`folder` must have been.*{message}"):
        read_stage(folder, "scratch", MADE_WITH | given)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b'{"made_with"', b"\xff"]
)
def test_damaged_facts_are_named(content, folder):
    (folder / "scratch.json").write_bytes(content)
    with pytest.raises(ValueError, match="'scratch.json' must be whole.*train it anew"):
        read_stage(folder, "scratch", MADE_WITH)


def test_facts_of_other_names_are_named(folder):
    facts = json.loads((folder / "scratch.json").read_text())
    (folder / "scratch.json").write_text(json.dumps(facts | {"more": 1}))
    with pytest.raises(ValueError, match="'scratch.json' must be whole"):
        read_stage(folder, "scratch", MADE_WITH)


def test_damaged_arrays_and_models_are_named(folder):
    for name in ("scratch.keras", "scratch.npz"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="'scratch.npz' must be whole"):
        read_stage(folder, "scratch", MADE_WITH)
    np.savez(folder / "scratch.npz", valid=np.ones((2, 1)))
    with pytest.raises(ValueError, match="`path` must be a .keras file.*scratch.keras"):
        read_stage(folder, "scratch", MADE_WITH).load_model()
