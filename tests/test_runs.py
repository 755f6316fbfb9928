import errno
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import kerasdl
from kerasdl.runs import (
    default_out,
    newest_partial,
    read_run,
    recorded_arguments,
    run_folder,
)

ARGUMENTS = {"data": "sample", "epochs": 3}


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def manifest_of(folder):
    return json.loads((Path(folder) / "manifest.json").read_text())


def finished_run(out, content="first", **options):
    with run_folder(out, ARGUMENTS, seed=1, **options) as run:
        run.save_labels(["cats", "dogs"])
        (run.path / "content.txt").write_text(content)
    return out


def partial_run(out, **options):
    with pytest.raises(KeyboardInterrupt):
        with run_folder(out, ARGUMENTS, seed=1, **options) as run:
            (run.path / "weights").write_text("of epoch 1")
            raise KeyboardInterrupt
    return out.with_name(f"{out.name}.partial")


def test_works_in_the_partial_folder_and_leaves_only_the_finished_one(tmp_path):
    out = tmp_path / "new" / "cats"
    with run_folder(out, ARGUMENTS, seed=1) as run:
        assert run.path == tmp_path / "new" / "cats.partial"
        assert (run.out, run.seed, run.resumed) == (out, 1, False)
        assert not out.exists()
        (run.path / "content.txt").write_text("whole")
    assert names(out.parent) == ["cats"]
    assert names(out) == ["content.txt", "manifest.json"]


def test_manifest_tells_how_the_run_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    arguments = {"data": Path("photos/cats"), "image_size": (96, 128)}
    with run_folder(tmp_path / "run", arguments, seed=7) as run:
        assert manifest_of(run.path)["end"] is None
        run.manifest["resize"] = "crop"
        run.save_manifest()
        run.record(accuracy=np.float32(0.5), minutes=1)
        run.record(minutes=2)
        assert manifest_of(run.path)["results"] == {"accuracy": 0.5, "minutes": 2}
    manifest = manifest_of(tmp_path / "run")
    assert manifest["arguments"] == {"data": "photos/cats", "image_size": [96, 128]}
    assert manifest["seed"] == 7
    assert manifest["kerasdl"] == kerasdl.__version__
    assert manifest["versions"]["python"] == sys.version.split()[0]
    assert manifest["versions"]["tensorflow"] == metadata.version("tensorflow")
    assert manifest["onednn"] is True
    assert manifest["resize"] == "crop"
    start, end = (datetime.fromisoformat(manifest[key]) for key in ("start", "end"))
    assert start <= end
    assert start.utcoffset().total_seconds() == 0


def test_a_drawn_seed_is_printed_and_recorded(tmp_path, capsys):
    with run_folder(tmp_path / "run", {}) as run:
        pass
    assert f"seed={run.seed}" in capsys.readouterr().out
    assert manifest_of(tmp_path / "run")["seed"] == run.seed


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, SystemExit])
def test_an_interrupted_run_can_be_resumed(tmp_path, error, left_by_a_kill):
    out = tmp_path / "run"
    with pytest.raises(error):
        with run_folder(out, ARGUMENTS, seed=5) as run:
            run.record(accuracy=0.5)
            (run.path / "weights").write_text("of epoch 1")
            left_by_a_kill(run.path / "weights")
            raise error
    assert names(tmp_path) == ["run.partial"]

    with run_folder(out, ARGUMENTS, resume=True) as run:
        assert (run.seed, run.resumed) == (5, True)
        assert (run.path / "weights").read_text() == "of epoch 1"
        assert run.manifest["results"] == {"accuracy": 0.5}
    assert names(tmp_path) == ["run"]
    assert names(out) == ["manifest.json", "weights"]
    assert len(manifest_of(out)["resumed"]) == 1


def test_a_run_that_had_not_begun_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="bad data"):
        with run_folder(tmp_path / "a" / "b" / "run", ARGUMENTS, seed=1):
            raise ValueError("bad data")
    assert names(tmp_path) == []


