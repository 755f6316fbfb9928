"""Texts over HTTP."""

import numpy as np
import pytest

from kerasdl import text
from kerasdl.serving import create_text_app

PATH = "/v1/models/toy:predict"


@pytest.fixture(scope="module")
def toy(run_app):
    """A client of a server of texts, and what should answer."""
    data = text.TextData.from_frame(text.write_reviews(60, seed=0), seed=0)
    predictor = text.Predictor(text.nbsvm(data), data.tokenizer, ["bad", "good"])
    with run_app(create_text_app(predictor, "toy", 20, max_texts=3)) as client:
        yield client, predictor


def test_texts_and_objects_are_answered(toy):
    client, predictor = toy
    answer = client.predict({"instances": ["很好", {"text": ""}]}, PATH)
    expected = predictor.answer(["很好", ""])
    for found, row in zip(answer.content["predictions"], expected, strict=True):
        likely = found["probabilities"]
        np.testing.assert_allclose([likely["bad"], likely["good"]], row, atol=1e-6)
        assert found["label"] == ("bad", "good")[row.argmax()]
        assert found["probability"] == likely[found["label"]]


@pytest.mark.parametrize(
    ("instances", "status", "match"),
    [
        (["好" * 21], 413, "at most 20 characters. Received: 21 in row 0"),
        (["a"] * 4, 413, "at most 3 rows"),
        (["a", 3], 400, "row 1 must be a text"),
        (["a", "b\ud83d"], 400, "Received: half of a surrogate pair, '\\ud83d'"),
        ([{"said": "a"}], 400, "row 0 must be a text"),
        ([], 400, "at least one row"),
    ],
)
def test_what_is_refused(toy, instances, status, match):
    answer = toy[0].predict({"instances": instances}, PATH)
    assert answer.status == status
    assert match in answer.content["error"]


def test_half_of_a_character_is_refused_in_any_form(toy):
    for body in ('{"instances": ["\\ud83d"]}', '{"instances": ["\ud83d"]}'):
        answer = toy[0].predict(body.encode("utf-8", "surrogatepass"), PATH)
        assert answer.status == 400 and "of whole characters" in answer.content["error"]
    whole = toy[0].predict(b'{"instances": ["\\ud83d\\ude00"]}', PATH)
    assert whole.status == 200


def test_another_verb_is_told_what_there_is(toy):
    answer = toy[0].predict({"instances": ["a"]}, "/v1/models/toy:classify")
    assert answer.status == 501
    assert ":predict takes instances as JSON" in answer.content["error"]


def test_the_page_and_its_parts(toy):
    client, _ = toy
    assert b"<textarea" in client.get("/").content
    assert b"instances" in client.get("/text.js").content
    about = client.get("/model").content
    assert about == {"name": "toy", "class_names": ["bad", "good"], "max_text": 20}
    with pytest.raises(ValueError, match="`max_text` must be"):
        create_text_app(None, "toy", 0)


class Upper(text.Translator):
    def __init__(self):
        """Without a network."""

    def translate(self, texts, beams=None):
        return [one.upper() for one in texts]


def test_a_translator_answers_with_translations(run_app):
    with run_app(create_text_app(Upper(), "toy", 20)) as client:
        answer = client.predict({"instances": ["a dog", {"text": "b"}]}, PATH)
        assert answer.content["predictions"] == [
            {"translation": "A DOG"},
            {"translation": "B"},
        ]
        about = client.get("/model").content
        assert about == {"name": "toy", "class_names": [], "max_text": 20}
