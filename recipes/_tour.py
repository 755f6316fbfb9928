"""Tours: lessons that are read as code, run line by line, and kept as a page.

A section is a function of a file in `_tours/`. Its statements run one after the other
and are shown as they stand there; the value of a bare expression follows, as in a
notebook: text, a table, a picture. What a section takes, such as `photo`, the tour
gives by that name.
"""

import ast
import runpy
import textwrap
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import kerasdl as kd

FOLDER = Path(__file__).with_name("_tours")
PAGE = "tour.html"
_WIDTH = 88
_SIDE = 64  # of a photo: ORB finds no corner nearer to the border than 31 pixels


class Section(NamedTuple):
    """A function of a tour, read and not yet run."""

    name: str
    about: str
    needs: list[str]
    steps: list[tuple[str, ast.stmt]]  # lines as they stand, and what they are
    helpers: list[str]  # what they use of the file besides, as it stands there
    file: Path


def read_sections(parts):
    """The sections of these files in `_tours/`, in order; imports nothing of theirs."""
    found = {}
    for part in parts:
        file = FOLDER / f"{part}.py"
        source = file.read_text(encoding="utf-8")
        lines = source.splitlines()
        tree = ast.parse(source)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            docstring, *body = node.body
            steps, end = [], docstring.end_lineno
            for statement in body:  # with the comments above it
                text = textwrap.dedent("\n".join(lines[end : statement.end_lineno]))
                steps.append((text, statement))
                end = statement.end_lineno
            needs = [argument.arg for argument in node.args.args]
            about = ast.get_docstring(node)
            found[node.name] = Section(
                node.name,
                about,
                needs,
                steps=steps,
                helpers=_helpers(node, tree.body, source),
                file=file,
            )
    return found


def _helpers(section: ast.stmt, body: list[ast.stmt], source: str) -> list[str]:
    """What a section uses of its file, but other sections, in the file's order."""
    owners = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name.startswith("_"):
                owners[node.name] = node
        elif isinstance(node, ast.Assign):
            parts = [part for target in node.targets for part in ast.walk(target)]
            owners |= {part.id: node for part in parts if isinstance(part, ast.Name)}
    used, waiting = set(), [section]
    while waiting:
        read = {part.id for part in ast.walk(waiting.pop()) if _is_read(part)}
        found = {owners[name] for name in read & owners.keys()} - used
        waiting += found
        used |= found
    texts = [ast.get_source_segment(source, node) for node in body if node in used]
    return [text for text in texts if text]


def _is_read(node) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def tour_parser(description):
    """A parser with the arguments that every tour has."""
    parser = kd.workbench.RecipeParser(description)
    add = parser.add_argument
    add("--section", nargs="+", metavar="NAME", help="these alone; default: all")
    add("--list", action="store_true", help="name the sections and end")
    add("--seed", type=int, metavar="N", help="repeats a run; default: drawn, printed")
    add("--out", type=Path, metavar="DIR", help=kd.workbench.OUT_HELP)
    add("--overwrite", action="store_true", help="replace an existing --out")
    add("--verbose", action="store_true", help="show TensorFlow's start-up lines")
    return parser


def parse_tour(parser, argv, name, parts, options: Mapping[str, str] | None = None):
    """Parse `argv`; returns the arguments and the sections to show.

    Args:
        parser: of `tour_parser`, with what the tour adds.
        argv: None takes those of the process.
        name: of the tour.
        parts: files in `_tours/`.
        options: arguments of the tour's own, and what of them sections take.

    Raises:
        ValueError: there is no section of that name, or no section takes what an
            option gives.
    """
    args = parser.parse_args(argv)
    sections = read_sections(parts)
    if args.list:
        for section in sections.values():
            print(f"{section.name:<24} {section.about.splitlines()[0]}")
        raise SystemExit
    if unknown := [name for name in args.section or () if name not in sections]:
        near = get_close_matches(unknown[0], sections, 1)
        meant = f"Did you mean {near[0]!r}?" if near else "--list says what they are."
        raise ValueError(
            f"`section` must be one of {', '.join(sections)}. Received: "
            f"section={unknown[0]!r}. {meant}"
        )
    shown = [sections[name] for name in dict.fromkeys(args.section or sections)]
    taken = {need for section in shown for need in section.needs}
    for option, need in (options or {}).items():
        if (value := getattr(args, option)) and need not in taken:
            raise ValueError(
                f"`{option}` must be left out where no section takes it. Received: "
                f"{option}={value if value is True else str(value)!r} for "
                f"{', '.join(section.name for section in shown)}"
            )
    args.out = args.out or kd.runs.default_out("saved_models", name)
    return args, shown


