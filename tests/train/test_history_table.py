import numpy as np
import pandas as pd

from kerasdl.train import history_table

ROWS = [
    {
        "epoch": 1,
        "accuracy": 0.5,
        "loss": 0.69314,
        "val_accuracy": 0.75,
        "val_loss": 0.5,
        "learning_rate": 0.0125,
        "seconds": 12.34,
        "val_tta_accuracy": np.nan,
    },
    {
        "epoch": 10,
        "accuracy": 1.0,
        "loss": 0.01,
        "val_accuracy": 0.98765,
        "val_loss": 0.02,
        "learning_rate": 1e-9,
        "seconds": 9.1,
        "val_tta_accuracy": 0.9912,
    },
]


def test_losses_metrics_rate_and_seconds_in_this_order():
    header, first, second, total = history_table(pd.DataFrame(ROWS)).splitlines()
    assert header.split() == [
        "epoch",
        "train_loss",
        "valid_loss",
        "train_accuracy",
        "valid_accuracy",
        "valid_tta_accuracy",
        "rate",
        "seconds",
    ]
    # The first epoch has no tta_accuracy: its place is empty.
    assert first.split() == ["1", *"0.6931 0.5000 0.5000 0.7500 1.25e-02 12.3".split()]
    assert second.split() == [
        "10",
        "0.0100",
        "0.0200",
        "1.0000",
        "0.9877",
        "0.9912",
        "1.00e-09",
        "9.1",
    ]
    assert len(header) == len(first) == len(second)
    assert total == "21.4 seconds in all"


def test_what_is_not_there_is_left_out():
    table = pd.DataFrame([{"epoch": 1, "loss": 1.0, "seconds": 1.0}])
    header, row, _ = history_table(table).splitlines()
    assert header.split() == ["epoch", "train_loss", "seconds"]
    assert row.split() == ["1", "1.0000", "1.0"]
