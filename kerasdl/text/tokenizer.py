"""How a text becomes numbers: cleaned, cut, looked up by frequency."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerasdl._atomic import write_json
from kerasdl._checks import check_one_of, check_positive_int

from .cleaning import check_cleaning, clean
from .cutting import cut_words

UNITS = ("characters", "words")
FILE = "text.json"
NOTHING, UNKNOWN = 0, 1  # as Keras's TextVectorization has them
_FIRST = 2


@dataclass(frozen=True)
class Tokenizer:
    """Texts as numbers of their characters or words; 0 pads, 1 is unknown.

    Attributes:
        unit: "characters", or "words" as jieba cuts them.
        vocabulary: the known ones from number 2 on, most frequent first.
        max_len: tokens of a text that are read, from its start.
        clean: names of `CLEANING`, done first.
        stop_words: words that are left out.
        max_words, min_count: by which the vocabulary was taken.
    """

    unit: str
    vocabulary: tuple[str, ...]
    max_len: int = 256
    clean: tuple[str, ...] = ()
    stop_words: tuple[str, ...] = ()
    max_words: int | None = None
    min_count: int = 1

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        unit: str = "characters",
        max_words: int | None = None,
        min_count: int = 2,
        max_len: int = 256,
        clean: Sequence[str] = (),
        stop_words: Collection[str] = (),
    ) -> tuple[Self, list[str]]:
        """Take the vocabulary of training texts.

        Args:
            texts: of the training.
            unit: as of the class.
            max_words: the most frequent ones that are known; None knows all.
            min_count: how often a token must stand there to be known.
            max_len: as of the class.
            clean: as of the class.
            stop_words: as of the class.

        Returns:
            The tokenizer, and `texts` as its `prepare` gives them.

        Raises:
            ValueError: an argument is none of these, or no token is known.
        """
        check_one_of("unit", unit, UNITS)
        check_positive_int("min_count", min_count)
        check_positive_int("max_len", max_len)
        if max_words is not None:
            check_positive_int("max_words", max_words)
        check_cleaning(clean)
        how = tuple(clean), tuple(sorted(stop_words)), max_words, min_count
        bare = cls(unit, (), max_len, *how)
        prepared = bare.prepare(texts)
        counts = Counter(token for text in prepared for token in bare.split(text))
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        known = [token for token, count in ranked if count >= min_count][:max_words]
        if not known:
            raise ValueError(
                f"`min_count` must leave {unit} that are known. Received: "
                f"min_count={min_count} for {len(counts)} different ones"
            )
        return cls(unit, tuple(known), max_len, *how), prepared

    @property
    def size(self) -> int:
        """Numbers that tokens have: those of the vocabulary, 0 and 1."""
        return len(self.vocabulary) + _FIRST

    def prepare(self, texts: Sequence[str]) -> list[str]:
        """Texts as the model of strings takes them: cleaned, and words cut."""
        found = [_sound(clean(text, self.clean)) for text in texts]
        return cut_words(found, self.stop_words) if self.unit == "words" else found

    def split(self, prepared: str) -> list[str]:
        """Tokens of a prepared text, ASCII in lower case, as TensorFlow does it."""
        lower = prepared.encode().lower().decode()
        return lower.split() if self.unit == "words" else list(lower)

    def encode(self, prepared: Iterable[str]) -> list[np.ndarray]:
        """Numbers of the tokens of prepared texts, int32, at most `max_len` each."""
        number = self._numbers
        return [
            np.array(
                [
                    number.get(token, UNKNOWN)
                    for token in self.split(text)[: self.max_len]
                ],
                "int32",
            )
            for text in prepared
        ]

    def tokens(self, numbers: Iterable[int]) -> list[str]:
        """What numbers stand for."""
        names = ("", "[UNK]", *self.vocabulary)
        return [names[number] for number in numbers]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {token: place for place, token in enumerate(self.vocabulary, _FIRST)}

    def save(self, path: str | Path, **facts: Any) -> None:
        """Write it as JSON, with further facts.

        Args:
            path: the file.
            **facts: such as `class_names`.
        """
        write_json(path, {**asdict(self), **facts})


def read_tokenizer(path: str | Path) -> tuple[Tokenizer, dict[str, Any]]:
    """What `Tokenizer.save` wrote, and the further facts.

    Raises:
        ValueError: it is not there, or damaged.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        own = {name: found.pop(name) for name in Tokenizer.__dataclass_fields__}
        lists = {
            name: tuple(own[name]) for name in ("vocabulary", "clean", "stop_words")
        }
        return Tokenizer(**{**own, **lists}), found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"`path` must be a {FILE} as `Tokenizer.save` wrote it. Received: "
            f"path={str(path)!r} ({error})"
        ) from error


def pad(encoded: Sequence[np.ndarray], length: int | None = None) -> np.ndarray:
    """Numbers of several texts as one array, `(n, longest)`, with 0 at the end.

    Args:
        encoded: as of `Tokenizer.encode`.
        length: of the array; None is that of the longest.
    """
    longest = max(map(len, encoded), default=0) if length is None else length
    padded = np.full((len(encoded), longest), NOTHING, "int32")
    for row, numbers in zip(padded, encoded, strict=True):
        row[: len(numbers)] = numbers
    return padded


def _sound(text: str) -> str:
    """Without halves of surrogate pairs, which are no UTF-8."""
    return text.encode("utf-8", "replace").decode()
