"""What goes into a network, by hand and by scikit-learn."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from kerasdl.tabular import Columns, TableData, Target, guess_columns


def test_columns_are_guessed_by_their_types(shops):
    found = guess_columns(shops.assign(one=1, many=range(300)), ["sales"])
    assert found == (
        ["store", "kind", "size"],
        ["since", "distance", "open", "many"],
        ["day", "one"],
    )


def test_the_guess_is_printed(shops, capsys):
    TableData.from_frame(shops, "sales", seed=0)
    assert capsys.readouterr().out == (
        "categorical: store, kind, size\ncontinuous: since, distance, open\n"
        "left out: day\nsales: regression\n"
    )
    TableData.from_frame(shops, "size", ["store"], [], seed=0)
    assert capsys.readouterr().out == "size: classification of 2 classes\n"


def test_what_is_guessed_can_be_used(shops, capsys):
    odd = shops.assign(
        cabin=[f"c{number // 2}" for number in range(300)],
        date=20140105 + np.arange(300) % 30,
        day=[*shops["day"].dt.date[:150]] * 2,
        mixed=["a", 1, 2] * 100,
        share=pd.Categorical([0.5, 1.5] * 150),
        late=[np.nan] * 200 + [1.5, 2.5] * 50,
    )
    data = TableData.from_frame(
        odd, "sales", min_count=3, valid=np.arange(200, 300), seed=0
    )
    assert data.columns.names == ["store", "kind", "size", "since", "distance", "open"]
    out = capsys.readouterr().out
    for name, why in (
        ("cabin", "without one that stands in 3 training rows"),
        ("date", "Subtract its smallest value"),
        ("day", "must hold text.*2014, 1, 1"),
        ("mixed", "must hold text.* 1 in row 1001"),
        ("share", "must hold whole numbers"),
        ("late", "has none in the training rows"),
    ):
        assert re.search(f"^left out: {name}[.] .*'{name}'.*{why}", out, re.M), name
    with pytest.raises(ValueError, match="'mixed' must hold text"):
        TableData.from_frame(odd, "sales", ["mixed"], seed=0)


def test_what_is_named_is_taken_and_the_others_are_guessed(shops):
    columns = TableData.from_frame(shops, "sales", ["since"], seed=0).columns
    assert columns.names == ["since", "store", "kind", "size", "distance", "open"]
    columns = TableData.from_frame(shops, "sales", [], ["store"], seed=0).columns
    assert columns.names == ["store"]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([0.0, 1.0], ("0.0", "1.0")),
        ([True, False], ("False", "True")),
        (pd.Categorical([3, 1]), ("1", "3")),
        ([0.5, 1.0], ()),
        (range(21), ()),
        (range(20), tuple(map(str, range(20)))),
    ],
)
def test_the_task_is_guessed_by_the_values(values, names):
    column = pd.Series(values, name="y")
    target = Target.of(column, None, None)
    assert target.class_names == names
    if names:
        assert target.encode(column).tolist() == [names.index(str(v)) for v in column]
    if column.dtype.kind in "if":
        assert Target.of(column, None, "none").is_regression


def test_booleans_with_holes_and_categories_of_numbers_are_numbers():
    frame = pd.DataFrame(
        {
            "flag": [True, None, False, True],
            "size": pd.Categorical([3, 1, None, 3]),
            "tags": [["a"], ["b"], [], ["a"]],
        }
    )
    assert guess_columns(frame, []) == (["size"], ["flag"], ["tags"])
    columns = Columns.of(frame, ["size"], ["flag"])
    codes, numbers = columns.encode(frame)
    assert codes[:, 0].tolist() == [2, 1, 3, 2]
    assert numbers[:, 1].tolist() == [0, 1, 0, 0]
    by_numbers = Columns.of(frame.assign(flag=[1, np.nan, 0, 1]), ["size"], ["flag"])
    assert columns == by_numbers


def test_a_date_becomes_its_parts_at_every_door(of_shops, shops):
    text = shops.assign(day=shops["day"].dt.strftime("%Y-%m-%d"))
    parts = {"categorical": ["dayMonth"], "continuous": ["dayDay"], "dates": ["day"]}
    data = of_shops(frame=text, **parts)
    codes, numbers = data.columns.encode(text)
    assert codes[:, 0].tolist() == shops["day"].dt.month.tolist()
    made = text.drop(columns="day").assign(
        dayMonth=shops["day"].dt.month, dayDay=shops["day"].dt.day
    )
    for one, other in zip(data.columns.encode(made), (codes, numbers), strict=True):
        np.testing.assert_array_equal(one, other)
    # Of a date and a column that happens to have a part's name, the date counts.
    foreign = data.columns.encode(text.assign(dayMonth=99))
    np.testing.assert_array_equal(foreign[0], codes)
    assert data.columns.needed([*text, "dayMonth"]) == ["day"]
    assert data.columns.needed(text) == data.columns.needed([]) == ["day"]
    assert data.columns.needed(made) == ["dayMonth", "dayDay"]
    assert Columns.from_json(data.columns.to_json()) == data.columns
    assert next(data.folds(2)).columns.dates == ("day",)
    named = TableData.from_frame(text, "sales", dates=["day"], seed=0).columns.names
    assert "dayMonth" in named and "day" not in named


def test_a_date_of_which_nothing_is_taken_is_not_asked_for(shops):
    same = shops.assign(day="2014-01-05")
    data = TableData.from_frame(same, "sales", dates=["day"], seed=0)
    assert data.columns.dates == ()
    assert next(data.folds(2)).columns.names == data.columns.names


def test_a_large_number_that_is_always_the_same_is_a_column():
    columns = Columns.of(pd.DataFrame({"x": [1e6, 1e6, np.nan]}), [], ["x"])
    codes = columns.encode(pd.DataFrame({"x": [1e6, 1e6 + 1]}))[1]
    assert codes.tolist() == [[0, 0], [1, 0]]


def test_codes_and_numbers_made_by_hand():
    frame = pd.DataFrame(
        {
            "kind": ["b", "a", None, "c", "b"],
            "year": [7.0, np.nan, 9.0, 7.0, 7.0],
            "x": [1.0, 2.0, np.nan, 9.0, 3.0],
        }
    )
    columns = Columns.of(frame, ["kind", "year"], ["x"], min_count=1)
    codes, numbers = columns.encode(frame)
    assert codes.tolist() == [[2, 1], [1, 3], [4, 2], [3, 1], [2, 1]]
    filled = np.array([[1], [2], [2.5], [9], [3]])  # by the median
    scaled = StandardScaler().fit_transform(filled)
    np.testing.assert_allclose(numbers[:, :1], scaled, rtol=1e-6)
    assert numbers[:, 1].tolist() == [0, 0, 1, 0, 0]
    later = pd.DataFrame({"kind": ["z", ""], "year": [8, np.nan], "x": [1, 2]})
    assert columns.encode(later)[0].tolist() == [[0, 0], [4, 3]]
    assert Columns.from_json(columns.to_json()) == columns


def test_rare_categories_and_holes_that_come_later_are_unknown():
    frame = pd.DataFrame({"kind": ["b", "b", "a"], "x": [1, 2, 3]})
    columns = Columns.of(frame, ["kind"], ["x"], min_count=2)
    later = pd.DataFrame({"kind": ["a", "b", None], "x": [np.nan, 2, 2]})
    codes, numbers = columns.encode(later)
    assert codes[:, 0].tolist() == [0, 1, 0]
    assert numbers[:, 0].tolist() == [0, 0, 0]  # the median, which is the mean


def test_training_rows_alone_decide(shops, of_shops):
    shops = shops.assign(kind=shops["kind"].where(shops["day"] < "2014-09-01", "new"))
    data = of_shops(frame=shops, valid_after=("day", "2014-09-01"))
    assert "new" not in data.columns.categories[1].values
    held = data.rows("valid")
    assert held["day"].min() == pd.Timestamp("2014-09-01")
    assert data.columns.numbers[0].fill == data.rows("train")["distance"].median()


def test_an_epoch_shows_each_row_once_in_a_seeded_order(of_shops):
    data, again = of_shops(batch_size=64), of_shops(batch_size=64)
    epochs = []
    for each in (data, data, again):
        batches = list(each.train.as_numpy_iterator())
        epochs.append(np.concatenate([answers[:, 0] for _, answers in batches]))
        assert [len(answers) for _, answers in batches] == [64, 64, 64, 48]
    assert (epochs[0] == epochs[2]).all() and (epochs[0] != epochs[1]).any()
    inputs, answers = data.arrays("train")
    assert sorted(epochs[1]) == sorted(answers[:, 0])
    again.start_epoch(1)
    batch, answers = next(again.train.as_numpy_iterator())
    assert (answers[:, 0] == epochs[1][:64]).all()
    names = again.batch_files(0)
    held = again.columns.encode(again.frame.loc[[int(name[4:]) for name in names]])
    np.testing.assert_array_equal(batch["categories"], held[0])


@pytest.mark.parametrize("scale", ["standard", "log", "none"])
def test_a_target_comes_back_from_its_scale(of_shops, shops, scale):
    target = of_shops(scale=scale).target
    answers = target.decode(target.encode(shops["sales"]))
    np.testing.assert_allclose(answers, shops["sales"], rtol=1e-6)
    assert Target.from_json(target.to_json()) == target


def test_classes_are_sorted_and_drawn_alike(of_shops, shops):
    data = of_shops("size", valid=0.2)
    assert data.class_names == ["large", "small"]
    assert data.rows("valid")["size"].value_counts().tolist() == [30, 30]
    rare = shops.assign(size=np.where(np.arange(300) < 30, "rare", "usual"))
    weights = of_shops("size", frame=rare).class_weights()
    assert weights == pytest.approx({0: 5.0, 1: 0.5556}, abs=1e-4)


def test_groups_stay_together(of_shops):
    data = of_shops(valid_group="store", valid=0.25)
    held = {split: set(data.rows(split)["store"]) for split in ("train", "valid")}
    assert not held["train"] & held["valid"] and len(held["valid"]) == 3


def test_folds_hold_each_row_out_once(of_shops, shops):
    folds = list(of_shops("size").folds(3))
    out = [index for fold in folds for index in fold.rows("valid").index]
    assert sorted(out) == list(shops.index)
    ones = of_shops(frame=shops.iloc[:9], categorical=["store"]).folds(9)
    assert [int(fold.is_valid.sum()) for fold in ones] == [1] * 9


@pytest.mark.parametrize("target", ["sales", "size"])
def test_folds_keep_groups_together(of_shops, shops, target):
    data = of_shops(target, categorical=["kind"], valid_group="store")
    held = []
    for fold in data.folds(4):
        stores = {split: set(fold.rows(split)["store"]) for split in ("train", "valid")}
        assert not stores["train"] & stores["valid"]
        held += stores["valid"]
    assert sorted(held) == sorted(set(shops["store"]))
    with pytest.raises(ValueError, match="`k` must be from 2 to the 12 groups"):
        next(data.folds(13))


def test_folds_keep_what_a_known_category_needs(of_shops, shops):
    rare = shops.assign(kind=["rare"] * 4 + ["usual"] * 296)
    data = of_shops(frame=rare, min_count=6)
    kinds = {fold.columns.categories[1].values for fold in data.folds(3)}
    assert kinds == {("usual",)}


def test_the_fingerprint_is_that_of_rows_in_their_order(of_shops, shops):
    columns = {"categorical": ["kind"], "continuous": ["distance"]}
    found = [
        of_shops(frame=frame, **columns).facts()["fingerprint"]
        for frame in (shops, shops.copy(), shops.iloc[::-1])
    ]
    assert found[0] == found[1] != found[2]


def test_dates_and_years_as_text_split_by_time(of_shops, shops):
    text = shops.assign(day=shops["day"].dt.strftime("%Y-%m-%d"))
    assert (
        of_shops(frame=text, valid_after=("day", "2014-10-01"))
        .rows("valid")["day"]
        .min()
        == "2014-10-01"
    )
    days = shops.assign(day=shops["day"].dt.date)  # as of Parquet
    for first in ("2014-10-01", days["day"].iloc[273]):
        held = of_shops(frame=days, valid_after=("day", first)).rows("valid")
        assert held["day"].tolist() == days["day"].tolist()[273:]
    years = shops.assign(year=np.arange(300) // 100 + 2013)
    held = of_shops(frame=years, valid_after=("year", "2015")).rows("valid")
    assert set(held["year"]) == {2015}


def test_files_are_read(shops, tmp_path):
    shops.to_csv(tmp_path / "a.csv", index=False)
    shops.to_parquet(tmp_path / "a.parquet")
    options = {"categorical": ["store", "kind"], "continuous": ["distance"], "seed": 0}
    by_csv = TableData.from_csv(tmp_path / "a.csv", "sales", **options)
    data = TableData.from_parquet(tmp_path / "a.parquet", "sales", **options)
    for one, other in zip(by_csv.arrays("valid"), data.arrays("valid"), strict=True):
        np.testing.assert_equal(one, other)
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(ValueError, match="`path` must be a Parquet file.*b.parquet"):
        TableData.from_parquet(tmp_path / "b.parquet", "sales")
    with pytest.raises(ValueError, match="`path` must be an existing Parquet"):
        TableData.from_parquet(tmp_path / "c.parquet", "sales")


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"kind": 1.5}, {}, "Column 'kind' must hold whole numbers.* 1.5 in row 100"),
        ({"since": 2**24}, {}, "must hold whole numbers below 16,777,216"),
        ({"distance": "far"}, {}, "Column 'distance' must hold numbers.*'far' in row"),
        ({"distance": np.inf}, {}, "must hold finite numbers.* one of 240 such"),
        ({"distance": np.nan}, {}, "`continuous` must be columns with numbers"),
        ({"kind": None}, {}, "`categorical` must be columns with values.*'kind'"),
        ({"sales": np.nan}, {}, "`target` must have a value.*missing in 300 rows: 10"),
        ({"sales": -1.0}, {"scale": "log"}, 'scale="log" needs .*-1.0 in row 1000'),
        ({}, {"valid": 1.0}, "`valid` must be above 0 and below 1"),
        ({}, {"valid": [300]}, "`valid` must be numbers of rows from 0 to 299.*300"),
        ({}, {"valid": ["a"]}, "`valid` must be a share, numbers of rows"),
        ({}, {"valid": []}, "`valid` must be a share"),
        ({}, {"valid_after": ("day", "2099")}, "must have rows both.*300 for train"),
        ({}, {"valid_after": ("size", 3)}, "`valid_after` must be .* an? int"),
        (
            {"day": "01.06.2020"},
            {"valid_after": ("day", "01.07.2020")},
            "Column 'day' must hold dates.*'01.06.2020' in row 1000, one of 300",
        ),
        ({}, {"valid_after": ("day", "01.07.2014")}, "`valid_after` must.*'01.0"),
        ({}, {"valid_after": ("day", 2014)}, "`valid_after` must be .* an? int"),
        ({"day": pd.NaT}, {"valid_after": ("day", "2014-09-01")}, "without holes.*300"),
        (
            {"store": pd.Series(pd.NA, range(1000, 1300), "Int64")},
            {"valid_after": ("store", 3)},
            "without holes.*'store', missing in 300",
        ),
        ({}, {"valid_after": ("x", 3)}, "`valid_after` must be columns.*'x'"),
        ({}, {"batch_size": 0}, "`batch_size` must be"),
        ({}, {"min_count": 0}, "`min_count` must be"),
        ({}, {"categorical": ["gone"]}, "must be columns of the table.*'gone'"),
        ({}, {"categorical": ["open"]}, "must name each column once.*'open'"),
        ({}, {"categorical": ["sales"]}, "`target` must be no column"),
        ({}, {"categorical": [], "continuous": []}, "A network needs columns"),
        (
            {"a/b": 1},
            {"categorical": ["a/b"]},
            "without '/'.*'a/b'.*the table's header",
        ),
        ({"kind": [[1]] * 300}, {}, r"'kind' must hold text.*\[1\] in row 100"),
        ({"distance": [[1]] * 300}, {}, r"'distance' must hold numbers.*\[1\] in row"),
        ({"size": ["a", 1] * 150}, {"target": "size"}, "values of one type.*'int', 's"),
        ({"size": [[1]] * 300}, {"target": "size"}, "values of one type.*with 'list'"),
        ({"day": "01.06.2014"}, {"dates": ["day"]}, "'day' must hold dates.*row 1000"),
        ({}, {"dates": ["gone"]}, "`dates` must be columns of the table"),
        ({}, {"dates": ["day"]}, "`dates` must be columns whose parts a.*'dayMonth'"),
        ({"dayWeek": 1}, {"dates": ["day"]}, "names that are free.*'day'.*'dayWeek'"),
        ({}, {"dates": ["day", "day"]}, "free.*'day', whose 'dayYear'.*another date"),
        (
            {"size": ["one", "two"] + ["many"] * 298},
            {"target": "size"},
            "of each class.*'size', with one of 'one', 'two'.*regression",
        ),
        ({}, {"task": "ranking"}, "`task` must be one of"),
        ({}, {"scale": "root"}, "`scale` must be one of"),
        ({"size": 1}, {"target": "size"}, "`target` must have two classes"),
        ({}, {"target": "size", "scale": "log"}, "`scale` must be None for classes"),
    ],
)
def test_what_cannot_be_used_is_named(of_shops, shops, change, options, match):
    with pytest.raises(ValueError, match=match):
        of_shops(frame=shops.assign(**change), **options)


def test_other_errors(of_shops, shops):
    with pytest.raises(ValueError, match="`frame` must be a DataFrame with rows"):
        TableData.from_frame(shops.iloc[:0], "sales")
    with pytest.raises(ValueError, match="exclude each other"):
        of_shops(valid_after=("day", "2014-09-01"), valid_group="store")
    with pytest.raises(ValueError, match="`split` must be one of"):
        of_shops().rows("test")
    with pytest.raises(ValueError, match="`k` must be from 2 to the 300 rows"):
        next(of_shops().folds(1))
    with pytest.raises(ValueError, match="`class_weights` needs classes"):
        of_shops().class_weights()
    with pytest.raises(ValueError, match="must hold the classes of the training rows"):
        Target("size", ("a", "b")).encode(pd.Series(["a", "z"]))


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ([1, 1, "3"], "3"),
        (["1", "2", "far"], "far"),
        (["True", "False", "yes"], "yes"),
    ],
)
@pytest.mark.parametrize("index", [[0, 1, 2], [2, 2, 2]])
def test_the_row_that_is_named_is_the_wrong_one(index, values, value):
    column = pd.Series(values, index, dtype=object)
    match = f"Received: '{value}' in row 2, one of 1 such"
    with pytest.raises(ValueError, match=match):
        Columns.of(column.to_frame("x"), [], ["x"])
