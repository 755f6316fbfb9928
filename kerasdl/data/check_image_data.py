"""Whether something is an ImageData, for whoever takes one."""

from typing import Any

from .image_data import ImageData


def check_image_data(data: Any) -> None:
    """Raise ValueError unless `data` is an ImageData."""
    if not isinstance(data, ImageData):
        scaled = " that rescales pixels" if getattr(data, "rescale", None) else ""
        raise ValueError(
            "`data` must be an ImageData of pixels in [0, 255]: scaling is in the "
            f"model. Received: {type(data).__name__}{scaled}. Build one with "
            "`ImageData.from_folder`."
        )
