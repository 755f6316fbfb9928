"""Columns in the smallest types that hold them."""

import numpy as np
import pandas as pd


def shrink(frame: pd.DataFrame) -> pd.DataFrame:
    """Give each column of numbers the smallest type that holds its values.

    Whole numbers keep every digit. float64 becomes float32, where that keeps seven
    digits of each value; whole numbers in it that float32 cannot tell apart keep it.
    Text, categories, dates and pandas's own types stay.

    Reference:
        fastai 2.8's `df_shrink`, which makes text categories too.
    """
    smaller = {}
    for name in frame:
        values = frame[name].to_numpy() if frame[name].dtype.kind in "iuf" else None
        if values is None or not len(values):
            continue
        if values.dtype.kind in "iu":
            least = _least(int(values.min())), _least(int(values.max()))
            smaller[name] = max(least, key=lambda dtype: dtype.itemsize)
        elif values.dtype == np.float64 and _fits_float32(values):
            smaller[name] = np.float32
    return frame.astype(smaller)


def _least(value: int) -> np.dtype:
    """The smallest type that holds `value`, with a sign if there is one."""
    for dtype in (np.int8, np.int16, np.int32, np.int64):
        if np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.uint64)


def _fits_float32(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    size = np.abs(finite[finite != 0])
    if not size.size:
        return True
    limits = np.finfo(np.float32)
    if size.max() > limits.max or size.min() < limits.tiny:
        return False
    whole = (finite == np.rint(finite)).all()
    return not whole or bool((finite.astype("float32") == finite).all())