def sample_photo(path, name):
    """The photo at `path`, or scikit-learn's `name`: RGB, uint8, a side of 640 at most.

    Raises:
        ValueError: it is no photo of at least 64 pixels a side, at 640 at most, or it
            shows nothing.
    """
    import cv2

    if path is None:
        from sklearn.datasets import load_sample_image

        return load_sample_image(name)
    photo = kd.data.read_image(path)
    height, width = photo.shape[:2]
    factor = min(1, 640 / max(height, width))
    size = round(width * factor), round(height * factor)
    received = f"Received: image={str(path)!r} ({width}x{height})"
    if min(size) < _SIDE:
        made = f", {size[0]}x{size[1]} of them" if factor < 1 else ""
        raise ValueError(
            f"`image` must be a photo of at least {_SIDE}x{_SIDE} pixels, when its "
            f"longer side is 640 at most. {received}{made}"
        )
    if photo.min() == photo.max():
        raise ValueError(f"`image` must show something. {received}, one grey alone")
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def walk(args, sections, title, **given):
    """Run the sections, print them, and write pictures and page into a run's folder.

    Args:
        args: of `parse_tour`.
        sections: of `parse_tour`.
        title: of the page.
        **given: functions without arguments, by the name that sections take; called
            before there is a folder. `seed` and `folder` are given always.

    Returns:
        By section, the bare expressions and their values, in order.
    """
    kd.runtime.start(verbose=args.verbose)
    needed = {name for section in sections for name in section.needs}
    have = {name: make() for name, make in given.items() if name in needed}
    arguments = kd.workbench.recorded(args)
    with kd.runs.run_folder(
        args.out, arguments, seed=args.seed, overwrite=args.overwrite
    ) as run:
        have |= {"seed": run.seed, "folder": run.path}
        values, parts, known = {}, [], []
        for section in sections:
            print(f"\n{section.name}: {section.about}\n")
            shown, html = values.setdefault(section.name, []), []
            helpers = [text for text in section.helpers if text not in known]
            known += helpers
            if helpers:
                html.append(kd.page.listing("\n\n".join(helpers)))
            for code, expression, value in _steps(section, have):
                shown.append((expression, value))
                html.append(_show(code, value, section, run.path, len(shown) - 1))
            parts.append(
                (section.name.replace("_", " "), _note(section) + "".join(html))
            )
        intro = kd.page.note(
            f"Seed {run.seed}. Every line ran as it stands here. The files beside this "
            "page are its pictures in full."
        )
        kd.page.save_page(run.path / PAGE, title, intro, parts)
        run.record(sections=[section.name for section in sections])
    print(f"\n{args.out}/{PAGE} shows it all with its pictures")
    return values


def _note(section):
    return kd.page.note(" ".join(section.about.split()))


