"""Rows of a table over HTTP."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from kerasdl import tabular
from kerasdl.serving import create_table_app

FRAME = pd.DataFrame(
    {"kind": ["a", "b"] * 20, "x": np.arange(40.0), "y": np.arange(40.0)}
)
PATH = "/v1/models/toy:predict"


def predictor_of(target):
    frame = FRAME.assign(label=np.where(FRAME["kind"] == "a", "yes", "no"))
    options = {"task": "regression"} if target == "y" else {}
    data = tabular.TableData.from_frame(
        frame, target, ["kind"], ["x"], seed=0, **options
    )
    model = tabular.mlp(data, (4,), seed=0)
    raw = tabular.with_raw_columns(model, data.columns, data.target)
    return tabular.Predictor(raw, data.columns, data.target)


@pytest.fixture(scope="module")
def toy(run_app):
    """A client of a server of numbers, and what should answer."""
    predictor = predictor_of("y")
    with run_app(create_table_app(predictor, "toy", max_rows=50)) as client:
        yield client, predictor


def test_rows_are_answered_by_column_name(toy):
    client, predictor = toy
    rows = [{"kind": "a", "x": 1}, {"kind": None, "x": None, "more": []}]
    answer = client.predict({"instances": rows}, PATH)
    frame = pd.DataFrame({"kind": ["a", None], "x": [1.0, np.nan]})
    expected = predictor.predict(frame)["prediction"]
    np.testing.assert_allclose(answer.content["predictions"], expected, 1e-5)


def test_a_csv_comes_back_with_predictions(toy, upload_form):
    client, predictor = toy
    form = upload_form(FRAME.to_csv(index=False).encode(), field="file")
    found = pd.read_csv(io.BytesIO(client.ask("POST", "/predict", *form).content))
    pd.testing.assert_frame_equal(
        found, predictor.predict(FRAME), check_dtype=False, rtol=1e-5
    )


def test_classes_come_with_their_probability(run_app):
    with run_app(create_table_app(predictor_of("label"), "toy")) as client:
        answer = client.predict({"instances": [{"kind": "a", "x": 1}]}, PATH)
    (found,) = answer.content["predictions"]
    assert found["prediction"] in ("yes", "no") and 0.5 <= found["probability"] <= 1


@pytest.mark.parametrize(
    ("body", "code", "error"),
    [
        ("{", 400, "the body must be JSON"),
        ("[]", 400, "the body must have instances"),
        ('{"instances": ' + "[" * 800 + "]" * 800 + "}", 400, "rows must be a list"),
        (
            '{"instances": [{"kind": "\\ud83d"}]}',
            400,
            "half of a surrogate pair, '\\ud",
        ),
        ({"instances": []}, 400, "the body must have instances"),
        ({"instances": [1]}, 400, "rows must be a list of objects"),
        ({"instances": [{"x": 1}]}, 400, "row 0 must have kind"),
        ({"instances": [{"x": "a", "kind": "a"}]}, 400, "'x' must hold numbers"),
        ({"instances": [{"x": 1e39, "kind": "a"}]}, 400, "'x' must hold finite"),
        ({"instances": [{}] * 51}, 413, "at most 50 rows"),
    ],
)
def test_what_is_wrong_with_rows_is_told(toy, body, code, error):
    body = body if isinstance(body, str) else json.dumps(body)
    answer = toy[0].predict(body.encode(), PATH)
    assert answer.status == code and error in answer.content["error"]


def test_other_files_and_addresses_are_refused(toy, upload_form):
    client, _ = toy
    shifted = b"kind,x\na,1,5\n", b"kind,x\na,1\nb,2,5\n"
    for sent in (b"x\n1\n", b"\xff\n", *shifted):
        answer = client.ask("POST", "/predict", *upload_form(sent, field="file"))
        assert answer.status == 400
    many = pd.concat([FRAME] * 2).to_csv(index=False).encode()
    answer = client.ask("POST", "/predict", *upload_form(many, field="file"))
    assert answer.status == 413
    assert client.predict({}, "/v1/models/other:predict").status == 404
    assert client.ask("POST", "/predict", b"{}").status == 400


def test_a_carriage_return_in_a_text_is_no_end_of_a_row(toy, upload_form):
    form = upload_form(b'kind,x,note\na,1,"one\rtwo"\nb,2,\n', field="file")
    sent = toy[0].ask("POST", "/predict", *form).content
    found = pd.read_csv(io.BytesIO(sent), keep_default_na=False)
    assert found["note"].tolist() == ["one\rtwo", ""]
    assert found["x"].tolist() == [1, 2]


def test_the_page_and_the_counts_are_there(toy):
    client, _ = toy
    assert b"Choose a CSV file" in client.get("/").content
    assert client.get("/model").content["columns"] == ["kind", "x"]
    assert client.get("/healthz").content == {"status": "ok"}
    assert b"serving_requests" in client.get("/metrics").content
    assert client.get("/v1/models/toy").content["model_version_status"]


def test_a_limit_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="`max_rows` must be"):
        create_table_app(predictor_of("y"), "toy", max_rows=0)
