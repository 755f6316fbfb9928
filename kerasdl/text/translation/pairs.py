"""Pairs of sentences from files: two languages in a folder, or one table."""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from kerasdl._checks import first_few
from kerasdl._names import print_line
from kerasdl.text.reading import read_text

VALID = ("val", "valid", "dev")  # names of that split's files
_KINDS = (".txt", ".tsv", ".txt.gz", ".tsv.gz")


def read_pairs(
    path: str | Path,
    source: str | None = None,
    target: str | None = None,
    *,
    swap: bool = False,
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Read what stands in two languages.

    Args:
        path: a folder of `train.SOURCE` and `train.TARGET`, a sentence a line,
            `val.SOURCE` (or `valid`, `dev`) and any `test*.SOURCE`, with or without
            .gz; or a .txt or .tsv file, with or without .gz, whose first column is the
            source and whose second the target. Further columns are not looked at.
        source: language of the sentences to translate, as in the names of the files of
            a folder.
        target: language of the translations.
        swap: translate the other way.
        encoding: of the files.

    Returns:
        Columns `split`, `source` and `target`. Splits of a folder are "train", "valid"
        and the names of the test files; of one file all is "train". Rows with nothing
        on one side are left out, and counted.

    Raises:
        ValueError: there are no such files, they are in another encoding, or the two
            languages differ in their number of lines.
    """
    path = Path(path)
    if path.is_dir():
        table = _of_folder(path, source, target, encoding)
    elif path.is_file() and path.name.lower().endswith(_KINDS):
        table = _of_file(path, encoding)
        if source or target:
            names = [name or "another language" for name in (source, target)]
            first, second = reversed(names) if swap else names
            print_line(f"the first column is taken for {first}, the next {second}")
    else:
        raise ValueError(
            "`path` must be a folder of train.SOURCE and train.TARGET, or a .txt or "
            f".tsv file, with or without .gz. Received: path={str(path)!r}"
        )
    table[["source", "target"]] = table[["source", "target"]].map(one_form)
    if swap:
        table = table.rename(columns={"source": "target", "target": "source"})
    is_whole = (table["source"] != "") & (table["target"] != "")
    if gone := int((~is_whole).sum()):
        print_line(f"{gone:,} pairs with an empty side are not used")
    table = table[is_whole].reset_index(drop=True)
    if not (table["split"] == "train").any():
        raise ValueError(
            "`path` must hold pairs for training. Received: "
            f"path={str(path)!r}, without any"
        )
    return table[["split", "source", "target"]]


def with_splits(
    pairs: pd.DataFrame, valid: float, test: float, *, seed: int
) -> pd.DataFrame:
    """Draw the validation and test pairs that are missing, whole sources at a time.

    A source with several translations is in one split alone: else held-out sentences
    would have been seen. Training pairs of a source that given files hold out are left
    out, and counted.

    Args:
        pairs: as `read_pairs` gives them.
        valid: share of the training sources, where there is no "valid".
        test: the same, where there is nothing but "train".
        seed: of the draw.

    Raises:
        ValueError: `pairs` lacks a column, a value in these is no text, or nothing is
            left for training.
    """
    _check_pairs(pairs)
    pairs = pairs.copy()
    keys = pairs["source"].str.casefold()
    is_train = pairs["split"] == "train"
    shared = is_train & keys.isin(keys[~is_train])
    if count := int(shared.sum()):
        print_line(
            f"{count:,} training pairs whose source is held out are left out of "
            "training"
        )
    pairs, keys, is_train = (part[~shared] for part in (pairs, keys, is_train))
    wanted = {}
    if is_train.all():
        wanted["test"] = test
    if not (pairs["split"] == "valid").any():
        wanted["valid"] = valid
    sources = keys[is_train].unique()
    order = np.random.default_rng(seed).permutation(len(sources))
    for split, share in wanted.items():
        count = max(round(share * len(sources)), 1)
        drawn, order = order[:count], order[count:]
        pairs.loc[is_train & keys.isin(sources[drawn]), "split"] = split
    if not (pairs["split"] == "train").any():
        raise ValueError(
            "`pairs` must leave some for training. Received: "
            f"{len(sources)} different sources"
        )
    return pairs.reset_index(drop=True)


def _check_pairs(pairs: pd.DataFrame) -> None:
    names = ["split", "source", "target"]
    if missing := [name for name in names if name not in pairs]:
        raise ValueError(
            "`pairs` must have the columns split, source and target. Received: "
            f"{first_few(list(pairs))}, without {first_few(missing)}"
        )
    is_text = pairs[names].map(lambda value: isinstance(value, str) and value != "")
    if not is_text.all(axis=None):
        wrong = pairs.index[~is_text.all(axis=1)]
        raise ValueError(
            "`pairs` must hold text in split, source and target. Received: none in "
            f"rows {first_few(wrong.tolist())}. Leave them out."
        )


def _of_folder(
    folder: Path, source: str | None, target: str | None, encoding: str
) -> pd.DataFrame:
    source = _ending("source", source, folder)
    target = _ending("target", target, folder)
    if source == target:
        raise ValueError(
            "`source` and `target` must be two languages. Received: "
            f"source={source!r}, target={target!r}"
        )
    parts = [("train", _pair(folder, "train", source, target))]
    held_out = _held_out(folder, source, target)
    for name in [name for name in VALID if name in held_out][:1]:
        parts.append(("valid", _pair(folder, name, source, target)))
    for name in held_out:
        if name.startswith("test"):
            parts.append((name, _pair(folder, name, source, target)))
    tables = []
    for split, files in parts:
        sides = [_lines(file, encoding) for file in files]
        if len(sides[0]) != len(sides[1]):
            raise ValueError(
                "`path` must hold as many lines in both languages. Received: "
                f"{len(sides[0]):,} in {str(files[0])!r}, {len(sides[1]):,} in "
                f"{str(files[1])!r}"
            )
        names = {"split": split, "source": sides[0], "target": sides[1]}
        tables.append(pd.DataFrame(names, dtype=object))
    return pd.concat(tables, ignore_index=True)


def _ending(name: str, language: str | None, folder: Path) -> str:
    """Return `language`; raise ValueError unless files of a folder can end so."""
    if not language or not re.fullmatch(r"[\w-]+", language):
        raise ValueError(
            f"`{name}` must be the ending of its files in a folder, such as 'en'. "
            f"Received: {name}={language!r}, path={str(folder)!r}"
        )
    return language


def _held_out(folder: Path, source: str, target: str) -> list[str]:
    """Names of the splits of these languages but "train", in order.

    One with the target alone is among them: who reads it says what is missing. With a
    third language besides, it is for another pair.
    """
    languages: dict[str, set[str]] = {}
    for file in folder.iterdir():
        name, _, language = file.name.removesuffix(".gz").rpartition(".")
        languages.setdefault(name, set()).add(language)
    return sorted(
        name
        for name, there in languages.items()
        if name != "train" and (source in there or there == {target})
    )


def _find(folder: Path, name: str) -> Path | None:
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            return file
    return None


def _pair(folder: Path, split: str, source: str, target: str) -> list[Path]:
    """The files of a split in both languages."""
    files = []
    for language in (source, target):
        if (file := _find(folder, f"{split}.{language}")) is None:
            there = sorted(file.name for file in folder.iterdir())[:10]
            raise ValueError(
                f"`path` must hold {split}.{language} or {split}.{language}.gz. "
                f"Received: path={str(folder)!r} with {', '.join(there) or 'nothing'}"
            )
        files.append(file)
    return files


def _lines(file: Path, encoding: str) -> list[str]:
    lines = read_text("path", file, encoding).replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _of_file(file: Path, encoding: str) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(_lines(file, encoding), 1):
        columns = line.split("\t")
        if line.strip() and len(columns) < 2:
            raise ValueError(
                "`path` must have two columns with a tab between, source and target. "
                f"Received: {str(file)!r}, line {number}: {line[:80]!r}"
            )
        if line.strip():
            rows.append(("train", *columns[:2]))
    return pd.DataFrame(rows, columns=["split", "source", "target"], dtype=object)


def one_form(text: str) -> str:
    """A text with one form of each letter, and one blank for any blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())
