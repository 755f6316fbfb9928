"""Another domain exports: it hands over writers, a judge and its own report."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from kerasdl.artefacts import (
    Entries,
    ExportError,
    answers,
    export_files,
    files_table,
    latency,
    save_inference_model,
    save_rows,
    write_saved_model,
    write_tflite,
)


@dataclass
class Prices:
    """What a table of prices makes of its rows."""

    rows: dict
    own: float
    most: float

    @property
    def failures(self):
        return [
            f"{name} is {row['error']:.2f} dollars off"
            for name, row in self.rows.items()
            if row["error"] > self.most
        ]

    def save(self, folder):
        save_rows(self.rows, folder, "error", "house")


@pytest.fixture
def export(houses, streets, tmp_path, monkeypatch, asked_elsewhere):
    """Export all houses, ten at a time; the truth is 2 dollars above the answers."""
    model, signature, by_hand = houses
    monkeypatch.setattr(latency, "THREADS", (1,))

    def judge(expected, found, truth):
        error = np.abs(found["price"] - np.array(truth)).mean()
        return {"houses": len(truth), "error": float(error)}

    def batches():
        for start in (0, 10, 20):  # the last is empty
            part = {name: rows[start : start + 10] for name, rows in streets.items()}
            yield part, by_hand(part)["price"] + 2

    def run(most=3.0, **arguments):
        writers = {
            "keras": lambda path: save_inference_model(model, path),
            "saved_model": lambda path: write_saved_model(model, path, signature),
            "tflite_int8": lambda path: write_tflite(
                model, path, signature, "int8", streets
            ),
        }
        arguments = {
            "writers": writers,
            "samples": {name: rows[:3] for name, rows in streets.items()},
            "conclude": lambda rows, own: Prices(rows, own["error"], most),
            "texts": {"kinds.txt": "a\nb\nc\n"},
        } | arguments
        return export_files(
            model,
            signature,
            tmp_path / "files",
            batches=batches(),
            judge=judge,
            **arguments,
        )

    return run


def test_a_judge_of_prices(export, tmp_path):
    asked = {"sizes": np.ones((1, 2), "float32"), "kind": np.zeros(1, "int32")}
    told = {}

    def judge_entries(found):
        told.update(found)
        return {"asked": len(found)}

    entries = Entries({"one house": ("serve", asked)}, judge_entries)
    report = export(entries=entries)
    rows = json.loads((tmp_path / "files" / "export_report.json").read_text())
    assert rows == report.rows
    assert list(rows) == ["keras", "saved_model", "tflite_int8"]
    for row in rows.values():
        assert row["houses"] == 20
        assert row["error"] == pytest.approx(2, abs=0.1)
    assert report.own == rows["keras"]["error"]
    assert rows["saved_model"]["asked"] == 1
    assert told["one house"]["price"].shape == (1, 1)
    assert rows["keras"]["operators"]["Dense"] == 2
    assert (tmp_path / "files" / "kinds.txt").read_text() == "a\nb\nc\n"
    doubled = {
        name: row | {"latency": row["latency"] | {"2 threads": {"1": {"p50_ms": 7}}}}
        for name, row in rows.items()
    }
    table = files_table(doubled, {"dollars": "error"})
    assert list(table)[:3] == ["format", "MB", "dollars"]
    assert table["dollars"].tolist() == [row["error"] for row in rows.values()]
    assert table["2 threads"].tolist() == [7, 7, 7]


def test_what_a_domain_refuses_is_not_published(export, tmp_path, houses, streets):
    import pandas as pd

    made = []

    def errors():
        made.append(1)
        return pd.DataFrame({"operator": ["ADD"], "tensor": ["x;y"], "steps": [0.9]})

    model, signature, _ = houses

    def write(path):
        write_tflite(model, path, signature, "int8", streets)

    with pytest.raises(ExportError, match="(?s)2.* dollars off.*ADD +y +0.90") as e:
        export(most=0.5, writers={"tflite_int8": write}, errors=errors)
    assert len(made) == 1
    assert not (tmp_path / "files").exists()
    assert {path.name for path in (tmp_path / "files.partial").iterdir()} == {
        "model_int8.tflite",
        "kinds.txt",
        "export_report.json",
        "export_report.png",
        "quantization_errors.csv",
    }
    assert e.value.report.failures


def test_answers_stand_in_the_order_of_the_samples():
    batches = [({"x": np.array([1, 2])}, "ab"), ({"x": np.array([])}, "")]
    batches.append(({"x": np.array([3])}, ["c"]))
    ways = {
        "half": lambda inputs: {"y": inputs["x"] / 2},
        "words": lambda inputs: {"y": np.array(["w"] * len(inputs["x"]))},
    }
    found, truth = answers(ways, iter(batches))
    assert found["half"]["y"].tolist() == [0.5, 1, 1.5]
    assert found["words"]["y"].tolist() == ["w", "w", "w"]
    assert truth == ["a", "b", "c"]

    def kept(outputs, truths):
        return {
            "all": np.array([f"{truths[i]}{n}" for i, n in enumerate(outputs["y"])])
        }

    found, _ = answers(ways, iter(batches), kept)
    assert found["half"]["all"].tolist() == ["a0.5", "b1.0", "c1.5"]
    with pytest.raises(ValueError, match="half answers with no number"):
        answers(ways, [({"x": np.array([np.nan])}, "a")])
