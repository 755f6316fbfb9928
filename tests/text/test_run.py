"""A finished run of texts: its files, its report, and who asks it."""

import json
import shutil
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from kerasdl import text
from kerasdl.runs import run_folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, data):
    """A run of a blend, of which one member is trained a little."""
    network = text.models.text_cnn(data.tokenizer.size, dim=8, filters=4, seed=1)
    learn = text.Learner(network, data)
    history = learn.fit(0.02, cycle_len=2)
    whole = text.blend([network, text.nbsvm(data, ngrams=2)])
    folder = tmp_path_factory.mktemp("text") / "run"
    with run_folder(folder, {}, seed=1) as made:
        peers = text.baseline_scores(data, names=text.BASELINES[:1])
        text.write_run_files(made, whole, data, history, "Reviews", peers)
    return folder, whole


@pytest.fixture(scope="module")
def predictor(run):
    return text.Predictor.load(run[0])


def test_a_run_answers_every_text_in_its_order(run, predictor, data, tmp_path):
    _, network = run
    texts = [*data.rows("valid")["text"], "", "饕餮", "好" * 100_000]
    found = predictor.predict(texts)
    assert found["text"].tolist() == texts
    expected = text.answer_tokens(network, data.tokenizer.encode(texts))
    names = np.array(["0", "1"])[expected.argmax(axis=1)]
    assert found["label"].tolist() == names.tolist()
    np.testing.assert_allclose(found["probability"], expected.max(axis=1), atol=1e-6)
    rows = pd.DataFrame({"id": range(len(texts)), "said": texts})
    rows.to_csv(tmp_path / "a.csv", index=False)
    again = predictor.predict(tmp_path / "a.csv", "said")
    assert list(again) == ["said", "label", "probability"]
    assert again["label"].tolist() == names.tolist()
    (tmp_path / "a.txt").write_text("很好\n\n太差\n", "gb18030")
    found = predictor.predict(tmp_path / "a.txt", encoding="gb18030")
    assert found["text"].tolist() == ["很好", "", "太差"]
    assert len(predictor.predict([])) == 0


def test_the_column_of_the_training_is_taken_and_said(run, predictor, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("text,review\nx,y\n")
    assert list(predictor.predict(tmp_path / "a.csv"))[0] == "review"
    other = shutil.copytree(run[0], tmp_path / "run")
    facts = json.loads((other / "text.json").read_text("utf-8"))
    assert facts["text_column"] == "review"
    facts["text_column"] = "said"
    (other / "text.json").write_text(json.dumps(facts), "utf-8")
    predictor = text.Predictor.load(other)
    (tmp_path / "a.csv").write_text("review,said\nx,y\n")
    assert list(predictor.predict(tmp_path / "a.csv"))[0] == "said"
    predictor.text_column = "gone"
    (tmp_path / "a.csv").write_text("id,said\n1,y\n")
    assert list(predictor.predict(tmp_path / "a.csv"))[0] == "said"
    printed = capsys.readouterr().out
    assert printed == "texts: column 'review'\n" + 2 * "texts: column 'said'\n"


def test_a_column_of_an_answers_name_is_text(predictor):
    found = predictor.predict(pd.DataFrame({"label": ["很好"]}), "label")
    assert list(found) == ["text", "label", "probability"]


def test_bad_texts_and_runs_are_refused(predictor, tmp_path):
    with pytest.raises(ValueError, match="`texts` must be strings.*3"):
        predictor.predict(["a", 3])
    with pytest.raises(ValueError, match="--text-column"):
        predictor.predict(pd.DataFrame({"a": ["x"], "b": ["y"]}))
    with run_folder(tmp_path / "run", {}, seed=1) as other:
        other.manifest["task"] = "tabular"
    with pytest.raises(ValueError, match="must be one of text_classification"):
        text.Predictor.load(tmp_path / "run")


def test_strings_are_answered_where_there_is_no_kerasdl_and_no_jieba(
    run, data, tmp_path, elsewhere
):
    folder, network = run
    texts = ["房间很干净 OK", "", "味道太差", "A" * 1000]
    (tmp_path / "texts.json").write_text(json.dumps(texts), "utf-8")
    text.save_saved_model(network, tmp_path / "saved", data.tokenizer)
    found = elsewhere(
        "string_answers.py",
        folder / "model.keras",
        tmp_path / "saved",
        tmp_path / "texts.json",
    )
    expected = text.answer_tokens(network, data.tokenizer.encode(texts))
    for answers in json.loads(found):
        np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_the_code_of_the_card_runs(run, monkeypatch, capsys):
    folder, _ = run
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "kerasdl", None)  # it cannot be imported
    card = (folder / "README.md").read_text("utf-8")
    assert "No training saw them" in card
    parts = card.split("```python\n")[1:]
    code = "\n".join(part.split("```")[0] for part in parts)
    exec(compile(code, "card", "exec"), {})
    checked = json.loads((folder / "check_texts.json").read_text())["probability"]
    lite = capsys.readouterr().out.strip().splitlines()[-1]
    values = [float(value) for value in lite.strip("[]").split()]
    np.testing.assert_allclose(values, checked[0], atol=1e-4)


