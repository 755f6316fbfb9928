"""Odd and wrong rows, at every door by which they come to a finished run."""

import importlib.util
import io
import json
from contextlib import redirect_stderr
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from kerasdl import tabular
from kerasdl.runs import run_folder
from kerasdl.serving import create_table_app

RECIPES = Path(__file__).parents[2] / "recipes"
PATH = "/v1/models/rooms:predict"
RAW = ["kind", "room", "size", "lit", "day"]


@pytest.fixture(scope="module")
def rooms():
    """Rows whose columns are of every kind; "NA" is a category of one."""
    rng = np.random.default_rng(0)
    count = 80
    return pd.DataFrame(
        {
            "kind": rng.choice(["NA", "b", "c"], count),
            "room": rng.integers(1, 5, count),
            "size": rng.normal(20, 3, count),
            "lit": rng.random(count) < 0.5,
            "day": pd.date_range("2014-01-01", periods=count).strftime("%Y-%m-%d"),
            "price": rng.normal(size=count),
        }
    )


@pytest.fixture(scope="module")
def run(rooms, tmp_path_factory):
    """A finished run, which is not trained."""
    data = tabular.TableData.from_frame(
        rooms, "price", dates=["day"], batch_size=64, seed=0
    )
    model = tabular.entity_embeddings(data, (4,), seed=0)
    folder = tmp_path_factory.mktemp("rooms") / "run"
    with run_folder(folder, {}, seed=1) as run:
        tabular.write_run_files(run, model, data, pd.DataFrame(), "Rooms")
    return folder


@pytest.fixture(scope="module")
def client(run, run_app):
    with run_app(create_table_app(tabular.Predictor.load(run), "rooms")) as client:
        yield client


@pytest.fixture(scope="module")
def doors(run, client, upload_form, tmp_path_factory):
    """Functions from a table to its answers: Python, a file, predict.py, a server.

    Each raises ValueError with what it says about a table that it refuses.
    """
    predictor = tabular.Predictor.load(run)
    folder = tmp_path_factory.mktemp("doors")
    spec = importlib.util.spec_from_file_location("predict", RECIPES / "predict.py")
    recipe = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RECIPES)
        spec.loader.exec_module(recipe)

    def by_file(table):
        table.to_csv(folder / "rows.csv", index=False)
        return predictor.predict(folder / "rows.csv")["prediction"]

    def by_recipe(table):
        table.to_csv(folder / "rows.csv", index=False)
        said, out = io.StringIO(), folder / "answers.csv"
        with redirect_stderr(said):
            code = recipe.main([str(run), str(folder / "rows.csv"), "--csv", str(out)])
        if code:
            assert code == 2
            raise ValueError(said.getvalue())
        return pd.read_csv(out)["prediction"]

    def content_of(answer):
        if answer.status != 200:
            assert answer.status == 400
            raise ValueError(answer.content["error"])
        return answer.content

    def by_json(table):
        plain = table.astype(object).where(table.notna(), None)
        body = {"instances": plain.to_dict("records")}
        return content_of(client.predict(body, PATH))["predictions"]

    def by_upload(table):
        form = upload_form(table.to_csv(index=False).encode(), field="file")
        sent = content_of(client.ask("POST", "/predict", *form))
        return pd.read_csv(io.BytesIO(sent))["prediction"]

    return {
        "python": lambda table: predictor.predict(table)["prediction"],
        "file": by_file,
        "recipe": by_recipe,
        "json": by_json,
        "upload": by_upload,
    }


