"""One HTML page that shows how well a detector finds the objects of a split."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import keras
import pandas as pd

from kerasdl import page, plots
from kerasdl._checks import check_writable
from kerasdl._described import Described, some

from . import pictures
from .annotations import Annotations
from .data import BoxData
from .detections import Detections
from .evaluation import detect_split
from .measures import average_precision, best_threshold, curves
from .mistakes import BACKGROUND, confusion, missed, mistakes, outcomes

_SHOWN = 12  # pictures of a gallery


@dataclass(frozen=True, eq=False, repr=False)
class DetectionReport(Described):
    """Answers to a split, and what they are worth.

    Attributes:
        truth: photos and boxes of the split.
        found: the answers.
        coco: a row for each class and, the last, "all"; see `average_precision`.
        voc: the same by VOC's area and 11 points, `ap50` and `ap50_11_points`.
        best: the threshold of the best F1, and what it gives.
        masks: as `coco`, of masks; None of a detector without.
    """

    truth: Annotations
    found: Detections
    coco: pd.DataFrame
    voc: pd.DataFrame
    best: dict[str, float]
    masks: pd.DataFrame | None = None

    @classmethod
    def of(cls, model: keras.Model, data: BoxData, split: str = "valid") -> Self:
        """Ask a model, and judge its answers.

        Args:
            model: as `detect_split` takes it.
            data: of its training.
            split: one of its splits.
        """
        truth, found = data.of_split(split), detect_split(model, data, split)
        area, points = (
            average_precision(truth, found.boxes, method)["ap50"]
            for method in ("voc", "voc2007")
        )
        return cls(
            truth=truth,
            found=found,
            coco=average_precision(truth, found.boxes),
            voc=pd.DataFrame({"ap50": area, "ap50_11_points": points}),
            best=best_threshold(truth, found.boxes),
            masks=average_precision(truth, found.boxes, masks=True)
            if "mask" in found.boxes
            else None,
        )

    @property
    def scores(self) -> dict[str, float]:
        """What a manifest keeps: COCO's means, VOC's, and the best F1."""
        means = self.coco.iloc[-1].rename({"small": "map_small"})
        means = means.rename({"medium": "map_medium", "large": "map_large"})
        of_voc = {"voc_ap50": self.voc["ap50"].iloc[-1]}
        named = {**means, **of_voc, **self.best}
        if self.masks is not None:
            of_masks = self.masks[["map", "ap50", "ap75"]].iloc[-1]
            named |= of_masks.add_prefix("mask_").to_dict()
        return {name: float(value) for name, value in named.items() if value == value}

    def _facts(self) -> dict[str, str]:
        return {
            "photos": f"{len(self.truth.photos):,}",
            "boxes": f"{len(self.truth.boxes):,}",
            "classes": some(self.truth.class_names),
        } | {name.replace("_", " "): f"{x:.4f}" for name, x in self.scores.items()}

    def save(
        self,
        path: str | Path,
        title: str = "Detection report",
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
        sections = [
            ("Result", self._result()),
            ("Curves", self._curves()),
            ("Mistakes", self._mistakes()),
            ("Worst misses", self._misses()),
            ("Worst false alarms", self._alarms()),
        ]
        sections += page.closing(history, settings, _training)
        intro = page.note(
            f"{len(self.truth.photos):,} photos, {len(self.truth.boxes):,} boxes of "
            f"{len(self.truth.class_names)} classes"
        )
        page.save_page(path, title, intro, sections)

    def _result(self) -> str:
        whole, best = self.coco.iloc[-1], self.best
        large = {
            "mAP": (f"{whole['map']:.3f}", "COCO, IoU .50 to .95"),
            "AP50": (f"{whole['ap50']:.3f}", "COCO, IoU .50"),
            "AP75": (f"{whole['ap75']:.3f}", "COCO, IoU .75"),
            "F1": (f"{best['f1']:.3f}", f"best, at a score of {best['threshold']:.2f}"),
        }
        # Side by side as they stand: a class may be called as their mean is.
        parts = [self.coco, self.voc.add_prefix("voc_")]
        if self.masks is not None:
            parts.append(self.masks[["map", "ap50", "ap75"]].add_prefix("mask_"))
        table = pd.concat(parts, axis=1)
        form = dict.fromkeys(table, ".3f")
        order = ""
        if len(table) > page.FIRST:  # as the page hides those below
            classes = table[:-1].sort_values("map", kind="stable")
            table = pd.concat([table[-1:], classes])
            order = ", the lowest first"
        return page.numbers(large) + page.table(
            table, f"Average precision{order}", form, search="class"
        )

    def _curves(self) -> str:
        found = dict(curves(self.truth, self.found.boxes))
        return page.row(
            [
                page.chart(
                    pictures.save_precision_recall,
                    found,
                    alt=f"Precision over recall of {len(found)} classes",
                    caption="As more answers are taken, IoU .5.",
                ),
                page.chart(
                    pictures.save_by_threshold,
                    found,
                    self.best["threshold"],
                    alt="Precision, recall and F1 over the score",
                    caption="Means of the classes; dotted: the best F1.",
                ),
            ]
        )

    def _mistakes(self) -> str:
        threshold, boxes = self.best["threshold"], self.found.boxes
        table = mistakes(self.truth, boxes, threshold)
        counts = confusion(self.truth, boxes, threshold)
        return page.row(
            [
                page.chart(
                    pictures.save_mistakes,
                    table,
                    alt=f"Cost of {len(table)} kinds of mistakes",
                    caption="What is lost to each kind of mistake.",
                ),
                page.chart(
                    plots.save_confusion,
                    counts,
                    [*self.truth.class_names, BACKGROUND],
                    alt=f"Confusion matrix of {len(counts)} classes",
                    caption="Rows by true class, columns by answer.",
                ),
            ]
        ) + page.table(table, "Mistakes at that score, and AP lost to all of a kind")

    def _misses(self) -> str:
        """Photos with missed boxes, the largest share of the photo first."""
        boxes = self.found.boxes
        above = boxes[boxes["score"] >= self.best["threshold"]]
        gone = missed(self.truth, outcomes(self.truth, above))
        area = (gone["x2"] - gone["x1"]) * (gone["y2"] - gone["y1"])
        sizes = self.truth.photos.loc[gone["file"], ["height", "width"]].prod(axis=1)
        order = (area / sizes.to_numpy()).sort_values(ascending=False).index
        names = gone.loc[order].groupby("file", sort=False)["label"].agg(", ".join)
        return self._gallery({f: f"missed: {name}" for f, name in names.items()})

    def _alarms(self) -> str:
        """Photos with answers that are wrong, the surest first."""
        found = outcomes(self.truth, self.found.boxes)
        wrong = found[(found["kind"] != "right")]
        wrong = wrong[wrong["score"] >= self.best["threshold"]].drop_duplicates("file")
        return self._gallery(
            {r.file: f"{r.kind}: {r.label} {r.score:.2f}" for r in wrong.itertuples()}
        )

    def _gallery(self, lines: Mapping[str, str]) -> str:
        if not lines:
            return page.note("none")
        shown = [
            page.picture(
                self.found.drawn(file, self.best["threshold"]),
                file,
                [("wrong", line)],
                f"{file}, {line}",
            )
            for file, line in list(lines.items())[:_SHOWN]
        ]
        return page.gallery(shown)


def _training(history: pd.DataFrame) -> str:
    parts = [page.training(history)]
    if "val_map" in history:
        chart = page.chart(
            pictures.save_measures,
            history,
            alt=f"mAP of {int(history['val_map'].count())} measures",
            caption="The validation photos, where they were measured.",
        )
        parts.insert(0, chart)
    return "".join(parts)
