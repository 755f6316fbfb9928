import gzip

import pytest

from kerasdl.text import reading

ROWS = "label,review\n1,很好\n0,太差\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_and_gzip_are_passed_over(tmp_path, mark, pack):
    name = "a.csv.gz" if pack is gzip.compress else "a.csv"
    (tmp_path / name).write_bytes(pack(mark + ROWS.encode()))
    table = reading.read_table("file", tmp_path / name)
    assert table.to_dict("list") == {"label": ["1", "0"], "review": ["很好", "太差"]}


@pytest.mark.parametrize(
    ("encoding", "match"),
    [
        ("gb18030", "utf-8.*a.csv.*GB18030: pass encoding='gb18030'"),
        ("utf-16", "utf-8.*as UTF-16 does: pass encoding='utf-16'"),
    ],
)
def test_another_encoding_is_named_and_can_be_told(tmp_path, encoding, match):
    path = tmp_path / "a.csv"
    path.write_bytes(ROWS.encode(encoding))
    with pytest.raises(ValueError, match=match):
        reading.read_table("file", path)
    assert reading.read_table("file", path, encoding)["review"].tolist() == [
        "很好",
        "太差",
    ]


@pytest.mark.parametrize(
    ("content", "encoding", "match"),
    [
        (ROWS.encode(), "klingon", "`encoding` must be one that Python knows"),
        (b"label,review\n1,a\0b\n", "utf-8", "without NUL"),
        (b"label,review\n1,a,b,c\n", "utf-8", "as many fields in each row.*lines 2"),
        (b"label,review\n1,a\n2\n", "utf-8", "2 columns.* in lines 3"),
        (
            b'\nid,label,review\n1,2,"a\r\nb"\n\n3,b\n4,4,c\n5\n',
            "utf-8",
            "3 columns.* in lines 6, 8",
        ),
        (b'label,review\n1,"a\n', "utf-8", "line 2: unexpected end of data"),
        (b"label,review\n1,\xff\xfe\xfa\n", "ascii", "must be text in ascii"),
        (b'label,review\n1,"a" b\n', "utf-8", "line 2: ',' expected after"),
        (b"text,text\n1,a\n", "utf-8", "columns of the same name"),
        (b"label;review\n1;a\n", "utf-8", "'label;review' has semicolons, where"),
        (b"label\treview\n1\ta,b\n", "utf-8", "has tabs, where commas must be; a file"),
        (ROWS.encode(), "undefined", "`encoding` must be one that Python knows"),
        (b"", "utf-8", "must be a CSV or TSV file.*empty"),
    ],
)
def test_what_is_no_such_file_is_refused(content, encoding, match):
    with pytest.raises(ValueError, match=match):
        reading.read_table("file", content, encoding)


def test_a_missing_and_a_wrongly_packed_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"existing file.*no\.csv"):
        reading.read_table("file", tmp_path / "no.csv")
    (tmp_path / "a.csv.gz").write_bytes(b"label")
    with pytest.raises(ValueError, match="packed by gzip"):
        reading.read_table("file", tmp_path / "a.csv.gz")


def test_values_stay_the_text_that_stands_there(tmp_path):
    (tmp_path / "a.tsv").write_text("label\ttext\n01\tNA\n1.0\ta,b\n", "utf-8")
    table = reading.read_table("file", tmp_path / "a.tsv")
    assert table.to_numpy().tolist() == [["01", "NA"], ["1.0", "a,b"]]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (
            'id\ttext\n1\t"Well\n2\tof 5" or so\n',
            [["1", '"Well'], ["2", 'of 5" or so']],
        ),
        ('id\ttext\n1\t"a ""b"""\n\n2\t" "\r\n', [["1", 'a "b"'], ["2", " "]]),
        ('id\t"text"\n1\t"a\tb\nc"\n2\t\n', [["1", "a\tb\nc"], ["2", ""]]),
    ],
)
def test_a_quote_is_a_letter_in_tabs_but_around_a_field(tmp_path, content, rows):
    (tmp_path / "a.tsv").write_bytes(content.encode())
    table = reading.read_table("file", tmp_path / "a.tsv")
    assert list(table) == ["id", "text"] and table.to_numpy().tolist() == rows


def test_a_name_in_quotes_may_hold_what_separates_others(tmp_path):
    table = reading.read_table("file", b'"label;\treview"\n1;a\n')
    assert table.to_dict("list") == {"label;\treview": ["1;a"]}
    (tmp_path / "a.tsv").write_text("label,review\n1,a\n")
    with pytest.raises(ValueError, match=r"a\.tsv' \(its header .* has commas, where"):
        reading.read_table("file", tmp_path / "a.tsv")


def test_a_short_line_of_tabs_is_named(tmp_path):
    (tmp_path / "a.tsv").write_text('id\ttext\n1\t"a\n2\n')
    with pytest.raises(ValueError, match=r"a\.tsv' \(2 columns.* in lines 3"):
        reading.read_table("file", tmp_path / "a.tsv")


def test_each_line_of_a_text_file_is_a_row_and_each_of_one_column():
    table = reading.read_lines("file", b"a\r\n\r\nb\n")
    assert table["text"].tolist() == ["a", "", "b"]
    one = reading.read_table("file", b"review\na\n\nb\n")
    assert one["review"].tolist() == ["a", "", "b"]


def test_folders_of_texts(tmp_path):
    with pytest.raises(ValueError, match=r"two folders of .txt files.*0 folders"):
        reading.read_folders(tmp_path)
    for name, text in (("pos/1", "很好"), ("neg/1", "差"), ("neg/2", "坏")):
        (tmp_path / name).with_suffix(".txt").parent.mkdir(exist_ok=True)
        (tmp_path / name).with_suffix(".txt").write_text(text, "utf-8")
    table, names = reading.read_folders(tmp_path)
    assert names == ["neg", "pos"]
    assert table["text"].tolist() == ["差", "坏", "很好"]
