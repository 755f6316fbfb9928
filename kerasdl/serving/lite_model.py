"""A model that LiteRT computes, proved beside the Keras model."""

import queue
import threading
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from kerasdl._parallel import num_cpus
from kerasdl.export.runners import Runner, run_tflite
from kerasdl.predict import Predictor

_MOST_DIFFERENCE = 1e-3  # of a probability, as exports are proved
_SIDES = (1, 2, 3, 5, 8, 16, 32, 64)  # of the patches that prove a file
_MOST_CALLS = 4  # each has the weights once more
_GAIN = 1.3  # of all processors over a share, to be worth it


class LiteModel:
    """The `.tflite` file of a run, which answers eight pictures as its Keras model.

    LiteRT is fastest with one picture at a time, and an interpreter serves one call at
    a time: there is one for each processor, up to four, and one that has them all for a
    call that is alone, where that is faster. Each holds the weights.

    Args:
        path: the file; it is not read again.
        predictor: of the run that the file belongs to.

    Attributes:
        num_calls: that may be under way at a time.

    Raises:
        ImportError: LiteRT is not installed.
        ValueError: it is no such file, or answers otherwise.
    """

    def __init__(self, path: Path, predictor: Predictor) -> None:
        received = f"Received: path={str(path)!r}"
        self.num_calls = min(num_cpus(), _MOST_CALLS)
        self._free: queue.SimpleQueue[Runner] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._under_way = 0
        pixels = _patches(predictor.image_size)
        expected = predictor.model.predict_on_batch(pixels.astype("float32"))
        try:
            share = run_tflite(path, num_cpus() // self.num_calls)
            found = share(pixels)
            for _ in range(self.num_calls - 1):
                self._free.put(run_tflite(path, num_cpus() // self.num_calls))
            whole = run_tflite(path, num_cpus())
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                "`path` must be a .tflite file that takes one picture, uint8 (1, "
                f"{', '.join(map(str, pixels.shape[1:]))}). {received} ({error})"
            ) from error
        difference = np.inf
        if found.shape == expected.shape:
            difference = np.abs(found - expected).max()
        if not difference <= _MOST_DIFFERENCE:
            raise ValueError(
                "`path` must be a file that answers as the Keras model does. "
                f"{received} (a probability is {difference:.4f} from it)"
            )
        is_faster = _seconds(whole, pixels) * _GAIN < _seconds(share, pixels)
        self._alone = whole if is_faster else None
        self._free.put(share)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Outputs `(n, num_outputs)` of uint8 pixels, in any thread."""
        with self._lock:
            self._under_way += 1
            is_alone = self._under_way == 1
        try:
            if is_alone and self._alone:
                return self._alone(pixels)
            run = self._free.get()
            try:
                return run(pixels)
            finally:
                self._free.put(run)
        finally:
            with self._lock:
                self._under_way -= 1


def _patches(image_size: tuple[int, int]) -> np.ndarray:
    """Pictures of random colours, from a single one to fine noise."""
    random = np.random.default_rng(0)
    patches = [random.integers(0, 256, (side, side, 3), "uint8") for side in _SIDES]
    return np.stack([cv2.resize(patch, image_size[::-1]) for patch in patches])


def _seconds(run: Runner, pixels: np.ndarray) -> float:
    """The shortest of a few calls."""
    times = []
    for picture in pixels:
        start = perf_counter()
        run(picture[None])
        times.append(perf_counter() - start)
    return min(times)
