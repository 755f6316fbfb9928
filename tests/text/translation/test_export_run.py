"""The search of GRUs in a TFLite file; that of a Transformer is in a recipe's test."""

import json

import pytest

from kerasdl.artefacts import ExportError
from kerasdl.runs import run_folder
from kerasdl.text import PairData, Translator, gru_translator
from kerasdl.text.translation import export_run

TEXTS = ["no1 two", "no12 three seven"]


@pytest.fixture(scope="module")
def run(counting, tmp_path_factory):
    """A run of GRUs that are as they were drawn."""
    data = PairData(counting, 60, 64, seed=2)
    model = gru_translator(len(data.subwords), 8, 6, seed=1)
    model.set_weights([weight * 2 for weight in model.get_weights()])
    translator = Translator(model, data.subwords, max_length=9, beams=2, as_lesson=True)
    sources = data.subwords.encode(TEXTS)
    found = translator.translate_ids(sources, 1)
    checked = {
        "source_ids": [[*ids, 3] for ids in sources],
        "translation_ids": [ids.tolist() for ids in found],
    }
    with run_folder(tmp_path_factory.mktemp("runs") / "run", {}, seed=1) as made:
        made.manifest["task"] = "translation"
        model.save(made.path / "model.keras")
        translator.save_facts(made.path)
        (made.path / "check_sentences.json").write_text(json.dumps(checked))
    return made.out


def test_the_search_of_grus_is_of_built_in_operators(run, tmp_path):
    table = export_run(run, ["tflite"], tmp_path / "out")
    assert table["difference"]["tflite"] == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    beside = {"pieces.model", "translation.json", "export_report.json"}
    assert names == {"model.tflite", *beside}
    facts = json.loads((tmp_path / "out" / "translation.json").read_text())
    assert facts == {"as_lesson": True, "max_length": 9}


def test_what_translates_otherwise_is_no_export(run, tmp_path):
    path = run / "check_sentences.json"
    whole = path.read_text()
    checked = json.loads(whole)
    checked["translation_ids"][1][0] += 1
    path.write_text(json.dumps(checked))
    with pytest.raises(
        ExportError, match="answer the check sentences.*difference of 1"
    ):
        export_run(run, ["keras"], tmp_path / "out")
    for text, what in (
        ('{"source_ids": [], "translation_ids": []}', "have a sentence in check_s"),
        ("", "hold check_sentences.json as it was written"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=f"`run` must {what}"):
            export_run(run, ["keras"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    path.write_text(whole)
