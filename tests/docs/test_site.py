"""The site's pages: their code runs, and the names they teach are there."""

import importlib.util
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import yaml

import kerasdl

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "pages").glob("*.md"))
GUIDES = sorted((DOCS / "pages/guides").glob("*.py"))
# What a name in the tables of coming_from.md stands for.
NOUNS = {
    "kd": kerasdl,
    "learn": kerasdl.Learner,
    "data": kerasdl.ImageData,
    "tabular": kerasdl.tabular,
}


@pytest.fixture(scope="module")
def generated():
    path = DOCS / "generated_pages.py"
    spec = importlib.util.spec_from_file_location("generated_pages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_names_of_the_tables_are_there():
    text = (DOCS / "pages/coming_from.md").read_text(encoding="utf-8")
    ours = [line.rsplit("|", 2)[1] for line in text.splitlines() if "|" in line]
    found = re.findall(r"`(kd|learn|data|tabular)((?:\.\w+)+)", "\n".join(ours))
    assert len(found) > 25
    for noun, names in found:
        place = NOUNS[noun]
        for name in names[1:].split("."):
            place = getattr(place, name)


def test_every_guide_is_in_the_menu_and_begins_with_its_title():
    menu = (DOCS / "mkdocs.yml").read_text(encoding="utf-8")
    assert len(GUIDES) == 10
    for guide in GUIDES:
        assert f"guides/{guide.name}" in menu
        lines = guide.read_text(encoding="utf-8").splitlines()
        assert lines[0] == "# %% [markdown]" and lines[1].startswith("# # ")


def test_the_reference_has_the_names_of_a_room(generated):
    assert set(kerasdl.batches.__all__) == set(generated.public_names("batches"))
    assert set(generated.public_names("schedules")) >= {"cosine_restarts", "one_cycle"}
    page = generated.reference_page("train")
    assert "::: kerasdl.train.lr_find.lr_find" in page
    assert "](" not in re.sub(r"\]\((http|#|images/)", "", generated.results_page())


# What recipes and rooms share, and names that stand in other rooms.
NO_PAGES = {"artefacts", "interpret", "page", "predict", "workbench"}


def test_each_room_has_a_page(generated):
    rooms = {
        file.parent.name for file in (DOCS.parent / "kerasdl").glob("*/__init__.py")
    }
    assert rooms - set(generated.ROOMS) == NO_PAGES


def test_code_of_the_first_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {}
    for page in PAGES:
        blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        if page.name == "index.md":
            (code,) = blocks
            exec(code, found)
        else:
            assert blocks == []
    assert (tmp_path / "drawings/test/cats/cat.0001.jpg").exists()


@pytest.mark.parametrize("name", ["several_labels"])
def test_a_guide_runs(name, capsys):
    found = runpy.run_path(str(DOCS / f"pages/guides/{name}.py"))
    assert np.isfinite(found["thresholds"]).all()


@pytest.mark.slow  # the site runs all of them when it is built
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_guides_run(guide, capsys):
    runpy.run_path(str(guide))


def test_the_configuration_fetches_nothing():
    text = (DOCS / "mkdocs.yml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    assert settings["theme"]["font"] is False and "http" not in text
