"""Ways to clean a text, each a function of it; `clean` does several in order."""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence

from kerasdl._checks import check_one_of
from kerasdl._optional import require

_TAG = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]*>", re.S)
# All that is neither a letter, a digit, a blank nor what ends or parts sentences.
_SPECIAL = re.compile(r"[^\w\s.,;:!?'\-。，、；：！？]|_")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Of ain't nobody knows whether it is "am not", "is not" or "has not".
_WHOLE = {
    "ain't": "ain't",
    "can't": "cannot",
    "won't": "will not",
    "shan't": "shall not",
}
# Not 's, which may be "is", "has" or whose something is.
_ENDINGS = {
    "n't": " not",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'d": " would",
    "'m": " am",
}


def strip_html(text: str) -> str:
    """Take tags out, and write entities such as `&amp;` as what they stand for."""
    return html.unescape(_TAG.sub(" ", text))


def strip_accents(text: str) -> str:
    """Write Latin letters with accents without them; other scripts stay."""
    letters: list[str] = []
    for letter in text:
        if unicodedata.combining(letter) and letters and letters[-1].isascii():
            continue  # an accent by itself
        base = unicodedata.normalize("NFD", letter)[0]
        letters.append(base if base.isascii() else letter)
    return "".join(letters)


def expand_contractions(text: str) -> str:
    """Write English contractions out: "don't" is "do not", "we're" "we are"."""

    def expand(match: re.Match) -> str:
        word = match.group()
        if (lower := word.lower()) in _WHOLE:
            whole = _WHOLE[lower]
            return whole.capitalize() if word[0].isupper() else whole
        for ending, meaning in _ENDINGS.items():
            if lower.endswith(ending):
                return word[: -len(ending)] + meaning
        return word

    return _WORD.sub(expand, text.replace("\u2019", "'"))


def strip_special(text: str) -> str:
    """Put a blank for all but letters, digits and the marks of sentences."""
    return _SPECIAL.sub(" ", text)


def stem(text: str, language: str = "english") -> str:
    """Cut words down to their stems: watches, watching and watched are watch.

    Raises:
        ImportError: the extra `text` is not installed.
    """
    stemmer = require("snowballstemmer", "text").stemmer(language)
    return _WORD.sub(lambda match: stemmer.stemWord(match.group().lower()), text)


def lemmatize(text: str, language: str = "en") -> str:
    """Write words as a dictionary has them: mice are mouse.

    Raises:
        ImportError: the extra `text` is not installed.
    """
    simplemma = require("simplemma", "text")
    return _WORD.sub(
        lambda match: simplemma.lemmatize(match.group(), lang=language), text
    )


def join_blanks(text: str) -> str:
    """Make one blank of several, and none at either end."""
    return " ".join(text.split())


CLEANING: dict[str, Callable[[str], str]] = {
    "html": strip_html,
    "accents": strip_accents,
    "contractions": expand_contractions,
    "special": strip_special,
    "stems": stem,
    "lemmas": lemmatize,
    "blanks": join_blanks,
}


def check_cleaning(steps: Sequence[str]) -> None:
    """Raise ValueError unless `steps` are names of `CLEANING`."""
    for step in steps:
        check_one_of("clean", step, CLEANING)


def clean(text: str, steps: Sequence[str]) -> str:
    """Clean a text by steps of `CLEANING`, in this order.

    Raises:
        ValueError: a step is none.
    """
    check_cleaning(steps)
    for step in steps:
        text = CLEANING[step](text)
    return text
