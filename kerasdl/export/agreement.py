"""How well exported files answer as the Keras model does, and as the labels say."""

from collections.abc import Mapping

import keras
import numpy as np

from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress
from kerasdl.data import ImageData
from kerasdl.predict.predict_split import of_rows, photos_in_order, read_rows

from .runners import Runner


def compare(
    model: keras.Model, runners: Mapping[str, Runner], data: ImageData, split: str
) -> tuple[dict[str, dict[str, float]], float]:
    """Run the photos of a split through a model and through files made of it.

    Args:
        model: the Keras model that was exported.
        runners: by format.
        data: the photos.
        split: one with labels.

    Returns:
        By format `photos` (how many there were, without damaged ones), `accuracy`,
        `accuracy_drop` (below that of `model`), `agreement` (share of photos whose
        answer is the model's, in [0, 1]), `max_difference` and `mean_difference` (of a
        probability); and the accuracy of `model`.

    Raises:
        ValueError: no photo can be read, or an answer is no number.
    """
    photos = photos_in_order(data, split)
    ways = {"": lambda pixels: model.predict_on_batch(pixels.astype("float32"))}
    ways |= runners
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    kept: list[int] = []
    batches = map_ahead(
        lambda index: read_rows(photos, 0, index), range(photos.stream.num_batches)
    )
    count = len(photos.pictures)
    for rows, floats in show_progress(batches, count, "checking", step=data.batch_size):
        if not len(rows):
            continue
        pixels = np.clip(np.rint(floats), 0, 255).astype("uint8")
        kept.extend(rows)
        for name, run in ways.items():
            outputs[name].append(run(pixels))
    if not kept:
        raise ValueError(f"No photo of {split!r} can be read.")
    rows = np.array(kept, int)
    answers = {}
    for name, parts in outputs.items():
        whole = np.zeros((count, parts[0].shape[-1]), "float32")
        whole[rows] = np.concatenate(parts)
        if not np.isfinite(whole).all():
            raise ValueError(f"{name or 'the Keras model'} answers with no number")
        answers[name] = of_rows(data, split, rows, whole)
    truth = answers.pop("")
    found = {}
    for name, answer in answers.items():
        difference = np.abs(answer.probabilities - truth.probabilities)
        if truth.labels.ndim == 2:
            same = ((answer.probabilities > 0.5) == (truth.probabilities > 0.5)).all(1)
        else:
            same = answer.probabilities.argmax(1) == truth.probabilities.argmax(1)
        found[name] = {
            "photos": len(rows),
            "accuracy": answer.accuracy,
            "accuracy_drop": truth.accuracy - answer.accuracy,
            "agreement": float(same.mean()),
            "max_difference": float(difference.max()),
            "mean_difference": float(difference.mean()),
        }
    return found, truth.accuracy
