import json
import math
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kerasdl

RECIPE = Path(__file__).parents[2] / "recipes" / "fashion_mnist_classics.py"
NAMES = ["lenet5", "lenet5_batch_norm"]


@pytest.fixture(scope="module")
def clothes(tmp_path_factory, write_digits):
    folder = tmp_path_factory.mktemp("clothes")
    write_digits(folder, train=60, test=20)
    return folder


def recipe():
    return runpy.run_path(str(RECIPE))


def main(clothes, tmp_path, *more):
    argv = ["--data", str(clothes), "--out", str(tmp_path / "run"), "--seed", "3"]
    recipe()["main"]([*argv, *more])


def test_several_networks_share_a_run(
    clothes, tmp_path, capsys, monkeypatch, keeps_promises
):
    """Cut after the first network; the resumed run trains the second alone."""
    fit = kerasdl.workbench.fit_arrays
    names = []

    def cut(model, *args):
        names.append(model.name)
        if len(names) == 2:
            raise KeyboardInterrupt
        return fit(model, *args)

    monkeypatch.setattr(kerasdl.workbench, "fit_arrays", cut)
    with pytest.raises(KeyboardInterrupt):
        main(clothes, tmp_path, "--model", *NAMES, "--epochs", "2")
    labels = clothes / "t10k-labels-idx1-ubyte"
    content = labels.read_bytes()
    labels.write_bytes(content[:-1] + bytes([content[-1] - 1]))
    try:
        with pytest.raises(
            ValueError, match="must be the images and labels that the run began"
        ):
            main(clothes, tmp_path, "--resume")
    finally:
        labels.write_bytes(content)
    main(clothes, tmp_path, "--resume")
    assert names == ["lenet5"] * 3  # what the builder calls both
    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == [
        "curves.png",
        "history.csv",
        "labels.txt",
        *NAMES,
        "manifest.json",
        "networks.csv",
    ]
    output = capsys.readouterr().out
    named = [line.strip() for line in output.splitlines()[-2:]]
    assert named == [str(run / name / "report.html") for name in NAMES]
    for name in NAMES:
        keeps_promises(run / name, of_photos=False)
    rows = json.loads((run / "manifest.json").read_text())["results"]
    assert [row["network"] for row in rows] == NAMES
    assert rows[0]["parameters"] == 61_706
    assert rows[0]["lesson_test_accuracy"] == 0.779  # d2l.ai, section 7.6
    table = pd.read_csv(run / "networks.csv")
    assert table["test_accuracy"].tolist() == [row["test_accuracy"] for row in rows]
    assert len(pd.read_csv(run / "history.csv")) == 4
    for row in rows:
        predictor = kerasdl.Predictor.load(run / row["network"])
        assert predictor.image_size == (28, 28)
    assert "lenet5 on fashion_mnist: loss " in output
    assert output.count(" examples/sec") == 2


def test_the_practice_of_one_network(clothes, tmp_path):
    main(clothes, tmp_path, "--practice", "--epochs", "3", "--batch-size", "10")
    run = tmp_path / "run"
    names = {path.name for path in run.iterdir()}
    assert {"model.keras", "model.tflite", "confusion.png", "networks.csv"} <= names
    # One cycle: up to the highest rate in the middle, then down to almost nothing.
    rates = pd.read_csv(run / "history.csv")["learning_rate"]
    assert rates[1] > rates[0] > rates[2]
    (row,) = json.loads((run / "manifest.json").read_text())["results"]
    # LeNet-5 with two values to train of each map or unit that is normalised.
    assert row["parameters"] == 61_706 + 4 * (6 + 16 + 120 + 84)


def test_weights_of_the_lesson_are_xaviers():
    """Uniform up to sqrt(6 / (in + out)), the same with the same seed."""
    run = recipe()
    args = run["parse_args"](["--out", "unused"])
    first, second, other = (
        run["build"]("lenet5", args, seed).get_layer("conv2").kernel.numpy()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0
    bound = math.sqrt(6 / (25 * 6 + 25 * 16))
    assert 0.99 * bound < np.abs(first).max() <= bound
    assert first.std() == pytest.approx(bound / math.sqrt(3), rel=0.03)


@pytest.mark.parametrize(
    ("name", "size", "batch_size", "rate"),
    [  # Dive into Deep Learning, the listings that call train_ch6
        ("lenet5", 28, 256, 0.9),
        ("alexnet", 224, 128, 0.01),
        ("vgg11", 224, 128, 0.05),
        ("nin", 224, 128, 0.1),
        ("googlenet", 96, 128, 0.1),
        ("resnet18", 96, 256, 0.05),
        ("densenet", 96, 256, 0.1),
        ("mobilenet_v1", 96, 256, 0.1),  # not in the book, but taught beside it
    ],
)
def test_the_table_of_the_lesson(name, size, batch_size, rate):
    lesson = recipe()["LESSONS"][name]
    found = lesson.image_size, lesson.batch_size, lesson.rate, lesson.xavier
    assert found == (size, batch_size, rate, True)


def test_bad_input_leaves_no_folder(clothes, tmp_path, capsys):
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        main(clothes / "nothing", tmp_path)
    with pytest.raises(ValueError, match="height and width integers of at least 67"):
        main(clothes, tmp_path, "--model", "alexnet", "--image-size", "32")
    with pytest.raises(SystemExit):
        main(clothes, tmp_path, "--model", "lenet6")
    assert "invalid choice: 'lenet6'" in capsys.readouterr().err
    assert not list(tmp_path.glob("run*"))
