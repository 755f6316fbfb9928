"""fastai 2.8's functions of tables beside ours, and what differs.

fastai is in the extra `bench`; test_features.py and test_data.py hold the same facts by
hand.
"""

import numpy as np
import pandas as pd
import pytest

from kerasdl.tabular import Columns, features, guess_columns

core = pytest.importorskip("fastai.tabular.core")


@pytest.fixture
def visits():
    rng = np.random.default_rng(0)
    days = pd.date_range("2014-11-20", periods=60)
    frame = pd.DataFrame(
        [(store, day) for store in (1, 2) for day in days], columns=["Store", "Date"]
    )
    frame["Promo"] = (rng.random(len(frame)) < 0.2).astype("int64")
    return frame


def test_parts_of_dates_are_the_same(visits):
    # Of dates in other units than nanoseconds its Elapsed is wrong.
    exact = visits.assign(Date=visits["Date"].astype("datetime64[ns]"))
    theirs = core.add_datepart(exact, "Date", drop=False, time=True)
    theirs["Date"] = visits["Date"]
    ours = features.add_datepart(visits, "Date", drop=False, time=True)
    assert sorted(ours) == sorted(theirs)
    pd.testing.assert_frame_equal(ours, theirs[list(ours)], check_dtype=False)


def test_days_since_an_event_are_the_same_and_until_one_negative_there(visits):
    theirs = core.add_elapsed_times(visits.copy(), ["Promo"], "Date", "Store")
    theirs = theirs.sort_values(["Store", "Date"], ignore_index=True)
    ours = features.add_elapsed(visits, ["Promo"], "Date", "Store")
    since, until = ours["AfterPromo"], ours["BeforePromo"]
    known = since.notna()
    np.testing.assert_array_equal(theirs["AfterPromo"][known], since[known])
    known = until.notna()
    np.testing.assert_array_equal(theirs["BeforePromo"][known], -until[known])
    # Where there is no event on that side it has a number, and we a hole.
    assert (theirs["AfterPromo"][since.isna()] == 0).all()
    assert (theirs["BeforePromo"][until.isna()] == 0).all()


def test_columns_are_guessed_alike_but_for_booleans():
    frame = pd.DataFrame(
        {
            "text": ["a", "b"] * 15,
            "few": [1, 2, 3] * 10,
            "many": range(30),
            "number": np.linspace(0, 1, 30),
            "y": range(30),
        }
    )
    numbers, categories = core.cont_cat_split(frame, max_card=20, dep_var="y")
    assert guess_columns(frame, ["y"]) == (categories, numbers, [])
    flags = frame.assign(flag=[True, False] * 15)
    assert "flag" in core.cont_cat_split(flags, max_card=20, dep_var="y")[1]
    assert "flag" in guess_columns(flags, ["y"])[1]


def test_codes_fills_and_scales_are_the_same():
    frame = pd.DataFrame(
        {"kind": ["b", None, "a", "b"], "x": [1.0, np.nan, 4.0, 9.0], "y": range(4)}
    )
    procs = [core.Categorify, core.FillMissing, core.Normalize]
    theirs = core.TabularPandas(frame.copy(), procs, ["kind"], ["x"], "y").items
    codes, numbers = Columns.of(frame, ["kind"], ["x"]).encode(frame)
    # Its holes are 0, as what is unknown is; ours have a code of their own.
    assert theirs["kind"].tolist() == [2, 0, 1, 2] and codes[1, 0] == 3
    np.testing.assert_array_equal(theirs["kind"][[0, 2, 3]], codes[[0, 2, 3], 0])
    np.testing.assert_allclose(theirs["x"], numbers[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(theirs["x_na"] - 1, numbers[:, 1])


def test_types_shrink_alike_but_for_text():
    frame = pd.DataFrame({"a": [1, -128], "b": [2**20, 0], "c": [0.5, 1.5]})
    theirs = core.df_shrink(frame.copy()).dtypes
    assert features.shrink(frame).dtypes.to_dict() == theirs.to_dict()