def _steps(section, have) -> Iterator[tuple[str, str, Any]]:
    """Run a section: lines, the bare expression they end in, and its value.

    Lines without one come together with those that follow; the value of the last may
    be None.
    """
    names = runpy.run_path(str(section.file))
    names |= {name: have[name] for name in section.needs}
    waiting = []
    for code, statement in section.steps:
        waiting.append(code)
        if not isinstance(statement, ast.Expr):
            tree = ast.Module([statement], type_ignores=[])
            exec(compile(tree, section.file, "exec"), names)
            continue
        tree = ast.Expression(statement.value)
        value = eval(compile(tree, section.file, "eval"), names)
        if value is not None:
            if hasattr(value, "assign_add"):  # a variable may change later
                value = value.numpy().copy()
            own = statement.end_lineno - statement.lineno + 1
            expression = "\n".join(code.splitlines()[-own:])
            yield "\n".join(waiting).strip("\n"), expression, value
            waiting = []
    if waiting:
        yield "\n".join(waiting).strip("\n"), "", None


class Pictures(dict[str, Any]):
    """Pictures by name: pixels in [0, 255] or of bool, RGB or grey.

    Shown side by side, small ones enlarged; each is written as a PNG.
    """

    def pixels(self) -> Iterator[tuple[str, Any]]:
        """Names and RGB pixels, uint8."""
        import numpy as np

        for name, picture in self.items():
            found = np.asarray(picture)
            if found.dtype == bool:
                found = found * 255
            if found.ndim == 2:
                found = found[..., None]
            found = np.broadcast_to(found, (*found.shape[:2], 3))
            found = np.clip(np.round(found), 0, 255).astype("uint8")
            # A browser would smooth what it enlarges.
            times = max(1, 160 // max(found.shape[:2]))
            yield name, found.repeat(times, axis=0).repeat(times, axis=1)


def _show(code, value, section: Section, folder: Path, number: int) -> str:
    """Print lines and what they give; returns the HTML."""
    import pandas as pd
    from matplotlib.figure import Figure

    if value is None:
        print(code)
        return kd.page.listing(code)
    if isinstance(value, Pictures):
        print(f"{code}\n    pictures: {', '.join(value)}")
        return kd.page.listing(code) + _save_pictures(value, section, folder)
    if isinstance(value, Figure):
        path = folder / f"{section.name}_{number}.png"
        value.savefig(path, dpi=120)
        print(f"{code}\n    picture: {path.name}")
        caption = value.get_label() or section.about.splitlines()[0]
        drawn = kd.page.chart(
            lambda copy: copy.write_bytes(path.read_bytes()),
            alt=caption,
            caption=caption,
        )
        return kd.page.listing(code) + drawn
    if isinstance(value, pd.DataFrame):
        text = kd.tables.as_texts(value).to_string()
        print(f"{code}\n{textwrap.indent(text, '    ')}")
        caption = section.about.splitlines()[0]
        return kd.page.listing(code) + kd.page.table(value, caption)
    text = as_text(value)
    beside = f"{code:<54}  {text}"
    is_short = "\n" not in code + text and len(beside) <= _WIDTH
    print(beside if is_short else f"{code}\n{textwrap.indent(text, '    ')}")
    return kd.page.listing(code, text)


def _save_pictures(pictures: Pictures, section: Section, folder: Path) -> str:
    import re

    import cv2

    shown = []
    for name, pixels in pictures.pixels():
        file = re.sub(r"\W+", "_", f"{section.name}_{name}") + ".png"
        cv2.imwrite(str(folder / file), pixels[..., ::-1])
        shown.append(kd.page.picture(pixels, name, [], f"{section.name}: {name}"))
    return kd.page.gallery(shown)


def as_text(value) -> str:
    """A value as a reader compares it: four digits, tensors without their wrapping."""
    import numpy as np

    if hasattr(value, "numpy") and not hasattr(value, "values"):
        value = value.numpy()  # of tensors and variables; sparse ones show parts
    if isinstance(value, (np.ndarray, np.generic)) and not value.shape:
        value = value.item()
    if isinstance(value, float):
        return f"{float(value):.5g}"
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {as_text(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        if all(type(item) in (int, str, bool) for item in value):
            return str(value)
        texts = [as_text(item) for item in value]
        return ("\n" if any("\n" in text for text in texts) else ", ").join(texts)
    with np.printoptions(
        precision=4, suppress=True, threshold=64, edgeitems=3, linewidth=76
    ):
        return str(value)
