"""The Rossmann contest's seven tables as one, with the lesson's features."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

import kerasdl as kd

WINDOWS = {"lesson": ("2014-08-01", "2014-09-17"), "last": ("2015-06-14", "2015-07-31")}
SUFFIXES = (".csv", ".csv.gz", ".parquet")
PAGE = "https://www.kaggle.com/competitions/rossmann-store-sales/data"
# Of fast.ai's notebook lesson3-rossman.ipynb.
CATEGORICAL = tuple(
    "Store DayOfWeek Year Month Day StateHoliday CompetitionMonthsOpen Promo2Weeks "
    "StoreType Assortment PromoInterval CompetitionOpenSinceYear Promo2SinceYear State "
    "Week Events Promo_fw Promo_bw StateHoliday_fw StateHoliday_bw SchoolHoliday_fw "
    "SchoolHoliday_bw".split()
)
CONTINUOUS = tuple(
    "CompetitionDistance Max_TemperatureC Mean_TemperatureC Min_TemperatureC "
    "Max_Humidity Mean_Humidity Min_Humidity Max_Wind_SpeedKm_h Mean_Wind_SpeedKm_h "
    "CloudCover trend trend_DE AfterStateHoliday BeforeStateHoliday Promo "
    "SchoolHoliday".split()
)
_WEATHER = ("Events", *CONTINUOUS[1:10])
_DAY = tuple("Store DayOfWeek Date Open Promo StateHoliday SchoolHoliday".split())
TABLES = {
    "train": (*_DAY, "Sales"),
    "store": tuple(
        "Store StoreType Assortment CompetitionDistance PromoInterval "
        "CompetitionOpenSinceYear CompetitionOpenSinceMonth Promo2SinceYear "
        "Promo2SinceWeek".split()
    ),
    "store_states": ("Store", "State"),
    "state_names": ("StateName", "State"),
    "googletrend": ("file", "week", "trend"),
    "weather": ("file", "Date", *_WEATHER),
    "test": ("Id", *_DAY),
}
_TEXT = set(
    "Date StateHoliday StoreType Assortment PromoInterval State StateName file week "
    "Events".split()
)
_EVENTS = ("SchoolHoliday", "StateHoliday", "Promo")
# Days from the Sunday a Google week begins on to the end of the ISO week that it is
# joined to. The lesson's 0 takes the week to come; 14 the last one that was over.
TREND_DAYS = {"coming": 0, "past": 14}


def find_tables(folder):
    """The file of each table in `folder`; ValueError names those that are not there."""
    found = {}
    for name in TABLES:
        paths = [Path(folder) / f"{name}{suffix}" for suffix in SUFFIXES]
        found[name] = next((path for path in paths if path.is_file()), None)
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ValueError(
            f"`data` must hold {', '.join(TABLES)}, each as {', '.join(SUFFIXES)}. "
            f"Received: data={str(folder)!r}, without {', '.join(missing)}. They are "
            f"those of {PAGE} and the states, weather and trends that fast.ai adds."
        )
    return found


def read_tables(files):
    """Each table as it is in its file."""
    text = {"train": {"StateHoliday": str}, "test": {"StateHoliday": str}}
    tables = {}
    for name, path in files.items():
        if path.suffix == ".parquet":
            tables[name] = kd.tables.read_parquet("data", path)
        else:
            dtype = text.get(name)
            tables[name] = kd.tables.read_csv("data", path, dtype=dtype, na_values=[""])
        tables[name] = checked(name, path, tables[name])
    return tables


def checked(name, path, table):
    """`table` with its dates as such, if it has the columns of `TABLES`."""
    received = f"Received: {str(path)!r}"
    if missing := [column for column in TABLES[name] if column not in table]:
        raise ValueError(
            f"`data` must have columns {', '.join(TABLES[name])} in its {name}. "
            f"{received}, without {', '.join(missing)}"
        )
    for column in TABLES[name]:
        is_number = pd.api.types.is_numeric_dtype(table[column].dtype)
        is_empty = table[column].isna().all()
        # A table without a holiday may have nothing but 0 there.
        is_either = is_empty or column in ("Date", "StateHoliday")
        if is_number == (column in _TEXT) and not (is_number and is_either):
            what = "text" if is_number else "numbers"
            raise ValueError(
                f"`data` must have {what} in the column {column} of its {name}. "
                f"{received}, of type {table[column].dtype}"
            )
    if "Date" not in table:
        return table
    try:
        return table.assign(Date=kd.tabular.features.dates.as_dates(table["Date"]))
    except ValueError as error:
        raise ValueError(
            f"`data` must have dates such as 2015-07-31 in its {name}. {received} "
            f"({error})"
        ) from error


def feature_table(tables, trend="coming"):
    """One row for each row of train and, after them, of test (without `Sales`)."""
    train, test = tables["train"], tables["test"]
    rows = pd.concat([train, test], ignore_index=True)
    rows["StateHoliday"] = (rows["StateHoliday"].astype(str) != "0").astype("int8")
    rows = kd.tabular.features.add_elapsed(rows, ["StateHoliday"], "Date", "Store")
    rows = kd.tabular.features.rolling_by_group(rows, _EVENTS, "Date", "Store")
    stores = _stores(tables)
    # All that is joined on a day or a state is joined to few rows first.
    days = _days(tables, rows["Date"], stores["State"].unique(), trend)
    rows = kd.tabular.features.join(rows, stores, "Store")
    rows = kd.tabular.features.join(rows, days, ["State", "Date"])
    rows["CompetitionMonthsOpen"] = _periods(rows, "CompetitionOpenSince", 30, 24)
    rows["Promo2Weeks"] = _periods(rows, "Promo2Since", 7, 25)
    rows = rows.drop(columns=["CompetitionOpenSince", "Promo2Since"])
    return kd.tabular.features.shrink(rows)


def _stores(tables):
    """The stores with their states, and the days since when they had something."""
    stores = kd.tabular.features.join(tables["store"], tables["store_states"], "Store")
    known = {
        "CompetitionOpenSinceYear": 1900,
        "CompetitionOpenSinceMonth": 1,
        "Promo2SinceYear": 1900,
        "Promo2SinceWeek": 1,
    }
    stores = stores.fillna(known).astype(dict.fromkeys(known, "int16"))
    year, month = (stores[f"CompetitionOpenSince{part}"] for part in ("Year", "Month"))
    opened = pd.to_datetime({"year": year, "month": month, "day": 15})
    week = stores["Promo2SinceWeek"].astype(str).str.zfill(2)
    monday = stores["Promo2SinceYear"].astype(str) + "-W" + week + "-1"
    return stores.assign(
        CompetitionOpenSince=opened,
        Promo2Since=pd.to_datetime(monday, format="%G-W%V-%u"),
    )


def _days(tables, dates, states, trend):
    """A row for each state and day: parts of the date, trends and weather."""
    dates = np.sort(dates.unique())
    days = pd.MultiIndex.from_product([states, dates], names=["State", "Date"])
    days = days.to_frame(index=False)
    ends = days["Date"] + pd.to_timedelta(6 - days["Date"].dt.dayofweek, "D")
    days["_week"] = ends - pd.Timedelta(TREND_DAYS[trend], "D")
    trends = tables["googletrend"]
    trends = pd.DataFrame(
        {
            "State": trends["file"].str.split("_").str[2].replace("NI", "HB,NI"),
            "_week": pd.to_datetime(trends["week"].str.split(" - ").str[0]),
            "trend": trends["trend"],
        }
    )
    country = trends[trends["State"].isna()].drop(columns="State")
    country = country.rename(columns={"trend": "trend_DE"})
    weather = tables["weather"].rename(columns={"file": "StateName"})
    weather = kd.tabular.features.join(weather, tables["state_names"], "StateName")
    weather = weather[["State", "Date", *_WEATHER]]
    join = kd.tabular.features.join
    days = join(days, trends[trends["State"].notna()], ["State", "_week"])
    days = join(days, country, "_week").drop(columns="_week")
    days = join(days, weather, ["State", "Date"])
    return kd.tabular.features.add_datepart(days, "Date", drop=False)


def _periods(rows, since, days, most):
    """How many times `days` have gone by since a date, at most `most`; 0 if unknown."""
    gone = (rows["Date"] - rows[since]).dt.days.to_numpy()
    is_known = (gone > 0) & (rows[since].dt.year >= 1990).to_numpy()
    return np.where(is_known, np.minimum(gone // days, most), 0).astype("int8")


def features(files, args):
    """The feature table of train and test, from the cache if it is there."""

    def make():
        tables = read_tables(files)
        began = time.perf_counter()
        made = feature_table(tables, args.trend)
        seconds = time.perf_counter() - began
        print(f"features of {len(made):,} rows in {seconds:.1f} s")
        return made

    source = open(__file__, encoding="utf-8").read()
    made_by = f"{source}{args.trend}"
    table = kd.tabular.features.cached_table(make, files.values(), args.cache, made_by)
    if args.sample or args.quick:
        table = table[table["Store"] % (100 if args.quick else 10) == 0]
    return table


def read(table, args, seed):
    """The rows with sales, of which those of the window are for validation."""
    rows = table[table["Sales"].fillna(0) > 0].reset_index(drop=True)
    return kd.tabular.TableData.from_frame(
        rows,
        "Sales",
        CATEGORICAL,
        CONTINUOUS,
        valid=rows["Date"].between(*WINDOWS[args.window]),
        batch_size=args.batch_size,
        scale="log",
        seed=seed,
    )


def means(data):
    """Answers by what a store sells on such a weekday with such a promotion, by name.

    The mean is that of logarithms, as errors are shares; of what has not been it is
    that of all rows.
    """
    keys = ["Store", "DayOfWeek", "Promo"]
    train = data.rows("train")
    sold = np.log(train["Sales"])
    groups = sold.groupby([train[key] for key in keys]).mean()
    valid = pd.MultiIndex.from_frame(data.rows("valid")[keys])
    found = groups.reindex(valid).fillna(sold.mean())
    return {"mean by store, weekday, promotion": np.exp(found.to_numpy())}


def write_answers(folder, predictor, data, table):
    """Answers to the validation rows, and the submission of the test rows."""
    valid = data.rows("valid")
    answers = predictor.predict(valid)
    answers = answers[["Store", "Date", "Sales", "prediction"]]
    answers.to_csv(folder / "validation.csv", index=False)
    test = table[table["Id"].notna()]
    test.to_parquet(folder / "test_features.parquet", index=False)
    sales = predictor.answer(test)[:, 0]
    sales = sales * (test["Open"] != 0).to_numpy()  # an unknown one counts as open
    submission = test[["Id"]].astype("int64").assign(Sales=sales).sort_values("Id")
    check_submission(submission, test)
    submission.to_csv(folder / "submission.csv", index=False)


def check_submission(submission, test):
    """Refuse what the contest would not count."""
    sales = submission["Sales"]
    if len(submission) != len(test) or submission["Id"].duplicated().any():
        raise ValueError(
            f"The submission must have one row for each of {len(test)} test rows. "
            f"Received: {len(submission)} rows of {submission['Id'].nunique()} ids"
        )
    if not (sales.between(0, float("inf"), inclusive="left")).all():
        raise ValueError("The submission must hold sales of at least 0")
