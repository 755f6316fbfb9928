"""Strings in, strings out; scores, pictures and the run that is read."""

import json

import numpy as np
import pandas as pd
import pytest

from kerasdl.text import PairData, Translator, gru_translator
from kerasdl.text.translation import (
    save_attention,
    sentence_chrf,
    steps_of,
    transformer_translator,
    translation_scores,
)
from kerasdl.text.translation.translator import without_blanks


@pytest.fixture(scope="module")
def translator(counting):
    data = PairData(counting, 60, 64, seed=2)
    model = gru_translator(len(data.subwords), 8, 6, seed=1)
    return Translator(model, data.subwords, max_length=20, beams=2)


def test_it_says_what_it_is(translator):
    known = len(translator.subwords)
    assert repr(translator).endswith(
        f"  texts    of 20 pieces at most; {known} are known\n  search   2 beams"
    )


def test_each_text_is_translated_by_itself(translator):
    texts = ["no1 two", "", "no12 three seven", "  ", "no3 one"]
    found = translator.translate(texts)
    assert found[0] and found[1] == found[3] == ""
    assert found == [translator.translate([text])[0] for text in texts]
    greedy = translator.translate(texts, beams=1)
    (ids,) = translator.translate_ids(translator.subwords.encode(texts[:1]), 1)
    assert translator.subwords.decode([ids]) == greedy[:1]
    assert translator.translate([]) == []


def test_a_long_text_is_translated_by_sentences(translator):
    parts = ["no1 two three.", "no2 one!", "no3 one?", "no4 one two.", "no5."]
    long = " ".join(parts)
    assert max(map(len, translator.subwords.encode(parts))) < 20
    assert len(translator.subwords.encode([long])[0]) > 20
    assert translator.translate([long]) == [" ".join(translator.translate(parts))]
    assert translator.translate(["no" + "1" * 300])[0]


def test_sentences_end_at_marks_and_not_within_numbers(translator, monkeypatch):
    asked = []

    def encode(texts):  # so long that each text is cut
        asked[:] = texts
        return [[9] * 99 for _ in texts]

    monkeypatch.setattr(translator.subwords, "encode", encode)
    for text, sentences in (
        ("It is 3.14, see x.org. Yes!", ["It is 3.14, see x.org.", "Yes!"]),
        ("a?\nb\nc", ["a?", "b", "c"]),
        ("好。是!不…… 对？Yes", ["好。", "是!", "不……", "对？", "Yes"]),
    ):
        translator._sentences(text)
        assert asked == sentences


def test_a_file_is_answered_row_by_row(translator, tmp_path):
    path = tmp_path / "rows.csv"
    pd.DataFrame({"id": [7, 8, 9], "sentence": ["no1 two", "", "no3"]}).to_csv(
        path, index=False
    )
    found = translator.predict(path)
    assert list(found) == ["sentence", "translation"]
    assert found["sentence"].tolist() == ["no1 two", "", "no3"]
    assert found["translation"].tolist() == translator.translate(["no1 two", "", "no3"])
    path = tmp_path / "rows.txt"
    path.write_text("no1 two\n\nno3\n")
    assert translator.predict(path)["translation"].equals(found["translation"])
    listed = translator.predict(["no1 two", "", "no3"])
    assert listed.rename(columns={"text": "sentence"}).equals(found)
    path = tmp_path / "other.csv"
    path.write_text("translation\na\n")
    assert list(translator.predict(path, "translation")) == ["text", "translation"]


def test_each_row_of_a_file_of_any_form_is_translated(
    translator, file_of_texts, written
):
    path, encoding, texts, column = file_of_texts
    found = translator.predict(path, None, encoding, beams=1)
    header, (given, translations) = written(found)
    assert header == [column, "translation"] and given == texts
    assert translations == translator.translate(texts, beams=1)


def test_texts_are_cut_as_in_the_lesson_if_training_was(translator):
    as_lesson = Translator(translator.model, translator.subwords, 20, 1, True)
    assert as_lesson.translate(["NO TWO?"]) == translator.translate(["no two ?"], 1)
    assert without_blanks("我 爱 b c 你") == "我爱 b c 你"


