"""Language models that count: runs of n words, their logarithms, perplexity."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from kerasdl._checks import check_positive_int

START, END, OTHER = "<s>", "</s>", "<unk>"


class NGramModel:
    """How likely a word is after the n - 1 before it, counted.

    P(w | h) = (count(h w) + k) / (count(h) + k V) of V words, the end and the unknown
    one among them. Before a sentence stand n - 1 start symbols.

    Args:
        size: n; 2 is a bigram.
        smoothing: k, added to each count, of at least 0.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __init__(self, size: int = 2, smoothing: float = 1.0) -> None:
        check_positive_int("size", size)
        if not smoothing >= 0:
            raise ValueError(
                f"`smoothing` must be at least 0. Received: smoothing={smoothing!r}"
            )
        self.size, self.smoothing = size, smoothing
        self.runs: Counter[tuple[str, ...]] = Counter()
        self.before: Counter[tuple[str, ...]] = Counter()
        self.words: set[str] = {END, OTHER}

    def fit(self, sentences: Iterable[Sequence[str]]) -> Self:
        """Count the runs of sentences, each a sequence of words."""
        sentences = [list(sentence) for sentence in sentences]
        self.words |= {word for sentence in sentences for word in sentence}
        for sentence in sentences:
            for run in self._runs(sentence):
                self.runs[run] += 1
                self.before[run[:-1]] += 1
        return self

    def log_probability(self, sentence: Sequence[str]) -> float:
        """Natural logarithm of the probability of a sentence and its end.

        Minus infinity where a run was never seen and nothing is smoothed.
        """
        return float(sum(self._log(run) for run in self._runs(list(sentence))))

    def perplexity(self, sentences: Iterable[Sequence[str]]) -> float:
        """Exp of minus the mean logarithm of a word; ends count as words."""
        total, count = 0.0, 0
        for sentence in sentences:
            total += self.log_probability(sentence)
            count += len(sentence) + 1
        if not count:
            raise ValueError("`sentences` must hold at least one. Received: none")
        return float(np.exp(-total / count))

    def _runs(self, sentence: list[str]) -> Iterable[tuple[str, ...]]:
        known = [word if word in self.words else OTHER for word in sentence]
        padded = [START] * (self.size - 1) + known + [END]
        ends = range(self.size, len(padded) + 1)
        return [tuple(padded[end - self.size : end]) for end in ends]

    def _log(self, run: tuple[str, ...]) -> float:
        above = self.runs[run] + self.smoothing
        below = self.before[run[:-1]] + self.smoothing * len(self.words)
        return float(np.log(above / below)) if above else -np.inf
