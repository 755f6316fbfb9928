"""The recipes of tables, on tables of their own."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kerasdl

RECIPES = Path(__file__).parents[2] / "recipes"


def load(name, monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rossmann(monkeypatch):
    return load("rossmann", monkeypatch)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The contest in small: three stores of two states, 30 days on both sides."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    days = pd.date_range("2014-07-01", "2014-10-05")
    rows = pd.MultiIndex.from_product([days, [100, 200, 300]], names=["Date", "Store"])
    train = rows.to_frame(index=False)
    train["DayOfWeek"] = train["Date"].dt.dayofweek + 1
    train["Open"] = (train["DayOfWeek"] != 7).astype(int)
    train["Sales"] = train["Open"] * rng.integers(2000, 9000, len(train))
    train["Customers"] = train["Sales"] // 9
    train["Promo"] = (train["Date"].dt.isocalendar().week % 2).astype(int).to_numpy()
    holidays = train["Date"].isin(pd.to_datetime(["2014-08-15", "2014-10-03"]))
    train["StateHoliday"] = np.where(holidays, "a", "0")
    train["SchoolHoliday"] = (train["Date"] < "2014-09-01").astype(int)
    test = train[train["Date"] > "2014-10-02"].drop(columns=["Sales", "Customers"])
    test.insert(0, "Id", range(1, len(test) + 1))
    test["Open"] = test["Open"].astype(float)
    test.loc[test.index[0], "Open"] = np.nan
    train[train["Date"] <= "2014-10-02"].to_parquet(folder / "train.parquet")
    test.to_csv(folder / "test.csv.gz", index=False)
    store = pd.DataFrame({"Store": [100, 200, 300], "StoreType": list("abc")})
    store["Assortment"] = "a"
    store["CompetitionDistance"] = [570.0, np.nan, 14130.0]
    store["CompetitionOpenSinceMonth"] = [9, np.nan, 12]
    store["CompetitionOpenSinceYear"] = [2008, np.nan, 2014]
    store["Promo2"] = [0, 1, 1]
    store["Promo2SinceWeek"] = [np.nan, 13, 1]
    store["Promo2SinceYear"] = [np.nan, 2010, 2014]
    store["PromoInterval"] = [None, "Jan,Apr,Jul,Oct", "Feb,May,Aug,Nov"]
    store.to_csv(folder / "store.csv", index=False)
    states = pd.DataFrame({"Store": [100, 200, 300], "State": ["HE", "HB,NI", "HE"]})
    states.to_csv(folder / "store_states.csv", index=False)
    names = pd.DataFrame({"StateName": ["Hessen", "Niedersachsen"]})
    names.assign(State=["HE", "HB,NI"]).to_csv(folder / "state_names.csv", index=False)
    weeks = pd.date_range("2014-06-01", "2014-10-12", freq="7D")
    trends = [
        (file, f"{week:%Y-%m-%d} - {week + pd.Timedelta(6, 'D'):%Y-%m-%d}", number)
        for file in ("Rossmann_DE", "Rossmann_DE_HE", "Rossmann_DE_NI")
        for number, week in enumerate(weeks)
    ]
    trends = pd.DataFrame(trends, columns=["file", "week", "trend"])
    trends.to_csv(folder / "googletrend.csv", index=False)
    weather = pd.MultiIndex.from_product([["Hessen", "Niedersachsen"], days])
    weather = weather.to_frame(index=False, name=["file", "Date"])
    for number, name in enumerate(
        ("Max_TemperatureC", "Mean_TemperatureC", "Min_TemperatureC", "Max_Humidity")
        + ("Mean_Humidity", "Min_Humidity", "Max_Wind_SpeedKm_h")
        + ("Mean_Wind_SpeedKm_h", "CloudCover")
    ):
        weather[name] = rng.integers(0, 20, len(weather)) + number
    weather["Events"] = rng.choice(["Rain", "Fog-Rain", None], len(weather))
    weather.to_csv(folder / "weather.csv", index=False)
    return folder


def table_of(rossmann, tables, trend="coming"):
    files = rossmann._rossmann.find_tables(tables)
    return rossmann._rossmann.feature_table(
        rossmann._rossmann.read_tables(files), trend
    )


def test_features_of_the_contest_by_hand(rossmann, tables):
    table = table_of(rossmann, tables)
    assert len(table) == 3 * 97 and table["Id"].notna().sum() == 9
    names = {*rossmann._rossmann.CATEGORICAL, *rossmann._rossmann.CONTINUOUS}
    assert len(names) == 22 + 16 and names <= set(table)
    row = table[(table["Store"] == 300) & (table["Date"] == "2014-08-14")].iloc[0]
    found = {
        "StateHoliday": 0,
        "AfterStateHoliday": np.nan,
        "BeforeStateHoliday": 1,
        "StateHoliday_fw": 1,
        "StateHoliday_bw": 0,
        "SchoolHoliday_bw": 7,
        "CompetitionMonthsOpen": 0,  # since December to come
        "Promo2Weeks": 25,  # 32 weeks since Monday 2013-12-30, at most 25
        "CompetitionOpenSinceYear": 2014,
        "Week": 33,
        "Day": 14,
        "State": "HE",
        "trend": 11,  # of the week that begins on Sunday 2014-08-17
        "trend_DE": 11,
    }
    for name, value in found.items():
        assert row[name] == value or (value != value and row[name] != row[name]), name
    # The last week that was over on Monday 2014-08-11 began on Sunday 2014-08-03.
    past = table_of(rossmann, tables, "past")
    row = past[(past["Store"] == 300) & (past["Date"] == "2014-08-14")].iloc[0]
    assert row["trend"] == 9
    store = table[table["Store"] == 200].iloc[0]
    assert store["CompetitionOpenSinceYear"] == 1900 and store["State"] == "HB,NI"
    assert store["CompetitionMonthsOpen"] == 0 and store["Promo2Weeks"] == 25


def test_a_quick_run_of_the_contest(rossmann, tables, tmp_path, monkeypatch):
    """With some of the columns, as all of them take long."""
    some = ("Store", "DayOfWeek", "StateHoliday", "PromoInterval", "Events")
    monkeypatch.setattr(rossmann._rossmann, "CATEGORICAL", some)
    some = ("CompetitionDistance", "trend", "AfterStateHoliday", "Promo")
    monkeypatch.setattr(rossmann._rossmann, "CONTINUOUS", some)
    out = tmp_path / "run"
    args = ["--data", str(tables), "--cache", str(tmp_path / "cache"), "--quick"]
    options = ["--layers", "8", "--networks", "2", "--batch-size", "32", "--seed", "1"]
    options.append("--peers")
    rossmann.main([*args, *options, "--out", str(out)])
    results = json.loads((out / "manifest.json").read_text())["results"]
    valid = pd.read_csv(out / "validation.csv")
    assert list(valid) == ["Store", "Date", "Sales", "prediction"]
    assert valid["Date"].min() == "2014-08-01" and valid["Date"].max() == "2014-09-17"
    scored = kerasdl.tabular.exp_rmspe(valid["Sales"], valid["prediction"])
    assert results["exp_rmspe"] == pytest.approx(scored, rel=1e-5)
    peers = results["peers"]
    assert {"mean", "HistGradientBoosting with embeddings"} <= set(peers)
    # Row by row: the mean of the logarithms of a store, weekday and promotion.
    train = pd.read_parquet(tables / "train.parquet").query("Sales > 0")
    held = train["Date"].between("2014-08-01", "2014-09-17")
    keys = ["Store", "DayOfWeek", "Promo"]
    known = {
        key: np.exp(np.log(rows["Sales"]).mean())
        for key, rows in train[~held].groupby(keys)
    }
    overall = np.exp(np.log(train.loc[~held, "Sales"]).mean())
    asked = train[held]
    slow = [known.get(key, overall) for key in asked[keys].itertuples(index=False)]
    assert peers["mean by store, weekday, promotion"]["exp_rmspe"] == pytest.approx(
        kerasdl.tabular.exp_rmspe(asked["Sales"], slow)
    )
    sent = pd.read_csv(out / "submission.csv")
    test = pd.read_csv(tables / "test.csv.gz")
    assert sent["Id"].tolist() == test["Id"].tolist()
    assert ((sent["Sales"] == 0) == (test["Open"] == 0)).all()
    again = kerasdl.tabular.Predictor.load(out)
    features = pd.read_parquet(out / "test_features.parquet")
    found = again.predict(features)["prediction"] * (features["Open"] != 0)
    np.testing.assert_allclose(found, sent["Sales"], 1e-5)


@pytest.mark.parametrize("change", [{"Id": 1}, {"Sales": -1.0}, {"Sales": np.nan}])
def test_a_submission_that_does_not_count_is_refused(rossmann, change):
    sent = pd.DataFrame({"Id": [1, 2], "Sales": [3.0, 0.0]})
    rossmann._rossmann.check_submission(sent, sent)
    with pytest.raises(ValueError, match="The submission must"):
        rossmann._rossmann.check_submission(sent.assign(**change), sent)


def test_without_its_tables_the_contest_is_named(rossmann, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        rossmann.main([])
    assert stop.value.code == 2
    assert "kaggle.com/competitions/rossmann" in capsys.readouterr().err
    with pytest.raises(ValueError, match="`data` must hold train, .*without train, st"):
        rossmann.main(["--data", str(tmp_path), "--out", str(tmp_path / "run")])
    assert not list(tmp_path.iterdir())


def test_the_table_that_is_there_and_rows_of_a_file(monkeypatch, tmp_path, capsys):
    recipe = load("table_train", monkeypatch)
    out = tmp_path / "run"
    options = ["--out", str(out), "--dataset", "breast_cancer", "--epochs", "2"]
    recipe.main([*options, "--seed", "1"])
    assert "HistGradientBoosting" in capsys.readouterr().out
    from sklearn.datasets import load_breast_cancer

    rows = load_breast_cancer(as_frame=True).frame.iloc[:40]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    asked = load("predict", monkeypatch)
    answers = tmp_path / "answers.csv"
    args = [str(out), str(tmp_path / "rows.csv"), "--csv", str(answers)]
    assert asked.main(args) == 0
    found = pd.read_csv(answers)
    assert len(found) == 40 and found["probability"].between(0.5, 1).all()
    assert set(found["prediction"]) <= {"malignant", "benign"}
    rows.head(0).to_csv(tmp_path / "none.csv", index=False)
    capsys.readouterr()
    assert asked.main([str(out), str(tmp_path / "none.csv")]) == 0
    assert capsys.readouterr().out == "0 rows\n"
    rows.to_csv(tmp_path / "other.csv", columns=["mean area"], index=False)
    assert asked.main([str(out), str(tmp_path / "other.csv")]) == 2
    assert "FILE must have the columns of the training" in capsys.readouterr().err
    for option in ("--text-column", "--encoding"):
        with pytest.raises(SystemExit, match="2"):
            asked.main([*args, option, "utf-8"])
        assert "are for runs of texts. Received" in capsys.readouterr().err


def test_table_train_refuses(monkeypatch, capsys, tmp_path):
    recipe = load("table_train", monkeypatch)
    with pytest.raises(SystemExit) as stop:
        recipe.main(["--target", "x"])
    assert stop.value.code == 2
    with pytest.raises(ValueError, match="must be an existing Parquet"):
        recipe.main(["--data", "gone.parquet", "--target", "x"])
    (tmp_path / "rows.csv").write_text("x,y\n" + "1,2\n" * 2001)
    data = ["--data", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "run")]
    with pytest.raises(ValueError, match="`target` must be columns .*'z'.*'x', 'y'"):
        recipe.main([*data, "--quick", "--target", "z"])
    assert not (tmp_path / "run").exists()
    for option in ("--valid", "--dropout"):
        with pytest.raises(SystemExit):
            recipe.main([option, "1"])
        assert "below 1. Received: 1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        recipe.main(["--help"])
    assert "2000 rows, of each class its share" in capsys.readouterr().out


def test_a_table_with_dates_and_rare_classes(monkeypatch, tmp_path):
    """A quick run takes of each class; predict.py makes the date's parts as well."""
    recipe, asked = load("table_train", monkeypatch), load("predict", monkeypatch)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(recipe._tables, "QUICK_ROWS", 300)
    days = pd.date_range("2014-01-01", periods=600, freq="47h").strftime("%Y-%m-%d")
    table = pd.DataFrame({"saleDate": days, "x": rng.normal(size=600)})
    table["kind"] = ["rare"] * 2 + ["some"] * 150 + ["more"] * 448
    table["class"] = ["A"] * 20 + ["B"] * 580
    table.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "run"
    options = ["--categorical", "kind", "--min-count", "3", "--date", "saleDate"]
    options += ["--data", str(tmp_path / "rows.csv"), "--target", "class", "--quick"]
    recipe.main([*options, "--lr-find", "--seed", "1", "--out", str(out)])
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["data"]["rows"] == 300 and manifest["data"]["valid"] == 60
    columns = {
        one["name"]: one
        for kind in ("categories", "numbers")
        for one in json.loads((out / "tables.json").read_text())["columns"][kind]
    }
    assert {"kind", "x", "saleMonth", "saleElapsed"} <= set(columns)
    assert columns["kind"]["values"] == ["more", "some"]
    part = recipe._tables.quick_part(table, "class", 1)
    assert part["class"].value_counts().to_dict() == {"B": 290, "A": 10}
    assert part.index.is_monotonic_increasing
    numbers = recipe._tables.quick_part(table, "x", 1)
    assert len(numbers) == 300 and numbers["class"].nunique() == 2
    answers = tmp_path / "answers.csv"
    assert (
        asked.main([str(out), str(tmp_path / "rows.csv"), "--csv", str(answers)]) == 0
    )
    found = pd.read_csv(answers, dtype=str)
    assert list(found) == [*table, "prediction", "probability"]
    assert found["saleDate"].tolist() == days.tolist()


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("train", lambda t: t.drop(columns="Date"), "train.*without Date"),
        ("train", lambda t: t.assign(Sales="many"), "numbers in the column Sales of"),
        (
            "test",
            lambda t: t.assign(Date="05.10.2014"),
            "2015-07-31 in its test.*'05.10.2014' in row 0",
        ),
        ("test", lambda t: t.assign(Date=20141005), "its test.*20141005 in row 0"),
        ("store", lambda t: t.assign(StoreType=1), "text in the column StoreType of"),
        ("store", lambda t: t.drop(columns="PromoInterval"), "store.*without PromoInt"),
    ],
)
def test_a_table_of_the_contest_that_lacks_something_is_named(
    rossmann, tables, name, change, match
):
    files = rossmann._rossmann.find_tables(tables)
    read = rossmann._rossmann.read_tables(files)
    rossmann._rossmann.checked(name, files[name], read[name])
    with pytest.raises(ValueError, match=f"`data` must have .*{match}"):
        rossmann._rossmann.checked(name, files[name], change(read[name]))


