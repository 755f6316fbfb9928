"""The noun of translation: pairs of sentences in splits, as ids and as tf.data."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd
import tensorflow as tf

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._described import Described
from kerasdl._names import print_line
from kerasdl._seeds import resolve_seed
from kerasdl.batches import Batch, BatchStream, TrainingData

from .bucket_plan import BucketPlan
from .pairs import read_pairs, with_splits
from .subwords import BEGIN, END, PAD, Subwords, padded

SOURCE, TARGET = "source", "target"
Inputs = Mapping[str, tf.TensorSpec]


class PairData(Described, TrainingData):
    """Sentences and their translations in splits.

    It keeps to `kerasdl.batches.TrainingData`. `train` is shuffled, anew each pass;
    `valid` is in order of length. Both yield `(inputs, truth)`: inputs a dict of
    `source` int32 `(batch, s)`, pieces and their end, and `target` `(batch, t)`, begin
    and pieces; truth `(batch, t)`, pieces and their end. 0 is padding, on the right.

    Args:
        pairs: columns `split`, `source` and `target`, as `read_pairs` gives them. Of
            "train", validation pairs are drawn where there are none, and test pairs
            where it is alone; see `with_splits`.
        pieces: of the vocabulary, which both languages share and training pairs alone
            decide.
        batch_tokens: pieces of a batch; see `BucketPlan`.
        max_length: pieces of a side. Longer training and validation pairs are left out,
            and counted.
        valid: share of the sources for validation.
        test: the same for a test.
        kind: of pieces; see `Subwords.train`.
        seed: of splits and order; None draws one and prints it.

    Attributes:
        pairs: with all splits.
        subwords: the vocabulary.
        batch_size: rows of the largest batch of `train`.
        stream: the `BatchStream` under `train`.
        max_length, batch_tokens, seed: as they were given.

    Raises:
        ValueError: an argument is out of range, or pairs are missing.
    """

    def __init__(
        self,
        pairs: pd.DataFrame,
        pieces: int = 4000,
        batch_tokens: int = 2048,
        max_length: int = 100,
        valid: float = 0.05,
        test: float = 0.05,
        *,
        kind: str = "unigram",
        seed: int | None = None,
    ) -> None:
        check_positive_int("max_length", max_length)
        for name, share in (("valid", valid), ("test", test)):
            if not 0 < share < 0.5:
                raise ValueError(
                    f"`{name}` must be above 0 and below 0.5. Received: {name}={share}"
                )
        self.seed = resolve_seed(seed)
        self.batch_tokens, self.max_length = batch_tokens, max_length
        self.pairs = with_splits(pairs, valid, test, seed=self.seed)
        train = self.pairs[self.pairs["split"] == "train"]
        self.subwords = Subwords.train([*train[SOURCE], *train[TARGET]], pieces, kind)
        self._encoded = {split: self._encode(split) for split in ("train", "valid")}
        self._plans = {
            split: BucketPlan(
                encoded.map(len).to_numpy() + 1,
                batch_tokens,
                split == "train",
                seed=self.seed,
            )
            for split, encoded in self._encoded.items()
        }
        self.batch_size = self._plans["train"].batch_size
        self.stream = self._stream("train")

    @classmethod
    def read(
        cls,
        path: str | Path,
        source: str | None = None,
        target: str | None = None,
        *,
        swap: bool = False,
        encoding: str = "utf-8",
        **options: Any,
    ) -> Self:
        """Read files by `read_pairs`; `options` are the class's."""
        found = read_pairs(path, source, target, swap=swap, encoding=encoding)
        return cls(found, **options)

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order each pass."""
        return self.stream.dataset(_SIGNATURE)

    @cached_property
    def valid(self) -> tf.data.Dataset:
        """Batches for validation."""
        return self._stream("valid").dataset(_SIGNATURE)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, "train" and "valid" first."""
        names = pd.unique(self.pairs["split"])
        rest = [name for name in names if name not in ("train", "valid")]
        return ["train", "valid", *rest]

    def rows(self, split: str) -> pd.DataFrame:
        """Texts of a split in their order, `source` and `target`.

        Raises:
            ValueError: there is no such split.
        """
        check_one_of("split", split, self.splits)
        found = self.pairs[self.pairs["split"] == split]
        return found[[SOURCE, TARGET]].reset_index(drop=True)

    def counts(self) -> pd.DataFrame:
        """Of each split: pairs, and mean words of a source and a target."""
        grouped = self.pairs.assign(
            source_words=self.pairs[SOURCE].str.split().str.len(),
            target_words=self.pairs[TARGET].str.split().str.len(),
        ).groupby("split", sort=False)
        means = grouped[["source_words", "target_words"]].mean().round(1)
        return grouped.size().rename("pairs").to_frame().join(means).loc[self.splits]

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`."""
        self.stream.next_epoch = epoch

    def batch_files(self, index: int) -> list[str]:
        """Sources of a batch of the pass over `train` that began last."""
        rows = self._plans["train"].rows(self.stream.epoch, index)
        return self.pairs.loc[self._encoded["train"].index[rows], SOURCE].tolist()

    def facts(self) -> dict[str, Any]:
        """What a resumed run must find again, as JSON can hold it."""
        digest = hashlib.sha256(self.subwords.model)
        digest.update(pd.util.hash_pandas_object(self.pairs).to_numpy().tobytes())
        names = ("batch_tokens", "max_length", "seed")
        return {
            **{name: getattr(self, name) for name in names},
            "pieces": len(self.subwords),
            "pairs": self.pairs["split"].value_counts().to_dict(),
            "fingerprint": digest.hexdigest()[:16],
        }

    def _facts(self) -> dict[str, str]:
        counts = self.pairs["split"].value_counts()
        shown = [f"{counts[split]:,} {split}" for split in self.splits]
        return {
            "pairs": ", ".join(shown),
            "pieces": f"{len(self.subwords):,}",
            "batches": f"of {self.batch_tokens:,} pieces",
            "seed": str(self.seed),
        }

    def _encode(self, split: str) -> pd.DataFrame:
        """Ids of both sides of the pairs that are short enough."""
        texts = self.pairs[self.pairs["split"] == split]
        sides = {side: self.subwords.encode(texts[side]) for side in (SOURCE, TARGET)}
        found = pd.DataFrame(sides, texts.index, dtype=object)
        is_short = (found.map(len) < self.max_length).all(axis=1)
        if gone := int((~is_short).sum()):
            print_line(
                f"{gone:,} {split} pairs with {self.max_length} pieces or more are "
                "left out"
            )
        if not is_short.any():
            raise ValueError(
                "`max_length` must leave pairs for training and for validation. "
                f"Received: max_length={self.max_length}, none for {split}"
            )
        return found[is_short]

    def _stream(self, split: str) -> BatchStream:
        plan = self._plans[split]
        sources, targets = (
            self._encoded[split][side].tolist() for side in (SOURCE, TARGET)
        )

        def make_batch(epoch: int, index: int) -> Batch:
            rows = plan.rows(epoch, index)
            source = padded([[*sources[row], END] for row in rows])
            target = padded([[BEGIN, *targets[row], END] for row in rows])
            inputs = target[:, :-1].copy()
            inputs[inputs == END] = PAD  # of shorter rows
            return {SOURCE: source, TARGET: inputs}, target[:, 1:]

        return BatchStream(make_batch, plan.num_batches)


_ROWS = tf.TensorSpec((None, None), tf.int32)
_SIGNATURE = ({SOURCE: _ROWS, TARGET: _ROWS}, _ROWS)
