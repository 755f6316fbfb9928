"""How photos are read, batched and augmented, whatever says which they are."""

from dataclasses import dataclass

from ._decode import MAX_PIXELS
from ._mix import Mix
from .augment import Augment


@dataclass(frozen=True)
class PhotoSettings:
    """What every `ImageData` is made with, beside its photos.

    Attributes:
        image_size: one side or (height, width), in pixels.
        batch_size: images in a batch.
        augment: of the training photos, as in `image_folder`.
        resize: "crop", "squash" or "pad".
        label_mode: as in `image_folder`; "multi_label" or None for several labels a
            photo.
        oversample: let an epoch of training show each class as often as the largest:
            photos of smaller classes come several times, each time with an augmentation
            of its own. Not with several labels a photo.
        on_error: "skip" or "raise", as in `image_folder`.
        max_pixels: largest height * width of a file that is decoded.
        mix: of the training batches, as in `ImageData.with_mix`.
        seed: of order and augmentation.
    """

    image_size: int | tuple[int, int] = 224
    batch_size: int = 64
    augment: str | Augment | None = None
    resize: str = "crop"
    label_mode: str | None = None
    oversample: bool = False
    on_error: str = "skip"
    max_pixels: int = MAX_PIXELS
    mix: Mix | None = None
    seed: int = 0