def test_results_alone_are_work(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with run_folder(tmp_path / "run", ARGUMENTS, seed=1) as run:
            run.record(features=100)
            raise KeyboardInterrupt
    assert names(tmp_path) == ["run.partial"]


def test_a_full_disk_keeps_the_last_whole_manifest(tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        with run_folder(tmp_path / "run", ARGUMENTS, seed=1) as run:
            run.record(accuracy=0.5)
            monkeypatch.setattr(os, "fsync", full)
            run.record(accuracy=0.6)
    assert names(tmp_path / "run.partial") == ["manifest.json"]
    assert manifest_of(tmp_path / "run.partial")["results"] == {"accuracy": 0.5}


def test_existing_folder_is_refused_without_overwrite(tmp_path):
    out = finished_run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"`out` must not exist.*--overwrite"):
        finished_run(out)
    assert names(tmp_path) == ["run"]


def test_overwrite_keeps_the_old_run_until_the_new_one_is_complete(tmp_path):
    out = finished_run(tmp_path / "run")
    partial_run(out, overwrite=True)
    assert (out / "content.txt").read_text() == "first"
    with run_folder(out, ARGUMENTS, resume=True, overwrite=True) as run:
        (run.path / "content.txt").write_text("second")
        assert (out / "content.txt").read_text() == "first"
    assert (out / "content.txt").read_text() == "second"
    assert names(tmp_path) == ["run"]


def test_overwrite_discards_an_unfinished_run(tmp_path):
    out = tmp_path / "run"
    partial_run(out)
    finished_run(out, overwrite=True)
    assert names(out) == ["content.txt", "labels.txt", "manifest.json"]


def test_a_failing_last_rename_loses_neither_run(tmp_path, monkeypatch):
    out = finished_run(tmp_path / "run")
    rename = Path.rename

    def fail_for_the_partial(path, target):
        if path.name == "run.partial":
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_partial)
    with pytest.raises(OSError, match="Input/output"):
        finished_run(out, "second", overwrite=True)
    assert names(tmp_path) == ["run", "run.partial"]
    assert (out / "content.txt").read_text() == "first"
    assert (tmp_path / "run.partial" / "content.txt").read_text() == "second"


def test_a_kill_between_the_two_renames_is_settled(tmp_path):
    out = finished_run(tmp_path / "run")
    partial_run(out, overwrite=True)
    out.rename(tmp_path / ".run.replaced")  # where the kill stopped it
    with pytest.raises(ValueError, match="`out` must not exist"):
        with run_folder(out, ARGUMENTS, resume=True):
            pass
    assert names(tmp_path) == ["run", "run.partial"]
    assert (out / "content.txt").read_text() == "first"


def test_a_kill_after_the_two_renames_is_settled(tmp_path):
    out = finished_run(tmp_path / "run", "second")
    finished_run(tmp_path / "old").rename(tmp_path / ".run.replaced")
    with pytest.raises(ValueError, match="`out` must not exist"):
        finished_run(out)
    assert names(tmp_path) == ["run"]
    assert (out / "content.txt").read_text() == "second"


def test_overwrite_spares_folders_that_are_no_runs(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match="`overwrite` replaces run folders only"):
        finished_run(tmp_path / "photos", overwrite=True)
    assert names(tmp_path) == ["photos"]


def test_a_folder_made_by_others_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(ValueError, match="`out` must not exist"):
        with run_folder(tmp_path / "run", ARGUMENTS, seed=1):
            (tmp_path / "run").mkdir()
    assert names(tmp_path) == ["run", "run.partial"]


def test_a_leftover_partial_folder_is_refused(tmp_path):
    out = tmp_path / "run"
    partial_run(out)
    with pytest.raises(ValueError, match=r"no unfinished run.*--resume.*--overwrite"):
        finished_run(out)
    assert names(tmp_path / "run.partial") == ["manifest.json", "weights"]


def test_resume_without_a_partial_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`resume` needs a partial run"):
        with run_folder(tmp_path / "new" / "run", ARGUMENTS, resume=True):
            pass
    assert names(tmp_path) == []


def test_resume_without_a_manifest_is_refused(tmp_path):
    (tmp_path / "run.partial").mkdir()
    with pytest.raises(ValueError, match=r"`resume` needs a manifest.json"):
        with run_folder(tmp_path / "run", ARGUMENTS, resume=True):
            pass