def check_formats_answer_alike(folder, out):
    table = text.export_run(folder, out=out)
    assert list(table.index) == ["keras", "saved_model", "tflite", "onnx"]
    assert table["difference"].max() < 1e-5


def test_every_format_of_an_export_answers_alike(run, tmp_path):
    check_formats_answer_alike(run[0], tmp_path / "out")
    assert (tmp_path / "out" / "text.json").is_file()
    with pytest.raises(ValueError, match="`out` must not exist"):
        text.export_run(run[0], out=tmp_path / "out")


@pytest.fixture
def in_steps(data):
    """A blend of what TFLite finds hard: recurrent layers, and attention."""
    networks = text.models.NETWORKS
    sizes = {"bilstm": {"units": 2}, "transformer": {"heads": 2, "depth": 1}}
    return text.blend(
        [
            networks[name](data.tokenizer.size, dim=8, **options, seed=1)
            for name, options in sizes.items()
        ]
    )


def test_recurrent_layers_and_attention_in_tflite_answer_alike(
    in_steps, data, tmp_path
):
    from kerasdl.artefacts import run_tflite
    from kerasdl.text.tokenizer import pad

    text.save_tflite(in_steps, tmp_path / "a.tflite", data.tokenizer)
    encoded = data.encoded("valid")[:3]
    tokens = {"tokens": pad(encoded, data.tokenizer.max_len)}
    found = run_tflite(tmp_path / "a.tflite", 1)(tokens)["probability"]
    np.testing.assert_allclose(found, text.answer_tokens(in_steps, encoded), atol=1e-5)


@pytest.mark.slow
def test_recurrent_layers_and_attention_in_every_format(in_steps, data, tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as made:
        text.write_run_files(made, in_steps, data, pd.DataFrame(), "Reviews")
    check_formats_answer_alike(tmp_path / "run", tmp_path / "out")


def test_the_report_has_its_sections_and_escapes_texts(run):
    page = (run[0] / "report.html").read_text("utf-8")
    for name in (
        *("Result", "Classes", "Most certain mistakes", "Most uncertain texts"),
        *("What counts", "Texts", "Training", "Settings"),
    ):
        assert f">{name}</h2>" in page
    assert "TF-IDF characters" in page and "<script" not in page


def test_a_learner_trains_scores_and_exports(data, tmp_path):
    network = text.models.text_cnn(data.tokenizer.size, dim=8, filters=4, seed=0)
    learn = text.Learner(network, data)
    before = learn.scores()["log_loss"]
    learn.fit(0.02, cycle_len=3)
    assert learn.scores()["log_loss"] < before
    learn.export(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    texts = data.rows("valid")["text"].to_numpy(object)
    expected = learn.predict(texts)
    np.testing.assert_allclose(loaded.predict(texts, verbose=0), expected, atol=1e-5)
    np.testing.assert_allclose(learn.predict(), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"`path` must end in .keras"):
        learn.export(tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="`data` must be a TextData.*a dict"):
        text.Learner(network, {})


def test_a_killed_training_ends_with_the_same_weights(reviews, tmp_path, eagerly):
    def trained(folder, *callbacks):
        data = text.TextData.from_frame(reviews[:60], batch_size=16, seed=0)
        network = text.models.text_cnn(data.tokenizer.size, dim=8, filters=4, seed=0)
        learn = text.Learner(network, data, folder)
        learn.fit(0.02, cycle_len=3, callbacks=callbacks, resume=True)
        return learn.model.get_weights()

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", Stop())
    whole = trained(tmp_path / "whole")
    for one, other in zip(trained(tmp_path / "cut"), whole, strict=True):
        np.testing.assert_array_equal(one, other)
