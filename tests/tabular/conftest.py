import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def shops():
    """Shops whose sales follow from all columns; text and numbers have holes."""
    rng = np.random.default_rng(0)
    count = 300
    frame = pd.DataFrame(
        {
            "store": rng.integers(-3, 9, count),
            "kind": rng.choice(["a", "b", None], count),
            "since": rng.choice([1999.0, 2004.0, np.nan], count),
            "distance": rng.normal(3, 2, count),
            "open": rng.random(count) < 0.5,
            "day": pd.date_range("2014-01-01", periods=count),
        },
        index=np.arange(count) + 1000,
    )
    frame.loc[frame.index % 7 == 0, "distance"] = np.nan
    grows = frame["store"] * 0.1 + (frame["kind"] == "a") * 0.5 + frame["open"] * 0.2
    frame["sales"] = np.exp(grows + frame["distance"].fillna(3) * 0.1)
    frame["size"] = np.where(frame["sales"] > frame["sales"].median(), "large", "small")
    return frame


CATEGORICAL, CONTINUOUS = ["store", "kind", "since"], ["distance", "open"]


@pytest.fixture
def of_shops(shops):
    """A function that makes `TableData` of them, with other options."""
    from kerasdl.tabular import TableData

    def make(target="sales", frame=shops, **options):
        columns = {"categorical": CATEGORICAL, "continuous": CONTINUOUS}
        return TableData.from_frame(frame, target, **columns | {"seed": 0} | options)

    return make
