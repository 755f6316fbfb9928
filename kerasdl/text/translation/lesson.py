"""Sentences as the course's lesson on translation cuts them."""

import re
import unicodedata
from functools import cache
from typing import Any

import pandas as pd

from kerasdl._names import print_line
from kerasdl._optional import require

MAX_WORDS = 10
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def lesson_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs as the lesson has them, words between blanks.

    Those with more than ten words on a side are left out, and counted.

    Args:
        pairs: as `read_pairs` gives them.

    Raises:
        ImportError: jieba or OpenCC is not installed, and a text is Chinese.
        ValueError: no pair is left.
    """
    sides = ["source", "target"]
    found = pairs.copy()
    found[sides] = found[sides].map(lesson_text)
    counts = found[sides].map(lambda text: len(text.split()))
    is_short = ((counts > 0) & (counts <= MAX_WORDS)).all(axis=1)
    print_line(
        f"{is_short.sum():,} pairs of at most {MAX_WORDS} words, of {len(pairs):,}"
    )
    if not is_short.any():
        raise ValueError(
            f"`pairs` must hold some of at most {MAX_WORDS} words. Received: "
            f"{len(pairs):,} longer ones"
        )
    return found[is_short].reset_index(drop=True)


def lesson_text(text: str) -> str:
    """A text as the lesson has it.

    Chinese becomes simplified, and jieba cuts it; of any other language letters become
    small ones of ASCII, and what is neither a letter nor one of .!? a blank.
    """
    if _CHINESE.search(text):
        simplified, jieba = _chinese()
        words = jieba.cut(simplified.convert(text), cut_all=False)
        return " ".join(word for word in words if word.strip())
    letters = unicodedata.normalize("NFD", text.lower())
    ascii_ = "".join(c for c in letters if unicodedata.category(c) != "Mn")
    parted = re.sub(r"([.!?])", r" \1", ascii_)
    return re.sub(r"[^a-z.!?]+", " ", parted).strip()


@cache
def _chinese() -> tuple[Any, Any]:
    """What makes traditional characters simplified, and what finds words."""
    jieba = require("jieba", "text")
    jieba.setLogLevel("WARNING")
    return require("opencc", "text").OpenCC("t2s"), jieba
