"""What a run works on, in its manifest: a resumed run must find the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kerasdl import strategies
from kerasdl._run_info import IMAGE_CLASSIFICATION

if TYPE_CHECKING:
    from kerasdl.data import ImageData
    from kerasdl.runs import Run


def remember(
    run: "Run", data: "ImageData", found: dict[str, Any], digests: Sequence[str]
) -> None:
    """Write down `found`, the labels and the geometry of `data`.

    Args:
        run: at work.
        data: the images.
        found: what is known of them, but for their numbers, which are added.
        digests: those names in `found` that tell other images from these.

    Raises:
        ValueError: the run began with others, or another machine has others.
    """
    before = run.manifest.get("data")
    if before and any(before.get(name) != found[name] for name in digests):
        raise ValueError(
            "`data` must be the images and labels that the run began with. Received: "
            "others than recorded. Restore them, or start anew with --overwrite."
        )
    strategies.check_same("fingerprint", [found[name] for name in digests])
    run.manifest["data"] = found | {"counts": data.counts().to_dict("index")}
    run.manifest["task"] = IMAGE_CLASSIFICATION
    run.manifest["image_size"] = list(data.image_size)
    run.manifest["resize"] = data.resize
    run.save_labels(data.class_names)
    run.save_manifest()
