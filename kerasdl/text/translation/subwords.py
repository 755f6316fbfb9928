"""Pieces of words that both languages share, by sentencepiece."""

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._optional import require

PAD, UNKNOWN, BEGIN, END = range(4)
KINDS = ("unigram", "word")
_LEAST = 16


class Subwords:
    """A vocabulary of pieces; ids 0 to 3 are pad, unknown, begin and end.

    Args:
        model: what sentencepiece wrote, the content of a `.model` file.

    Raises:
        ImportError: sentencepiece is not installed.
        ValueError: `model` is nothing of sentencepiece's, or of other ids.
    """

    def __init__(self, model: bytes) -> None:
        sentencepiece = require("sentencepiece", "text")
        try:
            self._pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (RuntimeError, OSError, ValueError) as error:
            raise ValueError(
                "`model` must be a model of sentencepiece. Received: "
                f"{len(model):,} bytes ({error})"
            ) from error
        self.model = model
        own = self._pieces
        ids = (own.pad_id(), own.unk_id(), own.bos_id(), own.eos_id())
        if ids != (PAD, UNKNOWN, BEGIN, END):
            raise ValueError(
                "`model` must have the ids 0, 1, 2, 3 for pad, unknown, begin, end. "
                f"Received: {ids}"
            )

    @classmethod
    def train(
        cls, texts: Iterable[str], size: int = 4000, kind: str = "unigram"
    ) -> Self:
        """Learn pieces of texts; the same texts in the same order give the same.

        Digits stand alone, and of letters that are rarer than one in 2,000 there is no
        piece.

        Args:
            texts: of both languages.
            size: pieces at most; of few texts there are fewer.
            kind: "unigram", or "word" for whole words between blanks.

        Raises:
            ValueError: `size` is below 16, or leaves no piece for each letter; `kind`
                is none of these; or there is no text of at most 4,192 bytes.
        """
        check_positive_int("size", size)
        check_one_of("kind", kind, KINDS)
        texts = [text for text in texts if text]
        if size < _LEAST or not texts:
            raise ValueError(
                f"`size` must be at least {_LEAST}, and `texts` must hold some. "
                f"Received: size={size}, {len(texts)} texts"
            )
        sentencepiece = require("sentencepiece", "text")
        found = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=found,
                vocab_size=size,
                model_type=kind,
                character_coverage=0.9995,
                hard_vocab_limit=False,
                split_digits=kind != "word",
                normalization_rule_name="identity",
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BEGIN,
                eos_id=END,
                num_threads=2,  # sums, and so pieces, depend on it
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(_reason(str(error), size, len(texts))) from error
        return cls(found.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a `.model` file.

        Raises:
            ValueError: there is none, or it is damaged.
        """
        if not Path(path).is_file():
            raise ValueError(
                f"`path` must be an existing file. Received: path={str(path)!r}"
            )
        return cls(Path(path).read_bytes())

    def save(self, path: str | Path) -> None:
        """Write a `.model` file, whole or not at all."""
        write_bytes(path, self.model)

    def __len__(self) -> int:
        return self._pieces.get_piece_size()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of the pieces of each text, without begin and end."""
        return self._pieces.encode(list(texts), num_threads=1)

    def decode(self, rows: Iterable[Sequence[int] | np.ndarray]) -> list[str]:
        """Text of each row of ids, up to its end; pad and unknown are passed over."""
        texts = []
        for row in rows:
            ids = np.asarray(row, int).tolist()
            ids = ids[: ids.index(END)] if END in ids else ids
            kept = [piece for piece in ids if piece not in (PAD, UNKNOWN, BEGIN)]
            texts.append(self._pieces.decode(kept) if kept else "")
        return texts

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Pieces as they are written; a word begins with a low line."""
        return [self._pieces.id_to_piece(int(number)) for number in ids]


def _reason(error: str, size: int, count: int) -> str:
    """What is wrong with the texts, from what sentencepiece says of it."""
    if least := re.search(r"\d+ vs (\d+)", error):
        return (
            f"`size` must be at least {least[1]}, so that each letter of the texts has "
            f"a piece. Received: size={size}"
        )
    return (
        "`texts` must hold some of letters and of at most 4,192 bytes. Received: "
        f"{count:,} others ({error.strip()})"
    )


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Rows of ids as one int32 array, padded on the right."""
    found = np.full((len(rows), max(map(len, rows), default=0)), PAD, np.int32)
    for row, ids in zip(found, rows, strict=True):
        row[: len(ids)] = ids
    return found
