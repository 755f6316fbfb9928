"""How good answers are: average precision, by class and size, and its curves."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of, first_few
from kerasdl._optional import require

from .annotations import BOX, Annotations, are_ignored
from .formats.coco import as_coco
from .void import without_void

METHODS = ("coco", "voc", "voc2007")
ALL = "all"
_ANSWER = ["file", "label", "score", *BOX]
_SIZES = ("all", "small", "medium", "large")


def average_precision(
    truth: Annotations,
    answers: pd.DataFrame,
    method: str = "coco",
    masks: bool = False,
) -> pd.DataFrame:
    """Average precision, a row for each class and, the last, "all", for their mean.

    Args:
        truth: photos and boxes, in pixels of the photos.
        answers: a row for each: `file`, `label`, `score`, and `x1`, `y1`, `x2`, `y2` in
            the same pixels. Of a photo the 100 best of each class count for COCO.
        method: "coco": columns `map` (mean over IoU .50 to .95), `ap50`, `ap75`, and
            `small`, `medium`, `large`, `map` of objects below 32 x 32, 96 x 96 pixels,
            and above. "voc": `ap50`, the area under the curve at
            IoU .5; "voc2007": its mean at 11 recalls. Difficult boxes and crowds are
            ignored. NaN where there is no such object.
        masks: with "coco", IoU of masks: of boxes with `mask`, and of answers with
            `mask`, an RLE. What is `void` of an object counts for nobody's mask; an
            object that is nearly all void is ignored, an answer that is all void too.

    Raises:
        ValueError: `method` is another, an answer is of an unknown photo or class, or a
            mask or a void is none of its photo's size.
        ImportError: "coco" without the extra `detection`.

    Reference:
        Everingham et al., 2010, https://doi.org/10.1007/s11263-009-0275-4, section 4.2;
        https://cocodataset.org/#detection-eval
    """
    check_one_of("method", method, METHODS)
    _check(truth, answers)
    if masks and (method != "coco" or "mask" not in answers):
        raise ValueError(
            "`masks` must be False but for method='coco' and answers with a column "
            f"`mask`. Received: method={method!r}, {', '.join(answers)}"
        )
    if method == "coco":
        return _coco(truth, answers, masks)
    found = [
        _area(curve["recall"], curve["precision"], method == "voc2007")
        if len(curve.attrs["truth"])
        else np.nan
        for _, curve in curves(truth, answers)
    ]
    table = pd.DataFrame({"ap50": found}, index=truth.class_names)
    return _with_mean(table)


def curves(
    truth: Annotations, answers: pd.DataFrame, iou: float = 0.5
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Precision and recall of each class as more answers are taken, the best first.

    An answer is right if it has `iou` with a box of its class that no better answer has
    taken. Answers to difficult boxes and crowds count nothing.

    Args:
        truth: as in `average_precision`.
        answers: as in `average_precision`.
        iou: from which on an answer may be right.

    Returns:
        The class and a row for each of its answers that counts: `score`, `right`,
        `precision`, `recall`, `f1`; `attrs["truth"]` are the rows of the boxes to find.
    """
    _check(truth, answers)
    for name in truth.class_names:
        boxes = truth.boxes[truth.boxes["label"] == name]
        own = answers[answers["label"] == name]
        own = own.sort_values("score", ascending=False, kind="stable")
        outcome = _matched(boxes, own, iou)
        table = pd.DataFrame({"score": own["score"].to_numpy(), "right": outcome > 0})[
            outcome >= 0
        ]
        wanted = boxes.index[~are_ignored(boxes)]
        right, taken = table["right"].cumsum(), np.arange(1, len(table) + 1)
        precision, recall = right / taken, right / max(len(wanted), 1)
        both = np.maximum(precision + recall, 1e-12)
        table = table.assign(
            precision=precision, recall=recall, f1=2 * precision * recall / both
        )
        table.attrs["truth"] = wanted.tolist()
        yield name, table


def best_threshold(truth: Annotations, answers: pd.DataFrame) -> dict[str, float]:
    """The score from which on answers give the best F1, of all classes together.

    Args:
        truth: as in `average_precision`.
        answers: as in `average_precision`.

    Returns:
        `threshold`, `f1`, `precision`, `recall`; a threshold of 1, and 0 of the others,
        where no answer is right.
    """
    parts = [curve for _, curve in curves(truth, answers)]
    wanted = sum(len(curve.attrs["truth"]) for curve in parts)
    rows = pd.concat([curve[["score", "right"]] for curve in parts])
    rows = rows.sort_values("score", ascending=False, kind="stable")
    right, taken = rows["right"].to_numpy().cumsum(), np.arange(1, len(rows) + 1)
    f1 = 2 * right / (taken + wanted)
    if not len(rows) or not right[-1]:
        return {"threshold": 1.0, "f1": 0.0, "precision": 0.0, "recall": 0.0}
    scores = rows["score"].to_numpy()
    # A threshold takes all answers of its score, or none.
    is_last = np.append(scores[1:] != scores[:-1], True)
    best = int(np.where(is_last, f1, -1).argmax())
    return {
        "threshold": float(scores[best]),
        "f1": float(f1[best]),
        "precision": float(right[best] / taken[best]),
        "recall": float(right[best] / wanted),
    }


