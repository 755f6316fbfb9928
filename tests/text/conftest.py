import csv
import gzip

import pandas as pd
import pytest

LONG = "饕餮" * 50_000  # and no word that is known
# By name: what stands in a file of texts, its encoding, and the texts in their order.
FILES = {
    "a.txt": ("\ufeff很好\r\n\r\n 太差 \r\n", "utf-8", ["很好", "", " 太差 "]),
    "long.txt": (f"{LONG}\n\u2028a\rb\n\n", "utf-8", [LONG, "\u2028a\rb", ""]),
    "lines.csv": (
        'id,said,stars\r\n7,"他说""好"",\r\n真的",5\r\n8,,\r\n9,NA,4\r\n',
        "utf-8-sig",
        ['他说"好",\r\n真的', "", "NA"],
    ),
    "label.csv.gz": ("label,said\n1,很好\n0,\n", "utf-8", ["很好", ""]),
    "one.csv": ('said\n""\n12\n\n3.5\n', "utf-8", ["", "12", "", "3.5"]),
    "tabs.tsv": ('said\tid\n"很好\t1\n"a ""b"""\t2\n', "utf-8", ['"很好', 'a "b"']),
    "chinese.csv": ("said,id\n很好,1\n太差,2\n", "gb18030", ["很好", "太差"]),
    "wide.txt": ("很好\n太差", "utf-16", ["很好", "太差"]),
}


@pytest.fixture(params=FILES)
def file_of_texts(request, tmp_path):
    """A file, its encoding, its texts, and the name that their column has."""
    content, encoding, texts = FILES[request.param]
    pack = gzip.compress if request.param.endswith(".gz") else bytes
    path = tmp_path / request.param
    path.write_bytes(pack(content.encode(encoding)))
    column = "text" if path.suffix == ".txt" else "said"
    return path, encoding.removesuffix("-sig"), texts, column


@pytest.fixture
def written(tmp_path):
    """Rows of a table as they are read back by Python's own reader."""
    from kerasdl.tables import write_csv

    def written(table):
        write_csv(tmp_path / "answers.csv", table)
        with (tmp_path / "answers.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        return header, [list(column) for column in zip(*rows, strict=True)]

    csv.field_size_limit(10**6)
    return written


@pytest.fixture(scope="session")
def reviews():
    """Drawn reviews, and what real ones have besides: a repeat, a quarrel, a blank."""
    from kerasdl.text import write_reviews

    frame = write_reviews(120, seed=0)
    extra = pd.DataFrame(
        {
            "label": ["1", "0", "1", "0"],
            "review": [frame["review"][1] + " ", "说不清", "说不清", "  "],
        }
    )
    return pd.concat([frame, extra], ignore_index=True)


@pytest.fixture(scope="session")
def data(reviews):
    from kerasdl.text import TextData

    return TextData.from_frame(reviews, valid=0.25, batch_size=16, seed=0)
