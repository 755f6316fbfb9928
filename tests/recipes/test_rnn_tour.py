"""The tour of recurrent nets: what its lines give."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """By section, the bare expressions of the tour and their values."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPES))
        spec = importlib.util.spec_from_file_location(
            "rnn_tour", RECIPES / "rnn_tour.py"
        )
        tour = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tour)
        folder = tmp_path_factory.mktemp("tour") / "run"
        found = tour.main(["--seed", "1", "--out", str(folder)])
        assert (folder / "tour.html").is_file()
        assert list(folder.glob("vanishing_gradients_*.png"))
    return found


@pytest.mark.parametrize(
    "section",
    [
        *("simple_rnn", "lstm", "gru", "both_directions"),
        *("additive_attention", "multiplicative_attention", "multi_head_attention"),
    ],
)
def test_formulas_are_those_of_keras(values, section):
    assert values[section][-1][1] < 1e-5


def test_a_recurrent_net_guesses_better_than_the_value_before(values):
    ((_, table),) = values["a_series_goes_on"]
    before = table["error"]["the value before"]
    assert (table["error"].drop("the value before") < before).all()


def test_the_right_order_of_words_is_likelier(values):
    likely = dict(values["bigrams"])
    right, wrong = (
        likely[f"model.log_probability({name})"] for name in ("right", "wrong")
    )
    assert right > wrong + 5 and np.isfinite(wrong)
