"""CSV files that cannot be read as they are: errors name the file, at every door."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasdl
from kerasdl.data import ImageData
from kerasdl.tables import as_texts, column_texts, read_csv, read_header, write_csv
from kerasdl.tabular.columns import Columns, Number
from kerasdl.tabular.predictor import read_rows
from kerasdl.workbench import check_sample

BODY = "id,label\n000,café\n001,cat\n"
FILES = {
    "utf-16": BODY.encode("utf-16"),
    "latin-1": BODY.encode("latin-1"),
    "a longer row": BODY.encode() + b"a,b,c\n",
    "longer rows": b"id,label\na,b,c\n",
    "a shorter row": BODY.encode() + b"\n002\n003,dog\n",
    "a short last row": b"id,label\na,b\nc",
    "semicolons": BODY.replace(",", ";").encode(),
    "tabs": BODY.replace(",", "\t").encode(),
    "an open quote": b'id,label\n"a,b\nc,d\n',
    "nothing": b"",
    "blank lines": b"\n\n",
    "a NUL": b"id,label\na\0b,c\n",
    "a spreadsheet": b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x9e\xff\x00",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_the_file_is_named_at_every_door(tmp_path, content):
    path = tmp_path / "some-labels.csv"
    path.write_bytes(content)
    photos = np.zeros((4, 8, 8, 3), np.uint8)
    data = ImageData.from_arrays(photos, [0, 1, 0, 1], 0.5, photos, seed=0)
    for door in (
        lambda: read_csv("table", path, dtype=str),
        lambda: ImageData.from_table(path, tmp_path, image_size=8, seed=0),
        lambda: check_sample(path, data),
    ):
        with pytest.raises(ValueError, match=r"some-labels\.csv.*Save it as a CSV"):
            door()


def test_files_that_are_not_there_or_not_what_their_suffix_says(tmp_path):
    for suffix in ("gz", "zip", "xz"):
        (tmp_path / f"labels.csv.{suffix}").write_bytes(b"id,label\n1,2\n")
    for name, message in (
        ("labels.csv.zip", r"labels\.csv\.zip.*not a zip file"),
        ("labels.csv.xz", r"labels\.csv\.xz.*format not supported"),
        ("labels.csv.gz", r"labels\.csv\.gz.*gzip"),
        ("none.csv", "`table` must be an existing CSV file"),
        ("", "`table` must be an existing CSV file"),
        ("a\0b", "`table` must be an existing CSV file"),
    ):
        with pytest.raises(ValueError, match=message):
            read_csv("table", tmp_path / name)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("a,b,c\n1,,\n1,2\n\n,,\n3\n", r"\(3 columns, and fewer .* in lines 3, 6\)"),
        ('a,b\n"1\n2",\n3\n', r"\(2 columns, and fewer fields in lines 4\)"),
        (f"a,b\n{'z' * 200_000},\n1\n", "fewer fields in lines 3"),
        ("a,b\n1,2,3\n", r"bytes \(more fields in rows than in the header\)\. Save it"),
        ("a,b\n1,2\n1,2,3\n", r"\(Expected 2 fields in line 3, saw 3\)\. Save it"),
        ("a;b\n1;2\n", "header 'a;b' has semicolons, where commas must be"),
        ("a\tb\n", r"header 'a\\tb' has tabs, where commas must be"),
    ],
)
def test_rows_that_are_short_and_other_separators_are_named(body, match):
    with pytest.raises(ValueError, match=match):
        read_csv("table", body.encode())


def test_rows_of_as_many_fields_are_read_with_their_holes():
    table = read_csv("table", b'a,b\n\n1,\n"2\n,",\n  \n,\n')
    assert table["a"].tolist()[:2] == ["1", "2\n,"] and len(table) == 3
    assert len(read_csv("table", b"a,b\n1,\n2\n", nrows=1)) == 1
    assert read_csv("table", b"a;b\n1;2\n", sep=";").to_numpy().tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="'a' more than once"):
        read_csv("table", b"a;a\n1;2\n", sep=";")


@pytest.mark.parametrize("first", ["", "\ufeff", "\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_of_one_column_is_a_row(first, end):
    body = f"{first}x\n1\n\n3\n".replace("\n", end).encode()
    found = read_csv("table", body)["x"]
    np.testing.assert_array_equal(found, [1, np.nan, 3])
    columns = Columns((), (Number("x", 2.0, 2.0, 1.0, False),))
    text, rows = read_rows("table", body, columns)
    assert text["x"].tolist() == ["1", "", "3"] and len(rows) == 3
    assert read_csv("table", b'"a;b"\n1\n')["a;b"].tolist() == [1]


@pytest.mark.parametrize("first", ["", "\ufeff", "\n"])
def test_a_header_is_as_it_stands_there_and_has_each_column_once(first):
    body = f"{first},kind,NA,\n1,2,3,4\n".encode()
    assert read_header("table", body) == ["", "kind", "NA", ""]
    with pytest.raises(ValueError, match="`table` must have each .*'x' more than once"):
        read_csv("table", f"{first}x,x,x.1\n1,2,3\n".encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_in_utf_8_is_read(tmp_path, encoding, end):
    path = tmp_path / "labels.csv"
    path.write_bytes(BODY.replace("\n", end).encode(encoding))
    table = kerasdl.tables.read_csv("table", path, dtype=str)
    assert table.to_dict("list") == {"id": ["000", "001"], "label": ["café", "cat"]}


def test_a_table_read_by_pandas_is_taken(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "".join(["id,label\n", *(f"{n},caf{'éè'[n % 2]}\n" for n in range(8))]),
        "utf-16",
    )
    for number in range(8):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.jpg")
    table = pd.read_csv(path, encoding="utf-16")
    data = ImageData.from_table(table, tmp_path, image_size=8, seed=0)
    assert data.class_names == ["cafè", "café"]


def test_what_is_written_has_as_many_rows(tmp_path):
    table = pd.DataFrame({"text": ["a\rb", 'c"d', "e\nf"], "n": [1, 2, 3]})
    write_csv(tmp_path / "t.csv", table)
    found = pd.read_csv(tmp_path / "t.csv")
    assert found["n"].tolist() == [1, 2, 3] and found["text"][0] == "a\rb"


def test_texts_of_a_table_have_the_digits_that_count():
    table = pd.DataFrame(
        {
            "network": ["lenet5", "teacher"],
            "accuracy": [0.923, None],
            "parameters": [62610, None],  # whole numbers as floats, as of the gap
            "seed": [1, 2],
            "perfect": [1.0, 1.0],
        },
        index=["a", "b"],
    )
    shown = as_texts(table)
    assert shown.loc["a"].tolist() == ["lenet5", "0.9230", "62,610", "1", "1.0000"]
    assert shown.loc["b"].tolist() == ["teacher", "–", "–", "2", "1.0000"]
    assert as_texts(table[:0]).shape == (0, 5)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1e20], ["1.000e+20"]),
        ([1e20, 2.0, None], ["1.000e+20", "2.0000", "–"]),
        ([float("inf"), 1.0], ["inf", "1.0000"]),
        ([2.0**53 - 1, None], ["9,007,199,254,740,991", "–"]),
    ],
)
def test_numbers_of_a_run_that_diverged_are_texts_too(values, texts):
    assert column_texts(pd.Series(values)) == texts
