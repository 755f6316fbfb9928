"""Digests that tell whether photos, boxes and masks are those of an earlier run."""

import hashlib

import pandas as pd

from .annotations import BOX, SHAPES, Annotations, are_ignored

# What each digest is of. Runs of older versions have the first alone.
FINGERPRINTS = {
    "fingerprint": "photos or boxes",
    "ignored_fingerprint": "difficult boxes or crowds",
    "masks_fingerprint": "masks",
}


def fingerprints(annotations: Annotations, masks: bool) -> dict[str, str]:
    """Digests by the names of `FINGERPRINTS`, that of masks only where they are used.

    Args:
        annotations: as training has them.
        masks: whether they are used.
    """
    photos, boxes = annotations.photos, annotations.boxes
    of_boxes = hashlib.sha256(repr(list(photos.index)).encode(errors="replace"))
    for table in (photos, boxes[["file", "label", *BOX]]):
        of_boxes.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
    flags = are_ignored(boxes).to_numpy().tobytes()
    found = {"fingerprint": of_boxes, "ignored_fingerprint": hashlib.sha256(flags)}
    if masks:
        of_masks = found["masks_fingerprint"] = hashlib.sha256()
        # Row by row: of a large set all at a time are hundreds of megabytes.
        for row in zip(*(boxes[name] for name in SHAPES), strict=True):
            of_masks.update(repr(row).encode())
    return {name: digest.hexdigest()[:16] for name, digest in found.items()}
