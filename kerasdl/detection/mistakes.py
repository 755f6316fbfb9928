"""What kinds of mistakes there are, and how much each costs."""

from dataclasses import replace

import numpy as np
import pandas as pd

from .annotations import BOX, Annotations, are_ignored
from .measures import average_precision, iou_matrix

RIGHT, DOUBLE, PLACED, CLASS, BACKGROUND, MISSED = (
    "right",
    "double",
    "badly placed",
    "wrong class",
    "background",
    "missed",
)
MISTAKES = (MISSED, DOUBLE, PLACED, CLASS, BACKGROUND)
_NEAR, _SAME = 0.1, 0.5  # IoU: an answer to something, an answer that fits it


def outcomes(truth: Annotations, answers: pd.DataFrame) -> pd.DataFrame:
    """What each answer is: `answers`, the best first, with `kind` and `box`.

    "right": IoU of .5 with a box of its class that no better answer has; "double": one
    has. "wrong class": with a box of another class; "badly placed": IoU of .1 with one
    of its class; "background": neither. Answers to difficult boxes and crowds are left
    out. `box` is the row in `truth.boxes` that an answer is nearest to, or -1.

    Args:
        truth: photos and boxes.
        answers: as in `average_precision`.

    Reference:
        Bolya et al., 2020, TIDE, https://arxiv.org/abs/2008.08115, section 2.2; what is
        badly placed and of another class is "background" here.
    """
    answers = answers.sort_values("score", ascending=False, kind="stable")
    groups = truth.boxes.groupby("file").indices
    corners, labels = truth.boxes[BOX].to_numpy(), truth.boxes["label"].to_numpy()
    ignored = are_ignored(truth.boxes).to_numpy()
    taken: set[int] = set()
    kinds, nearest = [], []
    for row in answers[["file", "label", *BOX]].itertuples(index=False):
        rows = groups.get(row.file, np.zeros(0, int))
        overlaps = iou_matrix(np.array([row[2:]]), corners[rows])[0]
        is_own = labels[rows] == row.label
        kind, place = BACKGROUND, -1
        for wanted, least, found in (
            (RIGHT, _SAME, is_own),
            (CLASS, _SAME, ~is_own),
            (PLACED, _NEAR, is_own),
        ):
            best = np.where(found, overlaps, -1).argmax() if len(rows) else -1
            if best >= 0 and found[best] and overlaps[best] >= least:
                kind, place = wanted, int(rows[best])
                break
        if kind == RIGHT and ignored[place]:
            kind = ""
        elif kind == RIGHT and place in taken:
            kind = DOUBLE
        elif kind == RIGHT:
            taken.add(place)
        kinds.append(kind)
        nearest.append(place)
    found = answers.assign(kind=kinds, box=nearest)
    return found[found["kind"] != ""]


def missed(truth: Annotations, found: pd.DataFrame) -> pd.DataFrame:
    """The boxes that no right answer of `found`, as of `outcomes`, has."""
    boxes = truth.boxes[~are_ignored(truth.boxes)]
    right = found.loc[found["kind"] == RIGHT, "box"]
    return boxes.drop(truth.boxes.index[right], errors="ignore")


def mistakes(
    truth: Annotations, answers: pd.DataFrame, threshold: float
) -> pd.DataFrame:
    """How many mistakes of each kind there are, and what they cost.

    Args:
        truth: photos and boxes.
        answers: as in `average_precision`.
        threshold: score of the answers that are counted.

    Returns:
        A row for each of `MISTAKES`: `count`, and `cost`, by how much the mean VOC AP
        at IoU .5 of all answers rises if mistakes of this kind alone are put right.
    """
    found = outcomes(truth, answers)
    above = outcomes(truth, answers[answers["score"] >= threshold])
    whole = _mean(truth, found)
    counts = above["kind"].value_counts()
    counts[MISSED] = len(missed(truth, above))
    costs = {kind: _mean(*_mended(truth, found, kind)) - whole for kind in MISTAKES}
    if np.isnan(costs[MISSED]):  # all were missed: without them nothing is lost
        costs[MISSED] = 1 - whole
    table = pd.DataFrame({"count": counts, "cost": costs})
    return table.reindex(MISTAKES).fillna({"count": 0}).astype({"count": int})


def confusion(
    truth: Annotations, answers: pd.DataFrame, threshold: float
) -> np.ndarray:
    """Boxes by true class (rows) and answered class (columns), background the last.

    An answer, the best first, goes to the free box it has the largest IoU with, of .5
    at least, whatever its class. One that has it with difficult boxes or crowds alone
    counts nothing.

    Args:
        truth: photos and boxes.
        answers: as in `average_precision`.
        threshold: score of the answers that are counted.

    Returns:
        `(classes + 1, classes + 1)` int64.
    """
    names = pd.Index(truth.class_names)
    boxes, classes = truth.boxes, truth.labels()
    ignored = are_ignored(boxes).to_numpy()
    corners, groups = boxes[BOX].to_numpy(), boxes.groupby("file").indices
    answers = answers[answers["score"] >= threshold]
    answers = answers.sort_values("score", ascending=False, kind="stable")
    given = names.get_indexer(answers["label"])
    counts = np.zeros((len(names) + 1,) * 2, int)
    free = np.ones(len(boxes), bool)
    for file, box, answer in zip(
        answers["file"], answers[BOX].to_numpy(), given, strict=True
    ):
        rows = groups.get(file, np.zeros(0, int))
        overlaps = iou_matrix(box[None], corners[rows])[0] * free[rows]
        true, fits = len(names), overlaps >= _SAME
        if fits.any():
            best = rows[np.where(fits, overlaps - ignored[rows], -1).argmax()]
            if ignored[best]:
                continue
            free[best], true = False, classes[best]
        counts[true, answer] += 1
    np.add.at(counts[:, -1], classes[free & ~ignored], 1)
    return counts


def _mean(truth: Annotations, answers: pd.DataFrame) -> float:
    return float(average_precision(truth, answers, "voc")["ap50"].iloc[-1])


def _mended(
    truth: Annotations, found: pd.DataFrame, kind: str
) -> tuple[Annotations, pd.DataFrame]:
    """Truth and answers without the mistakes of a kind."""
    if kind == MISSED:
        # Those that other mistakes are about are theirs.
        near = truth.boxes.index[found.loc[found["box"] >= 0, "box"]]
        gone = missed(truth, found).index.difference(near)
        return replace(truth, boxes=truth.boxes.drop(gone)), found
    own = found["kind"] == kind
    if kind in (DOUBLE, BACKGROUND):
        return truth, found[~own]
    right = set(found.loc[found["kind"] == RIGHT, "box"])
    mended = found.astype(dict.fromkeys(BOX, "float64"))
    first = own & ~found["box"].isin(right) & ~found.duplicated(["kind", "box"])
    boxes = truth.boxes.iloc[found.loc[first, "box"]]
    for name in ("label", *BOX):
        mended.loc[first, name] = boxes[name].to_numpy()
    return truth, mended[first | ~own]
