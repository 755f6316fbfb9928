"""What may be predicted, and what is refused before anything trains."""

import numpy as np
import pandas as pd
import pytest

from kerasdl.tabular import Target


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (
            pd.to_datetime(["2014-01-01 00:00", "2014-01-02 12:00"]),
            ("2014-01-01 00:00:00", "2014-01-02 12:00:00"),
        ),
        (pd.to_timedelta([1, 2], unit="D"), ("1 days 00:00:00", "2 days 00:00:00")),
        (pd.array([1, 2], "Int16"), ("1", "2")),
        (pd.array([1.0, 2.0], "Float32"), ("1.0", "2.0")),
        (np.array([False, True]), ("False", "True")),
        (pd.Categorical(["a", "b"]), ("a", "b")),
        (pd.interval_range(0, 2), ("(0, 1]", "(1, 2]")),
        (np.array([2**60, 2**60 + 1]), (str(2**60), str(2**60 + 1))),
    ],
)
def test_classes_are_values_of_any_type(values, names):
    column = pd.Series(values, name="size")
    target = Target.of(column, "classification", None)
    assert target.class_names == names
    assert target.encode(column.iloc[[1, 0, 1]]).tolist() == [1, 0, 1]


def test_numbers_of_half_the_digits_are_classes():
    column = pd.Series(np.array([0.1, 0.2], "float32"), name="size")
    target = Target.of(column, "classification", None)
    assert target.encode(column.iloc[[1, 0]]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({3: 1.5}, {"target": 3}, "`target` must be a column named by text.*target=3"),
        (
            {"sales": 1e9 + np.arange(300) % 7},
            {},
            "Column 'sales' must spread by at least .*deviation of 2 around 1e.09",
        ),
        (
            {"sales": 1e9 + np.arange(300) % 7},
            {"scale": "none"},
            "Column 'sales' must spread by at least .*Subtract its smallest",
        ),
        (
            {"sales": 1e9 + np.arange(300) % 7},
            {"scale": "log"},
            "Column 'sales' must spread by at least .* around 20.7",
        ),
        (
            {"size": ["a"] * 100 + ["b"] * 100 + ["c"] * 100},
            {"target": "size", "valid_after": ("day", "2014-07-20")},
            "`target` must hold the classes of the tra.*'a', 'b'.*'c' in row 1200",
        ),
        ({"size": ["a\nb", "c"] * 150}, {"target": "size"}, r"of one line.*'a\\nb'"),
        ({"size": ["", "c"] * 150}, {"target": "size"}, "`target` must be non-empty"),
    ],
)
def test_what_cannot_be_predicted_is_refused(of_shops, shops, change, options, match):
    frame = shops.copy()
    for name, values in change.items():
        frame[name] = values
    if "target" not in options:
        options = {"task": "regression"} | options
    with pytest.raises(ValueError, match=match):
        of_shops(frame=frame, **options)


def test_small_numbers_and_one_number_are_predicted(of_shops, shops):
    small = of_shops(frame=shops.assign(sales=1e-9 * np.arange(300))).target
    assert small.spread == pytest.approx(1e-9 * 86.6, rel=0.1)
    one = of_shops(frame=shops.assign(sales=0.1), task="regression").target
    assert one.spread == 1
