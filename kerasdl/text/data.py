"""Texts and labels for training: no text twice, batches of like length."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._checks import check_one_of, first_few
from kerasdl._seeds import resolve_seed
from kerasdl.batches import BatchPlan, BatchStream, TrainingData, stratified_folds

from .buckets import bucketed
from .columns import find_label_column, find_text_column
from .reading import filled, read_folders
from .repeats import Repeats, without_repeats
from .splits import (
    SPLITS,
    check_shares,
    class_names,
    drawn_splits,
    given_splits,
    label_texts,
    read_splits,
)
from .tokenizer import NOTHING, UNKNOWN, Tokenizer, pad

_VALID_BATCH = 256


class TextData(TrainingData):
    """Labelled texts, as `from_frame`, `from_csv` or `from_folder` take them.

    It keeps to `kerasdl.batches.TrainingData`. Batches are pairs of tokens, int32
    `(n, longest of the batch)`, padded by 0, and classes, int32 `(n,)`.

    Attributes:
        frame: a row for each text that is kept: `text`, `label`, `split`, and
            `prepared`, the text as the model of strings takes it.
        tokenizer: of the training texts.
        class_names: in output order.
        batch_size: texts in a batch of `train`.
        word_dropout: share of tokens that training does not see, in [0, 1).
        seed: of splits, order and dropout.
        repeats: what was left out; None where nothing was looked for.
        text_column, label_column: names that they had.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        tokenizer: Tokenizer,
        class_names: Sequence[str],
        batch_size: int = 64,
        word_dropout: float = 0.1,
        *,
        seed: int,
        repeats: Repeats | None = None,
        text_column: str = "text",
        label_column: str = "label",
    ) -> None:
        self.frame, self.tokenizer = frame, tokenizer
        self.class_names, self.batch_size = list(class_names), batch_size
        self.word_dropout, self.seed, self.repeats = word_dropout, seed, repeats
        self.text_column, self.label_column = text_column, label_column
        plan = BatchPlan(len(self.rows("train")), batch_size, True, seed=seed)
        self.stream = BatchStream(self._make, plan.num_batches, workers=1)

        @lru_cache(maxsize=4)
        def batches(epoch: int) -> list[np.ndarray]:
            lengths = np.array([len(text) for text in self.encoded("train")])
            generator = np.random.default_rng((seed, epoch))
            return bucketed(plan.order(epoch), lengths, batch_size, generator)

        self._batches = batches

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        text_column: str | None = None,
        label_column: str | None = None,
        valid: float | None = None,
        test: float = 0.0,
        batch_size: int = 64,
        *,
        split_column: str | None = None,
        unit: str = "characters",
        max_words: int | None = None,
        min_count: int = 2,
        max_len: int = 256,
        clean: Sequence[str] = (),
        stop_words: Collection[str] = (),
        word_dropout: float = 0.1,
        seed: int | None = None,
    ) -> Self:
        """Take texts and labels of a DataFrame, and print what was found and left out.

        Of a text that stands there several times (but for case, width and blanks) one
        row is kept, so that none is in two splits; with several labels, none.

        Args:
            frame: a row for each text; other columns do no harm.
            text_column: of the texts; None finds it, see `columns.find_text_column`.
            label_column: of the labels; None finds it.
            valid: share of each class for validation, in [0, 1); None is 0.1, or 0 with
                `split_column`.
            test: share of each class that is held out besides, in [0, 1).
            batch_size: texts in a batch.
            split_column: of "train", "valid" or "test" for each row; where it names no
                "valid", that share of those of "train" is.
            unit: "characters", or "words" as jieba cuts them.
            max_words: the most frequent tokens that are known; None knows all.
            min_count: how often a token stands in training texts to be known.
            max_len: tokens of a text that are read.
            clean: names of `CLEANING`.
            stop_words: words that are left out.
            word_dropout: share of tokens that training does not see, in [0, 1).
            seed: of splits and order; None draws one and prints it.

        Raises:
            ValueError: an argument is none of these; a label is missing, or held-out
                rows have one that training does not know; or fewer than two classes.
        """
        if not isinstance(frame, pd.DataFrame) or not len(frame):
            raise ValueError(
                "`frame` must be a DataFrame with rows. Received: a "
                f"{type(frame).__name__} of {len(frame)} rows"
            )
        if valid is None:
            valid = 0.1 if split_column is None else 0.0
        check_shares(valid=valid, test=test, word_dropout=word_dropout)
        text = find_text_column(frame, text_column)
        label = find_label_column(frame, text, label_column)
        if text_column is None or label_column is None:
            print(f"texts: column {text!r}; labels: column {label!r}")
        rows = pd.DataFrame(
            {
                "text": filled(frame[text]).to_numpy(object),
                "label": label_texts(frame[label]).to_numpy(object),
            }
        )
        if split_column is not None:
            rows["split"] = given_splits(frame, split_column, valid, test)
        lost = rows.index[(rows["text"].str.strip() != "") & (rows["label"] == "")]
        if len(lost):
            raise ValueError(
                f"`label_column` must have a label for each text. Received: none in "
                f"rows {first_few(lost.tolist())} of {label!r}. Leave them out."
            )
        kept, repeats = without_repeats(
            rows["text"], rows["label"], rows.get("split", None)
        )
        for line in repeats.lines():
            print(line)
        rows = rows[kept].reset_index(drop=True)
        names = class_names(rows["label"], label)
        seed = resolve_seed(seed)
        if split_column is None:
            rows["split"] = "train"
        if valid or test:
            labels = rows["label"][rows["split"] == "train"]
            rows.loc[labels.index, "split"] = drawn_splits(labels, valid, test, seed)
        known = set(rows["label"][rows["split"] == "train"])
        if unknown := [name for name in names if name not in known]:
            raise ValueError(
                "Held-out rows must have labels that training has. Received: "
                f"{first_few(unknown)} in {label!r}, and {first_few(sorted(known))} in "
                "training rows"
            )
        of_train = rows["split"] == "train"
        tokenizer, prepared = Tokenizer.of(
            rows["text"][of_train].tolist(),
            unit,
            max_words=max_words,
            min_count=min_count,
            max_len=max_len,
            clean=clean,
            stop_words=stop_words,
        )
        rows.loc[of_train, "prepared"] = prepared
        rest = rows["text"][~of_train].tolist()
        rows.loc[~of_train, "prepared"] = tokenizer.prepare(rest)
        print(
            f"{len(rows):,} texts of {len(names)} classes: "
            + ", ".join(f"{(rows['split'] == s).sum():,} {s}" for s in SPLITS)
            + f"; {len(tokenizer.vocabulary):,} {unit} known"
        )
        return cls(
            rows,
            tokenizer,
            names,
            batch_size,
            word_dropout,
            seed=seed,
            repeats=repeats,
            text_column=text,
            label_column=label,
        )

    @classmethod
    def from_csv(
        cls,
        file: str | Path | Mapping[str, str | Path],
        text_column: str | None = None,
        label_column: str | None = None,
        *,
        encoding: str = "utf-8",
        **options: Any,
    ) -> Self:
        """Read a CSV or TSV file, or one for each split; see `from_frame`.

        Args:
            file: a path, .gz or not; or paths by "train", "valid" and "test". Rows of
                later ones that earlier ones have too are told, and taken out of those.
            text_column: as of `from_frame`.
            label_column: as of `from_frame`.
            encoding: of the text, such as "gb18030".
            **options: further ones of `from_frame`.

        Raises:
            ValueError: a file cannot be read so, or as by `from_frame`.
        """
        frame = read_splits(file, encoding, text_column, label_column)
        if isinstance(file, Mapping):
            text_column, label_column = frame.columns[:2]
            options = {"split_column": "split", **options}
        return cls.from_frame(frame, text_column, label_column, **options)

    @classmethod
    def from_folder(
        cls, directory: str | Path, *, encoding: str = "utf-8", **options: Any
    ) -> Self:
        """Read `directory/<class>/*.txt`, a text a file; see `from_frame`.

        Args:
            directory: the folder.
            encoding: of the text.
            **options: of `from_frame`.

        Raises:
            ValueError: there are no such files, or as by `from_frame`.
        """
        frame, _ = read_folders(directory, encoding)
        return cls.from_frame(frame, "text", "label", **options)

    def rows(self, split: str) -> pd.DataFrame:
        """Rows of `frame` in a split.

        Raises:
            ValueError: `split` is none of "train", "valid", "test".
        """
        check_one_of("split", split, SPLITS)
        return self.frame[self.frame["split"] == split]

    def labels(self, split: str) -> np.ndarray:
        """Numbers of the classes of a split, int32, in the frame's order."""
        number = {name: place for place, name in enumerate(self.class_names)}
        return self.rows(split)["label"].map(number).to_numpy("int32")

    def encoded(self, split: str) -> list[np.ndarray]:
        """Tokens of a split, in the frame's order."""
        if split not in self._encoded:
            self._encoded[split] = self.tokenizer.encode(self.rows(split)["prepared"])
        return self._encoded[split]

    @cached_property
    def _encoded(self) -> dict[str, list[np.ndarray]]:
        return {}

    @cached_property
    def _train_labels(self) -> np.ndarray:
        return self.labels("train")

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order each pass."""
        return self.stream.dataset(_SIGNATURE)

    @cached_property
    def valid(self) -> tf.data.Dataset | None:
        """Batches for validation, in the frame's order; None without such rows."""
        encoded, labels = self.encoded("valid"), self.labels("valid")
        if not encoded:
            return None
        parts = range(0, len(encoded), _VALID_BATCH)
        batches = [
            (pad(encoded[i : i + _VALID_BATCH]), labels[i : i + _VALID_BATCH])
            for i in parts
        ]
        made = tf.data.Dataset.from_generator(
            lambda: iter(batches), output_signature=_SIGNATURE
        )
        return made.apply(tf.data.experimental.assert_cardinality(len(batches)))

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`."""
        self.stream.next_epoch = epoch

    def batch_files(self, index: int) -> list[str]:
        """Rows of a batch of the pass over `train` that began last."""
        names = self.rows("train").index
        return [
            f"row {name}" for name in names[self._batches(self.stream.epoch)[index]]
        ]

    def class_weights(self) -> dict[int, float]:
        """What makes each class count alike, as `fit_cycles` takes it."""
        counts = np.bincount(self.labels("train"), minlength=len(self.class_names))
        return dict(enumerate((counts.mean() / counts).tolist()))

    def all_for_training(self) -> Self:
        """The same with all texts for training and none held out; the words stay."""
        return self._with(self.frame.assign(split="train"))

    def folds(self, k: int, *, seed: int | None = None) -> Iterator[Self]:
        """Split k times, each with its own vocabulary; each text is held out once.

        Args:
            k: number of folds, at least 2.
            seed: of the draw; None takes that of the data.

        Raises:
            ValueError: as by `batches.stratified_folds`.
        """
        seed = self.seed if seed is None else seed
        own = self.tokenizer
        for train, valid in stratified_folds(self.frame["label"], k, seed=seed):
            split = np.full(len(self.frame), "train", object)
            split[valid] = "valid"
            frame = self.frame.assign(split=split)
            fold, _ = Tokenizer.of(
                frame["text"].iloc[train].tolist(),
                own.unit,
                max_words=own.max_words,
                min_count=own.min_count,
                max_len=own.max_len,
                clean=own.clean,
                stop_words=own.stop_words,
            )
            yield self._with(frame, fold)

    def _with(self, frame: pd.DataFrame, tokenizer: Tokenizer | None = None) -> Self:
        return type(self)(
            frame,
            tokenizer or self.tokenizer,
            self.class_names,
            self.batch_size,
            self.word_dropout,
            seed=self.seed,
            repeats=self.repeats,
            text_column=self.text_column,
            label_column=self.label_column,
        )

    def facts(self) -> dict[str, Any]:
        """What a resumed run must find again."""
        own = self.frame[["text", "label", "split"]]
        held = pd.util.hash_pandas_object(own, index=False)
        return {
            "rows": len(own),
            **{split: int((own["split"] == split).sum()) for split in SPLITS},
            "classes": self.class_names,
            "fingerprint": sha256(held.to_numpy().tobytes()).hexdigest()[:16],
        }

    def _make(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._batches(epoch)[index]
        encoded = self.encoded("train")
        tokens = pad([encoded[row] for row in rows])
        if self.word_dropout:
            drawn = np.random.default_rng((self.seed, epoch, index))
            lost = drawn.random(tokens.shape) < self.word_dropout
            tokens[lost & (tokens != NOTHING)] = UNKNOWN
        return tokens, self._train_labels[rows]


_SIGNATURE = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32))
