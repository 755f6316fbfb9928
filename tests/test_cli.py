import argparse

import pytest

from kerasdl import cli, runs


def parse(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="sample")
    cli.add_run_arguments(parser)
    return cli.parse_run_arguments(parser, argv, "name")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("bad"), 2),
        (OSError(28, "disk is full"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error, code, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as stopped:
        cli.run_recipe(main)
    assert stopped.value.code == code
    assert capsys.readouterr().err


def test_default_out_is_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse([]).out.as_posix() == "saved_models/name"
    (tmp_path / "saved_models" / "name").mkdir(parents=True)
    assert parse([]).out.as_posix() == "saved_models/name-2"


def test_resume_takes_what_was_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = parse(["--data", "photos", "--quick"])
    with pytest.raises(KeyboardInterrupt):
        with runs.run_folder(args.out, cli.recorded(args), seed=1) as run:
            run.record(begun=True)
            raise KeyboardInterrupt
    resumed = parse(["--resume"])
    assert (resumed.out, resumed.data, resumed.quick) == (args.out, "photos", True)
    assert parse(["--resume", "--data", "others"]).data == "others"


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
