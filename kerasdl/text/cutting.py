"""Chinese text cut into words by jieba, in several processes where it is much."""

import logging
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from kerasdl._checks import check_positive_int
from kerasdl._optional import require
from kerasdl._parallel import num_cpus
from kerasdl._progress import show_progress

# Characters from which on processes, of which each reads jieba's words first, pay.
_MANY = 4_000_000
_SHOWN = 200_000  # ... on which a person waits for seconds
_CHUNK = 200  # texts


def cut_words(
    texts: Sequence[str],
    stop_words: Collection[str] = (),
    workers: int | None = None,
) -> list[str]:
    """Cut texts into words, one blank between.

    Args:
        texts: strings.
        stop_words: that are left out.
        workers: processes; None takes one for each processor where the texts are long
            enough to be worth it.

    Raises:
        ImportError: the extra `text` is not installed.
    """
    jieba = require("jieba", "text")
    jieba.setLogLevel(logging.WARNING)
    size = sum(map(len, texts))
    if workers is None:
        workers = num_cpus() if size >= _MANY else 1
    check_positive_int("workers", workers)
    dropped = frozenset(stop_words)
    if workers == 1:
        return _joined(map(jieba.lcut, texts), len(texts), dropped, size)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        # By its name in jieba, so that processes import no more than that.
        found = pool.map(jieba._lcut, texts, chunksize=_CHUNK)
        return _joined(found, len(texts), dropped, size)


def _joined(
    found: Iterable[Any], total: int, dropped: frozenset[str], size: int
) -> list[str]:
    if size >= _SHOWN:
        found = show_progress(found, total, "words", unit="texts")
    return [
        " ".join(word for word in words if not word.isspace() and word not in dropped)
        for words in found
    ]
