"""The page that answers photos in a browser, with the files of an export."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import kerasdl

PAGES = Path(__file__).parents[2] / "docs" / "pages"
PAGE = PAGES / "browser"
GUIDE = (PAGES / "browser.md").read_text(encoding="utf-8")
PACKAGES = json.loads((PAGE / "package.json").read_text())["dependencies"]
ROWS = """[...document.querySelectorAll("tbody tr")].map(
    row => [...row.cells].map(cell => cell.textContent))"""
# All else that stops npm, such as a version that is not there, is the package's fault.
UNREACHABLE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT)\b")
# Keeps what the page reads of its canvas, which a browser short of memory may empty.
KEEP = """{
    const read = CanvasRenderingContext2D.prototype.getImageData;
    CanvasRenderingContext2D.prototype.getImageData = function (...box) {
        return window.seen = read.apply(this, box);
    };
}"""


class Files(SimpleHTTPRequestHandler):
    """What `python -m http.server` gives, in silence."""

    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    """Of a server of the files in `tmp_path`."""
    handler = partial(Files, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_both_files_answer_in_a_browser_as_keras_does(
    browser, address, colours, write_colours, tmp_path
):
    if shutil.which("npm") is None:
        pytest.skip("needs npm")
    photos = write_colours(tmp_path / "photos")
    run = colours.write_run(tmp_path / "run", photos)
    check = colours.read_photos(photos)
    kerasdl.export.export_run(run, ("tflite", "onnx"), check=check, seed=0)
    (steps,) = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    steps = steps.replace("RUN/", f"{run}/").replace("my_page", str(tmp_path / "page"))
    assert "http.server" in steps.splitlines()[-1]
    steps = "\n".join(["set -e", *steps.splitlines()[:-1]])
    root = PAGES.parents[1]
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        steps,
        shell=True,
        cwd=root,
        env={**os.environ, "PATH": paths},
        capture_output=True,
        text=True,
    )
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"npm reaches no registry: {done.stderr}")
    assert done.returncode == 0, done.stderr
    published = {path.name for path in (tmp_path / "page").iterdir()}
    assert "manifest.json" not in published
    manifest = json.loads((run / "manifest.json").read_text())
    given = json.loads((tmp_path / "page/resize.json").read_text())
    assert given == {"resize": manifest["resize"]}

    ramp = np.add.outer(np.arange(32) * 2, np.arange(64) * 3).astype("uint8")
    wide = np.stack([ramp, ramp // 2, 255 - ramp], axis=-1)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    exact = np.random.default_rng(0).integers(0, 256, (16, 16, 3), "uint8")
    Image.fromarray(exact).save(tmp_path / "exact.png")
    predictor = kerasdl.load(run)
    for day, resize in enumerate(("squash", "crop", "pad")):
        rule = tmp_path / "page/resize.json"
        rule.write_text(json.dumps({"resize": resize}))
        # HTTP tells files of one second not apart.
        os.utime(rule, (day * 86400, day * 86400))
        browser.open(f"{address}/page/index.html")
        browser.wait("!document.getElementById('photo').disabled")
        browser.run(KEEP)
        for name, expected in (
            ("exact", exact),
            ("wide", kerasdl.data.warp_image(wide, (16, 16), resize)),
        ):
            browser.choose("#photo", [tmp_path / f"{name}.png"])
            browser.wait(f"state.textContent == '{name}.png'")
            seen = np.reshape(browser.run("[...seen.data]"), (16, 16, 4))[..., :3]
            # A smooth picture is almost the same by any way of making it smaller.
            off = np.abs(seen.astype(int) - expected)
            assert off.max() <= (0 if name == "exact" else 8) and off.mean() <= 2
            answers = predictor.predict(seen[None].astype("float32")).probabilities[0]
            rows = browser.run(ROWS)
            assert [row[0] for row in rows] == predictor.class_names
            for column in (1, 2):
                given = [float(row[column]) for row in rows]
                np.testing.assert_allclose(given, answers, atol=1e-5)
    one = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten()])
    one.add(layers.Dense(1, "sigmoid", kernel_initializer="zeros"))
    one.layers[-1].bias.assign([2.0])
    kerasdl.export.save_onnx(one, tmp_path / "page/model.onnx")
    kerasdl.export.save_tflite(one, tmp_path / "page/model.tflite")
    (tmp_path / "page/labels.txt").write_text("cat\ndog\n")
    browser.open(f"{address}/page/index.html")
    browser.wait("!document.getElementById('photo').disabled")
    browser.choose("#photo", [tmp_path / "exact.png"])
    browser.wait("state.textContent == 'exact.png'")
    assert browser.run(ROWS) == [["cat", *["0.119203"] * 2], ["dog", *["0.880797"] * 2]]

    (tmp_path / "page/model.onnx").unlink()
    browser.open(f"{address}/page/index.html")
    browser.wait("state.textContent.startsWith('model.onnx is missing')")


# In place of both packages: "probabilities" that are the first three values of a photo,
# as soon as `gate` is open.
STANDS_IN = """
export const env = { wasm: {} };
export class Tensor { constructor(...given) { this.pixels = given.find(v => v.map); }
                      delete() {} data() { return this.pixels.slice(0, 3); } }