DAMAGED = {
    "cut": '{"arguments": {"data"',
    "null": "null",
    "list": "[1]",
    "number": "1",
    "deep": "[" * 100_000,
    "no seed": '{"arguments": {}, "results": {}}',
    "another seed": '{"arguments": {}, "results": {}, "seed": "1"}',
    "no arguments": '{"results": {}, "seed": 1}',
    "null as arguments": '{"arguments": null, "results": {}, "seed": 1}',
    "null as results": '{"arguments": {}, "results": null, "seed": 1}',
    "number as data": '{"arguments": {}, "results": {}, "seed": 1, "data": 5}',
    "number as resumed": '{"arguments": {}, "results": {}, "seed": 1, "resumed": 5}',
    "number as task": '{"arguments": {}, "results": {}, "seed": 1, "task": 5}',
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_manifest_is_named_with_what_to_do(damage, tmp_path):
    partial = partial_run(tmp_path / "run")
    content = DAMAGED[damage]
    content = content if isinstance(content, bytes) else content.encode()
    (partial / "manifest.json").write_bytes(content)
    message = r"`manifest.json` must be .*run.partial/manifest.json'.*--overwrite"
    with pytest.raises(ValueError, match=message):
        with run_folder(tmp_path / "run", ARGUMENTS, resume=True):
            pass
    assert names(partial) == ["manifest.json", "weights"]
    if "seed" not in damage and "results" not in damage:
        with pytest.raises(ValueError, match=message):
            recorded_arguments(tmp_path / "run")
    if damage in ("cut", "null", "list", "number", "deep", "no text"):
        out = finished_run(tmp_path / "other")
        (out / "manifest.json").write_bytes(content)
        with pytest.raises(ValueError, match="`manifest.json` must be .*other"):
            read_run(out)


@pytest.mark.parametrize("content", [b"", b"cats\n\ndogs\n", b"\xff\n"])
def test_damaged_labels_are_named(content, tmp_path):
    out = finished_run(tmp_path / "run")
    (out / "labels.txt").write_bytes(content)
    with pytest.raises(ValueError, match=r"`labels.txt` must be .*run/labels.txt"):
        read_run(out)


def test_a_kill_before_the_first_file_is_no_obstacle(tmp_path, left_by_a_kill):
    (tmp_path / "run.partial").mkdir()
    left_by_a_kill(tmp_path / "run.partial" / "manifest.json")
    finished_run(tmp_path / "run")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["content.txt", "labels.txt", "manifest.json"]


def test_a_kill_in_the_removal_of_a_partial_run_leaves_none_of_it(
    tmp_path, monkeypatch
):
    out = tmp_path / "run"
    partial_run(out)

    def killed(folder, *args, **kwargs):
        (Path(folder) / "weights").unlink()  # and no more
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(shutil, "rmtree", killed)
        finished_run(out, overwrite=True)
    with pytest.raises(ValueError, match="`resume` needs a partial run"):
        with run_folder(out, ARGUMENTS, resume=True):
            pass
    assert names(tmp_path) == []


def test_a_full_disk_is_told_with_the_folder_of_the_run(tmp_path):
    with pytest.raises(OSError, match=r"no room in the folder '.*/run.partial'"):
        with run_folder(tmp_path / "run", ARGUMENTS, seed=1) as run:
            run.record(accuracy=0.5)
            raise OSError(errno.ENOSPC, "No space left on device")


def test_resume_with_other_arguments_is_refused(tmp_path):
    out = tmp_path / "run"
    partial = partial_run(out)
    message = "epochs=4 (recorded: 3), size=[96, 96] (recorded: None)"
    with pytest.raises(ValueError, match=re.escape(message)):
        with run_folder(out, {**ARGUMENTS, "epochs": 4, "size": (96, 96)}, resume=True):
            pass
    with pytest.raises(ValueError, match=re.escape("seed=2 (recorded: 1)")):
        with run_folder(out, ARGUMENTS, seed=2, resume=True):
            pass
    assert names(partial) == ["manifest.json", "weights"]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("", "`out` must name a folder"),
        ("..", "`out` must name a folder"),
        ("cats.partial", r"must be the name of the finished folder.*Pass 'cats'"),
        ("file/run", "`out` must be in a folder that can be written to"),
    ],
)
def test_a_place_that_cannot_be_is_refused(tmp_path, monkeypatch, out, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=message):
        with run_folder(out, ARGUMENTS):
            pass
    assert names(tmp_path) == ["file"]


