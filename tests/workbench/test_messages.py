"""Wrong calls are answered in the words of the command."""

import io
import sys

import pytest

from kerasdl import workbench
from kerasdl.__main__ import main
from kerasdl.runs import run_folder
from kerasdl.workbench import messages


@pytest.fixture(scope="module")
def place(tmp_path_factory, write_photos):
    """Photos of two classes, of one and of none, labels for them, and a run."""
    place = tmp_path_factory.mktemp("place")
    write_photos(place / "photos", {"": 6}, "ab")
    write_photos(place / "single", {"": 2}, "a")
    (place / "empty").mkdir()
    (place / "semicolons.csv").write_text("x;y\n1;2\n")
    (place / "holes.csv").write_text("x,y,day\n1,2,1/2/2015\n3,,1/2/2015\n")
    (place / "parts.csv").write_text("day,dayYear,y\n2015-01-02,1,2\n2015-01-03,1,3\n")
    rows = [f"a/{number},x" for number in range(12)]
    (place / "photos" / "labels.csv").write_text("\n".join(["file,kind", *rows]))
    with run_folder(place / "run", {}, seed=1) as run:
        run.save_labels(["a", "b"])
        run.record(done=True)
    return place


CALLS = (
    ("train nowhere", "--data must be an existing directory. Received: --data"),
    ("train empty", "--data must hold images"),
    (
        "train single",
        "--data 'single' (1 folder: 'a').\nGive the folder in which each class has one",
    ),
    ("train photos --backbone resnet5", "--backbone 'resnet5'.\nDid you mean 'resnet5"),
    ("train photos --bakbone vgg16", "Did you mean --backbone?"),
    ("train photos --resize sqash", "Did you mean squash?"),
    ("train photos --stages practise", "--stages must be chapter, practice"),
    ("train photos --book", "--stages must be chapter, or letters, with --book"),
    ("train photos --epochs 0", "--epochs: must be at least 1. Received: 0"),
    ("train photos --image-size 8", "--image-size must be at least"),
    (
        "train photos --stages a --image-size 32",
        "--image-size must be at least 46. Received: --image-size 32\n",
    ),
    ("train photos --weights none.h5", "--weights must be"),
    (
        "train photos --data single",
        "DIR and --data must not both be given. Received: ph",
    ),
    ("train photos --out run", "--out must not exist"),
    ("train photos --resume", "--resume: there is no saved_models/photos*.partial"),
    ("train photos --labels none.csv", "--labels must be an existing CSV file"),
    ("train photos --labels labels.csv", "'a/9', 'a/10', ... (6 in all).\nLeave their"),
    ("train photos --labels labels.csv --image-column a", "--image-column must be of"),
    ("train photos --labels labels.csv --label-column a", "--label-column must be of"),
    ("predict nowhere photos", "MODEL must be an existing run folder"),
    ("predict run gone.jpg", "FILE must be an existing file or folder"),
    ("predict run photos --csv no/a.csv", "--csv: must be in a folder that exists"),
    ("export nowhere", "RUN must be an existing run folder. Received: RUN 'nowhere'"),
    ("export run --formats core_ml", "--formats must be of"),
    ("serve nowhere", "RUN must be an existing run folder"),
    ("report nowhere", "RUN must be an existing run folder"),
    ("report run other --out a.txt", "--out: must end in .html. Received: 'a.txt'"),
    ("train photos --resume --out run", "It is finished: start another one anew with"),
    (
        "zoo --networks vgg16 lenet5 --input-shape 10 10 3",
        "which vgg16, lenet5 cannot take (--input-shape must be (height, width, "
        "channels): height and width integers of at least 32, channels 3 (RGB) or 1 "
        "(gray)).\nThese can: none.\n",
    ),
    ("doctor empty", "DIR must hold images"),
    (
        "train tfds:cats_vs_dog",
        "--data must be a dataset of tensorflow-datasets. Received: --data "
        "'cats_vs_dog'.\nClose to it: 'cats_vs_dogs'",
    ),
    ("train tfds:zzz", ".\nSee https://www.tensorflow.org/datasets/catalog.\n"),
    ("train photos --strategy multi_worker", "--strategy 'multi_worker' needs the env"),
    (
        "recipe table_train --data semicolons.csv --target y",
        "(its header 'x;y' has semicolons, where commas must be).\nSave it as a CSV "
        "file in UTF-8, with as many fields in each row as in its header.\n",
    ),
    (
        "recipe table_train --data holes.csv --target y",
        "missing in 1 rows: 1.\nLeave these rows out of the table.\n",
    ),
    (
        "recipe table_train --data holes.csv --target x --date day",
        "Column 'day' must hold dates, or text such as 2015-06-14. Received: '1/2",
    ),
    (
        "recipe table_train --data parts.csv --target y --date day --task regression",
        "already.\nRename one of them in the table's header.\n",
    ),
    ("doctor photos --picture a.jpg", "--picture: must end in .png, .svg or .pdf. Rec"),
)


@pytest.mark.parametrize(("call", "said"), CALLS, ids=[call for call, _ in CALLS])
def test_a_wrong_call(call, said, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = sorted(place.iterdir())
    with pytest.raises(SystemExit) as stopped:
        main(call.split())
    errors = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said in errors
    assert "`" not in errors
    assert ".py" not in errors
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "`path` must exist. Received: path='a b' (x=1). Use overwrite=True "
            "(--overwrite).",
            "--data must exist. Received: --data 'a b' (x=1). Use --overwrite.",
        ),
        ("Pass path='a b' (--data 'a b').", "Pass --data 'a b'."),
        ("Name it by `path` (--data).", "Name it by --data."),
        (
            "Received: path='a' (`read_csv(..., path=...)` and `b` read it) or `path`.",
            "Received: --data 'a' or --data.",
        ),
        (
            "Continue it with resume=True (--resume), or start anew with "
            "overwrite=True (--overwrite).",
            "Start anew with --overwrite.",
        ),
        ("`image_size` is 3; `other` is not", "--image-size is 3; `other` is not"),
    ],
)
def test_arguments_become_options(text, said):
    parser = workbench.RecipeParser("A recipe.")
    parser.add_argument("--model", choices=["fcos"])  # which is no path
    parser.add_argument("--data")
    parser.add_int("--image-size", None, "side")
    parser.parse_args([])
    assert messages.in_options(text) == said


@pytest.mark.parametrize(
    ("is_terminal", "environment", "is_red"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (False, {}, False)],
)
def test_errors_are_red_on_a_terminal(is_terminal, environment, is_red, monkeypatch):
    shown = io.StringIO()
    shown.isatty = lambda: is_terminal
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    workbench.say_error("It must be 1. Received: 2. Take 1.")
    first, fix = shown.getvalue().splitlines()
    plain = "error: It must be 1. Received: 2."
    assert first == (f"\033[31m{plain}\033[0m" if is_red else plain)
    assert fix == "Take 1."
