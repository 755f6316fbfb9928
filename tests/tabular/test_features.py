"""Each feature against a slower way, or a table made by hand."""

import numpy as np
import pandas as pd
import pytest

from kerasdl.tabular import features


@pytest.fixture
def visits():
    """Days of three stores in mixed order, some missing and some twice."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2014-02-20", periods=40)
    rows = [
        (store, day) for store in ("b", "a", "c") for day in days if rng.random() < 0.7
    ]
    rows += rows[:5]
    frame = pd.DataFrame(rows, columns=["Store", "Date"])
    frame["Promo"] = rng.integers(0, 2, len(frame))
    frame["Holiday"] = (rng.random(len(frame)) < 0.1) & (frame["Store"] != "c")
    order = rng.permutation(len(frame))
    return frame.iloc[order].set_axis(order + 100)


def test_datepart_gives_what_the_lesson_prints_for_a_date():
    frame = pd.DataFrame({"Date": ["2014-12-31", "2015-01-01"], "Sales": [1, 2]})
    found = features.add_datepart(frame, "Date")
    assert list(frame) == ["Date", "Sales"]  # as it was
    assert found.loc[0].to_dict() == {
        "Sales": 1,
        "Year": 2014,
        "Month": 12,
        "Week": 1,  # of 2015, by ISO 8601
        "Day": 31,
        "Dayofweek": 2,
        "Dayofyear": 365,
        "Is_month_end": True,
        "Is_month_start": False,
        "Is_quarter_end": True,
        "Is_quarter_start": False,
        "Is_year_end": True,
        "Is_year_start": False,
        "Elapsed": 1419984000,
    }
    assert found["Is_year_start"].tolist() == [False, True]


def test_datepart_of_each_date_by_the_standard_library(visits):
    found = features.add_datepart(visits, "Date", prefix="On_", drop=False)
    for day, row in zip(visits["Date"], found.to_dict("records"), strict=True):
        date = day.to_pydatetime()
        assert row["Date"] == day
        assert row["On_Week"] == date.isocalendar().week
        assert row["On_Dayofyear"] == date.timetuple().tm_yday
        assert row["On_Dayofweek"] == date.weekday()
        assert row["On_Is_month_start"] == (date.day == 1)


def test_datepart_of_a_missing_date_is_missing():
    frame = pd.DataFrame({"saleDate": pd.to_datetime(["2014-03-01 05:06:07", None])})
    found = features.add_datepart(frame, "saleDate", time=True)
    assert found["saleHour"].tolist() == [5, pd.NA]
    assert found["saleSecond"].dtype == "Int16"
    assert found.loc[1].isna().all()
    nothing = features.add_datepart(frame.iloc[:0], "saleDate")
    assert len(nothing) == 0


def test_datepart_keeps_the_clock_of_its_time_zone():
    clock = pd.to_datetime(["2014-12-31 23:30"]).tz_localize("America/New_York")
    found = features.add_datepart(pd.DataFrame({"Date": clock}), "Date", time=True)
    assert found.loc[0, ["Year", "Day", "Hour"]].tolist() == [2014, 31, 23]
    assert found.loc[0, "Elapsed"] == clock[0].timestamp()


def test_datepart_of_a_file_without_any_date_is_missing():
    found = features.add_datepart(pd.DataFrame({"Date": [np.nan] * 2}), "Date")
    assert found.shape == (2, 13) and found.isna().all(axis=None)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([np.nan, 20140105], "20140105.0 in row 2, one of 1 such"),
        (["yesterday", "tomorrow"], "'yesterday' in row 1, one of 2 such"),
        (["", "13.02.2024"], "'13.02.2024' in row 2, one of 1 such"),
        (["2014-01-01T00:00+01:00", "2014-01-01T00:00+02:00"], "2.*Mixed timezones"),
    ],
)
def test_datepart_refuses_what_is_no_date_for_certain(values, match):
    frame = pd.DataFrame({"Date": values}, index=[1, 2])
    match = f"Column 'Date' must hold dates, or text such as 2015.*Received: .*{match}"
    with pytest.raises(ValueError, match=match):
        features.add_datepart(frame, "Date")


def test_datepart_refuses_other_columns():
    frame = pd.DataFrame({"Date": ["2014-01-01"], "Year": [1]})
    with pytest.raises(ValueError, match="names that the table has not.*'Year'"):
        features.add_datepart(frame, "Date")
    with pytest.raises(ValueError, match="`column` must be columns .*'Day'"):
        features.add_datepart(frame, "Day")


def slow_elapsed(frame, event, place):
    store, day = frame["Store"].iloc[place], frame["Date"].iloc[place]
    own = frame[(frame["Store"] == store) & (frame[event] != 0)]["Date"]
    before, after = own[own <= day], own[own >= day]
    return (
        (day - before.max()).days if len(before) else np.nan,
        (after.min() - day).days if len(after) else np.nan,
    )


@pytest.mark.parametrize("event", ["Promo", "Holiday"])
def test_elapsed_as_row_by_row(visits, event):
    # An event of a day that stands twice counts for both rows.
    visits = visits[~visits.duplicated(["Store", "Date"])]
    found = features.add_elapsed(visits, [event], "Date", "Store")
    expected = [slow_elapsed(visits, event, place) for place in range(len(visits))]
    np.testing.assert_array_equal(found[[f"After{event}", f"Before{event}"]], expected)
    assert found.index.equals(visits.index)
    if event == "Holiday":
        assert found.loc[found["Store"] == "c", "AfterHoliday"].isna().all()


def test_rolling_sums_as_row_by_row(visits):
    found = features.rolling_by_group(visits, ["Promo", "Holiday"], "Date", "Store", 5)
    for place in range(len(visits)):
        row = found.iloc[place]
        ahead = (visits["Date"] - row["Date"]).dt.days
        own = visits["Store"] == row["Store"]
        for name in ("Promo", "Holiday"):
            back = visits.loc[own & (ahead <= 0) & (ahead > -5), name].sum()
            forth = visits.loc[own & (ahead >= 0) & (ahead < 5), name].sum()
            assert (row[f"{name}_bw"], row[f"{name}_fw"]) == (back, forth)


def test_rolling_counts_days_as_pandas_does(visits):
    found = features.rolling_by_group(visits, ["Promo"], "Date", "Store")
    found = found[~found.duplicated(["Store", "Date"], keep=False)]
    found = found.sort_values(["Store", "Date"]).set_index("Date")
    visits = visits.sort_values("Date").set_index("Date")
    by_pandas = visits.groupby("Store")["Promo"].rolling("7D").sum()
    by_pandas = by_pandas[~by_pandas.index.duplicated(keep=False)]
    np.testing.assert_array_equal(found["Promo_bw"], by_pandas)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"Date": "2014-01-01"}, "`date` must be a column of dates.*type str"),
        ({"Store": None}, "`group` must have no holes.*'Store', missing in"),
        ({"Promo": "yes"}, "`Promo` must be a column of numbers or booleans"),
        ({"Promo": np.nan}, "`columns` must have no holes.*'Promo', missing in"),
        ({"Promo_bw": 1}, "New columns.*'Promo_bw'"),
    ],
)
def test_rolling_refuses(visits, change, match):
    with pytest.raises(ValueError, match=match):
        features.rolling_by_group(visits.assign(**change), ["Promo"], "Date", "Store")


def test_rolling_refuses_other_days(visits):
    with pytest.raises(ValueError, match="`days` must be .*days=0"):
        features.rolling_by_group(visits, ["Promo"], "Date", "Store", 0)


def test_elapsed_of_no_rows():
    day = pd.to_datetime(["2014-01-01"])
    frame = pd.DataFrame({"Store": [1], "Date": day, "Promo": [1]}).iloc[:0]
    found = features.add_elapsed(frame, ["Promo"], "Date", "Store")
    assert len(found) == 0 and "AfterPromo" in found


STORES = pd.DataFrame({"Store": [1, 2], "Year": [7, 8], "State": ["HE", None]})


def test_join_keeps_rows_as_pandas_merge_does():
    sales = pd.DataFrame(
        {"Store": [2, 1, 2, 2], "Year": [8, 7, 8, 8]}, index=[9, 8, 7, 6]
    )
    found = features.join(sales, STORES, ["Store", "Year"])
    expected = sales.merge(STORES, how="left", on=["Store", "Year"])
    pd.testing.assert_frame_equal(found, expected.set_axis(sales.index))


def test_join_counts_and_names_what_does_not_match(capsys):
    sales = pd.DataFrame({"Shop": [2, 3, 3, None]})
    on = {"Shop": "Store"}
    with pytest.raises(ValueError, match=r"a row for each.*3 of 4 rows.*\(3.0,\)"):
        features.join(sales, STORES, on)
    found = features.join(sales, STORES, on, unmatched="keep")
    assert (
        "3 of 4 rows have no match on Shop: (3.0,), (nan,)" in capsys.readouterr().out
    )
    expected = sales.merge(STORES, how="left", left_on="Shop", right_on="Store")
    expected = expected.drop(columns="Store")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_join_refuses_to_multiply_rows():
    twice = pd.concat([STORES, STORES])
    with pytest.raises(ValueError, match=r"each key once.*\(1,\), \(2,\) more than"):
        features.join(STORES, twice, "Store")


def test_join_renames_or_refuses_columns_of_both():
    with pytest.raises(ValueError, match="no column of `left`.*'Year', 'State'"):
        features.join(STORES, STORES, "Store")
    found = features.join(STORES, STORES, "Store", suffix="_y")
    assert list(found) == ["Store", "Year", "State", "Year_y", "State_y"]


def test_filled_holes_have_a_column():
    frame = pd.DataFrame(
        {"a": [1.0, np.nan, 4.0], "b": [1, 2, 3], "c": ["x", None, "y"]}
    )
    found, values = features.fill_missing(frame)
    assert values == {"a": 2.5}
    assert found["a"].tolist() == [1, 2.5, 4]
    assert found["a_na"].tolist() == [False, True, False]
    later, _ = features.fill_missing(pd.DataFrame({"a": [np.nan]}), values=values)
    assert later.loc[0].to_dict() == {"a": 2.5, "a_na": True}


def test_holes_among_booleans_become_what_most_are():
    flags = {"a": [True, None, True, False], "b": [False, True, None, False]}
    found, values = features.fill_missing(pd.DataFrame(flags, dtype="boolean"))
    assert values == {"a": True, "b": False}
    assert found["a"].tolist() == [True, True, True, False]
    assert found["b_na"].tolist() == [False, False, True, False]


def test_holes_that_nothing_fills_are_refused():
    with pytest.raises(ValueError, match="`columns` must hold numbers.*'c', of"):
        features.fill_missing(pd.DataFrame({"c": ["x", None]}), ["c"])
    whole = pd.DataFrame({"a": [1, None]}, dtype="Int64")
    with pytest.raises(ValueError, match="`values` must fit.*'much' for 'a', of Int64"):
        features.fill_missing(whole, values={"a": "much"})
    with pytest.raises(ValueError, match="`values` must fit.*'x' for 'b', of float64"):
        features.fill_missing(pd.DataFrame({"b": [1.0, None]}), values={"b": "x"})


def test_shrink_keeps_every_value():
    frame = pd.DataFrame(
        {
            "small": [1, -128],
            "more": [128, 0],
            "most": [2**40, 0],
            "unsigned": np.array([2**63, 1], "uint64"),
            "half": [0.1, np.nan],
            "whole": [2.0**24 + 1, 0.0],
            "huge": [1e300, 0.0],
            "text": ["a", None],
        }
    )
    found = features.shrink(frame)
    assert [str(dtype) for dtype in found.dtypes] == [
        *("int8", "int16", "int64", "uint64"),
        *("float32", "float64", "float64", "str"),
    ]
    pd.testing.assert_frame_equal(found, frame, check_dtype=False, rtol=1e-7)


def test_a_table_is_made_once_for_the_same_contents(tmp_path, monkeypatch):
    made = []

    def make():
        made.append(1)
        return pd.DataFrame({"a": [1.5, None], "b": ["x", None]})

    file = tmp_path / "a.csv"
    file.write_text("1")
    options = {"files": [file], "cache": tmp_path / "cache"}
    first = features.cached_table(make, **options)
    pd.testing.assert_frame_equal(features.cached_table(make, **options), first)
    assert len(made) == 1
    features.cached_table(make, **options, made_by="other")
    file.write_text("2")
    features.cached_table(make, **options)
    assert len(made) == 3
    # Other code of the features, such as of a later version.
    (tmp_path / "dates.py").write_text("")
    monkeypatch.setattr(features.cache, "_HERE", tmp_path)
    features.cached_table(make, **options)
    assert len(made) == 4
    with pytest.raises(ValueError, match="`files` must be existing files.*gone"):
        features.cached_table(make, [tmp_path / "gone"], tmp_path)


def test_rolling_sums_do_not_wrap_nor_reach_the_next_group():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2015-01-01", "2015-01-02"] * 2),
            "store": [1, 1, 2, 2],
            "many": [2**31, 2**31, 1, 2],
            "share": [1e17, 1e17, 0.25, 0.5],
        }
    )
    found = features.rolling_by_group(frame, ["many", "share"], "day", "store")
    assert found["many_bw"].tolist() == [2**31, 2**32, 1, 3]
    assert found["share_bw"].tolist()[2:] == [0.25, 0.75]
    assert found["share_fw"].tolist()[2:] == [0.75, 0.5]
