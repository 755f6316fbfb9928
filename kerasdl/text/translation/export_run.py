"""Files of a finished run that translates, each proved on its check sentences."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._atomic import write_json
from kerasdl.artefacts import (
    ServedModule,
    check_formats,
    export_proved,
    run_saved_model,
    run_tflite,
    save_inference_model,
    save_module,
    write_module_tflite,
)
from kerasdl.models import load_model
from kerasdl.runs import read_run

from .run_files import CHECK
from .search import make_search
from .steps import steps_of
from .subwords import END, PAD, padded
from .translator import FACTS, SUBWORDS, Translator

FORMATS = ("keras", "saved_model", "tflite")


def export_run(
    run: str | Path,
    formats: Sequence[str] = FORMATS,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Write files of a run into a folder that is there once all translate alike.

    The `.keras` file is that of the run, which answers with the next piece; SavedModel
    and TFLite hold the whole greedy search: `source`, ids with their end, padded by 0,
    to `translation`, ids with theirs. Of TFLite `source` is int32 `(1, max_length)`, of
    the SavedModel `(batch, s)`.

    `pieces.model` beside them makes ids of texts in one form (NFC, one blank for any
    blanks), which `lesson_text` cuts first where `translation.json` has `as_lesson`;
    `max_length` in it is the number of ids with their end, of source and translation.

    Args:
        run: its folder.
        formats: of `FORMATS`; there is no ONNX of a search, whose states grow.
        out: the folder; None is `RUN/export`.
        overwrite: replace an existing export.

    Returns:
        By format: `file`, `megabytes`, and `difference`, the largest one of an id of
        the check sentences' translations: 0.

    Raises:
        ValueError: an argument is none of these, or the run has no check sentences.
        ImportError: the extra `export` is not installed.
        ExportError: a file cannot be written or run, or translates otherwise.
    """
    check_formats(formats, FORMATS)
    translator, info = Translator.load(run), read_run(run)
    sources, translations = _check_sentences(info.path)
    longest = translator.max_length

    def whole(rows: Sequence[Sequence[int] | np.ndarray]) -> np.ndarray:
        """Ids up to their end, in rows of one length."""
        found = np.full((len(rows), longest), PAD)
        for row, ids in zip(found, rows, strict=True):
            ends = np.append(np.flatnonzero(np.equal(ids, END)) + 1, len(ids))[0]
            row[:ends] = ids[:ends]
        return found

    def answers(name: str, path: Path) -> np.ndarray:
        if name == "keras":
            loaded = Translator(load_model(path), translator.subwords, longest)
            return whole(loaded.translate_ids([ids[:-1] for ids in sources], 1))
        ask = run_saved_model(path) if name == "saved_model" else run_tflite(path, 1)
        rows = padded([*sources, [PAD] * longest])[:-1]
        return whole([ask({"source": row[None]})["translation"][0] for row in rows])

    writers: dict[str, Callable[[Path], None]] = {
        "keras": lambda path: save_inference_model(translator.model, path),
        "saved_model": lambda path: save_module(_searching(translator), path),
        "tflite": lambda path: write_module_tflite(
            _searching(translator, (1, longest)), path
        ),
    }
    return export_proved(
        Path(out) if out else info.path / "export",
        writers={name: writers[name] for name in formats},
        answer=answers,
        expected=whole(translations),
        what="sentences",
        beside={
            SUBWORDS: translator.subwords.save,
            FACTS: lambda path: write_json(
                path, {"as_lesson": translator.as_lesson, "max_length": longest}
            ),
        },
        overwrite=overwrite,
    )


def _check_sentences(folder: Path) -> tuple[list[list[int]], list[list[int]]]:
    """Ids of sources and of their translations."""
    received = f"Received: run={str(folder)!r}"
    try:
        checked = json.loads((folder / CHECK).read_text(encoding="utf-8"))
        found = checked["source_ids"], checked["translation_ids"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"`run` must hold {CHECK} as it was written. {received} ({error})"
        ) from error
    if not found[0]:
        raise ValueError(
            f"`run` must have a sentence in {CHECK}, of `max_length` pieces at most. "
            f"{received}, which has none"
        )
    return found


def _searching(
    translator: Translator, shape: tuple[int | None, int | None] = (None, None)
) -> ServedModule:
    """The greedy search as the function `serve` of a module."""
    search = make_search(steps_of(translator.model), shape=shape)
    module = ServedModule()
    module.weights = [variable.value for variable in translator.model.variables]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.int32, name="source")])
    def serve(source: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"translation": search(source, tf.constant(translator.max_length))}

    module.serve = serve
    return module