def iou_matrix(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of each of `(n, 4)` with each of `(m, 4)`, by NumPy."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, others)]
    union = areas[0][:, None] + areas[1][None] - common
    return common / np.maximum(union, 1e-12)


def _matched(boxes: pd.DataFrame, answers: pd.DataFrame, iou: float) -> np.ndarray:
    """1 for each answer that is right, 0 that is wrong, -1 that counts nothing."""
    groups = boxes.groupby("file").indices
    corners = boxes[BOX].to_numpy()
    is_ignored = are_ignored(boxes).to_numpy()
    is_taken = np.zeros(len(boxes), bool)
    outcome = np.zeros(len(answers), int)
    for place, (file, box) in enumerate(
        zip(answers["file"], answers[BOX].to_numpy(), strict=True)
    ):
        rows = groups.get(file)
        if rows is None:
            continue
        overlaps = iou_matrix(box[None], corners[rows])[0]
        best = rows[overlaps.argmax()]
        if overlaps.max() < iou:
            continue
        if is_ignored[best]:
            outcome[place] = -1
        elif not is_taken[best]:
            outcome[place] = 1
            is_taken[best] = True
    return outcome


def _area(recall: pd.Series, precision: pd.Series, at_eleven: bool) -> float:
    """Area under the curve after precision was made to fall."""
    recall = np.concatenate([[0], recall, [1]])
    precision = np.concatenate([[0], precision, [0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    if at_eleven:
        places = np.searchsorted(recall, np.linspace(0, 1, 11) - 1e-9)
        return float(precision[places].mean())
    return float((np.diff(recall) * precision[1:]).sum())


def _coco(truth: Annotations, answers: pd.DataFrame, masks: bool) -> pd.DataFrame:
    coco = require("faster_coco_eval", "detection")
    ignored = are_ignored(truth.boxes)
    # As in training, and in VOC's measures; COCO has crowds alone.
    known = as_coco(replace(truth, boxes=truth.boxes.assign(crowd=ignored)))
    ids = {image["file_name"]: image["id"] for image in known["images"]}
    classes = pd.Index(truth.class_names).get_indexer(answers["label"])
    sides = answers[["x2", "y2"]].to_numpy() - answers[["x1", "y1"]].to_numpy()
    given = [
        {
            "image_id": ids[file],
            "category_id": int(number) + 1,
            "bbox": [*corner, *size],
            "score": float(score),
        }
        for file, number, corner, size, score in zip(
            answers["file"],
            classes,
            answers[["x1", "y1"]].to_numpy().tolist(),
            sides.tolist(),
            answers["score"],
            strict=True,
        )
    ]
    if masks:
        given = without_void(truth, known, given, answers["mask"])
    columns = ["map", "ap50", "ap75", *_SIZES[1:]]
    if not given or not known["annotations"]:
        is_wanted = [not one["iscrowd"] for one in known["annotations"]]
        there = set(truth.boxes.loc[is_wanted, "label"])
        table = pd.DataFrame(0.0, index=truth.class_names, columns=columns)
        table.loc[[name for name in table.index if name not in there]] = np.nan
        return _with_mean(table)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = coco.COCO(known)
        kind = "segm" if masks else "bbox"
        judge = coco.COCOeval_faster(expected, expected.loadRes(given), kind)
        judge.evaluate()
        judge.accumulate()
    # (IoU thresholds, recalls, classes, sizes, answers a photo)
    precision = judge.eval["precision"][..., -1]
    precision = np.where(precision < 0, np.nan, precision)
    of_all = precision[:, :, :, 0].mean(axis=1)  # (IoU thresholds, classes)
    by_size = precision.mean(axis=(0, 1))  # (classes, sizes)
    values = [of_all.mean(axis=0), of_all[0], of_all[5], *by_size.T[1:]]
    table = pd.DataFrame(np.stack(values, 1), truth.class_names, columns)
    return _with_mean(table)


def _with_mean(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.mean().rename(ALL).to_frame().T])


def _check(truth: Annotations, answers: pd.DataFrame) -> None:
    if missing := [name for name in _ANSWER if name not in answers]:
        raise ValueError(
            f"`answers` must have columns {', '.join(_ANSWER)}. Received: none called "
            f"{', '.join(missing)}"
        )
    for column, known in (("file", truth.photos.index), ("label", truth.class_names)):
        others = set(answers[column]) - set(known)
        if others:
            raise ValueError(
                f"`answers` must be of photos and classes of `truth`. Received: "
                f"{column} {first_few(sorted(map(str, others)))}"
            )