const answered = async (input) => { await window.gate; return input; };
export const InferenceSession = { create: async () => ({
    inputNames: ["x"], outputNames: ["y"],
    run: async ({ x }) => ({ y: { data: (await answered(x)).data() } }) }) };
export const loadLiteRt = async () => {};
export const loadAndCompile = async () => ({
    getInputDetails: () => [{ shape: [1, 2, 2, 3] }],
    run: async ([input]) => [await answered(input)] });
"""


@pytest.fixture
def page(browser, address, tmp_path):
    """A function that opens the page, with or without its packages."""
    shutil.copytree(PAGE, tmp_path / "page")
    for name in ("model.onnx", "model.tflite"):
        (tmp_path / "page" / name).touch()
    (tmp_path / "page/labels.txt").write_text("red\ngreen\nblue\n")
    (tmp_path / "page/resize.json").write_text('{"resize": "squash"}')
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        Image.new("RGB", (2, 2), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "damaged.png").write_bytes((tmp_path / "red.png").read_bytes()[:40])
    for place in re.findall(
        r'"\./(node_modules/.*?)"', (PAGE / "index.html").read_text()
    ):
        (tmp_path / "page" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "page" / place).write_text(STANDS_IN)
    return f"{address}/page/index.html"


def test_without_its_packages_the_page_says_so(browser, page, tmp_path):
    shutil.rmtree(tmp_path / "page/node_modules")
    browser.open(page)
    browser.wait(
        "state.textContent.endsWith('is missing: run npm install beside this page')"
    )


def test_the_page_never_shows_the_answers_of_another_photo(browser, page, tmp_path):
    def choose(name):
        browser.choose("#photo", [tmp_path / name])

    hidden = "document.getElementById('answers').hidden"
    browser.open(page)
    browser.wait("!document.getElementById('photo').disabled")
    choose("red.png")
    browser.wait(f"state.textContent == 'red.png' && !{hidden}")
    choose("damaged.png")
    browser.wait("/^damaged.png: .+/.test(state.textContent)")
    assert browser.run(hidden)
    choose("blue.png")
    browser.wait(f"state.textContent == 'blue.png' && !{hidden}")
    browser.run(
        """{
            const photo = document.getElementById("photo");
            photo.value = "";  // as of a dialog that is left
            photo.dispatchEvent(new Event("change"));
        }"""
    )
    browser.wait(f"state.textContent == 'Choose a photo.' && {hidden}")

    browser.run(
        """window.gate = new Promise(open => window.open_gate = open);
        window.said = [];
        new MutationObserver(() => said.push(state.textContent)).observe(
            state, { childList: true })"""
    )
    choose("red.png")
    choose("blue.png")
    browser.run("open_gate()")
    browser.wait(f"state.textContent == 'blue.png' && !{hidden}")
    assert "red.png" not in browser.run("said")
    rows = browser.run(ROWS)
    assert [row[1:] for row in rows] == [[f"{v:.6f}"] * 2 for v in (0, 0, 255)]
    assert browser.complaints() == []


@pytest.mark.parametrize(
    ("code", "unreachable"), [("EAI_AGAIN", True), ("ETARGET", False)]
)
def test_a_version_that_is_not_there_is_no_lack_of_a_network(code, unreachable):
    assert bool(UNREACHABLE.search(f"npm error code {code}\nnpm error")) == unreachable


def test_the_page_asks_for_what_it_is_given_and_for_its_packages():
    script = (PAGE / "page.js").read_text()
    document = (PAGE / "index.html").read_text()
    (listed,) = re.findall(r"\[(.*)\]\.map\(fetched\)", script)
    assert all(file in GUIDE for file in json.loads(f"[{listed}]"))
    (mapped,) = re.findall(r'importmap">(.*?)</script>', document, re.DOTALL)
    places = json.loads(mapped)["imports"]
    (listed,) = re.findall(r"\[([^\[]*)\]\.map\(imported\)", script)
    assert set(json.loads(f"[{listed}]")) <= set(places)
    assert "import " not in script.replace("await import", "")  # none before `start`
    assert set(PACKAGES) <= set(places)
    for package, place in places.items():
        assert place.startswith(f"./node_modules/{package}/")
    shown = re.findall(r"```js\n(.*?)```", GUIDE, re.DOTALL)
    assert len(shown) == 2 and all(code in script for code in shown)
    assert "://" not in script + document  # all is beside the page
