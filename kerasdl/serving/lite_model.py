"""A model that LiteRT computes, proved beside the Keras model."""

import queue
import sys
import threading
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from kerasdl._file_names import MODEL_TFLITE
from kerasdl._optional import require
from kerasdl._parallel import num_cpus
from kerasdl.artefacts import FEATURES, with_dense_input
from kerasdl.artefacts.runners import run_interpreter, tensors
from kerasdl.classification import Predictor
from kerasdl.classification.likeness import features_scale, unit
from kerasdl.runtime import silenced

from .keras_graph import Answers, keras_graph, knows_features

_MOST_DIFFERENCE = 1e-3  # of a probability, as exports are proved
_SIDES = (1, 2, 3, 5, 8, 16, 32, 64)  # of the patches that prove a file
_MOST_CALLS = 4  # each has the weights once more
_GAIN = 1.3  # of all processors over a share, to be worth it


class LiteModel:
    """The `.tflite` file of a run, which answers eight pictures as its Keras model.

    LiteRT is fastest with one picture at a time, and an interpreter serves one call at
    a time: there is one for each processor, up to four, and one that has them all for a
    call that is alone, where that is faster. Each holds the weights. Where photos are
    compared with the training photos, it returns what is compared too.

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
        compares = knows_features(predictor)
        self.num_calls = min(num_cpus(), _MOST_CALLS)
        self._free: queue.SimpleQueue[Answers] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._under_way = 0
        pixels = _patches(predictor.image_size)
        expected = keras_graph(predictor, len(pixels))(pixels)
        try:
            content = path.read_bytes()
            if compares:
                _interpreter(content, 1)  # what is no such file is not to be read
                content = with_dense_input(content)
            threads = num_cpus() // self.num_calls
            share, scale = _interpreter(content, threads), None
            difference = _difference(share(pixels), expected)
            if compares and _MOST_DIFFERENCE < difference < np.inf:
                # Its dense layer may have what scales the features before it.
                scale = features_scale(predictor.model)
                share = _interpreter(content, threads, scale)
                difference = _difference(share(pixels), expected)
            for _ in range(self.num_calls - 1):
                self._free.put(_interpreter(content, threads, scale))
            whole = _interpreter(content, num_cpus(), scale)
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(
                "`path` must be a .tflite file that takes one picture, uint8 (1, "
                f"{', '.join(map(str, pixels.shape[1:]))}). {received} ({error})"
            ) from error
        if not difference <= _MOST_DIFFERENCE:
            raise ValueError(
                "`path` must be a file that answers as the Keras model does. "
                f"{received} (a number is {difference:.4f} from it)"
            )
        is_faster = _seconds(whole, pixels) * _GAIN < _seconds(share, pixels)
        self._alone = whole if is_faster else None
        self._free.put(share)

    def __call__(self, pixels: np.ndarray) -> list[np.ndarray]:
        """What `keras_graph` returns of uint8 pixels, in any thread."""
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


def lite_model(
    run: Path, predictor: Predictor, runtime: str | None = None
) -> LiteModel | None:
    """The model of a run as LiteRT computes it, or None for Keras.

    Args:
        run: its folder.
        predictor: of the run.
        runtime: "keras" or "litert"; None takes LiteRT where the run has a
            `model.tflite` that is proved, and prints why another one is not.

    Raises:
        ImportError: LiteRT was asked for, and is not installed.
        ValueError: LiteRT was asked for, and the file is not proved.
    """
    path = run / MODEL_TFLITE
    if runtime == "keras" or (runtime is None and not path.is_file()):
        return None
    try:
        return LiteModel(path, predictor)
    except (ImportError, ValueError) as error:
        if runtime:
            raise
        print(f"not by LiteRT: {error}", file=sys.stderr)
        return None


def _interpreter(
    content: bytes,
    num_threads: int,
    scale: tuple[np.ndarray, np.ndarray] | None = None,
) -> Answers:
    """A file of one input, one picture at a time; features come before its output.

    By `scale` and offset they are what the Keras model's dense layer takes.
    """
    litert = require("ai_edge_litert.interpreter", "serve")
    with silenced():  # it says by which delegate it computes
        interpreter = litert.Interpreter(model_content=content, num_threads=num_threads)
        (given,), returned = tensors(interpreter)
        run = run_interpreter(interpreter)
    names = sorted(returned, key=lambda name: name != FEATURES)

    def answer(pixels: np.ndarray) -> list[np.ndarray]:
        found = run({given: pixels})
        outputs = [found[name] for name in names]
        if scale:
            outputs[0] = outputs[0] * scale[0] + scale[1]
        return outputs

    return answer


def _difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest of a probability, or of features whose length is 1."""
    if [each.shape for each in found] != [each.shape for each in expected]:
        return np.inf
    pairs = list(zip(found, expected, strict=True))
    pairs[:-1] = [(unit(ours), unit(theirs)) for ours, theirs in pairs[:-1]]
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


def _patches(image_size: tuple[int, int]) -> np.ndarray:
    """Pictures of random colours, from a single one to fine noise."""
    random = np.random.default_rng(0)
    patches = [random.integers(0, 256, (side, side, 3), "uint8") for side in _SIDES]
    return np.stack([cv2.resize(patch, image_size[::-1]) for patch in patches])


def _seconds(run: Answers, pixels: np.ndarray) -> float:
    """The shortest of a few calls."""
    times = []
    for picture in pixels:
        start = perf_counter()
        run(picture[None])
        times.append(perf_counter() - start)
    return min(times)
