"""What a person sees of photos in splits: batches, draws, and a few lines of facts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdl import plots
from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._described import Described, some

from ._decode import ImageError
from ._label_modes import label_text
from .image_folder import PhotoBatches

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Looks(Described):
    """Pictures and words of `PhotoSplits`, which is a subclass: `self` is one."""

    def show_batch(
        self: Any, split: str = "train", rows: int = 3, path: str | Path | None = None
    ) -> "Figure":
        """Draw photos of `split` as a network is given them, with their labels.

        Args:
            split: of `train`, the next pass is shown, which is not begun.
            rows: of four photos.
            path: as in `plots.save_gallery`.

        Raises:
            ValueError: there is no such split, or `rows` is not at least 1.

        Example:
            ```
            data.show_batch(rows=2)
            ```
        """
        check_one_of("split", split, self.splits)
        check_positive_int("rows", rows)
        images, labels, photos = [], [], self._photos[split]
        for index in range(photos.stream.num_batches):
            batch = photos.batch(photos.stream.next_epoch, index)
            images += list(batch[0])
            labels += list(batch[1]) if len(batch) > 1 else [None] * len(batch[0])
            if len(images) >= 4 * rows:
                break
        titles = [label_text(label, self.class_names) for label in labels]
        return plots.save_gallery(images[: 4 * rows], titles[: 4 * rows], path)

    def preview(
        self: Any, path: str | Path | None = None, index: int = 0, draws: int = 16
    ) -> "Figure":
        """Draw a grid of training photo `index` as `draws` epochs would show it.

        Raises:
            ValueError: `draws` is not at least 1, or the photo is damaged.
        """
        check_positive_int("draws", draws)
        photos = self._photos["train"]
        photo = PhotoBatches(
            [photos.pictures[index]] * draws,
            None,
            image_size=photos.image_size,
            batch_size=draws,
            resize=photos.resize,
            augment=self.augment,
            on_error="raise",
            max_pixels=self.max_pixels,
            seed=self.seed,
        )
        return plots.save_grid(photo.batch(0, 0)[0], path)

    def _facts(self: Any) -> dict[str, str]:
        counts = self.counts()
        facts = {"classes": some(self.class_names)}
        for split in self.splits:
            numbers = f"{len(self.files(split)):,} photos"
            if split in counts.index:
                by_class = [f"{name} {n}" for name, n in counts.loc[split].items()]
                numbers += f": {some(by_class)}"
            facts[split] = numbers
        height, width = self.image_size
        return facts | {
            "size": f"{height} x {width} pixels, {self.resize}",
            "batches": f"of {self.batch_size}",
            "augment": str(self.augment or "none"),
            "mix": "" if self.mix is None else type(self.mix).__name__,
            "seed": str(self.seed),
            "folder": str(self.root or ""),
        }

    def _headline(self: Any) -> str:
        count = sum(len(self.files(split)) for split in self.splits)
        kind = type(self).__name__
        return f"{kind}: {count:,} photos of {len(self.class_names)} classes"

    def _pictures(self: Any) -> list[tuple[np.ndarray, str]]:
        """Sixteen training photos, spread over all of them."""
        files, shown = self.files("train"), []
        for row in np.linspace(0, len(files) - 1, min(16, len(files))).astype(int):
            try:
                shown.append((self.read("train", row), files[row]))
            except ImageError:  # it is named when it is trained on
                continue
        return shown
