"""Pages of the site that are made from files elsewhere: reference, results, changes."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
# By room, or module of one, what it is for; in the order of the menu.
ROOMS = {
    "data": "Photos in",
    "models": "Networks",
    "train": "Training",
    "callbacks": "Callbacks",
    "schedules": "Rates by step",
    "strategies": "Several devices and machines",
    "learner": "A Learner of any network",
    "classification": "Which class a picture has",
    "inside": "What filters weigh, answer and look for",
    "detection": "Boxes",
    "tabular": "Tables",
    "tabular.features": "Columns of tables",
    "text": "Texts",
    "text.models": "Networks of texts",
    "text.recurrent": "Recurrent networks from their formulas",
    "text.attention": "Attention from its formulas",
    "text.translation": "Translation",
    "plots": "Pictures of arrays",
    "export": "Files for other programs",
    "serving": "Answers by HTTP",
    "batches": "Batches of anything",
}


def on_config(config):
    """Put a page of each room into the menu."""
    (reference,) = (part["Reference"] for part in config.nav if "Reference" in part)
    reference += [{f"kerasdl.{room}": f"reference/{room}.md"} for room in ROOMS]
    return config


def on_files(files, config):
    """Add the pages, and the pictures that the results show."""
    from mkdocs.structure.files import File  # late: tests know no mkdocs

    pages = {f"reference/{room}.md": reference_page(room) for room in ROOMS}
    pages["reference/index.md"] = index_page()
    pages["results.md"] = results_page()
    pages["contributing.md"] = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    pages["changelog.md"] = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    for picture in sorted((ROOT / "recipes/images").iterdir()):
        place = f"images/{picture.name}"
        files.append(File.generated(config, place, abs_src_path=str(picture)))
    return files


def index_page():
    """Names of all rooms, each with a link."""
    lines = ["# Reference", "", "From the docstrings; a page for each room.", ""]
    lines += [f"- [`kerasdl.{r}`]({r}.md): {text.lower()}" for r, text in ROOMS.items()]
    return "\n".join(lines)


def reference_page(room):
    """The public names of a room, in the order of the alphabet."""
    lines = [f"# kerasdl.{room}", "", f"{ROOMS[room]}.", ""]
    for name, module in sorted(public_names(room).items()):
        lines += [
            f"::: {module}.{name}",
            "    options:",
            f'      heading: "{name}"',
            "",
        ]
    return "\n".join(lines)


def public_names(room):
    """The module of each name for users: of a room what its `__init__` imports."""
    package = f"kerasdl.{room}"
    place = ROOT / package.replace(".", "/")
    if not place.is_dir():
        tree = ast.parse(place.with_suffix(".py").read_text("utf-8"))
        own = [
            n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)
        ]
        return {name: package for name in own if is_public(name)}
    source = (place / "__init__.py").read_text("utf-8")
    found = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        own = f"{package}.{node.module}" if node.level else node.module
        found |= {n.asname or n.name: own for n in node.names if is_public(n.name)}
    return found


def is_public(name):
    """Whether a name is a function or a class: constants stand in their docstrings."""
    return not name.startswith("_") and not name.isupper()


def results_page():
    """recipes/README.md, whose links lead into the project instead."""
    text = (ROOT / "recipes/README.md").read_text("utf-8")
    outside = r"(?<!\!)\[([^\]]*)\]\((?!http|#|images/)[^)]*\)"
    return re.sub(outside, r"\1", text)
