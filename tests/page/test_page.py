"""Pages of any domain: nothing here is a class, and a picture is what anyone draws."""

import base64
import hashlib
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl import page


def elements(html):
    """The elements of a fragment, which must be well formed."""
    closed = re.sub("(<img[^>]*|<wbr)>", r"\1/>", html)
    return ET.fromstring(f"<body>{closed}</body>")


def test_a_page_of_houses_is_whole(tmp_path):
    houses = pd.DataFrame({"price_asked": [21.5, None], "town": ["A & B", "<b>"]})
    sections = [
        ("Prices", page.numbers({"Error": ("3.42", "thousand dollars")})),
        ("Houses & towns", page.table(houses, "As asked", {"price_asked": ".1f"})),
    ]
    save = tmp_path / "houses.html"
    page.save_page(save, "Houses <1>", page.note("506 rows"), sections)
    text = save.read_text(encoding="utf-8")
    assert "<title>Houses &lt;1&gt;</title>" in text
    assert re.findall('<a href="#([^"]+)">([^<]+)</a>', text) == [
        ("section-1", "Prices"),
        ("section-2", "Houses &amp; towns"),
    ]
    assert set(re.findall('id="(section-[0-9])"', text)) == {"section-1", "section-2"}
    assert re.findall('<th scope="col"[^>]*>([^<]+)</th>', text) == [
        "price asked",
        "town",
    ]
    assert re.findall("<td[^>]*>([^<]+)</td>", text)[-4:] == [
        "21.5",
        "A &amp; B",
        "–",
        "&lt;b&gt;",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["houses.html"]


@pytest.mark.parametrize(
    ("shape", "size"), [((448, 100, 3), (224, 50)), ((30, 40, 3), (30, 40))]
)
def test_a_picture_is_made_small_and_never_large(shape, size):
    html = page.picture(np.full(shape, 90.0), "a/b.png", [("wrong", "<1")], "a mask")
    image = elements(html).find(".//img")
    content = base64.b64decode(image.get("src").split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    assert pixels.shape == (*size, 3)
    assert np.abs(pixels.astype(int) - 90).max() <= 2  # JPEG
    assert (int(image.get("height")), int(image.get("width"))) == size
    assert image.get("alt") == "a mask"
    name, line = elements(html).findall(".//span")
    assert "".join(name.itertext()) == "a/b.png"
    assert (line.get("class"), line.text) == ("wrong", "<1")


def test_labels_are_held_together_where_a_line_has_room():
    lines = [("", "true: toy\N{NO-BREAK SPACE}dog\N{NO-BREAK SPACE}0.10")]
    lines.append(("", "flat-coated\N{NO-BREAK SPACE}golden\N{NO-BREAK SPACE}retriever"))
    html = page.picture(np.zeros((8, 8, 3)), "a", lines, "a dog")
    _, short, long = [span.text for span in elements(html).findall(".//span")]
    assert short == lines[0][1]
    assert long == "flat-coated golden retriever"


def test_a_long_table_has_a_box_that_finds_rows(tmp_path):
    frame = pd.DataFrame({"f1": np.arange(21.0)}, [f"kind <{n}>" for n in range(21)])
    table = page.table(frame, "Each kind", search="<kind>")
    assert "Find a &lt;kind&gt;" in table and "Show all 21<" in table
    short = page.table(frame[1:], "Each kind", search="kind")
    assert short == page.table(frame[1:], "Each kind")
    page.save_page(tmp_path / "a.html", "Kinds", "", [("Kinds", table)])
    text = (tmp_path / "a.html").read_text()
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    page.save_page(tmp_path / "b.html", "Kinds", "", [("Kinds", "<p>3</p>")])
    assert "script" not in (tmp_path / "b.html").read_text()


def test_galleries_and_pairs_hold_what_they_are_given():
    left, right = page.gallery(["<p>1</p>", "<p>2</p>"]), page.heading("R & D")
    found = elements(page.pair(left, right))
    assert [part.text for part in found.iter("p")] == ["1", "2"]
    assert [part.text for part in found.iter("h3")] == ["R & D"]
    assert len(elements(page.row(["<p/>"] * 3)).findall("./div/p")) == 3


def test_a_chart_is_as_large_as_it_was_drawn():
    def save(colour, path):
        Image.new("RGB", (900, 120), colour).save(path, "PNG")

    found = elements(page.chart(save, "red", alt="red", caption="A <line>"))
    image = found.find(".//img")
    assert (image.get("width"), image.get("height")) == ("720", "96")
    assert found.find("figure").get("class") == "chart wide"
    assert found.find(".//figcaption").text == "A <line>"


def test_curves_stand_above_the_epochs_and_tables_beside_the_settings():
    history = pd.DataFrame({"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]})
    found = elements(page.training(history))
    assert found.find(".//img").get("alt") == (
        "Curves of 2 epochs; at the end loss 1.0000, val_loss 1.5000"
    )
    assert len(found.findall(".//tbody/tr")) == 2
    diverged = pd.DataFrame({"loss": [2.0, np.inf], "val_loss": [2.0, 1e20]})
    cells = [cell.text for cell in elements(page.training(diverged)).iter("td")]
    assert cells[-2:] == ["inf", "1.000e+20"]
    assert elements(page.training(history[[]].assign(d=1))).find(".//img") is None
    measured = history[[]].assign(miou=0.5, val_miou=0.25)
    alt = elements(page.training(measured)).find(".//img").get("alt")
    assert alt.endswith("miou 0.5000, val_miou 0.2500")
    values = {"a": {"b": [1, 2]}, "rows": [{"x": 1, "y": 2.5, "lr": 0.00125}]}
    values |= {"lr": 0.00125, "rates": [0.03125, 1.0123456789e-05], "gap": float("nan")}
    values["many"] = {f"class {n}": n / 70 for n in range(61)}
    found = elements(page.settings(values))
    cells = ["".join(cell.itertext()) for cell in found.iter("td")]
    assert cells[:4] == ["2.5000", "0.001250", "1, 2", "0.00125"]
    assert cells[4:6] == ["0.03125, 1.0123456789e-05", "–"]
    assert cells[6].endswith(f"class 0 0.0, class 1 {1 / 70}, class 2 {2 / 70}")


def test_lines_of_code_stand_beside_what_they_gave():
    found = elements(page.listing("a < b\n  c", "1 & 2"))
    code, result = found.findall(".//pre")
    assert (code.find("code").text, result.text) == ("a < b\n  c", "1 & 2")
    assert len(elements(page.listing("a")).findall(".//pre")) == 1
