"""What a step that has ended leaves, and what a resumed run makes of it."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from kerasdl.models import load_model
from kerasdl.workbench import Steps, read_predictions, write_outcome

MADE_WITH = {"seed": 1, "epochs": None, "photos": {"batch_size": 4}}
FACTS = {"row": {"valid": 0.5}, "history": [{"epoch": 1, "loss": 0.25}]}


@pytest.fixture
def done(tmp_path):
    """The file of a step that an earlier process did."""
    (tmp_path / "state").mkdir()
    steps = Steps(SimpleNamespace(path=tmp_path), best="valid")
    steps.once("scratch", lambda: dict(FACTS), MADE_WITH)
    return tmp_path / "state" / "scratch.json"


def again(path, given=MADE_WITH):
    steps = Steps(SimpleNamespace(path=path.parents[1]), best="valid")

    def work():
        raise AssertionError("it is done already")

    return steps, steps.once("scratch", work, given)


def test_what_is_done_is_read_back(done):
    steps, found = again(done)
    assert found["history"] == FACTS["history"]
    (row,) = steps.rows
    assert (row["step"], row["valid"]) == ("scratch", 0.5)
    assert row["minutes"] >= 0
    assert [path.name for path in done.parent.iterdir()] == ["scratch.json"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 2}, r"seed=2 \(recorded: 1\)"),
        ({"epochs": 3}, r"epochs=3 \(recorded: None\)"),
        ({"photos": {"batch_size": 8}}, r"photos.batch_size=8 \(recorded: 4\)"),
    ],
)
def test_other_arguments_are_told_with_those_recorded(given, message, done):
    with pytest.raises(ValueError, match=f"`folder` must have been.*{message}"):
        again(done, MADE_WITH | given)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b'{"made_with"', b"\xff"]
)
def test_damaged_facts_are_named(content, done):
    done.write_bytes(content)
    with pytest.raises(ValueError, match="'scratch.json' must be whole.*do it anew"):
        again(done)


def test_facts_of_which_some_are_lost_are_named(done):
    facts = json.loads(done.read_text())
    del facts["history"]
    done.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="must be whole.*without history"):
        again(done)


def test_tuples_are_the_lists_that_json_makes_of_them(tmp_path):
    (tmp_path / "state").mkdir()
    for work in (lambda: dict(FACTS), None):  # the second is not called
        steps = Steps(SimpleNamespace(path=tmp_path), best="valid")
        assert steps.once("scratch", work, {"size": (1, 2)})["history"]


def test_facts_without_a_row_are_named(done):
    done.write_text('{"made_with": {}}')
    with pytest.raises(ValueError, match="'scratch.json' must be whole"):
        again(done, {})


@pytest.fixture
def outcome(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    write_outcome(tmp_path, "scratch", model, {"valid": np.ones((2, 1), "float32")})
    return tmp_path


def test_a_model_and_its_answers_are_read_as_they_were_written(outcome):
    predictions = read_predictions(outcome, "scratch")
    np.testing.assert_array_equal(predictions["valid"], np.ones((2, 1)))
    assert load_model(outcome / "scratch.keras").count_params() == 4
    names = ["scratch.keras", "scratch.npz"]
    assert sorted(path.name for path in outcome.iterdir()) == names


def test_damaged_arrays_and_models_are_named(outcome):
    for name in ("scratch.keras", "scratch.npz"):
        path = outcome / name
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="'scratch.npz' must be whole"):
        read_predictions(outcome, "scratch")
    with pytest.raises(ValueError, match="`path` must be a .keras file.*scratch.keras"):
        load_model(outcome / "scratch.keras")