def test_a_second_run_is_refused_until_the_first_is_killed(tmp_path, programs):
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, programs / "run_until_killed.py", out],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "at work\n"
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(ValueError, match="in use by another run"):
                with run_folder(out, ARGUMENTS, **options):
                    pass
        process.kill()
    assert (tmp_path / "run.partial" / "weights").read_text() == "of epoch 1"
    with run_folder(out, ARGUMENTS, resume=True) as run:
        assert run.seed == 1
    assert names(tmp_path) == ["run"]


def test_import_is_light():
    code = "import sys, kerasdl.runs; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"tensorflow", "keras", "numpy", "cv2", "matplotlib"} & set(loaded)


def test_read_run_gives_labels_manifest_and_model_path(tmp_path):
    out = finished_run(tmp_path / "run")
    for path in (out, str(out), out / "model.keras"):
        info = read_run(path)
        assert info.path == out
        assert info.labels == ["cats", "dogs"]
        assert info.manifest["arguments"] == ARGUMENTS
        assert info.model_path == out / "model.keras"


def test_a_run_may_be_of_any_task_and_have_no_labels(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        run.manifest["task"] = "detection"
    info = read_run(tmp_path / "run")
    assert (info.task, info.labels) == ("detection", [])
    assert info.of_task({"image_classification": 1, "detection": 2}) == 2
    with pytest.raises(
        ValueError, match="must be one of image_classification, gan. .*run of detection"
    ):
        info.of_task({"image_classification": 1, "gan": 2})


def test_a_run_that_names_no_task_is_one_of_image_classification(tmp_path):
    info = read_run(finished_run(tmp_path / "run"))
    assert "task" not in info.manifest
    assert info.task == "image_classification"


def test_labels_are_one_a_line_in_the_given_order(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        run.save_labels(["zebra", "élan d'Afrique", " a "])
        with pytest.raises(ValueError, match="`class_names` must be non-empty names"):
            run.save_labels(["two\nlines"])
    text = (tmp_path / "run" / "labels.txt").read_text(encoding="utf-8")
    assert text == "zebra\nélan d'Afrique\n a \n"
    assert read_run(tmp_path / "run").labels == ["zebra", "élan d'Afrique", " a "]


def test_read_run_refuses_what_is_no_finished_run(tmp_path):
    partial = partial_run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"must be a finished run.*--resume"):
        read_run(partial)
    with pytest.raises(ValueError, match="must be an existing run folder"):
        read_run(tmp_path / "other")
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match=r"without labels.txt and manifest.json"):
        read_run(tmp_path / "photos")
    (finished_run(tmp_path / "torn") / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match=r"`manifest.json` must be as a run wrote it"):
        read_run(tmp_path / "torn")


def test_default_out_takes_the_first_free_name(tmp_path):
    assert default_out(tmp_path, "cats") == tmp_path / "cats"
    (tmp_path / "cats").mkdir()
    assert default_out(tmp_path, "cats") == tmp_path / "cats-2"
    (tmp_path / "cats-2.partial").mkdir()
    assert default_out(tmp_path, "cats") == tmp_path / "cats-3"


def test_newest_partial_is_the_one_written_to_last(tmp_path):
    assert newest_partial(tmp_path / "nowhere", "cats") is None
    assert newest_partial(tmp_path, "cats") is None
    folders = ("cats.partial", "cats-2.partial", "cats-10.partial", "cats_vgg.partial")
    for age, folder in enumerate(folders):
        (tmp_path / folder).mkdir()
        os.utime(tmp_path / folder, (1e9 - age, 1e9 - age))
    os.utime(tmp_path / "cats-2.partial", (2e9, 2e9))
    os.utime(tmp_path / "cats_vgg.partial", (3e9, 3e9))
    assert newest_partial(tmp_path, "cats") == tmp_path / "cats-2"
