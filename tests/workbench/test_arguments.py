import argparse
from pathlib import Path

import pytest
import tensorflow as tf

from kerasdl import runs, workbench


def parse(argv):
    parser = workbench.RecipeParser("A recipe.")
    parser.add_argument("--data", default="sample")
    parser.add_argument("--cache", type=Path)
    return parser.parse_run(argv, "name")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("bad"), 2),
        (OSError(28, "disk is full"), 1),
        (FloatingPointError("the loss is nan"), 1),
        (MemoryError(), 1),
        (tf.errors.ResourceExhaustedError(None, None, "out of memory"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error, code, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as stopped:
        workbench.run_recipe(main)
    assert stopped.value.code == code
    assert capsys.readouterr().err


def test_other_errors_keep_their_traceback():
    def main():
        raise KeyError("a fault of the recipe's own")

    with pytest.raises(KeyError):
        workbench.run_recipe(main)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (workbench.positive_int, {"3": 3}, ["0", "-1", "1.5", "many"]),
        (
            workbench.positive_float,
            {"3": 3.0, "1e-3": 0.001},
            ["0", "-1", "inf", "nan", "x"],
        ),
        (workbench.share, {"0": 0.0, ".999": 0.999}, ["-0.1", "1", "nan", "half"]),
    ],
)
def test_numbers_of_a_range(kind, good, bad):
    assert {text: kind(text) for text in good} == good
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f"Received: {text}"):
            kind(text)


def test_default_out_is_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse([]).out.as_posix() == "saved_models/name"
    (tmp_path / "saved_models" / "name").mkdir(parents=True)
    assert parse([]).out.as_posix() == "saved_models/name-2"


def test_resume_takes_what_was_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = parse(["--data", "photos", "--quick", "--cache", "here"])
    with pytest.raises(KeyboardInterrupt):
        with runs.run_folder(args.out, workbench.recorded(args), seed=1) as run:
            run.record(begun=True)
            raise KeyboardInterrupt
    resumed = parse(["--resume"])
    assert (resumed.out, resumed.data, resumed.quick) == (args.out, "photos", True)
    assert resumed.cache == Path("here")
    assert parse(["--resume", "--data", "others"]).data == "others"


def test_a_resumed_run_may_take_another_cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for argv in (["--cache", "here"], ["--resume", "--cache", "there"]):
        args = parse(argv)
        with pytest.raises(KeyboardInterrupt):
            with runs.run_folder(
                args.out, workbench.recorded(args), seed=1, resume=args.resume
            ) as run:
                run.record(begun=True)
                raise KeyboardInterrupt
    assert parse(["--resume"]).cache == Path("there")


def test_nothing_to_resume(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        parse(["--resume"])
    assert "there is no saved_models/name*.partial" in capsys.readouterr().err


def test_partial_without_manifest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models" / "name.partial").mkdir(parents=True)
    with pytest.raises(ValueError, match="needs a manifest.json"):
        parse(["--resume"])
