"""A finished run that translates texts."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._atomic import write_json
from kerasdl._checks import check_positive_int
from kerasdl._described import Described, named_network
from kerasdl.models import load_model
from kerasdl.runs import read_run
from kerasdl.text.reading import given_texts, list_texts

from .lesson import lesson_text
from .pairs import one_form
from .search import Search, make_search
from .steps import steps_of
from .subwords import BEGIN, END, Subwords, padded

TASK = TRANSLATION = "translation"
SUBWORDS, FACTS = "pieces.model", "translation.json"
_BATCH = 64  # sentences searched at once
_IDEOGRAPHS = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
# Between letters that need blanks a mark ends nothing: 3.14 is one number.
_SENTENCES = re.compile(rf"(?<=[.!?…])(?:\s+|(?={_IDEOGRAPHS}))|(?<=[。！？])\s*|\n+")
_BLANKS = re.compile(f"(?<={_IDEOGRAPHS}) (?={_IDEOGRAPHS})")


def without_blanks(text: str) -> str:
    """`text` without the blanks between Chinese or Japanese words."""
    return _BLANKS.sub("", text)


class Translator(Described):
    """A network that translates, and its vocabulary.

    Args:
        model: as `transformer_translator` or `gru_translator` builds it.
        subwords: its vocabulary.
        max_length: pieces of a sentence and of its translation at most, as in training.
            Longer texts are translated sentence by sentence, and sentences without an
            end in pieces.
        beams: of the search, where `translate` is told none.
        as_lesson: whether texts are first cut by `lesson_text`, as in training.

    Raises:
        ValueError: `model` is something else, of another number of pieces, or has fewer
            than `max_length` places.
    """

    def __init__(
        self,
        model: keras.Model,
        subwords: Subwords,
        max_length: int = 100,
        beams: int = 5,
        as_lesson: bool = False,
    ) -> None:
        check_positive_int("max_length", max_length)
        check_positive_int("beams", beams)
        if model.output_shape[-1] != len(subwords):
            raise ValueError(
                "`model` must answer with as many pieces as `subwords` has. Received: "
                f"{model.output_shape[-1]} and {len(subwords)}"
            )
        self.model, self.subwords = model, subwords
        self.max_length, self.beams = max_length, beams
        self.as_lesson = as_lesson
        self._steps = steps_of(model)
        if max_length > self._steps.max_length:
            raise ValueError(
                "`max_length` must be at most the places of the model. Received: "
                f"max_length={max_length} for {self._steps.max_length} places"
            )
        self._searches: dict[int, Search] = {}

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """Read a finished run of a translation.

        Raises:
            ValueError: `run` is none, or its files are damaged.
        """
        info = read_run(run)
        info.of_task({TASK: cls})
        path = info.path / FACTS
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            kinds = {"max_length": int, "beams": int, "as_lesson": bool}
            known = {name: kind(facts[name]) for name, kind in kinds.items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"`run` must hold {FACTS} as it was written. Received: "
                f"run={str(run)!r} ({error})"
            ) from error
        model, subwords = (
            load_model(info.model_path),
            Subwords.load(info.path / SUBWORDS),
        )
        return cls(model, subwords, **known)

    def _facts(self) -> dict[str, str]:
        return {
            "network": named_network(self.model),
            "texts": f"of {self.max_length} pieces at most; {len(self.subwords):,} are "
            "known",
            "search": f"{self.beams} beams",
        }

    def save_facts(self, folder: Path) -> None:
        """Write what `load` reads, but for the model."""
        self.subwords.save(folder / SUBWORDS)
        names = ("max_length", "beams", "as_lesson")
        write_json(folder / FACTS, {name: getattr(self, name) for name in names})

    def translate(self, texts: Iterable[str], beams: int | None = None) -> list[str]:
        """Translate texts, each by itself; an empty one stays empty.

        Args:
            texts: any number.
            beams: of the search; 1 takes the likeliest piece each time.

        Raises:
            ValueError: `texts` is one string, or holds something else.
        """
        texts = list_texts(texts)
        parts, places = [], []
        for place, text in enumerate(texts):
            found = self._sentences(lesson_text(text) if self.as_lesson else text)
            parts += found
            places += [place] * len(found)
        translated: list[list[str]] = [[] for _ in texts]
        found = self.subwords.decode(self.translate_ids(parts, beams))
        for place, part in zip(places, found, strict=True):
            translated[place].append(part)
        return [without_blanks(" ".join(part)) for part in translated]

    def predict(
        self,
        texts: Iterable[str] | pd.DataFrame | str | Path,
        text_column: str | None = None,
        encoding: str = "utf-8",
        beams: int | None = None,
    ) -> pd.DataFrame:
        """Translate every text of a list, a frame or a file, in its order.

        Args:
            texts: strings; or a frame, or a .csv or .tsv file of them, or .txt of one a
                line; .gz is unpacked.
            text_column: of a table; None finds it, see `columns.find_text_column`.
            encoding: of the file.
            beams: as in `translate`.

        Returns:
            The texts in a column of their own name (`text`, where that is
            `translation`), and `translation`.

        Raises:
            ValueError: there is no such file or column.
        """
        given, column = given_texts(texts, encoding, text_column)
        name = "text" if column == TRANSLATION else column
        found = self.translate(given.tolist(), beams)
        return pd.DataFrame({name: given.tolist(), TRANSLATION: found}, given.index)

    def translate_ids(
        self, sources: Sequence[Sequence[int]], beams: int | None = None
    ) -> list[np.ndarray]:
        """Translate ids without begin and end; those that come back have an end.

        Args:
            sources: ids of pieces.
            beams: as in `translate`.
        """
        beams = self.beams if beams is None else beams
        check_positive_int("beams", beams)
        search = self._searches.setdefault(beams, make_search(self._steps, beams))
        order = sorted(range(len(sources)), key=lambda place: len(sources[place]))
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            source = padded([[*sources[place], END] for place in batch])
            ids = search(tf.constant(source), tf.constant(self.max_length)).numpy()
            found |= dict(zip(batch, ids, strict=True))
        return [found[place] for place in range(len(sources))]

    def attention(
        self, text: str, translation: str | None = None
    ) -> tuple[list[str], list[str], np.ndarray]:
        """Where the network looks for each piece of a translation.

        Args:
            text: at most `max_length` pieces of it are looked at.
            translation: None takes its own.

        Returns:
            Pieces of the source with its end, pieces of the translation with its end,
            and weights `(translation, source)`, the mean of all heads of the last
            layer.
        """
        (source,) = self.subwords.encode(
            [lesson_text(text) if self.as_lesson else one_form(text)]
        )
        source = [*source[: self.max_length - 1], END]
        if translation is None:
            (translation,) = self.translate([text])
        if self.as_lesson:  # its words are cut again
            translation = lesson_text(translation)
        (target,) = self.subwords.encode([one_form(translation)])
        target = target[: self.max_length - 1]
        memory, state = self._steps.start(tf.constant([source]), 1)
        rows = []
        for place, piece in enumerate([BEGIN, *target]):
            last, count = tf.constant([[piece]]), tf.constant(place)
            _, state, weights = self._steps.step(last, count, memory, state)
            rows.append(weights[0, 0].numpy())
        pieces = self.subwords.pieces
        return pieces(source), pieces([*target, END]), np.stack(rows)

    def _sentences(self, text: str) -> list[list[int]]:
        """Ids of a text, or of its sentences where it is too long for one."""
        most = self.max_length - 1
        (ids,) = self.subwords.encode([one_form(text)])
        if len(ids) <= most:
            return [ids] if ids else []
        parts = [part for part in map(one_form, _SENTENCES.split(text)) if part]
        return [
            ids[start : start + most]
            for ids in self.subwords.encode(parts)
            for start in range(0, len(ids), most)
        ]
