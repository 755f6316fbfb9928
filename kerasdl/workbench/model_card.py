"""What the README of a run says of how its model was made, and how good it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from kerasdl.data import ImageData
    from kerasdl.runs import Run


def model_card(
    run: "Run", data: "ImageData", model: "keras.Model", accuracies: Mapping[str, float]
) -> dict[str, str]:
    """Facts for `export.run_readme`.

    Args:
        run: at work.
        data: the images.
        model: that is saved.
        accuracies: of splits, by name.
    """
    counts = [f"{len(data.files(split)):,} {split}" for split in data.splits]
    if "test" in data.splits and _are_one(data, "test", "valid"):
        counts[-2:] = [f"{len(data.files('test')):,} test, which are valid too"]
    made = run.manifest.get("reading", run.manifest["arguments"])
    source = made.get("data") or run.manifest["data"]["dataset"]
    return {
        "network": f"{model.name}, {model.count_params():,} parameters",
        "images": f"{', '.join(counts)}; {source}",
        "accuracy": ", ".join(
            f"{accuracy:.4f} {split}" for split, accuracy in accuracies.items()
        ),
        "seed": str(run.seed),
    }


def _are_one(data: "ImageData", split: str, other: str) -> bool:
    """Whether the pictures of two splits are the same files, or the same memory."""
    import numpy as np

    ours, theirs = data.pictures(split), data.pictures(other)
    if isinstance(ours[0], np.ndarray):
        return len(ours) == len(theirs) and np.may_share_memory(ours[0], theirs[0])
    return ours == theirs
