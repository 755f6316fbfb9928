"""The recipe of translations on a few pairs, and what predict.py makes of its run."""

import json
import runpy

import pandas as pd
import pytest

from kerasdl.text import Translator
from kerasdl.text.translation import translation_scores


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pairs of two small languages, in the files of a folder."""
    folder = tmp_path_factory.mktemp("pairs")
    for split, numbers in (("train", range(60)), ("val", (70, 71)), ("test_a", (81,))):
        lines = [f"{number} {number % 7} cats" for number in numbers]
        (folder / f"{split}.en").write_text("\n".join(lines) + "\n")
        lines = [f"{number} {number % 7} chats" for number in numbers]
        (folder / f"{split}.fr").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def recipe(recipes_path):
    return runpy.run_path(str(recipes_path / "translate.py"))["main"]


@pytest.fixture
def predict(recipes_path):
    return runpy.run_path(str(recipes_path / "predict.py"))["main"]


def arguments(folder, out, *more):
    small = [
        "--width",
        "16",
        "--layers",
        "1",
        "--pieces",
        "40",
        "--batch-tokens",
        "128",
    ]
    names = ["--data", str(folder), "--source", "en", "--target", "fr", "--beams", "2"]
    own = ["--teacher-forcing", "0.5", "--epochs", "2", "--max-length", "12"]
    return [*names, *small, *own, "--seed", "1", "--out", str(out), *more]


@pytest.fixture(scope="module")
def run(recipe, folder, tmp_path_factory, run_eagerly):
    out = tmp_path_factory.mktemp("runs") / "run"
    with run_eagerly():
        recipe(arguments(folder, out))
    return out


def test_a_run_has_what_it_says(run):
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["task"] == "translation"
    page = (run / "report.html").read_text()
    assert "By number of beams" in page and "tok:13a" in page and "Attention" in page
    rows = pd.read_csv(run / "translations_test_a.csv", keep_default_na=False)
    scores = translation_scores(rows["translation"], rows["target"])
    found = manifest["results"]["test_a_bleu"]
    assert found == pytest.approx(scores["bleu"], abs=1e-6)
    assert {row["beams"] for row in manifest["results"]["scores"]} == {1, 2}


def test_a_file_of_texts_is_answered(run, predict, tmp_path, capsys):
    check = json.loads((run / "check_sentences.json").read_text())
    translator = Translator.load(run)
    assert translator.translate(check["source"], 1) == check["translation"]
    texts = tmp_path / "texts.txt"
    texts.write_text("1 1 cats\n\n2 2 cats\n")
    answers = tmp_path / "answers.csv"
    assert not predict([str(run), str(texts), "--csv", str(answers)])
    found = pd.read_csv(answers, keep_default_na=False)
    assert list(found) == ["text", "translation"] and found["text"][1] == ""
    expected = translator.translate(found["text"].tolist())
    assert found["translation"].tolist() == expected
    assert predict([str(run), str(texts), str(texts)]) == 2
    assert "FILE must be one file of texts" in capsys.readouterr().err


def test_files_that_leave_translate_the_check_sentences(run, recipes_path, capsys):
    export = runpy.run_path(str(recipes_path / "export_model.py"))["main"]
    with pytest.raises(ValueError, match="'keras', 'saved_model', 'tflite'.*'onnx'"):
        export([str(run), "--formats", "onnx"])
    for option in ("--check", "--max-drop", "--seed"):
        with pytest.raises(ValueError, match=f"{option} is for runs of photos"):
            export([str(run), option, "0"])
    export([str(run)])
    printed = capsys.readouterr().out
    assert "not made of a run of translation: tflite_fp16" in printed
    report = json.loads((run / "export" / "export_report.json").read_text())
    assert report["sentences"] == 2 and len(report["formats"]) == 3
    assert {row["difference"] for row in report["formats"].values()} == {0}
    assert (run / "export" / "pieces.model").is_file()


def test_what_the_card_says_in_plain_keras_is_so(run, elsewhere, tmp_path):
    code = (run / "README.md").read_text().split("```python\n")[1].split("```")[0]
    program = tmp_path / "card.py"
    program.write_text(code)
    printed = elsewhere(program, folder=run)
    ours, theirs = printed.replace("] [", "]|[").strip().split("|")
    assert ours == theirs


def test_a_killed_run_goes_on_to_the_same_end(
    recipe, run, folder, tmp_path, monkeypatch, eagerly
):
    import keras

    out = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

        patch.setattr(keras.callbacks.SwapEMAWeights, "on_epoch_begin", stop)
        recipe(arguments(folder, out))
    recipe(["--resume", "--out", str(out)])
    for name in ("check_sentences.json", "translations_valid.csv"):
        assert (out / name).read_bytes() == (run / name).read_bytes()
    ours, theirs = (
        pd.read_csv(path / "history.csv")["val_loss"].tolist() for path in (out, run)
    )
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (["--teacher-forcing", "2"], "--teacher-forcing must be in [0, 1]"),
        (["--architecture", "rnn"], "invalid choice: 'rnn'"),
        (["--attention", "luong"], "--attention must be with --architecture gru"),
        (["--architecture", "gru"], "and --layers with transformer"),
    ],
)
def test_wrong_options_end_before_any_work(
    recipe, folder, tmp_path, wrong, match, capsys
):
    with pytest.raises(SystemExit, match="2"):
        recipe(arguments(folder, tmp_path / "run", *wrong))
    assert match in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_languages_are_of_data_and_places_of_the_network(
    recipe, folder, tmp_path, capsys
):
    for wrong in (["--source", "en"], ["--lesson"]):
        with pytest.raises(SystemExit, match="2"):
            recipe([*wrong, "--out", str(tmp_path / "run")])
        assert "--lesson are of --data" in capsys.readouterr().err
    with pytest.raises(ValueError, match="--max-length must be at most 512 with"):
        recipe(arguments(folder, tmp_path / "run", "--max-length", "513"))
    with pytest.raises(ValueError, match="`path` must hold train.de"):
        recipe(arguments(folder, tmp_path / "run", "--target", "de"))
    assert not list(tmp_path.iterdir())