def test_boston_s_ways_on_a_few_rows(monkeypatch, tmp_path, capsys, eagerly):
    recipe = load("boston_housing", monkeypatch)
    rng = np.random.default_rng(0)
    rows = rng.uniform(1, 9, (60, 14)).round(2)
    path = tmp_path / "housing.data"
    path.write_text("\n".join("  ".join(map(str, row)) for row in rows))
    out = tmp_path / "run"
    recipe.main(["--data", str(path), "--quick", "--seed", "1", "--out", str(out)])
    printed = capsys.readouterr().out
    assert "(60, 14) (50, 13) (50,) (10, 13) (10,)" in printed
    assert "ite:100,loss_train:" in printed
    table = pd.read_csv(out / "folds.csv", index_col="way")
    # Recomputed by scikit-learn alone.
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold, cross_val_score

    scores = cross_val_score(
        LinearRegression(),
        rows[:, :13],
        rows[:, 13],
        cv=KFold(2, shuffle=True, random_state=1),
        scoring="neg_root_mean_squared_error",
    )
    assert table.loc["linear", "rmse"] == pytest.approx(-scores.mean(), rel=1e-3)
    path.write_text("1 2 3\n")
    with pytest.raises(ValueError, match="`data` must have 14 numbers a row"):
        recipe.main(["--data", str(path)])
    for value in ("NA", "inf"):
        rows = np.ones((60, 14)).astype(object)
        rows[7, 2] = value
        path.write_text("\n".join("  ".join(map(str, row)) for row in rows))
        with pytest.raises(ValueError, match="of finite numbers.*no number in row 7"):
            recipe.main(["--data", str(path)])
    path.write_text("\n".join([" ".join(["1"] * 14)] * 20))
    with pytest.raises(ValueError, match="more than 20 rows of .*data', 20$"):
        recipe.main(["--data", str(path)])
    path.write_text("a b\n")
    with pytest.raises(ValueError, match="`data` must be rows of numbers"):
        recipe.main(["--data", str(path)])
    with pytest.raises(ValueError, match="`data` must be an existing file"):
        recipe.main(["--data", str(tmp_path / "gone")])


def test_the_step_of_the_benchmark_trains_the_lesson_s_sizes(
    monkeypatch, capsys, eagerly
):
    monkeypatch.syspath_prepend(str(RECIPES / "benchmarks"))
    bench = load("benchmarks/tabular_step", monkeypatch)
    frame = bench.made_up(1200)
    found = [frame[name].nunique() for name in bench.names()[0]]
    assert found == list(bench.VALUES)
    bench.ours(frame, 600)()
    shared = bench.parse_rounds.__globals__
    monkeypatch.setitem(shared, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        bench.parse_args([])
    assert "fastai must be installed" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        bench.parse_args(["--rounds", "0"])
    assert "--rounds must be at least 1" in capsys.readouterr().err