def test_every_door_gives_the_same_answers_to_odd_rows(doors, rooms):
    odd = rooms[RAW].head(6).astype(object)
    odd.loc[0, "kind"] = "never seen"
    odd.loc[1, "kind"] = None
    odd.loc[2, "room"] = 99
    odd.loc[3, ["room", "size", "lit"]] = None
    odd.loc[4, "day"] = None
    odd.loc[5, "kind"] = "NA"
    expected = doors["python"](odd)
    assert len(set(expected)) == 6
    for name, door in doors.items():
        np.testing.assert_allclose(door(odd), expected, 1e-5, err_msg=name)
        # A column without any value is one of numbers.
        np.testing.assert_allclose(door(odd.iloc[[4]]), expected[[4]], 1e-5)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"size": "far"}, "Column 'size' must hold numbers.*'far' in row 2"),
        ({"size": 1e39}, r"Column 'size' must hold finite numbers.*1e\+39 in row 2"),
        ({"size": 2**64 + 1}, "must hold finite numbers.*e.19 in row 2, one of 1"),
        ({"size": 10**400}, "must hold finite numbers.*inf in row 2, one of 1 such"),
        ({"room": -(10**30)}, "must hold finite numbers up to.*-1e.30 in row 2"),
        ({"room": 2.5}, "Column 'room' must hold whole numbers.*2.5 in row 2"),
        ({"lit": "yes"}, "Column 'lit' must hold numbers.*'yes' in row 2"),
        ({"day": "03.02.2014"}, "'day' must hold dates.*'03.02.2014' in row 2, one"),
    ],
)
def test_every_door_names_a_wrong_value_and_its_row(doors, rooms, change, match):
    ((column, value),) = change.items()
    wrong = rooms[RAW].head(4).astype({column: object})
    wrong.loc[2, column] = value
    for door in doors.values():
        with pytest.raises(ValueError, match=match):
            door(wrong)


def test_every_door_names_a_missing_column(doors, rooms):
    for door in doors.values():
        with pytest.raises(ValueError, match="must (be columns|have) .*size"):
            door(rooms[["kind", "room", "lit", "day"]])


def test_all_other_columns_of_a_file_come_back_as_they_were(
    run, client, upload_form, tmp_path
):
    text = (
        ",kind,room,size,lit,day,note,\n"
        "007,NA,1,1.10,True,2014-01-05,NA,\n"
        '12345678901234567890,b,02,-0.0,,2014-01-06,"a, ""b""",2\n'
        ",,1,1e1,False,,1.10,\n"
    )
    (tmp_path / "rows.csv").write_text(text)
    predictor = tabular.Predictor.load(run)
    by_file = predictor.predict(tmp_path / "rows.csv").to_csv(index=False)
    form = upload_form(text.encode(), field="file")
    assert client.ask("POST", "/predict", *form).content.decode() == by_file
    for line, given in zip(by_file.splitlines(), text.splitlines(), strict=True):
        assert line.rsplit(",", 1)[0] == given


@pytest.mark.parametrize(
    ("column", "value", "far"),
    [
        ("size", 1e7, "size=10000000.0"),
        ("day", "9999-01-01", "dayElapsed=253370764800"),
    ],
)
def test_an_answer_that_is_no_number_is_named_at_every_door(
    client, doors, rooms, monkeypatch, column, value, far
):
    def answer(self, inputs):
        is_far = np.asarray(inputs["size"]) > 1e6
        return np.where(is_far | (np.asarray(inputs["dayElapsed"]) > 1e11), np.inf, 1.0)

    monkeypatch.setattr(keras.Model, "predict_on_batch", answer)
    rows = rooms[RAW].head(4)
    rows.loc[2, column] = value
    match = f"must answer with numbers.*row 2, one of 1 such.*{far}"
    for name in ("python", "file", "recipe"):
        with pytest.raises(FloatingPointError, match=match):
            doors[name](rows)
    found = client.predict({"instances": rows.to_dict("records")}, PATH)
    assert found.status == 500 and far in found.content["error"]


def test_a_saved_run_answers_raw_columns_where_kerasdl_is_not(
    run, rooms, elsewhere, tmp_path
):
    data = tabular.TableData.from_frame(
        rooms, "price", dates=["day"], batch_size=64, seed=0
    )
    rows = data.rows("valid")
    rows.to_csv(tmp_path / "valid.csv", index=False)
    printed = elsewhere("raw_answers.py", run / "model.keras", tmp_path)
    expected = tabular.Predictor.load(run).predict(rows)["prediction"]
    np.testing.assert_allclose(json.loads(printed), expected, rtol=1e-5, atol=1e-6)