def test_no_list_of_strings_is_refused(translator):
    for wrong in ("no1", ["no1", None]):
        with pytest.raises(ValueError, match="`texts` must be strings in a list"):
            translator.translate(wrong)
    with pytest.raises(ValueError, match="`beams` must be an integer of at least 1"):
        translator.translate(["no1"], beams=0)
    subwords = translator.subwords
    with pytest.raises(ValueError, match="as many pieces as `subwords` has"):
        Translator(gru_translator(30, 8, 6), subwords)
    network = transformer_translator(len(subwords), 8, 2, 1, 8, seed=1)
    assert Translator(network, subwords, 512).max_length == 512
    with pytest.raises(ValueError, match="max_length=513 for 512 places"):
        Translator(network, subwords, 513)


def test_attention_says_where_each_piece_came_from(translator, tmp_path):
    source, target, weights = translator.attention("no1 two")
    assert weights.shape == (len(target), len(source))
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    assert target[-1] == source[-1] == "</s>"
    given = translator.attention("no1 two", "eins zwei")
    assert len(given[1]) == len(translator.subwords.encode(["eins zwei"])[0]) + 1
    # As the network itself has them.
    steps = steps_of(translator.model)
    assert weights.shape[1] == steps.start(np.array([[5, 6, 3]]), 1)[0][0].shape[1] - (
        3 - len(source)
    )
    save_attention(source, target, weights, tmp_path / "attention.png")
    assert (tmp_path / "attention.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="`weights` must have a row for each piece"):
        save_attention(source[1:], target, weights, tmp_path / "attention.png")
    rows = np.full((500, 3), 1 / 3)
    figure = save_attention(["a"] * 3, ["b"] * 500, rows, tmp_path / "attention.svg")
    assert max(figure.get_size_inches()) < 18


def test_scores_are_those_of_sacrebleu_with_signature():
    truth = ["the cat sat on the mat .", "a dog ran"]
    same = translation_scores(truth, truth)
    assert same["bleu"] == pytest.approx(100) and same["exact"] == 1
    assert (
        "tok:13a" in same["bleu_signature"] and "case:mixed" in same["bleu_signature"]
    )
    worse = translation_scores(["the cat sat on a mat .", "a dog ran"], truth)
    # Precisions 9/10, 6/8, 3/6, 1/4 of equal lengths.
    expected = 100 * (9 / 10 * 6 / 8 * 3 / 6 * 1 / 4) ** 0.25
    assert worse["bleu"] == pytest.approx(expected) and worse["exact"] == 0.5
    assert sentence_chrf(truth, truth) == pytest.approx([100, 100])
    chinese = translation_scores(["我喜欢猫。"], ["我喜欢狗。"])
    assert "tok:zh" in chinese["bleu_signature"]
    # Of 9 characters one is another, and of runs of 2, 3 and 4 of them two.
    japanese = translation_scores(["これはペンです。。"], ["これはペンですよ。"])
    expected = 100 * (8 / 9 * 6 / 8 * 5 / 7 * 4 / 6) ** 0.25
    assert japanese["bleu"] == pytest.approx(expected)
    assert "tok:char" in japanese["bleu_signature"]
    with pytest.raises(ValueError, match="`references` must be one for each"):
        translation_scores(truth, truth[:1])


def test_a_damaged_run_is_named(translator, tmp_path):
    from kerasdl import runs

    with runs.run_folder(tmp_path / "run", {}, seed=1) as run:
        run.manifest["task"] = "translation"
        translator.model.save(run.path / "model.keras")
        translator.save_facts(run.path)
    assert Translator.load(tmp_path / "run").translate(["no1"]) == (
        translator.translate(["no1"])
    )
    facts = {"max_length": 20, "beams": 2}
    for content in ("", "[]", json.dumps(facts), '{"max_length": []}'):
        (tmp_path / "run" / "translation.json").write_text(content)
        with pytest.raises(ValueError, match="`run` must hold translation.json"):
            Translator.load(tmp_path / "run")
