"""One HTML page that shows how well sentences are translated."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl import page
from kerasdl._checks import check_writable

from .pair_data import PairData
from .pictures import as_drawn, save_attention
from .scores import sentence_chrf, translation_scores
from .translator import Translator, without_blanks

GREEDY = 1
_SHOWN = 12  # sentences of a table
_DRAWN = 3  # pictures of attention
_LONGEST = 24  # pieces of a sentence that is drawn


@dataclass(frozen=True, eq=False)
class TranslationReport:
    """Translations of the held-out splits, and what they are worth.

    Attributes:
        translator: that was asked.
        rows: by split, a table of `source`, `target` and `translation` by the most
            beams.
        scores: a row for each split and number of beams: `split`, `beams`, what
            `translation_scores` gives, and `seconds` of the search.
    """

    translator: Translator
    rows: dict[str, pd.DataFrame]
    scores: pd.DataFrame

    @classmethod
    def of(
        cls,
        translator: Translator,
        data: PairData,
        beams: Sequence[int] = (GREEDY, 5),
    ) -> "TranslationReport":
        """Translate every split but the training's, and judge it.

        Args:
            translator: that is asked.
            data: of its training.
            beams: numbers of kept translations, one after the other.
        """
        rows, scores = {}, []
        for split in data.splits[1:]:
            table = data.rows(split)
            table["target"] = table["target"].map(without_blanks)
            for number in beams:
                began = time.monotonic()
                found = translator.translate(table["source"].tolist(), number)
                seconds = time.monotonic() - began
                measured = translation_scores(found, table["target"].tolist())
                facts = {"split": split, "pairs": len(table), "beams": number}
                scores.append({**facts, **measured, "seconds": round(seconds, 1)})
                rows[split] = table.assign(translation=found)
        return cls(translator, rows, pd.DataFrame(scores))

    @property
    def results(self) -> dict[str, Any]:
        """What a manifest keeps: the scores of each split by the most beams, and all.

        BLEU and chrF are named by their split, such as `test_2016_flickr_bleu`.
        """
        last = self.scores.groupby("split", sort=False).last()
        named = {
            f"{split}_{name}": float(row[name])
            for split, row in last.iterrows()
            for name in ("bleu", "chrf")
        }
        return {**named, "scores": self.scores.to_dict("records")}

    def save(
        self,
        path: str | Path,
        title: str = "Translation report",
        settings: Mapping[str, Any] | None = None,
        history: pd.DataFrame | None = None,
    ) -> None:
        """Write the page.

        Args:
            path: the `.html` file.
            title: its headline.
            settings: names and values, such as a run's manifest.
            history: a row for each epoch.

        Raises:
            ValueError: `path` is in no folder.
        """
        check_writable("path", path)
        split = list(self.rows)[-1]
        rows = self.rows[split]
        rows = rows.assign(chrf=sentence_chrf(rows["translation"], rows["target"]))
        sections = [
            ("Result", self._result()),
            ("Translations", _sentences(rows.head(_SHOWN), f"The first of {split}")),
            ("Mistakes", _sentences(_worst(rows), f"The lowest chrF of {split}")),
            ("Attention", self._attention(rows)),
        ]
        sections += page.closing(history, settings)
        counts = [f"{len(table):,} of {name}" for name, table in self.rows.items()]
        page.save_page(path, title, page.note(", ".join(counts)), sections)

    def _result(self) -> str:
        last = self.scores.groupby("split", sort=False).last()
        large = {
            f"BLEU, {split}": (f"{row['bleu']:.1f}", f"chrF {row['chrf']:.1f}")
            for split, row in last.iterrows()
        }
        table = self.scores.set_index("split")
        signatures = table[["bleu_signature", "chrf_signature"]].iloc[0]
        form = {"bleu": ".2f", "chrf": ".2f", "exact": ".1%", "seconds": ".1f"}
        shown = table.drop(columns=list(signatures.index))
        return (
            page.numbers(large)
            + page.table(shown, "By number of beams", form)
            + page.note(f"BLEU: {signatures['bleu_signature']}")
            + page.note(f"chrF: {signatures['chrf_signature']}")
        )

    def _attention(self, rows: pd.DataFrame) -> str:
        encode = self.translator.subwords.encode
        sides = [encode(rows[name].tolist()) for name in ("source", "translation")]
        lengths = [max(map(len, pair)) for pair in zip(*sides, strict=True)]
        charts = []
        for row in rows[[0 < n < _LONGEST for n in lengths]].head(_DRAWN).itertuples():
            found = self.translator.attention(row.source, row.translation)
            charts.append(
                page.chart(
                    save_attention,
                    *found,
                    alt=f"Weights of {len(found[0])} pieces for {len(found[1])}",
                    caption=f"{row.source} Rows: {row.translation}"
                    + _numbers("Columns", found[0])
                    + _numbers("Rows", found[1]),
                )
            )
        return page.row(charts) if charts else page.note("no sentence is short enough")


def _numbers(side: str, pieces: Sequence[str]) -> str:
    """What stands behind the numbers of a picture without letters."""
    drawn = zip(as_drawn(pieces), pieces, strict=True)
    numbered = [
        f"{name} {piece}"
        for name, piece in drawn
        if name != piece and name.startswith("#")
    ]
    return f" {side}: {' '.join(numbered)}." if numbered else ""


def _worst(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("chrf", kind="stable").head(_SHOWN)


def _sentences(rows: pd.DataFrame, caption: str) -> str:
    shown = rows.set_index("source")[["translation", "target", "chrf"]]
    return page.table(shown, caption, {"chrf": ".1f"})
